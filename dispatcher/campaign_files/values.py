"""The values a campaign file may hold; what each takes is said where it is refused."""

import re
import unicodedata
from datetime import date, datetime, time
from typing import TypeVar
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, ValidationInfo

from dispatcher.rules.calendar import LocalTimeError, to_utc

LONGEST_LINE = 150
"""Characters of a subject or a title."""
MOST_PARTS = 10
"""Parts that any text message may have at most."""
_LONGEST_TEXT = 10_000
_LARGEST_NUMBER = 1_000_000
_YEARS = range(2000, 2200)
_INVISIBLE = frozenset({"Cc", "Cs", "Zl", "Zp"})
_PICTURE = re.compile(r"(?![.])[^/\\\\:]{1,80}[.](?:jpe?g|png|webp)", re.IGNORECASE)
_TEMPLATE = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")
_FINNISH_DAY = r"(\d{1,2})\.(\d{1,2})\.(\d{4})"
_FINNISH_DATE = re.compile(_FINNISH_DAY)
_FINNISH_MOMENT = re.compile(_FINNISH_DAY + r"\s+(?:klo\s+)?(\d{1,2})[.:](\d{2})")
_ISO_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?(?:[+-]\d\d:\d\d|Z)?")
_Word = TypeVar("_Word", bound=str)
_Day = TypeVar("_Day", bound=date)
_MOMENT_FORM = 'write the local day and hour, as 2026-03-17T10:00:00 or "17.3.2026 10:00"'
_DATE_FORM = "write a date without an hour, as 2026-04-30"


def line(value: object) -> str:
    """Return a text that can stand in a mail's header (E-25)."""
    if not isinstance(value, str):
        raise ValueError("write a text between quotes")  # noqa: TRY004 - pydantic collects ValueError
    if any(unicodedata.category(char) in _INVISIBLE for char in value):
        raise ValueError("write it on one line, without tabs or other control characters")
    if not value.strip():
        raise ValueError("write something between the quotes")
    if len(value) > LONGEST_LINE:
        raise ValueError(f"{len(value)} characters are too many: write {LONGEST_LINE} at most")
    return value


def reason(value: object) -> str:
    """Return why something is done that is not done otherwise; a bare yes is no reason."""
    if not isinstance(value, str):
        raise ValueError('write why, between quotes, as in "Open doors on Epiphany"')  # noqa: TRY004 - as above
    return line(value)


def parts(value: object) -> int:
    """Return how many parts a text message may have (S-05)."""
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MOST_PARTS:
        return value
    raise ValueError(f"write a whole number of parts, from 1 to {MOST_PARTS}")


def yes_or_no(value: object) -> bool:
    """Return true or false; nothing else is taken for either."""
    if isinstance(value, bool):
        return value
    raise ValueError("write true or false")


def text_of_offer(value: object) -> str:
    """Return a text of the offer: of several lines, if need be."""
    if not isinstance(value, str):
        raise ValueError("write a text between quotes")  # noqa: TRY004 - pydantic collects ValueError
    if len(value) > _LONGEST_TEXT:
        raise ValueError(f"{len(value)} characters are too many: write {_LONGEST_TEXT} at most")
    hidden = next((char for char in value if unicodedata.category(char) in _INVISIBLE and char not in "\n\t"), None)
    if hidden is not None:
        raise ValueError(f"it holds the invisible character U+{ord(hidden):04X}: take it out")
    return value


def plain_value(value: object) -> str | int | float | date | time | tuple[time, time]:
    """Return a field of the offer that is the same in every language, or that the program writes in each."""
    if isinstance(value, str):
        return text_of_offer(value)
    if isinstance(value, date) and not isinstance(value, datetime):
        return day(value)
    if isinstance(value, time):
        return _hour(value)
    if isinstance(value, list) and value and all(isinstance(each, time) for each in value):
        return _hours([_hour(each) for each in value])
    if isinstance(value, int | float) and not isinstance(value, bool):
        if not abs(value) <= _LARGEST_NUMBER:  # true of nan as well
            raise ValueError(f"write a number up to {_LARGEST_NUMBER}, or a text between quotes")
        return value
    raise ValueError(
        'write a text, a number, a date, a time, or a text per language: { fi = "...", sv = "...", en = "..." }'
    )


