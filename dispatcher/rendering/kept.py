"""What was made of a campaign's words lately: check, test, plan and hand-off of one campaign need the same again."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from threading import Lock
from typing import Generic, TypeVar

from dispatcher.errors import RenderingError
from dispatcher.rendering.pictures import Picture
from dispatcher.rendering.templates import Templates
from dispatcher.rules.campaign import Campaign
from dispatcher.rules.studio import Studio

Made = TypeVar("Made")
Source = tuple[object, ...]
"""All that a campaign's messages are made of, but for the client; equal where what is made of it is the same."""

_MOST = 16
_WHENEVER = datetime.min.replace(tzinfo=UTC)


def source_of(
    campaign: Campaign, templates: Templates, studio: Studio, most_parts: int, picture: Picture | None
) -> Source | None:
    """Return what the messages of a campaign are made of, or None where that cannot be told from its files."""
    try:
        files = templates.used_by(campaign)
    except RenderingError:
        return None
    # Written out, for 49 and 49.0 are equal and are not printed alike. Nothing made of it tells the moment it leaves.
    whenever = replace(campaign, send_at=_WHENEVER)
    return repr(whenever), repr(studio), most_parts, picture, tuple(files.items())


class Kept(Generic[Made]):
    """Makes something of a source once, and keeps it while fewer than sixteen others have been asked for since."""

    def __init__(self) -> None:
        self._made: OrderedDict[Source, Made] = OrderedDict()
        self._guard = Lock()

    def of(self, source: Source | None, make: Callable[[], Made]) -> Made:
        """Return what `make` makes of this source, made now or before. Raises what it raises, each time anew."""
        if source is None:
            return make()
        with self._guard:
            if source in self._made:
                self._made.move_to_end(source)
                return self._made[source]
        made = make()
        with self._guard:
            self._made[source] = made
            while len(self._made) > _MOST:
                self._made.popitem(last=False)
        return made
