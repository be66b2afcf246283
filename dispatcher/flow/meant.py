"""Whom a booking system means: found by customer number, else by address, never by name."""

from collections.abc import Mapping

from dispatcher.flow.recording import CUSTOMER
from dispatcher.keys import KeyRing
from dispatcher.rules.campaign import Channel
from dispatcher.storage import clients
from dispatcher.storage.database import Connection


def meant(
    connection: Connection, ring: KeyRing, customer_number: str | None, addresses: Mapping[Channel, str]
) -> frozenset[int]:
    """Return the clients whom a customer number and canonical addresses fit, as the import matches them.

    Beside a customer number, an address fits nobody who goes by another: two customers may share one. Clients whom
    every address fits are meant before those whom only one does.
    """
    if customer_number is not None:
        hashes = [keyed.digest for keyed in ring.every_hash(CUSTOMER, customer_number)]
        found = frozenset(clients.by_external(connection, hashes).values())
        if found:
            return found
    by_address = [numbers for numbers in clients.by_address(connection, addresses.items()).values() if numbers]
    if customer_number is not None and by_address:
        known = clients.read(connection, frozenset.union(*by_address))
        by_address = [frozenset(n for n in numbers if not known[n].external_hash) for numbers in by_address]
        by_address = [numbers for numbers in by_address if numbers]
    if not by_address:
        return frozenset()
    return frozenset.intersection(*by_address) or frozenset.union(*by_address)
