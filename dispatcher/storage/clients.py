"""The register: clients, their addresses, and who shares them."""

import secrets
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from datetime import date, datetime
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import Connection, Integer, and_, bindparam, func, insert, select, update

from dispatcher.keys import KeyedHash
from dispatcher.links import CLIENT_BITS
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.values import value
from dispatcher.storage import soft_bounces
from dispatcher.storage.database import insert_new
from dispatcher.storage.hot import Hot, among, read_day, read_moment, read_moment_or_none
from dispatcher.storage.tables import AddressTable, ClientAddressTable, ClientTable, ReplacedTable


@value
class HeldAddress:
    """An address a client has: its row, canonical form, and whether mail to it has died.

    `changed_at` is when it took the place of another, `awaits_receipt` whether a receipt has to go there first.
    `replaced_at`: a restore has forgotten that then another took the place of the one that the client had.
    """

    id: int
    canonical: str
    dead: bool = False
    changed_at: datetime | None = None
    awaits_receipt: bool = False
    replaced_at: datetime | None = None


@value
class Client:
    """A client as the register holds them."""

    number: int
    first_name: str
    last_name: str
    language: Language
    last_visit: date | None
    external_hash: str | None = None
    addresses: Mapping[Channel, HeldAddress] = field(default_factory=dict)


class Flags(NamedTuple):
    """What the register notes about a client beside who they are, as its row holds it."""

    is_gone: bool
    restricted: bool
    child: bool
    suspended: bool
    paused_until: datetime | None
    own_cap: int | None
    no_offers: bool
    no_treatment_days: bool


_READ = Hot(
    select(
        ClientTable.number,
        ClientTable.first_name,
        ClientTable.last_name,
        ClientTable.language,
        ClientTable.last_visit,
        ClientTable.external_hash,
        ClientTable.gone_since.is_not(None),
        ClientTable.restricted,
        ClientTable.child,
        ClientTable.suspended,
        ClientTable.paused_until,
        ClientTable.own_cap,
        ClientTable.no_offers,
        ClientTable.no_treatment_days,
    ).where(among(ClientTable.number, "clients"))
)
_HELD = Hot(
    select(
        ClientAddressTable.client,
        ClientAddressTable.channel,
        AddressTable.id,
        AddressTable.canonical,
        AddressTable.dead_since.is_not(None),
        ClientAddressTable.changed_at,
        ClientAddressTable.awaits_receipt,
        ReplacedTable.at,
    )
    .join(AddressTable, AddressTable.id == ClientAddressTable.address)
    .outerjoin(
        ReplacedTable,
        and_(ReplacedTable.client == ClientAddressTable.client, ReplacedTable.channel == ClientAddressTable.channel),
    )
    .where(among(ClientAddressTable.client, "clients"))
)
_ADDRESS_IDS = Hot(
    select(ClientAddressTable.client, ClientAddressTable.address).where(among(ClientAddressTable.client, "clients"))
)
_PAGE = Hot(
    select(ClientTable.number)
    .where(ClientTable.number > bindparam("after"))
    .order_by(ClientTable.number)
    .limit(bindparam("size", type_=Integer))
)
_CHANNELS: Mapping[str, Channel] = {each.value: each for each in Channel}
_LANGUAGES: Mapping[str, Language] = {each.value: each for each in Language}


def new_number() -> int:
    """Return a random number for a client; it says nothing about them."""
    return secrets.randbits(CLIENT_BITS - 1) + 1


def count(connection: Connection) -> int:
    """Return how many clients the register holds."""
    return int(connection.scalar(select(func.count()).select_from(ClientTable)) or 0)


def read(connection: Connection, numbers: Iterable[int]) -> dict[int, Client]:
    """Return these clients with their addresses, by number; the unknown are left out."""
    return {number: client for number, (client, _) in read_flagged(connection, list(numbers)).items()}


def read_flagged(connection: Connection, numbers: list[int]) -> dict[int, tuple[Client, Flags]]:
    """Return these clients with their addresses and what the register notes about them; the unknown are left out."""
    addresses = _addresses_of(connection, numbers)
    found: dict[int, tuple[Client, Flags]] = {}
    for row in _READ.rows(connection, clients=numbers):
        number, first, last, language, visit, external, gone, restricted, child, suspended, paused, cap, *declined = row
        visited = visit and read_day(visit)
        client = Client(number, first, last, _LANGUAGES[language], visited, external, addresses.get(number, {}))
        until, (offers, days) = paused and read_moment(paused), declined
        # SQLite keeps 0 and 1.
        flags = (gone == 1, restricted == 1, child == 1, suspended == 1, until, cap, offers == 1, days == 1)
        found[number] = client, Flags._make(flags)
    return found


