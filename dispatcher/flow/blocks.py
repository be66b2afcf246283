"""Legal blocks: set, ended, and let go of when their day has passed (Article 17(3)(b) and (e))."""

from dataclasses import dataclass

from dispatcher.errors import NotFoundError, RefusedError
from dispatcher.flow.erasing import Erasing
from dispatcher.flow.known import unknown
from dispatcher.rules.actor import Actor
from dispatcher.rules.blocks import Block, as_words, flaw_of
from dispatcher.rules.calendar import local_date
from dispatcher.rules.ledger import Entry, EntryKind, Json
from dispatcher.rules.retention import EraseReason
from dispatcher.storage import blocks, clients, erasure
from dispatcher.storage.blocks import HeldBlock
from dispatcher.storage.locks import Lock, LockKind
from dispatcher.storage.writer import Transaction


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
            body: dict[str, Json] = {"event": "set", "block": number, "reason": block.reason.value}
            body |= {"keeps": as_words(block.keeps), "until": block.until.isoformat()}
            transaction.ledger.append(Entry(EntryKind.BLOCK, actor, client=client, body=body))
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
            body: dict[str, Json] = {"event": "ended", "block": held.id}
            transaction.ledger.append(Entry(EntryKind.BLOCK, actor, client=held.client, body=body))
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
