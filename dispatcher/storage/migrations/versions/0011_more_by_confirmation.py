"""What a client asks for by the link of a message waits for its confirmation beside the sign-ups."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the columns."""
    op.add_column("sign_up", sa.Column("client", _BIG, nullable=True))
    op.add_column("sign_up", sa.Column("wish", sa.String(length=40), nullable=True))
    op.add_column("sign_up", sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_sign_up_client", "sign_up", ["client"])
