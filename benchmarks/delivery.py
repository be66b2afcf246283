"""Measures the whole path of a message: outbox, verdict, chained ledger, durable commit, SMTP, outcome.

The mails go to Postfix's `smtp-sink` on this machine, which answers at once and keeps nothing. They are measured by
Postfix's `smtp-source -d -s 20 -l 2500`, a C program that sends one constant body over 20 connections: the practical
limit. Beside it stand what a small program would do: build an `EmailMessage` for each client and send it with `smtplib`
or `aiosmtplib`, with no verdict, no ledger and nothing on disk.

It lacks TLS, a network, and a mail server that takes its time; with those the server is what one waits for.
"""

import asyncio
import os
import shutil
import smtplib
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import perf_counter, sleep
from zoneinfo import ZoneInfo

import aiosmtplib

from benchmarks import measuring
from benchmarks.installation import CAMPAIGN, STUDIO, Prepared, Setup, postgresql, room
from benchmarks.plain import Letter, PlainWriter
from dispatcher.campaign_files import read_campaign
from dispatcher.rules.campaign import Language
from dispatcher.rules.message import Recipient
from dispatcher.wiring import starter

_SINK, _SOURCE = "smtp-sink", "smtp-source"
_LIMIT = "smtp-source, 20 connections"
_AT_ONCE = 10
_ZONE = ZoneInfo("Europe/Helsinki")


def main() -> None:
    """Measure, print and keep the figures."""
    full = measuring.is_full(__doc__)
    if not is_postfix_here():
        sys.exit("The delivery benchmark needs postfix: apt-get install postfix")
    messages = 50_000 if full else 1_000
    with room() as directory, postgresql(directory) as server, sink() as port:
        sqlite = Prepared(directory / "on-sqlite", None, messages, planned=True)
        postgres = Prepared(directory / "on-postgresql", server, messages, planned=True)
        usual, wide = Setup(port), Setup(port, sessions=_AT_ONCE, window=128, per_connection=1_000)
        letters = _letters(messages, sqlite)
        figures = measuring.in_turn(
            {
                _LIMIT: lambda: _source(port, 50_000 if full else 20_000),
                "SQLite, as it comes": _path(sqlite, usual, messages),
                f"SQLite, {wide.sessions} sessions, window {wide.window}": _path(sqlite, wide, messages),
                "PostgreSQL, as it comes": _path(postgres, usual, messages),
                f"PostgreSQL, {wide.sessions} sessions, window {wide.window}": _path(postgres, wide, messages),
                "EmailMessage and smtplib, 1 connection": lambda: _smtplib(port, letters),
                f"EmailMessage and aiosmtplib, {_AT_ONCE} connections": lambda: _aiosmtplib(port, letters),
            },
            rounds=3,
            unit="messages/s",
            measured_by=_LIMIT,
        )
    measuring.report(
        "delivery", figures, [f"{messages:,} messages a round, of about 11 kB; those of smtp-source 2.5 kB"]
    )


def _path(prepared: Prepared, setup: Setup, messages: int) -> Callable[[], float]:
    """Return a way that delivers a copy of a planned campaign."""

    def deliver() -> float:
        with prepared.copy(setup) as dispatcher:
            campaign = dispatcher.lifecycle.named(CAMPAIGN)
            began = perf_counter()
            report = asyncio.run(dispatcher.deliver.run(campaign))
            seconds = perf_counter() - began
        assert report.outcomes == {"accepted": messages}, report
        assert report.finished
        return messages / seconds

    return deliver


def _source(port: int, messages: int) -> float:
    command = [_program(_SOURCE), "-d", "-s", "20", "-l", "2500", "-m", str(messages), f"127.0.0.1:{port}"]
    began = perf_counter()
    subprocess.run(command, check=True)
    return messages / (perf_counter() - began)


def _smtplib(port: int, letters: list[Letter]) -> float:
    writer = _writer()
    began = perf_counter()
    with smtplib.SMTP("127.0.0.1", port) as client:
        for letter in letters:
            client.send_message(writer.mail(letter, writer.words(letter)))
    return len(letters) / (perf_counter() - began)


def _aiosmtplib(port: int, letters: list[Letter]) -> float:
    writer, waiting = _writer(), iter(letters)

    async def work() -> None:
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False) as client:
            for letter in waiting:
                await client.send_message(writer.mail(letter, writer.words(letter)))

    async def run() -> None:
        await asyncio.gather(*(work() for _ in range(_AT_ONCE)))

    began = perf_counter()
    asyncio.run(run())
    return len(letters) / (perf_counter() - began)


def _writer() -> PlainWriter:
    return PlainWriter(read_campaign(starter("campaigns") / f"{CAMPAIGN}.toml", _ZONE), STUDIO)


def _letters(messages: int, prepared: Prepared) -> list[Letter]:
    return [
        Letter(
            Recipient("Maija", tuple(Language)[number % 3], "3.1.2026"),
            f"asiakas.{number}@posti.example",
            f"{STUDIO.public_url}/u/{number:037}",
            f"{number:032}",
            prepared.moment.astimezone(_ZONE),
        )
        for number in range(messages)
    ]


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
