"""Mail to the people who run the program: what needs them, in fixed words, and what to type."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time

from dispatcher.rules.alerts import NEEDS_SOMEBODY, AlertKind
from dispatcher.rules.campaign import Language, State
from dispatcher.rules.ledger import Json
from dispatcher.texts import CATALOGUES, format_date, format_time, text

_COMMANDS: Mapping[AlertKind, tuple[str, ...]] = {
    AlertKind.HELD: ("dispatcher campaign release {name}", "dispatcher campaign cancel {name}"),
    AlertKind.REQUEST_OVERDUE: ("dispatcher client requests",),
    AlertKind.RETENTION_OVERDUE: ("dispatcher retention show",),
    AlertKind.YEAR_OVERDUE: ("dispatcher retention show",),
    AlertKind.IMPORT_STALE: ("dispatcher client import register.csv",),
    AlertKind.INCOMING: ("dispatcher inbox list",),
    AlertKind.DOOR_UNREAD: ("dispatcher doctor",),
    AlertKind.SLOT_WEEK: ("dispatcher campaign status {name}",),
    AlertKind.SLOT_EVE: ("dispatcher campaign status {name}", "dispatcher campaign hold {name}"),
    AlertKind.FINISHED: ("dispatcher campaign status {name}",),
    AlertKind.YEAR_CLOSED: ("dispatcher audit verify audits/{year}/audit-{year}.zip",),
}
_IDLE_WORDS: Mapping[str, str] = {State.RESERVED.value: "slot_empty", State.DRAFT.value: "slot_draft"}
_IDLE_COMMANDS = ("dispatcher campaign schedule campaigns/FILE.toml", "dispatcher campaign cancel {name}")
_NOTHING: Mapping[str, Json] = dict.fromkeys(
    ("email", "sms", "waiting", "withheld", "days", "count", "campaigns", "messages", "clients"), 0
)
_COUNTED: Mapping[str, tuple[str, str]] = {
    "by_email": ("clients", "email"),
    "by_sms": ("clients", "sms"),
    "emails": ("emails", "email"),
    "text_messages": ("text_messages", "sms"),
    "ago": ("days", "days"),
    "letters": ("messages", "count"),
    "campaigns": ("campaigns", "campaigns"),
    "messages": ("messages", "messages"),
    "clients": ("clients", "clients"),
}
"""What of an alert is a number with its noun: which noun, and which value the number is."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One matter to tell a person of: its kind, and the values of its words; no client is in them."""

    language: Language
    kind: AlertKind
    values: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class AlertWords:
    """What such a mail says, the same in its text and its page.

    `seal` is what the paper keeps of the ledger: whoever rewrites it afterwards contradicts the mail.
    """

    subject: str
    heading: str
    text: str
    commands: tuple[str, ...]
    repeats: str | None
    seal: str | None = None


def words_of(alert: Alert) -> AlertWords:
    """Return the words of an alert in its language."""
    language, kind = alert.language, alert.kind
    values = {**_NOTHING, **alert.values}
    if "date" in values:
        values["date"] = format_date(date.fromisoformat(str(values["date"])), language)
    if "time" in values:
        values["time"] = format_time(time.fromisoformat(str(values["time"])), language)
    values |= {word: text(noun, language, count=values[number]) for word, (noun, number) in _COUNTED.items()}
    values["why"] = _why(str(values.get("reason") or ""), language)
    if kind is AlertKind.REQUEST_OVERDUE:
        values["what"] = text(f"request_{values['kind']}", language)

    def say(key: str) -> str:
        return text(f"alert_{key}", language, **values)

    has_been_read = kind is not AlertKind.IMPORT_STALE or int(str(values["days"])) >= 0
    words, commands = kind.value, _COMMANDS[kind]
    if values.get("state") in _IDLE_WORDS:
        words, commands = _IDLE_WORDS[str(values["state"])], _IDLE_COMMANDS
    return AlertWords(
        subject=say(f"{words}_subject"),
        heading=say(f"{words}_heading"),
        text=say(f"{words}_text" if has_been_read else "import_never_text").strip(),
        commands=tuple(command.format_map(values) for command in commands),
        repeats=say("repeats") if kind in NEEDS_SOMEBODY else None,
        seal=say("seal") if "seal" in values else None,
    )


def _why(reason: str, language: Language) -> str:
    key = f"alert_why_{reason}"
    if key in CATALOGUES[language]:
        return text(key, language)
    return text("alert_why_other", language, reason=reason.replace("_", " ")) if reason else ""
