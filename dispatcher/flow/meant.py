"""Whom somebody means who is no register: found by customer number, else by address, never by name."""

from collections.abc import Mapping

from dispatcher.flow.fitting import Fitting, Named
from dispatcher.keys import KeyRing
from dispatcher.rules.campaign import Channel
from dispatcher.storage.database import Connection


def meant(
    connection: Connection, ring: KeyRing, customer_number: str | None, addresses: Mapping[Channel, str]
) -> frozenset[int]:
    """Return the clients whom a customer number and canonical addresses fit, as the import matches them.

    Beside a customer number, an address fits nobody who goes by another: two customers may share one. Clients whom
    every address fits are meant before those whom only one does. Among them are those who are to come back after a
    restore that forgot them, under the number they had: the register does not hold these.
    """
    named = Named(customer_number, addresses.get(Channel.EMAIL), addresses.get(Channel.SMS))
    return frozenset(Fitting(ring).named(connection, [named]))
