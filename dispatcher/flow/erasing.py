"""Erase a client -> nothing readable stays (L-33, L-35, L-36).

One transaction takes the client out of every table and puts the erasure into ledger and journal. What lies elsewhere,
at providers and in the files of this machine, is written down there as still to be deleted (flow/deletions.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from dispatcher.errors import JournalError, RefusedError
from dispatcher.flow.deletions import Deletions
from dispatcher.flow.known import unknown
from dispatcher.flow.policy import Policy
from dispatcher.flow.recording import OBJECTION
from dispatcher.flow.requests import Requests
from dispatcher.keys import KeyedHash
from dispatcher.rules.actor import Actor
from dispatcher.rules.blocks import Block, BlockReason, Field, as_words, from_words, kept_by
from dispatcher.rules.calendar import local_date
from dispatcher.rules.campaign import Channel
from dispatcher.rules.decision import Reason
from dispatcher.rules.ledger import Entry, EntryKind, Json, read_stamp, stamp
from dispatcher.rules.retention import EraseReason, Objection, Periods, left_behind
from dispatcher.rules.rights import RequestKind
from dispatcher.storage import answers, blocks, clients, deletions, erasure, handoffs, outbox, requests
from dispatcher.storage.answers import Suppression, hash_label
from dispatcher.storage.database import Connection
from dispatcher.storage.facts import Known, gather
from dispatcher.storage.journal import JournalKind, Note, Record
from dispatcher.storage.locks import Lock, LockKind
from dispatcher.storage.store import Store
from dispatcher.storage.writer import Transaction

_MOOT = "erased"
"""The outcome of a request that nothing is left to answer."""


@dataclass(frozen=True, slots=True)
class Prospect:
    """What an erasure would do: what goes, what a block keeps and until when, which objections stay as a hash."""

    client: int
    addresses: tuple[str, ...]
    waiting: int
    kept: tuple[Field, ...]
    kept_until: date | None
    objections: tuple[Objection, ...]


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure did to one client; `kept` is what a block keeps of them."""

    client: int
    withheld: int
    kept: frozenset[Field] = frozenset()


@dataclass(frozen=True, slots=True)
class ErasureReport:
    """What became of a client's data: what went, what a block keeps, and what is still to be deleted, by provider.

    `out_of_reach` are the providers whose keys the settings do not have.

    `is_wiped`: no byte is left in a file of this machine. Older copies hold the client until `copies_until`.
    """

    client: int
    withheld: int
    kept: tuple[Field, ...]
    kept_until: date | None
    objections: tuple[Objection, ...]
    objections_until: date | None
    open: Mapping[str, int]
    out_of_reach: tuple[str, ...]
    is_wiped: bool
    copies_until: date

    def as_json(self) -> dict[str, Json]:
        """Return the report with stable keys."""
        return {
            "client": self.client,
            "erased": not self.kept,
            "withheld": self.withheld,
            "kept": [each.value for each in self.kept],
            "kept_until": self.kept_until.isoformat() if self.kept_until else None,
            "objections": [each.channel.value if each.channel else "every" for each in self.objections],
            "objections_until": self.objections_until.isoformat() if self.objections_until else None,
            "to_be_deleted": dict(self.open),
            "out_of_reach": list(self.out_of_reach),
            "wiped_here": self.is_wiped,
            "copies_until": self.copies_until.isoformat(),
        }


