"""The outbox in fewer indexes: what a message changes on its way stands in none that every commit would write anew."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

_DUE, _ATTEMPTED = sa.text("state IN ('waiting', 'deferred')"), sa.text("state IN ('attempting')")
_NAMED = sa.text("provider_id IS NOT NULL")


def upgrade() -> None:
    """Turn the unique keys round, so that they find a client's and an address's messages as well."""
    for name in ("due", "client_day", "address_day", "provider_id"):
        op.drop_index(f"ix_outbox_{name}", "outbox")
    # SQLite knows no other way to change a key than to write the table anew.
    with op.batch_alter_table("outbox", table_kwargs={"sqlite_autoincrement": True}) as outbox:
        for other in ("client", "address"):
            outbox.drop_constraint(f"uq_outbox_campaign_{other}", type_="unique")
            outbox.create_unique_constraint(f"uq_outbox_{other}_campaign", [other, "campaign"])
    for name, columns, where in (
        ("due", ["campaign", "not_before"], _DUE),
        ("attempted", ["campaign"], _ATTEMPTED),
        ("provider_id", ["provider_id"], _NAMED),
    ):
        op.create_index(f"ix_outbox_{name}", "outbox", columns, sqlite_where=where, postgresql_where=where)
