"""The progress of campaigns that were planned before it was kept, counted once from their messages."""

from alembic import op

revision = "0008"
down_revision = "0007"

_LAST_MOVED = "COALESCE(outcome_at, intent_at, planned_at)"
_MINUTE = {
    "sqlite": f"substr({_LAST_MOVED}, 1, 16) || ':00.000000'",
    "postgresql": f"date_trunc('minute', {_LAST_MOVED})",
}
_STAND = ("state", "CASE WHEN closed_at IS NULL THEN COALESCE(reason, '') ELSE 'closed' END", "state IS NOT NULL")
_TOLD = ("'told'", "later", "later IS NOT NULL")


def upgrade() -> None:
    """Fill the sums."""
    connection = op.get_bind()
    minute = _MINUTE[connection.dialect.name]
    for state, reason, these in (_STAND, _TOLD):
        connection.exec_driver_sql(
            "INSERT INTO progress (campaign, channel, state, reason, minute, count) "  # noqa: S608 - words of ours
            f"SELECT campaign, COALESCE(channel, ''), {state}, {reason}, {minute}, count(*) FROM outbox "
            f"WHERE {these} GROUP BY 1, 2, 3, 4, 5"
        )
