"""What the notice and the records tell of companies and countries is what the settings say."""

from pathlib import Path

import pytest

from dispatcher.rules.campaign import Channel
from dispatcher.rules.processing import Processing
from dispatcher.settings import read_settings
from dispatcher.wiring.choices import studio_of
from dispatcher.wiring.records import processing_of
from tests.clock import FixedClock
from tests.workshop import build

COMPANY = '\ncountry = "{}"\ndpa_signed = 2026-01-15'
LIVE_SMS = 'sender = "Tunturi"\ndpa_signed = 2026-02-01\naccepted_transfer_note = "Tuki voi nähdä viestin."'


@pytest.fixture
def directory(tmp_path: Path, clock: FixedClock) -> Path:
    """Give a workspace in which everything stays on this machine."""
    return build(tmp_path / "studio", clock, "sqlite:///dispatcher.db", "dispatcher.journal").directory


def told(directory: Path, *changes: tuple[str, str]) -> Processing:
    """Return what is told after these changes of the settings."""
    path = directory / "dispatcher.toml"
    text = path.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path.write_text(text, encoding="utf-8")
    settings = read_settings(directory)
    return processing_of(settings, studio_of(settings))


def test_at_home_nobody_else_handles_data(directory: Path) -> None:
    """Preview, a double or a server on this machine is no company: nobody else is named."""
    assert [] == list(told(directory).processors)
    assert [] == list(told(directory, ('provider = "preview"', 'provider = "smtp"')).processors)


def test_each_company_stands_with_country_and_contract(directory: Path) -> None:
    """The mail server, Twilio and a database server elsewhere are named, numbered, with country and contract."""
    database = "postgresql://d@db.palvelin.example/a"
    found = told(
        directory,
        ('provider = "preview"\nhost = "127.0.0.1"', 'provider = "smtp"\nhost = "smtp.posti.example"'),
        ('tls = "none"\nsender = "tarjoukset@tunturituuli.example"', f'sender = "a@tunturi.fi"{COMPANY.format("FI")}'),
        ('provider = "preview"\nsender = "Tunturi"', f'provider = "twilio"\n{LIVE_SMS}'),
        ('base_url = ""\n', ""),
        ('url = "sqlite:///dispatcher.db"', f'url = "{database}"{COMPANY.format("SE")}'),
        ('journal = "dispatcher.journal"', f'journal = "{database}j"'),
    )
    assert [
        ("P1", "smtp.posti.example", Channel.EMAIL, "FI", False),
        ("P2", "Twilio", Channel.SMS, "IE", True),
        ("P3", "db.palvelin.example", None, "SE", False),
    ] == [(each.id, each.name, each.channel, each.country, each.reaches_outside) for each in found.processors]
    assert ["P2"] == [each.id for each in found.transfers]
    assert ["P1", "P3"] == [each.id for each in found.handling(Channel.EMAIL)]
    assert "Tuki voi nähdä viestin." == found.transfer_note
    assert all(each.is_inside for each in found.processors)


def test_a_server_outside_is_a_transfer(directory: Path) -> None:
    """A company outside the EEA is told as a transfer; Twilio outside Ireland is in the United States."""
    found = told(
        directory,
        ("\n[studio]", "eu_only = false\n[studio]"),
        ('provider = "preview"\nhost = "127.0.0.1"', 'provider = "smtp"\nhost = "smtp.posti.example"'),
        ('tls = "none"\nsender = "tarjoukset@tunturituuli.example"', f'sender = "a@tunturi.fi"{COMPANY.format("US")}'),
        ('provider = "preview"\nsender = "Tunturi"', f'provider = "twilio"\nregion = "us1"\nedge = ""\n{LIVE_SMS}'),
        ('base_url = ""\n', ""),
    )
    assert ["US", "US"] == [each.country for each in found.transfers]
    assert [False, False] == [each.is_inside for each in found.transfers]
