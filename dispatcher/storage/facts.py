"""Gathers, in a few queries a chunk, every fact a verdict about these clients needs."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, select, union_all

from dispatcher.keys import KeyRing
from dispatcher.rules.budget import WINDOW
from dispatcher.rules.campaign import Channel, Kind
from dispatcher.rules.consent import VALID_FOR, Answer, Reply, fold
from dispatcher.rules.decision import AddressFacts, ClientFacts
from dispatcher.rules.message import COUNTED
from dispatcher.rules.values import value
from dispatcher.storage import answers, clients, requests, slots
from dispatcher.storage.clients import Client, Flags, HeldAddress
from dispatcher.storage.hot import Hot, among, one_of, read_day
from dispatcher.storage.tables import ClientAddressTable, OutboxTable

_COUNTED = frozenset(state.value for state in COUNTED)
_SHARED = Hot(
    select(ClientAddressTable.address)
    .where(among(ClientAddressTable.address, "addresses"))
    .group_by(ClientAddressTable.address)
    .having(func.count() > 1)
)
_SHARERS = Hot(
    select(ClientAddressTable.address, ClientAddressTable.client, ClientAddressTable.channel).where(
        among(ClientAddressTable.address, "addresses")
    )
)
_RECENT = (one_of(OutboxTable.state, sorted(_COUNTED)), OutboxTable.day > bindparam("since"))
_CLIENT_DAYS = Hot(select(OutboxTable.client, OutboxTable.day).where(*_RECENT, among(OutboxTable.client, "clients")))
_ADDRESS_DAYS = Hot(
    select(OutboxTable.address, OutboxTable.day).where(*_RECENT, among(OutboxTable.address, "addresses"))
)
_OF_CAMPAIGN = select(OutboxTable.client, OutboxTable.address, OutboxTable.state).where(
    OutboxTable.campaign == bindparam("campaign")
)
# Asked by "or", SQLite would read the whole campaign for every batch of it.
_THIS_CAMPAIGN = Hot(
    union_all(
        _OF_CAMPAIGN.where(among(OutboxTable.client, "clients")),
        _OF_CAMPAIGN.where(among(OutboxTable.address, "addresses")),
    )
)
_NOTHING_DECLINED: frozenset[Kind] = frozenset()


@value
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
    held = clients.read_flagged(connection, wanted)
    ids = [address.id for client, _ in held.values() for address in client.addresses.values()]
    given = answers.of_clients(connection, wanted)
    suppressed = {}
    if answers.are_any_suppressed(connection):
        suppressed = answers.suppressed(connection, ring, _by_canonical(held.values()), now)
    shared = _shared(connection, ids, now)
    asking = requests.with_open_requests(connection, wanted)
    client_days, address_days = _days(connection, wanted, ids, today)
    got_client, got_address = _this_campaign(connection, wanted, ids, campaign)
    found = {}
    for number, (client, flags) in held.items():
        own = given.get(number, ())
        if suppressed:
            own = [*own, *(no for address in client.addresses.values() for no in suppressed.get(address.id, ()))]
        addresses = {
            channel: AddressFacts(
                address.id,
                address.dead,
                address.id in shared,
                address.awaits_receipt,
                address.id in shared and any(who != number and kind is channel for who, kind in shared[address.id]),
                tuple(address_days.get(address.id, ())),
                address.id in got_address and not got_address[address.id] <= {number},
            )
            for channel, address in client.addresses.items()
        }
        facts = ClientFacts(
            number=number,
            in_register=not flags.is_gone,
            restricted=flags.restricted,
            child=flags.child,
            # Whoever makes use of a right is left in peace until they have their answer.
            suspended=flags.suspended or number in asking,
            paused_until=flags.paused_until,
            declined=_declined(flags),
            own_cap=flags.own_cap,
            answers=tuple(_carried(own, client)),
            addresses=addresses,
            days=tuple(client_days.get(number, ())),
            got_this_campaign=number in got_client,
        )
        found[number] = Known(client, facts, given.get(number, ()))
    return found


def _declined(flags: Flags) -> frozenset[Kind]:
    if not (flags.no_offers or flags.no_treatment_days):
        return _NOTHING_DECLINED
    told = {Kind.OFFER: flags.no_offers, Kind.TREATMENT_DAY: flags.no_treatment_days}
    return frozenset(kind for kind, declines in told.items() if declines)


def _by_canonical(held: Iterable[tuple[Client, Flags]]) -> dict[tuple[Channel, str], int]:
    return {
        (channel, address.canonical): address.id for client, _ in held for channel, address in client.addresses.items()
    }


def _carried(own: Sequence[Answer], client: Client) -> Sequence[Answer]:
    """Leave out each yes that was recorded before its channel's address was replaced by another (L-31).

    Where a restore has forgotten the replacement, an import may bring such a yes anew: then one is left out as well
    that may have been said before it.
    """
    if all(address.changed_at is None and address.replaced_at is None for address in client.addresses.values()):
        return own
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


def _shared(connection: Connection, addresses: list[int], now: datetime) -> dict[int, list[tuple[int, Channel]]]:
    """Return the addresses that several clients share, and for each whose objection stands for which channel."""
    several = [address for (address,) in _SHARED.rows(connection, addresses=addresses)]
    if not several:
        return {}
    shared: dict[int, list[tuple[int, Channel]]] = defaultdict(list)
    for address, client, channel in _SHARERS.rows(connection, addresses=several):
        shared[address].append((client, Channel(channel)))
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
    connection: Connection, numbers: list[int], addresses: list[int], today: date
) -> tuple[dict[int, list[date]], dict[int, list[date]]]:
    """Return the days of counted messages in the window that ends today, by client and by address (L-23).

    Of a campaign whose messages a restore has forgotten anybody may have got one: it counts for everybody of whom no
    message of it is known.
    """
    since = today - WINDOW
    by_client = _grouped(_CLIENT_DAYS.rows(connection, since=since, clients=numbers))
    by_address = _grouped(_ADDRESS_DAYS.rows(connection, since=since, addresses=addresses))
    for forgotten, campaign in slots.forgotten(connection, since):
        got, got_at = _this_campaign(connection, numbers, addresses, campaign)
        for number in set(numbers) - got:
            by_client[number].append(forgotten)
        for address in set(addresses) - got_at.keys():
            by_address[address].append(forgotten)
    return by_client, by_address


def _grouped(rows: Iterable[Sequence[Any]]) -> dict[int, list[date]]:
    found: dict[int, list[date]] = defaultdict(list)
    for who, counted in rows:
        found[who].append(read_day(counted))
    return found


def _this_campaign(
    connection: Connection, numbers: list[int], addresses: list[int], campaign: int | None
) -> tuple[set[int], dict[int, set[int]]]:
    """Return who has got this campaign already, and which clients have a message of it under which address."""
    if campaign is None:
        return set(), {}
    got: set[int] = set()
    by_address: dict[int, set[int]] = defaultdict(set)
    for client, address, state in _THIS_CAMPAIGN.rows(
        connection, campaign=campaign, clients=numbers, addresses=addresses
    ):
        if state in _COUNTED:
            got.add(client)
        if address is not None:
            by_address[address].add(client)
    return got, by_address
