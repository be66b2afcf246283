"""Every sentence a client reads that no campaign wrote: Finnish first, with Swedish and English.

A sentence never inflects what is filled into it: a name, a date or an address stands as it is in all three languages.
"""

from collections.abc import Mapping
from datetime import date, time
from functools import lru_cache

from babel.numbers import format_decimal

from dispatcher.errors import NotFoundError
from dispatcher.rules.campaign import Language
from dispatcher.rules.consent import Place
from dispatcher.rules.decision import Reason
from dispatcher.texts import alerts, audit, audit_said, audit_tables, audit_why, choices, counts, en, fi, sv, why

CATALOGUES: Mapping[Language, Mapping[str, str]] = {
    Language.FI: {
        **fi.TEXTS,
        **why.FI,
        **counts.FI,
        **alerts.FI,
        **audit.FI,
        **audit_said.FI,
        **audit_tables.FI,
        **audit_why.FI,
        **choices.FI,
    },
    Language.SV: {
        **sv.TEXTS,
        **why.SV,
        **counts.SV,
        **alerts.SV,
        **audit.SV,
        **audit_said.SV,
        **audit_tables.SV,
        **audit_why.SV,
        **choices.SV,
    },
    Language.EN: {
        **en.TEXTS,
        **why.EN,
        **counts.EN,
        **alerts.EN,
        **audit.EN,
        **audit_said.EN,
        **audit_tables.EN,
        **audit_why.EN,
        **choices.EN,
    },
}
"""The sentences by language and key; each language has the same keys and the same holes."""


def text(key: str, language: Language, **values: object) -> str:
    """Return one sentence with its holes filled; nothing is escaped here.

    A whole number `count=` chooses between the forms of a sentence that has several (`minutes_one`, `minutes_other`).
    Raises NotFoundError if there is no such sentence, or a hole of it got no value.
    """
    pattern, count = CATALOGUES[language].get(key), values.get("count")
    if pattern is None and isinstance(count, int):
        pattern = CATALOGUES[language].get(f"{key}_{counts.category(count, language)}")
    if pattern is None:
        raise NotFoundError(f"There is no text '{key}'. Choose one from dispatcher/texts/{language}.py.")
    try:
        return pattern.format_map(values)
    except KeyError as missing:
        raise NotFoundError(f"The text '{key}' needs a value for {missing}: write {missing.args[0]}=...") from None


def counted(noun: str, count: int, language: Language) -> str:
    """Return a number, as this language writes it, with the form of a noun of `counts` that stands beside it."""
    pattern = CATALOGUES[language][f"{noun}_{counts.category(count, language)}"]
    return pattern.format(count=format_number(count, language))


def reason_text(reason: Reason, language: Language) -> str:
    """Return the one plain sentence that says why a message does not go now."""
    return text(f"reason_{reason}", language)


def why_text(place: Place | None, agreed_on: str, language: Language) -> str:
    """Return the sentence that tells a client which yes of theirs a message relies on (L-22).

    `agreed_on` is the day of the yes as the language writes it, empty where it is not known.
    """
    key = "why_since" if agreed_on else "why"
    said = f"{key}_{_ONE_PLACE.get(place, place)}" if place else key
    return text(said if said in CATALOGUES[language] else key, language, date=agreed_on)


_ONE_PLACE = {Place.MAILTO: Place.EMAIL}
"""Places that a client knows by the name of another."""


@lru_cache(maxsize=2048)  # every message tells a few days, and there are not many
def format_date(day: date, language: Language = Language.FI) -> str:
    """Return a day as this language writes it: "3.2.2026" in Finnish and Swedish, "3 February 2026" in English."""
    if language is Language.EN:
        return f"{day.day} {en.MONTHS[day.month - 1]} {day.year}"
    return f"{day.day}.{day.month}.{day.year}"


def format_number(number: int, language: Language) -> str:
    """Return a whole number as this language writes it: "2,311" in English, with no-break spaces in the others."""
    return format_decimal(number, locale=language.value)


def format_time(moment: time, language: Language) -> str:
    """Return a time of day with the word before it: "klo 9.00" in Finnish, "kl. 9.00" in Swedish, "at 9 am"."""
    return text("at", language, time=_clock(moment, language))


def format_hours(start: time, end: time, language: Language) -> str:
    """Return from when to when: "klo 9.00-15.00", "kl. 9.00-15.00", their dash an en dash, "from 9 am to 3 pm"."""
    return text("between", language, start=_clock(start, language), end=_clock(end, language))


def _clock(moment: time, language: Language) -> str:
    if language is not Language.EN:
        return f"{moment.hour}.{moment.minute:02}"
    minutes = f":{moment.minute:02}" if moment.minute else ""
    if moment.hour % 12 == 0 and not minutes:  # neither am nor pm says which of the two is meant
        return "noon" if moment.hour else "midnight"
    half = "pm" if moment.hour >= 12 else "am"
    return f"{moment.hour % 12 or 12}{minutes}\N{NO-BREAK SPACE}{half}"
