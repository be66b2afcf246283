"""What happens at a client's end: a person opens a mail and its link, or a mail program presses its own button.

Only what is in the received bytes is used, and everything goes over HTTP, to this machine alone and past no proxy.
"""

import http.client
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage, Message
from email.utils import make_msgid
from functools import lru_cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlencode, urljoin, urlsplit

from dispatcher.demo.loopback import HOST

_SECONDS = 20
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
OPT_OUT_PATH = "/u/"


@dataclass(frozen=True, slots=True)
class Page:
    """An answer as a browser sees it."""

    url: str
    status: int
    html: str


@dataclass(frozen=True, slots=True)
class OpenedMail:
    """A mail as a mail program shows it: headers by their lower-case name, and its text and HTML part, if any."""

    headers: Mapping[str, str]
    text: str
    html: str

    @property
    def one_click_url(self) -> str | None:
        """Return where RFC 8058 lets a mail program post to, or None where the headers do not offer it."""
        if self.header("List-Unsubscribe-Post") != "List-Unsubscribe=One-Click":
            return None
        targets = [target.strip().strip("<>") for target in self.header("List-Unsubscribe").split(",")]
        return next((target for target in targets if target.startswith(("https://", "http://"))), None)

    def header(self, name: str) -> str:
        """Return a header's text, or nothing."""
        return self.headers.get(name.lower(), "")

    def opt_out_link(self) -> str | None:
        """Return the link a reader can click to leave: one that stands in the HTML part and in the text part."""
        seen = _Elements()
        seen.feed(self.html)
        links = [link for link in seen.links if urlsplit(link).path.startswith(OPT_OUT_PATH)]
        return next((link for link in links if link in self.text), None)


@lru_cache(maxsize=1_000)
def open_mail(content: bytes) -> OpenedMail:
    """Return a mail, parsed from the bytes a mail server received."""
    message = message_from_bytes(content)
    parts = {part.get_content_type(): part for part in message.walk()}
    headers = {name.lower(): str(make_header(decode_header(value))).strip() for name, value in message.items()}
    return OpenedMail(headers, _words(parts.get("text/plain")), _words(parts.get("text/html")))


def _words(part: Message | None) -> str:
    content = part.get_payload(decode=True) if part else b""
    return content.decode("utf-8", errors="replace").replace("\r\n", "\n") if isinstance(content, bytes) else ""


def answer_to(mail: OpenedMail, sender: str, words: str) -> bytes:
    """Return the answer to a mail as a mail program writes it: to where answers are asked for, the mail quoted."""
    letter = EmailMessage()
    letter["From"], letter["To"] = sender, mail.header("Reply-To") or mail.header("From")
    letter["Subject"], letter["Message-ID"] = f"Re: {mail.header('Subject')}", make_msgid(domain="posti.example")
    quoted = "".join(f"> {line}\n" for line in mail.text.splitlines())
    letter.set_content(f"{words}\n\n{mail.header('From')} kirjoitti:\n{quoted}")
    return letter.as_bytes()


def put_letter(folder: Path, content: bytes, at: datetime) -> None:
    """Put a letter into an inbox (a Maildir), as the studio's own mail server does when it comes."""
    path = folder / "new" / f"{at.timestamp():.0f}.M0P1.kirje"
    path.write_bytes(content)
    os.utime(path, (at.timestamp(), at.timestamp()))


def look(url: str) -> Page:
    """Open a page, as a click in a mail does, and as link scanners do."""
    return _ask("GET", url)


def press_button(page: Page) -> Page:
    """Submit the form on a page. Raises LookupError where there is none to submit."""
    seen = _Elements()
    seen.feed(page.html)
    if seen.form_action is None or not seen.has_button:
        raise LookupError("there is no form with a button on the page")
    return _ask("POST", urljoin(page.url, seen.form_action), urlencode(seen.fields))


def press_one_click(url: str) -> Page:
    """Post what a mail program posts when its own unsubscribe button is pressed (RFC 8058, section 3.2)."""
    return _ask("POST", url, "List-Unsubscribe=One-Click")


class _Elements(HTMLParser):
    """Collects the links and the posting form of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.form_action: str | None = None
        self.has_button = False
        self.fields: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take one element in."""
        given = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif tag == "form" and given.get("method", "").lower() == "post":
            self.form_action = given.get("action", "")
        elif tag == "input" and "name" in given:
            self.fields[given["name"]] = given.get("value", "")
        elif tag == "button" and given.get("type", "submit") == "submit":
            self.has_button = True


def _ask(method: str, url: str, body: str = "") -> Page:
    parts = urlsplit(url)
    if parts.hostname != HOST:
        raise ConnectionRefusedError(f"the demo speaks to this machine only, not to {parts.hostname}")
    path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
    connection = http.client.HTTPConnection(HOST, parts.port or 80, timeout=_SECONDS)
    try:
        connection.request(method, path, body.encode(), _FORM if body else {})
        answer = connection.getresponse()
        return Page(url, answer.status, answer.read().decode("utf-8", errors="replace"))
    finally:
        connection.close()
