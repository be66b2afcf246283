"""A studio in the middle of a campaign, sent by real processes that may be killed."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from time import monotonic
from typing import Self
from urllib.parse import urlsplit

from sqlalchemy import Engine, func, select, text, update

from dispatcher.demo.loopback import HOST, listen
from dispatcher.demo.twilio_double import Trouble, TwilioDouble
from dispatcher.rules.campaign import Channel, State
from dispatcher.rules.message import MessageState
from dispatcher.storage.tables import CampaignTable, OutboxTable
from dispatcher.wiring import Dispatcher, opened, system_clock
from tests.clock import FixedClock
from tests.faults.sink import Sink
from tests.stores import ROOT, raw
from tests.workshop import ACCOUNT, API_KEY, API_SECRET, ZONE, Doubles, Workshop, build

CAMPAIGN = "nyt"
WINDOW = 16
"""How many hand-offs of a channel may be under way: small, so that a kill leaves most of a campaign to go on with."""
OPEN = (MessageState.WAITING.value, MessageState.DEFERRED.value)


@dataclass(frozen=True, slots=True)
class People:
    """Who is in the register, by number: with a yes by mail, by text message, by both, and without any."""

    mailed: int
    texted: int
    both: int = 0
    silent: int = 0

    @property
    def rows(self) -> list[str]:
        """Return the lines of the register."""
        day = f"{system_clock() - timedelta(days=9):%d.%m.%Y}"
        first, second, third = self.mailed, self.mailed + self.both, self.mailed + self.both + self.texted
        rows = []
        for number in range(third + self.silent):
            has_mail, has_phone = number < second or number >= third, first <= number < third
            says = [
                "kyllä" if has_mail and number < third else "",
                "kyllä" if has_phone else "",
                day if number < third else "",
            ]
            addresses = [email(number) if has_mail else "", phone(number) if has_phone else ""]
            rows.append(";".join([str(number), "Etu", "Suku", *addresses, "fi", "", *says]))
        return rows

    @property
    def reached(self) -> int:
        """Return how many have said yes to something."""
        return self.mailed + self.both + self.texted


def email(number: int) -> str:
    """Return where mail reaches a client."""
    return f"c{number}@posti.example"


def phone(number: int) -> str:
    """Return where text messages reach a client."""
    return f"+35840{number:07d}"


def number_of(address: str) -> int | None:
    """Return whose address this is, or None where it is no client's."""
    if address.endswith("@posti.example"):
        return int(address[1:].partition("@")[0])
    return int(address.removeprefix("+35840")) if address.startswith("+35840") else None


