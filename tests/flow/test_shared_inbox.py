"""An inbox that two clients share: nobody is called by another's name, and it gets twelve messages, not more."""

import asyncio
import quopri
from collections.abc import Sequence
from datetime import timedelta
from itertools import count

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dispatcher.rules.campaign import Channel, State
from dispatcher.rules.message import MessageState
from dispatcher.storage import campaigns, clients, handoffs, outbox
from dispatcher.storage.outbox import Planned
from dispatcher.storage.writer import Transaction
from dispatcher.wiring import Dispatcher
from tests.stores import campaign
from tests.workshop import ZONE, Doubles, Workshop

_ONES = count(1)
"""Numbers for clients and campaigns: none is used twice, though the examples share an installation."""
Past = Sequence[tuple[bool, int]]
"""Messages the inbox got: whether the second client's, and how many days ago."""


def household(workshop: Workshop, dispatcher: Dispatcher, *names: str) -> tuple[str, list[int]]:
    """Import clients who share an inbox, each with a yes of yesterday; return it and their numbers."""
    inbox = f"koti{next(_ONES)}@posti.example"
    day = (workshop.clock() - timedelta(days=1)).astimezone(ZONE)
    rows = [f"{next(_ONES)};{name};M;{inbox};;fi;{day:%d.%m.%Y};kyllä;;{day:%d.%m.%Y}" for name in names]
    dispatcher.enrol.run(workshop.register(*rows), dispatcher.persons.acting(None))
    return inbox, [each.number for each in dispatcher.register.listed(inbox)]


def received(dispatcher: Dispatcher, workshop: Workshop, numbers: Sequence[int], past: Past) -> None:
    """Write the messages these clients got: each of a campaign of its own, counted on its local day."""

    def work(transaction: Transaction) -> None:
        connection, now = transaction.connection, transaction.now
        held = clients.read(connection, numbers)
        for is_second, days in past:
            client = numbers[is_second]
            made = campaigns.add(connection, campaign(f"before-{next(_ONES)}", now), {}, now)
            campaigns.set_state(connection, made, State.FINISHED, now)
            address = held[client].addresses[Channel.EMAIL].id
            row = Planned(made, client, f"{made:032d}", MessageState.WAITING, now, Channel.EMAIL, address)
            outbox.add(connection, [row])
            claimed = handoffs.claim(connection, made, now, now, 1, Channel.EMAIL)
            day = workshop.clock().astimezone(ZONE).date() - timedelta(days)
            handoffs.set_intents(connection, claimed, now, day, now)

    dispatcher.store.write(work)


def mailed(workshop: Workshop, dispatcher: Dispatcher, doubles: Doubles, numbers: Sequence[int], past: Past) -> int:
    """Plan a campaign, let the past become known only then, deliver, and return how many mails the gate let out."""
    before = len(doubles.smtp.received)
    name, actor = f"c{next(_ONES)}", dispatcher.persons.acting(None)
    dispatcher.schedule.run(workshop.campaign(name, workshop.clock() + timedelta(hours=1), channels=("email",)), actor)
    workshop.clock.advance(timedelta(hours=1))
    dispatcher.plan.run(dispatcher.lifecycle.named(name))
    received(dispatcher, workshop, numbers, past)
    asyncio.run(dispatcher.rounds.once())
    return len(doubles.smtp.received) - before


def test_a_shared_inbox_is_greeted_without_a_name(workshop: Workshop, doubles: Doubles) -> None:
    """Whoever of a household opens the mail, it greets nobody by the name of another; who has an inbox is named."""
    with workshop.opened() as dispatcher:
        shared, _ = household(workshop, dispatcher, "Maija", "Matti")
        own, _ = household(workshop, dispatcher, "Aili")
        assert 2 == mailed(workshop, dispatcher, doubles, [], [])
    greeted = {mail.recipient: quopri.decodestring(mail.content).decode("utf-8") for mail in doubles.smtp.received}
    assert "\r\nHei!\r\n" in greeted[shared]
    assert not {"Maija", "Matti"} & set(greeted[shared].replace("!", " ").split())
    assert "\r\nHei Aili!\r\n" in greeted[own]


def test_a_household_that_parts_is_named_again(workshop: Workshop, doubles: Doubles) -> None:
    """Once one of the two has an inbox of their own, the other is greeted by name."""
    with workshop.opened() as dispatcher:
        shared, numbers = household(workshop, dispatcher, "Maija", "Matti")
        with dispatcher.store.reading() as connection:
            [matti] = [each for each in clients.read(connection, numbers).values() if each.first_name == "Matti"]

        def move(transaction: Transaction) -> None:
            rows = clients.address_rows(
                transaction.connection, [(Channel.EMAIL, "matti@posti.example")], transaction.now
            )
            [row] = rows.values()
            clients.join_address(transaction.connection, matti.number, Channel.EMAIL, row, changed_at=transaction.now)

        dispatcher.store.write(move)
        mailed(workshop, dispatcher, doubles, [], [])
    [mail] = [mail for mail in doubles.smtp.received if mail.recipient == shared]
    assert "Hei Maija!" in quopri.decodestring(mail.content).decode("utf-8")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=6)
@given(past=st.lists(st.tuples(st.booleans(), st.integers(355, 370)), min_size=9, max_size=15))
@example(past=[(place % 2 == 1, 300 - place) for place in range(12)])
@example(past=[(place % 2 == 1, 300 - place) for place in range(11)])
@example(past=[(True, 364)] * 6 + [(False, 364)] * 6)
@example(past=[(True, 364)] * 6 + [(False, 364)] * 5 + [(False, 365)])
def test_an_inbox_gets_twelve_whoever_shares_it(workshop: Workshop, doubles: Doubles, past: Past) -> None:
    """L-23: twelve messages in any 365 local days are counted over all who share an address, at the hand-off."""
    with workshop.opened() as dispatcher:
        # More than a year later nothing of an earlier example counts, and the year's budget is whole.
        workshop.clock.set((workshop.clock() + timedelta(days=800)).replace(hour=9, minute=0))
        _, numbers = household(workshop, dispatcher, "Maija", "Matti")
        got = mailed(workshop, dispatcher, doubles, numbers, past)
    assert int(sum(days < 365 for _, days in past) < 12) == got
