"""The doors a no comes by are read up to now before anything leaves; until that worked, everything waits."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from dispatcher.errors import DoorsUnreadError, MailboxError, StorageError
from dispatcher.flow.deliver import Deliver
from dispatcher.flow.doors import Doors
from dispatcher.flow.rounds import Rounds
from dispatcher.rules.audit_again import Again
from dispatcher.rules.campaign import Channel, State
from dispatcher.rules.doors import GOOD_FOR, READ_EVERY
from dispatcher.rules.ledger import EntryKind, Json, canonical, stamp
from dispatcher.storage import ledger, outbox
from dispatcher.storage.store import Store
from dispatcher.wiring import Dispatcher
from tests.clock import FixedClock
from tests.flow.test_outcomes import MAIL, MOMENT, begin, messages
from tests.stores import commits
from tests.workshop import Doubles, Workshop


@dataclass
class ListDoor:
    """A door whose letters are a list in memory; it fails, hangs or breaks as the test says."""

    name: str = "maildir"
    letters: list[str] = field(default_factory=list)
    trouble: Exception | None = None
    hangs: threading.Event | None = None
    marks: list[str] = field(default_factory=list)
    meanwhile: Callable[[], None] = lambda: None

    def read(self, mark: str) -> str:
        """Return the number of letters as the mark."""
        self.marks.append(mark)
        self.meanwhile()
        if self.hangs is not None:
            self.hangs.wait(30)
        if self.trouble is not None:
            raise self.trouble
        return str(len(self.letters))


def told(store: Store) -> list[dict[str, Json]]:
    """Return what the ledger tells of doors."""
    with store.reading() as connection:
        return [entry.data() for entry in ledger.entries(connection, [EntryKind.DOOR.value])]


def test_a_door_is_read_from_its_mark_on(store: Store, clock: FixedClock) -> None:
    """Each reading begins where the last one ended, and the row says up to which moment that was."""
    door = ListDoor(letters=["a", "b"])
    doors = Doors(store, [door])
    asyncio.run(doors.read())
    door.letters.append("c")
    clock.advance(timedelta(minutes=1))
    asyncio.run(doors.read())
    assert ["", "2"] == door.marks
    (row,) = doors.rows()
    assert ("3", clock(), None) == (row.mark, row.read_up_to, row.trouble)
    assert ["read"] == [body["event"] for body in told(store)]


def test_a_reading_is_relied_on_for_seconds_only(store: Store, clock: FixedClock) -> None:
    """Within ten seconds nobody reads again; a message leaves on a reading of thirty at most, and none from ahead."""
    door = ListDoor()
    doors = Doors(store, [door])

    def counts() -> bool:
        with store.reading() as connection:
            return doors.seen(connection, clock()).is_read

    assert not counts()
    asyncio.run(doors.up_to_now())
    clock.advance(READ_EVERY)
    asyncio.run(doors.up_to_now())
    assert 1 == len(door.marks)
    clock.advance(GOOD_FOR - READ_EVERY)
    assert counts()
    clock.advance(timedelta(seconds=1))
    assert not counts()
    asyncio.run(doors.up_to_now())
    assert 2 == len(door.marks)
    assert counts()
    clock.advance(-timedelta(minutes=1))
    assert not counts()


def test_what_an_earlier_process_read_is_read_again(store: Store) -> None:
    """A no may have come between the two: at the start, and after a sleep, no reading of before counts."""
    door = ListDoor()
    earlier, doors = Doors(store, [door]), Doors(store, [door])
    asyncio.run(earlier.up_to_now())
    asyncio.run(doors.up_to_now())
    assert 2 == len(door.marks)
    doors.forget()
    asyncio.run(doors.up_to_now())
    assert 3 == len(door.marks)


def test_a_reading_that_began_before_a_sleep_does_not_count_after_it(store: Store) -> None:
    """What was asked for before the machine slept may be older than it looks."""
    door = ListDoor()
    doors = Doors(store, [door])
    door.meanwhile = doors.forget
    asyncio.run(doors.read())
    with store.reading() as connection:
        assert not doors.seen(connection, store.clock()).is_read


def test_a_door_that_fails_says_why_until_it_is_over(store: Store, clock: FixedClock) -> None:
    """Invariant 10: it is told once in the ledger that it failed, once that it is over, and each time which and why."""
    door = ListDoor(trouble=MailboxError("The password is wrong. Check [mailbox]."))
    doors = Doors(store, [door, ListDoor("twilio")])
    for _ in range(2):
        with pytest.raises(DoorsUnreadError, match=r"until every letter box .* maildir: The password is wrong"):
            asyncio.run(doors.up_to_now())
    (row, other) = doors.rows()
    assert (clock(), None) == (row.failing_since, other.trouble)
    alone = Doors(store, [door])
    assert 0 == commits(store, lambda: asyncio.run(alone.read())), "what is known is not written again"
    door.trouble = None
    clock.advance(timedelta(minutes=5))
    asyncio.run(doors.up_to_now())
    assert (None, None) == (doors.rows()[0].trouble, doors.rows()[0].failing_since)
    mine = [(body["event"], body["read_up_to"]) for body in told(store) if body["door"] == "maildir"]
    assert [("unread", None), ("read", stamp(clock()))] == mine


def test_a_letter_nobody_foresaw_ends_no_sender(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    """Invariant 10: whatever a door stumbles over, nothing leaves and somebody is told; its words are not repeated."""
    doors = Doors(store, [ListDoor(trouble=ValueError("eino@posti.example"))])
    with pytest.raises(DoorsUnreadError, match="ValueError"):
        asyncio.run(doors.up_to_now())
    assert "ValueError in read" in caplog.text
    assert "eino" not in caplog.text


def test_a_door_that_hangs_is_not_waited_for(store: Store) -> None:
    """A server that does not answer is cut; the reading under way is the one that is waited for, not one more."""
    door = ListDoor(hangs=threading.Event())
    doors = Doors(store, [door], patience=0.05)
    with pytest.raises(DoorsUnreadError, match="has not answered within"):
        asyncio.run(doors.up_to_now())
    assert 1 == len(door.marks)
    assert door.hangs is not None
    door.hangs.set()


def test_a_duty_tells_of_changes_only(store: Store) -> None:
    """The doors are read with nothing to send, too; trouble is told when it begins and when it ends."""
    door = ListDoor(trouble=MailboxError("It is closed."))
    doors = Doors(store, [door])
    with pytest.raises(DoorsUnreadError, match="It is closed"):
        asyncio.run(doors.work(lambda: False))
    assert asyncio.run(doors.work(lambda: False)) is None
    door.trouble = None
    assert "maildir can be read again" == asyncio.run(doors.work(lambda: False))
    assert asyncio.run(doors.work(lambda: False)) is None


def test_what_cannot_be_kept_is_no_trouble_of_the_door(store: Store) -> None:
    """Where the database takes nothing, that is what stands in the way."""
    doors = Doors(store, [ListDoor(trouble=StorageError("The disk is full."))])
    with pytest.raises(StorageError, match="The disk is full"):
        asyncio.run(doors.up_to_now())


def with_doors(dispatcher: Dispatcher, *every: ListDoor) -> Dispatcher:
    """Return an installation that reads these doors."""
    doors = Doors(dispatcher.store, every)
    deliver = Deliver(
        dispatcher.store, dispatcher.policy, dispatcher.deliver._press, dispatcher.deliver._carriers, doors
    )
    rounds = Rounds(dispatcher.store, dispatcher.lifecycle, dispatcher.plan, deliver, doors)
    return replace(dispatcher, doors=doors, deliver=deliver, rounds=rounds)


@pytest.fixture
def dispatcher(workshop: Workshop) -> Iterator[Dispatcher]:
    """Give an installation with one campaign due for one client by mail."""
    with workshop.opened() as opened:
        begin(workshop, opened, MAIL)
        yield opened


def test_nothing_leaves_before_the_doors_are_read(dispatcher: Dispatcher, doubles: Doubles, clock: FixedClock) -> None:
    """Invariant 4: with a door that cannot be read nothing is begun; once it can be, all goes, and the Send says so."""
    door = ListDoor(trouble=MailboxError("It is closed."))
    closed = with_doors(dispatcher, door)
    with pytest.raises(DoorsUnreadError, match="It is closed"):
        asyncio.run(closed.rounds.once())
    assert ([], State.SCHEDULED) == (doubles.mailed(), closed.lifecycle.named("a").state)
    door.trouble = None
    clock.advance(timedelta(minutes=30))
    asyncio.run(closed.rounds.once())
    assert ["maija@posti.example"] == doubles.mailed()
    with closed.store.reading() as connection:
        (send,) = ledger.entries(connection, [EntryKind.SEND.value])
    assert stamp(clock()) == send.data()["doors"]


@pytest.mark.parametrize(("seconds", "found"), [(0, 0), (30, 0), (31, 1), (-1, 1)])
def test_a_send_is_decided_again_by_how_old_its_reading_was(dispatcher: Dispatcher, seconds: int, found: int) -> None:
    """Invariants 4 and 9: from the ledger alone it shows that a message left on a reading that was too old."""
    opened = with_doors(dispatcher, ListDoor())
    asyncio.run(opened.rounds.once())
    again = Again()
    with opened.store.reading() as connection:
        for entry in ledger.entries(connection):
            if entry.kind == EntryKind.SEND.value:
                body = entry.data() | {"doors": stamp(entry.at - timedelta(seconds=seconds))}
                again.take(replace(entry, body=canonical(body)))
            else:
                again.take(entry)
    assert (1, found) == (again.decided, len(again.findings))
    assert all("doors_unread" in finding for finding in again.findings)


def test_the_gate_itself_asks(dispatcher: Dispatcher, doubles: Doubles, clock: FixedClock) -> None:
    """Invariant 4: whoever hands over without reading hands over nothing; what waits goes at the next look."""
    closed = with_doors(dispatcher, ListDoor())
    closed.plan.run(closed.lifecycle.named("a"))
    report = asyncio.run(closed.deliver.run(closed.lifecycle.named("a")))
    assert (True, [], {"waiting": 1}) == (report.shut, doubles.mailed(), messages(closed))
    asyncio.run(closed.doors.up_to_now())
    clock.advance(GOOD_FOR + timedelta(seconds=1))
    asyncio.run(closed.deliver.run(closed.lifecycle.named("a")))
    assert ([], {"waiting": 1}) == (doubles.mailed(), messages(closed))
    asyncio.run(closed.rounds.once())
    assert ["maija@posti.example"] == doubles.mailed()


def test_late_is_not_due_for_a_closed_door_either(dispatcher: Dispatcher, doubles: Doubles, clock: FixedClock) -> None:
    """Invariant 6: a campaign that could not begin within the grace is held, not fired, and spends no slot."""
    door = ListDoor(trouble=MailboxError("It is closed."))
    closed = with_doors(dispatcher, door)
    with pytest.raises(DoorsUnreadError):
        asyncio.run(closed.rounds.once())
    clock.advance(timedelta(hours=3))
    door.trouble = None
    asyncio.run(closed.rounds.once())
    campaign = closed.lifecycle.named("a")
    assert (State.HELD, "late", None) == (campaign.state, campaign.held_reason, campaign.begun_at)
    assert [] == doubles.mailed()


def test_a_run_cut_short_by_a_closed_door_is_held_after_the_grace(
    dispatcher: Dispatcher, doubles: Doubles, clock: FixedClock
) -> None:
    """Invariant 6: what was being sent goes on by itself within the grace only."""
    door = ListDoor()
    closed = with_doors(dispatcher, door)
    closed.plan.run(closed.lifecycle.named("a"))
    door.trouble = MailboxError("It is closed.")
    for waited, state in ((timedelta(hours=1), State.SENDING), (timedelta(hours=2), State.HELD)):
        clock.advance(waited)
        with pytest.raises(DoorsUnreadError):
            asyncio.run(closed.rounds.once())
        assert state is closed.lifecycle.named("a").state
    assert [] == doubles.mailed()


def test_nothing_is_read_for_a_campaign_that_waits_for_its_hours(dispatcher: Dispatcher) -> None:
    """A door is not knocked at all night: only where something could leave now."""
    door = ListDoor()
    waiting = with_doors(dispatcher, door)
    waiting.plan.run(waiting.lifecycle.named("a"))
    evening = MOMENT.replace(hour=20)
    waiting.store.write(lambda tx: outbox.postpone(tx.connection, 1, Channel.EMAIL, tx.now, evening))
    asyncio.run(waiting.rounds.once())
    assert [] == door.marks


def test_without_a_door_nothing_changes(dispatcher: Dispatcher, doubles: Doubles) -> None:
    """Where no letter box is configured, nobody waits for one and no Send speaks of any."""
    asyncio.run(dispatcher.rounds.once())
    assert ["maija@posti.example"] == doubles.mailed()
    with dispatcher.store.reading() as connection:
        (send,) = ledger.entries(connection, [EntryKind.SEND.value])
    assert "doors" not in send.data()
    assert dispatcher.doors.rows() == []
