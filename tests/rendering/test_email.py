"""What an email looks like as bytes."""

import html
import quopri
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from email import message_from_bytes
from html.parser import HTMLParser
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from dispatcher.errors import RenderingError
from dispatcher.links import WaysBack
from dispatcher.rendering import CampaignRenderer, Templates
from dispatcher.rules.campaign import Audience, Campaign, Channel, Language
from dispatcher.rules.message import Email, Recipient
from dispatcher.rules.studio import Studio
from dispatcher.texts import text

_AINO = Recipient("Aino", Language.FI, "3.2.2026")
_BACK = WaysBack("hei+r@revontuli.example", "hei+u@revontuli.example", "b+7@m.revontuli.example")
_URL = f"https://m.revontuli.example/u/{'a' * 37}"
_TEXT, _HTML = "email/offer/body.txt.j2", "email/offer/body.html.j2"
_ONCE = [
    "From",
    "To",
    "Reply-To",
    "Subject",
    "Date",
    "Message-ID",
    "MIME-Version",
    "List-Id",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "Precedence",
    "X-Auto-Response-Suppress",
    "Feedback-ID",
    "Content-Type",
]
Compile = Callable[..., CampaignRenderer]


@pytest.fixture(scope="session")
def send(renderer: CampaignRenderer, moment: datetime) -> Callable[..., Email]:
    """Return a function that renders the sample email for a client."""

    def to(recipient: Recipient = _AINO, address: str = "aino@posti.example", url: str = _URL) -> Email:
        return renderer.email(recipient, address, url, "0190-a", moment)

    return to


def _head(raw: bytes) -> bytes:
    return raw.partition(b"\r\n\r\n")[0] + b"\r\n"


def _bodies(raw: bytes) -> tuple[str, str]:
    """Return the decoded text and HTML, cut at the boundary by hand."""
    found = re.search(rb'boundary="([^"]+)"', _head(raw))
    assert found
    _, plain, page, end = raw.split(b"\r\n--" + found[1])
    assert end == b"--\r\n"
    parts = [part.partition(b"\r\n\r\n") for part in (plain, page)]
    assert b'Content-Type: text/plain; charset="utf-8"' in parts[0][0]
    assert b'Content-Type: text/html; charset="utf-8"' in parts[1][0]
    text_part, html_part = (quopri.decodestring(body).decode("utf-8") for _, _, body in parts)
    return text_part, html_part