def page(connection: Connection, after: int, size: int) -> list[int]:
    """Return the next client numbers in order, greater than `after`; an empty list at the end."""
    return [number for (number,) in _PAGE.rows(connection, after=after, size=size)]


def by_external(connection: Connection, hashes: Iterable[str]) -> dict[str, int]:
    """Return which client has which of these keyed customer numbers."""
    wanted = list(hashes)
    query = select(ClientTable.external_hash, ClientTable.number).where(ClientTable.external_hash.in_(wanted))
    return {row.external_hash: row.number for row in connection.execute(query)}


def numbered(connection: Connection, numbers: Iterable[int]) -> set[int]:
    """Return which of these clients go by a customer number of the register."""
    wanted = (ClientTable.number.in_(list(numbers)), ClientTable.external_hash.is_not(None))
    return set(connection.scalars(select(ClientTable.number).where(*wanted)))


def by_address(
    connection: Connection, addresses: Iterable[tuple[Channel, str]]
) -> dict[tuple[Channel, str], frozenset[int]]:
    """Return which clients have which of these canonical addresses."""
    wanted: dict[Channel, list[str]] = defaultdict(list)
    for channel, canonical in addresses:
        wanted[channel].append(canonical)
    found: dict[tuple[Channel, str], set[int]] = defaultdict(set)
    for channel, values in wanted.items():
        query = (
            select(AddressTable.canonical, ClientAddressTable.client)
            .join(ClientAddressTable, ClientAddressTable.address == AddressTable.id)
            .where(AddressTable.channel == channel.value, AddressTable.canonical.in_(values))
        )
        for row in connection.execute(query):
            found[channel, row.canonical].add(row.client)
    return {key: frozenset(numbers) for key, numbers in found.items()}


def search(connection: Connection, words: str, limit: int = 20) -> list[int]:
    """Return the clients whose name, email or number holds these words, for a person at the desk.

    Names are compared here: what a database calls lower case may leave Ä and Ö as they are.
    """
    wanted = " ".join(words.split())
    in_address = (
        select(ClientAddressTable.client)
        .join(AddressTable, AddressTable.id == ClientAddressTable.address)
        .where(AddressTable.canonical.contains(wanted.lower(), autoescape=True))
    )
    reached = set(connection.scalars(in_address))
    names = select(ClientTable.number, ClientTable.first_name, ClientTable.last_name)
    fitting = (
        row.number
        for row in connection.execute(names.order_by(ClientTable.last_name, ClientTable.first_name, ClientTable.number))
        if row.number in reached or wanted.casefold() in f"{row.first_name} {row.last_name}".casefold()
    )
    return list(islice(fitting, limit))


def address_ids(connection: Connection, clients: Sequence[int]) -> dict[int, list[int]]:
    """Return the address rows of each of these clients."""
    found: dict[int, list[int]] = defaultdict(list)
    for client, address in _ADDRESS_IDS.rows(connection, clients=list(clients)):
        found[client].append(address)
    return found


