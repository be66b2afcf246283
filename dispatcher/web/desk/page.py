"""The pages of the desk: the same look as the clients' pages, no script, and nothing but what stands on the card."""

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from starlette.responses import HTMLResponse

from dispatcher.rules.calendar import local_date
from dispatcher.rules.campaign import Language
from dispatcher.rules.decision import Reason
from dispatcher.rules.studio import Studio
from dispatcher.texts import format_date, text
from dispatcher.web.desk.session import Session
from dispatcher.web.page import environment

_FOLDER = Path(__file__).parent.parent / "pages"
_STATUS = {"closed": 403, "missing": 404, "refused": 409, "failed": 503}
_SAID_BY_THE_STATE = {
    Reason.OBJECTION,
    Reason.CHANNEL_CONSENT_MISSING,
    Reason.CONSENT_EXPIRED,
    Reason.LATEST_ANSWER_NO,
    Reason.CHILD,
    Reason.DOORS_UNREAD,
}
"""Reasons that the sentence about the channel's state has told already."""
TELLING = frozenset(reason.value for reason in Reason if reason not in _SAID_BY_THE_STATE)


class DeskPages:
    """Makes the pages of one desk: of one studio, for one person."""

    def __init__(self, studio: Studio, person: str, zone: ZoneInfo) -> None:
        self._studio = studio
        self._person = person
        self._zone = zone

    def answer(self, view: str, session: Session | None, **values: object) -> HTMLResponse:
        """Return a page; `heading` stands above it, else the view's own."""
        language = session.language if session else Language.FI
        html = (
            environment()
            .get_template("desk/layout.html")
            .render(
                {"heading": "", "said": session.tell() if session else "", **values},
                view=view,
                session=session,
                studio=self._studio,
                person=self._person,
                language=language.value,
                languages=[other.value for other in Language],
                telling=TELLING,
                date=lambda day: self._date(day, language),
                form=session.form if session else "",
                t=lambda key, **holes: text(key, language, **holes),
            )
        )
        return HTMLResponse(html, _STATUS.get(view, 200), {"Content-Language": language.value})

    def _date(self, day: date | datetime | None, language: Language) -> str:
        if isinstance(day, datetime):
            day = local_date(day, self._zone)
        return format_date(day, language) if day else ""


def stylesheets() -> Mapping[str, str]:
    """Return the stylesheets of the desk by their path."""
    return {f"/static/{name}": (_FOLDER / name).read_text(encoding="utf-8") for name in ("page.css", "desk.css")}