class _Page(HTMLParser):
    """Every tag with its attributes, and the words between them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.words = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.words += data


def test_the_raw_one_click_header(send: Callable[..., Email]) -> None:
    """E-01, E-02: exactly one of each header, the second byte for byte as RFC 8058 writes it."""
    head = _head(send().content)
    assert [b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"] == re.findall(
        rb"^List-Unsubscribe-Post:.*\r\n", head, re.MULTILINE
    )
    assert [f"List-Unsubscribe: <{_URL}>\r\n".encode()] == re.findall(rb"^List-Unsubscribe:.*\r\n", head, re.MULTILINE)


@pytest.mark.parametrize("length", [1, 44, 78, 200, 800])
def test_a_long_link_is_neither_folded_nor_encoded(length: int, send: Callable[..., Email]) -> None:
    """E-03: however long the token, the link stands on one line as it is."""
    url = f"https://m.revontuli.example/u/{'b' * length}"
    assert f"\r\nList-Unsubscribe: <{url}>\r\n".encode() in _head(send(url=url).content)


def test_every_header_is_there_once(send: Callable[..., Email]) -> None:
    """E-24, E-29 to E-31: each header exactly once, and neither Cc nor Bcc."""
    names = re.findall(rb"^([!-9;-~]+):", _head(send().content), re.MULTILINE)
    assert sorted(_ONCE) == sorted(name.decode() for name in names)


def test_the_headers_say_who_sends_what(send: Callable[..., Email]) -> None:
    """E-24, E-29, E-30, E-35: sender, answers, list, local time and an id on our own domain."""
    lines = _head(send().content).decode("ascii").split("\r\n")
    expected = {
        'From: "Hoitola Revontuli" <tarjoukset@m.revontuli.example>',
        'Reply-To: "Hoitola Revontuli" <hei@revontuli.example>',
        "To: aino@posti.example",
        "Date: Tue, 17 Mar 2026 10:00:00 +0200",
        "Message-ID: <0190-a@m.revontuli.example>",
        'List-Id: "Hoitola Revontuli" <marketing.m.revontuli.example>',
        "Precedence: bulk",
        "X-Auto-Response-Suppress: OOF, AutoReply",
        "Feedback-ID: 2026-03-kevat:offer:email:dispatcher",
    }
    assert expected <= set(lines)


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("name", ["", "Aino", "Áilu-Ŋállá", "🎁" * 10])
def test_the_bytes_fit_every_relay(name: str, language: Language, send: Callable[..., Email]) -> None:
    """E-20 to E-22: 7-bit, CRLF and nothing else, lines of at most 78 octets but for the link."""
    raw = send(Recipient(name, language, "3.2.2026")).content
    assert raw.isascii()
    assert b"\0" not in raw
    assert re.search(rb"(?<!\r)\n|\r(?!\n)", raw) is None
    assert [b"quoted-printable"] * 2 == re.findall(rb"\r\nContent-Transfer-Encoding: (.*)\r\n", raw)
    lines = [line for line in raw.split(b"\r\n") if not line.startswith(b"List-Unsubscribe:")]
    assert max(len(line) for line in lines) <= 78


def test_another_parser_reads_the_same(send: Callable[..., Email]) -> None:
    """E-23: text first, HTML last, in one multipart/alternative without defects."""
    message = message_from_bytes(send().content)
    parts = list(message.walk())
    assert ["multipart/alternative", "text/plain", "text/html"] == [part.get_content_type() for part in parts]
    assert not any(part.defects for part in parts)


@pytest.mark.parametrize("language", Language)
def test_both_parts_say_the_same(language: Language, studio: Studio, send: Callable[..., Email]) -> None:
    """E-14, E-23, L-20 to L-22: offer, identity, marker, right to object, opt-out and notice in both parts."""
    words, page = _bodies(send(Recipient("Aino", language, "3.2.2026")).content)
    parsed = _Page(page)
    links = {attributes.get("href") for tag, attributes in parsed.tags if tag == "a"}
    shown = [
        studio.name,
        studio.business_id,
        studio.postal_address,
        "49",
        text("marker", language),
        text("why_since", language, date="3.2.2026"),
        text("right_to_object", language),
    ]
    assert not [each for each in shown if each not in words]
    assert not [each for each in shown if each not in parsed.words]
    assert {_URL, studio.notice_in(language), studio.booking_url} <= links
    assert not [url for url in (_URL, studio.notice_in(language), studio.booking_url) if url not in words]


@pytest.mark.parametrize("language", Language)
def test_the_html_loads_nothing(language: Language, send: Callable[..., Email]) -> None:
    """E-32, L-40: opening the mail asks nobody for anything: no picture, font, style or script from anywhere."""
    _, page = _bodies(send(Recipient("Aino", language, "")).content)
    tags = _Page(page).tags
    assert not {"img", "script", "link", "iframe", "form", "video", "object"} & {tag for tag, _ in tags}
    assert not [given for _, given in tags if {"src", "srcset", "background"} & set(given)]
    assert not re.search(r"url\(|@import|@font-face", page)


@pytest.mark.parametrize("language", Language)
def test_the_html_is_accessible(language: Language, send: Callable[..., Email]) -> None:
    """L-45: language, title, one main heading, and a design for dark screens."""
    _, page = _bodies(send(Recipient("Aino", language, "")).content)
    tags = _Page(page).tags
    assert {"lang": language.value} == dict(tags)["html"]
    assert 1 == [tag for tag, _ in tags].count("h1")
    assert re.search(r"<title>[^<]+</title>", page)
    assert "@media (prefers-color-scheme: dark)" in page
    assert "style=" in page


def test_the_html_is_small(send: Callable[..., Email]) -> None:
    """E-33: far below the size at which the opt-out link would be cut off."""
    assert len(_bodies(send().content)[1].encode()) < 20_000


@pytest.mark.parametrize(
    ("recipient", "greeting", "why"),
    [
        (Recipient("Aino", Language.FI, "3.2.2026"), "Hei Aino!", "koska annoit 3.2.2026 luvan"),
        (Recipient("", Language.FI, ""), "Hei!", "koska annoit luvan"),
        (Recipient("Aino", Language.SV, ""), "Hej Aino!", "för att du har gett ditt samtycke"),
        (Recipient(" ", Language.EN, "3 February 2026"), "Hello!", "agreed to direct marketing on 3 February 2026"),
    ],
)
def test_the_greeting_fits_what_is_known(
    recipient: Recipient, greeting: str, why: str, send: Callable[..., Email]
) -> None:
    """A client is greeted with or without a name, and told since when the yes stands where that is known."""
    words, page = _bodies(send(recipient).content)
    assert f"\r\n{greeting}\r\n" in words
    assert f">{greeting}<" in page
    assert why in words
    assert why in page


@pytest.mark.parametrize("name", ["D'Arcy", "Anna & Co", '<img src="x">', '"', "{{ 7 * 7 }}", "=?utf-8?q?x?="])
def test_a_name_is_text(name: str, send: Callable[..., Email]) -> None:
    """E-36: a name is printed as it is and never becomes HTML or a template."""
    words, page = _bodies(send(replace(_AINO, first_name=name)).content)
    assert f"Hei {name}!" in words
    assert f"Hei {html.escape(name, quote=False)}!" in page


@pytest.mark.parametrize(
    "name",
    [
        "https://evil.example",
        "www.evil.example",
        "evil.com",
        "a@evil.example",
        "Anna\r\nBcc: x",
        "An\u2028na",
        "A" * 41,
    ],
)
def test_what_would_become_a_link_is_no_name(name: str, send: Callable[..., Email]) -> None:
    """E-36: a name that a mail program would make a link of, or that is no single line, is not greeted by."""
    assert send(replace(_AINO, first_name="")).content == send(replace(_AINO, first_name=name)).content


def test_the_same_client_gets_the_same_bytes(send: Callable[..., Email]) -> None:
    """Nothing in a mail is left to chance: it can be made again and compared."""
    assert send().content == send().content


def test_only_what_is_the_clients_own_differs(send: Callable[..., Email]) -> None:
    """E-32: two clients' mails differ in address, name and opt-out link, and in no other link."""
    other = send(Recipient("Eero", Language.FI, "3.2.2026"), "eero@posti.example", _URL.replace("aaa", "bbb"))
    mine = "\0".join(_bodies(send().content))
    theirs = "\0".join(_bodies(other.content))
    assert mine == theirs.replace("Eero", "Aino").replace(_URL.replace("aaa", "bbb"), _URL)


