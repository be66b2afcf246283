"""`campaign status` once, and `--watch` until nothing more happens: on a terminal, in a pipe, and for scripts."""

import io
import json
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from rich.console import Console

from dispatcher.cli import campaign_status, door
from dispatcher.flow.lifecycle import Standing
from dispatcher.flow.status import CampaignStatus
from dispatcher.rules.campaign import Channel, Language, State
from dispatcher.rules.decision import Reason
from dispatcher.storage.campaigns import Scheduled
from dispatcher.texts import reason_text
from dispatcher.wiring import Dispatcher, opened
from tests.cli.told import Run

Act = Callable[[Dispatcher], object]


def between_looks(monkeypatch: pytest.MonkeyPatch, home: Path, *acts: Act) -> Iterator[int]:
    """Let these things happen between two looks, one after the other, and say which look it was."""
    looks = count()

    def pause() -> None:
        with opened(home) as dispatcher:
            acts[next(looks)](dispatcher)

    monkeypatch.setattr(campaign_status, "pause", pause)
    return looks


def hold(dispatcher: Dispatcher) -> None:
    """Hold the campaign."""
    dispatcher.lifecycle.hold("tarjous", dispatcher.persons.acting(None))


def nothing(_dispatcher: Dispatcher) -> None:
    """Let a second pass in which nothing happens."""


def interrupted() -> None:
    """Do what Ctrl+C does."""
    raise KeyboardInterrupt


def test_a_campaign_that_waits_says_what_for(run: Run, campaign: Path) -> None:
    """Nothing is planned before the moment, and the status names it by the clock of the business zone."""
    run("campaign", "schedule", campaign)
    told = run("campaign", "status", "tarjous")
    assert "nothing is planned yet: its moment is " in told.out
    found = run("campaign", "status", "tarjous", "--json").json()
    assert (0, 0, None, None) == (found["planned"], found["remaining"], found["rate_per_minute"], found["ends_at"])
    run("campaign", "revise", "tarjous")
    assert "nothing is planned: `dispatcher campaign schedule FILE`" in run("campaign", "status", "tarjous").out


def test_a_watch_ends_with_the_campaign(run: Run, campaign: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a pipe a line is printed when something happens, none when nothing does, and a held campaign is the end."""
    run("campaign", "schedule", campaign)
    looks = between_looks(monkeypatch, home, nothing, nothing, hold)
    told = run("campaign", "status", "tarjous", "--watch")
    first, last = told.out.splitlines()
    assert (0, 3) == (told.code, next(looks))
    assert "tarjous: scheduled, nothing is planned yet" in first
    assert "tarjous: held, nothing leaves until `dispatcher campaign release tarjous`" in last


def test_a_watch_for_scripts_is_a_line_for_each_change(
    run: Run, campaign: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With --json each change is an object on a line of its own, with the keys of a single look."""
    run("campaign", "schedule", campaign)
    between_looks(monkeypatch, home, nothing, hold)
    lines = [json.loads(line) for line in run("campaign", "status", "tarjous", "--watch", "--json").out.splitlines()]
    assert ["scheduled", "held"] == [line["state"] for line in lines]
    assert set(run("campaign", "status", "tarjous", "--json").json()) == set(lines[0])


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_whoever_has_seen_enough_is_no_error(
    run: Run, campaign: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    """Ctrl+C ends the watch with exit code 0 and no word about it."""
    run("campaign", "schedule", campaign)
    monkeypatch.setattr(campaign_status, "pause", interrupted)
    told = run("campaign", "status", "tarjous", "--watch", *words)
    assert (0, "") == (told.code, told.err)
    assert "tarjous" in told.out


def test_a_terminal_shows_it_in_one_place(
    run: Run, campaign: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a terminal every look is drawn over the one before, and the last one stays."""
    run("campaign", "schedule", campaign)
    seen = io.StringIO()
    monkeypatch.setattr(door, "_console", Console(file=seen, force_terminal=True, width=120, highlight=False))
    between_looks(monkeypatch, home, nothing, hold)
    assert 0 == run("campaign", "status", "tarjous", "--watch").code
    drawn = seen.getvalue()
    assert 2 == drawn.count("nothing is planned yet")
    assert "\x1b[1A" in drawn
    assert "nothing leaves until" in drawn.rpartition("\x1b[1A")[2]


def test_an_unknown_name_is_refused(run: Run, campaign: Path) -> None:
    """A name that no campaign has is refused with what lists them, watched or not."""
    del campaign
    for words in ((), ("--watch",)):
        told = run("campaign", "status", "toinen", *words)
        assert (1, True) == (told.code, "run `dispatcher campaign list`" in told.err)


def test_every_count_has_its_line() -> None:
    """What became of messages, who was left out and why, and what is to be expected: a line each, in local time."""
    at = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
    campaign = Scheduled(
        1, "a", "Kampanja", "offer", State.SENDING, at, at, at, None, None, None, 7, (Channel.EMAIL,), None
    )
    standing = Standing(
        {"email": Counter(accepted=5, attempting=2, waiting=40, unknown=3)}, Counter(objection=4), 1, Counter(bounced=2)
    )
    found = CampaignStatus(
        campaign, at, standing, rate=12.34, ends_at=at + timedelta(hours=2), too_late=6, next_look=at
    )
    zone = ZoneInfo("Europe/Helsinki")
    assert [
        "Kampanja (a): sending",
        "  moment 24.11.2026 10:30, begun 24.11.2026 10:30",
        "       5  accepted by email",
        "       2  being handed over by email",
        "       3  unknown by email",
        "      40  waiting by email",
        "       2  told afterwards: bounced",
        "       1  of the unknown may have arrived: nobody can tell, so they count as received",
        f"       4  not: {reason_text(Reason.OBJECTION, Language.EN)}",
        "  its messages are being planned",
        "  42 to go, 12.3 a minute lately, the last at about 24.11.2026 12:30",
        "  6 of them would come too late for the offer and will not be sent",
        "  next look at a waiting message: 24.11.2026 10:30",
    ] == campaign_status.lines(found, zone)
    assert (
        "24.11.2026 10:30 a: sending, 5 accepted, 2 being handed over, 3 unknown, 40 waiting, 4 withheld, "
        "its messages are being planned, 42 to go, 12.3 a minute lately, the last at about 24.11.2026 12:30, "
        "6 of them would come too late for the offer and will not be sent, "
        "next look at a waiting message: 24.11.2026 10:30"
    ) == campaign_status.line(found, zone)
