"""Which column of an export means what: by name only, never guessed (L-43)."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from zoneinfo import ZoneInfo

from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import Place, Reply
from dispatcher.rules.source import Asking


class Field(StrEnum):
    """What a column may hold; there is no other."""

    EXTERNAL_ID = "external_id"
    """The register's own customer number."""
    FIRST_NAME = "first_name"
    LAST_NAME = "last_name"
    NAME = "name"
    """The whole name in one column; read as the last name where the file has no column of its own for either part."""
    EMAIL = "email"
    PHONE = "phone"
    LANGUAGE = "language"
    LAST_VISIT = "last_visit"


_NAMES: Mapping[Field, tuple[str, ...]] = {
    Field.EXTERNAL_ID: (
        *("asiakasnumero", "asiakasnro", "asiakas-id", "kundnummer", "kund-id"),
        *("customer number", "customer id", "customer_id", "client number", "client id", "client_id"),
    ),
    Field.FIRST_NAME: ("etunimi", "förnamn", "first name", "first_name", "firstname", "given name"),
    Field.LAST_NAME: ("sukunimi", "efternamn", "last name", "last_name", "lastname", "surname", "family name"),
    Field.NAME: ("nimi", "asiakkaan nimi", "namn", "name", "full name"),
    Field.EMAIL: (
        *("sähköposti", "sähköpostiosoite", "e-post", "epost", "e-postadress"),
        *("email", "e-mail", "email address", "e-mail address"),
    ),
    Field.PHONE: (
        *("puhelin", "puhelinnumero", "puhelinnro", "puh.", "gsm", "matkapuhelin", "matkapuhelinnumero"),
        *("telefon", "telefonnummer", "mobil", "mobilnummer", "mobiltelefon"),
        *("phone", "phone number", "telephone", "mobile", "mobile phone", "mobile number"),
    ),
    Field.LANGUAGE: ("kieli", "asiointikieli", "språk", "language"),
    Field.LAST_VISIT: ("viimeisin käynti", "viimeinen käynti", "senaste besök", "last visit", "last_visit"),
}
DEFAULT_COLUMNS: Mapping[str, Field] = MappingProxyType(
    {name: field for field, names in _NAMES.items() for name in names}
)
"""The column names booking systems use in Finnish, Swedish and English."""

YES_WORDS = frozenset({"kyllä", "kylla", "k", "joo", "on", "x", "ja", "j", "yes", "y", "true", "tosi", "sant", "1"})
NO_WORDS = frozenset({"ei", "e", "nej", "ej", "no", "n", "false", "epätosi", "falskt", "0"})
WITHDRAWN_WORDS = frozenset(
    {"peruttu", "perunut", "kielto", "kieltänyt", "kielletty", "återkallat", "förbjudit", "withdrawn", "objected"}
)
NOT_ASKED_WORDS = frozenset({"", "-", "–", "ei kysytty", "inte frågat", "inte tillfrågad", "not asked"})  # noqa: RUF001 - the dash people type


@dataclass(frozen=True, slots=True)
class Basis:
    """The source that a question rests on: its number, its name, and how it asks."""

    number: int
    name: str
    asking: Asking


@dataclass(frozen=True, slots=True)
class AnswerColumn:
    """One column that holds replies to the marketing question.

    Each reply becomes one answer per channel in `channels`. `place` and `wording` say where and in which exact words
    the question was asked, unless `place_column` or `wording_column` do. `asked_column` holds the time of the answer;
    where that cell is empty, or there is none, `not_before` and `not_after` (aware UTC) hold for every row, and where
    they are None too, the answer has no time and is never given one (L-07). With `closes_all` the question names no
    channel, so that a no closes every one (L-01). With a `basis` the time of an answer is what can be known of it:
    `asked_column` then holds the day of the booking or of the client's card, and where bookings are known by the last
    visit alone, the register's own column of visits is read instead. Words are compared without regard to case and
    outer spaces; a word in two sets counts as the no. A column of bans is told by giving its words the other way round.
    """

    column: str
    channels: tuple[Channel, ...]
    place: Place | None
    wording: str | None
    asked_column: str | None = None
    not_before: datetime | None = None
    not_after: datetime | None = None
    place_column: str | None = None
    wording_column: str | None = None
    yes: frozenset[str] = YES_WORDS
    no: frozenset[str] = NO_WORDS
    withdrawn: frozenset[str] = WITHDRAWN_WORDS
    not_asked: frozenset[str] = NOT_ASKED_WORDS
    closes_all: bool = False
    basis: Basis | None = None

    def columns(self) -> tuple[str, ...]:
        """Return the names of every column this question reads, the reply's first."""
        others = (self.asked_column, self.place_column, self.wording_column)
        return (self.column, *(name for name in others if name is not None))

    def vocabulary(self) -> dict[str, Reply]:
        """Return what each word means, in the form `header_key` gives; refusals overrule whatever else a word means."""
        sets = (
            (Reply.GRANTED, self.yes),
            (Reply.NOT_ASKED, self.not_asked),
            (Reply.DECLINED, self.no),
            (Reply.WITHDRAWN, self.withdrawn),
        )
        return {header_key(word): reply for reply, words in sets for word in words}


@dataclass(frozen=True, slots=True)
class RegisterMap:
    """How to read one register's export.

    `columns` leads from column name to field; unlike names are unlike columns, but case, outer spaces and Unicode form
    do not matter. Local times are read in `zone`, phone numbers with `region` as their country (S-08).
    """

    columns: Mapping[str, Field]
    answers: tuple[AnswerColumn, ...]
    zone: ZoneInfo
    region: str = "FI"


def header_key(text: str) -> str:
    """Return the form in which column names and words are compared: NFC, case folded, spaces trimmed and folded."""
    return " ".join(unicodedata.normalize("NFC", text.casefold()).split())
