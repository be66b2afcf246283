"""Whom to ask the marketing question, and why: what is answered has an end, and a visit is an occasion.

Asking somebody who stands at the desk or books by phone is no marketing; writing to ask would be (L-09).
"""

from datetime import datetime, timedelta
from enum import StrEnum

from dispatcher.rules.consent import Consent, ConsentState


class Occasion(StrEnum):
    """Why somebody is to be asked about a channel."""

    UNASKED = "unasked"
    """No answer that counts is on record."""
    ENDED = "ended"
    """A yes has come to its end."""
    ENDS_SOON = "ends_soon"
    """A yes stands and ends within the days in which it is asked for anew."""
    VISITED = "visited"
    """The client has been here since they last answered."""


def occasion(consent: Consent, now: datetime, renew_within: timedelta, *, visited: bool) -> Occasion | None:
    """Return why to ask about a channel with this consent now, or None. Nobody is asked against an objection (L-09)."""
    if consent.objected:
        return None
    if consent.state is ConsentState.NEVER_ASKED:
        return Occasion.UNASKED
    if consent.state is ConsentState.EXPIRED:
        return Occasion.ENDED
    if consent.ends_at is not None and consent.ends_at - now <= renew_within:
        return Occasion.ENDS_SOON
    return Occasion.VISITED if visited else None
