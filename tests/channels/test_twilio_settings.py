"""Where Twilio is reached: in Europe, or on this machine, or not at all (S-20)."""

from dataclasses import replace

import pytest

from dispatcher.channels.twilio import TwilioCarrier, TwilioSettings
from dispatcher.errors import ChannelError

SETTINGS = TwilioSettings("AC1", "SK1", "hunter2", "Studio", timeout_seconds=5)


def test_host_in_europe(monkeypatch: pytest.MonkeyPatch) -> None:
    """S-20: with ie1 and dublin the host is exactly Dublin's, whatever the process environment says."""
    monkeypatch.setenv("TWILIO_REGION", "us1")
    monkeypatch.setenv("TWILIO_EDGE", "ashburn")
    assert TwilioCarrier(SETTINGS).host == "api.dublin.ie1.twilio.com"
    assert TwilioCarrier(replace(SETTINGS, region="", edge="")).host == "api.twilio.com"


@pytest.mark.parametrize(
    "changes",
    [
        {"edge": ""},
        {"region": ""},
        {"api_secret": ""},
        {"account_sid": ""},
        {"sender": ""},
        {"base_url": "http://api.twilio.example"},
        {"base_url": "https://127.0.0.1.example"},
        {"base_url": "127.0.0.1:80"},
    ],
)
def test_settings_that_cannot_stand(changes: dict[str, str]) -> None:
    """S-20: a region without its edge, a missing secret or a base_url that leaves the machine is refused at once."""
    with pytest.raises(ChannelError, match="Twilio"):
        replace(SETTINGS, **changes)  # type: ignore[arg-type] # every changed field is text
