"""Installations to measure: an invented studio, a register of any size, and one of the sample campaigns.

One is prepared for each database and then copied for every round, so that each round begins with the same bytes.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from dispatcher import wiring
from dispatcher.rules.campaign import Language
from dispatcher.rules.studio import Studio
from dispatcher.wiring import Dispatcher
from tests.clock import FixedClock
from tests.postgresql import PostgresServer

CAMPAIGN = "2026-12-joulu"
"""The sample campaign that is planned and delivered; the benchmarks send it by email only."""
LETTER = Path(__file__).with_name("letter")
"""A small mail with a name and a link for each client: its templates, and the campaign that sends it."""
OWNER = "Aino Esimerkki"
BEGINNING = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
STUDIO = Studio(
    name="Hoitola Revontuli",
    business_id="1234567-8",
    postal_address="Tunturitie 5, 99999 Kuusela",
    email="hei@revontuli.example",
    phone="040 000 0000",
    booking_url="https://varaus.revontuli.example/",
    public_url="https://m.revontuli.example",
    sender="tarjoukset@m.revontuli.example",
    bounces="tarjoukset@m.revontuli.example",
    notice={Language.FI: "https://revontuli.example/tietosuoja"},
)
_HEADER = "asiakasnumero;etunimi;sukunimi;sähköposti;puhelin;kieli;viimeisin käynti;markkinointilupa;lupa annettu"
_NAMES = ("Maija", "Päivi", "Ánte", "Åsa", "Eero", "Yrjö", "Johanna", "Erik")
_PREFIXES = ("040", "041", "044", "045", "046", "050")
STUDIO_SETTINGS = """
[studio]
name = "{studio.name}"
business_id = "{studio.business_id}"
postal_address = "{studio.postal_address}"
email = "{studio.email}"
phone = "{studio.phone}"
booking_url = "{studio.booking_url}"
public_url = "{studio.public_url}"

[studio.notice]
fi = "https://revontuli.example/tietosuoja"
"""
"""What every installation says of the studio, to be filled with one."""
_SETTINGS = (
    STUDIO_SETTINGS
    + """
[email]
provider = "{setup.provider}"
host = "127.0.0.1"
port = {setup.port}
tls = "none"
sender = "{studio.sender}"
sessions = {setup.sessions}
messages_per_connection = {setup.per_connection}

[sms]
provider = "preview"

[sending]
window = {setup.window}

[database]
url = "{database}"
journal = "{journal}"

[[register.answers]]
column = "markkinointilupa"
channels = ["email"]
place = "online"
asked_column = "lupa annettu"
wording = "Saako lähettää tarjouksia sähköpostitse?"
"""
)


@dataclass(frozen=True, slots=True)
class Setup:
    """What of the settings a benchmark varies; the defaults are those of the program."""

    port: int = 25
    sessions: int = 2
    window: int = 128
    per_connection: int = 100
    provider: str = "smtp"


def write_register(path: Path, clients: int) -> Path:
    """Write a register export in which everybody said yes to email and every second client has a mobile number."""
    with path.open("w", encoding="utf-8") as file:
        print(_HEADER, file=file)
        for number in range(clients):
            phone = f"{_PREFIXES[number // 2 % 6]}000{number // 12 % 10_000:04}" if number % 2 else ""
            name, language = _NAMES[number % len(_NAMES)], ("fi", "sv", "en")[number % 3]
            email = f"asiakas.{number}@posti.example"
            day = f"{number % 28 + 1}.{number % 10 + 1}.2026"  # of the year before, one in ten is asked for a new yes
            cells = (str(number + 1), name, "Esimerkki", email, phone, language, day, "kyllä", day)
            print(";".join(cells), file=file)
    return path


@contextmanager
def room() -> Iterator[Path]:
    """Give a directory that is removed at the end; on the disk, and short enough for PostgreSQL's socket."""
    # Another account must be able to walk there, and /tmp may be kept in memory: then commits are too cheap.
    directory = Path(tempfile.mkdtemp(prefix="bench-", dir="/var/tmp" if Path("/var/tmp").is_dir() else None))  # noqa: S108
    directory.chmod(0o755)
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def postgresql(directory: Path) -> Iterator[PostgresServer]:
    """Run the PostgreSQL server of the tests, durable as it ships."""
    server = PostgresServer(directory)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def begin(directory: Path, database: str = "sqlite:///dispatcher.db", journal: str = "dispatcher.journal") -> None:
    """Begin an empty installation in a new directory."""
    directory.mkdir()
    # The test that goes before a campaign is written to a file: no server is there yet.
    _write_settings(directory, Setup(provider="preview"), database, journal)
    wiring.copy_starters(directory)
    wiring.found(directory, OWNER, FixedClock(BEGINNING))


class Prepared:
    """An installation with its register and its campaign, scheduled or planned, to take copies of.

    `letter` sends the small mail of the benchmarks in the place of the sample campaign's.
    """

    def __init__(
        self, directory: Path, server: PostgresServer | None, clients: int, *, planned: bool, letter: bool = False
    ) -> None:
        self._directory = directory
        self._server = server
        self._copies = 0
        begin(directory, *self._databases("prepared", "template1", "template1"))
        campaign = directory / "campaigns" / f"{CAMPAIGN}.toml"
        source = (LETTER / "campaign.toml" if letter else campaign).read_text(encoding="utf-8")
        shutil.copytree(LETTER, directory / "templates" / "email" / LETTER.name)
        campaign.write_text(source.replace('["email", "sms"]', '["email"]'), encoding="utf-8")
        clock = FixedClock(BEGINNING)
        with wiring.opened(directory, clock) as dispatcher:
            actor = dispatcher.persons.acting(None)
            dispatcher.persons.reach(OWNER, actor, "FI", email="aino@revontuli.example")
            dispatcher.enrol.run(write_register(directory / "register.csv", clients), actor)
            dispatcher.schedule.run(campaign, actor)
            scheduled = dispatcher.lifecycle.named(CAMPAIGN)
            self.moment = scheduled.send_at
            clock.set(self.moment)
            if planned:
                dispatcher.plan.run(scheduled)

    @contextmanager
    def copy(self, setup: Setup) -> Iterator[Dispatcher]:
        """Open a copy, set up like this, at the campaign's moment; it is gone afterwards."""
        with self.copied(setup) as directory, wiring.opened(directory, FixedClock(self.moment)) as dispatcher:
            yield dispatcher

    @contextmanager
    def copied(self, setup: Setup) -> Iterator[Path]:
        """Give the directory of a copy that another process will open; it is gone afterwards."""
        self._copies += 1
        name = f"copy_{self._copies}"
        directory = self._directory.with_name(f"{self._directory.name}-{name}")
        shutil.copytree(self._directory, directory)
        _write_settings(directory, setup, *self._databases(name, "prepared", "prepared_journal"))
        try:
            yield directory
        finally:
            shutil.rmtree(directory)
            if self._server:
                self._server.drop(name)
                self._server.drop(f"{name}_journal")

    def _databases(self, name: str, template: str, journal_template: str) -> tuple[str, str]:
        if self._server is None:
            return "sqlite:///dispatcher.db", "dispatcher.journal"
        return self._server.create(name, template), self._server.create(f"{name}_journal", journal_template)


def _write_settings(directory: Path, setup: Setup, database: str, journal: str) -> None:
    settings = _SETTINGS.format(studio=STUDIO, setup=setup, database=database, journal=journal)
    (directory / "dispatcher.toml").write_text(settings, encoding="utf-8")
