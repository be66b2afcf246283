"""The terms a campaign's messages are decided under, as the ledger keeps them: what its file and the settings say.

They are the CampaignFacts of a verdict, written once for all messages decided under them, so that each Send can be
decided again from the ledger alone.
"""

from collections.abc import Mapping
from datetime import date, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dispatcher.rules.calendar import Window, Windows
from dispatcher.rules.campaign import Channel, Kind, State
from dispatcher.rules.decision import CampaignFacts, Coverage
from dispatcher.rules.ledger import Json, read_stamp, stamp


def terms_body(facts: CampaignFacts) -> dict[str, Json]:
    """Return what the entry of these terms holds; the state and the doors are a Send's own, and never anything else."""
    windows, coverage = facts.windows, facts.coverage
    return {
        "channels": [channel.value for channel in facts.channels],
        "kind": facts.kind.value if facts.kind else None,
        "valid_until": facts.valid_until.isoformat() if facts.valid_until else None,
        "valid_for_days": facts.valid_for.days,
        "zone": windows.zone.key,
        "country": windows.country,
        "opens_holidays": windows.opens_holidays,
        "windows": {Channel.EMAIL.value: _window(windows.email), Channel.SMS.value: _window(windows.sms)},
        "authorised": sorted(channel.value for channel in facts.authorised),
        "needs_notice": sorted(channel.value for channel in coverage.needed_by),
        "notice_said_so": [[stamp(start), stamp(end) if end else None] for start, end in coverage.spans],
    }


def read_terms(body: Mapping[str, Any]) -> CampaignFacts:
    """Return the terms an entry holds, as at a Send. Raises ValueError, KeyError or TypeError for what holds none."""
    windows = body["windows"]
    return CampaignFacts(
        channels=tuple(Channel(each) for each in body["channels"]),
        state=State.SENDING,
        windows=Windows(
            ZoneInfo(body["zone"]),
            _read_window(windows[Channel.EMAIL.value]),
            _read_window(windows[Channel.SMS.value]),
            body["country"],
            body["opens_holidays"],
        ),
        valid_until=date.fromisoformat(body["valid_until"]) if body["valid_until"] else None,
        valid_for=timedelta(days=body["valid_for_days"]),
        coverage=Coverage(
            frozenset(Channel(each) for each in body["needs_notice"]),
            tuple(_span(start, end) for start, end in body["notice_said_so"]),
        ),
        authorised=frozenset(Channel(each) for each in body["authorised"]),
        kind=Kind(body["kind"]) if body["kind"] else None,
    )


def _window(window: Window) -> Json:
    return [window.opens.isoformat(), window.closes.isoformat(), sorted(window.weekdays), window.on_holidays]


def _read_window(told: Any) -> Window:
    opens, closes, weekdays, on_holidays = told
    return Window(time.fromisoformat(opens), time.fromisoformat(closes), frozenset(weekdays), on_holidays)


def _span(start: Any, end: Any) -> Any:
    begins = read_stamp(start)
    if begins is None:
        raise ValueError("a notice begins at no time")
    return begins, read_stamp(end)
