"""Statements that run for every batch of messages: turned into text once, run on plain values.

Building a statement costs several times what running it does, and so does turning each row into an object of its own
and each value by the type of its column. Of 128 messages decided together that was most of the time. Here the text is
made once for each kind of database and runs on the driver's own cursor, and rows come as the driver gives them:
`read_moment` and `read_day` read what SQLite keeps as text. Everything else (who begins a transaction, what an error is
called) is as for other statements.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Dialect,
    Select,
    String,
    Table,
    bindparam,
    literal_column,
)
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.compiler import SQLCompiler

Row = Sequence[Any]


class among(ColumnElement[bool]):  # noqa: N801 - it reads like the functions it stands beside
    """That a column is one of a list given as one value: a list of any length makes the same text."""

    inherit_cache = False

    def __init__(self, column: Any, name: str) -> None:
        self.column: Any = column
        self.listed: BindParameter[Any] = bindparam(name, unique=False)


@compiles(among, "sqlite")
def _in_json(element: among, compiler: SQLCompiler, **_options: Any) -> str:
    column, listed = compiler.process(element.column), compiler.process(element.listed)
    return f"{column} IN (SELECT value FROM json_each({listed}))"  # noqa: S608 - both are text of the compiler's


@compiles(among, "postgresql")
def _in_array(element: among, compiler: SQLCompiler, **_options: Any) -> str:
    column, listed = compiler.process(element.column), compiler.process(element.listed)
    kind = compiler.dialect.type_compiler_instance.process(element.column.type)
    return f"{column} = ANY (CAST({listed} AS {kind}[]))"


def one_of(column: Any, words: Iterable[str]) -> ColumnElement[bool]:
    """Say that a column holds one of a few words of our own; they stand in the text, so that an index may fit them."""
    found: ColumnElement[bool] = column.in_([literal_column(f"'{word}'") for word in words])
    return found


def stored(value: datetime, connection: Connection) -> Any:
    """Return an instant as `HotInsert` puts it into this database."""
    if connection.dialect.name != "sqlite":
        return value
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


def read_moment(value: Any) -> datetime:
    """Return an instant of a row as aware UTC."""
    found: datetime = datetime.fromisoformat(f"{value}+00:00") if isinstance(value, str) else value.astimezone(UTC)
    return found


def read_moment_or_none(value: Any) -> datetime | None:
    """Return an instant of a row as aware UTC, where there is one."""
    return None if value is None else read_moment(value)


def read_day(value: Any) -> date:
    """Return a local date of a row."""
    found: date = date.fromisoformat(value) if isinstance(value, str) else value
    return found


class Hot:
    """A statement that reads or changes rows for a batch; lists are given to `among`, all else to bound parameters."""

    def __init__(self, statement: ClauseElement) -> None:
        self._statement = statement
        self._texts: dict[str, _Text] = {}

    def rows(self, connection: Connection, **values: Any) -> Sequence[Row]:
        """Run the statement and return its rows as the driver gives them."""
        text = self._texts.get(connection.dialect.name) or self._made(connection)
        with closing(executed(connection, text.sql, text.given(values))) as cursor:
            return _fetched(connection, text.sql, cursor)

    def run(self, connection: Connection, **values: Any) -> int:
        """Run the statement and return how many rows it changed."""
        text = self._texts.get(connection.dialect.name) or self._made(connection)
        with closing(executed(connection, text.sql, text.given(values))) as cursor:
            return cursor.rowcount

    def one(self, connection: Connection, **values: Any) -> Any:
        """Run the statement and return the first value of its first row, or None where there is none."""
        rows = self.rows(connection, **values)
        return rows[0][0] if rows else None

    def _made(self, connection: Connection) -> "_Text":
        made = self._texts[connection.dialect.name] = _Text(self._statement, connection)
        return made


class _Text:
    """A statement as text for one kind of database, and how its values are put into it."""

    def __init__(self, statement: ClauseElement, connection: Connection) -> None:
        dialect = connection.dialect
        compiled: Any = statement.compile(dialect=dialect)
        self.sql = str(compiled)
        self._is_sqlite = dialect.name == "sqlite"
        self._names: Sequence[str] = compiled.positiontup if self._is_sqlite else list(compiled.binds)
        self._fixed = {name: bound.value for name, bound in compiled.binds.items() if not bound.required}
        self._processes = {
            name: bound.type.dialect_impl(dialect).bind_processor(dialect) for name, bound in compiled.binds.items()
        }

    def given(self, values: Mapping[str, Any]) -> Any:
        """Return the values as the driver takes them: in order on SQLite, by name on PostgreSQL."""
        every = {**self._fixed, **values}
        if self._is_sqlite:
            return tuple(self._value(name, every[name]) for name in self._names)
        return {name: self._value(name, every[name]) for name in self._names}

    def _value(self, name: str, value: Any) -> Any:
        if isinstance(value, list):
            return json.dumps(value) if self._is_sqlite else value
        process = self._processes.get(name)
        return value if process is None else process(value)


class HotInsert:
    """An insert of many rows at once, each a tuple in the order of the columns named, instants as `stored` gives them.

    `then` is what else the statement says, such as what happens where a row is there already.
    """

    def __init__(self, table: Any, columns: Sequence[str], then: str = "") -> None:
        self._then = f" {then}" if then else ""
        self._table: Table = table.__table__
        self._columns = [self._table.c[name] for name in columns]
        self._texts: dict[str, str] = {}

    def run(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Write the rows; there must be one at least."""
        dialect = connection.dialect
        text = self._texts.get(dialect.name)
        if text is None:
            text = self._texts[dialect.name] = self._text(dialect)
        if dialect.name == "sqlite":
            executed(connection, text, rows, many=True).close()
        else:
            # One statement with a list for each column: a row costs a fraction of what a statement of its own would.
            executed(connection, text, tuple(list(column) for column in zip(*rows, strict=True))).close()

    def _text(self, dialect: Dialect) -> str:
        names = ", ".join(dialect.identifier_preparer.quote(column.name) for column in self._columns)
        into = f"INSERT INTO {dialect.identifier_preparer.quote(self._table.name)} ({names})"
        if dialect.name == "sqlite":
            return f"{into} VALUES ({', '.join('?' * len(self._columns))}){self._then}"
        # Text of any length: what is too long for its column has to be refused, and a cast to its type would cut it.
        kinds = [
            "TEXT" if isinstance(column.type, String) else dialect.type_compiler_instance.process(column.type)
            for column in self._columns
        ]
        lists = ", ".join(f"%s::{kind}[]" for kind in kinds)
        return f"{into} SELECT * FROM unnest({lists}){self._then}"  # noqa: S608 - names of ours


