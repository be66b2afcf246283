"""The life of a campaign: by which channels it goes, and what was declared of a slot that has no campaign here."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the columns."""
    op.add_column("campaign", sa.Column("channels", sa.String(length=40), nullable=True))
    op.add_column("campaign", sa.Column("released_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("slot", sa.Column("kind", sa.String(length=40), nullable=True))
    op.add_column("slot", sa.Column("channels", sa.String(length=40), nullable=True))
    op.add_column("slot", sa.Column("messages", sa.Integer(), nullable=True))
