"""How far each door has been read, and what waits for a person."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "door",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("mark", sa.Text(), nullable=False),
        sa.Column("read_up_to", sa.DateTime(timezone=True), nullable=True),
        sa.Column("trouble", sa.Text(), nullable=True),
        sa.Column("failing_since", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_door")),
    )
    op.create_table(
        "incoming",
        sa.Column("id", _BIG, autoincrement=True, nullable=False),
        sa.Column("client", _BIG, nullable=False),
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("box", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=True),
        sa.Column("text_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled", sa.String(length=40), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incoming")),
        sa.UniqueConstraint("box", "key", "client", name=op.f("uq_incoming_box_key_client")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_incoming_client_settled_at", "incoming", ["client", "settled_at"], unique=False)
