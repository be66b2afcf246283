"""What is shown before anything is recorded, and what was heard once it is confirmed."""

from starlette.datastructures import FormData
from starlette.responses import Response

from dispatcher.flow.desk import Reading
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.consent import Place, Reply
from dispatcher.texts import text
from dispatcher.web.desk.gate import field, need
from dispatcher.web.desk.page import DeskPages
from dispatcher.web.desk.session import Session


def confirm(pages: DeskPages, session: Session, **values: object) -> Response:
    """Return the page that repeats what is about to be recorded; nothing is recorded before its button."""
    usual = {"name": "", "address": None, "note": "", "question": "", "ask": "", "replies": False, "places": ()}
    return pages.answer("confirm", session, **{**usual, "button": "", **values})


def reading(fields: FormData) -> Reading:
    """Return what was heard. Raises RefusedError where a field is missing or says what it cannot."""
    return Reading(
        need(Channel, field(fields, "channel")),
        need(Language, field(fields, "ask")),
        field(fields, "wording"),
        need(Reply, field(fields, "reply")),
        need(Place, field(fields, "place")),
    )


def recorded(heard: Reading, language: Language) -> str:
    """Return the sentence that says what was recorded."""
    channel, place = text(f"desk_{heard.channel}", language), text(f"desk_place_{heard.place}", language)
    return text(f"desk_recorded_{heard.reply}", language, channel=channel, place=place.lower())
