"""The commands by which answers are collected: record, history, child, ask-list, poster, and the desk itself."""

import http.client
import re
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.wording import wording_hash
from dispatcher.texts import text
from dispatcher.wiring import system_clock
from tests.cli.told import ASKED, Run
from tests.clock import FixedClock
from tests.workshop import OWNER, ZONE, Workshop

pytestmark = pytest.mark.usefixtures("home")
MAIJA = "maija@posti.example"
YESTERDAY = (system_clock() - timedelta(days=1)).astimezone(ZONE)
SAID = ("--answer", "granted", "--channel", "sms", "--place", "phone")


@pytest.fixture(autouse=True)
def imported(run: Run, register: Path) -> None:
    """Have Maija and Ánte in the register."""
    run("client", "import", register)


def test_an_answer_is_recorded_with_todays_words(run: Run) -> None:
    """D-01: the words put on record are printed, today's question in the client's language; history tells the rest."""
    told = run("consent", "record", MAIJA, *SAID, "--on", f"{YESTERDAY:%d.%m.%Y} 14:05", "--booking", "B-77")
    words = text("question_sms", Language.FI)
    assert (0, True) == (told.code, f"You vouch that these words were used: {words}" in told.out)
    ends = YESTERDAY.date() + timedelta(days=365)
    assert f"Now, sms: granted until {ends.day}.{ends.month}.{ends.year}; may be written to." in told.out
    found = run("consent", "history", MAIJA, "--json").json()
    last = found["answers"][-1]
    assert ("granted", "sms", "phone", words, OWNER, "person:1", True, None) == tuple(
        last[key] for key in ("reply", "channel", "place", "wording", "recorded_by", "actor", "sound", "flaw")
    )
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT1[12]:05:00.000000Z", last["not_before"])
    assert ("granted", ends.isoformat(), None) == tuple(
        found["now"]["sms"][key] for key in ("state", "until", "reason")
    )
    page = run("consent", "history", MAIJA).out
    assert f"{YESTERDAY:%d.%m.%Y} 14:05" in page
    assert OWNER in page


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (("--on", "29.3.2026 3:30"), "does not exist: the clocks go forward that night. Write 04:00 or later"),
        (("--on", "25.10.2026 3:30"), "happens twice: the clocks go back that night. Write 2026-10-25T03:30:00+03:00"),
        (("--on", "31.2.2026"), "is no date or time: write 3.2.2026"),
        (("--on", "3.2.2099"), "The answer lies in the future"),
        (("--words", "Saako lähettää sähköpostia?"), "The question names email, so a yes to it does not open sms"),
        (("--wording", "0000"), "No wording fits '0000'"),
        (("--wording", "0000", "--words", "x"), "Say --wording or --words, not both"),
    ],
)
def test_what_could_not_be_shown_later_is_refused(run: Run, more: tuple[str, ...], sentence: str) -> None:
    """L-04: an impossible or future time, and words that do not name the channel, are refused with their sentence."""
    before = run("consent", "history", MAIJA, "--json").json()["answers"]
    told = run("consent", "record", MAIJA, *SAID, *more)
    assert (1, True) == (told.code, sentence in told.err), told.err
    assert before == run("consent", "history", MAIJA, "--json").json()["answers"]


def test_the_repeated_hour_can_be_told_apart(run: Run) -> None:
    """The hour that autumn repeats is taken with its offset, as the refusal says to write it."""
    assert 0 == run("consent", "record", MAIJA, *SAID, "--on", "2026-10-25T03:30:00+02:00").code
    last = run("consent", "history", MAIJA, "--json").json()["answers"][-1]
    assert "2026-10-25T01:30:00.000000Z" == last["not_before"]


def test_a_day_alone_is_the_whole_day(run: Run) -> None:
    """L-07: of an answer whose hour nobody noted the whole local day is kept; of today's, as far as it has come."""
    day, now = YESTERDAY.date(), system_clock()
    run("consent", "record", MAIJA, *SAID, "--on", f"{day.day}.{day.month}.{day.year}")
    today = now.astimezone(ZONE).date()
    assert 0 == run("consent", "record", MAIJA, *SAID, "--on", f"{today.day}.{today.month}.{today.year}").code
    whole, part = run("consent", "history", MAIJA, "--json").json()["answers"][-2:]
    assert whole["not_after"].endswith("59:59.999999Z")
    assert part["not_after"] <= part["recorded_at"]


def test_a_wording_is_named_by_its_hash(run: Run) -> None:
    """D-02: `--wording` takes the words that are kept already, in whichever language they were asked."""
    words = text("question_sms", Language.EN)
    run("consent", "record", MAIJA, *SAID, "--language", "en")
    told = run("consent", "record", MAIJA, *SAID, "--wording", wording_hash(words)[:6], "--json").json()
    assert (words, "granted", "sms") == (told["wording"], told["answer"], told["channel"])
    assert {"email", "sms"} == set(told["now"])


