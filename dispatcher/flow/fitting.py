"""Whom a row of a register fits: by the register's customer number, else by email and phone; never by name."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dispatcher.flow.recording import CUSTOMER
from dispatcher.keys import KeyedHash, KeyRing
from dispatcher.register_files import RegisterRow, RejectedRow, RowNames
from dispatcher.rules.campaign import Channel
from dispatcher.storage import clients, returning
from dispatcher.storage.answers import hash_label
from dispatcher.storage.database import Connection


@dataclass(frozen=True, slots=True)
class Named:
    """Somebody by customer number and canonical addresses, as no file but a person, a page or a call names them."""

    external_id: str | None
    email: str | None
    phone: str | None


Row = RegisterRow | RejectedRow | RowNames | Named


class Fitting:
    """Knows who has which customer number and address: what was looked up, and what the file has brought so far.

    Whoever is to come back after a restore that forgot them is fitted as if they were there: the keyed hashes of the
    journal tell what they had. So what was doubtful before the restore is doubtful after it.
    """

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring
        self._by_external: dict[str, int] = {}
        self._by_address: dict[tuple[Channel, str], set[int]] = defaultdict(set)
        self._numbered: set[int] = set()

    def look_up(self, connection: Connection, rows: Sequence[Row]) -> set[int]:
        """Look up everybody whom these rows may concern, in the register or to come back, and return their numbers."""
        by_external = clients.by_external(connection, self._digests(rows))
        by_address = clients.by_address(connection, [pair for row in rows for pair in addresses_of(row)])
        self._by_external |= by_external
        for pair, found in by_address.items():
            self._by_address[pair] |= found
        return set(by_external.values()).union(*by_address.values()) | self._look_up_returning(connection, rows)

    def named(self, connection: Connection, rows: Sequence[Row]) -> set[int]:
        """Return whom these rows fit, looking up addresses for those only whose customer number nobody has."""
        hashed = [(row, [keyed.digest for keyed in self.hashes(row)]) for row in rows]
        by_external = clients.by_external(connection, [digest for _, digests in hashed for digest in digests])
        found = set(by_external.values())
        rest = [row for row, digests in hashed if by_external.keys().isdisjoint(digests)]
        if rest:
            self.learn_numbered(clients.numbered(connection, self.look_up(connection, rest)))
        return found.union(*(self.fits(row) for row in rest))

    def fits(self, row: Row) -> set[int]:
        """Return every client this row may be: one where it is plain, several where a person has to say."""
        known = self.by_number(row)
        if known is not None:
            return {known}
        found = [self._unclaimed(self._by_address.get(pair, set()), row) for pair in addresses_of(row)]
        found = [numbers for numbers in found if numbers]
        if not found:
            return set()
        common = set.intersection(*found)
        return common or set.union(*found)

    def by_number(self, row: Row) -> int | None:
        """Return the client who has the row's customer number, or None."""
        known = (self._by_external.get(keyed.digest) for keyed in self.hashes(row))
        return next((number for number in known if number is not None), None)

    def hashes(self, row: Row) -> tuple[KeyedHash, ...]:
        """Return the row's customer number under every key, or nothing."""
        return self._ring.every_hash(CUSTOMER, row.external_id) if row.external_id else ()

    def learn(self, number: int, external: KeyedHash | None, pairs: Iterable[tuple[Channel, str]]) -> None:
        """Take in what a row has brought for a client."""
        for pair in pairs:
            self._by_address[pair].add(number)
        if external:
            self._by_external[external.digest] = number
            self._numbered.add(number)

    def learn_numbered(self, numbers: Iterable[int]) -> None:
        """Take in that these clients go by a customer number of their own."""
        self._numbered.update(numbers)

    def forget(self) -> None:
        """Let go of what the database knows by now, so that memory does not grow with the file."""
        self._by_external.clear()
        self._by_address.clear()
        self._numbered.clear()

    def _look_up_returning(self, connection: Connection, rows: Sequence[Row]) -> set[int]:
        if returning.is_nobody(connection):
            return set()
        pairs = {
            keyed.digest: (channel, canonical)
            for row in rows
            for channel, canonical in addresses_of(row)
            for keyed in self._ring.every_hash(hash_label(channel), canonical)
        }
        found = returning.find(connection, [*self._digests(rows), *pairs])
        for digest, numbers in found.items():
            if digest in pairs:
                self._by_address[pairs[digest]] |= numbers
            elif len(numbers) == 1:
                self._by_external.setdefault(digest, next(iter(numbers)))
        everybody: set[int] = set().union(*found.values())
        self.learn_numbered(returning.numbered(connection, everybody))
        return everybody

    def _digests(self, rows: Iterable[Row]) -> list[str]:
        return [keyed.digest for row in rows for keyed in self.hashes(row)]

    def _unclaimed(self, numbers: set[int], row: Row) -> set[int]:
        """Leave out clients who go by another customer number: two customers may share an address."""
        return set(numbers) if row.external_id is None else numbers - self._numbered


def addresses_of(row: Row) -> list[tuple[Channel, str]]:
    """Return the addresses of a row, canonical."""
    found = ((Channel.EMAIL, row.email), (Channel.SMS, row.phone))
    return [(channel, canonical) for channel, canonical in found if canonical]
