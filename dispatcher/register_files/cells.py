"""One cell at a time: text in, a value out, or a sentence that says what is wrong with it."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

from dispatcher.register_files.mapping import header_key
from dispatcher.rules import names
from dispatcher.rules.address import AddressError, canonical_number, masked
from dispatcher.rules.calendar import day_span
from dispatcher.rules.campaign import Language
from dispatcher.rules.consent import Place
from dispatcher.rules.names import NAME_LENGTH, BadNameError, HiddenCharacterError, checked_name

_WORDING_LENGTH = 2000
_DASHES = frozenset("-–")  # noqa: RUF001 - the dash people type where there is nothing to say
_LONG_NUMBER = re.compile(r"\d{6}")
_NUMBER = re.compile(r"[+0-9 ()./‑–-]+")  # noqa: RUF001 - the dashes people type in numbers
_NUMBER_AS_FRACTION = re.compile(r"(\d{6,15})[.,]0+")
_WHEN = re.compile(
    r"(?:(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{4})|(?P<iso>\d{4}-\d{2}-\d{2}))"
    r"(?:(?:T|,? (?:klo? )?)(?P<hour>\d{1,2})[.:](?P<minute>\d{2})(?:[.:](?P<second>\d{2})(?:[.,]\d{1,9})?)?"
    r" ?(?P<offset>Z|[+-]\d{2}:?\d{2})?)?",
    re.ASCII | re.IGNORECASE,
)
_FARTHEST = timedelta(hours=14)
_YEARS = range(1990, 2101)
_LANGUAGES = {
    Language.FI: ("fi", "fin", "suomi", "finnish", "finska"),
    Language.SV: ("sv", "swe", "ruotsi", "swedish", "svenska"),
    Language.EN: ("en", "eng", "englanti", "english", "engelska"),
}
_LANGUAGE_WORDS = {word: language for language, words in _LANGUAGES.items() for word in words}
_PLACES = {
    Place.ONLINE: ("online", "verkko", "verkossa", "netti", "verkkovaraus", "nettivaraus", "nätet", "webb", "web"),
    Place.PHONE: ("phone", "puhelin", "puhelimitse", "telefon", "by phone"),
    Place.EMAIL: ("email", "e-mail", "sähköposti", "sähköpostitse", "e-post", "by email"),
    Place.IN_PERSON: ("in_person", "in person", "paikan päällä", "kasvotusten", "liike", "på plats"),
    Place.DESK: ("desk", "tiski", "vastaanotto", "reception", "receptionen"),
}
_PLACE_WORDS = {word: place for place, words in _PLACES.items() for word in words}


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell and the name of its column, as the file writes it."""

    column: str
    text: str


class CellError(ValueError):
    """A cell cannot be taken; the reason is a plain sentence in which addresses are masked."""

    def __init__(self, column: str, reason: str) -> None:
        super().__init__(reason)
        self.column = column
        self.reason = reason


def readable(cell: Cell) -> str:
    """Return the text in NFC, spaces trimmed and folded.

    Raises CellError for control and other hidden characters, marks of text direction among them: they are refused,
    never stripped (E-25).
    """
    try:
        return names.readable(cell.text)
    except HiddenCharacterError as error:
        reason = f"The cell holds a hidden character ({error.code}): empty it, type it anew and export again."
        raise CellError(cell.column, reason) from None


def plain(cell: Cell) -> str:
    """Return the readable text; a lone dash is an empty cell. Raises CellError as `readable` does."""
    text = readable(cell)
    return "" if text in _DASHES else text


def name_part(cell: Cell) -> str:
    """Return a name, at most 100 characters.

    Raises CellError for hidden characters, encoded words (E-25), web addresses (E-36) and what a spreadsheet would
    take for a formula; look-alikes of these signs count as the signs.
    """
    try:
        return checked_name(plain(cell))
    except BadNameError as error:
        raise CellError(cell.column, str(error)) from None


def customer_number(cell: Cell) -> str | None:
    """Return the register's own number of a client, or None. Raises CellError for hidden characters and long text."""
    text = plain(cell)
    if len(text) > NAME_LENGTH:
        raise CellError(cell.column, f"A customer number has at most {NAME_LENGTH} characters.")
    return text or None


