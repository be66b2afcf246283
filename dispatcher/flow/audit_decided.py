"""Every message decided again and held against the outbox: the half of `verify` that a second process can do."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from itertools import islice

from dispatcher.rules.audit_again import Again
from dispatcher.rules.audit_facts import Body
from dispatcher.rules.audit_fates import Fates, Sum, differences
from dispatcher.rules.destroyed import MESSAGES
from dispatcher.rules.ledger import StoredEntry
from dispatcher.rules.sayings import say
from dispatcher.storage import destroyed, reports
from dispatcher.storage.database import Connection

_TOLD_EVERY = 1_000
_NAMED_AT_MOST = 20


@dataclass(frozen=True, slots=True)
class Decided:
    """How many messages were decided again, what does not follow, and how the outbox differs from what entries tell.

    `agreed_to` are the hashes of the wordings that anybody said yes to.
    """

    messages: int
    findings: tuple[str, ...]
    differences: tuple[str, ...]
    agreed_to: frozenset[str]


@dataclass(slots=True)
class Deciding:
    """Takes the entries of a ledger in order of number.

    It reads the outbox as well: what a text hashes to is another thing in each process.
    """

    again: Again = field(default_factory=Again)
    fates: Fates = field(default_factory=Fates)

    def take(self, entry: StoredEntry, body: Body | None) -> None:
        """Take the next entry, with its body where that could be read."""
        told = self.again.take(entry, body)
        if told is not None:
            self.fates.take(entry, told)

    def decided(self, connection: Connection, gone: Collection[int]) -> Decided:
        """Return what came of it, once every entry has been taken.

        Of campaigns that are `gone` no messages are compared: rows of them may still wait to be deleted.
        """
        again = self.again
        unnamed = [say("unnamed_again", count=again.unnamed)] if again.unnamed else []
        differing = tuple(_differing(connection, self.fates, gone))
        return Decided(again.decided, (*again.findings, *unnamed), differing, again.agreed_to)


def decide(connection: Connection, tell: Callable[[int], None]) -> Decided:
    """Read the ledger for this alone; `tell` hears how many entries have been read."""
    gone = destroyed.campaigns_told(connection)
    deciding = Deciding()
    for done, entry in enumerate(reports.entries_by_number(connection), start=1):
        if entry.campaign not in gone or entry.kind not in MESSAGES:
            deciding.take(entry, reports.body_of(entry))
        if done % _TOLD_EVERY == 0:
            tell(done)
    return deciding.decided(connection, gone)


def _differing(connection: Connection, fates: Fates, gone: Collection[int]) -> Iterator[str]:
    """Yield every difference between what the ledger tells of messages and the outbox, message by message."""
    held: dict[int, Sum] = {}
    for campaign, fate, later in reports.messages(connection):
        total = held.setdefault(campaign, Sum())
        total.add(fate)
        total.add_told(fate[0], later)
    told = fates.sums()
    for campaign in sorted((told.keys() | held.keys()) - set(gone)):
        mine, theirs = told.get(campaign, Sum()), held.get(campaign, Sum())
        if (mine.count, mine.sum) != (theirs.count, theirs.sum):
            yield from islice(_named(connection, campaign), _NAMED_AT_MOST)
        if (mine.told, mine.told_sum) != (theirs.told, theirs.told_sum):
            yield say("ends_differ", campaign=campaign, told=mine.told, held=theirs.told)


def _named(connection: Connection, campaign: int) -> Iterator[str]:
    fates = Fates(only=campaign)
    for entry in reports.entries_by_number(connection):
        if entry.campaign == campaign:
            try:
                fates.take(entry, entry.data())
            except (ValueError, KeyError, TypeError):
                continue
    fates.sums()
    yield from differences(campaign, fates.each, (fate for _, fate, _ in reports.messages(connection, campaign)))
