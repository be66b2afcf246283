"""Legal blocks: set, ended, and let go of when their day has passed (Article 17(3)(b) and (e)).

Beginning and end stand in the journal too, so that a restore and its replay bring them back (L-34). There a block is
known by the client and what it says: its number may be another after a restore.
"""

from dataclasses import dataclass
from datetime import date

from dispatcher.errors import NotFoundError, RefusedError
from dispatcher.flow.erasing import Erasing
from dispatcher.flow.known import unknown
from dispatcher.rules.actor import Actor
from dispatcher.rules.blocks import Block, BlockReason, as_words, flaw_of, from_words
from dispatcher.rules.calendar import local_date
from dispatcher.rules.ledger import Entry, EntryKind, Json, read_stamp
from dispatcher.rules.retention import EraseReason
from dispatcher.storage import blocks, clients, erasure
from dispatcher.storage.blocks import HeldBlock
from dispatcher.storage.journal import JournalKind, Note, Record
from dispatcher.storage.locks import Lock, LockKind
from dispatcher.storage.writer import Transaction

_SET, _ENDED = "set", "ended"


@dataclass(frozen=True, slots=True)
class Blocks:
    """Keeps named data of clients from erasure, until a day."""

    erasing: Erasing

    def add(self, client: int, block: Block, actor: Actor) -> int:
        """Set a block on a client's data and return its number.

        Raises NotFoundError, and RefusedError for a block that names nothing or does not end in the future.
        """

        def work(transaction: Transaction) -> int:
            connection, now = transaction.connection, transaction.now
            if not clients.read(connection, [client]):
                raise unknown(client)
            flaw = flaw_of(block, local_date(now, self.erasing.policy.zone))
            if flaw is not None:
                raise RefusedError(flaw)
            number = blocks.add(connection, client, block, str(actor), now)
            _keep(transaction, actor, client, _SET, block)
            _tell_set(transaction, actor, client, number, block)
            return number

        return self.erasing.store.write(work, wanted=[Lock(LockKind.CLIENT, client)])

    def end(self, block: int, actor: Actor) -> bool:
        """End a block before its day, and say whether what it had kept of an erased client has gone with it.

        Raises NotFoundError for a number that no standing block has.
        """
        found = next((each for each in self.standing() if each.id == block), None)
        if found is None:
            raise NotFoundError(f"No block {block} stands: run `dispatcher client block --list` to see those that do.")
        return self._end(found, actor)

    def standing(self, client: int | None = None) -> list[HeldBlock]:
        """Return the blocks that stand, of one client or of all, those that end first before the others."""
        with self.erasing.store.reading() as connection:
            return blocks.standing(connection, None if client is None else [client])

    def let_go(self, actor: Actor) -> int:
        """End every block whose last day has passed, let go what it kept of erased clients, and return how many."""
        today = local_date(self.erasing.store.clock(), self.erasing.policy.zone)
        over = [each for each in self.standing() if each.block.is_over(today)]
        for each in over:
            self._end(each, actor)
        return len(over)

    def _end(self, held: HeldBlock, actor: Actor) -> bool:
        def work(transaction: Transaction) -> bool:
            connection = transaction.connection
            if held.id not in {each.id for each in blocks.standing(connection, [held.client])}:
                return False
            blocks.end(connection, held.id, transaction.now)
            _keep(transaction, actor, held.client, _ENDED, held.block)
            _tell_ended(transaction, actor, held)
            was_erased = bool(erasure.have_been_erased(connection, [held.client]))
            if was_erased and clients.read(connection, [held.client]):
                # Erased anew, it keeps what other blocks still name, and nothing else.
                self.erasing.erase_in(transaction, [held.client], EraseReason.BLOCK_ENDED, actor)
                return True
            return False

        has_gone = self.erasing.store.write(work, wanted=self.erasing.locks([held.client]))
        if has_gone:
            self.erasing.deletions.here()
        return has_gone


def take_block(transaction: Transaction, record: Record) -> bool:
    """Do after a restore what the journal tells of a block, and return whether it set one.

    The client need not be known: one who came after the copy was made is back with the next import. What an end let go
    of stands on a record of its own, as an erasure.
    """
    connection, body = transaction.connection, record.body
    client, actor = int(str(body["client"])), Actor.read(str(body["actor"]))
    until = date.fromisoformat(str(body["until"]))
    block = Block(BlockReason(str(body["reason"])), from_words(str(body["keeps"])), until)
    at = read_stamp(record.at) or transaction.now
    if body["event"] == _SET:
        _tell_set(transaction, actor, client, blocks.add(connection, client, block, str(actor), at), block)
        return True
    found = next((each for each in blocks.standing(connection, [client]) if each.block == block), None)
    if found is not None:
        blocks.end(connection, found.id, at)
        _tell_ended(transaction, actor, found)
    return False


def _keep(transaction: Transaction, actor: Actor, client: int, event: str, block: Block) -> None:
    """Let the journal have it first, so that a restore and its replay bring it back."""
    body: dict[str, Json] = {"client": client, "event": event, **_words(block), "actor": str(actor)}
    transaction.notes.append(Note(JournalKind.BLOCK, body))


def _tell_set(transaction: Transaction, actor: Actor, client: int, number: int, block: Block) -> None:
    body: dict[str, Json] = {"event": _SET, "block": number, **_words(block)}
    transaction.ledger.append(Entry(EntryKind.BLOCK, actor, client=client, body=body))


def _tell_ended(transaction: Transaction, actor: Actor, held: HeldBlock) -> None:
    body: dict[str, Json] = {"event": _ENDED, "block": held.id}
    transaction.ledger.append(Entry(EntryKind.BLOCK, actor, client=held.client, body=body))


def _words(block: Block) -> dict[str, Json]:
    return {"reason": block.reason.value, "keeps": as_words(block.keeps), "until": block.until.isoformat()}
