"""Takes a client out of every table that could tell who they are; what is left says nothing about anybody."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, select, update

from dispatcher.rules.blocks import CHANNEL_OF, Field
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.ledger import EntryKind
from dispatcher.rules.message import MessageState
from dispatcher.storage import deletions, ledger, texts_in
from dispatcher.storage.tables import (
    AddressTable,
    ClientAddressTable,
    ClientTable,
    IncomingTable,
    OutboxTable,
    ReplacedTable,
    ReturningTable,
    ServiceTable,
    SignUpTable,
)

TOUCHED = (
    "client",
    "client_address",
    "address",
    "soft_bounce",
    "outbox",
    "service_message",
    "sign_up",
    "returning_client",
    "replaced_address",
    "suppression",
    "incoming",
    "text_in",
    "deletion",
)
"""The tables from which something is deleted: what has to be written anew so that no byte of it is left."""
_BLANK: Mapping[Field, Mapping[str, object]] = {
    Field.NAME: {"first_name": "", "last_name": ""},
    Field.CUSTOMER_NUMBER: {"external_hash": None, "external_key": None},
    Field.LANGUAGE: {"language": Language.FI.value},
    Field.LAST_VISIT: {"last_visit": None},
}
_AT_ONCE = 500


def remove(connection: Connection, clients: Sequence[int], now: datetime) -> None:
    """Remove these clients and the addresses that nobody else has; what their carriers hold is to be deleted."""
    had = {number for each in _addresses_ever(connection, clients).values() for number in each}
    connection.execute(delete(ClientAddressTable).where(ClientAddressTable.client.in_(clients)))
    connection.execute(delete(ClientTable).where(ClientTable.number.in_(clients)))
    _clear(connection, clients, had, now)


def strip(connection: Connection, client: int, keeps: frozenset[Field], now: datetime) -> None:
    """Remove of a client what is not kept, and restrict the rest (L-38)."""
    had = _addresses_ever(connection, [client])[client]
    kept = [CHANNEL_OF[field].value for field in keeps if field in CHANNEL_OF]
    others = (ClientAddressTable.client == client, ClientAddressTable.channel.not_in(kept))
    connection.execute(delete(ClientAddressTable).where(*others))
    values: dict[str, object] = {"restricted": True, "paused_until": None, "own_cap": None, "updated_at": now}
    values |= {"no_offers": False, "no_treatment_days": False}
    for field, blank in _BLANK.items():
        values |= {} if field in keeps else blank
    connection.execute(update(ClientTable).where(ClientTable.number == client).values(values))
    _clear(connection, [client], had, now)


def addresses_ever(connection: Connection, clients: Sequence[int]) -> dict[int, list[tuple[Channel, str]]]:
    """Return every address these clients have or have had that is still known, canonical."""
    had = _addresses_ever(connection, clients)
    known: dict[int, tuple[Channel, str]] = {}
    every = sorted({number for numbers in had.values() for number in numbers})
    for start in range(0, len(every), _AT_ONCE):
        these = AddressTable.id.in_(every[start : start + _AT_ONCE])
        query = select(AddressTable.id, AddressTable.channel, AddressTable.canonical).where(these)
        known |= {row.id: (Channel(row.channel), row.canonical) for row in connection.execute(query)}
    return {client: [known[number] for number in sorted(numbers) if number in known] for client, numbers in had.items()}


def addresses_left(connection: Connection, clients: Collection[int]) -> dict[int, list[tuple[Channel, str]]]:
    """Return the addresses these clients have had and nobody has now, canonical, as far as they are still known."""
    moved = (ClientAddressTable.client.in_(clients), ClientAddressTable.changed_at.is_not(None))
    concerned = sorted(set(connection.scalars(select(ClientAddressTable.client).where(*moved))) if clients else ())
    if not concerned:
        return {}
    had = _addresses_ever(connection, concerned)
    every = set().union(*had.values())
    held = select(ClientAddressTable.address).where(ClientAddressTable.address.in_(every))
    query = select(AddressTable.id, AddressTable.channel, AddressTable.canonical)
    found = connection.execute(query.where(AddressTable.id.in_(every), AddressTable.id.not_in(held)))
    left = {row.id: (Channel(row.channel), row.canonical) for row in found}
    return {client: [left[number] for number in sorted(mine) if number in left] for client, mine in had.items()}


def have_been_erased(connection: Connection, clients: Sequence[int]) -> set[int]:
    """Return which of these clients were erased before, whether a block kept something of them or not."""
    found = ledger.entries_of_clients(connection, EntryKind.ERASED.value, clients)
    return {entry.client for entry in found if entry.client is not None}


def kept_in_part(connection: Connection, clients: Sequence[int]) -> set[int]:
    """Return of which of these clients only that is left what a legal block keeps; it is restricted (L-38)."""
    restricted = select(ClientTable.number).where(ClientTable.number.in_(clients), ClientTable.restricted)
    found = list(connection.scalars(restricted))
    return have_been_erased(connection, found) if found else set()


def sweep(connection: Connection) -> None:
    """Remove what was left of a service message that was being handed over when its client was erased."""
    over = ServiceTable.state != MessageState.ATTEMPTING.value
    connection.execute(delete(ServiceTable).where(ServiceTable.recipient == "", over))


def _addresses_ever(connection: Connection, clients: Sequence[int]) -> dict[int, set[int]]:
    """Return the rows of the addresses each client has and those they have had; the ledger knows their numbers."""
    found: dict[int, set[int]] = {client: set() for client in clients}
    held = select(ClientAddressTable.client, ClientAddressTable.address)
    written = select(OutboxTable.client, OutboxTable.address).where(OutboxTable.address.is_not(None))
    for held_row in connection.execute(held.where(ClientAddressTable.client.in_(clients))):
        found[held_row.client].add(held_row.address)
    for written_row in connection.execute(written.where(OutboxTable.client.in_(clients))):
        found[written_row.client].add(written_row.address)
    for kind in (EntryKind.CLIENT, EntryKind.ADDRESS):
        for entry in ledger.entries_of_clients(connection, kind.value, clients):
            body = entry.data()
            told = body.get("addresses")
            numbers = [*(told.values() if isinstance(told, Mapping) else ()), body.get("address")]
            if entry.client is not None:
                found[entry.client] |= {number for number in numbers if isinstance(number, int)}
    return found


def _clear(connection: Connection, clients: Sequence[int], had: Iterable[int], now: datetime) -> None:
    """Remove what hangs on these clients, and on the addresses that nobody has any more."""
    lonely = _lonely(connection, sorted(had))
    deletions.collect(connection, now, clients)
    came_in = texts_in.take_of(connection, clients)
    deletions.add(connection, ((client, deletions.TEXTS_COME_BY, sid) for client, sid in came_in), now)
    connection.execute(delete(ReturningTable).where(ReturningTable.number.in_(clients)))
    connection.execute(delete(ReplacedTable).where(ReplacedTable.client.in_(clients)))
    connection.execute(delete(IncomingTable).where(IncomingTable.client.in_(clients)))
    _clear_services(connection, ServiceTable.client.in_(clients))
    connection.execute(delete(SignUpTable).where(SignUpTable.client.in_(clients)))
    for start in range(0, len(lonely), _AT_ONCE):
        chunk = lonely[start : start + _AT_ONCE]
        texts = [canonical for _, canonical in chunk]
        to_them = and_(ServiceTable.recipient.in_(texts), ServiceTable.person.is_(None))
        deletions.collect_where(connection, ServiceTable, to_them, now)
        _clear_services(connection, to_them)
        connection.execute(delete(SignUpTable).where(SignUpTable.canonical.in_(texts)))
        connection.execute(delete(AddressTable).where(AddressTable.id.in_([number for number, _ in chunk])))
    passed_on = OutboxTable.provider.not_in(deletions.KEEPS_COPIES)
    forget = update(OutboxTable).where(OutboxTable.client.in_(clients), passed_on).values(provider_id=None)
    connection.execute(forget)


def _lonely(connection: Connection, addresses: Sequence[int]) -> list[tuple[int, str]]:
    """Return which of these addresses nobody has, with their canonical form."""
    found: list[tuple[int, str]] = []
    has_somebody = exists().where(ClientAddressTable.address == AddressTable.id)
    for start in range(0, len(addresses), _AT_ONCE):
        these = AddressTable.id.in_(addresses[start : start + _AT_ONCE])
        query = select(AddressTable.id, AddressTable.canonical).where(these, ~has_somebody)
        found += [(row.id, row.canonical) for row in connection.execute(query)]
    return found


def _clear_services(connection: Connection, which: ColumnElement[bool]) -> None:
    """Remove service messages; of one that is being handed over only the number stays, for its outcome."""
    is_leaving = ServiceTable.state == MessageState.ATTEMPTING.value
    blank = {"recipient": "", "details": "{}"}
    connection.execute(update(ServiceTable).where(which, is_leaving).values(blank))
    connection.execute(delete(ServiceTable).where(which, ~is_leaving))
