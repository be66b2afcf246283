"""`campaign reconcile`: what became of messages whose reply was lost, from the command line."""

import asyncio
import io
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from dispatcher.demo.twilio_double import Trouble
from dispatcher.flow.giving_up import give_up
from dispatcher.storage.tables import OutboxTable
from dispatcher.wiring import opened, system_clock
from tests.cli.told import Run
from tests.clock import FixedClock
from tests.flow.lost_replies import Texts, texting
from tests.flow.test_from_logs import LosingCarrier
from tests.flow.test_outcomes import MAIL, begin
from tests.workshop import Doubles, build

ASK = ("campaign", "reconcile", "a")
"""The command of these tests."""


@pytest.fixture
def lost(tmp_path: Path, clock: FixedClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Texts]:
    """Give a text message on SQLite that Twilio took and whose reply was lost, and stand in its workspace."""
    home = tmp_path / "studio"
    home.mkdir()
    monkeypatch.chdir(home)
    with texting(home, clock, "sqlite:///dispatcher.db", "dispatcher.journal", Trouble.LOST) as texts:
        yield texts


@pytest.fixture
def mail(tmp_path: Path, clock: FixedClock, doubles: Doubles, monkeypatch: pytest.MonkeyPatch) -> str:
    """Give the Message-ID of a mail that a server took and whose reply was lost, and stand in its workspace."""
    workshop = build(tmp_path / "studio", clock, "sqlite:///dispatcher.db", "dispatcher.journal", doubles)
    monkeypatch.chdir(workshop.directory)
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher, MAIL)
        carriers = dispatcher.deliver._carriers
        assert isinstance(carriers, dict)
        carriers.update({channel: LosingCarrier(carrier) for channel, carrier in carriers.items()})
        asyncio.run(dispatcher.rounds.once())
        with dispatcher.store.reading() as connection:
            return str(connection.scalar(select(OutboxTable.message_id)))


def test_the_provider_is_asked(run: Run, lost: Texts) -> None:
    """Without a log the SMS service is asked; what it has is accepted, and asked again there is nothing left."""
    found = run(*ASK, "--json")
    assert (0, 1, 1, {}) == (found.code, found.json()["unknown"], found.json()["found"], found.json()["still_unknown"])
    assert "accepted" == lost.row["state"]
    assert "0 messages of which nobody knows" in run(*ASK).out


def test_nothing_is_asked_in_a_dry_run(run: Run, lost: Texts) -> None:
    """`--dry-run` counts and asks nobody."""
    assert "still unknown: 1 by sms" in run(*ASK, "--dry-run").out
    assert "unknown" == lost.row["state"]


def test_a_log_is_shown_and_asked_about(run: Run, mail: str, tmp_path: Path) -> None:
    """What a log tells is shown; without a yes nothing is recorded, with one it is, and status and audit agree."""
    log = tmp_path / "mail.log"
    log.write_text(f"took <{mail}@tunturituuli.example>\n", encoding="utf-8")
    shown = run(*ASK, "--from-log", log, "--dry-run")
    assert (0, True) == (shown.code, "1  taken by the mail server" in shown.out)
    refused = run(*ASK, "--from-log", log)
    assert (1, True) == (refused.code, "--yes" in refused.err)
    assert {"email": {"unknown": 1}} == run("campaign", "status", "a", "--json").json()["messages"]
    recorded = run(*ASK, "--from-log", log, "--yes", "--json").json()
    assert {
        "name": "a",
        "unknown": 1,
        "seen": 1,
        "refused": 0,
        "queued": 0,
        "bounced": 0,
        "missing": 0,
        "recorded": True,
        "still_unknown": {},
        "may_have_arrived": 0,
    } == recorded
    assert {"email": {"accepted": 1}} == run("campaign", "status", "a", "--json").json()["messages"]
    assert 0 == run("audit", "year", "2026").code


def test_a_log_comes_through_a_pipe(run: Run, mail: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--from-log -` reads what another program writes; nobody is there to be asked, so the yes has to be given."""
    line = f"took <{mail}@tunturituuli.example>\n".encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(line)))
    told = run(*ASK, "--from-log", "-", "--yes")
    assert (0, "", True) == (told.code, told.err, "Recorded." in told.out)
    assert {"email": {"accepted": 1}} == run("campaign", "status", "a", "--json").json()["messages"]


def test_what_is_in_no_log_stays_unknown(run: Run, mail: str, tmp_path: Path) -> None:
    """A log that does not have it proves nothing, and the command says so; a file that is none is named."""
    log = tmp_path / "mail.log"
    log.write_text("nothing\n", encoding="utf-8")
    told = run(*ASK, "--from-log", log)
    assert (0, True) == (told.code, "1  not in these logs: still unknown" in told.out)
    assert "may have been taken all the same" in told.err
    assert mail
    assert {"email": {"unknown": 1}} == run("campaign", "status", "a", "--json").json()["messages"]
    missing = run(*ASK, "--from-log", tmp_path / "other.log")
    assert (1, True) == (missing.code, "other.log" in missing.err)
    half = tmp_path / "half.gz"
    half.write_bytes(b"\x1f\x8b\x08\x00")
    damaged = run(*ASK, "--from-log", half)
    assert (1, True) == (damaged.code, "half.gz is packed and damaged" in damaged.err)


def test_what_was_given_up_on_is_shown(run: Run, mail: str) -> None:
    """After seven days status and reconcile say that it may have arrived."""
    assert mail
    late = FixedClock(system_clock() + timedelta(days=8))
    with opened(Path(), late) as dispatcher:
        give_up(dispatcher.store)
    assert 1 == run("campaign", "status", "a", "--json").json()["may_have_arrived"]
    assert "1  of the unknown may have arrived" in run("campaign", "status", "a").out
    assert "given up on after seven days: they may have arrived" in run(*ASK).out
    assert "nobody can tell any more of 1 message: they may have arrived" in run("audit", "year", "2026").out
    [told] = run("audit", "year", "2026", "--json").json()["campaigns"]
    assert (1, 1) == (told["unknown"], told["may_have_arrived"])


def test_an_unknown_campaign_is_named(run: Run, mail: str) -> None:
    """A name that no campaign has is refused."""
    assert mail
    assert 1 == run("campaign", "reconcile", "b").code


def test_a_mistyped_log_is_named_where_nothing_is_unknown_too(run: Run, mail: str, tmp_path: Path) -> None:
    """A file that is none is an error even when there is nothing to look for in it."""
    log = tmp_path / "mail.log"
    log.write_text(f"took <{mail}@tunturituuli.example>\n", encoding="utf-8")
    assert 0 == run(*ASK, "--from-log", log, "--yes").code
    assert 0 == run(*ASK, "--from-log", log).code
    missing = run(*ASK, "--from-log", tmp_path / "other.log")
    assert (1, True) == (missing.code, "other.log cannot be read" in missing.err)
