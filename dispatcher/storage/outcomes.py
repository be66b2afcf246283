"""What became of a hand-off, as the tables of campaign and service messages both write it."""

from datetime import datetime

from dispatcher.rules.message import MessageState, Outcome


def outcome_columns(outcome: Outcome, provider: str, now: datetime, again_at: datetime | None) -> dict[str, object]:
    """Return the columns that both tables have.

    `again_at` is when a deferred message may be tried again; without it a deferral is final. What was deferred or
    refused counts on no day.
    """
    state = MessageState(outcome.kind.value)
    if state is MessageState.DEFERRED and again_at is None:
        state = MessageState.REFUSED
    columns: dict[str, object] = {
        "state": state.value,
        "outcome_at": now,
        "code": (outcome.status or outcome.code)[:20],
        "provider": provider,
        "provider_id": outcome.provider_id[:64] or None,
    }
    if state is MessageState.DEFERRED:
        columns["not_before"] = again_at
    if state in {MessageState.DEFERRED, MessageState.REFUSED}:
        columns["day"] = None
    return columns