def test_a_no_and_a_question_not_asked(run: Run) -> None:
    """L-06: `not_asked` has no words and changes nothing; a withdrawal without a channel closes both."""
    kept = run("consent", "record", MAIJA, "--answer", "not_asked", "--place", "phone", "--json").json()
    assert (None, "granted") == (kept["wording"], kept["now"]["email"]["state"])
    gone = run("consent", "record", MAIJA, "--answer", "withdrawn", "--place", "email", "--json").json()
    assert [("withdrawn", True, "objection")] * 2 == [
        (gone["now"][channel]["state"], gone["now"][channel]["objected"], gone["now"][channel]["reason"])
        for channel in ("email", "sms")
    ]


def test_a_yes_without_a_channel_says_what_to_type(run: Run) -> None:
    """A yes is for one channel: left out, the option is named."""
    told = run("consent", "record", MAIJA, "--answer", "granted", "--place", "phone")
    assert (2, True) == (told.code, "give --channel email or --channel sms" in told.err)


def test_a_child_is_marked_and_unmarked(run: Run) -> None:
    """L-11: `client child` marks, says so the second time, and `--not` lifts the mark; no yes is taken meanwhile."""
    assert "is marked as a child: nothing is written to them." in run("client", "child", MAIJA).out
    assert {"child": True, "changed": False} == {
        key: run("client", "child", MAIJA, "--json").json()[key] for key in ("child", "changed")
    }
    refused = run("consent", "record", MAIJA, *SAID)
    assert (1, True) == (refused.code, "no yes is taken from a child" in refused.err)
    assert "Marked as a child: nothing is written to them." in run("consent", "history", MAIJA).out
    assert "is not marked as a child any more." in run("client", "child", MAIJA, "--not").out
    assert 0 == run("consent", "record", MAIJA, *SAID).code


def test_whom_to_ask_is_listed(run: Run, home: Path) -> None:
    """`consent ask-list` prints names, words and boxes, writes both papers for its owner alone, and gives JSON."""
    row = f"3;Bruno;Unasked;bruno@posti.example;;sv;{ASKED};;;"
    run("client", "import", Workshop(home, FixedClock(system_clock())).register(row, name="more.csv"), "--partial")
    told = run("consent", "ask-list", "--html", "list.html", "--pdf", "list.pdf")
    assert told.code == 0
    assert "  [ ] Kyllä  [ ] Ei  Sähköposti b***@p***.example: ei vastausta" in told.out
    assert (home / "list.pdf").read_bytes().startswith(b"%PDF-")
    assert (home / "list.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert [0o600, 0o600] == [(home / name).stat().st_mode & 0o777 for name in ("list.pdf", "list.html")]
    again = run("consent", "ask-list", "--html", "list.html")
    assert (1, True) == (again.code, "list.html" in again.err)
    found = run("consent", "ask-list", "--json").json()
    assert {"people", "total", "words"} == set(found)
    assert [("Bruno Unasked", {"email": "unasked"})] == [(each["name"], each["ask"]) for each in found["people"]]
    assert text("question_email", Language.SV) == found["words"]["sv"]["email"]


def test_a_poster_needs_a_page_to_lead_to(run: Run, home: Path) -> None:
    """`consent poster` is refused while the sign-up page is off, and writes SVG or PDF once it is on."""
    refused = run("consent", "poster", "--out", "juliste.svg")
    assert (1, True) == (refused.code, "The sign-up page is off" in refused.err)
    assert not (home / "juliste.svg").exists()
    settings = home / "dispatcher.toml"
    on = f'\n[sign_up]\nenabled = true\nchannels = ["{Channel.EMAIL}", "{Channel.SMS}"]\n'
    settings.write_text(settings.read_text(encoding="utf-8") + on, encoding="utf-8")
    for size, kind, begins in (("a4", "svg", b"<svg"), ("card", "pdf", b"%PDF-")):
        told = run("consent", "poster", "--size", size, "--language", "sv", "--out", f"p.{kind}", "--json").json()
        content = (home / f"p.{kind}").read_bytes()
        assert (True, len(content)) == (content.startswith(begins), told["bytes"])
    again = run("consent", "poster", "--out", "p.pdf")
    assert (1, True) == (again.code, "p.pdf is there already: name another file" in again.err)
    assert "svg or .pdf" in run("consent", "poster", "--out", "p.gif").err


def test_the_desk_opens_and_closes(run: Run, home: Path) -> None:
    """`dispatcher desk` prints one link on loopback, answers to it once, and ends on Ctrl+C without a traceback."""
    run("person", "add", "Ulla Esimerkki", "--role", "staff")
    command = [sys.executable, "-m", "dispatcher", "desk", "--as", "Ulla Esimerkki"]
    with subprocess.Popen(command, cwd=home, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as desk:
        assert desk.stdout is not None
        link = urlsplit(desk.stdout.readline().strip())
        assert "127.0.0.1" == link.hostname
        assert [303, 403] == [_status(link.hostname, link.port or 0, link.path) for _ in range(2)]
        desk.send_signal(signal.SIGINT)
        out, err = desk.communicate(timeout=20)
    assert (0, "") == (desk.returncode, out)
    assert "The desk is open for Ulla Esimerkki, on this machine alone." in err
    assert "Traceback" not in err


def _status(host: str, port: int, path: str) -> int:
    connection = http.client.HTTPConnection(host, port, timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()
