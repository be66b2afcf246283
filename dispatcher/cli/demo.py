"""`dispatcher demo`: a whole story with invented clients, on servers that live in this process."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from dispatcher.cli.door import json_option, note, progress, say, say_json
from dispatcher.demo.account import Account
from dispatcher.demo.scene import Progress, Teller
from dispatcher.demo.stage import PORT
from dispatcher.demo.story import performed

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


@click.command()
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    default=Path("demo-output"),
    show_default=True,
    metavar="DIR",
    help="Where to write; only an earlier demo is replaced.",
)
@click.option("--serve", is_flag=True, help="Keep the inbox and the opt-out page up afterwards, until Ctrl+C.")
@click.option(
    "--port", type=click.IntRange(0, 65535), help=f"Where they answer, 0 for any free port.  [default: {PORT}]"
)
@json_option
@click.pass_context
def demo(context: click.Context, output: Path, port: int | None, *, serve: bool, as_json: bool) -> None:
    """Send two campaigns of an invented studio to servers on this machine, let clients leave, and audit the year.

    Nothing leaves this machine. Exit code 0 only if everything holds that the story promises.

    \b
    Example:
      dispatcher demo --serve
    """
    teller = Teller(_say_nothing, _no_progress) if as_json else Teller(say, _progress)
    with performed(output, teller, port=port) as account:
        if as_json:
            say_json(account.as_json())
        else:
            _sum_up(account, serve=serve)
        if serve:
            note(f"The inbox is at {account.files['url']}/inbox.html; its links work. Stop with Ctrl+C.")
            _wait_for_signal()
    context.exit(0 if account.ok else 1)


def _sum_up(account: Account, *, serve: bool) -> None:
    failed = [check for check in account.checks if not check.ok]
    say()
    for check in failed:
        say(f"NOT AS IT SHOULD BE  {check.name}: expected {check.expected}, found {check.actual}")
    held = len(account.checks) - len(failed)
    say(f"{held} of {len(account.checks)} checks hold. What arrived was counted at the two servers themselves.")
    say(f"  Every mail and text message   {account.files['inbox']}")
    say(f"  The audit                     {account.files['audit']}")
    say(f"  The studio's workspace        {account.files['workspace']}")
    if not serve:
        say("  To click the links in the mails: dispatcher demo --serve")


def _say_nothing(_line: str) -> None:
    """Leave standard output to the one JSON object."""


@contextmanager
def _no_progress(_what: str) -> Iterator[Progress]:
    yield lambda _done, _all: None


@contextmanager
def _progress(what: str) -> Iterator[Progress]:
    """Show a bar on a terminal; elsewhere the lines of the story tell how far it has come."""
    with (progress if sys.stderr.isatty() else _no_progress)(what) as tell:
        yield tell


def _wait_for_signal() -> None:
    """Wait until somebody stops the program, and let it end in its own time."""
    stop = threading.Event()
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in _SIGNALS}
    try:
        stop.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


COMMANDS = (demo,)
