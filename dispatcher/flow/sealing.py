"""The ledger as it stands -> a seal: signed, entered, and kept in a file beside the database."""

from collections.abc import Sequence
from dataclasses import replace

from dispatcher.flow.policy import Policy
from dispatcher.keys import KeyKind, public_of, signed
from dispatcher.rules.actor import Actor, duty
from dispatcher.rules.calendar import local_date
from dispatcher.rules.ledger import Entry, EntryKind, Json
from dispatcher.rules.seal import FIRST, Seal, SealReason, key_words
from dispatcher.storage import campaigns, seals
from dispatcher.storage.database import Connection
from dispatcher.storage.locks import Lock, LockKind
from dispatcher.storage.seals import Kept, SealFile
from dispatcher.storage.store import Store
from dispatcher.storage.writer import Transaction

_ACTOR = duty("seals")
_ALONE = Lock(LockKind.SERVICE, 2)
"""Held while a seal is set: two senders must not both set the one that is due."""


class Sealing:
    """Sets seals, and keeps the file of them in step with the ledger."""

    def __init__(self, store: Store, policy: Policy, file: SealFile) -> None:
        self._store = store
        self._policy = policy
        self._file = file

    @property
    def file(self) -> SealFile:
        """Return where the seals are kept."""
        return self._file

    def when_due(self) -> str | None:
        """Set a seal where a day has begun or a campaign has gone out since the last one; say so in a sentence."""
        with self._store.reading() as connection:
            if self._due(connection) is None:
                self._keep(seals.in_ledger(connection))
                return None
        found = self._store.write(self._set_due, wanted=[_ALONE])
        if found is None:
            return None
        self.keep()
        return f"seal {found.number} was set"

    def set(self, reason: SealReason, actor: Actor, about: int | None = None) -> Seal:
        """Set a seal now, whatever was sealed before, and return it."""
        found = self._store.write(lambda transaction: self._sealed(transaction, reason, actor, about), wanted=[_ALONE])
        self.keep()
        return found

    def keep(self) -> None:
        """Write the seals of the ledger that the file lacks into it. Raises SealError where that fails."""
        with self._store.reading() as connection:
            told = seals.in_ledger(connection)
        self._keep(told)

    def known(self) -> tuple[list[Seal], Kept]:
        """Return the seals that the ledger tells of, and what the file holds."""
        with self._store.reading() as connection:
            return seals.in_ledger(connection), self._file.read()

    def _keep(self, told: Sequence[Seal]) -> None:
        kept = {seal.hash() for seal in self._file.read().seals}
        self._file.add([seal for seal in told if seal.hash() not in kept])

    def _due(self, connection: Connection) -> SealReason | None:
        last = seals.in_ledger(connection)[-1:]
        if not last:
            return SealReason.DAY
        since, zone = last[0].at, self._policy.zone
        ended = [each.finished_at for each in campaigns.all_scheduled(connection) if each.finished_at is not None]
        if any(moment >= since for moment in ended):
            return SealReason.CAMPAIGN
        is_new_day = local_date(self._store.clock(), zone) > local_date(since, zone)
        return SealReason.DAY if is_new_day else None

    def _set_due(self, transaction: Transaction) -> Seal | None:
        reason = self._due(transaction.connection)  # another sender may have been first
        return self._sealed(transaction, reason, _ACTOR) if reason is not None else None

    def _sealed(self, transaction: Transaction, reason: SealReason, actor: Actor, about: int | None = None) -> Seal:
        connection = transaction.connection
        before = [*seals.in_ledger(connection), *self._file.read().seals]
        # After a restore the file knows seals that the ledger has forgotten: no number is given twice.
        last = max(before, key=lambda seal: seal.number, default=None)
        key = self._store.ring.current(KeyKind.SEAL)
        heads, entries = seals.heads(connection)
        seal = Seal(
            number=last.number + 1 if last else 1,
            at=transaction.now,
            reason=reason,
            workspace=seals.workspace(connection),
            heads=heads,
            entries=entries,
            previous=last.hash() if last else FIRST,
            key=key.id,
            public=public_of(key),
            about=about,
        )
        seal = replace(seal, signature=signed(key, seal.content()))
        transaction.ledger.append(Entry(EntryKind.SEAL, actor, body=seal.as_json()))
        return seal


def last_words(connection: Connection) -> dict[str, Json]:
    """Return what a mail says of the last seal: its number, its words and those of its key; nothing without one."""
    last = seals.in_ledger(connection)[-1:]
    if not last:
        return {}
    return {"seal": last[0].number, "seal_words": last[0].words(), "seal_key": key_words(last[0].public)}
