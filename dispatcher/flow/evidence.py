"""What shows that a client was asked: each answer with its words, who recorded it, and the notice of its day."""

from collections.abc import Callable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from dispatcher.flow.papers import who
from dispatcher.rules.campaign import Language
from dispatcher.rules.consent import Answer
from dispatcher.rules.ledger import EntryKind, StoredEntry
from dispatcher.rules.receipt import Event, NoticeInForce
from dispatcher.storage import answers, wordings
from dispatcher.storage.database import Connection
from dispatcher.storage.ledger import entries_of_clients
from dispatcher.storage.notices import Notice
from dispatcher.storage.wordings import Wording
from dispatcher.texts import format_date, format_time

_KEPT = "suppression"
"""The collector of an objection that is kept for an address and has no entry of its own."""

InForce = Callable[[datetime], NoticeInForce]
"""Says which notice was in force at a moment."""


def in_force(published: Sequence[Notice], url: str, language: Language) -> InForce:
    """Return what says which of these versions was in force; one without this language is named by its Finnish text."""

    def at(moment: datetime) -> NoticeInForce:
        notice = next((each for each in reversed(published) if each.published_at <= moment), None)
        if notice is None:
            return NoticeInForce(url)
        return NoticeInForce(url, notice.version, notice.hash_in(language))

    return at


def events_of(connection: Connection, client: int, given: Sequence[Answer], notice: InForce) -> list[Event]:
    """Return every answer of a client with its evidence, in the order in which they were recorded.

    Of those `given`, the objections that are kept for the client's addresses come last: they have no entry.
    """
    entries = {entry.id: entry for entry in entries_of_clients(connection, EntryKind.ANSWER.value, [client])}
    own = [answer for answer, _ in answers.of_client(connection, client)]
    kept = [answer for answer in given if answer.entry == 0]
    known = {wording.sha256: wording for wording in wordings.every(connection)}
    found = []
    for answer in [*own, *kept]:
        entry = entries.get(answer.entry)
        wording = known.get(answer.wording or "")
        moment = answer.not_before or answer.not_after or answer.recorded_at
        found.append(
            Event(
                answer,
                entry.actor if entry else _KEPT,
                notice(moment),
                wording.text if wording else None,
                _label(wording) if wording else None,
                _booking(entry) if entry else None,
                entry.digest if entry else None,
            )
        )
    return found


def shown(event: Event, language: Language, zone: ZoneInfo) -> dict[str, object]:
    """Return an event as a paper shows it."""
    answer = event.answer
    return {
        "reply": answer.reply.value,
        "channel": answer.channel.value if answer.channel else None,
        "everything": answer.channel is None,
        "given": _span(answer, language, zone),
        "place": answer.place.value if answer.place else None,
        "recorded_at": answer.recorded_at,
        "collector": "–" if event.collector == _KEPT else who(event.collector, language),  # noqa: RUF001 - nobody
        "wording": event.wording,
        "wording_sha256": answer.wording,
        "notice_version": event.notice.version,
    }


def _label(wording: Wording) -> str | None:
    """Return how a person calls a wording (`fi-email-3`), or None for one that a file brought along."""
    if wording.language is None or wording.version is None:
        return None
    return f"{wording.language}-{'+'.join(sorted(wording.channels))}-{wording.version}"


def _booking(entry: StoredEntry) -> str | None:
    booking = entry.data().get("booking")
    return str(booking["hash"]) if isinstance(booking, dict) else None


def _span(answer: Answer, language: Language, zone: ZoneInfo) -> str:
    """Return when an answer was given: a minute, a day, or the days between which it was."""
    first, last = answer.not_before or answer.not_after, answer.not_after or answer.not_before
    if first is None or last is None:
        return "–"  # noqa: RUF001 - an empty place
    start, end = (moment.astimezone(zone) for moment in (first, last))
    days = [format_date(moment.date(), language) for moment in (start, end)]
    if days[0] != days[1]:
        return f"{days[0]} – {days[1]}"  # noqa: RUF001 - from one day to another
    is_a_day = (end - start).total_seconds() > 3600
    return days[0] if is_a_day else f"{days[0]} {format_time(start.time(), language)}"
