"""The lives of a few people and one installation, as Hypothesis plays them: the register, the answers, the copies.

What these people really said is in `tests/flow/real_world.py`; tests/flow/test_register_machine.py adds the acts of the
law and of the other doors.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path  # noqa: TC003 - Hypothesis reads the hints at run time

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from dispatcher.errors import RefusedError
from dispatcher.flow import audience
from dispatcher.flow.answering import Said
from dispatcher.flow.coverage import coverage
from dispatcher.flow.doubts import NO_GUIDANCE, Guidance
from dispatcher.flow.recording import CUSTOMER
from dispatcher.flow.renewing import Prospect
from dispatcher.links import OptOut, Renewal
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.consent import Place, Reply
from dispatcher.rules.decision import Send, decide
from dispatcher.storage import clients
from dispatcher.texts import text
from dispatcher.wiring import Dispatcher
from tests.flow.clicking import leave_by_link
from tests.flow.real_world import (
    CHILD,
    GUEST,
    GUESTS_INBOX,
    INBOXES,
    NO,
    OBJECTION,
    PEOPLE,
    SILENCE,
    YES,
    Row,
    Told,
    Word,
    World,
)
from tests.workshop import ZONE, Workshop

_CELLS = {YES: "kyllä", NO: "ei", OBJECTION: "peruttu", SILENCE: ""}
people, inboxes, channels = st.sampled_from(PEOPLE), st.sampled_from(INBOXES), st.sampled_from(Channel)
_replies = st.sampled_from([YES, YES, YES, YES, YES, NO, OBJECTION, SILENCE])
some = st.lists(people, min_size=1, unique=True)
NAMES = count(1)
RESTRICTED = "restricted"
Found = Callable[[], Workshop]
"""Begins another installation."""


class RegisterLife(RuleBasedStateMachine):
    """One installation with its clock, beside the real world: answers, addresses, exports and copies."""

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
            self.book(who, YES, YES, inbox=None, dated=True, told=False, came=False)
        self.import_some(list(PEOPLE) if whole else list(PEOPLE)[1:])
        self.make_a_copy()

    @rule(
        who=people,
        email=_replies,
        sms=_replies,
        inbox=st.none() | inboxes,
        dated=st.sampled_from([True, True, True, False]),
        told=st.booleans(),
        came=st.booleans(),
    )
    def book(
        self, who: int, email: Reply, sms: Reply, inbox: int | None, *, dated: bool, told: bool, came: bool
    ) -> None:
        """Somebody books and fills in a form, perhaps with another inbox; the installation is told, or not yet."""
        now, form = self.later(), {Channel.EMAIL: email, Channel.SMS: sms}
        held = self.world.rows[who].inbox if inbox is None else inbox
        self.world.rows[who] = Row(who, held, form, now, dated, now if came else self.world.rows[who].visit)
        if told:
            self.import_some([who])

    @rule(who=people, inbox=inboxes)
    def move(self, who: int, inbox: int) -> None:
        """Somebody has another inbox, and the installation is told; the form they filled in stays as it was."""
        row = self.world.rows[who]
        self.world.rows[who] = replace(row, inbox=inbox)
        self.import_some([who])

    @rule(who=some, is_whole=st.booleans())
    def import_some(self, who: Sequence[int], *, is_whole: bool = False) -> None:
        """An export of some is made and imported, perhaps as the whole register: then who is missing is gone."""
        self.later()
        rows = [self.world.rows[each] for each in who]
        self.exports.append((self.workshop.register(*map(_line, rows), name=f"{next(NAMES)}.csv"), rows))
        self.take_in(-1, is_whole=is_whole)

    @precondition(lambda self: self.exports)
    @rule(which=st.integers(0, 9))
    def import_again(self, which: int) -> None:
        """An export of before is imported once more, though other things have been said since."""
        self.later()
        self.take_in(which % len(self.exports))

    @precondition(lambda self: self.world.told.held)
    @rule(which=st.integers(0, 9), channel=channels, reply=st.sampled_from([YES, YES, YES, NO]))
    def answer_at_the_desk(self, which: int, channel: Channel, reply: Reply) -> None:
        """Somebody the installation knows answers a person."""
        who, now = self.known(which), self.later()
        said = Said(reply, channel, Place.PHONE, text(f"question_{channel}", Language.FI))
        if self.is_taken(who, lambda: self.dispatcher.answering.record(self.numbers[who], [said], self.actor)):
            self.world.tell(Word(who, channel, said.reply, now), by_file=False)

    @precondition(lambda self: self.world.told.held)
    @rule(which=st.integers(0, 9), channel=st.none() | channels)
    def object_at_the_desk(self, which: int, channel: Channel | None) -> None:
        """Somebody objects to a channel, or to everything."""
        who, now = self.known(which), self.later()
        self.dispatcher.preferences.withdraw(self.numbers[who], self.actor, channel)
        self.world.tell(*objections(who, now, channel), by_file=False)

    @precondition(lambda self: self.numbers)
    @rule(which=st.integers(0, 9), channel=channels)
    def press_the_link(self, which: int, channel: Channel) -> None:
        """Somebody presses the link of an old message, whether or not the installation knows them now."""
        who, now = sorted(self.numbers)[which % len(self.numbers)], self.later(2)
        leave_by_link(
            self.dispatcher.preferences,
            self.dispatcher.links.token(OptOut(self.numbers[who], channel)),
            Place.ONE_CLICK,
        )
        self.world.tell(*objections(who, now, None), by_file=False)

    @rule(inbox=inboxes)
    def object_as_a_stranger(self, inbox: int) -> None:
        """Somebody nobody knows objects: a row that cannot be taken in names an inbox."""
        now = self.later()
        row = f"99;=Tuntematon;M;{email_of(inbox)};;fi;;peruttu;;"
        self.dispatcher.enrol.run(self.workshop.register(row, name=f"{next(NAMES)}.csv"), self.actor)
        self.world.silence(inbox, now)

    @precondition(lambda self: self.links)
    @rule(which=st.integers(0, 9), age=st.sampled_from([-1, -1, 0]))
    def press_a_renewal(self, which: int, age: int) -> None:
        """Somebody renews their yes by the link of the last message they could get, or of the first."""
        who, now = sorted(self.links)[which % len(self.links)], self.later()
        token = self.links[who][age]
        why_not = self.world.told.unsaid(who, Channel.EMAIL, now)
        if self.dispatcher.renewing.renew(token, Language.FI).prospect is Prospect.DONE:
            # Who shares an inbox with an objector may renew, and is still not written to.
            assert why_not in {None, "shares an inbox with somebody who objected"}
            self.seen["renewed"] += 1
            self.world.tell(Word(who, Channel.EMAIL, YES, now), by_file=False)

    @rule()
    def make_a_copy(self) -> None:
        """The database is copied."""
        path = self.workshop.directory / f"copy-{next(NAMES)}"
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

    @precondition(lambda self: self.copies)
    @rule(who=people, inbox=inboxes, which=st.sampled_from([-1, -1, 0]))
    def lose_a_move(self, who: int, inbox: int, which: int) -> None:
        """Somebody has another inbox by now, and a copy that knows the one before, or not even them, is put in place.

        Without the journal it would hold the yes they gave for the inbox they have left (L-31).
        """
        self.move(who, inbox)
        self.restore_a_copy(which)

    @rule(days=st.sampled_from([1, 1, 1, 10, 60, 330, 366]))
    def let_time_pass(self, days: int) -> None:
        """Days go by."""
        self.workshop.clock.advance(timedelta(days=days))

    @invariant()
    def nobody_is_written_to_against_their_last_word(self) -> None:
        """Invariant 1, L-01, L-07, L-08, L-31: a Send means that the last real word was yes, and still stands."""
        now = self.workshop.clock()
        who_has = {self.numbers[who]: who for who in self.world.told.held}
        for number, channel, entry in _sends(self.dispatcher, now):
            why_not = self.world.told.why_not(who_has[number], channel, now)
            assert why_not is None, f"person {who_has[number]} would get a message by {channel} but {why_not}"
            self.seen[f"send by {channel}"] += 1
            if channel is Channel.EMAIL:
                token = self.dispatcher.renewing._links.token(Renewal(number, channel, entry))
                known = self.links.setdefault(who_has[number], [])
                known += [token] if token not in known else []

    def later(self, minutes: int = 1) -> datetime:
        """Let some minutes pass and return the moment; no two things happen at one."""
        return self.workshop.clock.advance(timedelta(minutes=minutes))

    def is_taken(self, who: int, say: Callable[[], object]) -> bool:
        """Say something to the installation, and return whether it was taken: no yes is, from a child."""
        try:
            say()
        except RefusedError:
            assert (who, CHILD) in self.world.told.marks
            return False
        return True

    def known(self, which: int) -> int:
        """Return somebody the installation knows."""
        held = sorted(self.world.told.held)
        return held[which % len(held)]

    def take_in(self, which: int, *, is_whole: bool = False) -> None:
        """Import an export, and learn under which numbers the installation knows people."""
        path, rows = self.exports[which]
        guidance = Guidance(is_whole=True, missing_ok=True) if is_whole else NO_GUIDANCE
        self.dispatcher.enrol.run(path, self.actor, guidance=guidance)
        self.world.take_in(rows, self.workshop.clock(), is_whole=is_whole)
        self.learn_numbers()

    def learn_numbers(self) -> None:
        """Look up under which numbers the installation knows people: the guest has no customer number to go by."""
        ring, theirs = self.dispatcher.store.ring, (Channel.EMAIL, email_of(GUESTS_INBOX))
        marks = {keyed.digest: who for who in PEOPLE for keyed in ring.every_hash(CUSTOMER, str(who))}
        with self.dispatcher.store.reading() as connection:
            found = clients.by_external(connection, marks)
            guests = clients.by_address(connection, [theirs]).get(theirs, frozenset())
        self.numbers |= {marks[digest]: number for digest, number in found.items()}
        self.numbers |= dict.fromkeys([GUEST] if guests else [], max(guests, default=0))


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


def objections(who: int, at: datetime, channel: Channel | None) -> list[Word]:
    """Return what an objection says: one that names no channel speaks of each."""
    return [Word(who, each, OBJECTION, at) for each in ([channel] if channel else Channel)]


def email_of(inbox: int) -> str:
    """Return the address of an inbox."""
    return f"laatikko{inbox}@posti.example"


def _line(row: Row) -> str:
    """Return a row as the booking system exports it: the form's day is the local one it was filled in on."""
    email, sms = (_CELLS[row.form.get(channel, SILENCE)] for channel in (Channel.EMAIL, Channel.SMS))
    day = f"{row.at.astimezone(ZONE):%d.%m.%Y}" if row.at and row.dated else ""
    visit = f"{row.visit.astimezone(ZONE):%d.%m.%Y}" if row.visit else ""
    return f"{row.person};N;E;{email_of(row.inbox)};040123450{row.person};fi;{visit};{email};{sms};{day}"
