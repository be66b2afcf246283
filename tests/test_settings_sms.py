"""The settings of text messages: whom they come from and what a part costs, country by country."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from dispatcher.errors import SettingsError
from dispatcher.rules.campaign import Channel
from dispatcher.settings import FILE, Settings, read_settings
from dispatcher.wiring.choices import studio_of, tariff_of
from tests.settings_files import PREVIEW, STUDIO

_BASE = STUDIO + PREVIEW
Read = Callable[..., Settings]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Give a way to read settings with these words at their end."""

    def reading(more: str, old: str = "", new: str = "") -> Settings:
        (tmp_path / FILE).write_text(_BASE.replace(old, new) + more if old else _BASE + more, encoding="utf-8")
        return read_settings(tmp_path)

    return reading


def refused(read: Read, more: str, old: str = "", new: str = "") -> str:
    """Return why these settings are refused."""
    with pytest.raises(SettingsError) as error:
        read(more, old, new)
    return str(error.value)


def test_a_price_for_each_country(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    """S-05: the table of prices is by country, the price of all others beside it; a variable stands above the file."""
    tariff = tariff_of(read("[sms]\npart_price = 0.12\n[sms.prices]\nFI = 0.08\nSE = 0.07\n"))
    assert (Decimal("0.12"), {"FI": Decimal("0.08"), "SE": Decimal("0.07")}) == (tariff.part, tariff.prices)
    assert {} == tariff_of(read("")).prices
    monkeypatch.setenv("DISPATCHER_SMS__PRICES__FI", "0.09")
    assert {"FI": Decimal("0.09")} == tariff_of(read("")).prices


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("[sms.prices]\nother = 0.12\n", "[sms] prices: other is no country: write two letters"),
        ("[sms.prices]\nother = 0.12\n", "and the price everywhere else as part_price"),
        ("[sms.prices]\nXX = 0.12\n", "XX is no country"),
        ("[sms.prices]\nFI = 'cheap'\n", "[sms.prices] FI: write an amount in euros, as 0.08"),
        ("[sms.prices]\nFI = -1\n", "[sms.prices] FI: "),
        ("[sms]\nsender = 'Tunturituuli'\n", "[sms] sender: write a name of 3 to 11 letters"),
        ("[sms]\nsender = 'Hämy'\n", "[sms] sender: a sender has no å, ä or ö: have 'Hamy' authorised"),
        ("[sms]\nsender = 'Info'\n", "[sms] sender: 'Info' says nothing of who sends"),
    ],
)
def test_what_is_refused_says_what_to_write(read: Read, more: str, told: str) -> None:
    """S-05, S-12: a price of no country, an amount that is none, a sender that no network takes."""
    assert told in refused(read, more)


def test_links_are_at_a_domain_of_ones_own(read: Read) -> None:
    """S-13: the address of every opt-out link cannot be that of a public shortener."""
    told = refused(read, "", "https://viestit.tunturituuli.example/", "https://bit.ly")
    assert "[studio] public_url: this shortens other people's addresses" in told


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://rt.example", "[studio] sms_url: write a web address that begins with https://"),
        ("https://bit.ly", "[studio] sms_url: this shortens other people's addresses"),
        ("https://rt.example/x", "sms_url is another host for the same pages: its path is that of public_url"),
    ],
)
def test_a_short_host_is_ones_own(read: Read, url: str, told: str) -> None:
    """S-13: the short host of text messages is checked as the public address is, and serves the same pages."""
    line = 'public_url = "https://viestit.tunturituuli.example/"'
    assert told in refused(read, "", line, f'{line}\nsms_url = "{url}"')


def test_a_short_host_is_where_text_messages_lead(read: Read) -> None:
    """S-10: where a short host is set, the links of text messages are there, and those of mails where they were."""
    line = 'public_url = "https://viestit.tunturituuli.example/"'
    studio = studio_of(read("", line, f'{line}\nsms_url = "https://rt.example/"'))
    assert "https://rt.example" == studio.link_base(Channel.SMS)
    assert "https://viestit.tunturituuli.example" == studio.link_base(Channel.EMAIL)
    assert "https://viestit.tunturituuli.example" == studio_of(read("")).link_base(Channel.SMS)