@dataclass(frozen=True, slots=True)
class Erasing:
    """Takes clients out of the register, whoever asked for it."""

    store: Store
    policy: Policy
    periods: Periods
    requests: Requests
    deletions: Deletions

    def prospect(self, client: int) -> Prospect:
        """Return what an erasure would do now. Raises NotFoundError."""
        with self.store.reading() as connection:
            known = self._known(connection, [client], self.store.clock()).get(client)
            if known is None:
                raise unknown(client)
            waiting = len(outbox.open_of_client(connection, client))
            kept, until = self._kept(connection, [client]).get(client, (frozenset(), None))
        held = known.client.addresses.values()
        left = self._left(known, self.store.clock())
        shown = tuple(address.canonical for address in held)
        return Prospect(client, shown, waiting, _ordered(kept), until, tuple(left))

    def erase(self, client: int, reason: EraseReason, actor: Actor, request: int | None = None) -> ErasureReport:
        """Erase a client, and close the request that asked for it.

        Whoever erases has asked before: this cannot be undone. Raises NotFoundError; RefusedError while somebody waits
        for a copy of the data, or the identity behind the request has not been checked. Nothing is changed then.
        """

        def work(transaction: Transaction) -> Erased:
            connection = transaction.connection
            if not clients.read(connection, [client]):
                raise unknown(client)
            others = [each for each in requests.every(connection, only_open=True, client=client) if each.id != request]
            if any(each.kind == RequestKind.ACCESS.value for each in others):
                raise RefusedError(
                    f"Client {client} waits for a copy of their data: run `dispatcher client export` first, since "
                    "nothing will be left to answer with. Nothing was erased."
                )
            (erased,) = self.erase_in(transaction, [client], reason, actor, request)
            if request is not None:
                self.requests.close_in(transaction, request, "blocked" if erased.kept else "done", actor)
            for other in others if erased.kept else ():
                self.requests.end_in(transaction, other, _MOOT, actor)
            return erased

        before = self.prospect(client)
        erased = self.store.write(work, wanted=self.locks([client]), urgent=True)
        is_wiped = self.deletions.here()
        return self._report(before, erased, is_wiped=is_wiped)

    def erase_in(
        self,
        transaction: Transaction,
        numbers: Sequence[int],
        reason: EraseReason,
        actor: Actor,
        request: int | None = None,
    ) -> list[Erased]:
        """Erase these clients within a transaction that holds their `locks`, but for what blocks keep of them.

        Whatever else somebody of whom nothing is left has asked for is closed with it; closing `request`, the one that
        asked for the erasure, is up to the caller, who also runs `Deletions.here` once it is committed.
        """
        connection, now = transaction.connection, transaction.now
        known = self._known(connection, numbers, now)
        kept = self._kept(connection, list(known))
        keeps = {number: kept[number][0] if number in kept else frozenset() for number in known}
        left = {number: self._left(each, now) for number, each in known.items()}
        objections = self._suppressions(connection, left)
        answers.suppress(connection, objections, self.periods.suppressed)
        standing = [each for each in blocks.standing(connection, list(known)) if keeps[each.client]]
        transaction.notes.append(_note(keeps, reason, actor, objections, standing))
        body: dict[str, Json] = {"reason": reason.value, "request": request}
        erased = self._remove(transaction, keeps, actor, body, {number: len(each) for number, each in left.items()})
        self._end_requests(transaction, [each.client for each in erased if not each.kept], request, actor)
        return erased

    def erase_again(self, transaction: Transaction, record: Record, actor: Actor) -> int:
        """Do after a restore what a record of the journal tells was done, and return how many clients it names."""
        told = _Told.read(record)
        connection = transaction.connection
        answers.suppress(connection, told.suppressions, self.periods.suppressed)
        known = {(each.client, each.block) for each in blocks.standing(connection)}
        for client, block in told.blocks:
            if (client, block) not in known and clients.read(connection, [client]):
                blocks.add(connection, client, block, str(actor), transaction.now)
        self._remove(transaction, told.keeps, actor, {"reason": told.reason, "restored": True}, {})
        return len(told.keeps)

    def locks(self, numbers: Sequence[int]) -> list[Lock]:
        """Return what has to be locked: the clients, their addresses, and the register that could bring them back."""
        with self.store.reading() as connection:
            held = clients.address_ids(connection, numbers)
        ids = {address for each in held.values() for address in each}
        return [
            *(Lock(LockKind.ADDRESS, each) for each in sorted(ids)),
            *(Lock(LockKind.CLIENT, each) for each in sorted(numbers)),
            Lock(LockKind.REGISTER, 0),
        ]

    def _remove(
        self,
        transaction: Transaction,
        keeps: Mapping[int, frozenset[Field]],
        actor: Actor,
        told: Mapping[str, Json],
        objections: Mapping[int, int],
    ) -> list[Erased]:
        """Take these clients out of the tables, and tell the ledger of each."""
        connection, now = transaction.connection, transaction.now
        withheld = {number: _withhold_waiting(transaction, number, actor) for number in keeps}
        whole = [number for number, kept in keeps.items() if not kept]
        erasure.remove(connection, whole, now)
        for number, kept in keeps.items():
            if kept:
                erasure.strip(connection, number, kept, now)
        deletions.note_traces(connection, now)
        done = [Erased(number, withheld[number], kept) for number, kept in keeps.items()]
        transaction.ledger.append(*(_entry(each, actor, told, objections.get(each.client, 0)) for each in done))
        return done

    def _end_requests(
        self, transaction: Transaction, numbers: Sequence[int], request: int | None, actor: Actor
    ) -> None:
        """Close the open requests of clients of whom nothing is left, but for this one."""
        for number in sorted(requests.with_open_requests(transaction.connection, numbers)):
            for each in requests.every(transaction.connection, only_open=True, client=number):
                if each.id != request:
                    outcome = "done" if each.kind == RequestKind.ERASURE.value else _MOOT
                    self.requests.end_in(transaction, each, outcome, actor)

    def _known(self, connection: Connection, numbers: Sequence[int], now: datetime) -> dict[int, Known]:
        today = local_date(now, self.policy.zone)
        return gather(connection, self.store.ring, numbers, None, today, now)

    def _kept(self, connection: Connection, numbers: Sequence[int]) -> dict[int, tuple[frozenset[Field], date | None]]:
        """Return what blocks keep of these clients today, and until when the last of them does."""
        today = local_date(self.store.clock(), self.policy.zone)
        held: dict[int, list[Block]] = {}
        for each in blocks.standing(connection, numbers):
            if not each.block.is_over(today):
                held.setdefault(each.client, []).append(each.block)
        return {number: (kept_by(each, today), max(block.until for block in each)) for number, each in held.items()}

    def _left(self, known: Known, now: datetime) -> list[Objection]:
        facts = known.facts
        return left_behind(facts.answers, now, self.periods, known.given, is_child=facts.child)

    def _suppressions(self, connection: Connection, left: Mapping[int, Sequence[Objection]]) -> list[Suppression]:
        """Return what outlives these clients: for each objection a keyed hash of each address, nothing else.

        Of an address from before as well: an older export would bring the client back under that one.
        """
        concerned = [number for number, kept in left.items() if kept]
        had = erasure.addresses_ever(connection, concerned)
        return [
            Suppression(self.store.ring.hashed(hash_label(way), canonical), objection.channel, OBJECTION, objection.at)
            for number in concerned
            for objection in left[number]
            for way, canonical in had[number]
        ]

    def _report(self, before: Prospect, erased: Erased, *, is_wiped: bool) -> ErasureReport:
        now = self.store.clock()
        still: dict[str, int] = {}
        for each in self.deletions.open(erased.client):
            still[each.provider] = still.get(each.provider, 0) + 1
        last = max((each.at for each in before.objections), default=None)
        return ErasureReport(
            client=erased.client,
            withheld=erased.withheld,
            kept=_ordered(erased.kept),
            kept_until=before.kept_until if erased.kept else None,
            objections=before.objections,
            objections_until=local_date(last + self.periods.suppressed, self.policy.zone) if last else None,
            open=still,
            out_of_reach=tuple(self.deletions.out_of_reach(still)),
            is_wiped=is_wiped,
            copies_until=local_date(now + self.periods.backups, self.policy.zone),
        )


