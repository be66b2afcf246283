"""The poster that leads to the sign-up page: its words, its address, and who puts it up."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from dispatcher.errors import RefusedError
from dispatcher.flow.questioning import Asking
from dispatcher.rendering.poster import Poster, Size, poster_pdf, poster_svg
from dispatcher.rules.calendar import local_date
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.studio import Studio
from dispatcher.texts import text

__all__ = ["Posters", "Size"]

JOIN = "/join"
"""Where the sign-up page is, below the public address."""


class Posters:
    """Makes posters for one studio; `channels` are those the sign-up page asks about, empty where there is none."""

    def __init__(self, asking: Asking, studio: Studio, channels: Sequence[Channel], zone: ZoneInfo) -> None:
        self._asking = asking
        self._studio = studio
        self._channels = channels
        self._zone = zone

    def to_svg(self, language: Language, size: Size) -> str:
        """Return the poster as a drawing. Raises RefusedError where there is no page to lead to."""
        return poster_svg(self._poster(language), size)

    def to_pdf(self, language: Language, size: Size, now: datetime) -> bytes:
        """Return the poster as a PDF. Raises RefusedError as `to_svg` does, and RenderingError without typst."""
        day = local_date(now, self._zone)
        return poster_pdf(self._poster(language), size, {"year": day.year, "month": day.month, "day": day.day})

    def _poster(self, language: Language) -> Poster:
        if not self._channels:
            raise RefusedError(
                "The sign-up page is off: the code would lead nowhere. Set [sign_up] enabled = true in dispatcher.toml "
                "first. Nothing was written."
            )
        studio = self._studio
        return Poster(
            language=language.value,
            studio=studio.name,
            heading=text("poster_heading", language),
            words=[self._asking.question(channel, language) for channel in self._channels],
            scan=text("poster_scan", language),
            url=studio.public_url + JOIN,
            leave=[text("poster_leave", language), text("right_to_object", language)],
            identity=[
                f"{studio.name}, {text('business_id', language, number=studio.business_id)}, {studio.postal_address}",
                f"{studio.email}, {studio.phone}",
                f"{text('notice_here', language)} {studio.notice_in(language)}",
            ],
        )
