"""Statements run as text read and write exactly what the same statements do when SQLAlchemy runs them."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import ColumnElement, Insert, bindparam, delete, insert, select, text
from sqlalchemy.exc import DBAPIError

from dispatcher.errors import StorageError
from dispatcher.storage.hot import Hot, HotInsert, among, one_of, read_day, read_moment, read_moment_or_none, stored
from dispatcher.storage.store import Store
from dispatcher.storage.tables import ClientTable, HeartbeatTable
from tests.stores import client_row

SLOWLY = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
NUMBERS = st.lists(st.integers(1, 2**48 - 1), max_size=12)
INSTANTS = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001 - bounds
DAYS = st.dates(date(1, 1, 1), date(9999, 12, 31))
_CLIENT = ("number", "first_name", "last_name", "language", "created_at", "updated_at", "restricted", "child")


def _add_clients(store: Store, rows: list[dict[str, object]]) -> None:
    """Put these clients in place of all others, the way every other row is written."""

    def work(statement: Insert) -> None:
        with store.database.writing() as connection:
            connection.execute(delete(ClientTable))
            if rows:
                connection.execute(statement, rows)

    work(insert(ClientTable))


@SLOWLY
@given(there=NUMBERS, asked=NUMBERS)
def test_a_list_of_any_length_finds_what_in_finds(store: Store, there: list[int], asked: list[int]) -> None:
    """`among` is `in_` with the list as one value: none, one, doubled and unknown numbers included."""
    _add_clients(store, [client_row(number, store.clock()) for number in set(there)])
    wanted = [*asked, *there[:2]]

    def numbers(condition: ColumnElement[bool]) -> Hot:
        return Hot(select(ClientTable.number).where(condition, ClientTable.child.is_(False)))

    with store.reading() as connection:
        found = numbers(among(ClientTable.number, "these")).rows(connection, these=wanted)
        plain = connection.scalars(select(ClientTable.number).where(ClientTable.number.in_(wanted)))
        assert sorted(plain) == sorted(number for (number,) in found)


@SLOWLY
@given(moment=INSTANTS, day=DAYS, offset=st.integers(-12 * 60, 12 * 60))
def test_what_is_written_plainly_is_read_hot(store: Store, moment: datetime, day: date, offset: int) -> None:
    """Instants come back as aware UTC to the microsecond, whatever their offset was, and days as days."""
    here = moment.astimezone(timezone(timedelta(minutes=offset)))
    _add_clients(store, [client_row(1, here) | {"last_visit": day, "paused_until": None, "gone_since": moment}])
    row = Hot(
        select(ClientTable.created_at, ClientTable.last_visit, ClientTable.paused_until, ClientTable.gone_since).where(
            ClientTable.created_at <= bindparam("moment")
        )
    )
    with store.reading() as connection:
        [(created, visited, paused, gone)] = row.rows(connection, moment=here)
    assert (moment, day, None) == (read_moment(created), read_day(visited), read_moment_or_none(paused))
    assert moment == read_moment_or_none(gone)
    assert timedelta(0) == read_moment(created).utcoffset()


@SLOWLY
@given(
    numbers=st.lists(st.integers(1, 2**48 - 1), min_size=1, max_size=12, unique=True),
    moment=INSTANTS,
    name=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=100),
    restricted=st.booleans(),
)
def test_what_is_written_hot_is_read_plainly(
    store: Store, numbers: list[int], moment: datetime, name: str, *, restricted: bool
) -> None:
    """Rows put in together are the rows that SQLAlchemy reads, each value in its own column, in the order given."""
    _add_clients(store, [])
    with store.database.writing() as connection:
        at = stored(moment, connection)
        rows = [(number, name, f"{number}", "fi", at, at, restricted, False) for number in numbers]
        HotInsert(ClientTable, (*_CLIENT, "suspended", "own_cap")).run(
            connection, [(*row, False, None) for row in rows]
        )
    with store.reading() as connection:
        query = select(*(getattr(ClientTable, column) for column in (*_CLIENT, "own_cap")))
        found = [tuple(row) for row in connection.execute(query)]
    wanted = [(number, name, f"{number}", "fi", moment, moment, restricted, False, None) for number in numbers]
    assert sorted(wanted) == sorted(found)


def test_only_words_of_the_list_fit(store: Store) -> None:
    """A list of our own words stands in the text itself, and fits those words and no others."""
    _add_clients(store, [client_row(1, store.clock()), client_row(2, store.clock()) | {"language": "sv"}])
    with store.reading() as connection:
        found = Hot(select(ClientTable.number).where(one_of(ClientTable.language, ["sv", "en"]))).rows(connection)
    assert [(2,)] == [tuple(row) for row in found]


def test_a_value_that_was_forgotten_is_an_error(store: Store) -> None:
    """A statement never runs with a value missing."""
    query = Hot(select(ClientTable.number).where(ClientTable.number > bindparam("after")))
    with store.reading() as connection, pytest.raises(KeyError, match="after"):
        query.rows(connection)


def test_trouble_has_the_name_it_has_elsewhere(store: Store) -> None:
    """A second row of one key is refused as everywhere, and rows before it in the list are not kept."""
    _add_clients(store, [client_row(2, store.clock())])
    put = HotInsert(ClientTable, ("number", "first_name", "last_name", "language", "created_at", "updated_at"))

    def work() -> None:
        with store.database.writing() as connection:
            at = stored(store.clock(), connection)
            put.run(connection, [(number, "Maija", "Esimerkki", "fi", at, at) for number in (1, 2)])

    with pytest.raises((DBAPIError, StorageError)):
        work()
    with store.reading() as connection:
        assert [2] == list(connection.scalars(select(ClientTable.number)))


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_nothing_is_cut_to_fit(store: Store) -> None:
    """Text too long for its column is refused where the database counts, never shortened."""
    put = HotInsert(HeartbeatTable, ("process", "version", "started_at", "seen_at"))
    with pytest.raises(StorageError, match="too long"), store.database.writing() as connection:
        put.run(connection, [("x" * 41, "1", stored(store.clock(), connection), stored(store.clock(), connection))])


def test_trouble_of_a_read_has_the_name_it_has_elsewhere(store: Store) -> None:
    """What the database cannot read is its trouble by the usual name, and no value of the statement stands in it."""
    query = Hot(select(ClientTable.number).where(ClientTable.first_name == bindparam("name")))
    with store.database.writing() as connection:
        connection.execute(text("ALTER TABLE client RENAME COLUMN first_name TO given_name"))
        with pytest.raises(DBAPIError, match="first_name") as raised:
            query.rows(connection, name="Salaisuus")
    assert "Salaisuus" not in str(raised.value)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_connection_that_is_lost_is_used_no_more(store: Store) -> None:
    """Once the server has cut a connection, the next statement has a new one."""
    query = Hot(select(ClientTable.number))

    def lose() -> None:
        with store.database.writing() as connection:
            process = connection.scalar(text("SELECT pg_backend_pid()"))
            with store.database.writing() as another:
                another.execute(text("SELECT pg_terminate_backend(:process)"), {"process": process})
            try:
                query.rows(connection)
            finally:
                assert connection.invalidated

    with pytest.raises(StorageError, match="did not answer"):
        lose()
    with store.reading() as connection:
        assert [] == list(query.rows(connection))
