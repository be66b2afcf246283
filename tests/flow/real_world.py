"""The real world beside an installation: what people said, and how much of it the installation has been told.

It keeps real times to the minute, where the program sees only days, and it knows nothing of spans, entries or folds: a
person may be written to if the last thing they said is yes, not more than a year ago, for the address they said it at.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import Reply
from tests.workshop import ZONE

YEAR = timedelta(days=365)
PEOPLE = range(1, 4)
INBOXES = range(4)
"""More than people: somebody moves to an empty one, to a shared one, or to one that somebody has left."""
GUEST, GUESTS_INBOX = 4, 9
"""Somebody whom no register names: they sign up by themselves, from an inbox that is nobody else's."""
CHILD = "a child"
"""The mark of somebody who is never written to."""
YES, NO, OBJECTION, SILENCE = Reply.GRANTED, Reply.DECLINED, Reply.WITHDRAWN, Reply.NOT_ASKED


@dataclass(frozen=True, slots=True)
class Word:
    """What a person said about a channel at a moment; `dated`: it can be shown when."""

    person: int
    channel: Channel
    reply: Reply
    at: datetime
    dated: bool = True


@dataclass(frozen=True, slots=True)
class Row:
    """What the booking system says of a person: their inbox, the form they last filled in, when they last came."""

    person: int
    inbox: int
    form: Mapping[Channel, Reply]
    at: datetime | None = None
    dated: bool = True
    visit: datetime | None = None

    def is_past(self, now: datetime) -> bool:
        """Say whether the year after the last visit is over, by the days of the calendar."""
        if self.visit is None:
            return False
        return now.astimezone(ZONE).date() - self.visit.astimezone(ZONE).date() >= YEAR

    def words(self) -> list[Word]:
        """Return what the person said in that form."""
        said = ((channel, reply) for channel, reply in self.form.items() if reply is not SILENCE)
        return [Word(self.person, channel, reply, self.at, self.dated) for channel, reply in said if self.at]


Event = Callable[["Told"], None]
"""Something that must be known again after a restore and its replay."""


@dataclass(slots=True)
class Told:
    """What the database of an installation has been told.

    `held` is the inbox it knows each person by; `void` are yeses that were told for an inbox the person has left;
    `left` are the objections that stay with an inbox, whoever has it, and `kept` the noes that outlive an erasure, by
    the telephone number that a person keeps. `named` and `gone` are of the register; `marks` say why nobody may write
    to a person whatever they said, `asking` who waits for an answer about a right.
    """

    words: set[Word] = field(default_factory=set)
    held: dict[int, int] = field(default_factory=dict)
    void: set[Word] = field(default_factory=set)
    left: dict[int, list[datetime]] = field(default_factory=lambda: defaultdict(list))
    kept: dict[tuple[int, Channel], list[datetime]] = field(default_factory=lambda: defaultdict(list))
    named: set[int] = field(default_factory=set)
    gone: set[int] = field(default_factory=set)
    marks: set[tuple[int, str]] = field(default_factory=set)
    asking: set[int] = field(default_factory=set)

    def of(self, person: int, channel: Channel, *replies: Reply) -> list[Word]:
        """Return what this person is known to have said about a channel, of these kinds."""
        return [w for w in self.words if (w.person, w.channel) == (person, channel) and w.reply in replies]

    def move(self, person: int, inbox: int) -> None:
        """Let the database learn that a person has this inbox."""
        before = self.held.get(person)
        if before is not None and before != inbox:
            self.void |= set(self.of(person, Channel.EMAIL, YES))
            self.left[before] += self.standing_objections(person, Channel.EMAIL)
        self.held[person] = inbox

    def holders(self, inbox: int) -> list[int]:
        """Return who is known by this inbox."""
        return [person for person, held in self.held.items() if held == inbox]

    def standing_objections(self, person: int, channel: Channel) -> list[datetime]:
        """Return when a person objected, as long as no later yes that can be shown is known."""
        yeses = [w.at for w in self.of(person, channel, YES) if w.dated]
        return [w.at for w in self.of(person, channel, OBJECTION) if all(at <= w.at for at in yeses)]

    def outliving(self, person: int, channel: Channel, now: datetime) -> list[datetime]:
        """Return what an erasure has to keep: objections that stand, and a no that took back a yes of the last year."""
        noes = [w.at for w in self.of(person, channel, NO, OBJECTION)]
        yeses = [w.at for w in self.of(person, channel, YES) if w.dated and now < w.at + YEAR]
        took_back = [at for at in noes if yeses and at >= max(yeses)]
        return [*self.standing_objections(person, channel), *took_back]

    def has_heard(self, row: Row, channel: Channel) -> bool:
        """Say whether an objection in this row is kept already, and nobody in its inbox has said yes since."""
        kept = self.kept[row.person, channel]
        yeses = [w.at for person in self.holders(row.inbox) for w in self.of(person, channel, YES)]
        inboxes = self.left[row.inbox] if channel is Channel.EMAIL else kept
        return bool(kept and inboxes) and all(at < max(kept) for at in yeses)

    def why_not(self, person: int, channel: Channel, now: datetime) -> str | None:
        """Return why nobody may write to a person by a channel, or None."""
        if person in self.gone:
            return "is in the register no longer"
        if person in self.asking:
            return "waits for an answer about a right"
        mark = next((mark for who, mark in sorted(self.marks) if who == person), None)
        return f"is marked as {mark}" if mark else self.unsaid(person, channel, now)

    def unsaid(self, person: int, channel: Channel, now: datetime) -> str | None:
        """Return why what a person said opens no channel to them, or None."""
        yeses = [w.at for w in self.of(person, channel, YES) if w.dated and w not in self.void]
        if not yeses:
            return "was never asked, or said yes for another address"
        noes = [w.at for w in self.of(person, channel, NO, OBJECTION)] + self.kept[person, channel]
        inbox = self.held.get(person)
        if channel is Channel.EMAIL and inbox is not None:
            noes += self.left[inbox]
            sharers = [other for other in self.holders(inbox) if other != person]
            if any(self.standing_objections(other, channel) for other in sharers):
                return "shares an inbox with somebody who objected"
        if noes and max(noes) >= max(yeses):
            return "said no last"
        return "said yes more than a year ago" if now >= max(yeses) + YEAR else None


