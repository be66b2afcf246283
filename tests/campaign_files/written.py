"""A good campaign file, and how tests read it and what comes of it."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from dispatcher.campaign_files import parse_campaign
from dispatcher.errors import CampaignFileError
from dispatcher.rules.campaign import Campaign

HELSINKI = ZoneInfo("Europe/Helsinki")
SAMPLES = Path(__file__).parents[2] / "campaigns"
GOOD = """\
title = "Kevään hieronta"
kind = "offer"
send_at = 2026-03-17T10:00:00
channels = ["email", "sms"]
valid_until = 2026-04-30

[subject]
fi = "Kevät tulee"
sv = "Våren är här"
en = "Spring is here"

[audience]
visited_since = 2025-06-01

[offer]
price = 49
headline = { fi = "Oma tunti", sv = "En timme", en = "An hour" }
"""


def read(text: str | bytes, name: str = "kevat") -> Campaign:
    """Read a campaign file of this text."""
    content = text.encode() if isinstance(text, str) else text
    return parse_campaign(content, name, "kevat.toml", HELSINKI)


def faults(text: str | bytes, name: str = "kevat") -> list[str]:
    """Return what is wrong with a campaign file of this text, a fault a line."""
    with pytest.raises(CampaignFileError) as caught:
        read(text, name)
    return str(caught.value).split("\n")


def changed(old: str, new: str) -> str:
    """Return the good file with one place of it changed."""
    assert 1 == GOOD.count(old)
    return GOOD.replace(old, new)
