"""Who may use the desk: whoever opened its link first, in that browser, while they keep at it.

One link, one use, one session; all of it in memory, so that the end of the program ends it too.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hmac import compare_digest

from dispatcher.rules.campaign import Language

IDLE = timedelta(minutes=30)
"""How long a session stays open with nobody touching it."""
LONGEST = timedelta(hours=12)
"""How long a session lasts at most: a working day."""
_BYTES = 24


@dataclass(slots=True)
class Session:
    """One browser at the desk; `form` stands in every form, `said` is what the next page tells, once."""

    secret: str
    form: str
    begun_at: datetime
    seen_at: datetime
    language: Language = Language.FI
    said: str = ""

    def tell(self) -> str:
        """Return what was done just now, and forget it."""
        said, self.said = self.said, ""
        return said


class Doorkeeper:
    """Gives out links of which each opens once, and knows the one session that is open."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._link: str | None = None
        self._session: Session | None = None

    def new_link(self) -> str:
        """Return the secret of a new link, 192 bits; one given out before opens nothing any more."""
        self._link = secrets.token_urlsafe(_BYTES)
        return self._link

    def enter(self, secret: str) -> Session | None:
        """Begin a session with a link that has not been used, in place of any other; None for every other text."""
        link = self._link
        if link is None or not compare_digest(link.encode(), secret.encode()):
            return None
        now = self._clock()
        self._link = None
        self._session = Session(secrets.token_urlsafe(_BYTES), secrets.token_urlsafe(_BYTES), now, now)
        return self._session

    def session(self, secret: str) -> Session | None:
        """Return the session of a cookie, and keep it open; None where it is not ours or has ended."""
        found, now = self._session, self._clock()
        if found is None or not compare_digest(found.secret.encode(), secret.encode()):
            return None
        if now - found.seen_at >= IDLE or now - found.begun_at >= LONGEST:
            self._session = None
            return None
        found.seen_at = now
        return found

    def leave(self) -> None:
        """End the session."""
        self._session = None
