"""`dispatcher run`, `web` and `work`: the processes that send and answer."""

import asyncio
import logging
import sys

import click

from dispatcher.cli.door import Door, note, pass_door
from dispatcher.engine.embedded import run_sender, settle_down, stop_on_signals, supervise
from dispatcher.web.server import serve
from dispatcher.web.site import site_of


@click.command()
@pass_door
def run(door: Door) -> None:
    """Send what is due and answer on the opt-out page, until stopped.

    \b
    Example:
      dispatcher run
    """
    _log_plainly()
    with door.open() as dispatcher:
        where = f"http://{dispatcher.settings.web.host}:{dispatcher.settings.web.port}"
    note(f"The opt-out page answers at {where}; campaigns go out at their moment. Stop with Ctrl+C.")
    start = [sys.executable, "-m", "dispatcher", "--workspace", str(door.directory)]
    sys.exit(supervise([[*start, "work"], [*start, "web"]]))


@click.command()
@pass_door
def web(door: Door) -> None:
    """Answer on the opt-out page, without sending.

    \b
    Example:
      dispatcher web
    """
    _log_plainly()
    with door.open() as dispatcher:
        section, site = dispatcher.settings.web, site_of(dispatcher)
        settle_down()
        serve(site, section.host, section.port, proxies=section.proxies)


@click.command()
@click.option("--once", is_flag=True, help="Do what is due now, then stop; exit code 1 if something stood in the way.")
@pass_door
@click.pass_context
def work(context: click.Context, door: Door, *, once: bool) -> None:
    """Send what is due, without the opt-out page.

    \b
    Example:
      dispatcher work --once
    """
    _log_plainly()

    async def until_told() -> bool:
        stop = asyncio.Event()
        stop_on_signals(stop)
        settle_down()
        return await run_sender(dispatcher, stop, once=once)

    with door.open() as dispatcher:
        is_well = asyncio.run(until_told())
    context.exit(0 if is_well or not once else 1)


def _log_plainly() -> None:
    """Log to standard error; what libraries would say of bodies and addresses stays unsaid (L-46)."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s", stream=sys.stderr)
    logging.getLogger("dispatcher").setLevel(logging.INFO)


COMMANDS = (run, web, work)