def test_the_envelope(renderer: CampaignRenderer, send: Callable[..., Email], moment: datetime) -> None:
    """Bounces go to the studio's own address, or to the one asked for; neither stands in the mail."""
    own = renderer.email(_AINO, "aino@posti.example", _URL, "0190-a", moment, _BACK)
    assert ("palautukset@m.revontuli.example", "aino@posti.example") == (send().sender, send().recipient)
    assert ("b+7@m.revontuli.example", "aino@posti.example") == (own.sender, own.recipient)
    assert b"b+7" not in own.content


@pytest.mark.parametrize(
    ("address", "url", "message_id", "ways_back"),
    [
        ("a@b.example\r\nBcc: c@evil.example", _URL, "1", None),
        ("aino@posti.example", f"{_URL}>\r\nX: y", "1", None),
        ("aino@posti.example", _URL, "1>\r\nBcc: c@evil.example", None),
        ("aino@posti.example", _URL, "1", replace(_BACK, bounce_to="b@m.example\r\nRCPT TO:<c@evil.example>")),
        ("aino@posti.example", _URL, "1", replace(_BACK, reply_to="b@m.example\r\nBcc: c@evil.example")),
        ("aino@posti.example", _URL, "1", replace(_BACK, opt_out="b@m.example>\r\nBcc: <c@evil.example")),
    ],
    ids=["to", "link", "id", "bounces", "replies", "opt-outs"],
)
def test_nothing_handed_in_makes_a_header(
    address: str, url: str, message_id: str, ways_back: WaysBack | None, renderer: CampaignRenderer, moment: datetime
) -> None:
    """E-25: a line end anywhere in what is handed in is an error."""
    with pytest.raises(RenderingError):
        renderer.email(_AINO, address, url, message_id, moment, ways_back)


