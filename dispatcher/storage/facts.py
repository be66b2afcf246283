"""Gathers, in a few queries a chunk, every fact a verdict about these clients needs."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import BindParameter, Connection, Executable, bindparam, or_, select

from dispatcher.keys import KeyRing
from dispatcher.rules.budget import WINDOW
from dispatcher.rules.campaign import Channel, Kind
from dispatcher.rules.consent import VALID_FOR, Answer, Reply, fold
from dispatcher.rules.decision import AddressFacts, ClientFacts
from dispatcher.rules.message import COUNTED
from dispatcher.storage import answers, clients, requests, slots
from dispatcher.storage.clients import Client, HeldAddress
from dispatcher.storage.tables import ClientAddressTable, ClientTable, OutboxTable

_COUNTED = [state.value for state in COUNTED]
# These run for every batch of messages, and building a statement costs several times what running it does.
_CLIENTS: BindParameter[Any] = bindparam("clients", expanding=True)
_ADDRESSES: BindParameter[Any] = bindparam("addresses", expanding=True)
_FLAGS = select(
    ClientTable.number,
    ClientTable.gone_since,
    ClientTable.restricted,
    ClientTable.child,
    ClientTable.suspended,
    ClientTable.paused_until,
    ClientTable.own_cap,
    ClientTable.no_offers,
    ClientTable.no_treatment_days,
).where(ClientTable.number.in_(_CLIENTS))
_SHARERS = select(ClientAddressTable.address, ClientAddressTable.client, ClientAddressTable.channel).where(
    ClientAddressTable.address.in_(_ADDRESSES)
)
_RECENT = (OutboxTable.state.in_(_COUNTED), OutboxTable.day > bindparam("since"))
_CLIENT_DAYS = select(OutboxTable.client, OutboxTable.day).where(*_RECENT, OutboxTable.client.in_(_CLIENTS))
_ADDRESS_DAYS = select(OutboxTable.address, OutboxTable.day).where(*_RECENT, OutboxTable.address.in_(_ADDRESSES))
_OF_CAMPAIGN = select(OutboxTable.client, OutboxTable.address, OutboxTable.state).where(
    OutboxTable.campaign == bindparam("campaign"),
    or_(OutboxTable.client.in_(_CLIENTS), OutboxTable.address.in_(_ADDRESSES)),
)


@dataclass(frozen=True, slots=True)
class Known:
    """A client and the facts about them: what a message is made from, and what its verdict rests on.

    `given` are all their answers, those too that a verdict leaves out because they were for another address.
    """

    client: Client
    facts: ClientFacts
    given: Sequence[Answer]


def gather(
    connection: Connection, ring: KeyRing, numbers: Iterable[int], campaign: int | None, today: date, now: datetime
) -> dict[int, Known]:
    """Return what is known of each of these clients, for this campaign; erased ones are left out.

    `today` is the local date on which a message would count. A few hundred clients a call.
    """
    wanted = sorted(set(numbers))
    held = clients.read(connection, wanted)
    ids = {address.id for client in held.values() for address in client.addresses.values()}
    given = answers.of_clients(connection, wanted)
    suppressed = answers.suppressed(connection, ring, _by_canonical(held), now)
    shared = _shared(connection, ids, now)
    asking = requests.with_open_requests(connection, wanted)
    client_days, address_days = _days(connection, wanted, ids, today)
    got_client, got_address = _this_campaign(connection, wanted, ids, campaign)
    flags = _flags(connection, wanted)
    found = {}
    for number, client in held.items():
        if number not in flags:  # erased between two of the queries
            continue
        own = list(given.get(number, ()))
        for address in client.addresses.values():
            own += suppressed.get(address.id, ())
        found[number] = Known(
            client,
            ClientFacts(
                number=number,
                in_register=flags[number].gone_since is None,
                restricted=flags[number].restricted,
                child=flags[number].child,
                # Whoever makes use of a right is left in peace until they have their answer.
                suspended=flags[number].suspended or number in asking,
                paused_until=flags[number].paused_until,
                own_cap=flags[number].own_cap,
                declined=flags[number].declined,
                answers=tuple(_carried(own, client)),
                addresses={
                    channel: AddressFacts(
                        address=address.id,
                        dead=address.dead,
                        shared=address.id in shared,
                        awaits_receipt=address.awaits_receipt,
                        shared_objection=any(
                            who != number and kind is channel for who, kind in shared.get(address.id, ())
                        ),
                        days=tuple(address_days.get(address.id, ())),
                        got_this_campaign=any(who != number for who in got_address.get(address.id, ())),
                    )
                    for channel, address in client.addresses.items()
                },
                days=tuple(client_days.get(number, ())),
                got_this_campaign=number in got_client,
            ),
            given.get(number, ()),
        )
    return found


def _by_canonical(held: dict[int, Client]) -> dict[tuple[Channel, str], int]:
    return {
        (channel, address.canonical): address.id
        for client in held.values()
        for channel, address in client.addresses.items()
    }


def _carried(own: list[Answer], client: Client) -> list[Answer]:
    """Leave out each yes that was recorded before its channel's address was replaced by another (L-31).

    Where a restore has forgotten the replacement, an import may bring such a yes anew: then one is left out as well
    that may have been said before it.
    """
    return [answer for answer in own if not _was_for_another_address(answer, client.addresses)]


def _was_for_another_address(answer: Answer, addresses: Mapping[Channel, HeldAddress]) -> bool:
    if answer.reply is not Reply.GRANTED or answer.channel is None:
        return False
    address = addresses.get(answer.channel)
    if address is None:
        return False
    if address.changed_at is not None and answer.recorded_at < address.changed_at:
        return True
    said = answer.not_before
    return address.replaced_at is not None and (said is None or said < address.replaced_at)


def _flags(connection: Connection, numbers: Sequence[int]) -> dict[int, "_Flags"]:
    return {row.number: _Flags(*row[1:]) for row in connection.execute(_FLAGS, {"clients": list(numbers)})}


@dataclass(frozen=True, slots=True)
class _Flags:
    gone_since: datetime | None
    restricted: bool
    child: bool
    suspended: bool
    paused_until: datetime | None
    own_cap: int | None
    no_offers: bool
    no_treatment_days: bool

    @property
    def declined(self) -> frozenset[Kind]:
        told = {Kind.OFFER: self.no_offers, Kind.TREATMENT_DAY: self.no_treatment_days}
        return frozenset(kind for kind, declines in told.items() if declines)


def _shared(connection: Connection, addresses: set[int], now: datetime) -> dict[int, list[tuple[int, Channel]]]:
    """Return the addresses that several clients share, and for each whose objection stands for which channel."""
    sharers: dict[int, list[tuple[int, Channel]]] = defaultdict(list)
    for row in connection.execute(_SHARERS, {"addresses": list(addresses)}):
        sharers[row.address].append((row.client, Channel(row.channel)))
    shared = {address: rows for address, rows in sharers.items() if len(rows) > 1}
    if not shared:
        return {}
    given = answers.of_clients(connection, sorted({client for rows in shared.values() for client, _ in rows}))
    return {
        address: [
            (client, channel)
            for client, channel in rows
            if fold(given.get(client, ()), channel, now, VALID_FOR).objected
        ]
        for address, rows in shared.items()
    }


def _days(
    connection: Connection, numbers: Sequence[int], addresses: set[int], today: date
) -> tuple[dict[int, list[date]], dict[int, list[date]]]:
    """Return the days of counted messages in the window that ends today, by client and by address (L-23).

    Of a campaign whose messages a restore has forgotten anybody may have got one: it counts for everybody of whom no
    message of it is known.
    """
    since = today - WINDOW
    by_client = _grouped(connection, _CLIENT_DAYS, {"since": since, "clients": list(numbers)})
    by_address = _grouped(connection, _ADDRESS_DAYS, {"since": since, "addresses": list(addresses)})
    for day, campaign in slots.forgotten(connection, since):
        got, got_at = _this_campaign(connection, numbers, addresses, campaign)
        for number in set(numbers) - got:
            by_client[number].append(day)
        for address in addresses - got_at.keys():
            by_address[address].append(day)
    return by_client, by_address


def _grouped(connection: Connection, query: Executable, wanted: Mapping[str, Any]) -> dict[int, list[date]]:
    found: dict[int, list[date]] = defaultdict(list)
    for who, day in connection.execute(query, wanted):
        found[who].append(day)
    return found


def _this_campaign(
    connection: Connection, numbers: Sequence[int], addresses: set[int], campaign: int | None
) -> tuple[set[int], dict[int, set[int]]]:
    """Return who has got this campaign already, and which clients have a message of it under which address."""
    if campaign is None:
        return set(), {}
    wanted = {"campaign": campaign, "clients": list(numbers), "addresses": list(addresses)}
    got: set[int] = set()
    by_address: dict[int, set[int]] = defaultdict(set)
    for row in connection.execute(_OF_CAMPAIGN, wanted):
        if row.state in _COUNTED:
            got.add(row.client)
        if row.address is not None:
            by_address[row.address].add(row.client)
    return got, by_address