def in_parts(connection: Connection, statement: Select[Any], size: int) -> Iterator[Sequence[Row]]:
    """Run a statement that has its values and yield its rows as the driver gives them, so many at a time.

    Rows that were not fetched are not in memory: PostgreSQL keeps them for itself, SQLite has not read them yet.
    """
    if connection.dialect.name != "sqlite":
        # The driver's own cursor has all rows in memory at once; the other kind is SQLAlchemy's to open.
        yield from connection.execute(statement, execution_options={"yield_per": size}).partitions()
        return
    text = _Text(statement, connection)
    with closing(executed(connection, text.sql, text.given({}))) as cursor:
        while rows := _fetched(connection, text.sql, cursor, size):
            yield rows


def _fetched(connection: Connection, sql: str, cursor: DBAPICursor, size: int | None = None) -> Sequence[Row]:
    try:
        return cursor.fetchall() if size is None else cursor.fetchmany(size)
    except Exception as error:  # SQLite finds the rows while they are fetched
        raise _named(connection, sql, error, cursor) from error


def executed(connection: Connection, sql: str, values: Any, *, many: bool = False) -> DBAPICursor:
    """Run a statement on a cursor of the driver's and return that; what SQLAlchemy adds costs as much as running it.

    Raises what SQLAlchemy raises for the same trouble.
    """
    if not connection.in_transaction():
        connection.begin()
    cursor: DBAPICursor = connection.connection.cursor()
    try:
        if many:
            cursor.executemany(sql, values)
        else:
            cursor.execute(sql, values)
    except Exception as error:
        raise _named(connection, sql, error, cursor) from error
    return cursor


def _named(connection: Connection, sql: str, error: Exception, cursor: DBAPICursor) -> BaseException:
    """Return the trouble by SQLAlchemy's name, without the values; a connection that is lost is used no more."""
    dialect: Any = connection.dialect
    if not isinstance(error, dialect.dbapi.Error):
        return error
    is_lost = bool(dialect.is_disconnect(error, connection.connection, cursor))
    if is_lost:
        connection.invalidate(error)
    named: BaseException = DBAPIError.instance(
        sql,
        None,
        error,
        dialect.dbapi.Error,
        hide_parameters=True,
        connection_invalidated=is_lost,
        dialect=dialect,
    )
    return named
