"""[mailbox]: which inbox is read, and what is refused with words that say what to write."""

from collections.abc import Callable
from pathlib import Path

import pytest

from dispatcher.errors import SettingsError
from dispatcher.settings import FILE, Settings, read_settings
from tests.settings_files import PREVIEW, STUDIO

IMAP = '[mailbox]\nprovider = "imap"\nhost = "imap.provider.example"\ncountry = "FI"\ndpa_signed = 2026-01-15\n'
HERE = '[mailbox]\nprovider = "imap"\nhost = "127.0.0.1"\n'
Read = Callable[[str], Settings]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Give a way to read settings from a text."""

    def reading(text: str) -> Settings:
        (tmp_path / FILE).write_text(text, encoding="utf-8")
        return read_settings(tmp_path)

    return reading


def test_no_inbox_is_read_unless_one_is_named(read: Read) -> None:
    """Without [mailbox] nothing is read, and envelopes come from the sender as before."""
    settings = read(STUDIO + PREVIEW)
    assert not settings.mailbox.is_read
    assert "tarjoukset@tunturituuli.example" == settings.bounce_address


def test_the_inbox_is_the_studios_own(read: Read) -> None:
    """E-35: answers come to the address clients know, unless another is named; so do bounces."""
    settings = read(STUDIO + PREVIEW + IMAP)
    assert ["hei@tunturituuli.example"] * 2 == [settings.inbox_address, settings.bounce_address]
    assert (993, "INBOX", "+", False) == (
        settings.mailbox.asked_port,
        settings.mailbox.folder,
        settings.mailbox.separator,
        settings.mailbox.own_folder,
    )
    other = read(STUDIO + PREVIEW + IMAP + 'address = "posti@tunturituuli.example"\ntls = "starttls"\n')
    assert ("posti@tunturituuli.example", 143) == (other.inbox_address, other.mailbox.asked_port)
    apart = PREVIEW + 'bounces = "palautus@tunturituuli.example"\n'
    assert "palautus@tunturituuli.example" == read(STUDIO + apart + IMAP).bounce_address


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[mailbox]\nprovider = "imap"\n', "[mailbox] host is missing: write the name of the IMAP server"),
        ('[mailbox]\nprovider = "maildir"\n', "[mailbox] path is missing"),
        ('[mailbox]\nprovider = "pop3"\n', "[mailbox] provider"),
        (IMAP + 'tls = "none"\n', "would send the password and every letter in the clear"),
        (IMAP.replace('"FI"', '"US"'), "[mailbox] country must name the EU or EEA country of your IMAP server"),
        (IMAP.replace('country = "FI"\n', ""), "[mailbox] country must name"),
        (IMAP.replace("dpa_signed = 2026-01-15\n", ""), "[mailbox] dpa_signed is missing"),
        (IMAP + 'separator = "%"\n', "[mailbox] separator"),
        (IMAP + 'password = "x"\n', "[mailbox] password: there is no such setting"),
        (
            HERE + 'address = "hyvinvointistudio@t.example"\n',
            "[email] bounces: hyvinvointistudio@t.example has 17 letters",
        ),
        (HERE + f'address = "{"a" * 27}@t.example"\n', "[mailbox] address: aaa"),
        (HERE + 'address = "a&b@t.example"\n', "only letters a-z, digits, full stops and dashes"),
    ],
)
def test_what_cannot_be_used_is_refused(text: str, told: str, read: Read) -> None:
    """L-39, L-42, E-43, E-60: each fault says what to write."""
    with pytest.raises(SettingsError) as error:
        read(STUDIO + PREVIEW + text)
    assert told in str(error.value)


def test_an_inbox_on_this_machine_needs_no_contract(read: Read) -> None:
    """L-42: a server on loopback, without TLS if need be, and a Maildir go nowhere."""
    assert read(STUDIO + PREVIEW + HERE + 'tls = "none"\n').mailbox.stays_here
    assert read(STUDIO + PREVIEW + '[mailbox]\nprovider = "maildir"\npath = "Maildir"\n').mailbox.stays_here


def test_outside_the_eu_only_where_that_is_allowed(read: Read) -> None:
    """L-42: with eu_only off a country outside is taken, with a contract all the same."""
    text = "eu_only = false\n" + STUDIO + PREVIEW + IMAP.replace('"FI"', '"US"')
    assert "US" == read(text).mailbox.country


def test_a_long_address_takes_a_short_one_for_bounces(read: Read) -> None:
    """E-60: the address clients know may be longer than the envelope has room for."""
    text = STUDIO + PREVIEW + 'bounces = "p@tunturituuli.example"\n' + HERE
    settings = read(text + 'address = "hyvinvointistudio@t.example"\n')
    assert ("hyvinvointistudio@t.example", "p@tunturituuli.example") == (
        settings.inbox_address,
        settings.bounce_address,
    )
