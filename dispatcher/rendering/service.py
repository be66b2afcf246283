"""Service messages: fixed words in the studio's look, without an offer, nobody's name and nothing that somebody typed.

A stranger can have one sent to any address by the sign-up page, so nothing of what they write stands in it.
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import css_inline
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from dispatcher.rendering import headers, mime
from dispatcher.rendering.alert import Alert, AlertWords, words_of
from dispatcher.rendering.dkim import Signer, signed
from dispatcher.rendering.quoted import encoded
from dispatcher.rules.campaign import Language
from dispatcher.rules.consent import Place
from dispatcher.rules.message import Email, Sms
from dispatcher.rules.sms import measure, plain
from dispatcher.rules.studio import Studio
from dispatcher.texts import format_date, text

_FOLDER = Path(__file__).parent / "letters"
_INLINER = css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)
_HOW = {Place.PHONE: "phone", Place.EMAIL: "email", Place.IN_PERSON: "in_person", Place.DESK: "in_person"}


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Asks the holder of an address to confirm a sign-up: the exact question, and until when the link works.

    `is_change`: it is no sign-up, but more that a client asked for by the link of a message.
    """

    language: Language
    question: str
    link: str
    until: date
    is_change: bool = False


@dataclass(frozen=True, slots=True)
class Receipt:
    """Tells the holder of an address which yes is on record, and how to undo it (L-05)."""

    language: Language
    question: str
    link: str
    given_on: date
    place: Place


@dataclass(frozen=True, slots=True)
class Stopped:
    """Says to whoever texted a no that it is in force; by text message only, since that is what they wrote."""

    language: Language


Letter = Confirmation | Receipt


@dataclass(frozen=True, slots=True)
class _Words:
    """What a letter says, the same in its text and its page."""

    subject: str
    heading: str
    asked: str
    question: str
    remarks: tuple[str, ...]
    button: str
    here: str
    link: str
    sms: str


class ServiceRenderer:
    """Writes the service messages of one studio; `signer` signs every email of them (E-04)."""

    def __init__(self, studio: Studio, zone: ZoneInfo, signer: Signer | None = None) -> None:
        self._studio = studio
        self._signer = signer
        self._letterhead = mime.Letterhead(studio, zone)
        self._environment = Environment(
            loader=FileSystemLoader(_FOLDER),
            autoescape=select_autoescape(enabled_extensions=("html.j2",), default=False),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def email(self, letter: Letter | Alert, envelope: mime.Envelope) -> Email:
        """Return a letter as a finished email. Raises RenderingError if the envelope cannot be written."""
        words: _Words | AlertWords
        if isinstance(letter, Alert):
            name, words = "alert", words_of(letter)
        else:
            name, words = "service", self._words(letter)
            headers.checked_link(words.link)
        content = (
            self._letterhead.lines(envelope, headers.unstructured("Subject", words.subject)),
            mime.VERSION,
            headers.token("Auto-Submitted", "auto-generated"),
            mime.NO_AUTO_REPLY,
            mime.CONTENT_TYPE,
            *mime.alternatives(
                [encoded(self._render(f"{name}.txt.j2", letter, words))],
                [encoded(_INLINER.inline(self._render(f"{name}.html.j2", letter, words)))],
            ),
        )
        mail = Email(self._letterhead.bounces(envelope), recipient=envelope.to, content=b"".join(content))
        return signed(mail, self._signer, envelope.date)

    def sms(self, letter: Letter | Stopped, to: str) -> Sms:
        """Return a letter as a finished text message."""
        if isinstance(letter, Stopped):
            said = text("service_stopped_sms", letter.language, studio=self._studio.name)
        else:
            words = self._words(letter)
            headers.checked_link(words.link)
            said = words.sms
        parts = measure(plain(said))
        return Sms(recipient=to, text=parts.text, segments=parts.segments)

    def _render(self, template: str, letter: Letter | Alert, words: _Words | AlertWords) -> str:
        language = letter.language
        return self._environment.get_template(template).render(
            letter=words,
            studio=self._studio,
            language=language.value,
            notice_url=self._studio.notice_in(language),
            t=lambda key, **values: text(key, language, **values),
        )

    def _words(self, letter: Letter) -> _Words:
        if isinstance(letter, Confirmation):
            kind = "change" if letter.is_change else "confirm"
            return self._said(letter, kind, "asked", ("until", "not_you"), letter.until)
        return self._said(letter, "receipt", _HOW.get(letter.place, "other"), ("not_you",), letter.given_on)

    def _said(self, letter: Letter, kind: str, asked: str, remarks: tuple[str, ...], day: date) -> _Words:
        values = {
            "date": format_date(day, letter.language),
            "studio": self._studio.name,
            "link": letter.link,
        }

        def say(key: str) -> str:
            return text(f"service_{kind}_{key}", letter.language, **values)

        return _Words(
            subject=say("subject"),
            heading=say("heading"),
            asked=say(asked),
            question=letter.question,
            remarks=tuple(say(key) for key in remarks),
            button=say("button"),
            here=say("here"),
            link=letter.link,
            sms=say("sms"),
        )
