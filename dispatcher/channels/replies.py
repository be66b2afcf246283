"""What a mail server's reply means (RFC 5321, RFC 3463): values in, outcomes out."""

import re
from dataclasses import dataclass
from typing import Self

from dispatcher.rules import reply_words
from dispatcher.rules.message import Blame, Outcome, OutcomeKind
from dispatcher.rules.reply_words import says

_STATUS = re.compile(r"\s*([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_KINDS = {2: OutcomeKind.ACCEPTED, 4: OutcomeKind.DEFERRED, 5: OutcomeKind.REFUSED}

DEAD = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"})
"""The enhanced statuses that say an address is dead at once; never one of 5.7.x (the table below E-55)."""

_WAITING_CODES = frozenset({421, 523, 530, 534, 535, 538})
_WAITING_STATUSES = frozenset({"4.3.2", "5.7.8", "5.7.9", "5.7.10", "5.7.11"})
# 523, 538, 5.7.10 and 5.7.11 ask for encryption (RFC 5248).
_UNSPECIFIED = frozenset({"", "5.0.0", "5.5.0"})
_SYNTAX = frozenset({500, 501, 502, 503, 504, 555})


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply of a mail server: its three digits and its text, lines joined by LF.

    The text is read to tell whom the reply concerns and goes no further: it may hold an address (L-46).
    """

    code: int
    text: str = ""

    @classmethod
    def parsed(cls, raw: bytes) -> Self:
        """Return a whole reply as it came, each line with the same three digits; eight-bit letters are read somehow."""
        try:
            lines = raw.decode().splitlines()
        except UnicodeDecodeError:
            lines = raw.decode("latin-1").splitlines()
        return cls(int(raw[:3]), "\n".join(line[4:].strip() for line in lines))

    @property
    def status(self) -> str:
        """The enhanced status that begins the text ("5.1.1"), or nothing."""
        found = _STATUS.match(self.text)
        return found[1] if found else ""

    @property
    def kind(self) -> OutcomeKind | None:
        """What the first digit decides (E-50); None for one that decides nothing, like 354 or a malformed one."""
        return _KINDS.get(self.code // 100) if 200 <= self.code < 600 else None

    @property
    def is_about_connection(self) -> bool:
        """Whether the connection or the whole campaign waits and no message is to blame (E-53)."""
        refusing = self.kind in {OutcomeKind.DEFERRED, OutcomeKind.REFUSED}
        return refusing and (self.code in _WAITING_CODES or self.status in _WAITING_STATUSES)

    @property
    def is_about_share(self) -> bool:
        """Whether it is this one connection that has carried enough; another may carry more."""
        return says(reply_words.plain(self.text), reply_words.THIS_CONNECTION)

    @property
    def is_about_pipelining(self) -> bool:
        """Whether a server shows by its refusal that it cannot have commands in a group, whatever it offered."""
        return self.code in {500, 502, 503} or says(reply_words.plain(self.text), reply_words.PIPELINING)


def outcome_of(reply: Reply, *, names_recipient: bool = True) -> Outcome:
    """Return what a reply makes of a message: the code decides about trying again, the status whom it concerns (E-50).

    What a server says of the sender's quota outranks both. `names_recipient` is False for the replies to MAIL and
    earlier: they cannot be about an address not yet named, so unless they are about the mail itself, the campaign
    waits. Raises ValueError for a reply that decides nothing.
    """
    kind = reply.kind
    if kind is None:
        raise ValueError(f"{reply.code} is not a final reply")
    found = (str(reply.code), reply.status)
    if kind is OutcomeKind.ACCEPTED:
        return Outcome(kind, *found)
    blame = _blame(reply, names_recipient=names_recipient)
    if blame in {Blame.CONNECTION, Blame.QUOTA}:
        kind = OutcomeKind.DEFERRED
    return Outcome(kind, *found, blame=blame)


def is_goodbye(raw: bytes) -> bool:
    """Return whether a server closes a connection for no reason but that it is old, or has carried its share."""
    reply = Reply.parsed(raw)
    return reply.code == 421 and (reply.is_about_share or outcome_of(reply).blame is Blame.CONNECTION)


def blame_of(code: str) -> Blame:
    """Return whom the code of a bounce concerns: an enhanced status ("5.1.1"), or the reply code where there is none.

    Without the words of the reply no address is dead by a reply code alone.
    """
    return _by_words(Reply(int(code)), "") if code.isdecimal() else _by_status(code)


def _blame(reply: Reply, *, names_recipient: bool) -> Blame:
    text = reply_words.plain(reply.text)
    if not reply.status.endswith(".2.2") and reply_words.says_sender_quota(text):
        return Blame.QUOTA
    if reply.is_about_connection:
        return Blame.CONNECTION
    blame = _by_words(reply, text) if reply.status in _UNSPECIFIED else _by_status(reply.status)
    if names_recipient:
        return blame
    # The size of a mail is told at MAIL already (RFC 1870), where a bare 552 can be about nothing else.
    is_about_mail = blame is Blame.CONTENT or (reply.code == 552 and reply.status in _UNSPECIFIED)
    return Blame.CONTENT if is_about_mail else Blame.CONNECTION


def _by_status(status: str) -> Blame:
    """Return whom an enhanced status concerns: the table below E-55, row by row; one of class 4 concerns nobody yet."""
    if status in DEAD:
        return Blame.ADDRESS
    if status in {"5.2.2", "4.2.2"}:
        return Blame.MAILBOX_FULL
    if status in {"5.4.1", "5.4.4"}:
        return Blame.NO_ROUTE
    if status == "5.2.3" or status.startswith(("5.3.", "5.5.", "5.6.")):
        return Blame.CONTENT
    if status.startswith(("5.7.", "4.7.")) or status in {"5.1.7", "5.1.8", "4.1.7", "4.1.8"}:
        # 1.7 and 1.8 are about the sender's own address.
        return Blame.POLICY
    return Blame.MESSAGE


def _by_words(reply: Reply, text: str) -> Blame:
    """Return whom a reply concerns whose status says nothing; where the words leave doubt, no address is dead."""
    if reply.code == 552 and says(text, reply_words.TOO_BIG) and not says(text, reply_words.MAILBOX_FULL):
        return Blame.CONTENT
    if reply.code in {452, 552} or says(text, reply_words.MAILBOX_FULL):
        return Blame.MAILBOX_FULL
    if reply.kind is not OutcomeKind.REFUSED:
        return Blame.MESSAGE
    if says(text, reply_words.POLICY):
        return Blame.POLICY
    if says(text, reply_words.NO_SUCH_USER):
        return Blame.ADDRESS
    return Blame.CONTENT if reply.code in _SYNTAX else Blame.MESSAGE
