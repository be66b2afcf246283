"""The desk finds people by what it hears: part of a name, of a mail address or of a number, as it was said."""

import pytest

from dispatcher.storage import clients
from dispatcher.storage.lookup import look_up
from dispatcher.storage.store import Store
from tests.stores import add_client, client_row


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("aijala", [1]),
        ("ÄIJÄLÄ", [1]),
        ("äijälä ölö", [1]),
        ("olovi aijala", [1]),
        ("anna", [2]),
        ("strasse", [2]),
        ("maija_m@", [3]),
        ("MAIJA_M@Posti", [3]),
        ("maijaxm@", []),
        ("040 123", [3]),
        ("040-1234567", [3]),
        ("+358 40", [3]),
        ("00358 40", [3]),
        ("4567", [3]),
        ("04", []),
        ("meik", [3]),
        ("%", []),
        ("", []),
        ("   ", []),
    ],
)
def test_people_are_found_by_ear(store: Store, words: str, found: list[int]) -> None:
    """Case, accents and the order of words do not matter; a number may begin as it is dialled at home; _ is itself."""
    people = ((1, "Ölövi", "Äijälä"), (2, "Ánná", "Straße"))
    store.write(
        lambda transaction: clients.insert_clients(
            transaction.connection, [client_row(number, transaction.now, *name) for number, *name in people]
        )
    )
    add_client(store, 3, email="maija_m@posti.example", phone="+358401234567")
    with store.reading() as connection:
        assert found == look_up(connection, words, 20)


def test_a_search_ends_at_its_limit(store: Store) -> None:
    """The first by name are shown, and no more than were asked for."""
    for number in (1, 2, 3):
        add_client(store, number)
    with store.reading() as connection:
        assert [1, 2] == look_up(connection, "meik", 2)
