"""`dispatcher desk`: the page for staff at the counter."""

import sys
import threading
from collections.abc import Callable

import click

from dispatcher.cli.door import Door, is_interactive, note, pass_door, say
from dispatcher.web.desk import DeskPages, Doorkeeper, create_desk
from dispatcher.web.server import serve

_HOST = "127.0.0.1"


@click.command()
@click.option("--as", "name", metavar="NAME", help="Who stands at the desk: owner or staff.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="On which port; a free one by default.")
@pass_door
def desk(door: Door, name: str | None, port: int) -> None:
    """Open a page on this machine to ask clients and record what they say, until stopped.

    The link it prints opens once. Press Enter for a new one; stop with Ctrl+C.

    \b
    Example:
      dispatcher desk --as "Aino Esimerkki"
    """
    with door.open() as dispatcher:
        person = dispatcher.desk.person(door.actor(dispatcher, name))
        doorkeeper = Doorkeeper(dispatcher.store.clock)
        pages = DeskPages(dispatcher.studio, person.name, dispatcher.policy.zone)
        app = create_desk(dispatcher.desk, pages, person.actor, doorkeeper)

        def announce(address: str) -> None:
            note(f"The desk is open for {person.name}, on this machine alone. Stop with Ctrl+C.")

            def give_out() -> None:
                say(f"{address}/in/{doorkeeper.new_link()}")

            give_out()
            if is_interactive():
                note("The link opens once. Press Enter for a new one.")
                threading.Thread(target=_on_enter, args=(give_out,), daemon=True).start()

        serve(app, _HOST, port, announce)


def _on_enter(give_out: Callable[[], None]) -> None:
    """Give out a new link each time somebody presses Enter in the terminal."""
    for _ in sys.stdin:
        give_out()


COMMANDS = (desk,)
