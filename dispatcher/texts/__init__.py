"""Every sentence a client reads that no campaign wrote: Finnish first, with Swedish and English.

A sentence never inflects what is filled into it: a name, a date or an address stands as it is in all three languages.
"""

from collections.abc import Mapping
from datetime import date

from dispatcher.errors import NotFoundError
from dispatcher.rules.campaign import Language
from dispatcher.rules.decision import Reason
from dispatcher.texts import alerts, en, fi, sv

CATALOGUES: Mapping[Language, Mapping[str, str]] = {
    Language.FI: {**fi.TEXTS, **alerts.FI},
    Language.SV: {**sv.TEXTS, **alerts.SV},
    Language.EN: {**en.TEXTS, **alerts.EN},
}
"""The sentences by language and key; each language has the same keys and the same holes."""


def text(key: str, language: Language, **values: object) -> str:
    """Return one sentence with its holes filled; nothing is escaped here.

    Raises NotFoundError if there is no such sentence, or a hole of it got no value.
    """
    pattern = CATALOGUES[language].get(key)
    if pattern is None:
        raise NotFoundError(f"There is no text '{key}'. Choose one from dispatcher/texts/{language}.py.")
    try:
        return pattern.format_map(values)
    except KeyError as missing:
        raise NotFoundError(f"The text '{key}' needs a value for {missing}: write {missing.args[0]}=...") from None


def reason_text(reason: Reason, language: Language) -> str:
    """Return the one plain sentence that says why a message does not go now."""
    return text(f"reason_{reason}", language)


def format_date(day: date, language: Language = Language.FI) -> str:
    """Return a day as this language writes it: "3.2.2026" in Finnish and Swedish, "3 February 2026" in English."""
    if language is Language.EN:
        return f"{day.day} {en.MONTHS[day.month - 1]} {day.year}"
    return f"{day.day}.{day.month}.{day.year}"
