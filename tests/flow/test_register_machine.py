"""Whatever happens to a register, in whatever order: nobody gets a message whose last word was not a standing yes.

Hypothesis plays the lives of three people and an installation: forms filled in, exports old and new imported, answers
at the desk, links pressed, addresses changed and shared, copies restored, months gone by. After every step the verdict
about everybody is compared with what they really said last (tests/flow/real_world.py).
"""

import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from dispatcher.flow import audience
from dispatcher.flow.answering import Said
from dispatcher.flow.coverage import coverage
from dispatcher.flow.recording import CUSTOMER
from dispatcher.flow.renewing import Prospect
from dispatcher.links import OptOut, Renewal
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.consent import Place, Reply
from dispatcher.rules.decision import Send, decide
from dispatcher.storage import clients
from dispatcher.texts import text
from dispatcher.wiring import Dispatcher
from tests.clock import FixedClock
from tests.flow.real_world import INBOXES, NO, OBJECTION, PEOPLE, SILENCE, YES, Row, Told, Word, World
from tests.workshop import ZONE, Workshop, build

_CELLS = {YES: "kyllä", NO: "ei", OBJECTION: "peruttu", SILENCE: ""}
_people, _inboxes, _channels = st.sampled_from(PEOPLE), st.sampled_from(INBOXES), st.sampled_from(Channel)
_replies = st.sampled_from([YES, YES, YES, NO, OBJECTION, SILENCE])
_some = st.lists(_people, min_size=1, unique=True)
_NAMES = count(1)
Found = Callable[[], Workshop]
"""Begins another installation."""


