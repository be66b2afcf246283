"""Runs the migrations over the connection that `database.upgrade` opened."""

from alembic import context

from dispatcher.storage.tables import Table

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=Table.metadata, transaction_per_migration=False)
with context.begin_transaction():
    context.run_migrations()
