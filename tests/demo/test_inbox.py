"""The inbox: every message as it came, and nothing in it that could run or reach out."""

import re
from collections import Counter
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.demo.account import Account, Left, Sent
from dispatcher.demo.inbox import Markup, page, parts_of, write_inbox
from dispatcher.demo.people import Role
from dispatcher.demo.places import Places, choose, make_room
from dispatcher.demo.sample import sample
from dispatcher.demo.scene import Taken
from dispatcher.demo.smtp_double import ReceivedMail
from dispatcher.demo.summary import write_summary
from dispatcher.demo.twilio_double import ReceivedSms
from dispatcher.rules.cost import Tariff
from dispatcher.rules.decision import Reason
from dispatcher.rules.sms import measure

MOMENT = datetime(2026, 2, 10, 10, tzinfo=ZoneInfo("Europe/Helsinki"))
LINK = "http://127.0.0.1:8026/u/abc"
MAIL = f"""\
From: Hoitola <hoitola@kuukkelinpesa.example>\r
To: maija@posti.example\r
Subject: =?utf-8?q?Kev=C3=A4t_=3Cscript=3Ealert=281=29=3C/script=3E?=\r
Date: Tue, 10 Feb 2026 10:05:00 +0200\r
List-Unsubscribe: <{LINK}>\r
List-Unsubscribe-Post: List-Unsubscribe=One-Click\r
MIME-Version: 1.0\r
Content-Type: multipart/alternative; boundary="b"\r
\r
--b\r
Content-Type: text/plain; charset="utf-8"\r
Content-Transfer-Encoding: quoted-printable\r
\r
Kev=C3=A4t on <b>t=C3=A4=C3=A4ll=C3=A4</b>\r
{LINK}\r
\r
--b\r
Content-Type: text/html; charset="utf-8"\r
Content-Transfer-Encoding: quoted-printable\r
\r
<html><head></head><body>"></iframe><script>alert(2)</script><a href=3D"{LINK}">Lopeta</a></body></html>\r
\r
--b--\r
""".encode()
SMS = f"Mainos <i>: hieronta. Lopeta: {LINK}"


@pytest.fixture(name="places")
def write_one_of_each(tmp_path: Path) -> Places:
    """Write an inbox of one mail, to somebody with a part in the story, and one text message."""
    return written(tmp_path, MAIL)


def written(tmp_path: Path, mail: bytes) -> Places:
    """Write an inbox of this mail and one text message."""
    places, people = choose(tmp_path / "demo"), sample()
    make_room(places)
    reader = people.played(Role.LINK)
    sms = ReceivedSms("SM1", "Kuukkeli", "+358400001234", SMS, 1, {})
    taken = Taken((ReceivedMail("p@kuukkelinpesa.example", reader.email or "", mail),), (sms,))
    one = Counter({"email": 1, "sms": 1})
    account = Account("Hoitola & Kumppani")
    withheld = Counter({Reason.OBJECTION.value: 3})
    account.campaigns.append(Sent("2026-02", "Kevät", MOMENT, 2, one, Counter(), Counter(), 0, withheld))
    account.left.append(Left(Role.LINK, reader.name, MOMENT, 1, 0))
    account.check("this holds", 1, 1)
    account.check("this <does> not", 1, 2)
    write_inbox(places, account, people.people, {"2026-02": taken}, Tariff(prices={"FI": Decimal("0.0725")}))
    write_summary(account, places, "http://127.0.0.1:8026")
    return places


def with_picture() -> bytes:
    """Return the mail with a picture beside its page."""
    words, page, _ = [*MAIL.split(b"--b\r\n")[1:], b""]
    page = page.removesuffix(b"--b--\r\n").replace(b"<a href", b'<img src=3D"cid:p@x" alt=3D"Lumi"><a href')
    image = b"Content-Type: image/jpeg\r\nContent-Transfer-Encoding: base64\r\nContent-ID: <p@x>\r\n\r\n/9j/4A==\r\n"
    related = b'Content-Type: multipart/related; boundary="r"\r\n\r\n--r\r\n' + page + b"--r\r\n" + image + b"--r--\r\n"
    return MAIL.split(b"--b\r\n", maxsplit=1)[0] + b"--b\r\n" + words + b"--b\r\n" + related + b"--b--\r\n"


def test_a_picture_that_a_mail_carries_is_seen(tmp_path: Path) -> None:
    """L-41: the frame shows it from the mail's own bytes, nothing is loaded for it, and its words are still told."""
    places = written(tmp_path, with_picture())
    shown = (places.pages / "0001.html").read_text(encoding="utf-8")
    frame = shown.split("srcdoc=")[1].split("</iframe>")[0]
    assert "&lt;img src=&quot;data:image/jpeg;base64,/9j/4A==&quot; alt=&quot;Lumi&quot;&gt;" in frame
    assert "cid:" not in frame
    assert "Kevät on &lt;b&gt;täällä&lt;/b&gt;" in shown
    assert with_picture() == (places.mail / "0001.eml").read_bytes()


