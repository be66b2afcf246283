"""Copies of a PostgreSQL database: a zip with one member a table, as COPY writes it, and a manifest.

No program of PostgreSQL's own is needed, and none of another version gets in the way.
"""

import hashlib
import json
import zipfile
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Connection, text

from dispatcher.errors import StorageError
from dispatcher.storage import installation, locks
from dispatcher.storage.contents import Contents, check_revision, read_contents
from dispatcher.storage.database import Database
from dispatcher.storage.locks import Lock, LockKind
from dispatcher.storage.tables import Table

_MANIFEST = "manifest.json"
_PART = 1 << 16
_SEQUENCES = text("SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = current_schema()")
_SET_SEQUENCE = text("""
    SELECT setval(CAST(sequencename AS regclass), greatest(CAST(:last AS bigint), last_value))
    FROM pg_sequences WHERE sequencename = :name AND schemaname = current_schema()
""")
_OTHERS = text("""
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
""")
_PATIENCE = 10
"""How many tenths of a second a connection that has just been given back may take to go."""


def write(database: Database, draft: Path) -> Contents:
    """Copy one consistent state of a database in use into an empty file, and return what the copy must hold."""
    with (
        database.reading() as connection,
        draft.open("r+b") as file,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        contents = read_contents(connection)
        members = {}
        for table in Table.metadata.sorted_tables:
            with archive.open(table.name, "w", force_zip64=True) as member:
                members[table.name] = _copy_out(
                    connection, f"COPY {_columns(connection, table.name)} TO STDOUT", member
                )
        manifest = {
            "format": 1,
            **contents.as_json(),
            "members": members,
            "sequences": {row[0]: row[1] for row in connection.execute(_SEQUENCES) if row[1] is not None},
        }
        archive.writestr(_MANIFEST, json.dumps(manifest, indent=1))
    return contents


def check(path: Path) -> Contents:
    """Read a copy to its end and return what it holds. Raises StorageError for one that is damaged or not a copy."""
    try:
        with zipfile.ZipFile(path) as archive:
            manifest = json.loads(archive.read(_MANIFEST))
            contents = Contents.from_json(manifest)
            check_revision(contents.revision)
            for name, sha256 in manifest["members"].items():
                found, rows = _digest(archive, name)
                if found != sha256 or rows != contents.rows[name]:
                    raise StorageError(f"{path.name} is damaged in {name}. Nothing was changed.")
            if set(manifest["members"]) != {table.name for table in Table.metadata.sorted_tables}:
                raise StorageError(f"{path.name} does not hold every table. Nothing was changed.")
            return contents
    except (zipfile.BadZipFile, OSError, KeyError, TypeError, ValueError, AttributeError, EOFError) as error:
        raise StorageError(f"{path.name} cannot be read as a copy of the database ({error}).") from None


def put_back(database: Database, path: Path, contents: Contents) -> None:
    """Put a checked copy in the place of all rows, in one transaction; the database waits for its replay then.

    Raises StorageError if another program is connected to the database.
    """
    database.close()
    with database.writing() as connection, zipfile.ZipFile(path) as archive:
        _check_alone(connection)
        locks.take(connection, [Lock(LockKind.JOURNAL, 0)])
        tables = [table.name for table in Table.metadata.sorted_tables]
        connection.execute(text(f"TRUNCATE {', '.join(_quoted(connection, name) for name in tables)}"))
        for name in tables:
            with archive.open(name) as member:
                _copy_in(connection, f"COPY {_columns(connection, name)} FROM STDIN", member)
        if read_contents(connection) != contents:
            raise StorageError(f"{path.name} did not come back as it was. Nothing was changed.")
        installation.set_needs_replay(connection, needs=True)
        # A sequence never goes back: a number that was given to something lost is not given to another.
        for name, last in json.loads(archive.read(_MANIFEST))["sequences"].items():
            connection.execute(_SET_SEQUENCE, {"name": name, "last": last})


def _check_alone(connection: Connection) -> None:
    for _ in range(_PATIENCE):
        if not connection.scalar(_OTHERS):
            return
        connection.execute(text("SELECT pg_stat_clear_snapshot(), pg_sleep(0.1)"))
    raise StorageError(
        "Others are connected to the database: stop `dispatcher web`, `dispatcher work` and every other program, then "
        "put the copy back. Nothing was changed."
    )


def _copy_out(connection: Connection, statement: str, member: IO[bytes]) -> str:
    digest = hashlib.sha256()
    with _driver(connection).cursor() as cursor, cursor.copy(statement) as copy:
        for part in copy:
            digest.update(part)
            member.write(part)
    return digest.hexdigest()


def _copy_in(connection: Connection, statement: str, member: IO[bytes]) -> None:
    with _driver(connection).cursor() as cursor, cursor.copy(statement) as copy:
        while part := member.read(_PART):
            copy.write(part)


def _digest(archive: zipfile.ZipFile, name: str) -> tuple[str, int]:
    """Return the SHA-256 of a member and its rows: COPY ends each with the only line feed it writes."""
    digest, rows = hashlib.sha256(), 0
    with archive.open(name) as member:
        while part := member.read(_PART):
            digest.update(part)
            rows += part.count(b"\n")
    return digest.hexdigest(), rows


def _columns(connection: Connection, table: str) -> str:
    """Return a table and its columns by name, so that their order in the database does not matter."""
    columns = Table.metadata.tables[table].columns
    return f"{_quoted(connection, table)} ({', '.join(_quoted(connection, column.name) for column in columns)})"


def _quoted(connection: Connection, name: str) -> str:
    return str(connection.dialect.identifier_preparer.quote(name))


def _driver(connection: Connection) -> Any:
    return connection.connection.driver_connection
