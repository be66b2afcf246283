"""What Twilio's answers and error numbers make of a message: the table "Twilio error -> action" of the rules."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from dispatcher.channels import CameIn, Forgotten, Sighting
from dispatcher.errors import ChannelError
from dispatcher.rules.message import Blame, Outcome, OutcomeKind

_BLAMES: Mapping[int, Blame] = {
    21610: Blame.OBJECTION,
    **dict.fromkeys((21211, 21614, 21635, 30006), Blame.ADDRESS),
    30005: Blame.HANDSET,
    30004: Blame.BARRED,
    30007: Blame.POLICY,
}
_WAITS: Mapping[int, Blame] = {
    **dict.fromkeys((21408, 21606, 21612, 21657, 21663, 30042), Blame.SET_UP),
    **dict.fromkeys((20003, 30002, 401, 403, 404), Blame.CONNECTION),
    **dict.fromkeys((20429, 30001, 429), Blame.QUOTA),
}
"""What no client can help, by Twilio's number or the HTTP status: wrongly set up, shut out, or too much at once."""
_NO_SUCH_MESSAGE = 20404
_LONGEST_WAIT = timedelta(days=100)
"""Who asks for a longer wait than this means something else, or nothing."""
SID = re.compile(r"\w{1,64}", re.ASCII)
"""A name that Twilio gave a message."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of Twilio's API: the HTTP status, the headers, and the JSON object if there is one."""

    status: int
    headers: Mapping[str, str]
    body: Mapping[str, Any]


def outcome_of(answer: Answer) -> Outcome:
    """Return what an answer to a create makes of the message (S-24 and the table below S-28).

    What no client can help waits: for somebody to mend what is set up wrongly, or for Twilio. 30003 and 30008 are
    refused like any number that is not in the table: never again in this campaign, and nobody's fault.
    """
    if 200 <= answer.status < 300:
        return _accepted(answer)
    if not 400 <= answer.status < 500:
        return Outcome(OutcomeKind.UNKNOWN, str(answer.status))
    number = answer.body.get("code")
    code = number if isinstance(number, int) and 0 < number < 10**6 else answer.status
    if code in _BLAMES:
        return Outcome(OutcomeKind.REFUSED, str(code), blame=_BLAMES[code])
    waits = _WAITS.get(code) or _WAITS.get(answer.status)
    if waits is not None:
        return Outcome(OutcomeKind.DEFERRED, str(code), blame=waits, retry_after=_retry_after(answer.headers))
    return Outcome(OutcomeKind.REFUSED, str(code))


def blame_of(code: str) -> Blame:
    """Return whom an error concerns that Twilio tells of a message it had taken; the message alone, unless listed."""
    return _BLAMES.get(int(code), Blame.MESSAGE) if code.isascii() and code.isdecimal() else Blame.MESSAGE


def forgotten_by(answer: Answer | None) -> Forgotten:
    """Return what an answer to a delete says: 204, or Twilio's own word that it knows no such message."""
    if answer is None:
        return Forgotten(is_gone=False)
    is_unknown = answer.status == 404 and answer.body.get("code") == _NO_SUCH_MESSAGE
    return Forgotten(answer.status == 204 or is_unknown, str(answer.status), _retry_after(answer.headers))


def sightings_of(answers: Iterable[Answer]) -> tuple[Sighting, ...] | None:
    """Return the messages in the pages of a list, or None where one of them is no such page: then nothing is known."""
    found: list[Sighting] = []
    for answer in answers:
        rows = answer.body.get("messages")
        if answer.status != 200 or not isinstance(rows, list):
            return None
        for row in rows:
            seen = _sighting(row)
            if seen is None:
                return None
            found.append(seen)
    return tuple(found)


def read_object(text: str) -> Mapping[str, Any]:
    """Return the JSON object that a text is; an empty one where it is none."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _accepted(answer: Answer) -> Outcome:
    sid, segments = answer.body.get("sid"), str(answer.body.get("num_segments", ""))
    if not isinstance(sid, str) or not SID.fullmatch(sid):
        return Outcome(OutcomeKind.UNKNOWN, str(answer.status))
    # Nought is what Twilio says while it does not know yet.
    count = (int(segments) or None) if segments.isdecimal() and len(segments) < 4 else None
    return Outcome(OutcomeKind.ACCEPTED, str(answer.status), provider_id=sid, segments=count)


def _sighting(row: object) -> Sighting | None:
    if not isinstance(row, dict):
        return None
    sid, text, status, code = (row.get(key) for key in ("sid", "body", "status", "error_code"))
    try:
        created = parsedate_to_datetime(str(row.get("date_created")))
    except (ValueError, TypeError, OverflowError):
        return None
    if not isinstance(sid, str) or not SID.fullmatch(sid) or not isinstance(text, str):
        return None
    aware = created if created.tzinfo else created.replace(tzinfo=UTC)
    return Sighting(sid, aware.astimezone(UTC), text, str(status or ""), str(code or ""))


def came_in_of(answers: Iterable[Answer]) -> tuple[CameIn, ...]:
    """Return the messages in the pages of a list that came in, oldest first.

    Raises ChannelError where one of them is no such page: then nothing is known to have come in, and nothing not to.
    """
    found: dict[str, CameIn] = {}
    pages = list(answers)
    for answer in pages:
        rows = answer.body.get("messages")
        if answer.status != 200 or not isinstance(rows, list):
            raise unread(answer)
        for row in rows:
            if isinstance(row, dict) and str(row.get("direction", "inbound")) != "inbound":
                continue
            # What came in may have no words, as a picture has none.
            seen = _sighting(row | {"body": row.get("body") or ""}) if isinstance(row, dict) else None
            sender = row.get("from") if seen else None
            if seen is None or not isinstance(sender, str):
                raise unread(answer)
            # A page that was turned while another text came in repeats the last row of the one before.
            found[seen.provider_id] = CameIn(seen.provider_id, sender, seen.taken_at, seen.text)
    if not pages:
        raise unread(None)
    return tuple(sorted(found.values(), key=lambda each: each.at))


def unread(answer: Answer | None) -> ChannelError:
    """Return the error that says why Twilio's list could not be read, and what to do about it."""
    if answer is None:
        return ChannelError(
            "Twilio did not answer when it was asked what clients have texted: check that this machine is online."
        )
    if answer.status in {401, 403, 404}:
        return ChannelError(
            f"Twilio refused to tell what clients have texted ({answer.status}): check account_sid, api_key and region "
            "in [sms] of dispatcher.toml, and twilio_api_secret in secrets.toml."
        )
    if answer.status == 429:
        return ChannelError("Twilio was asked too often what clients have texted (429): it is asked again by itself.")
    if answer.status == 200:
        return ChannelError(
            "What Twilio told of what clients have texted is not understood: it is asked again by itself."
        )
    return ChannelError(
        f"Twilio could not tell what clients have texted (it answered {answer.status}): it is asked again by itself."
    )


def _retry_after(headers: Mapping[str, str]) -> timedelta | None:
    """Return how long the provider asks to wait (RFC 9110, section 10.2.3), by the provider's own clock."""
    asked = headers.get("Retry-After", "").strip()
    try:
        if asked.isdecimal():
            wait = timedelta(seconds=int(asked))
        else:
            wait = parsedate_to_datetime(asked) - parsedate_to_datetime(headers.get("Date", ""))
    except (ValueError, TypeError, OverflowError):
        return None
    return max(wait, timedelta(0)) if wait < _LONGEST_WAIT else None