class Register(RuleBasedStateMachine):
    """One installation with its clock, beside the real world."""

    def __init__(self, found: Found, seen: Counter[str]) -> None:
        super().__init__()
        self.seen = seen
        self.open = ExitStack()
        self.workshop = found()
        self.dispatcher = self.open.enter_context(self.workshop.opened())
        self.actor = self.dispatcher.persons.acting(None)
        self.world = World()
        self.exports: list[tuple[Path, list[Row]]] = []
        self.copies: list[tuple[Path, tuple[Told, int]]] = []
        self.numbers: dict[int, int] = {}
        self.links: dict[int, list[str]] = {}

    def teardown(self) -> None:
        """Close the installation."""
        self.open.close()

    @initialize(whole=st.booleans())
    def begin(self, *, whole: bool) -> None:
        """Everybody says yes to everything, the register is imported, or all but one of it, and a copy is made."""
        for who in PEOPLE:
            self.book(who, YES, YES, inbox=None, dated=True, told=False)
        self.import_some(list(PEOPLE) if whole else list(PEOPLE)[1:])
        self.make_a_copy()

    @rule(
        who=_people,
        email=_replies,
        sms=_replies,
        inbox=st.none() | _inboxes,
        dated=st.sampled_from([True, True, True, False]),
        told=st.booleans(),
    )
    def book(self, who: int, email: Reply, sms: Reply, inbox: int | None, *, dated: bool, told: bool) -> None:
        """Somebody books and fills in a form, perhaps with another inbox; the installation is told, or not yet."""
        now, form = self.later(), {Channel.EMAIL: email, Channel.SMS: sms}
        held = self.world.rows[who].inbox if inbox is None else inbox
        self.world.rows[who] = Row(who, held, form, now, dated)
        if told:
            self.import_some([who])

    @rule(who=_people, inbox=_inboxes)
    def move(self, who: int, inbox: int) -> None:
        """Somebody has another inbox, and the installation is told; the form they filled in stays as it was."""
        row = self.world.rows[who]
        self.world.rows[who] = Row(who, inbox, row.form, row.at, row.dated)
        self.import_some([who])

    @rule(who=_some)
    def import_some(self, who: Sequence[int]) -> None:
        """An export of some or all is made and imported."""
        self.later()
        rows = [self.world.rows[each] for each in who]
        self.exports.append((self.workshop.register(*map(_line, rows), name=f"{next(_NAMES)}.csv"), rows))
        self.take_in(-1)

    @precondition(lambda self: self.exports)
    @rule(which=st.integers(0, 9))
    def import_again(self, which: int) -> None:
        """An export of before is imported once more, though other things have been said since."""
        self.later()
        self.take_in(which % len(self.exports))

    @precondition(lambda self: self.world.told.held)
    @rule(which=st.integers(0, 9), channel=_channels, reply=st.sampled_from([YES, NO]))
    def answer_at_the_desk(self, which: int, channel: Channel, reply: Reply) -> None:
        """Somebody the installation knows answers a person."""
        who, now = self.known(which), self.later()
        said = Said(reply, channel, Place.PHONE, text(f"question_{channel}", Language.FI))
        self.dispatcher.answering.record(self.numbers[who], [said], self.actor)
        self.world.tell(Word(who, channel, said.reply, now), by_file=False)

    @precondition(lambda self: self.world.told.held)
    @rule(which=st.integers(0, 9), channel=st.none() | _channels)
    def object_at_the_desk(self, which: int, channel: Channel | None) -> None:
        """Somebody objects to a channel, or to everything."""
        who, now = self.known(which), self.later()
        self.dispatcher.preferences.withdraw(self.numbers[who], self.actor, channel)
        self.world.tell(*_objections(who, now, channel), by_file=False)

    @precondition(lambda self: self.numbers)
    @rule(which=st.integers(0, 9), channel=_channels)
    def press_the_link(self, which: int, channel: Channel) -> None:
        """Somebody presses the link of an old message, whether or not the installation knows them now."""
        who, now = sorted(self.numbers)[which % len(self.numbers)], self.later(2)
        self.dispatcher.preferences.leave(
            self.dispatcher.links.token(OptOut(self.numbers[who], channel)), Place.ONE_CLICK
        )
        self.world.tell(*_objections(who, now, None), by_file=False)

    @rule(inbox=_inboxes)
    def object_as_a_stranger(self, inbox: int) -> None:
        """Somebody nobody knows objects: a row that cannot be taken in names an inbox."""
        now = self.later()
        row = f"99;=Tuntematon;M;{_email(inbox)};;fi;;peruttu;;"
        self.dispatcher.enrol.run(self.workshop.register(row, name=f"{next(_NAMES)}.csv"), self.actor)
        self.world.silence(inbox, now)

    @precondition(lambda self: self.links)
    @rule(which=st.integers(0, 9), age=st.sampled_from([-1, -1, 0]))
    def press_a_renewal(self, which: int, age: int) -> None:
        """Somebody renews their yes by the link of the last message they could get, or of the first."""
        who, now = sorted(self.links)[which % len(self.links)], self.later()
        token = self.links[who][age]
        why_not = self.world.told.why_not(who, Channel.EMAIL, now)
        if self.dispatcher.renewing.renew(token, Language.FI).prospect is Prospect.DONE:
            # Who shares an inbox with an objector may renew, and is still not written to.
            assert why_not in {None, "shares an inbox with somebody who objected"}
            self.seen["renewed"] += 1
            self.world.tell(Word(who, Channel.EMAIL, YES, now), by_file=False)

    @rule()
    def make_a_copy(self) -> None:
        """The database is copied."""
        path = self.workshop.directory / f"copy-{next(_NAMES)}"
        self.dispatcher.safekeeping.backup(path)
        self.copies.append((path, self.world.copy()))

    @precondition(lambda self: self.copies)
    @rule(which=st.integers(0, 9))
    def restore_a_copy(self, which: int) -> None:
        """A copy is put in place, and the journal replayed."""
        self.later()
        path, copy = self.copies[which % len(self.copies)]
        self.dispatcher.safekeeping.restore(path)
        self.dispatcher.safekeeping.replay(self.actor)
        self.world.restore(copy)
        self.seen["restored"] += 1

    @rule(days=st.sampled_from([1, 1, 1, 10, 60, 330, 366]))
    def let_time_pass(self, days: int) -> None:
        """Days go by."""
        self.workshop.clock.advance(timedelta(days=days))

    @invariant()
    def nobody_is_written_to_against_their_last_word(self) -> None:
        """Invariant 1, L-01, L-07, L-08, L-31: a Send means that the last real word was yes, and still stands."""
        now = self.workshop.clock()
        people = {self.numbers[who]: who for who in self.world.told.held}
        for number, channel, entry in _sends(self.dispatcher, now):
            why_not = self.world.told.why_not(people[number], channel, now)
            assert why_not is None, f"person {people[number]} would get a message by {channel} but {why_not}"
            self.seen[f"send by {channel}"] += 1
            if channel is Channel.EMAIL:
                token = self.dispatcher.renewing._links.token(Renewal(number, channel, entry))
                known = self.links.setdefault(people[number], [])
                known += [token] if token not in known else []

    def later(self, minutes: int = 1) -> datetime:
        """Let some minutes pass and return the moment; no two things happen at one."""
        return self.workshop.clock.advance(timedelta(minutes=minutes))

    def known(self, which: int) -> int:
        """Return somebody the installation knows."""
        held = sorted(self.world.told.held)
        return held[which % len(held)]

    def take_in(self, which: int) -> None:
        """Import an export, and learn under which numbers the installation knows people."""
        path, rows = self.exports[which]
        self.dispatcher.enrol.run(path, self.actor)
        self.world.take_in(rows)
        ring = self.dispatcher.store.ring
        marks = {keyed.digest: row.person for row in rows for keyed in ring.every_hash(CUSTOMER, str(row.person))}
        with self.dispatcher.store.reading() as connection:
            found = clients.by_external(connection, marks)
        self.numbers |= {marks[digest]: number for digest, number in found.items()}


