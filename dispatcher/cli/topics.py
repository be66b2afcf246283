"""`dispatcher consent topics`: which kind of messages a client wants."""

import click

from dispatcher.cli.door import Door, json_option, pass_door, say, say_json
from dispatcher.rules.campaign import Kind


@click.command()
@click.argument("words", metavar="CLIENT")
@click.option("--only", type=click.Choice([each.value for each in Kind]), help="The one topic the client wants.")
@click.option("--all", "wants_all", is_flag=True, help="The client wants both after all.")
@json_option
@pass_door
def topics(door: Door, words: str, only: str | None, *, wants_all: bool, as_json: bool) -> None:
    """Record which topic a client wants: offers, or news of treatment days. No yes is given by it.

    \b
    Example:
      dispatcher consent topics maija@posti.example --only treatment_day
    """
    if wants_all == (only is not None):
        raise click.UsageError("Say what the client wants: --only TOPIC, or --all.")
    wanted = frozenset({Kind(only)}) if only else frozenset(Kind)
    with door.open() as dispatcher:
        number, actor = door.client(dispatcher, words), door.actor(dispatcher)
        is_new = dispatcher.marks.choose_topics(number, wanted, actor)
    told = [kind.value for kind in Kind if kind in wanted]
    if as_json:
        say_json({"client": number, "topics": told, "new": is_new})
    else:
        words_ = " and ".join(each.replace("_", " ") for each in told)
        say(f"Client {number} wants: {words_}{'' if is_new else ' (as before)'}.")
