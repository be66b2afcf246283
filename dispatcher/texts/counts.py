"""A number and the noun beside it: one form for each of a language's plural categories, which Babel tells apart.

`text("minutes", language, count=60)` takes `minutes_one` or `minutes_other`. A noun that another case wants after its
number is a text of its own, such as `of_days` beside `days`.
"""

from functools import cache

from babel import Locale

from dispatcher.rules.campaign import Language

FI = {
    "minutes_one": "{count}\N{NO-BREAK SPACE}minuutti",
    "minutes_other": "{count}\N{NO-BREAK SPACE}minuuttia",
    "days_one": "{count} päivä",
    "days_other": "{count} päivää",
    "of_days_one": "{count} päivän",
    "of_days_other": "{count} päivän",
    "closed_years_one": "{count} edellisen vuoden",
    "closed_years_other": "{count} edellisen vuoden",
    "clients_one": "{count} asiakas",
    "clients_other": "{count} asiakasta",
    "emails_one": "{count} sähköposti",
    "emails_other": "{count} sähköpostia",
    "text_messages_one": "{count} tekstiviesti",
    "text_messages_other": "{count} tekstiviestiä",
    "campaigns_one": "{count} kampanja",
    "campaigns_other": "{count} kampanjaa",
    "messages_one": "{count} viesti",
    "messages_other": "{count} viestiä",
    "parts_one": "{count} osa",
    "parts_other": "{count} osaa",
    "seconds_one": "{count} sekunti",
    "seconds_other": "{count} sekuntia",
    "hours_one": "{count} tunti",
    "hours_other": "{count} tuntia",
    "entries_one": "{count} merkintä",
    "entries_other": "{count} merkintää",
    "in_groups_one": "{count} ryhmässä",
    "in_groups_other": "{count} ryhmässä",
    "findings_one": "{count} havainto",
    "findings_other": "{count} havaintoa",
    "seals_one": "{count} sinetti",
    "seals_other": "{count} sinettiä",
}
SV = {
    "minutes_one": "{count}\N{NO-BREAK SPACE}minut",
    "minutes_other": "{count}\N{NO-BREAK SPACE}minuter",
    "days_one": "{count} dag",
    "days_other": "{count} dagar",
    "of_days_one": "{count} dag",
    "of_days_other": "{count} dagar",
    "closed_years_one": "{count} år bakåt",
    "closed_years_other": "{count} år bakåt",
    "clients_one": "{count} kund",
    "clients_other": "{count} kunder",
    "emails_one": "{count} e-postbrev",
    "emails_other": "{count} e-postbrev",
    "text_messages_one": "{count} sms",
    "text_messages_other": "{count} sms",
    "campaigns_one": "{count} kampanj",
    "campaigns_other": "{count} kampanjer",
    "messages_one": "{count} meddelande",
    "messages_other": "{count} meddelanden",
    "parts_one": "{count} del",
    "parts_other": "{count} delar",
    "seconds_one": "{count} sekund",
    "seconds_other": "{count} sekunder",
    "hours_one": "{count} timme",
    "hours_other": "{count} timmar",
    "entries_one": "{count} anteckning",
    "entries_other": "{count} anteckningar",
    "in_groups_one": "{count} grupp",
    "in_groups_other": "{count} grupper",
    "findings_one": "{count} iakttagelse",
    "findings_other": "{count} iakttagelser",
    "seals_one": "{count} sigill",
    "seals_other": "{count} sigill",
}
EN = {
    "minutes_one": "{count}\N{NO-BREAK SPACE}minute",
    "minutes_other": "{count}\N{NO-BREAK SPACE}minutes",
    "days_one": "{count} day",
    "days_other": "{count} days",
    "of_days_one": "{count} day",
    "of_days_other": "{count} days",
    "closed_years_one": "{count} closed year",
    "closed_years_other": "{count} closed years",
    "clients_one": "{count} client",
    "clients_other": "{count} clients",
    "emails_one": "{count} email",
    "emails_other": "{count} emails",
    "text_messages_one": "{count} text message",
    "text_messages_other": "{count} text messages",
    "campaigns_one": "{count} campaign",
    "campaigns_other": "{count} campaigns",
    "messages_one": "{count} message",
    "messages_other": "{count} messages",
    "parts_one": "{count} part",
    "parts_other": "{count} parts",
    "seconds_one": "{count} second",
    "seconds_other": "{count} seconds",
    "hours_one": "{count} hour",
    "hours_other": "{count} hours",
    "entries_one": "{count} entry",
    "entries_other": "{count} entries",
    "in_groups_one": "{count} group",
    "in_groups_other": "{count} groups",
    "findings_one": "{count} finding",
    "findings_other": "{count} findings",
    "seals_one": "{count} seal",
    "seals_other": "{count} seals",
}


def category(number: int, language: Language) -> str:
    """Return which form of a noun stands beside a number in this language, as `one` or `other`."""
    return _locale(language).plural_form(number)


def categories(language: Language) -> frozenset[str]:
    """Return every category that numbers of this language have."""
    return _locale(language).plural_form.tags | {"other"}


@cache
def _locale(language: Language) -> Locale:
    return Locale(language.value)
