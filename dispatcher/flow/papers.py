"""Papers handed to a person: the same words as a page, on paper, as plain lines."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from zoneinfo import ZoneInfo

from dispatcher.errors import RefusedError
from dispatcher.rendering import papers
from dispatcher.rendering.document import Document
from dispatcher.rules import processing as facts
from dispatcher.rules.actor import ActorKind
from dispatcher.rules.campaign import Language
from dispatcher.rules.processing import Processing
from dispatcher.texts import text

AUTHORITY = {
    "name": facts.AUTHORITY,
    "address": facts.AUTHORITY_ADDRESS,
    "email": facts.AUTHORITY_EMAIL,
    "phone": facts.AUTHORITY_PHONE,
    "url": facts.AUTHORITY_URL,
}


class Form(StrEnum):
    """What a paper can be handed over as; each is the ending of its file."""

    JSON = "json"
    HTML = "html"
    PDF = "pdf"
    TEXT = "txt"


def form_of(path: Path, *allowed: Form) -> Form:
    """Return the form that a file's name asks for. Raises RefusedError for any but the allowed ones."""
    for form in allowed:
        if path.suffix.lower() == f".{form}":
            return form
    raise RefusedError(f"{path.name}: give the file a name that ends in {' or '.join(f'.{form}' for form in allowed)}.")


@dataclass(frozen=True, slots=True)
class Papers:
    """Writes papers with what every one of them says: who the studio is, who handles data, how long what is kept."""

    processing: Processing
    zone: ZoneInfo

    def write(self, name: str, language: Language, values: Mapping[str, object]) -> Document:
        """Return the paper of this name, filled."""
        common: dict[str, object] = {
            "studio": self.processing.studio,
            "p": self.processing,
            "processors": self.processing.processors,
            "periods": self.processing.periods,
            "authority": AUTHORITY,
            "notice_url": self.processing.studio.notice_in(language),
        }
        return papers.write(name, language, self.zone, {**common, **values})


def written(document: Document, form: Form) -> bytes:
    """Return a paper as the bytes of a file. Raises RenderingError for a PDF where the extra is not installed."""
    if form is Form.PDF:
        return document.pdf()
    return document.page() if form is Form.HTML else document.text().encode("utf-8")


def json_bytes(value: Mapping[str, object]) -> bytes:
    """Return a value as the bytes of a JSON file."""
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode("utf-8")


def who(actor: str, language: Language) -> str:
    """Return an actor in words; a person is a number, since the names of staff are their own data."""
    kind, _, number = actor.partition(":")
    return text(f"actor_{ActorKind(kind)}", language, id=number)
