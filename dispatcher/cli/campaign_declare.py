"""`dispatcher campaign declare`: what was sent beside or before the program takes its slot of the year."""

from datetime import date

import click

from dispatcher.cli.campaign import campaign
from dispatcher.cli.campaign_life import KIND
from dispatcher.cli.days import DAY, shown
from dispatcher.cli.door import Door, json_option, pass_door, say, say_json
from dispatcher.rules.budget import CEILING, Way
from dispatcher.rules.campaign import Kind

_WAY = click.Choice([way.value for way in Way])


@campaign.command()
@click.argument("day", type=DAY, required=False)
@click.argument("title", required=False)
@click.option("--channel", "ways", type=_WAY, multiple=True, help="How it went; again for one sent in several ways.")
@click.option("--count", "messages", type=click.IntRange(1), help="How many messages it was.")
@click.option("--kind", type=KIND, default=Kind.OFFER.value, show_default=True, help="What it was.")
@click.option("--undo", type=int, metavar="NUMBER", help="Take a wrong declaration back by its number.")
@json_option
@pass_door
def declare(
    door: Door,
    day: date | None,
    title: str | None,
    ways: tuple[str, ...],
    messages: int | None,
    kind: str,
    undo: int | None,
    *,
    as_json: bool,
) -> None:
    """Count a campaign that was sent beside or before this program: it takes a slot of its year.

    The audit shows it as declared, with who said so and when. One mailing in several ways is one declaration;
    `dispatcher campaign list` shows its number.

    \b
    Example:
      dispatcher campaign declare 3.2.2026 "Talven tarjous" --channel letter --count 120
    """
    if undo is not None:
        _undo(door, undo, as_json=as_json)
    elif day is None or title is None or not ways or messages is None:
        raise click.UsageError("Say DATE and TITLE, --channel and --count; or --undo NUMBER.")
    else:
        with door.open() as dispatcher:
            actor, named = door.actor(dispatcher), [Way(way) for way in ways]
            counted = dispatcher.declaring.declare(day, title, named, messages, Kind(kind), actor)
        if as_json:
            found: dict[str, object] = {"id": counted.id, "day": day, "in_year": counted.in_year}
            say_json({**found, "ceiling": CEILING})
            return
        say(f"Declared as number {counted.id}: {title} on {shown(day)}, {messages} by {' and '.join(ways)}.")
        say(f"The year {day.year} holds {counted.in_year} of {CEILING}.")


def _undo(door: Door, number: int, *, as_json: bool) -> None:
    with door.open() as dispatcher:
        found = dispatcher.declaring.undo(number, door.actor(dispatcher))
    if as_json:
        say_json({"id": number, "done": "returned"})
    else:
        say(f"Taken back: {found.title} on {shown(found.day)}. Its slot of {found.day.year} is free again.")


COMMANDS = ()
