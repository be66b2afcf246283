"""A whole installation for a test: its workspace, both doubles, and a register to write."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

from dispatcher import wiring
from dispatcher.demo.smtp_double import ReceivedMail, SmtpDouble
from dispatcher.demo.twilio_double import TwilioDouble
from dispatcher.flow.schedule import Schedule
from dispatcher.keys import KeyKind, KeyRing, read_ring, write_ring
from dispatcher.wiring import Dispatcher
from tests.clock import FixedClock

ZONE = ZoneInfo("Europe/Helsinki")
OWNER = "Aino Esimerkki"
ACCOUNT, API_KEY, API_SECRET = "AC" + "0" * 32, "SK" + "0" * 32, "secret-of-the-double"
HEADER = (
    "asiakasnumero;etunimi;sukunimi;sähköposti;puhelin;kieli;viimeisin käynti;"
    "markkinointilupa;tekstiviestilupa;lupa annettu"
)
_SETTINGS = """
[studio]
name = "Tunturituuli"
business_id = "0000000-0"
postal_address = "Esimerkkikuja 1, 99999 Esimerkkilä"
email = "hei@tunturituuli.example"
phone = "+358 40 000 0000"
booking_url = "https://tunturituuli.example/varaa"
public_url = "{public_url}"

[studio.notice]
fi = "https://tunturituuli.example/tietosuoja"

[email]
provider = "{email}"
host = "127.0.0.1"
port = {port}
tls = "none"
sender = "tarjoukset@tunturituuli.example"

[sms]
provider = "{sms}"
sender = "Tunturi"
sender_authorised_on = 2026-05-04
account_sid = "{account}"
api_key = "{api_key}"
base_url = "{base_url}"

[database]
url = "{database_url}"
journal = "{journal_url}"

[[register.answers]]
column = "markkinointilupa"
channels = ["email"]
place = "online"
asked_column = "lupa annettu"
wording = "Saako lähettää tarjouksia sähköpostitse?"

[[register.answers]]
column = "tekstiviestilupa"
channels = ["sms"]
place = "online"
asked_column = "lupa annettu"
wording = "Saako lähettää tarjouksia tekstiviestillä?"
"""
_CAMPAIGN = """
title = "{title}"
kind = "offer"
send_at = {send_at}
channels = [{channels}]
{more}
[subject]
fi = "{title}"
sv = "{title}"
en = "{title}"
{audience}
[offer]
price = 49
headline = {{ fi = "Hoito", sv = "Vård", en = "Care" }}
text = {{ fi = "Tervetuloa.", sv = "Välkommen.", en = "Welcome." }}
sms = {{ fi = "Hoito 49 e", sv = "Vård 49 e", en = "Care 49 e" }}
"""


class MailServer(Protocol):
    """A mail server on loopback that keeps what it takes."""

    @property
    def port(self) -> int:
        """Return where it listens."""

    @property
    def received(self) -> list[ReceivedMail]:
        """Return every mail taken so far, oldest first."""


@dataclass(frozen=True, slots=True)
class Doubles:
    """The mail server and the SMS service that a test's installation hands over to."""

    smtp: MailServer
    twilio: TwilioDouble

    def mailed(self) -> list[str]:
        """Return who got mail, in order of address, once for each mail."""
        return sorted(mail.recipient for mail in self.smtp.received)

    def texted(self) -> list[str]:
        """Return who got text messages, in order of number, once for each."""
        return sorted(text.recipient for text in self.twilio.received)


@dataclass(frozen=True, slots=True)
class Workshop:
    """A workspace on disk, before it is opened."""

    directory: Path
    clock: FixedClock

    @contextmanager
    def opened(self) -> Iterator[Dispatcher]:
        """Open the installation as a command would, by the test's clock.

        No test send is asked for before a slot is taken: what goes to the persons of the installation is no matter of
        these tests. `wiring.opened` gives what a command has.
        """
        with wiring.opened(self.directory, self.clock) as dispatcher:
            templates, checks = self.directory / "templates", dispatcher.schedule._prechecks
            yield replace(dispatcher, schedule=Schedule(dispatcher.store, dispatcher.policy, templates, checks))

    def register(self, *rows: str, name: str = "register.csv", header: str = HEADER) -> Path:
        """Write a register export of these rows."""
        path = self.directory / name
        path.write_text("\n".join([header, *rows, ""]), encoding="utf-8")
        return path

    def campaign(
        self,
        name: str,
        send_at: datetime,
        *,
        channels: Sequence[str] = ("email", "sms"),
        more: str = "",
        audience: str = "",
    ) -> Path:
        """Write a campaign file; `send_at` is aware."""
        path = self.directory / "campaigns" / f"{name}.toml"
        path.parent.mkdir(exist_ok=True)
        source = _CAMPAIGN.format(
            title=f"Kampanja {name}",
            send_at=send_at.astimezone(ZONE).strftime("%Y-%m-%dT%H:%M:%S"),
            channels=", ".join(f'"{channel}"' for channel in channels),
            more=more,
            audience=audience,
        )
        path.write_text(source, encoding="utf-8")
        return path


def build(
    directory: Path,
    clock: FixedClock,
    database_url: str,
    journal_url: str,
    doubles: Doubles | None = None,
    public_url: str = "https://viestit.tunturituuli.example",
    *,
    begun: Path | None = None,
) -> Workshop:
    """Begin an installation: with the doubles as its carriers, or with preview files where there are none.

    `begun` are the secrets of the installation that database and journal are a copy of: nothing is begun then.
    """
    directory.mkdir(exist_ok=True)
    settings = _SETTINGS.format(
        public_url=public_url,
        email="smtp" if doubles else "preview",
        sms="twilio" if doubles else "preview",
        port=doubles.smtp.port if doubles else 25,
        base_url=doubles.twilio.base_url if doubles else "",
        account=ACCOUNT,
        api_key=API_KEY,
        database_url=database_url,
        journal_url=journal_url,
    )
    (directory / "dispatcher.toml").write_text(settings, encoding="utf-8")
    wiring.copy_starters(directory)
    secrets = directory / "secrets.toml"
    if begun is not None:
        shutil.copy(begun, secrets)
        return Workshop(directory, clock)
    wiring.found(directory, OWNER, clock)
    ring = read_ring(secrets)
    write_ring(secrets, KeyRing({kind: ring.all(kind) for kind in KeyKind}, {"twilio_api_secret": API_SECRET}))
    return Workshop(directory, clock)


@contextmanager
def doubles_running() -> Iterator[Doubles]:
    """Run both doubles on loopback."""
    with SmtpDouble() as smtp, TwilioDouble(ACCOUNT, API_KEY, API_SECRET) as twilio:
        yield Doubles(smtp, twilio)
