"""Whatever names, subjects and words go into a mail, they come out of it as they went in, and no relay minds."""

import html
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from html.parser import HTMLParser
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatcher.errors import RenderingError
from dispatcher.rendering import CampaignRenderer, Templates
from dispatcher.rules.campaign import Audience, Campaign, Language
from dispatcher.rules.message import Recipient
from dispatcher.rules.studio import Studio
from tests.rendering.rfc2047 import decoded
from tests.rendering.strict_mime import Entity, read

_URL = f"https://m.revontuli.example/u/{'a' * 37}"
_RENEW = f"https://m.revontuli.example/r/{'b' * 47}"
_STANDS_FOR = "Xyzzyx"
_HARMLESS = [
    "Päivi",
    "Ánte Čáhcesuolu Ŋŋ ǥǩ ʒ",
    "👩\N{ZERO WIDTH JOINER}🚀🎁",
    "شكرا جزيلا",
    "\N{RIGHT-TO-LEFT OVERRIDE}nimi",
    "=?utf-8?q?x=0D=0ABcc:=20evil=40x?=",
    "=?utf-8?b?SGVp?= =?",
    "From Maija",
    ".",
    "=_dispatcher_alternative",
    "--=_dispatcher_alternative--",
    "a\\b\"c'd",
    "<b>&amp;</b>",
    "{{ 7 * 7 }}",
    "a  b   c ",
    " =20 = ",
    "e\N{COMBINING ACUTE ACCENT}",
]
_HOSTILE = ["a\r\nBcc: x@evil.example", "a\nb", "a\rb", "a\x85b", "a\u2028b", "a\u2029b", "a\0b", "a\x1bb", "a\x7fb"]
_ANY = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=60)
_SIGNS = st.text(st.sampled_from("aä =?_.-\"\\<>&'Ŋ🎁é\N{NO-BREAK SPACE}"), max_size=60)
_PHRASES = st.one_of(st.sampled_from(_HARMLESS), _ANY, _SIGNS)
Compile = Callable[..., CampaignRenderer]


class _Heading(HTMLParser):
    """The words of the heading of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self._is_in = False
        self.words = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        self._is_in = tag == "h1" or self._is_in

    def handle_endtag(self, tag: str) -> None:
        self._is_in = self._is_in and tag != "h1"

    def handle_data(self, data: str) -> None:
        self.words += data if self._is_in else ""


def _mail(renderer: CampaignRenderer, moment: datetime, name: str = "Aino", *, ends: str = "") -> Entity:
    recipient = Recipient(name, Language.FI, "3.2.2026", ends)
    sent = renderer.email(recipient, "aino@posti.example", _URL, "0190-a", moment, renew_url=_RENEW if ends else "")
    return read(sent.content)


def _bodies(mail: Entity) -> tuple[str, str]:
    plain, *_, page = [leaf for leaf in mail.leaves() if leaf.kind.startswith("text/")]
    assert ("text/plain", "text/html") == (plain.kind, page.kind)
    return plain.text(), page.text()


def _phrase(value: str) -> tuple[str, str]:
    """Return display name and address of a header with both (RFC 5322, section 3.4)."""
    name, _, address = value.rpartition(" ")
    quoted = re.fullmatch(r'"((?:[^"\\]|\\.)*)"', name.rstrip())
    return (re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else decoded(name.rstrip())), address


@given(name=st.one_of(_PHRASES, st.sampled_from(_HOSTILE)), ends=st.sampled_from(["", "1.3.2026"]))
def test_a_name_comes_out_as_it_went_in(name: str, ends: str, renderer: CampaignRenderer, moment: datetime) -> None:
    """E-20 to E-26, E-36: the mail is the same but for the name, which is whole; or it greets nobody by name."""
    words, page = _bodies(_mail(renderer, moment, name, ends=ends))
    nameless = _bodies(_mail(renderer, moment, "", ends=ends))
    model_words, model_page = _bodies(_mail(renderer, moment, _STANDS_FOR, ends=ends))
    shown = name.strip()
    named = model_words.replace(_STANDS_FOR, shown), html.unescape(model_page).replace(_STANDS_FOR, shown)
    assert (words, html.unescape(page)) == named or (words, page) == nameless
    assert page.count("<") == model_page.count("<")
    if name in _HOSTILE:
        assert (words, page) == nameless
    elif name in _HARMLESS:
        assert (words, html.unescape(page)) == named


@pytest.fixture(scope="session")
def made(campaign: Campaign, templates: Templates, studio: Studio, zone: ZoneInfo) -> Compile:
    """Return a function that compiles the campaign for Finnish readers, with this subject, heading and studio."""

    def make(subject: str = "Hei", headline: str = "Otsikko", name: str = "Hoitola") -> CampaignRenderer:
        texts = {**campaign.fields, "headline": dict.fromkeys(Language, headline), "preheader": "x", "text": "x"}
        changed = replace(
            campaign,
            subject=dict.fromkeys(Language, subject),
            fields=texts,
            audience=Audience(languages=frozenset({Language.FI})),
        )
        return CampaignRenderer(changed, templates, replace(studio, name=name), zone)

    return make


@settings(max_examples=25)
@given(_PHRASES.filter(lambda text: bool(text.strip())))
def test_subject_and_studio_come_out_as_they_went_in(made: Compile, moment: datetime, words: str) -> None:
    """E-24 to E-26, E-29: an own decoder reads subject, sender, answers and list as they were written."""
    mail = _mail(made(subject=words, name=words), moment)
    assert words.strip() == mail.header("Subject").strip()
    found = [_phrase(mail.headers[name]) for name in ("from", "reply-to", "list-id")]
    assert [words] * 3 == [name for name, _ in found]
    assert "<tarjoukset@m.revontuli.example>" == found[0][1]


@pytest.mark.parametrize("words", _HOSTILE)
def test_no_line_end_comes_into_a_header(words: str, made: Compile) -> None:
    """E-25: refused before the first client, never stripped."""
    for changes in ({"subject": words}, {"name": words}):
        with pytest.raises(RenderingError):
            made(**changes)


@pytest.mark.parametrize("words", _HOSTILE[3:])
def test_no_control_comes_into_a_body(words: str, made: Compile) -> None:
    """E-21, E-25: a control character in the words of an offer is found when the campaign is compiled."""
    with pytest.raises(RenderingError, match="control character"):
        made(headline=words)


@pytest.mark.parametrize(
    "words", [*_HARMLESS, "x" * 1200, "ä" * 1200, "From a\nFrom b\n.\n..\n. \nend", "a\n--=_x--\nb"]
)
def test_words_come_out_as_they_went_in(words: str, made: Compile, moment: datetime) -> None:
    """E-20 to E-23: "From ", lines of dots, boundaries and words of a thousand letters survive in both parts."""
    plain, page = _bodies(_mail(made(headline=words), moment))
    assert words.strip().replace("\n", "\r\n") in plain
    assert " ".join(words.split()) == " ".join(_Heading(page).words.split())


@settings(max_examples=15)
@given(st.lists(_PHRASES, min_size=1, max_size=4).map("\n".join).filter(lambda text: bool(text.strip())))
def test_any_words_come_out_as_they_went_in(made: Compile, moment: datetime, words: str) -> None:
    """E-20 to E-23: so do any others, over several lines."""
    plain, page = _bodies(_mail(made(headline=words), moment))
    assert words.strip().replace("\n", "\r\n") in plain
    assert " ".join(words.split()) == " ".join(_Heading(page).words.split())
