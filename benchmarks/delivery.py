"""Measures the whole path of a message: outbox, verdict, chained ledger, durable commit, SMTP, outcome.

The mails, of 2.5 kB and with a name and a link for each client, go to Postfix's `smtp-sink` on this machine, which
answers at once and keeps nothing. They are measured by Postfix's `smtp-source -d -s 20 -l 2500`, a C program that sends
one constant body over 20 connections: the practical limit. Beside it stand what a small program would do: build an
`EmailMessage` for each client and send it with `smtplib` or `aiosmtplib`, with no verdict, no ledger and nothing on
disk. Each way runs in a process of its own, all of them once in every round; nothing is signed, and no pace is kept.

It needs Debian's postfix for both programs. It lacks TLS, a network, and a mail server that takes its time; with those
the server is what one waits for. The memory of PostgreSQL's own processes is not counted, and the plain ways' includes
this program's modules, which they load to know the campaign.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from statistics import mean
from time import perf_counter, sleep

from benchmarks import measuring
from benchmarks.delivery_ways import AT_ONCE, ZONE, letters, plain_writer
from benchmarks.installation import LETTER, STUDIO, Prepared, Setup, postgresql, room
from benchmarks.measuring import Run, peak_of
from dispatcher.campaign_files import read_campaign
from dispatcher.rendering import CampaignRenderer, Templates

_SINK, _SOURCE = "smtp-sink", "smtp-source"
_LIMIT = "smtp-source, 20 connections"
_SMTPLIB = "EmailMessage and smtplib, 1 connection"
_AIOSMTPLIB = f"EmailMessage and aiosmtplib, {AT_ONCE} connections"
_WINDOW = 128


def main() -> None:
    """Measure, print and keep the figures."""
    full = measuring.is_full(__doc__)
    if not is_postfix_here():
        sys.exit("The delivery benchmark needs smtp-sink and smtp-source of Debian's postfix: apt-get install postfix")
    messages = 50_000 if full else 4_000
    plainly = 10_000 if full else 4_000  # their rate is the same from the first mail to the last, and it is a slow one
    with room() as directory, postgresql(directory) as server, sink() as port:
        sqlite = Prepared(directory / "on-sqlite", None, messages, planned=True, letter=True)
        postgres = Prepared(directory / "on-postgresql", server, messages, planned=True, letter=True)
        setup = Setup(port, sessions=AT_ONCE, window=_WINDOW, per_connection=1_000)
        on_sqlite = f"SQLite, {AT_ONCE} sessions, window {_WINDOW}"
        on_postgresql = f"PostgreSQL, {AT_ONCE} sessions, window {_WINDOW}"
        figures = measuring.in_turn(
            {
                _LIMIT: lambda: _source(port, 50_000 if full else 20_000),
                on_sqlite: _path(sqlite, setup, messages),
                on_postgresql: _path(postgres, setup, messages),
                _SMTPLIB: lambda: _way("smtplib", directory, port, plainly, sqlite),
                _AIOSMTPLIB: lambda: _way("aiosmtplib", directory, port, plainly, sqlite),
            },
            rounds=5 if full else 3,
            unit="messages/s",
            measured_by=_LIMIT,
        )
        own, plain = _sizes(sqlite.moment)
    keys = {
        _LIMIT: "limit",
        on_sqlite: "email_sqlite",
        on_postgresql: "email_postgresql",
        _SMTPLIB: "smtplib",
        _AIOSMTPLIB: "aiosmtplib",
    }
    size = f"{messages:,} messages a round, of {own:,} bytes here and {plain:,} the plain way; smtp-source's of 2,500"
    measuring.report("delivery", figures, [size], keys)


def _path(prepared: Prepared, setup: Setup, messages: int) -> Callable[[], Run]:
    """Return a way that delivers a copy of a planned campaign."""

    def deliver() -> Run:
        with prepared.copied(setup) as directory:
            return _way("dispatcher", directory, setup.port, messages, prepared)

    return deliver


def _way(name: str, directory: Path, port: int, messages: int, prepared: Prepared) -> Run:
    """Send by one way, in a process of its own."""
    words = [name, str(directory), str(port), str(messages), prepared.moment.isoformat()]
    command = [sys.executable, "-m", "benchmarks.delivery_ways", *words]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    told = json.loads(done.stdout)
    return Run(messages / told["seconds"], told["peak_mb"])


def _source(port: int, messages: int) -> Run:
    command = [_program(_SOURCE), "-d", "-s", "20", "-l", "2500", "-m", str(messages), f"127.0.0.1:{port}"]
    began, peak = perf_counter(), 0.0
    with subprocess.Popen(command) as source:
        while source.poll() is None:
            peak = max(peak, peak_of(source.pid))
            with suppress(subprocess.TimeoutExpired):
                source.wait(0.05)
        seconds = perf_counter() - began
    assert source.returncode == 0
    return Run(messages / seconds, peak)


def _sizes(moment: datetime) -> tuple[int, int]:
    """Return the bytes of the program's mail and of the plain one, on average over the languages."""
    with room() as directory:
        shutil.copytree(LETTER, directory / "email" / LETTER.name)
        campaign = read_campaign(LETTER / "campaign.toml", ZONE)
        renderer = CampaignRenderer(campaign, Templates.from_directory(directory), STUDIO, ZONE)
    writer = plain_writer()
    own, plain = [], []
    for letter in letters(24, moment):
        own.append(
            len(renderer.email(letter.recipient, letter.to, letter.opt_out_url, letter.message_id, letter.date).content)
        )
        plain.append(len(bytes(writer.mail(letter, writer.words(letter)))))
    return round(mean(own)), round(mean(plain))


@contextmanager
def sink() -> Iterator[int]:
    """Run a mail server that takes everything and keeps nothing; its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    account = ["-u", "nobody"] if os.geteuid() == 0 else []
    with subprocess.Popen([_program(_SINK), *account, f"127.0.0.1:{port}", "200"]) as server:
        try:
            _wait_for(port)
            yield port
        finally:
            server.terminate()


def is_postfix_here() -> bool:
    """Say whether Postfix's two programs are installed."""
    return bool(_program(_SINK) and _program(_SOURCE))


def _wait_for(port: int) -> None:
    for _ in range(100):
        with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
            return
        sleep(0.05)
    sys.exit(f"{_SINK} does not listen on port {port}.")


def _program(name: str) -> str:
    """Return where a program of Postfix stands: outside the PATH of most accounts; empty where it is missing."""
    return shutil.which(name) or next((path for path in (f"/usr/sbin/{name}",) if Path(path).exists()), "")


if __name__ == "__main__":
    main()
