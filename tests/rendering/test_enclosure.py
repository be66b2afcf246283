"""A mail with a picture, byte by byte: what a strict reader finds in it, and that it is the same for all."""

import re
from base64 import b64decode
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from dispatcher.errors import RenderingError
from dispatcher.rendering import CampaignRenderer, Templates
from dispatcher.rendering.checks import LARGEST_MAIL
from dispatcher.rendering.page import Page
from dispatcher.rendering.pictures import Picture, prepared
from dispatcher.rendering.preview import page_of
from dispatcher.rendering.survey import Survey
from dispatcher.rules.campaign import Campaign, Language, NamedPicture
from dispatcher.rules.message import Recipient
from dispatcher.rules.studio import Studio
from tests.photos import arrow, noise, written

_URL = f"https://m.revontuli.example/u/{'a' * 37}"
_LAYOUT = "layouts/email.html.j2"
_SHOWN = '<img src="{{ offer.image.url }}"'
ALT = {Language.FI: 'Lumi & "aurinko" <3', Language.SV: "Snö", Language.EN: "Snow"}


@pytest.fixture(scope="module")
def picture() -> Picture:
    """Return a picture that fills the room a picture has."""
    return prepared(written(noise(1000, 700)), "Kevät.jpg")


@pytest.fixture(scope="module")
def shown(campaign: Campaign) -> Campaign:
    """Return a campaign that names a picture."""
    return replace(campaign, picture=NamedPicture("Kevät.jpg", ALT))


@pytest.fixture(scope="module")
def pictured(
    shown: Campaign, picture: Picture, templates: Templates, studio: Studio, zone: ZoneInfo
) -> CampaignRenderer:
    """Return it, compiled."""
    return CampaignRenderer(shown, templates, studio, zone, picture=picture)


@pytest.fixture(scope="module")
def send(pictured: CampaignRenderer, moment: datetime) -> Callable[[Recipient], bytes]:
    """Return a function that renders its email for a client."""
    return lambda recipient: pictured.email(recipient, "aino@posti.example", _URL, "0190-a", moment).content


def parts_of(entity: bytes) -> tuple[dict[str, str], list[bytes], bytes]:
    """Return the headers of a MIME entity, its parts, and its body, by nothing but RFC 2046: no library is asked."""
    head, gap, body = entity.partition(b"\r\n\r\n")
    assert gap
    lines = re.sub(r"\r\n[ \t]+", " ", head.decode("ascii")).split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    assert len(headers) == len(lines)
    found = re.search(r'boundary="([^"]{1,70})"', headers["content-type"])
    if found is None:
        return headers, [], body
    mark = f"--{found[1]}".encode()
    preamble, *parts, end = (b"\r\n" + body).split(b"\r\n" + mark)
    assert (b"", b"--\r\n") == (preamble, end)
    assert all(part.startswith(b"\r\n") for part in parts)
    assert body.count(mark) == len(parts) + 1
    return headers, [part[2:] for part in parts], body


def test_a_picture_travels_beside_the_page_that_shows_it(send: Callable[[Recipient], bytes], picture: Picture) -> None:
    """E-20, E-23: words first, then the page and its picture as one; the page names it by its Content-ID."""
    headers, [words, related], _ = parts_of(send(Recipient("Aino", Language.FI, "3.2.2026")))
    assert headers["content-type"].startswith("multipart/alternative;")
    assert 'text/plain; charset="utf-8"' == parts_of(words)[0]["content-type"]
    headers, [page, image], _ = parts_of(related)
    assert 'multipart/related; type="text/html"; boundary="=_with_picture"' == headers["content-type"]
    assert 'text/html; charset="utf-8"' == parts_of(page)[0]["content-type"]
    headers, inner, body = parts_of(image)
    assert [] == inner
    assert {
        "content-type": "image/jpeg",
        "content-transfer-encoding": "base64",
        "content-id": f"<{picture.key}@m.revontuli.example>",
        "content-disposition": 'inline; filename="kevat.jpg"',
    } == headers
    assert f"cid:{picture.key}@m.revontuli.example".encode() in page.replace(b"=\r\n", b"")
    assert picture.content == b64decode(body.replace(b"\r\n", b""), validate=True)
    assert {76} == {len(line) for line in body.split(b"\r\n")[:-2]}


def test_the_bytes_with_a_picture_fit_every_relay(send: Callable[[Recipient], bytes]) -> None:
    """E-20 to E-22: 7-bit, CRLF and nothing else, no line longer than 78; the whole mail is under 400 kB."""
    raw = send(Recipient("Áilu-Ŋállá", Language.SV, ""))
    assert raw.isascii()
    assert b"\0" not in raw
    assert re.search(rb"(?<!\r)\n|\r(?!\n)", raw) is None
    assert max(len(line) for line in raw.split(b"\r\n") if not line.startswith(b"List-Unsubscribe:")) <= 78
    assert len(raw) < LARGEST_MAIL == 400_000


def test_two_clients_get_the_same_picture(send: Callable[[Recipient], bytes]) -> None:
    """L-40: the picture's part is the same bytes for every client, so that nothing of it tells who looks."""
    images = {
        parts_of(parts_of(send(recipient))[1][1])[1][1]
        for recipient in (Recipient("Aino", Language.FI, "3.2.2026"), Recipient("", Language.EN, ""))
    }
    assert 1 == len(images)