def field_name(name: str) -> str:
    """Return the name of a field, if a template can say `offer.NAME`."""
    if not name.isidentifier() or name.startswith("_"):
        raise ValueError("a template cannot name it so: write letters, digits and underscores, a letter first")
    return name


def one_of(*choices: str) -> BeforeValidator:
    """Return what lets through nothing but these words."""

    def check(value: object) -> object:
        if value not in choices:
            raise ValueError("write " + " or ".join(f'"{choice}"' for choice in choices))
        return value

    return BeforeValidator(check)


def named_once(values: tuple[_Word, ...]) -> tuple[_Word, ...]:
    """Return a list that holds something, and nothing twice."""
    if not values:
        raise ValueError("the list is empty: name at least one, or leave the key out where it may be")
    if len(set(values)) < len(values):
        raise ValueError("name each of them once")
    return values


def template_name(value: object) -> str:
    """Return the name of a template, which can lead nowhere but into templates/."""
    if not isinstance(value, str) or not _TEMPLATE.fullmatch(value):
        raise ValueError("write the name of a template: lower-case letters, digits, hyphens and underscores")
    return value


def picture_name(value: object) -> str:
    """Return the name of a picture's file, which can lead nowhere but into the folder of pictures."""
    if not isinstance(value, str) or not _PICTURE.fullmatch(line(value)):
        raise ValueError(
            'write the name of a JPEG, PNG or WebP file in pictures/ beside this file, as "kevat.jpg", without a folder'
        )
    return value


def day(value: object) -> date:
    """Return a date, written as TOML or as Finns write it."""
    found = value
    if isinstance(value, str) and (written := _FINNISH_DATE.fullmatch(value.strip())):
        found = _existing(f"{written[3]}-{written[2]:0>2}-{written[1]:0>2}").date()
    if not isinstance(found, date) or isinstance(found, datetime):
        raise ValueError(_DATE_FORM)  # noqa: TRY004 - pydantic collects ValueError
    return _in_years(found)


def moment(value: object, info: ValidationInfo) -> datetime:
    """Return the instant of a local time; an offset may only settle which of two like hours is meant."""
    zone = zone_of(info)
    local = _in_years(_written_moment(value))
    if local.tzinfo is None:
        return to_utc(local, zone)
    wall = local.replace(tzinfo=None)
    try:
        to_utc(wall, zone)
    except LocalTimeError:
        if local.astimezone(zone).replace(tzinfo=None) == wall:
            return to_utc(local, zone)
        raise
    raise ValueError(
        f"write the local time without an offset, {wall:%Y-%m-%dT%H:%M:%S}: "
        "an offset only tells apart the hour that happens twice in autumn"
    )


def zone_of(info: ValidationInfo) -> ZoneInfo:
    """Return the business zone from the context of a validation."""
    zone: ZoneInfo = (info.context or {})["zone"]
    return zone


def _hour(value: time) -> time:
    if value.second or value.microsecond:
        raise ValueError(f"nobody comes on the second: write {value:%H:%M}:00")
    return value


def _hours(values: list[time]) -> tuple[time, time]:
    if len(values) != 2 or values[0] >= values[1]:
        raise ValueError("write two times, the earlier first, as [10:00:00, 17:00:00]")
    return values[0], values[1]


def _written_moment(value: object) -> datetime:
    if isinstance(value, datetime):
        return value
    text = value.strip() if isinstance(value, str) else ""
    if written := _FINNISH_MOMENT.fullmatch(text):
        day, month, year, hour, minute = written.groups()
        text = f"{year}-{month:0>2}-{day:0>2}T{hour:0>2}:{minute}"
    if _ISO_MOMENT.fullmatch(text):
        return _existing(text)
    raise ValueError(_MOMENT_FORM)


def _in_years(day: _Day) -> _Day:
    if day.year not in _YEARS:
        raise ValueError(f"the year {day.year} cannot be meant: write one from {_YEARS[0]} to {_YEARS[-1]}")
    return day


def _existing(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"there is no such day or hour ({error})") from None
