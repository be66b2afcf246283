"""What stays of the entries of a year that is destroyed: only where it stands may an entry of the ledger be deleted."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_REFUSAL = "the ledger is append-only"
_STANDS = "EXISTS (SELECT 1 FROM ledger_destroyed WHERE id = OLD.id AND digest = OLD.digest)"


def upgrade() -> None:
    """Add the table, guard it as the ledger is guarded, and let an entry go whose stub stands in it."""
    op.create_table(
        "ledger_destroyed",
        sa.Column("id", _BIG, autoincrement=False, nullable=False),
        sa.Column("group_id", _BIG, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_destroyed")),
    )
    op.create_index("ix_ledger_destroyed_group_id", "ledger_destroyed", ["group_id"], unique=False)
    op.add_column("installation", sa.Column("destruction_confirmed_at", sa.DateTime(timezone=True), nullable=True))
    if op.get_bind().dialect.name == "sqlite":
        for act in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER ledger_destroyed_refuses_{act.lower()} BEFORE {act} ON ledger_destroyed "
                f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
            )
        op.execute("DROP TRIGGER ledger_entry_refuses_delete")
        op.execute(
            f"CREATE TRIGGER ledger_entry_refuses_delete BEFORE DELETE ON ledger_entry WHEN NOT {_STANDS} "
            f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
        )
        return
    op.execute(
        "CREATE TRIGGER ledger_destroyed_refuses BEFORE UPDATE OR DELETE ON ledger_destroyed "
        "FOR EACH ROW EXECUTE FUNCTION ledger_refuses()"
    )
    op.execute(
        "CREATE FUNCTION ledger_entry_refuses() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN IF TG_OP = 'DELETE' AND {_STANDS} THEN RETURN OLD; END IF; "
        f"RAISE EXCEPTION '{_REFUSAL}'; END $$"
    )
    op.execute("DROP TRIGGER ledger_entry_refuses ON ledger_entry")
    op.execute(
        "CREATE TRIGGER ledger_entry_refuses BEFORE UPDATE OR DELETE ON ledger_entry "
        "FOR EACH ROW EXECUTE FUNCTION ledger_entry_refuses()"
    )
