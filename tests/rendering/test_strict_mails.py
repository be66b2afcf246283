"""Real mails under the strict parser, with and without a picture, signed and not: what is broken in one is found."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo

import pytest

from dispatcher.rendering import CampaignRenderer, Templates
from dispatcher.rendering.pictures import Picture
from dispatcher.rules.campaign import Campaign, Language
from dispatcher.rules.message import Recipient
from dispatcher.rules.studio import Studio
from tests.rendering.rfc2047 import NotLegalError
from tests.rendering.signatures import SIGNER, verdicts
from tests.rendering.strict_mime import NotStrictError, read

_NAME = "Áilu-Ŋállá"
_SUBJECT = "Kevään hieronta ja hemmottelu äidille, kahden viikon ajan ja vielä yhden päivän"
_KINDS = [(pictured, signed) for pictured in (False, True) for signed in (False, True)]
Send = Callable[..., bytes]


@pytest.fixture(scope="module")
def send(
    samples: dict[str, Campaign],
    templates: Templates,
    studio: Studio,
    zone: ZoneInfo,
    moment: datetime,
    picture_of: Callable[[Campaign], Picture | None],
) -> Send:
    """Return a function that makes the sample offer's mail: with its picture or without, signed or not."""
    sample = replace(samples["2026-03-kevat"], subject=dict.fromkeys(Language, _SUBJECT))

    @cache
    def make(*, pictured: bool = False, signed: bool = False) -> bytes:
        campaign = sample if pictured else replace(sample, picture=None)
        renderer = CampaignRenderer(
            campaign, templates, studio, zone, picture=picture_of(campaign), signer=SIGNER if signed else None
        )
        link = f"https://m.revontuli.example/u/{'a' * 37}"
        return renderer.email(
            Recipient(_NAME, Language.FI, "3.2.2026"), "aino@posti.example", link, "0190-a", moment
        ).content

    return make


@pytest.mark.parametrize(("pictured", "signed"), _KINDS)
def test_a_real_mail_is_read(send: Send, *, pictured: bool, signed: bool) -> None:
    """E-20 to E-26: words, page and picture come out whole, and two signatures on top change none of it."""
    raw = send(pictured=pictured, signed=signed)
    mail = read(raw)
    kinds = ["text/plain", "text/html", *(["image/jpeg"] if pictured else [])]
    assert kinds == [leaf.kind for leaf in mail.leaves()]
    assert all(_NAME in leaf.text() for leaf in mail.leaves() if leaf.kind.startswith("text/"))
    assert _SUBJECT == mail.header("Subject")
    assert [True, True][: 2 * signed] == verdicts(raw)


@pytest.mark.parametrize("length", range(70, 82))
def test_a_link_of_any_length_fits(length: int, renderer: CampaignRenderer, moment: datetime) -> None:
    """E-20: one that fills a line of quoted-printable to its last octet leaves room for the soft break after it."""
    link = "https://m.revontuli.example/u/".ljust(length, "a")
    reader = Recipient(_NAME, Language.FI, "")
    mail = read(renderer.email(reader, "aino@posti.example", link, "0190-a", moment).content)
    assert all(link in leaf.text() for leaf in mail.leaves())


def _at(pattern: bytes, change: bytes) -> Callable[[bytes], bytes]:
    """Return a fault: what the pattern finds first, changed."""

    def plant(raw: bytes) -> bytes:
        broken, count = re.subn(pattern, change, raw, count=1)
        assert count == 1, pattern
        return broken

    return plant


