"""Whom an outcome concerns, what was recalled and what came later; the pace, the progress and the soft bounces."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the columns and the tables."""
    op.add_column("outbox", sa.Column("blame", sa.String(length=40), nullable=True))
    op.add_column("outbox", sa.Column("recalled_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("outbox", sa.Column("later", sa.String(length=40), nullable=True))
    op.add_column("outbox", sa.Column("later_code", sa.String(length=20), nullable=True))
    op.add_column("outbox", sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_outbox_outcome", "outbox", ["campaign", "outcome_at"], unique=False)
    op.create_table(
        "pace",
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("share", sa.Integer(), server_default="1000", nullable=False),
        sa.Column("rests_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("channel", name=op.f("pk_pace")),
    )
    op.create_table(
        "pace_hour",
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("channel", "hour", name=op.f("pk_pace_hour")),
    )
    op.create_table(
        "progress",
        sa.Column("campaign", _BIG, nullable=False),
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("minute", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["campaign"], ["campaign.id"], name=op.f("fk_progress_campaign")),
        sa.PrimaryKeyConstraint("campaign", "channel", "minute", "state", "reason", name=op.f("pk_progress")),
    )
    op.create_table(
        "soft_bounce",
        sa.Column("id", _BIG, autoincrement=True, nullable=False),
        sa.Column("address", _BIG, nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["address"], ["address.id"], name=op.f("fk_soft_bounce_address"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_soft_bounce")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_soft_bounce_address"), "soft_bounce", ["address"], unique=False)