@dataclass(slots=True)
class World:
    """The booking system and the installation's memory: what is told now, and what the journal would bring back."""

    rows: dict[int, Row] = field(default_factory=lambda: {who: Row(who, who - 1, {}) for who in PEOPLE})
    told: Told = field(default_factory=Told)
    journal: list[Event] = field(default_factory=list)

    def tell(self, *words: Word, by_file: bool) -> None:
        """Let the installation hear words.

        A refusal in a file that overturns nothing is the one no that a restore may lose: the file has it still.
        """
        for word in words:
            overturns = any(self.told.of(word.person, word.channel, YES))
            self.told.words.add(word)
            if word.reply is OBJECTION or (word.reply is NO and (overturns or not by_file)):
                self._keep(_heard(word))

    def move(self, person: int, inbox: int) -> None:
        """Let the installation learn that a person has this inbox; a restore forgets where, and never that they left.

        What they had said for the inbox they left is void for good, should a register tell it once more.
        """
        known = self.told.void.copy()
        self.told.move(person, inbox)
        if self.told.void != known:
            self._keep(_voided(self.told.void - known))

    def take_in(self, rows: Iterable[Row], now: datetime, *, is_whole: bool = False) -> None:
        """Let the installation read rows of the register: of somebody new whose year is over it hears the no alone."""
        named = set()
        for row in rows:
            if row.person not in self.told.held and row.is_past(now):
                self._turn_away(row, now)
                continue
            named.add(row.person)
            self.move(row.person, row.inbox)
            self.tell(*row.words(), by_file=True)
        self.told.gone -= named
        self.told.named |= named
        if is_whole:
            self.told.gone |= self.told.named & self.told.held.keys() - named

    def silence(self, inbox: int, at: datetime) -> None:
        """Let somebody whom nobody knows object for an inbox."""
        self._do(_left(inbox, at))

    def silence_number(self, person: int, channel: Channel, at: datetime) -> None:
        """Let somebody whom nobody knows object to a channel, of whom the telephone number is known."""
        self._do(_kept({(person, channel): [at]}))

    def forget(self, person: int, at: datetime) -> None:
        """Erase a person: nothing stays but the noes that outlive it, at the inbox and the number they had."""
        outliving = {(person, channel): self.told.outliving(person, channel, at) for channel in Channel}
        if (person, CHILD) in self.told.marks:
            # Their mark goes with them, so that nobody writes to them by a yes from before.
            for channel in Channel:
                may_come_back = any(at < w.at + YEAR for w in self.told.of(person, channel, YES))
                outliving[person, channel] += [at] if may_come_back else []
        for no in outliving[person, Channel.EMAIL]:
            self._do(_left(self.told.held[person], no))
        self._do(_forgotten(person))
        self._do(_kept(outliving if person != GUEST else {}))

    def mark(self, person: int, mark: str, *, value: bool) -> None:
        """Mark a person as somebody who is not written to, or take the mark away."""
        self._do(_marked(person, mark, value=value))

    def ask(self, person: int, *, waits: bool) -> None:
        """Let a person make use of a right, and wait for the answer or have it."""
        self._do(_asking(person, waits=waits))

    def copy(self) -> tuple[Told, int]:
        """Return what a copy of the database holds, and how far the journal was."""
        return deepcopy(self.told), len(self.journal)

    def restore(self, copy: tuple[Told, int]) -> None:
        """Put a copy in place, and bring back what the journal knows."""
        told, known = copy
        self.told = deepcopy(told)
        for event in self.journal[known:]:
            event(self.told)

    def _turn_away(self, row: Row, now: datetime) -> None:
        for word in row.words():
            if word.reply is OBJECTION and (word.dated or not self.told.has_heard(row, word.channel)):
                at = word.at if word.dated else now
                self.silence_number(word.person, word.channel, at)
                if word.channel is Channel.EMAIL:
                    self.silence(row.inbox, at)

    def _keep(self, event: Event) -> None:
        self.journal.append(event)

    def _do(self, event: Event) -> None:
        event(self.told)
        self._keep(event)


def _heard(word: Word) -> Event:
    return lambda told: told.words.add(word)


def _voided(words: set[Word]) -> Event:
    return lambda told: told.void.update(words)


def _left(inbox: int, at: datetime) -> Event:
    return lambda told: told.left[inbox].append(at)


def _kept(noes: Mapping[tuple[int, Channel], list[datetime]]) -> Event:
    def event(told: Told) -> None:
        for which, moments in noes.items():
            told.kept[which] += moments

    return event


def _marked(person: int, mark: str, *, value: bool) -> Event:
    def event(told: Told) -> None:
        (told.marks.add if value else told.marks.discard)((person, mark))

    return event


def _asking(person: int, *, waits: bool) -> Event:
    def event(told: Told) -> None:
        (told.asking.add if waits else told.asking.discard)(person)

    return event


def _forgotten(person: int) -> Event:
    def event(told: Told) -> None:
        told.held.pop(person, None)
        told.words -= {word for word in told.words if word.person == person}
        told.void -= {word for word in told.void if word.person == person}
        told.marks -= {mark for mark in told.marks if mark[0] == person}
        for known in (told.named, told.gone, told.asking):
            known.discard(person)

    return event
