"""What machines report of our mails: that one could not be delivered (RFC 3464), or is complained of (RFC 5965)."""

import logging
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email.message import Message
from enum import StrEnum

from flufl.bounce import all_failures

from dispatcher.rules import reply_words

_STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_CODE = re.compile(r"(?<![\d.])([245]\d\d)(?![\d.])")
_SAYS_NOTHING = frozenset({"", "4.0.0", "5.0.0", "5.5.0"})
_MOST_TEXT = 4_000
# What it tells of a letter that it cannot read would hold addresses, and nobody is meant to read it.
logging.getLogger("flufl.bounce").disabled = True


class Feedback(StrEnum):
    """What a provider's user said of a mail of ours."""

    ABUSE = "abuse"
    NOT_SPAM = "not-spam"
    OPT_OUT = "opt-out"
    ANYTHING_ELSE = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """That a mail was given up for good: enhanced status and reply code, each "" where it was not told.

    A status of 4 is one that might have passed, had the server gone on trying: it has not (RFC 3464, section 2.3.3).
    """

    status: str = ""
    code: str = ""

    @property
    def would_recur(self) -> bool:
        """Say whether trying again would not have helped; the status says it, else the code (RFC 3463)."""
        told = self.status or self.code
        return told.startswith("5")


def is_delivery_report(letter: Message) -> bool:
    """Say whether a letter is a report of RFC 3464, or of its sisters on receipts (RFC 8098)."""
    parts = {"message/delivery-status", "message/disposition-notification", "message/global-delivery-status"}
    return any(part.get_content_type() in parts for part in _parts(letter))


def failure_in(letter: Message) -> Failure | None:
    """Return what a delivery report tells of the recipient that failed, None where none has for good (E-61).

    Delayed, delivered, relayed and expanded are nothing to act on.
    """
    failed = [_failure(group) for group in _recipients(letter) if _word(group, "Action") == "failed"]
    return max(failed, key=lambda each: each.would_recur, default=None)


def odd_failure_in(letter: Message, text: str) -> Failure | None:
    """Return what a bounce tells that is no report, by the forms that mail servers are known to write; None for others.

    `text` is its readable part.
    """
    try:
        _, permanent = all_failures(letter)
    except Exception:  # noqa: BLE001 - the forms are guesses, and a letter may be written to break each of them
        return None
    if not permanent:
        return None
    found = _told(text)
    # It was recognised as one that has failed for good, also where no number says so.
    return found if found.would_recur else Failure("5.0.0")


def feedback_in(letter: Message) -> Feedback | None:
    """Return what a complaint is about, None for a letter that is none (E-62)."""
    for part in _parts(letter):
        if part.get_content_type() == "message/feedback-report":
            kind = next((_word(group, "Feedback-Type") for group in _groups(part)), "")
            return Feedback(kind) if kind in set(Feedback) else Feedback.ANYTHING_ELSE
    return None


def originals_in(letter: Message) -> Iterator[Message]:
    """Yield the headers of the mails that a report is about."""
    for part in _parts(letter):
        kind = part.get_content_type()
        if kind == "message/rfc822":
            yield from _groups(part)
        elif kind == "text/rfc822-headers":
            payload = part.get_payload()
            if isinstance(payload, str):
                yield _headers(payload[: 4 * _MOST_TEXT])


def _recipients(letter: Message) -> Iterator[Message]:
    """Yield the groups of a report that speak of a recipient: all but the first, which speaks of the message."""
    for part in _parts(letter):
        if part.get_content_type() in {"message/delivery-status", "message/global-delivery-status"}:
            yield from (group for group in _groups(part) if group.get("Action") is not None)


def _failure(group: Message) -> Failure:
    told = _told(str(group.get("Diagnostic-Code", ""))[:_MOST_TEXT])
    status = _STATUS.search(str(group.get("Status", "")))
    said = status[1] if status else ""
    return Failure(told.status if said in _SAYS_NOTHING and told.status else said, told.code)


def _told(text: str) -> Failure:
    """Return what a server's words say: the numbers in them, and what the words mean where the numbers say nothing."""
    status, code = _STATUS.search(text[:_MOST_TEXT]), _CODE.search(text[:_MOST_TEXT])
    found = Failure(status[1] if status else "", code[1] if code else "")
    if found.status not in _SAYS_NOTHING or found.code.startswith("4"):
        return found
    return Failure(_by_words(reply_words.plain(text[:_MOST_TEXT])) or found.status, found.code)


def _by_words(plain: str) -> str:
    """Return the status that a server would have written for its words; where they leave doubt, none."""
    if reply_words.says(plain, reply_words.MAILBOX_FULL):
        return "5.2.2"
    if reply_words.says(plain, reply_words.POLICY):
        return "5.7.1"
    return "5.1.1" if reply_words.says(plain, reply_words.NO_SUCH_USER) else ""


def _groups(part: Message) -> list[Message]:
    """Return the groups of headers of a part that consists of them; a broken one has none."""
    payload = part.get_payload()
    if not isinstance(payload, list):
        return []
    return [each for each in payload if isinstance(each, Message)]


def _parts(letter: Message) -> Iterable[Message]:
    """Yield the parts of a letter, those of letters within it left out: they are what it is about."""
    waiting = [letter]
    while waiting:
        part = waiting.pop(0)
        yield part
        if part.get_content_maintype() == "multipart":
            waiting += _groups(part)


def _headers(text: str) -> Message:
    found = Message()
    for line in re.split(r"\r?\n(?![ \t])", text):
        name, _, value = line.partition(":")
        if value and name.isascii():
            found[name.strip()] = value.strip()
    return found


def _word(group: Message, name: str) -> str:
    return re.split(r"[\s;(]", str(group.get(name, "")).strip().lower(), maxsplit=1)[0]
