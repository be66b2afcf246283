"""The register: clients under random numbers, addresses they may share."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError

from dispatcher.keys import KeyedHash
from dispatcher.links import CLIENT_BITS
from dispatcher.rules.campaign import Channel
from dispatcher.storage import clients
from dispatcher.storage.store import Store
from dispatcher.storage.tables import AddressTable, ClientAddressTable, ClientTable
from dispatcher.storage.writer import Transaction
from tests.clock import FixedClock
from tests.stores import add_client, client_row, open_store


def search(store: Store, words: str) -> list[int]:
    """Return who is found by these words."""
    with store.reading() as connection:
        return clients.search(connection, words)


def add_named(store: Store, number: int, first_name: str, last_name: str) -> None:
    """Write a client of this name without an address."""
    store.write(
        lambda transaction: clients.insert_clients(
            transaction.connection, [client_row(number, transaction.now, first_name, last_name)]
        )
    )


def test_a_client_comes_back_with_every_address(store: Store) -> None:
    """A client is read with both addresses by channel, and one who is not there is left out."""
    rows = add_client(store, 7, email="maija@posti.example", phone="+358401234567")
    with store.reading() as connection:
        found = clients.read(connection, [7, 8])
        assert {7: sorted(rows.values())} == {
            number: sorted(ids) for number, ids in clients.address_ids(connection, [7, 8]).items()
        }
    assert [7] == list(found)
    assert {Channel.EMAIL: "maija@posti.example", Channel.SMS: "+358401234567"} == {
        channel: held.canonical for channel, held in found[7].addresses.items()
    }


def test_two_clients_may_share_an_address(store: Store) -> None:
    """An address is a row of its own: two clients who share it point at the same one."""
    one = add_client(store, 1, email="koti@posti.example")
    two = add_client(store, 2, email="koti@posti.example", phone="+358401234567")
    assert one[Channel.EMAIL] == two[Channel.EMAIL]
    with store.reading() as connection:
        found = clients.by_address(
            connection, [(Channel.EMAIL, "koti@posti.example"), (Channel.SMS, "koti@posti.example")]
        )
    assert {(Channel.EMAIL, "koti@posti.example"): frozenset({1, 2})} == found


def test_an_address_takes_the_place_of_another(store: Store, clock: FixedClock) -> None:
    """A client has one address a channel; a new one replaces the old, and says since when."""
    add_client(store, 1, email="vanha@posti.example")

    def change(transaction: Transaction) -> None:
        row = clients.address_rows(transaction.connection, [(Channel.EMAIL, "uusi@posti.example")], clock())
        clients.join_address(transaction.connection, 1, Channel.EMAIL, *row.values(), changed_at=clock())

    store.write(change)
    with store.reading() as connection:
        held = clients.read(connection, [1])[1].addresses[Channel.EMAIL]
        count = connection.scalar(select(func.count()).select_from(ClientAddressTable))
    assert ("uusi@posti.example", clock(), 1) == (held.canonical, held.changed_at, count)


def test_addresses_are_written_once(store: Store, database_url: str, journal_url: str, clock: FixedClock) -> None:
    """Two imports that bring the same addresses at once both get their rows, and the same ones."""
    wanted = [(Channel.EMAIL, f"{number}@posti.example") for number in range(30)]
    stores = [store, open_store(database_url, journal_url, clock)]

    def bring(turn: int) -> dict[tuple[Channel, str], int]:
        given = wanted if turn else wanted[::-1]
        return stores[turn].write(lambda t: clients.address_rows(t.connection, given, t.now))

    with ThreadPoolExecutor(2) as threads:
        one, two = threads.map(bring, range(2))
    stores[1].close()
    assert one == two
    with store.reading() as connection:
        assert 30 == connection.scalar(select(func.count()).select_from(AddressTable))


def test_a_customer_number_belongs_to_one_client(store: Store) -> None:
    """The register's own number is kept as a keyed hash, names its client, and cannot be given twice."""
    add_client(store, 1)
    add_client(store, 2)
    keyed = KeyedHash("1", "a" * 64)
    store.write(lambda transaction: clients.adopt_external(transaction.connection, 1, keyed))
    with pytest.raises(IntegrityError):
        store.write(lambda transaction: clients.adopt_external(transaction.connection, 2, keyed))
    with store.reading() as connection:
        assert {"a" * 64: 1} == clients.by_external(connection, ["a" * 64, "b" * 64])
        assert {"1": 1} == clients.keys_of_customer_numbers(connection)


def test_clients_are_paged_in_order(store: Store) -> None:
    """Planning walks the whole register by number, each client once, and sees the end."""
    for number in (5, 1, 9, 2**CLIENT_BITS - 1):
        add_client(store, number)
    with store.reading() as connection:
        assert 4 == clients.count(connection)
        assert [1, 5, 9] == clients.page(connection, -1, 3)
        assert [2**CLIENT_BITS - 1] == clients.page(connection, 9, 3)
        assert [] == clients.page(connection, 2**CLIENT_BITS - 1, 3)


def test_a_number_says_nothing() -> None:
    """A client's number is random, never 0, and fits a token's six bytes."""
    numbers = {clients.new_number() for _ in range(1_000)}
    assert 1_000 == len(numbers)
    assert all(0 < number < 2**CLIENT_BITS for number in numbers)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("äijälä", [1]),
        ("ÄIJÄLÄ", [1]),
        ("Ölövi  äij", [1]),
        ("strasse", [2]),
        ("maija_m", [3]),
        ("maijaxm", []),
        ("%", []),
        ("0401234567", []),
        ("+358401234567", [3]),
        ("@POSTI.example", [3]),
        ("meik", [3]),
    ],
)
def test_search_finds_by_name_and_address(store: Store, words: str, found: list[int]) -> None:
    """A person at the desk finds clients by any part of name, email or number; ä and _ mean themselves."""
    add_named(store, 1, "Ölövi", "Äijälä")
    add_named(store, 2, "Ernst", "Straße")
    add_client(store, 3, email="maija_m@posti.example", phone="+358401234567")
    assert found == search(store, words)


def test_search_ends_at_its_limit(store: Store) -> None:
    """A search shows the first clients by name, and no more than was asked for."""
    for number, name in enumerate(("Ceder", "Aalto", "Berg"), 1):
        add_named(store, number, "Anna", name)
    with store.reading() as connection:
        assert [2, 3] == clients.search(connection, "anna", limit=2)


def test_a_dead_address_is_marked(store: Store) -> None:
    """An address that died says so for every client who has it."""
    address = add_client(store, 1, email="koti@posti.example")[Channel.EMAIL]
    add_client(store, 2, email="koti@posti.example")
    store.write(lambda transaction: clients.mark_dead(transaction.connection, address, "5.1.1", transaction.now))
    with store.reading() as connection:
        assert [True, True] == [
            client.addresses[Channel.EMAIL].dead for client in clients.read(connection, [1, 2]).values()
        ]


def test_erasing_a_client_takes_the_links_along(store: Store) -> None:
    """A client who is deleted leaves no row that says which addresses were theirs."""
    add_client(store, 1, email="maija@posti.example")
    store.write(lambda t: t.connection.execute(delete(ClientTable).where(ClientTable.number == 1)))
    with store.reading() as connection:
        assert 0 == connection.scalar(select(func.count()).select_from(ClientAddressTable))
