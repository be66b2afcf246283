"""One way to send the mails of a campaign, in a process of its own: it prints what it took, as JSON.

`delivery.py` runs it; the sink's port, how many mails, and where the planned installation lies come as arguments.
"""

import argparse
import asyncio
import json
import smtplib
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from time import perf_counter
from zoneinfo import ZoneInfo

import aiosmtplib

from benchmarks.installation import CAMPAIGN, LETTER, STUDIO
from benchmarks.measuring import peak_memory
from benchmarks.plain import Letter, PlainWriter
from dispatcher import wiring
from dispatcher.campaign_files import read_campaign
from dispatcher.engine.embedded import settle_down
from dispatcher.engine.processor import one_processor
from dispatcher.rules.campaign import Language
from dispatcher.rules.message import Recipient
from tests.clock import FixedClock

AT_ONCE = 10
"""Connections of the ways that use several."""
ZONE = ZoneInfo("Europe/Helsinki")
_NAMES = ("Maija", "Päivi", "Ánte", "Åsa", "Eero", "Yrjö", "Johanna", "Erik")


def main() -> None:
    """Send by the way that is named, and print seconds and MB."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("way", choices=sorted(WAYS))
    parser.add_argument("directory", type=Path)
    parser.add_argument("port", type=int)
    parser.add_argument("messages", type=int)
    parser.add_argument("moment", type=datetime.fromisoformat)
    asked = parser.parse_args()
    seconds = WAYS[asked.way](asked.directory, asked.port, asked.messages, asked.moment)
    print(json.dumps({"seconds": seconds, "peak_mb": peak_memory()}))


def _dispatcher(directory: Path, _port: int, messages: int, moment: datetime) -> float:
    """Deliver the planned campaign: verdict, intent, chained ledger, hand-off, outcome."""
    with wiring.opened(directory, FixedClock(moment)) as dispatcher:
        campaign = dispatcher.lifecycle.named(CAMPAIGN)
        settle_down()  # as a sender does
        began = perf_counter()
        with one_processor():
            report = asyncio.run(dispatcher.deliver.run(campaign))
        seconds = perf_counter() - began
    assert report.outcomes == {"accepted": messages}, report
    assert report.finished
    return seconds


def _smtplib(_directory: Path, port: int, messages: int, moment: datetime) -> float:
    writer = plain_writer()
    began = perf_counter()
    with smtplib.SMTP("127.0.0.1", port) as client:
        for letter in letters(messages, moment):
            client.send_message(writer.mail(letter, writer.words(letter)))
    return perf_counter() - began


def _aiosmtplib(_directory: Path, port: int, messages: int, moment: datetime) -> float:
    writer, waiting = plain_writer(), letters(messages, moment)

    async def work() -> None:
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False) as client:
            for letter in waiting:
                await client.send_message(writer.mail(letter, writer.words(letter)))

    async def run() -> None:
        await asyncio.gather(*(work() for _ in range(AT_ONCE)))

    began = perf_counter()
    asyncio.run(run())
    return perf_counter() - began


def plain_writer() -> PlainWriter:
    """Return what writes the same mail the plain way."""
    campaign = read_campaign(LETTER / "campaign.toml", ZONE)
    return PlainWriter(campaign, STUDIO, LETTER, has_styles=False)


def letters(messages: int, moment: datetime) -> Iterator[Letter]:
    """Return whom the plain mails go to, one by one."""
    for number in range(messages):
        yield Letter(
            Recipient(_NAMES[number % len(_NAMES)], tuple(Language)[number % 3], "3.1.2026"),
            f"asiakas.{number}@posti.example",
            f"{STUDIO.public_url}/u/{number:037}",
            f"{number:032}",
            moment.astimezone(ZONE),
        )


WAYS: dict[str, Callable[[Path, int, int, datetime], float]] = {
    "dispatcher": _dispatcher,
    "smtplib": _smtplib,
    "aiosmtplib": _aiosmtplib,
}

if __name__ == "__main__":
    main()