def wording(cell: Cell) -> str | None:
    """Return the text of the question, or None. Raises CellError for hidden characters and text beyond 2,000."""
    text = plain(cell)
    if len(text) > _WORDING_LENGTH:
        raise CellError(cell.column, f"The text of a question has at most {_WORDING_LENGTH:,} characters.")
    return text or None


def number(text: str, region: str) -> str:
    """Return a mobile number in E.164 (S-08); numbers a spreadsheet took for amounts are read too (`401234567.0`).

    Raises AddressError for anything else, two numbers in one cell included.
    """
    amount = _NUMBER_AS_FRACTION.fullmatch(text)
    digits = amount[1] if amount else text
    if not _NUMBER.fullmatch(digits):
        raise AddressError("this is not one phone number")
    return canonical_number(digits, region)


def has_lost_zero(written: str, number: str) -> bool:
    """Say whether a number was written without the zero it begins with at home, and without its country's code."""
    amount = _NUMBER_AS_FRACTION.fullmatch(written)
    digits = amount[1] if amount else written
    return digits.isdecimal() and digits[0] != "0" and number != f"+{digits}" and number.endswith(digits)


def span(cell: Cell, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the first and last instant the cell's time can mean, in UTC.

    A date alone is its whole local day; a time is its whole minute, or its second where seconds are given. An hour that
    the clocks repeat reaches from its first occurrence to its second. Raises CellError for what is no date or time.
    """
    found = _WHEN.fullmatch(readable(cell))
    if found is None:
        raise CellError(
            cell.column,
            f"{quoted(cell.text)} is not a date: write it as 3.2.2026, 3.2.2026 14:05 or 2026-02-03T14:05+02:00.",
        )
    try:
        day = _date(found)
        if found["hour"] is None:
            return day_span(day, zone)
        local = datetime.combine(day, time(int(found["hour"]), int(found["minute"]), int(found["second"] or 0)))
        first, last = _instants(local, found["offset"], zone)
    except ValueError as error:
        raise CellError(cell.column, f"{quoted(cell.text)} cannot be right: {error}.") from None
    unit = timedelta(seconds=1) if found["second"] else timedelta(minutes=1)
    return first, last + unit - timedelta(microseconds=1)


def language(text: str) -> Language | None:
    """Return the language of a word or a locale (`ruotsi`, `sv`, `sv-FI`), or None where it is not one of the three."""
    word = header_key(text)
    return _LANGUAGE_WORDS.get(word) or _LANGUAGE_WORDS.get(re.split("[-_]", word)[0])


def place(text: str) -> Place | None:
    """Return where a question was asked, or None where the word is not known."""
    return _PLACE_WORDS.get(header_key(text))


def quoted(text: str) -> str:
    """Return the beginning of a cell for a message to a person, masked if it may hold an address (L-46)."""
    shown = masked(text) if "@" in text or _LONG_NUMBER.search(text) else text.strip()[:24]
    return f'"{"".join(char if char.isprintable() else "?" for char in shown)}"'


def _date(found: re.Match[str]) -> date:
    try:
        if found["iso"]:
            day = date.fromisoformat(found["iso"])
        else:
            day = date(int(found["year"]), int(found["month"]), int(found["day"]))
    except ValueError:
        raise ValueError("there is no such date") from None
    if day.year not in _YEARS:
        raise ValueError("the year lies outside 1990 to 2100")
    return day


def _instants(local: datetime, offset: str | None, zone: ZoneInfo) -> tuple[datetime, datetime]:
    if offset is not None:
        moment = local.replace(tzinfo=_zone_of(offset)).astimezone(UTC)
        return moment, moment
    first, second = (local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if second < first:
        raise ValueError("the clocks go forward that night and skip this hour")
    return first, second


def _zone_of(offset: str) -> timezone:
    if offset in "Zz":
        return UTC
    sign = -1 if offset[0] == "-" else 1
    difference = timedelta(hours=int(offset[1:3]), minutes=int(offset[-2:]))
    if difference > _FARTHEST:
        raise ValueError("no place on earth is that far from UTC")
    return timezone(sign * difference)
