"""A client clicks a link that came in a message: what the opt-out page asks for them, without a page."""

from dispatcher.flow.concern import Concern
from dispatcher.flow.preferences import TEST, Preferences
from dispatcher.rules.consent import Place


def look_by_link(preferences: Preferences, token: str) -> Concern:
    """Return whom a link concerns. Raises LinkError for a link not made here."""
    link = preferences.read(token)
    return preferences.look_at([link])[0] if link else TEST


def leave_by_link(preferences: Preferences, token: str, place: Place) -> None:
    """Say no to everything by a link, but for one of a test message. Raises LinkError for a link not made here."""
    link = preferences.read(token)
    if link:
        preferences.leave_together([(link, place)])