@dataclass(slots=True)
class Studio:
    """A workspace by this machine's own clock, open at every hour, with its own carriers."""

    workshop: Workshop
    sink: Sink
    twilio: TwilioDouble
    texts: "Texts"
    database_url: str
    port: int

    @property
    def directory(self) -> Path:
        """Return the workspace."""
        return self.workshop.directory

    @property
    def is_sqlite(self) -> bool:
        """Say on which database this studio is."""
        return self.database_url.startswith("sqlite")

    @contextmanager
    def database(self) -> Iterator[Engine]:
        """Give the database as somebody with another tool has it."""
        engine = raw(self.database_url)
        try:
            yield engine
        finally:
            engine.dispose()

    @contextmanager
    def house(self) -> Iterator[Dispatcher]:
        """Open the installation as a command does, now."""
        with opened(self.directory) as dispatcher:
            yield dispatcher

    def schedule(self, people: People) -> None:
        """Import the register and schedule a campaign for this second."""
        self.workshop.clock.set(system_clock())
        with self.workshop.opened() as house:
            owner = house.persons.acting(None)
            report = house.enrol.run(self.workshop.register(*people.rows), owner)
            assert [] == report.rejected
            zone = house.policy.zone
            soon = (self.workshop.clock() + timedelta(seconds=1)).astimezone(zone)
            # The file is to say the hour of the workspace's zone.
            house.schedule.run(self.workshop.campaign(CAMPAIGN, soon.replace(tzinfo=ZONE)), owner)

    def standing(self) -> dict[str, dict[str, int]]:
        """Return how many messages of each channel stand where."""
        query = select(OutboxTable.channel, OutboxTable.state, func.count()).group_by(
            OutboxTable.channel, OutboxTable.state
        )
        found: dict[str, dict[str, int]] = {}
        with self.database() as engine, engine.connect() as connection:
            for channel, state, count in connection.execute(query):
                found.setdefault(channel or "", {})[state] = count
        return found

    def count(self, *states: str) -> int:
        """Return how many messages stand in any of these states."""
        return sum(found.get(state, 0) for found in self.standing().values() for state in states)

    def end_leases(self) -> None:
        """Make every lease end now, as if they had lasted their time; no sender has anything in its hands."""
        ended = system_clock() - timedelta(seconds=1)
        with self.database() as engine, engine.begin() as connection:
            held = OutboxTable.lease_until.is_not(None)
            connection.execute(update(OutboxTable).where(held).values(lease_until=ended))

    def end_pauses(self) -> None:
        """Make what waits for a second try due now."""
        now = system_clock()
        with self.database() as engine, engine.begin() as connection:
            waits = (OutboxTable.state.in_(OPEN), OutboxTable.not_before > now, OutboxTable.lease_until.is_(None))
            connection.execute(update(OutboxTable).where(*waits).values(not_before=now))

    def has_due(self) -> bool:
        """Say whether a message could be claimed now."""
        due = (OutboxTable.state.in_(OPEN), OutboxTable.not_before <= system_clock(), OutboxTable.lease_until.is_(None))
        with self.database() as engine, engine.connect() as connection:
            return connection.execute(select(OutboxTable.id).where(*due).limit(1)).first() is not None

    def is_finished(self) -> bool:
        """Say whether the campaign is over."""
        with self.database() as engine, engine.connect() as connection:
            return connection.execute(select(CampaignTable.state)).scalar_one() == State.FINISHED.value

    def wait_for_sender_to_leave(self) -> None:
        """Wait until the database has noticed that a killed sender is gone: what it was told last is done or undone."""
        if self.is_sqlite:
            return
        query = text("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'sender'")

        def has_left() -> bool:
            with engine.connect() as connection:  # each look is a transaction of its own, and sees anew
                return not connection.execute(query).scalar_one()

        with self.database() as engine:
            wait_until(has_left)

    def working(self, first: str = "") -> "Program":
        """Return the sender, to be started; `first` is Python that it runs before anything else."""
        return Program(self.directory, "work", first)

    @contextmanager
    def page(self) -> Iterator[None]:
        """Have the opt-out page answer while the block runs, by a process of its own."""
        with Program(self.directory, "web"):
            wait_until(self._answers)
            yield

    def _answers(self) -> bool:
        with suppress(OSError), socket.create_connection((HOST, self.port)):
            return True
        return False


@contextmanager
def founded(
    directory: Path,
    database_url: str,
    journal_url: str,
    *,
    more: str = "",
    email_more: str = "",
    sms: Trouble | None = None,
    sink: Path | None = None,
) -> Iterator[Studio]:
    """Found a studio with its carriers; `more` and `email_more` are lines of its settings.

    `sms` is what goes wrong at its SMS service. The mail server keeps its record in the directory `sink`, or beside.
    """
    with listen() as listener:
        port: int = listener.getsockname()[1]
    texts = Texts(sms)
    with (
        Sink((sink or directory) / "sink.txt") as server,
        TwilioDouble(ACCOUNT, API_KEY, API_SECRET, texts.come) as twilio,
    ):
        clock = FixedClock(system_clock())
        url = f"http://{HOST}:{port}"
        workshop = build(directory / "studio", clock, database_url, journal_url, Doubles(server, twilio), url)
        settings = workshop.directory / "dispatcher.toml"
        said = settings.read_text(encoding="utf-8").replace("[email]\n", f"[email]\n{email_more}\n")
        settings.write_text(f"{said}\n[web]\nport = {port}\n{always_open(clock())}{more}", encoding="utf-8")
        yield Studio(workshop, server, twilio, texts, database_url, port)


