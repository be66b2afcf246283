"""What a client may ask for, as it is typed at the desk: copies, corrections, restrictions, requests, receipts."""

import json
import re
import stat
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from dispatcher.rules.actor import Role
from dispatcher.texts import format_date
from dispatcher.wiring import opened, system_clock
from tests.cli.told import Run
from tests.receipts import check_receipt

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture(autouse=True)
def imported(run: Run, register: Path) -> None:
    """Take the register of two clients in."""
    assert 0 == run("client", "import", register).code


def mode(path: Path) -> int:
    """Return the permissions of a file."""
    return stat.S_IMODE(path.stat().st_mode)


def test_a_copy_is_written_for_its_owner_alone(home: Path, run: Run) -> None:
    """`client export --out DIR` writes JSON, page and PDF, mode 0600, and closes the request on record."""
    told = run("client", "export", "maija@posti.example", "--out", "copies", "--identity", "document")
    files = sorted((home / "copies").iterdir())
    assert (0, [".html", ".json", ".pdf"]) == (told.code, [path.suffix for path in files])
    assert {0o600} == {mode(path) for path in files}
    assert 0o700 == mode(home / "copies")
    assert "maija@posti.example" == json.loads(files[1].read_text("utf-8"))["addresses"]["email"]["address"]
    [request] = run("client", "requests", "--all", "--json").json()["requests"]
    assert ("access", "done", "document", "person:1") == tuple(
        request[name] for name in ("kind", "outcome", "identity", "checked_by")
    )


@pytest.mark.parametrize("ending", ["json", "html", "pdf"])
def test_a_copy_can_be_one_file(home: Path, run: Run, ending: str) -> None:
    """`--out FILE` writes the form its name asks for, never over a file that is there; other endings are refused."""
    command = ("client", "export", "maija@posti.example", "--identity", "known", "--out")
    assert 0 == run(*command, f"copy.{ending}").code
    again = run(*command, f"copy.{ending}")
    assert (1, True) == (again.code, "is there already" in again.err)
    assert "ends in .json or .html or .pdf" in run(*command, "copy.csv").err
    assert [f"copy.{ending}"] == [path.name for path in home.glob("copy.*")]


