"""What providers and this machine still hold of clients who were erased -> gone, and known to be gone (S-28).

An erasure writes what is to be deleted in its own transaction. It stays open until whoever holds it has confirmed.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from dispatcher.channels import ForgettingCarrier, Forgotten
from dispatcher.channels.preview import PreviewCarrier
from dispatcher.flow.redaction import erased_numbers, redaction
from dispatcher.rules.actor import Actor, ActorKind, duty
from dispatcher.rules.ledger import Entry, EntryKind, Json
from dispatcher.rules.retention import Periods
from dispatcher.storage import deletions, destroyed, erasure
from dispatcher.storage.deletions import TRACES, Deletion
from dispatcher.storage.store import Store
from dispatcher.storage.wiping import rewrite_tables
from dispatcher.storage.writer import Transaction

HERE = frozenset({TRACES, "preview"})
"""What goes by a provider's name and lies on this machine."""
_AT_ONCE = 50
_FIRST_PAUSE = timedelta(hours=1)
_REST = frozenset({"401", "403", "429"})
_LONGEST_PAUSE = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Deletions:
    """Has deleted what is left elsewhere: `carriers` by their names, `previews` wherever previews may lie."""

    store: Store
    periods: Periods
    carriers: Mapping[str, ForgettingCarrier]
    previews: Sequence[PreviewCarrier]

    def open(self, client: int | None = None) -> list[Deletion]:
        """Return what is still to be deleted, of one client or of all."""
        with self.store.reading() as connection:
            return deletions.standing(connection, client)

    def out_of_reach(self, providers: Iterable[str]) -> list[str]:
        """Return those of these providers whose keys are not in the settings: until then they confirm nothing."""
        return [each for each in providers if each not in self.carriers and each not in HERE]

    def here(self) -> bool:
        """Delete what this machine holds: previews, hashes in the journal, deleted bytes in the database's files.

        Return whether all of it is gone; what somebody stood in the way of stays open. Raises ChannelError for a
        preview that cannot be deleted, and JournalError where the journal cannot be written.
        """
        with self.store.reading() as connection:
            now = self.store.clock()
            previews = deletions.ready(connection, "preview", now)
            traces = deletions.ready(connection, TRACES, now)
        for each in previews:
            for carrier in self.previews:
                carrier.forget(each.provider_id)
        self._confirm([(each, Forgotten(is_gone=True)) for each in previews])
        if not traces:
            return True
        is_forgotten = self._redact()
        in_ledger = destroyed.TABLES if any(each.provider_id == deletions.LEDGER for each in traces) else ()
        is_wiped = rewrite_tables(self.store.database, (*erasure.TOUCHED, *in_ledger)) and is_forgotten
        if is_wiped:
            self._confirm([(each, Forgotten(is_gone=True)) for each in traces])
        return is_wiped

    async def work(self, stop: Callable[[], bool] = lambda: False) -> str | None:
        """Do what is due, here and at the providers, until `stop` says so.

        Return what is to be said of it, or None. Raises ChannelError where a provider cannot be reached as it is set
        up.
        """
        await asyncio.to_thread(self._collect)
        is_clean = await asyncio.to_thread(self.here)
        gone = 0
        for name, carrier in self.carriers.items():
            while not stop() and (rows := await asyncio.to_thread(self._ready, name)):
                answers = await self._ask(carrier, rows)
                gone += sum(answer.is_gone for answer in answers)
                if _wants_rest(answers[-1]):
                    break
        still = await asyncio.to_thread(self._count)
        missed = " ".join(missing_keys(each) for each in self.out_of_reach(still))
        if not gone and is_clean and not missed:
            return None
        left = sum(still.values())
        said = f"deleted at providers, of erased clients' messages: {gone}; still to be deleted: {left}"
        return f"{said}. {missed}" if missed else said

    def _ready(self, provider: str) -> list[Deletion]:
        with self.store.reading() as connection:
            return deletions.ready(connection, provider, self.store.clock(), _AT_ONCE)

    def _count(self) -> dict[str, int]:
        with self.store.reading() as connection:
            return deletions.providers(connection)

    def _collect(self) -> None:
        """Find what came in after an erasure: the outcome of a message that was just being handed over."""

        def work(transaction: Transaction) -> None:
            deletions.collect(transaction.connection, transaction.now)
            erasure.sweep(transaction.connection)

        self.store.write(work)

    async def _ask(self, carrier: ForgettingCarrier, rows: Sequence[Deletion]) -> list[Forgotten]:
        """Ask for these until the provider wants a rest, and return its answers; at least one."""
        answered: list[tuple[Deletion, Forgotten]] = []
        async with carrier.session() as session:
            for row in rows:
                answered.append((row, await session.forget(row.provider_id)))
                if _wants_rest(answered[-1][1]):
                    break
        await asyncio.to_thread(self._confirm, answered)
        return [answer for _, answer in answered]

    def _confirm(self, answered: Sequence[tuple[Deletion, Forgotten]]) -> None:
        """Write what was answered: what is gone is told to the ledger, the rest is asked for again later."""
        if answered:
            self.store.write(lambda transaction: _settle(transaction, answered))

    def _redact(self) -> bool:
        journal = self.store.journal
        erased = erased_numbers(journal.records())
        return journal.redact(redaction(erased, self.store.clock(), self.periods.suppressed))


def missing_keys(provider: str) -> str:
    """Return what a person has to do, where a provider holds something and the settings do not reach it."""
    return (
        f"Nobody can ask {provider} while its keys are missing: write them into the settings again, whatever carries "
        "messages now (docs/settings.md), and leave them there until nothing is left."
    )


def _wants_rest(answer: Forgotten) -> bool:
    """Say whether the provider is in trouble or has had enough, so that the next message would fare no better."""
    return not answer.is_gone and (answer.code in _REST or not answer.code or answer.code >= "500")


def _settle(transaction: Transaction, answered: Sequence[tuple[Deletion, Forgotten]]) -> None:
    connection, now = transaction.connection, transaction.now
    for row, answer in answered:
        if not answer.is_gone:
            pause = min(_FIRST_PAUSE * (1 << min(row.attempts, 10)), _LONGEST_PAUSE)
            deletions.postpone(connection, row.id, now + max(pause, answer.retry_after or timedelta(0)))
        elif deletions.set_done(connection, row.id, now):
            here = row.provider == TRACES
            actor = duty("deletion") if here else Actor(ActorKind.PROVIDER, row.provider)
            body: dict[str, Json] = {"deletion": row.id, "provider": row.provider, "answer": answer.code}
            transaction.ledger.append(Entry(EntryKind.DELETED, actor, client=row.client or None, body=body))