@dataclass(slots=True)
class Texts:
    """What happens at the SMS service: something goes wrong with every seventh text message, if a trouble is named."""

    trouble: Trouble | None
    on_text: Callable[[str], None] = lambda _recipient: None
    asked: int = 0

    def come(self, recipient: str) -> Trouble | None:
        """Return what happens to this one."""
        self.asked += 1
        self.on_text(recipient)
        return self.trouble if self.asked % 7 == 0 else None


def always_open(now: datetime) -> str:
    """Return settings under which everything may leave at any hour, in a zone where it is noon: no day ends soon."""
    # By POSIX's sign, Etc/GMT-3 is three hours ahead of Greenwich.
    ahead = 12 - now.hour
    zone = f"Etc/GMT{'-' if ahead > 0 else '+'}{abs(ahead)}" if ahead else "Etc/GMT"
    windows = "".join(f'[sending.{channel}]\nopens = "00:00"\ncloses = "23:59:59.999999"\n' for channel in Channel)
    return f'[sending]\nzone = "{zone}"\nwindow = {WINDOW}\n{windows}'


def wait_until(is_so: Callable[[], bool], seconds: float = 60, every: float = 0.01) -> None:
    """Wait until something is so, looked at every so many seconds, and fail where it does not become so."""
    deadline = monotonic() + seconds
    while not is_so():
        assert monotonic() < deadline, "what was waited for did not come"
        threading.Event().wait(every)


@dataclass(slots=True)
class Program:
    """One process of the program, and what it says; `first` is Python that it runs before anything else."""

    directory: Path
    command: str
    first: str = ""
    lines: list[str] = field(default_factory=list)
    _news: threading.Condition = field(default_factory=threading.Condition)
    _process: subprocess.Popen[str] | None = None
    _reader: threading.Thread | None = None

    def __enter__(self) -> Self:
        """Start, without waiting."""
        # A server can tell its clients by this name.
        name = {"PGAPPNAME": "sender" if self.command == "work" else self.command}
        program = ["-c", f"{self.first}; import runpy; runpy.run_module('dispatcher', run_name='__main__')"]
        self._process = subprocess.Popen(
            [
                sys.executable,
                *(program if self.first else ["-m", "dispatcher"]),
                "--workspace",
                str(self.directory),
                self.command,
            ],
            cwd=ROOT,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **name},  # noqa: TID251 - to hand it on
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Kill it where it still is."""
        self.signal(signal.SIGKILL)
        self.wait()

    @property
    def process(self) -> subprocess.Popen[str]:
        """Return the process."""
        assert self._process is not None
        return self._process

    def signal(self, name: int) -> None:
        """Send a signal to the process, if it is still there."""
        if self.process.poll() is None:
            self.process.send_signal(name)

    def wait(self, seconds: float = 60) -> int:
        """Wait for its end and return its exit code."""
        code = self.process.wait(seconds)
        assert self._reader is not None
        self._reader.join(seconds)
        assert self.process.stderr is not None
        self.process.stderr.close()
        return code

    def says(self, words: str, seconds: float = 60) -> None:
        """Wait until it has said this. Fails where it does not, or ends before."""
        with self._news:
            self._news.wait_for(lambda: self._has_said(words) or self.lines[-1:] == [""], seconds)
        assert self._has_said(words), "".join(self.lines)

    def runs(self) -> None:
        """Wait until the sender has done its duties of the start, and looks at what is due."""
        self.says("the sender is running")

    def _has_said(self, words: str) -> bool:
        return any(words in line for line in self.lines)

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self._news:
                self.lines.append(line)
                self._news.notify_all()
        with self._news:
            self.lines.append("")
            self._news.notify_all()


def post(url: str) -> int:
    """Press the button of a mail program, or of the page, and return the status of the answer."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=60)
    try:
        body = "List-Unsubscribe=One-Click"
        connection.request("POST", parts.path, body, {"Content-Type": "application/x-www-form-urlencoded"})
        with connection.getresponse() as response:
            response.read()
            return response.status
    finally:
        connection.close()