def test_a_copy_needs_no_extra(home: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without typst a directory gets JSON and the page, and the command says how to have a PDF."""
    monkeypatch.setitem(sys.modules, "typst", None)
    told = run("client", "export", "maija@posti.example", "--out", "copies", "--identity", "known")
    assert 0 == told.code
    assert "pip install consent-dispatcher[pdf]" in told.err
    assert [".html", ".json"] == sorted(path.suffix for path in (home / "copies").iterdir())


def test_a_copy_can_be_shown_at_the_desk(run: Run) -> None:
    """`--show` writes a page into a place that only its owner can enter, and prints where it is."""
    told = run("client", "export", "maija@posti.example", "--show", "--identity", "known")
    page = Path(told.out.strip())
    assert (0o600, 0o700) == (mode(page), mode(page.parent))
    assert "<h1>Omat tietosi</h1>" in page.read_text("utf-8")
    page.unlink()
    page.parent.rmdir()


def test_nobody_gets_a_copy_who_was_not_checked(home: Path, run: Run) -> None:
    """Without an identity nothing is written, the request is open, and `client requests` says what to type."""
    told = run("client", "export", "maija@posti.example", "--out", "copies")
    assert (1, False) == (told.code, (home / "copies").exists())
    assert "say how with --identity" in told.err
    [request] = run("client", "requests", "--json").json()["requests"]
    assert f"dispatcher client export {request['client']} --out copies --identity HOW" == request["next"]
    assert 2 == run("client", "export", "maija@posti.example").code


def test_a_copy_handed_over_later_leaves_the_request_open(run: Run) -> None:
    """`--keep-open` leaves it open; `client request --close` ends it."""
    found = run(
        "client", "export", "maija@posti.example", "--json", "--identity", "known", "--keep-open", "--language", "sv"
    ).json()
    assert ["request", "closed", "files", "copy"] == list(found)
    assert (False, "sv") == (found["closed"], found["copy"]["language"])
    assert f"Request {found['request']} is closed: done.\n" == run("client", "request", "--close", found["request"]).out
    assert "No request is open.\n" == run("client", "requests").out


def test_an_address_is_corrected(run: Run) -> None:
    """`client correct` says what changed, masked, and that no yes carries over."""
    command = ("client", "correct", "maija@posti.example", "--identity", "known", "--email", "uusi@posti.example")
    told = run(*command)
    assert re.fullmatch(
        r"Client \d+: email u\*\*\*@p\*\*\*\.example changed; request 1 is closed\.\n"
        r"  No yes carries over to the new email address: ask again\.\n",
        told.out,
    )
    found = run("client", "correct", "uusi@posti.example", "--identity", "known", "--phone", "040 123 4568", "--json")
    assert {"sms": 1} == found.json()["shared_with"]
    assert ["sms"] == found.json()["consent_not_carried"]


def test_a_correction_asks_in_the_same_breath(run: Run) -> None:
    """`--answer` and `--place` record the answer with the correction; one without the other is wrong usage."""
    command = ("client", "correct", "maija@posti.example", "--identity", "known", "--email", "uusi@posti.example")
    assert 2 == run(*command, "--answer", "granted").code
    found = run(*command, "--answer", "granted", "--place", "phone", "--json").json()
    assert (["email"], []) == (found["asked"], found["consent_not_carried"])
    # It was typed, so a receipt goes there before any offer (L-05).
    shown = run("client", "show", "uusi@posti.example", "--json").json()
    assert ("wait", "receipt_pending") == (shown["verdict"], shown["reason"])


def test_a_landline_is_refused(run: Run) -> None:
    """A number that takes no text messages is refused in the importer's words, exit code 1."""
    told = run("client", "correct", "maija@posti.example", "--identity", "known", "--phone", "09 123 4567")
    assert (1, True) == (told.code, "not a mobile number" in told.err)


def test_a_restriction_is_set_and_lifted(run: Run) -> None:
    """`client restrict` stops everything at once, `--lift` ends it."""
    told = run("client", "restrict", "maija@posti.example")
    assert (0, True) == (told.code, "is restricted." in told.out)
    assert "dispatcher client request --close 1 --identity HOW" in told.err
    shown = run("client", "show", "maija@posti.example", "--json").json()
    assert ("withhold", "restricted", True) == (shown["verdict"], shown["reason"], shown["restricted"])
    assert "Request 1 is closed" in run("client", "request", "--close", 1, "--identity", "called_back").out
    lifted = run("client", "restrict", "maija@posti.example", "--lift", "--json").json()
    assert (False, None) == (lifted["restricted"], lifted["request"])
    assert "send" == run("client", "show", "maija@posti.example", "--json").json()["verdict"]
    assert 1 == run("client", "restrict", "maija@posti.example", "--lift").code
    run("client", "restrict", "maija@posti.example")
    early = run("client", "restrict", "maija@posti.example", "--lift")
    assert "Request 2 (restriction) is still open, and marketing rests" in early.err


def test_a_request_is_opened_and_refused(run: Run) -> None:
    """`client request CLIENT KIND` says until when it is due and what to type; `--refused` closes it with a word."""
    told = run("client", "request", "maija@posti.example", "erasure")
    assert re.fullmatch(r"Request 1: erasure for client \d+, due \d{1,2}\.\d{1,2}\.\d{4}\.\n", told.out)
    assert "Next: dispatcher client erase" in told.err
    assert "suspended" == run("client", "show", "maija@posti.example", "--json").json()["reason"]
    closed = run("client", "request", "--close", 1, "--refused", "unfounded", "--json").json()
    assert "refused:unfounded" == closed["outcome"]
    for wrong in (("maija@posti.example",), ("--refused", "law"), ("maija@posti.example", "erasure", "--close", "1")):
        assert 2 == run("client", "request", *wrong).code


def test_an_overdue_request_is_said_by_the_exit_code(home: Path, run: Run) -> None:
    """Exit code 0 while none is overdue and 1 once one is, with --json as without: a monitor needs no more."""
    assert "No request is open.\n" == run("client", "requests").out
    run("client", "request", "maija@posti.example", "access")
    assert [0, 0] == [run("client", "requests").code, run("client", "requests", "--json").code]
    late = system_clock() - timedelta(days=1)
    with opened(home) as dispatcher:
        from sqlalchemy import update

        from dispatcher.storage.tables import RequestTable

        dispatcher.store.write(lambda each: each.connection.execute(update(RequestTable).values(due=late.date())))
    told, found = run("client", "requests"), run("client", "requests", "--json")
    assert [1, 1, 1] == [told.code, found.code, found.json()["overdue"]]
    assert "OVERDUE" in told.out
    assert format_date(late.date()) in told.out


def test_a_client_is_shown(home: Path, run: Run) -> None:
    """`client show` masks addresses unless --full is given, which an auditor may not; the verdict is a sentence."""
    run("client", "request", "maija@posti.example", "access")
    told = run("client", "show", "maija@posti.example").out
    for words in ("m***@p***.example", "granted", "Now: Sending to the client", "0 of at most 12", "Request 1: access"):
        assert words in told
    assert "maija@posti.example" not in told
    assert "maija@posti.example" in run("client", "show", "maija@posti.example", "--full").out
    with opened(home) as dispatcher:
        dispatcher.persons.add("Tilda Tarkastaja", Role.AUDITOR, dispatcher.persons.acting(None))
    refused = run("--as", "Tilda Tarkastaja", "client", "show", "maija@posti.example", "--full")
    assert (1, True) == (refused.code, "An auditor sees masked addresses" in refused.err)
    assert 0 == run("--as", "Tilda Tarkastaja", "client", "show", "maija@posti.example").code


def test_a_receipt_is_given(home: Path, run: Run) -> None:
    """`consent receipt` prints text, JSON that keeps to its schema, and writes files; --channel leaves one record."""
    assert run("consent", "receipt", "maija@posti.example").out.startswith("# Kuitti markkinointiluvasta")
    whole = run("consent", "receipt", "maija@posti.example", "--json").json()
    check_receipt(whole)
    one = run("consent", "receipt", "maija@posti.example", "--channel", "sms", "--json").json()
    assert (2, 1) == (len(whole["records"]), len(one["records"]))
    for ending in ("json", "html", "pdf"):
        assert 0 == run("consent", "receipt", "maija@posti.example", "--out", f"receipt.{ending}").code
        assert 0o600 == mode(home / f"receipt.{ending}")
    check_receipt(json.loads((home / "receipt.json").read_text("utf-8")))
    kantara = run("consent", "receipt", "maija@posti.example", "--form", "kantara", "--json").json()
    assert "KI-CR-v1.1.0" == kantara["receipts"][0]["version"]
    english = run("consent", "receipt", "maija@posti.example", "--language", "en").out
    assert english.startswith("# Receipt of consent to marketing")
