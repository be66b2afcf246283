"""Letters as they come to an invented studio, and the addresses they come to."""

from datetime import UTC, datetime
from email.message import EmailMessage

from dispatcher.keys import Key, KeyKind, KeyRing
from dispatcher.links import MailAddresses, OptOut, OptOutLinks, PlusAddress
from dispatcher.mailbox.letters import Reader
from dispatcher.rules.campaign import Channel
from dispatcher.rules.letter import Letter

RING = KeyRing({KeyKind.TOKEN: (Key(KeyKind.TOKEN, "1", b"k" * 32),)})
LINKS = OptOutLinks(RING, "https://m.tunturituuli.example")
INBOX = PlusAddress.of("hei@tunturituuli.example")
ADDRESSES = MailAddresses(RING, LINKS, INBOX, INBOX)
CLIENT, MESSAGE = 4711, "0123456789abcdef" * 2
BACK = ADDRESSES.ways_back(CLIENT, MESSAGE, LINKS.token(OptOut(CLIENT, Channel.EMAIL)))
"""Where the mail to a client is answered."""
REPLY, OPT_OUT, BOUNCE = (ADDRESSES.token_in(each) or "" for each in (BACK.reply_to, BACK.opt_out, BACK.bounce_to))
LINK = LINKS.url(OptOut(CLIENT, Channel.EMAIL))
FORGED = INBOX.with_token("a" * 47)
AT = datetime(2026, 11, 24, 7, 30, tzinfo=UTC)
READER = Reader(ADDRESSES)


def written(to: str = BACK.reply_to, body: str = "Kiitos viestistä!", **headers: str) -> bytes:
    """Return a letter as its server hands it over; a name with _ is a header with -, and replaces the usual one."""
    letter = EmailMessage()
    usual = {
        "From": "Maija <maija@posti.example>",
        "To": to,
        "Subject": "Re: Kevät tulee",
        "Message_ID": "<1@posti.example>",
    }
    for name, value in {**usual, **headers}.items():
        if value:
            letter[name.replace("_", "-")] = value
    letter.set_content(body)
    return letter.as_bytes()


def read(raw: bytes, reader: Reader = READER) -> Letter | None:
    """Return what a letter is."""
    return reader.letter(raw, "1", AT)


def came(raw: bytes, reader: Reader = READER) -> Letter:
    """Return what a letter is that surely came to us."""
    letter = read(raw, reader)
    assert letter is not None
    return letter


def report(*groups: str, to: str = BACK.bounce_to, original: str = "", **headers: str) -> bytes:
    """Return a delivery report with these groups of fields, the first on the message."""
    usual = {"Return-Path": "<>", "From": "MAILER-DAEMON@mx.posti.example", "To": to, "Auto-Submitted": "auto-replied"}
    head = {**usual, "Subject": "Undelivered", "MIME-Version": "1.0", **headers}
    kind = 'multipart/report; report-type=delivery-status; boundary="b"'
    head.setdefault("Content-Type", kind)
    lines = [f"{name}: {value}" for name, value in head.items() if value]
    body = ["", "--b", "Content-Type: text/plain", "", "It could not be delivered.", "", "--b"]
    body += ["Content-Type: message/delivery-status", "", "\n\n".join(groups), "", "--b"]
    body += ["Content-Type: text/rfc822-headers", "", original, "--b--", ""]
    return "\r\n".join([*lines, *body]).replace("\r\n", "\n").replace("\n", "\r\n").encode()


def complaint(kind: str, original: str, to: str = INBOX.with_token("complaints")) -> bytes:
    """Return a complaint of RFC 5965 about a mail."""
    lines = [
        "From: feedback@provider.example",
        f"To: {to}",
        "Subject: FW: Kevät",
        "MIME-Version: 1.0",
        'Content-Type: multipart/report; report-type=feedback-report; boundary="b"',
        "",
        "--b",
        "Content-Type: text/plain",
        "",
        "This is an email abuse report.",
        "",
        "--b",
        "Content-Type: message/feedback-report",
        "",
        f"Feedback-Type: {kind}",
        "User-Agent: SomeGenerator/1.0",
        "Version: 1",
        "",
        "--b",
        "Content-Type: message/rfc822",
        "",
        original,
        "--b--",
        "",
    ]
    return "\r\n".join(lines).encode()
