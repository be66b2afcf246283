"""The progress of campaigns that were planned before it was kept, counted once from their messages."""

from alembic import op

revision = "0008"
down_revision = "0007"

_LAST_MOVED = "COALESCE(outcome_at, intent_at, planned_at)"
_MINUTE = {
    "sqlite": f"substr({_LAST_MOVED}, 1, 16) || ':00.000000'",
    "postgresql": f"date_trunc('minute', {_LAST_MOVED})",
}


def upgrade() -> None:
    """Fill the sums."""
    connection = op.get_bind()
    minute = _MINUTE[connection.dialect.name]
    reason = "CASE WHEN closed_at IS NULL THEN COALESCE(reason, '') ELSE 'closed' END"
    stand = f"campaign, COALESCE(channel, ''), state, {reason}"
    told = "campaign, channel, 'told', later"
    for words, these in ((stand, "state IS NOT NULL"), (told, "later IS NOT NULL")):
        connection.exec_driver_sql(
            "INSERT INTO progress (campaign, channel, state, reason, minute, count) "  # noqa: S608 - words of ours
            f"SELECT {words}, {minute}, count(*) FROM outbox WHERE {these} GROUP BY {words}, {minute}"
        )
