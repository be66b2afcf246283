"""`dispatcher consent fewer`: a client who says at the desk that they want less, without saying no."""

import click

from dispatcher.cli.days import shown
from dispatcher.cli.door import Door, json_option, pass_door, say, say_json
from dispatcher.rules.wishes import FEW, PAUSE_MONTHS, Less


@click.command()
@click.argument("words", metavar="CLIENT")
@click.option("--six", "wants_few", is_flag=True, help=f"At most {FEW} messages a year.")
@click.option("--pause", "wants_pause", is_flag=True, help=f"Nothing for {PAUSE_MONTHS} months.")
@json_option
@pass_door
def fewer(door: Door, words: str, *, wants_few: bool, wants_pause: bool, as_json: bool) -> None:
    """Record that a client wants fewer messages: at most six a year, a pause of three months, or both.

    It is no no, and gives nothing back: more again is asked of the client's own address, by the page behind the link of
    any message. A pause begun again lasts from today.

    \b
    Example:
      dispatcher consent fewer maija@posti.example --six
      dispatcher consent fewer maija@posti.example --pause
    """
    wanted = [less for less, is_wanted in ((Less.FEW, wants_few), (Less.PAUSE, wants_pause)) if is_wanted]
    if not wanted:
        raise click.UsageError("Say what the client wants: --six, --pause, or both.")
    with door.open() as dispatcher:
        number, actor = door.client(dispatcher, words), door.actor(dispatcher)
        found = dispatcher.preferences.lessen(number, wanted, actor)
    if as_json:
        say_json({"client": number, "own_cap": found.own_cap, "paused_until": found.paused_until})
        return
    if wants_few:
        say(f"Client {number} gets at most {found.own_cap} messages a year.")
    if wants_pause:
        say(f"Client {number} gets nothing before {shown(found.paused_until)}.")
