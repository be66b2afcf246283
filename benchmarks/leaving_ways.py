"""The two processes that are measured while clients leave: the one that answers, and the one that sends.

`leaving.py` runs them on a copy of a planned installation, at the campaign's moment.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from time import perf_counter

from benchmarks.installation import CAMPAIGN
from dispatcher import wiring
from dispatcher.engine.embedded import settle_down
from dispatcher.web.server import serve
from dispatcher.web.site import site_of


def main() -> None:
    """Serve or send, as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("way", choices=sorted(WAYS))
    parser.add_argument("directory", type=Path)
    parser.add_argument("moment", type=datetime.fromisoformat)
    asked = parser.parse_args()
    WAYS[asked.way](asked.directory, _Running(asked.moment))


class _Running:
    """A clock that runs on from a moment."""

    def __init__(self, moment: datetime) -> None:
        self._moment = moment
        self._began = perf_counter()

    def __call__(self) -> datetime:
        return self._moment + timedelta(seconds=perf_counter() - self._began)


def _serve(directory: Path, clock: Callable[[], datetime]) -> None:
    with wiring.opened(directory, clock) as dispatcher:
        site = site_of(dispatcher)
        settle_down()
        serve(site, "127.0.0.1", 0, lambda where: print(where, flush=True))


def _send(directory: Path, clock: Callable[[], datetime]) -> None:
    with wiring.opened(directory, clock) as dispatcher:
        campaign = dispatcher.lifecycle.named(CAMPAIGN)
        # As a sender does before it begins: else the first transaction keeps everybody waiting for it.
        dispatcher.policy.windows.is_holiday(clock().date())
        settle_down()
        print("ready", flush=True)
        sys.stdin.readline()
        began = perf_counter()
        report = asyncio.run(dispatcher.deliver.run(campaign))
        seconds = perf_counter() - began
    assert report.finished, report
    print(json.dumps({"seconds": seconds, "accepted": report.outcomes["accepted"]}))


WAYS: dict[str, Callable[[Path, Callable[[], datetime]], None]] = {"serve": _serve, "send": _send}

if __name__ == "__main__":
    main()
