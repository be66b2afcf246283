"""A mail server's log, shown by a person -> outcomes of mails whose reply was lost, by their Message-ID (E-51).

What is in a log was taken by the server. What is not stays unknown: the log may not reach as far.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dispatcher.flow.returns import Returns, Told, outcome_entry
from dispatcher.mail_logs import Fortune, MailLogs, Traced
from dispatcher.rules.actor import Actor
from dispatcher.rules.campaign import Channel
from dispatcher.rules.later import Fate, Later
from dispatcher.rules.message import Outcome, OutcomeKind
from dispatcher.storage import clients, later
from dispatcher.storage.campaigns import Scheduled
from dispatcher.storage.locks import Lock, LockKind
from dispatcher.storage.store import Store
from dispatcher.storage.writer import Transaction

_LOG = "log"
"""How it is known, in the ledger and beside the message."""
_AT_ONCE = 200
"""Mails in one commit."""


@dataclass(frozen=True, slots=True)
class LogFindings:
    """What logs tell of a campaign's unknown mails: of `unknown` in all, `traced` by message id."""

    unknown: int
    traced: Mapping[str, Traced]

    @property
    def counts(self) -> Mapping[str, int]:
        """How many mails met which fortune: seen, refused, queued, bounced."""
        met = Counter(each.fortune for each in self.traced.values())
        return {fortune.name.lower(): met[fortune] for fortune in Fortune}

    @property
    def missing(self) -> int:
        """How many are in no log."""
        return self.unknown - len(self.traced)


class FromLogs:
    """Looks for a campaign's unknown mails in logs, and records what a person has seen of it."""

    def __init__(self, store: Store, returns: Returns) -> None:
        self._store = store
        self._returns = returns

    def look(
        self, campaign: Scheduled, logs: Sequence[Path], tell: Callable[[int, int], None] = lambda _done, _all: None
    ) -> LogFindings:
        """Return what these logs tell, oldest first; nothing is recorded. Raises RefusedError for an unreadable one."""
        with self._store.reading() as connection:
            wanted = [row.message_id for row in later.unknown_of(connection, campaign.id, Channel.EMAIL)]
        reader = MailLogs(wanted)
        for log in logs:
            if wanted:
                reader.read(log, tell)
            else:
                reader.require(log)  # a name that was mistyped is told all the same
        return LogFindings(len(wanted), reader.found)

    def record(self, findings: LogFindings, actor: Actor) -> int:
        """Write what was found, by who showed the logs, and return of how many mails it was news.

        Raises JournalError and StorageError.
        """
        self._store.check_trusted()
        recorded = 0
        traced = sorted(findings.traced.items())
        for start in range(0, len(traced), _AT_ONCE):
            recorded += self._batch(traced[start : start + _AT_ONCE], actor)
        return recorded

    def _batch(self, some: Sequence[tuple[str, Traced]], actor: Actor) -> int:
        wanted = self._locks([message for message, _ in some])
        return self._store.write(lambda transaction: self._some(transaction, some, actor), wanted=wanted)

    def _locks(self, messages: Sequence[str]) -> list[Lock]:
        with self._store.reading() as connection:
            found = [row for row in (later.find(connection, message) for message in messages) if row is not None]
            addresses = clients.address_ids(connection, [row.client for row in found])
        wanted = [Lock(LockKind.CLIENT, row.client) for row in found]
        # A refusal that speaks of us rather than of the client may hold the campaign.
        wanted += [Lock(LockKind.CAMPAIGN, row.campaign) for row in found]
        return wanted + [Lock(LockKind.ADDRESS, each) for ids in addresses.values() for each in ids]

    def _some(self, transaction: Transaction, some: Sequence[tuple[str, Traced]], actor: Actor) -> int:
        return sum(self._one(transaction, message, traced, actor) for message, traced in some)

    def _one(self, transaction: Transaction, message: str, traced: Traced, actor: Actor) -> bool:
        if traced.fortune is Fortune.REFUSED:
            return _refuse(transaction, message, traced, actor)
        codes = frozenset({traced.code}) if traced.code else frozenset[str]()
        fate = Fate(Later.BOUNCED, codes) if traced.fortune is Fortune.BOUNCED else Fate()
        return self._returns.settle(transaction, Told(message, "smtp", "", _LOG, fate), actor)


def _refuse(transaction: Transaction, message: str, traced: Traced, actor: Actor) -> bool:
    """Write that the server did not take a mail after all; nobody got it, and it is not sent again."""
    row = later.find(transaction.connection, message, for_update=True)
    if row is None or not later.set_refused(transaction.connection, row.id, traced.code or _LOG, transaction.now):
        return False
    outcome = Outcome(OutcomeKind.REFUSED, _LOG, traced.code)
    transaction.ledger.append(outcome_entry(row, outcome, actor))
    return True
