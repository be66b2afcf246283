"""A message marked as a test, in its subject and where a reader looks first; all else is as clients get it."""

import html
import re

from dispatcher.rendering.email import EmailForm, Part, Subject
from dispatcher.rendering.gaps import Values
from dispatcher.rendering.skeleton import Skeleton
from dispatcher.rendering.ways import Ways
from dispatcher.rules.campaign import Language
from dispatcher.texts import text

_BODY = re.compile(r"<body\b[^>]*>", re.IGNORECASE)
_STYLE = "margin:0;padding:12px 16px;background:#fff3c4;color:#3d2f00;font:bold 16px/1.4 sans-serif"


def marked_email(form: EmailForm, values: Values, language: Language) -> EmailForm:
    """Return the email of one client with the mark before its subject and a line about it above both parts."""
    mark, note = text("trial_mark", language), text("trial_note", language)
    plain, page, subject = (ways.of(values).skeleton for ways in (form.text, form.html, form.subject))
    return EmailForm(
        text=Ways.one(Part.of(Skeleton((f"{mark}: {note}\n\n", *plain.pieces)))),
        html=Ways.one(Part.of(_with_banner(page, f"{mark}: {note}"))),
        subject=Ways.one(Subject.of(Skeleton((f"[{mark}] ", *subject.pieces)))),
    )


def marked_sms(form: Skeleton, language: Language) -> Skeleton:
    """Return the text message of a shape with the mark before its words."""
    return Skeleton((f"{text('trial_mark', language)} ", *form.pieces))


def _with_banner(page: Skeleton, words: str) -> Skeleton:
    banner = f'<div role="note" style="{_STYLE}">{html.escape(words)}</div>'
    for at, piece in enumerate(page.pieces):
        if isinstance(piece, str) and (found := _BODY.search(piece)):
            marked = f"{piece[: found.end()]}{banner}{piece[found.end() :]}"
            return Skeleton((*page.pieces[:at], marked, *page.pieces[at + 1 :]))
    return Skeleton((banner, *page.pieces))