_BODY_LINE = rb"(?s)(quoted-printable\r\n\r\n.*?\r\n)([^\r\n=]{20,60})\r\n"
_FAULTS = {
    "bare LF in the headers": _at(rb"(Precedence: bulk)\r\n", rb"\1\n"),
    "bare LF in a body": _at(_BODY_LINE, rb"\1\2\n"),
    "bare CR in a body": _at(_BODY_LINE, rb"\1\2\r"),
    "eight bits in a header": _at(rb"(Precedence: bulk)", b"Precedence: b\xc3\xa4lk"),
    "eight bits in a body": _at(_BODY_LINE, b"\\1\\2\xc3\xa4\r\n"),
    "List-Unsubscribe folded": _at(rb"(List-Unsubscribe:) ", rb"\1\r\n "),
    "List-Unsubscribe-Post folded": _at(rb"(List-Unsubscribe-Post:) ", rb"\1\r\n "),
    "List-Unsubscribe encoded": _at(rb"List-Unsubscribe: <[^>]+>", b"List-Unsubscribe: =?utf-8?q?=3Chttps=3E?="),
    "a header twice": _at(rb"(List-Unsubscribe: [^\r]+\r\n)", rb"\1\1"),
    "a header twice, written otherwise": _at(rb"(From: [^\r]+\r\n)", rb"\1FROM: x@evil.example\r\n"),
    "77 octets of quoted-printable": _at(_BODY_LINE, rb"\1" + b"x" * 77 + rb"\r\n"),
    "77 octets, soft break included": _at(_BODY_LINE, rb"\1" + b"x" * 76 + b"=" + rb"\r\n"),
    "a blank at the end of a line": _at(_BODY_LINE, rb"\1\2 \r\n"),
    "a blank after a soft break": _at(_BODY_LINE, rb"\1\2= \r\n"),
    "a blank at the end of a header": _at(rb"(Precedence: bulk)", rb"\1 "),
    "small hexadecimal letters": _at(rb"=C3=A4", b"=c3=a4"),
    "half a letter": _at(rb"=C3=A4", b"=C3"),
    "another boundary": _at(rb'boundary="=_dispatcher_alternative"', b'boundary="=_dispatcher_other"'),
    "a boundary misspelt": _at(rb"\r\n--=_dispatcher_alternative\r\n", b"\r\n-=_dispatcher_alternative\r\n"),
    "no end boundary": _at(rb"\r\n--=_dispatcher_alternative--\r\n", b"\r\n"),
    "words after the end": _at(rb"(--=_dispatcher_alternative--\r\n)", rb"\1more\r\n"),
    "an encoded word of 76": _at(rb"Subject: =\?utf-8\?[^\r]+\r\n", b"Subject: =?utf-8?q?" + b"x" * 64 + b"?=\r\n"),
    "an encoded line of 77": _at(rb"Subject: =\?utf-8\?[^\r]+", b"Subject: =?utf-8?q?" + b"x" * 56 + b"?="),
    "a part without encoding": _at(rb"Content-Transfer-Encoding: quoted-printable\r\n", b""),
    "no MIME-Version": _at(rb"MIME-Version: 1.0\r\n", b""),
}


@pytest.mark.parametrize("fault", _FAULTS)
@pytest.mark.parametrize(("pictured", "signed"), _KINDS)
def test_a_fault_in_a_real_mail_is_found(send: Send, fault: str, *, pictured: bool, signed: bool) -> None:
    """E-03, E-20 to E-24, E-26: each alone, in every kind of mail."""
    broken = _FAULTS[fault](send(pictured=pictured, signed=signed))
    with pytest.raises((NotStrictError, NotLegalError)):
        read(broken).header("Subject")


_PICTURE_FAULTS = {
    "no end boundary": _at(rb"--=_with_picture--\r\n", b""),
    "another boundary": _at(rb'boundary="=_with_picture"', b'boundary="=_with"'),
    "another encoding": _at(rb"Content-Transfer-Encoding: base64", b"Content-Transfer-Encoding: binary"),
    "two lines in one": _at(rb"(?s)(base64\r\n.*?\r\n\r\n[^\r]{76})\r\n", rb"\1"),
    "a sign that is no base64": _at(rb"(?s)(base64\r\n.*?\r\n\r\n[^\r]{75})[^\r]", rb"\1!"),
    "a header twice": _at(rb"(Content-ID: [^\r]+\r\n)", rb"\1\1"),
}


@pytest.mark.parametrize("fault", _PICTURE_FAULTS)
@pytest.mark.parametrize("signed", [False, True])
def test_a_fault_in_a_picture_is_found(send: Send, fault: str, *, signed: bool) -> None:
    """E-20 to E-22: boundaries, encoding and headers of the picture's own part."""
    broken = _PICTURE_FAULTS[fault](send(pictured=True, signed=signed))
    with pytest.raises(NotStrictError):
        read(broken)


def test_a_space_lost_between_encoded_words_is_found(send: Send) -> None:
    """E-26: a space that stands between two encoded words, and in neither, is gone for the reader."""
    raw = send()
    lost = _at(rb"(Subject: =\?utf-8\?q\?[^\r_]*)_", rb"\1?=\r\n =?utf-8?q?")(raw)
    assert _SUBJECT == read(raw).header("Subject")
    assert _SUBJECT.replace(" ", "", 1) == read(lost).header("Subject")
