"""A real Maildir beside an installation, and letters that its clients write back."""

import email
import email.policy
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from itertools import count
from pathlib import Path

from dispatcher.demo.smtp_double import ReceivedMail
from tests.workshop import Workshop

_SETTINGS = """
[mailbox]
provider = "maildir"
path = "inbox"
"""
_NAMES = count(1)


class LetterBox:
    """The Maildir of a workspace, configured there; its mail server is the test."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
        self.path = workshop.directory / "inbox"
        for folder in ("new", "cur", "tmp"):
            (self.path / folder).mkdir(parents=True)
        settings = workshop.directory / "dispatcher.toml"
        settings.write_text(f"{settings.read_text(encoding='utf-8')}{_SETTINGS}", encoding="utf-8")

    def deliver(self, letter: EmailMessage) -> Path:
        """Deliver a letter now."""
        second = int(self._workshop.clock().timestamp())
        path = self.path / "new" / f"{second}.{next(_NAMES)}.mx.tunturituuli.example"
        path.write_bytes(letter.as_bytes(policy=email.policy.SMTP))
        return path

    @contextmanager
    def closed(self) -> Iterator[None]:
        """Have the box be away, as where its disk is not there."""
        away = self.path.with_name("inbox-away")
        self.path.rename(away)
        try:
            yield
        finally:
            away.rename(self.path)


def reply(mail: ReceivedMail, said: str) -> EmailMessage:
    """Return the reply of whoever got a mail, as their mail program writes it."""
    got = email.message_from_bytes(mail.content, policy=email.policy.default)
    letter = EmailMessage()
    letter["From"], letter["To"] = mail.recipient, str(got["Reply-To"])
    letter["Subject"], letter["In-Reply-To"] = f"Vs: {got['Subject']}", str(got["Message-ID"])
    letter.set_content(said)
    return letter


def opt_out(mail: ReceivedMail) -> EmailMessage:
    """Return what a mail program sends that opts out by mail."""
    got = email.message_from_bytes(mail.content, policy=email.policy.default)
    ways = [each.strip(" <>") for each in str(got["List-Unsubscribe"]).split(",")]
    address = next(each.removeprefix("mailto:") for each in ways if each.startswith("mailto:"))
    letter = EmailMessage()
    letter["From"], letter["To"], letter["Subject"] = mail.recipient, address, "unsubscribe"
    letter.set_content("")
    return letter