def test_the_files_are_what_came(places: Places) -> None:
    """A mail's file is the mail byte for byte; a text message's file its text, sender, recipient, parts and cost."""
    assert MAIL == (places.mail / "0001.eml").read_bytes()
    text = (places.sms / "0002.txt").read_text(encoding="utf-8")
    assert text.endswith(f"\n\n{SMS}\n")
    assert {"From: Kuukkeli", "To: +358400001234"} <= {*text.splitlines()}
    assert re.search(r"^Parts: 1 part, \d+ units of \S+\nCost: 0\.\d\d €$", text, re.MULTILINE)


def test_the_list_leads_to_every_message(places: Places) -> None:
    """The inbox names each message by its reader and leads to a page that exists; story people stand first."""
    inbox = places.inbox.read_text(encoding="utf-8")
    links = re.findall(r'<li><a href="(inbox/\d+\.html)" target="reader"><b>([^<]+)</b>', inbox)
    story, *campaign = links
    assert ("inbox/0001.html", "Máret Čáhcesuolu") == story
    assert [story, ("inbox/0002.html", "+358400001234")] == campaign
    assert all((places.output / path).is_file() for path, _ in links)
    assert "10.02. 10:05" in inbox
    assert "Hoitola &amp; Kumppani" in inbox


def test_a_mail_is_shown_three_ways(places: Places) -> None:
    """The page of a mail holds it as it looks, its text part, and its source with every header."""
    shown = (places.pages / "0001.html").read_text(encoding="utf-8")
    assert 'srcdoc="&lt;html&gt;&lt;head&gt;&lt;base target=&quot;_blank&quot;&gt;' in shown
    assert "Kevät on &lt;b&gt;täällä&lt;/b&gt;" in shown
    assert "Content-Transfer-Encoding: quoted-printable" in shown
    assert "<dt>List-Unsubscribe-Post</dt><dd>List-Unsubscribe=One-Click</dd>" in shown


def test_nothing_in_a_mail_can_run(places: Places) -> None:
    """Markup in a subject, a part or a text message is shown, never run; a mail's own HTML sits in a sealed frame."""
    for path in places.output.rglob("*.html"):
        assert "<script" not in path.read_text(encoding="utf-8").casefold(), path.name
    mail = (places.pages / "0001.html").read_text(encoding="utf-8")
    assert "<h1>Kevät &lt;script&gt;alert(1)&lt;/script&gt;</h1>" in mail
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in mail
    assert "Mainos &lt;i&gt;: hieronta." in (places.pages / "0002.html").read_text(encoding="utf-8")


def test_nothing_is_loaded_from_elsewhere(places: Places) -> None:
    """The pages load their own stylesheet and frames and nothing else, so that they open from disk and offline."""
    for path in places.output.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        loaded = re.findall(r'(?:src|<link[^>]* href)="([^"]*)"', text)
        assert [] == [target for target in loaded if not (path.parent / target).is_file()], path.name
    assert "url(" not in (places.pages / "inbox.css").read_text(encoding="utf-8")
    assert "@import" not in (places.pages / "inbox.css").read_text(encoding="utf-8")


def test_the_links_can_be_clicked(places: Places) -> None:
    """The link of a text message is a link on its page."""
    assert f'href="{LINK}"' in (places.pages / "0002.html").read_text(encoding="utf-8")


def test_the_summary_says_who_was_left_out_and_what_failed(places: Places) -> None:
    """The first page names each reason in words, who left, and every check, the failed one with both its values."""
    summary = (places.pages / "summary.html").read_text(encoding="utf-8")
    assert "Not: The client has objected to direct marketing." in summary
    assert "<td>Máret Čáhcesuolu</td><td>leaves by the link in the mail</td>" in summary
    assert "<li>this holds</li>" in summary
    assert '<li class="failed">this &lt;does&gt; not: expected 1, found 2</li>' in summary
    assert "1 of 2 do NOT hold." in summary


def test_what_is_not_markup_is_escaped() -> None:
    """A hole of a page takes text as text; only what says it is markup goes in as it is."""
    assert "&lt;b&gt;" in page(
        "inbox.html", studio="<b>", mails=0, texts=0, cost="", story=Markup(""), campaigns=Markup("")
    )
    assert "<hr>" in page(
        "inbox.html", studio="", mails=0, texts=0, cost="", story=Markup(""), campaigns=Markup("<hr>")
    )


def test_a_long_text_is_cut_where_the_phone_cuts_it() -> None:
    """S-03: a text of 161 plain letters has parts of 153 and 8; the euro sign, two units, never straddles two parts."""
    _, parts = parts_of("a" * 161)
    assert [153, 8] == [len(part) for part in parts]
    _, parts = parts_of("a" * 152 + "€" + "b" * 10)
    assert ["a" * 152, "€" + "b" * 10] == parts


@given(st.text(alphabet=st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=600))
def test_the_parts_are_the_text(text: str) -> None:
    """Whatever the text, its parts put together are the text, and there are as many as the measure says."""
    measured, parts = parts_of(text)
    assert measured.text == "".join(parts)
    assert measure(text).segments == len(parts)
