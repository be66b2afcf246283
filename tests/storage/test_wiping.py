"""What was deleted is in no file of the database any more, or somebody is told that it may be."""

import pytest
from sqlalchemy import text

from dispatcher.storage import wiping
from dispatcher.storage.store import Store
from tests.stores import add_client, raw


def test_a_transaction_elsewhere_on_the_server_keeps_what_is_deleted(
    store: Store, journal_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L-33: PostgreSQL copies deleted rows while a neighbour's transaction is open, so nothing is said to be gone."""
    monkeypatch.setattr(wiping, "_LOOKS", 2)
    add_client(store, 1, email="maija@posti.example")
    assert wiping.rewrite_tables(store.database, ["address"])
    if store.database.is_sqlite:
        return
    neighbour = raw(journal_url)
    with neighbour.connect() as elsewhere:
        elsewhere.execute(text("SELECT pg_current_xact_id()"))
        store.write(lambda transaction: transaction.connection.execute(text("UPDATE address SET id = id")))
        assert not wiping.rewrite_tables(store.database, ["address"])
    neighbour.dispose()
    assert wiping.rewrite_tables(store.database, ["address"])