@dataclass(frozen=True, slots=True)
class _Told:
    """An erasure as the journal tells it."""

    reason: str
    keeps: dict[int, frozenset[Field]] = field(default_factory=dict)
    suppressions: list[Suppression] = field(default_factory=list)
    blocks: list[tuple[int, Block]] = field(default_factory=list)

    @classmethod
    def read(cls, record: Record) -> "_Told":
        """Return what a record tells. Raises JournalError for one that this version does not write."""
        try:
            return cls._read(record.body)
        except (KeyError, TypeError, ValueError):
            raise JournalError(
                f"Record {record.number} of the journal does not hold an erasure as this version writes it."
            ) from None

    @classmethod
    def _read(cls, body: Mapping[str, object]) -> "_Told":
        told = cls(str(body["reason"]))
        for number, kept in _rows(body["clients"]):
            told.keeps[int(number)] = from_words(kept)
        for key, digest, channel, at in _rows(body["suppressions"]):
            said, concerned = read_stamp(at), Channel(channel) if channel else None
            if said is not None:
                told.suppressions.append(Suppression(KeyedHash(key, digest), concerned, OBJECTION, said))
        for number, reason, kept, until in _rows(body["blocks"]):
            block = Block(BlockReason(reason), from_words(kept), date.fromisoformat(until))
            told.blocks.append((int(number), block))
        return told


def _rows(found: object) -> list[list[str]]:
    if not isinstance(found, list):
        raise TypeError
    return found


def _note(
    keeps: Mapping[int, frozenset[Field]],
    reason: EraseReason,
    actor: Actor,
    objections: Sequence[Suppression],
    standing: Sequence[blocks.HeldBlock],
) -> Note:
    """Return what the journal has to know, so that a restored copy is erased again (L-34)."""
    told: list[Json] = [[str(number), as_words(kept)] for number, kept in keeps.items()]
    suppressions: list[Json] = [
        [each.hash.key_id, each.hash.digest, each.channel.value if each.channel else "", stamp(each.at)]
        for each in objections
    ]
    kept: list[Json] = [
        [str(each.client), each.block.reason.value, as_words(each.block.keeps), each.block.until.isoformat()]
        for each in standing
    ]
    body: dict[str, Json] = {"clients": told, "suppressions": suppressions, "blocks": kept}
    return Note(JournalKind.ERASED, {**body, "reason": reason.value, "actor": str(actor)})


def _withhold_waiting(transaction: Transaction, client: int, actor: Actor) -> int:
    handoffs.recall(transaction.connection, [client], transaction.now)
    waiting = outbox.open_of_client(transaction.connection, client, for_update=True)
    for row, campaign, message_id in waiting:
        outbox.set_withheld(transaction.connection, row, Reason.ERASED.value)
        body = {"reason": Reason.ERASED.value, "at": "erasure", "message": message_id}
        transaction.ledger.append(Entry(EntryKind.WITHHELD, actor, client=client, campaign=campaign, body=body))
    return len(waiting)


def _entry(erased: Erased, actor: Actor, told: Mapping[str, Json], objections: int) -> Entry:
    counts: dict[str, Json] = {"withheld": erased.withheld, "objections": objections, "keeps": as_words(erased.kept)}
    body: dict[str, Json] = {**told, **counts}
    return Entry(EntryKind.ERASED, actor, client=erased.client, body=body)


def _ordered(fields: frozenset[Field]) -> tuple[Field, ...]:
    return tuple(each for each in Field if each in fields)
