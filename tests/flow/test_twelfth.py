"""Two campaigns at once, and a client who has had eleven."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

from dispatcher.rules.campaign import Channel, State
from dispatcher.rules.message import MessageState
from dispatcher.storage import campaigns, clients, handoffs, outbox
from dispatcher.storage.outbox import Planned
from dispatcher.storage.writer import Transaction
from dispatcher.wiring import Dispatcher
from tests.stores import campaign
from tests.workshop import Doubles, Workshop

MOMENT = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)
CLIENTS = range(30)


def received(dispatcher: Dispatcher, numbers: list[int], days: list[date]) -> None:
    """Write that each of these clients got a message on each of these days."""

    def work(transaction: Transaction) -> None:
        connection, now = transaction.connection, transaction.now
        held = clients.read(connection, numbers)
        for day in days:
            made = campaigns.add(connection, campaign(f"before-{day}", now), {}, now)
            campaigns.set_state(connection, made, State.FINISHED, now)
            rows = [
                Planned(
                    made,
                    number,
                    f"{made:016d}{number:016d}"[-32:],
                    MessageState.WAITING,
                    now,
                    Channel.EMAIL,
                    held[number].addresses[Channel.EMAIL].id,
                )
                for number in numbers
            ]
            outbox.add(connection, rows)
            claimed = handoffs.claim(connection, made, now, now, len(rows), Channel.EMAIL)
            handoffs.set_intents(connection, claimed, now, day, now)

    dispatcher.store.write(work)


def test_two_campaigns_at_once_give_nobody_a_thirteenth(workshop: Workshop, doubles: Doubles) -> None:
    """L-23, invariant 3: two senders, each with a campaign and storage of its own, deliver side by side.

    Everybody has had eleven, so each gets one of the two, whichever comes first, and no year holds thirteen.
    """
    rows = [f"{n};N;N;c{n}@posti.example;;fi;3.1.2026;kyllä;;3.1.2026" for n in CLIENTS]
    with workshop.opened() as one, workshop.opened() as two:
        actor = one.persons.acting(None)
        one.enrol.run(workshop.register(*rows), actor)
        for name in ("a", "b"):
            one.schedule.run(workshop.campaign(name, MOMENT, channels=["email"]), actor)
        numbers = [one.register.find(f"c{n}@posti.example") for n in CLIENTS]
        received(one, numbers, [date(2026, 1, 10) + timedelta(days=20 * each) for each in range(11)])
        workshop.clock.set(MOMENT)
        for name in ("a", "b"):
            one.plan.run(one.lifecycle.named(name))
        start = threading.Barrier(2)

        def deliver(house: Dispatcher, name: str) -> None:
            found = house.lifecycle.named(name)
            start.wait(30)
            asyncio.run(house.deliver.run(found))

        with ThreadPoolExecutor(2) as threads:
            list(threads.map(deliver, (one, two), ("a", "b")))
        withheld = [one.lifecycle.standing(one.lifecycle.named(name).id).withheld for name in ("a", "b")]
    assert sorted(f"c{n}@posti.example" for n in CLIENTS) == doubles.mailed()
    assert len(CLIENTS) == sum(each["frequency_cap"] for each in withheld)
