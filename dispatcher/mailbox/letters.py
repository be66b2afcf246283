"""A letter as it lies in the inbox -> what it is to us. Whatever a stranger wrote, nothing is raised."""

from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.message import Message
from email.parser import BytesHeaderParser

from dispatcher.links import MailAddresses
from dispatcher.mailbox import automatic, reports
from dispatcher.mailbox.recipients import Came, came_to, told_of
from dispatcher.mailbox.replies import own_words
from dispatcher.mailbox.reports import Feedback
from dispatcher.mailbox.words import text_of
from dispatcher.rules.letter import Letter, LetterKind
from dispatcher.rules.stop_words import Said, said_in_reply

MOST_BYTES = 256 * 1024
"""So much of a letter is looked at: a report and a reply stand at its beginning, pictures after them."""
MOST_OF_HEAD = 64 * 1024
_MOST_FOR_FORMS = 64 * 1024
"""So much of a letter is held against the forms of odd bounces, some of which are slow."""
_KINDS = {
    Feedback.ABUSE: LetterKind.COMPLAINT,
    Feedback.NOT_SPAM: LetterKind.NOT_SPAM,
    Feedback.OPT_OUT: LetterKind.STOP,
    Feedback.ANYTHING_ELSE: LetterKind.OTHER,
}


@dataclass(frozen=True, slots=True)
class Reader:
    """Finds out what letters are to us; with `takes_all` everything in the inbox is meant for the program."""

    addresses: MailAddresses
    takes_all: bool = False

    def is_for_us(self, head: bytes) -> bool:
        """Say, by its headers alone, whether a letter is looked at any further."""
        return self._is_for_us(self._came(head))

    def letter(self, raw: bytes, key: str, at: datetime) -> Letter | None:
        """Return what a letter is, None for one that did not come to us; of a long one its beginning is enough."""
        came = self._came(raw)
        if not self._is_for_us(came):
            return None
        try:
            return _Looked(raw[:MOST_BYTES], came, self.addresses, key, at).letter()
        except Exception:  # noqa: BLE001 - a letter can be broken in ways nobody thought of, and a person can read it
            return Letter(key, at, LetterKind.OTHER, came.any)

    def _is_for_us(self, came: Came) -> bool:
        return came.is_ours or (self.takes_all and not came.is_test)

    def _came(self, raw: bytes) -> Came:
        head = raw[:MOST_OF_HEAD]
        for end in (b"\r\n\r\n", b"\n\n"):
            head = head.partition(end)[0]
        try:
            return came_to(BytesHeaderParser().parsebytes(head), self.addresses)
        except Exception:  # noqa: BLE001 - as above; what nobody can read came to nobody
            return Came()


def shown(raw: bytes) -> str:
    """Return the text of a letter for a person to read: who wrote it, its subject, and all its words.

    Nothing in it can do anything to a terminal.
    """
    try:
        letter = message_from_bytes(raw[:MOST_BYTES])
        lines = [f"{name}: {_plain(str(letter.get(name, '')))}" for name in ("From", "Date")]
        text = text_of(letter, whole=True) or "(no words)"
        lines += [f"Subject: {_plain(automatic.subject_of(letter))}", "", *map(_plain, text.splitlines())]
    except Exception:  # noqa: BLE001 - as above
        lines = ["This letter is built in a way that cannot be shown here: look for it in your mail program."]
    return "\n".join(lines).rstrip() + "\n"


@dataclass(frozen=True, slots=True)
class _Looked:
    """A letter that came to us, while it is looked at."""

    raw: bytes
    came: Came
    addresses: MailAddresses
    key: str
    at: datetime

    def letter(self) -> Letter:
        """Return what it is: a report first, then an opt-out by its address, then by who wrote it and what it says."""
        letter, came = message_from_bytes(self.raw), self.came
        feedback = reports.feedback_in(letter)
        if feedback is not None:
            return self._is(_KINDS[feedback], self._complained_of(letter))
        if reports.is_delivery_report(letter):
            return self._bounce(reports.failure_in(letter))
        if came.opt_out:
            return self._is(LetterKind.STOP, came.opt_out)
        words = text_of(letter)
        if came.bounce and not came.reply:
            failure = reports.odd_failure_in(message_from_bytes(self.raw[:_MOST_FOR_FORMS]), words)
            if failure is not None:
                return self._bounce(failure)
        if automatic.is_automatic(letter):
            return self._is(LetterKind.AUTOMATIC, came.any)
        return self._is(_said(letter, words), came.any)

    def _is(self, kind: LetterKind, token: str) -> Letter:
        return Letter(self.key, self.at, kind, token)

    def _bounce(self, failure: reports.Failure | None) -> Letter:
        """Return what a report on a delivery is; only one that came to the address of a message is a bounce (E-60)."""
        if failure is None or not self.came.bounce:
            return self._is(LetterKind.AUTOMATIC, self.came.any)
        token, status, code = self.came.bounce, failure.status, failure.code
        return Letter(self.key, self.at, LetterKind.BOUNCE, token, status, code, is_permanent=True)

    def _complained_of(self, letter: Message) -> str:
        """Return whose mail is complained of: by the address it came to, else by what our own mail in it carries."""
        carried = (told_of(each, self.addresses).any for each in reports.originals_in(letter))
        return self.came.any or next(filter(None, carried), "")


def _said(letter: Message, words: str) -> LetterKind:
    subject = automatic.subject_of(letter)
    said = {said_in_reply(own_words(words))}
    # Where somebody writes anew the subject is theirs; in a reply it is ours.
    if ":" not in subject and not any(letter.get(name) for name in ("In-Reply-To", "References")):
        said.add(said_in_reply(subject))
    if Said.STOP in said and Said.STOP_OR_APPOINTMENT not in said:
        return LetterKind.STOP
    # What may mean an appointment waits for a person: nothing goes to that client until it has been read.
    is_away = said == {Said.OTHER} and automatic.says_away(letter)
    return LetterKind.AUTOMATIC if is_away else LetterKind.OTHER


def _plain(line: str) -> str:
    return "".join(char if char.isprintable() or char == "\t" else " " for char in line)