@pytest.mark.parametrize("language", Language)
def test_the_page_says_what_the_picture_shows(language: Language, send: Callable[[Recipient], bytes]) -> None:
    """L-45: the words of the reader's language, whatever signs they hold, and the room it takes."""
    raw = send(Recipient("", language, ""))
    [found] = Page.read(page_of(raw)).pictures
    assert ALT[language] == found.alt
    assert 'width="600" height="420"' in page_of(raw)


def test_without_a_picture_nothing_changes(
    campaign: Campaign, renderer: CampaignRenderer, templates: Templates, moment: datetime
) -> None:
    """A campaign that names none has a mail of two parts and no trace of one."""
    raw = renderer.email(Recipient("", Language.FI, ""), "aino@posti.example", _URL, "1", moment).content
    assert 2 == len(parts_of(raw)[1])
    assert not [trace for trace in (b"multipart/related", b"<img", b"cid:", b"below") if trace in raw]
    assert campaign.picture is None
    assert _SHOWN in templates.source(_LAYOUT)


def test_a_test_carries_the_picture_too(pictured: CampaignRenderer, moment: datetime, picture: Picture) -> None:
    """Who gets a test sees what clients would see."""
    to, link = "aino@posti.example", _URL
    raw = pictured.email(Recipient("", Language.FI, ""), to, link, "1", moment, is_trial=True).content
    assert picture.key.encode() in raw
    assert raw.count(b"image/jpeg") == 1


@pytest.mark.parametrize(
    ("was", "now", "told"),
    [
        (_SHOWN, '<img src="cid:logo"', "nothing of that name is attached"),
        (' alt="{{ offer.image.alt }}"', "", "the offer's picture has no words for who does not see it"),
        ('"{{ offer.image.alt }}"', '""', "the offer's picture has no words"),
        ("offer.image.url", "offer.image.link", "offer.image.link has no value: a template may read url, width,"),
        (_SHOWN, '<img src="https://kuvat.example/kevat.jpg"', "would load something"),
    ],
)
def test_a_template_that_shows_it_wrongly_is_refused(
    was: str,
    now: str,
    told: str,
    shown: Campaign,
    picture: Picture,
    templates: Templates,
    studio: Studio,
    zone: ZoneInfo,
) -> None:
    """L-40, L-45: a picture from elsewhere, one that is not there, or one without words stops the compiling."""
    changed = templates.used_by(shown)
    assert was.encode() in changed[_LAYOUT]
    changed[_LAYOUT] = changed[_LAYOUT].replace(was.encode(), now.encode())
    with pytest.raises(RenderingError, match=told):
        CampaignRenderer(shown, Templates(changed), studio, zone, picture=picture)


def test_a_picture_that_no_template_shows_stays_at_home(
    shown: Campaign, picture: Picture, templates: Templates, studio: Studio, zone: ZoneInfo, moment: datetime
) -> None:
    """An own layout without a place for it sends no attachment nobody sees; the check says so."""
    changed = templates.used_by(shown)
    changed[_LAYOUT] = changed[_LAYOUT].replace(b"{% if offer.image is defined %}", b"{% if false %}")
    plain = CampaignRenderer(shown, Templates(changed), studio, zone, picture=picture)
    raw = plain.email(Recipient("", Language.FI, ""), "aino@posti.example", _URL, "1", moment).content
    assert b"image/jpeg" not in raw
    [warning] = Survey(shown, Templates(changed), studio, "campaigns/a.toml", "", 3, picture).findings()
    assert "nobody would see it" in warning.what


def test_a_mail_that_is_too_large_is_refused(
    shown: Campaign, picture: Picture, templates: Templates, studio: Studio, zone: ZoneInfo
) -> None:
    """400 kB with the picture are the most: more is found when the campaign is compiled, with what to do."""
    long = replace(shown, fields={**shown.fields, "text": dict.fromkeys(Language, "ä" * 25_000)})
    CampaignRenderer(replace(long, picture=None), templates, studio, zone)
    with pytest.raises(RenderingError, match=r"has 50\d kB, and 400 kB are the most: shorten its texts"):
        CampaignRenderer(long, templates, studio, zone, picture=picture)


def test_a_campaign_without_the_picture_it_names_is_refused(
    shown: Campaign, picture: Picture, campaign: Campaign, templates: Templates, studio: Studio, zone: ZoneInfo
) -> None:
    """Nothing goes out without the picture its owner wrote of, nor with one nobody wrote of."""
    for named, given in ((shown, None), (campaign, picture)):
        with pytest.raises(RenderingError, match="disagree on whether there is a picture"):
            CampaignRenderer(named, templates, studio, zone, picture=given)


def test_a_drawing_travels_as_png(
    shown: Campaign, templates: Templates, studio: Studio, zone: ZoneInfo, moment: datetime
) -> None:
    """What was kept as PNG is called so, in its type and its name."""
    drawn = prepared(written(arrow(600, 300), "PNG"), "kuva.png")
    renderer = CampaignRenderer(shown, templates, studio, zone, picture=drawn)
    raw = renderer.email(Recipient("", Language.FI, ""), "aino@posti.example", _URL, "1", moment).content
    headers = parts_of(parts_of(parts_of(raw)[1][1])[1][1])[0]
    assert ("image/png", 'inline; filename="kuva.png"') == (headers["content-type"], headers["content-disposition"])
    assert "data:image/png;base64,iVBOR" in page_of(raw)
