"""The migrations make the tables that the program believes in."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from dispatcher.storage.database import MIGRATIONS
from dispatcher.storage.store import Store
from dispatcher.storage.tables import Table


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
