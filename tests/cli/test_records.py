"""The notice, the record of processing and the scope of a breach, as the owner gives the commands."""

import json
import stat
from pathlib import Path

import pytest

from tests.cli.told import Run

pytestmark = pytest.mark.usefixtures("home")


def test_the_notice_is_written(home: Path, run: Run) -> None:
    """`dispatcher notice` prints today's notice, Finnish first, or writes it as page, PDF or text."""
    assert run("notice").out.startswith("# Tietosuojaseloste: Esimerkkistudio")
    found = run("notice", "--language", "sv", "--json").json()
    assert ("sv", False, True) == (found["language"], found["covers_transfer"], "förbjuda" in found["text"])
    for ending in ("html", "pdf", "txt"):
        assert 0 == run("notice", "--out", f"notice.{ending}").code
    assert "<h1>Tietosuojaseloste" in (home / "notice.html").read_text("utf-8")
    refused = run("notice", "--out", "notice.docx")
    assert (1, True) == (refused.code, "ends in .html or .pdf or .txt" in refused.err)


def test_a_version_is_published_and_compared(home: Path, run: Run) -> None:
    """Publishing asks first; then the list has the version, and the difference is told by the exit code."""
    assert "No version was published yet" in run("notice", "list").out
    assert 1 == run("notice", "diff").code
    assert 1 == run("notice", "publish").code
    found = run("notice", "publish", "--yes", "--json").json()
    assert (1, False, {"fi", "sv", "en"}) == (found["version"], found["covers_transfer"], set(found["urls"]))
    assert 1 == run("notice", "publish", "--yes").code
    [version] = run("notice", "list", "--json").json()["versions"]
    assert {"version", "published_at", "covers_transfer", "sha256"} == set(version)
    assert version["sha256"]["fi"][:12] in run("notice", "list").out
    same = run("notice", "diff")
    assert (0, "Today's notice says the same.\n") == (same.code, same.out)
    run("notice", "--out", "published.txt")
    assert 0 == run("notice", "diff", "published.txt").code
    text = (home / "published.txt").read_text("utf-8")
    (home / "published.txt").write_text(text.replace("365", "730"), encoding="utf-8")
    told = run("notice", "diff", "published.txt", "--json")
    assert (1, False) == (told.code, told.json()["same"])
    assert any(line.startswith("-") and "730" in line for line in told.json()["difference"])
    assert "cannot be read" in run("notice", "diff", "missing.txt").err


def test_the_record_of_processing_is_printed(home: Path, run: Run) -> None:
    """`dispatcher ropa` prints the record, in the language asked for, or writes it."""
    assert run("ropa").out.startswith("# Seloste käsittelytoimista")
    assert run("ropa", "--language", "en").out.startswith("# Record of processing")
    assert 0 == run("ropa", "--json").json()["clients"]
    assert 0 == run("ropa", "--out", "ropa.pdf").code
    assert (home / "ropa.pdf").read_bytes().startswith(b"%PDF-")


def test_a_breach_is_scoped(home: Path, run: Run, register: Path) -> None:
    """`breach-scope` counts and lists, masked; `--full` writes whom to notify, for its owner's eyes alone."""
    run("client", "import", register)
    told = run("breach-scope", "--since", "3.2.2026")
    assert (0, True) == (told.code, told.out.startswith("2 clients are affected: database since 3.2.2026."))
    assert "maija@posti.example" not in told.out
    found = run("breach-scope", "--database", "--json", "--full", "notify.json").json()
    assert (2, 0, {"email": 1, "phone_number": 2}) == (
        found["affected"],
        found["removed_since"],
        {kind: found["data"][kind] for kind in ("email", "phone_number")},
    )
    assert 0o600 == stat.S_IMODE((home / "notify.json").stat().st_mode)
    full = json.loads((home / "notify.json").read_text("utf-8"))["clients"]
    assert {"Maija Meikäläinen", "Ánte Ovdamearka"} == {each["name"] for each in full}
    assert 0 == run("breach-scope", "--provider", "twilio", "--json").json()["affected"]
    assert 2 == run("breach-scope", "--provider", "smtp", "--database").code
    assert 1 == run("breach-scope", "--since", "2026-02-05", "--until", "2026-02-03").code
