"""What each part of a text message costs, as it was when the message left."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the column."""
    op.add_column("outbox", sa.Column("part_price", sa.String(length=16), nullable=True))
