"""The migrations make the tables that the program believes in."""

from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, inspect, select
from sqlalchemy.exc import IntegrityError

from dispatcher.storage.database import MIGRATIONS, Connection, Database, upgrade
from dispatcher.storage.store import Store
from dispatcher.storage.tables import Table
from tests.clock import FixedClock


def test_models_equal_migrations(store: Store) -> None:
    """A database that was migrated from nothing has the tables, columns, types and keys of the models, and no other."""
    with store.database.writing() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert [] == compare_metadata(context, Table.metadata)


def test_there_is_one_way_forward() -> None:
    """The migrations make one line: one beginning, one head."""
    scripts = ScriptDirectory(str(MIGRATIONS))
    assert 1 == len(scripts.get_heads())
    assert ["0001"] == scripts.get_bases()


def test_unique_keys_stand_in_the_database(store: Store) -> None:
    """Invariant 2: one message per client and campaign, and per address and campaign, is the database's own rule."""
    with store.reading() as connection:
        found = {tuple(key["column_names"]) for key in inspect(connection).get_unique_constraints("outbox")}
    assert {("client", "campaign"), ("address", "campaign"), ("message_id",)} == found


def test_the_messages_of_an_earlier_version_are_kept(journal_url: str, tmp_path: Path, clock: FixedClock) -> None:
    """What stood in the outbox before its keys were turned round stands there afterwards, and the keys hold (L-23)."""
    url = journal_url if "://" in journal_url else f"sqlite:///{tmp_path}/earlier.db"
    if url.startswith("sqlite"):
        (tmp_path / "earlier.db").touch()
    database = Database(url)
    with database.writing() as connection:
        _migrate(connection, "0011")
        tables = MetaData()
        tables.reflect(connection, only=["campaign", "outbox"])
        now = clock().replace(tzinfo=None) if database.is_sqlite else clock()
        campaign = {"id": 1, "name": "a", "title": "A", "kind": "offer", "state": "sending", "channels": "email"}
        moments = {"send_at": now, "scheduled_at": now, "plan_mark": 0}
        connection.execute(tables.tables["campaign"].insert(), [{**campaign, **moments}])
        waiting = {"campaign": 1, "state": "waiting", "attempts": 0, "planned_at": now, "not_before": now, "fence": 0}
        rows = [{**waiting, "id": 10 * n, "client": n, "address": n, "message_id": f"m{n}"} for n in (1, 2, 3)]
        outbox = tables.tables["outbox"]
        connection.execute(outbox.insert(), rows)
        before = connection.execute(select(outbox).order_by(outbox.c.id)).all()
    upgrade(url)
    with database.writing() as connection:
        assert before == connection.execute(select(outbox).order_by(outbox.c.id)).all()
        for twice in ("client", "address", "message_id"):
            other = {**waiting, "client": 8, "address": 9, "message_id": "m9", twice: rows[0][twice]}
            with pytest.raises(IntegrityError), connection.begin_nested():
                connection.execute(outbox.insert(), [other])
    database.close()


def _migrate(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