def insert_clients(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write new clients; each row holds the columns of the client table."""
    if rows:
        connection.execute(insert(ClientTable), list(rows))


def update_client(connection: Connection, number: int, values: Mapping[str, Any]) -> None:
    """Write these columns of a client."""
    connection.execute(update(ClientTable).where(ClientTable.number == number).values(**values))


def is_child(connection: Connection, number: int) -> bool:
    """Say whether a client is marked as a child, who is never written to (L-11)."""
    return bool(connection.scalar(select(ClientTable.child).where(ClientTable.number == number)))


def set_flag(connection: Connection, number: int, flag: str, *, value: bool) -> bool:
    """Write a flag of a client, by the name of its column, and say whether it was otherwise before."""
    column = getattr(ClientTable, flag)
    where = (ClientTable.number == number, column.is_not(value))
    return connection.execute(update(ClientTable).where(*where).values(**{flag: value})).rowcount == 1


def set_limit(connection: Connection, number: int, limit: str, value: int | datetime | None) -> bool:
    """Write a limit of a client, by the name of its column, and say whether it was otherwise before."""
    column = getattr(ClientTable, limit)
    where = (ClientTable.number == number, column.is_distinct_from(value))
    return connection.execute(update(ClientTable).where(*where).values(**{limit: value})).rowcount == 1


def is_restricted(connection: Connection, number: int) -> bool:
    """Say whether a client's data may be kept and not used (L-38)."""
    return bool(connection.scalar(select(ClientTable.restricted).where(ClientTable.number == number)))


def keys_of_customer_numbers(connection: Connection) -> dict[str, int]:
    """Return how many clients' customer numbers were hashed with which key."""
    query = (
        select(ClientTable.external_key, func.count())
        .where(ClientTable.external_key.is_not(None))
        .group_by(ClientTable.external_key)
    )
    return {row[0]: row[1] for row in connection.execute(query) if row[0]}


def adopt_external(connection: Connection, number: int, external: KeyedHash) -> None:
    """Write the keyed customer number of a client who had none."""
    update_client(connection, number, {"external_hash": external.digest, "external_key": external.key_id})


def address_rows(
    connection: Connection, addresses: Iterable[tuple[Channel, str]], now: datetime
) -> dict[tuple[Channel, str], int]:
    """Return the row of each address, writing those that have none yet."""
    wanted = sorted({(channel.value, canonical) for channel, canonical in addresses})
    insert_new(
        connection,
        AddressTable,
        [{"channel": channel, "canonical": canonical, "added_at": now} for channel, canonical in wanted],
    )
    found: dict[tuple[Channel, str], int] = {}
    for channel in Channel:
        values = [canonical for kind, canonical in wanted if kind == channel.value]
        query = select(AddressTable.id, AddressTable.canonical).where(
            AddressTable.channel == channel.value, AddressTable.canonical.in_(values)
        )
        found |= {(channel, row.canonical): row.id for row in connection.execute(query)}
    return found


def insert_links(connection: Connection, rows: Sequence[tuple[int, Channel, int]]) -> None:
    """Give new clients their addresses: client, channel, address row."""
    if rows:
        connection.execute(
            insert(ClientAddressTable),
            [
                {"client": client, "channel": channel.value, "address": address, "changed_at": None}
                for client, channel, address in rows
            ],
        )


def join_address(
    connection: Connection, client: int, channel: Channel, address: int, *, changed_at: datetime | None
) -> None:
    """Give a client this address for the channel, in place of any other."""
    where = (ClientAddressTable.client == client, ClientAddressTable.channel == channel.value)
    values = {"address": address, "changed_at": changed_at, "confirmed_at": None, "awaits_receipt": False}
    if connection.execute(update(ClientAddressTable).where(*where).values(**values)).rowcount == 0:
        connection.execute(insert(ClientAddressTable).values(client=client, channel=channel.value, **values))


def set_awaits_receipt(connection: Connection, client: int, channel: Channel, *, awaits: bool) -> None:
    """Write whether a receipt has to reach this address of a client before any offer does (L-05)."""
    where = (ClientAddressTable.client == client, ClientAddressTable.channel == channel.value)
    connection.execute(update(ClientAddressTable).where(*where).values(awaits_receipt=awaits))


def receipt_has_come(connection: Connection, client: int, channel: Channel, canonical: str) -> bool:
    """Write that a receipt has reached this address, and say whether the client still has it and waited for one."""
    address = select(AddressTable.id).where(AddressTable.channel == channel.value, AddressTable.canonical == canonical)
    where = (
        ClientAddressTable.client == client,
        ClientAddressTable.channel == channel.value,
        ClientAddressTable.address.in_(address),
        ClientAddressTable.awaits_receipt,
    )
    return connection.execute(update(ClientAddressTable).where(*where).values(awaits_receipt=False)).rowcount > 0


def set_confirmed(connection: Connection, client: int, channel: Channel, address: int, now: datetime) -> None:
    """Write that a client has shown to own an address: it awaits no receipt and takes messages again."""
    where = (ClientAddressTable.client == client, ClientAddressTable.channel == channel.value)
    connection.execute(update(ClientAddressTable).where(*where).values(confirmed_at=now, awaits_receipt=False))
    connection.execute(update(AddressTable).where(AddressTable.id == address).values(dead_since=None, dead_code=None))
    soft_bounces.forget(connection, address)


def address_id(connection: Connection, channel: Channel, canonical: str) -> int | None:
    """Return the row of an address, or None where there is none."""
    query = select(AddressTable.id).where(AddressTable.channel == channel.value, AddressTable.canonical == canonical)
    return connection.scalar(query)


def is_dead(connection: Connection, address: int) -> bool:
    """Say whether mail or texts to this address have died."""
    return connection.scalar(select(AddressTable.dead_since).where(AddressTable.id == address)) is not None


def mark_dead(connection: Connection, address: int, code: str, now: datetime) -> None:
    """Write that mail or texts to this address have died, and with which code."""
    connection.execute(
        update(AddressTable).where(AddressTable.id == address).values(dead_since=now, dead_code=code[:20])
    )


def _addresses_of(connection: Connection, clients: list[int]) -> dict[int, dict[Channel, HeldAddress]]:
    found: dict[int, dict[Channel, HeldAddress]] = {}
    for client, channel, row, canonical, dead, changed, awaits, replaced in _HELD.rows(connection, clients=clients):
        held = HeldAddress(
            row, canonical, bool(dead), read_moment_or_none(changed), bool(awaits), read_moment_or_none(replaced)
        )
        found.setdefault(client, {})[_CHANNELS[channel]] = held
    return found
