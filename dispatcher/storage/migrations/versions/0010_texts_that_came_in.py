"""Which text messages that came in have been dealt with."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "text_in",
        sa.Column("sid", sa.String(length=64), nullable=False),
        sa.Column("client", _BIG, autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("said", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("sid", "client", name=op.f("pk_text_in")),
    )
    op.create_index(op.f("ix_text_in_client"), "text_in", ["client"], unique=False)