def test_a_subject_of_its_own_may_greet(compiled: Compile, moment: datetime) -> None:
    """A subject template may print the name; it is encoded for each client (E-26)."""
    own = "{{ client.first_name or 'Hei' }}: {{ subject }}"
    renderer = compiled({"email/offer/subject.txt.j2": own}, subject=dict.fromkeys(Language, "Uutta"))
    for name, expected in (("Aino", b"Subject: Aino: Uutta\r\n"), ("", b"Subject: Hei: Uutta\r\n")):
        raw = renderer.email(replace(_AINO, first_name=name), "a@posti.example", _URL, "1", moment).content
        assert expected in _head(raw)


def test_a_subject_of_two_lines_is_refused(compiled: Compile) -> None:
    """E-25: a line end in a subject is found when the campaign is compiled."""
    with pytest.raises(RenderingError, match="Subject holds a line end"):
        compiled({}, subject=dict.fromkeys(Language, "Hei\nBcc: x@evil.example"))


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("name", "Hoitola\r\nBcc: x@evil.example", "From holds a line end"),
        ("sender", "päivi@m.example", r"correct it in dispatcher\.toml"),
        ("bounces", "", r"correct it in dispatcher\.toml"),
    ],
)
def test_a_studio_that_cannot_be_written_is_refused(
    field: str, value: str, told: str, campaign: Campaign, templates: Templates, studio: Studio, zone: ZoneInfo
) -> None:
    """E-25, E-28: what stands in every header is checked once, before the first client."""
    fields: dict[str, Any] = {field: value}
    with pytest.raises(RenderingError, match=told):
        CampaignRenderer(campaign, templates, replace(studio, **fields), zone)


def test_another_language_or_channel_is_refused(compiled: Compile, moment: datetime) -> None:
    """A client outside the audience's languages, or a channel not named, gets an error and no wrong mail."""
    swedish = compiled({}, audience=Audience(languages=frozenset({Language.SV})))
    with pytest.raises(RenderingError, match=r"campaigns/2026-03-kevat\.toml has no emails in fi"):
        swedish.email(_AINO, "a@posti.example", _URL, "1", moment)
    by_sms = compiled({}, channels=(Channel.SMS,), subject={})
    with pytest.raises(RenderingError, match="has no emails in fi: name the channel"):
        by_sms.email(_AINO, "a@posti.example", _URL, "1", moment)
    assert by_sms.sms(_AINO, "+358401234567", _URL).segments == 1


@pytest.mark.parametrize(
    ("layout", "taken", "told"),
    [
        ("txt", "opt_out_url", r"email/offer/body\.txt\.j2: it does not show the opt-out link"),
        ("html", "opt_out_url", r"email/offer/body\.html\.j2: it does not show the opt-out link"),
        ("txt", "studio.name", r"body\.txt\.j2: it does not show the business name: write {{ studio\.name }}"),
        ("html", "studio.name", r"body\.html\.j2: it does not show the business name"),
        ("txt", 't("marker")', r'body\.txt\.j2: it does not show that it is advertising: write {{ t\("marker"\) }}'),
        ("html", 't("marker")', r"body\.html\.j2: it does not show that it is advertising"),
        ("txt", "notice_url", r"body\.txt\.j2: it does not show the link to the privacy notice"),
        ("html", "notice_url", r"body\.html\.j2: it does not show the link to the privacy notice"),
        ("txt", "studio.postal_address", r"body\.txt\.j2: it does not show the postal address"),
        ("html", "studio.business_id", r"body\.html\.j2: it does not show the business id"),
    ],
)
def test_a_mail_without_what_it_must_show_is_refused(
    layout: str, taken: str, told: str, compiled: Compile, templates: Templates
) -> None:
    """E-14, L-20, L-21: identity, marker, opt-out and notice are looked for before anything is scheduled."""
    path = f"layouts/email.{layout}.j2"
    changed = templates.source(path).replace(taken, "''")
    with pytest.raises(RenderingError, match=told):
        compiled({path: changed})
