"""Measures how fast clients can leave: alone, and while a campaign goes out at full speed.

`dispatcher web` in a process of its own answers on both databases; a second process opens the links, a third sends a
campaign to Postfix's `smtp-sink`. While the campaign runs, 100 clients a second say no on a schedule that waits for
nobody: the time of an answer counts from when it was due. Each is on disk before it is answered, in the journal and in
the database, and counted there afterwards. Idle, the links are opened flat out over 64 connections: the button of
a mail program, and the page.

It needs Debian's postfix. It lacks TLS and a proxy; nothing leaves the machine.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from typing import IO, Any

from benchmarks import measuring
from benchmarks.delivery import is_postfix_here, sink
from benchmarks.installation import Prepared, Setup, postgresql, room
from benchmarks.measuring import Figure
from dispatcher import wiring
from dispatcher.links import OptOut
from dispatcher.rules.campaign import Channel
from dispatcher.rules.ledger import EntryKind
from dispatcher.storage import clients, ledger
from tests.clock import FixedClock

_RATE = 100
_CONNECTIONS = 64


def main() -> None:
    """Measure, print and keep the figures."""
    full = measuring.is_full(__doc__)
    if not is_postfix_here():
        sys.exit("The benchmark of leaving needs smtp-sink of Debian's postfix: apt-get install postfix")
    register, rounds = (40_000, 5) if full else (5_000, 2)
    found: dict[str, list[float]] = {}
    with room() as directory, postgresql(directory) as server, sink() as port:
        setup = Setup(port, sessions=10, window=128, per_connection=1_000)
        for name, held in (("sqlite", None), ("postgresql", server)):
            prepared = Prepared(directory / f"on-{name}", held, register, planned=True, letter=True)
            tokens = _tokens(prepared, setup)
            for turn in range(rounds):
                for key, value in _round(prepared, setup, tokens).items():
                    found.setdefault(f"leaving_{key}_{name}", []).append(value)
                    print(f"  round {turn + 1} of {rounds}: {name}: {key}: {value:,.2f}", flush=True)
    measuring.report(
        "leaving",
        [Figure(name, _UNITS[name.split("_")[1]], tuple(values)) for name, values in found.items()],
        [f"{register:,} clients; {_RATE} a second on schedule, {_CONNECTIONS} connections flat out"],
    )


_UNITS = {
    "posts": "a second",
    "pages": "a second",
    "p50": "ms",
    "p99": "ms",
    "worst": "ms",
    "campaign": "of its rate alone",
}


@dataclass(frozen=True, slots=True)
class _Load:
    """What came of opening links."""

    rate: float
    latencies: Sequence[float]

    def percentile(self, which: int) -> float:
        return quantiles(self.latencies, n=100)[which - 1]


def _round(prepared: Prepared, setup: Setup, tokens: Sequence[str]) -> dict[str, float]:
    """Send alone, send while clients leave, and open links flat out; each on a copy of its own."""
    with prepared.copied(setup) as directory, _serving(directory, prepared):
        alone, _ = _sent(directory, prepared)
    with prepared.copied(setup) as directory, _serving(directory, prepared) as port:
        beside, load = _sent(directory, prepared, port, tokens)
        assert load is not None
        _check_kept(directory, prepared, len(load.latencies))
    with prepared.copied(setup) as directory, _serving(directory, prepared) as port:
        pages = _flat_out(directory, port, "GET", tokens)
        posts = _flat_out(directory, port, "POST", tokens)
        _check_kept(directory, prepared, len(tokens))
    return {
        "posts": posts.rate,
        "pages": pages.rate,
        "p50": load.percentile(50),
        "p99": load.percentile(99),
        "worst": max(load.latencies),
        "campaign": beside / alone,
    }


def _tokens(prepared: Prepared, setup: Setup) -> list[str]:
    with prepared.copied(setup) as directory, wiring.opened(directory, FixedClock(prepared.moment)) as dispatcher:
        with dispatcher.store.reading() as connection:
            numbers = clients.page(connection, 0, 1_000_000)
        return [dispatcher.links.token(OptOut(number, Channel.EMAIL)) for number in numbers]


def _check_kept(directory: Path, prepared: Prepared, noes: int) -> None:
    """Hold what was answered to what is on disk."""
    with wiring.opened(directory, FixedClock(prepared.moment)) as dispatcher:
        with dispatcher.store.reading() as connection:
            answers = ledger.entries(connection, [EntryKind.ANSWER.value])
            kept = sum(entry.data()["reply"] == "withdrawn" for entry in answers)
        assert kept == noes, (kept, noes)


@contextmanager
def _serving(directory: Path, prepared: Prepared) -> Iterator[int]:
    with _process("leaving_ways", "serve", str(directory), prepared.moment.isoformat()) as process:
        yield int(_line(process).rpartition(":")[2])
        process.terminate()
        assert process.wait(30) == 0


def _sent(
    directory: Path, prepared: Prepared, port: int | None = None, tokens: Sequence[str] = ()
) -> tuple[float, _Load | None]:
    """Send the campaign, while clients leave where there is a `port`; messages a second, and what came of the links."""
    with _process("leaving_ways", "send", str(directory), prepared.moment.isoformat()) as sender:
        assert _line(sender) == "ready"
        if port is None:
            _tell(sender)
            told = json.loads(_line(sender))
            return told["accepted"] / told["seconds"], None
        # From the end: whom the campaign would reach last.
        with _load(directory, {"port": port, "method": "POST", "tokens": list(tokens), "rate": _RATE}) as load:
            assert _line(load) == "ready"
            _tell(sender)
            told = json.loads(_line(sender))
            _tell(load)
            return told["accepted"] / told["seconds"], _loaded(load)


def _flat_out(directory: Path, port: int, method: str, tokens: Sequence[str]) -> _Load:
    with _load(directory, {"port": port, "method": method, "tokens": list(tokens), "at_once": _CONNECTIONS}) as load:
        return _loaded(load)


@contextmanager
def _load(directory: Path, asked: dict[str, Any]) -> Iterator[subprocess.Popen[str]]:
    file = directory / "asked.json"
    file.write_text(json.dumps(asked), encoding="ascii")
    with _process("leaving_load", str(file)) as process:
        yield process


def _loaded(process: subprocess.Popen[str]) -> _Load:
    told = json.loads(_line(process))
    assert list(told["statuses"]) == ["200"], told["statuses"]
    return _Load(len(told["latencies"]) / told["seconds"], told["latencies"])


@contextmanager
def _process(module: str, *words: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", f"benchmarks.{module}", *words]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def _line(process: subprocess.Popen[str]) -> str:
    return _pipe(process.stdout).readline().strip()


def _tell(process: subprocess.Popen[str]) -> None:
    pipe = _pipe(process.stdin)
    pipe.write("go\n")
    pipe.flush()


def _pipe(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None
    return pipe


if __name__ == "__main__":
    main()