def _sends(dispatcher: Dispatcher, now: datetime) -> Iterator[tuple[int, Channel, int]]:
    """Yield who would get a message by which channel now, and the entry of the answer it would rely on."""
    with dispatcher.store.reading() as connection:
        facts = dispatcher.policy.any_campaign(coverage(connection, dispatcher.policy))
        for chunk in audience.chunks(connection, dispatcher.store, dispatcher.policy, None, now):
            for known in chunk:
                for channel in Channel:
                    verdict = decide(known.facts, replace(facts, channels=(channel,)), now)
                    if isinstance(verdict, Send):
                        yield known.client.number, channel, verdict.answer.entry


def _objections(who: int, at: datetime, channel: Channel | None) -> list[Word]:
    """Return what an objection says: one that names no channel speaks of each."""
    return [Word(who, each, OBJECTION, at) for each in ([channel] if channel else Channel)]


def _email(inbox: int) -> str:
    return f"laatikko{inbox}@posti.example"


def _line(row: Row) -> str:
    """Return a row as the booking system exports it: the form's day is the local one it was filled in on."""
    email, sms = (_CELLS[row.form.get(channel, SILENCE)] for channel in (Channel.EMAIL, Channel.SMS))
    day = f"{row.at.astimezone(ZONE):%d.%m.%Y}" if row.at and row.dated else ""
    return f"{row.person};N;E;{_email(row.inbox)};040123450{row.person};fi;;{email};{sms};{day}"


@pytest.fixture
def found(request: pytest.FixtureRequest, tmp_path: Path, clock: FixedClock, database_url: str) -> Iterator[Found]:
    """Give a function that begins an installation of its own, with preview files as its carriers."""
    begun, made = clock(), []

    def on_sqlite(room: Path) -> tuple[str, str]:
        shutil.copyfile(tmp_path / "dispatcher.db", room / "dispatcher.db")
        return f"sqlite:///{room / 'dispatcher.db'}", str(room / "dispatcher.journal")

    def on_postgresql(_: Path) -> tuple[str, str]:
        server = request.getfixturevalue("postgresql")
        names = [f"machine_{uuid4().hex}" for _ in range(2)]
        made.extend(names)
        return server.create(names[0], "template_migrated"), server.create(names[1])

    def begin() -> Workshop:
        clock.set(begun)
        room = tmp_path / f"room-{next(_NAMES)}"
        room.mkdir()
        places = on_sqlite if database_url.startswith("sqlite") else on_postgresql
        return build(room / "studio", clock, *places(room))

    yield begin
    for name in made:
        request.getfixturevalue("postgresql").drop(name)


def test_nobody_gets_a_message_against_their_last_word(found: Found, database_url: str) -> None:
    """Invariant 1: over random lives no verdict is Send unless the last real word was yes, and still stands."""
    examples, steps = (30, 40) if database_url.startswith("sqlite") else (5, 20)
    seen: Counter[str] = Counter()
    run_state_machine_as_test(
        lambda: Register(found, seen),  # type: ignore[arg-type]  # a function that makes one will do as well
        settings=settings(max_examples=examples, stateful_step_count=steps, suppress_health_check=list(HealthCheck)),
    )
    # The lives had something in them: a machine that refuses everybody would prove nothing.
    assert {"send by email", "send by sms"} <= set(seen)
    assert {"renewed", "restored"} <= set(seen) or not database_url.startswith("sqlite")
