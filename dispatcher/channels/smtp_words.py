"""What is said to a mail server of one email: its envelope, and its body as the wire wants it (RFC 5321)."""

import re

from dispatcher.channels.replies import Reply, outcome_of
from dispatcher.rules.message import Blame, Email, Outcome, OutcomeKind

_ADDRESS = re.compile(r"[!-;=?-~]+@[!-;=?-~]+")
_XTEXT = re.compile(r"[!-*,-<>-~]*")


def envelope(email: Email, message_id: str, *, has_size: bool, has_dsn: bool) -> tuple[str, str, str]:
    """Return MAIL, RCPT and DATA; `has_size` and `has_dsn` say what the server offers (RFC 1870, RFC 3461)."""
    size = f" SIZE={len(email.content)}" if has_size else ""
    about_mail = f" RET=HDRS ENVID={_xtext(message_id)}" if has_dsn else ""
    about_recipient = " NOTIFY=FAILURE" if has_dsn else ""
    return (
        f"MAIL FROM:<{email.sender}>{size}{about_mail}\r\n",
        f"RCPT TO:<{email.recipient}>{about_recipient}\r\n",
        "DATA\r\n",
    )


def unfit(email: Email) -> Outcome | None:
    """Return why an email cannot go over any connection, or None."""
    if email.sender and not _ADDRESS.fullmatch(email.sender):
        return Outcome(OutcomeKind.DEFERRED, "553", "5.1.7", blame=Blame.CONNECTION)
    if not _ADDRESS.fullmatch(email.recipient):
        if email.recipient.isascii():
            return outcome_of(Reply(553, "5.1.3"))
        return Outcome(OutcomeKind.REFUSED, "553", "5.6.7")  # only SMTPUTF8 could carry it (E-28)
    content = email.content
    ends = content.count(b"\n")
    is_clean = ends == content.count(b"\r") == content.count(b"\r\n") and b"\0" not in content
    # A bare LF would be altered on the way, and a server that takes it for a line end can be made to see two mails
    # in one (E-21); eight-bit bytes may be recoded on the way and break the signature (E-22).
    return None if is_clean and content.isascii() else outcome_of(Reply(554, "5.6.0"))


def stuffed(content: bytes) -> bytes:
    """Return the bytes of the DATA phase: dots doubled at line starts, and the lone dot at the end (RFC 5321 4.5.2)."""
    if b"\r\n." in content:
        content = content.replace(b"\r\n.", b"\r\n..")
    if content.startswith(b"."):
        content = b"." + content
    return content + (b".\r\n" if content.endswith(b"\r\n") else b"\r\n.\r\n")


def _xtext(text: str) -> str:
    """Return text as xtext (RFC 3461, section 4)."""
    if _XTEXT.fullmatch(text):
        return text
    return "".join(
        char if _XTEXT.fullmatch(char) else "".join(f"+{byte:02X}" for byte in char.encode()) for char in text
    )
