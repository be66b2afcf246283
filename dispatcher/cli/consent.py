"""`dispatcher consent`: the answers of clients."""

import click

from dispatcher.cli.answers import history, record
from dispatcher.cli.ask import ask_list, poster
from dispatcher.cli.door import Door, json_option, pass_door, say, say_json
from dispatcher.rules.campaign import Channel


@click.group()
def consent() -> None:
    """The answers of clients: what they said, and a no taken at the desk."""


@consent.command()
@click.argument("words", metavar="CLIENT")
@click.option("--channel", type=click.Choice([channel.value for channel in Channel]), help="Only this channel.")
@json_option
@pass_door
def withdraw(door: Door, words: str, channel: str | None, *, as_json: bool) -> None:
    """Record that a client said no: everything stops, unless they named one channel.

    CLIENT is a client number, an email address, a phone number, or part of a name that fits one client only.

    \b
    Example:
      dispatcher consent withdraw maija.virtanen@posti.example
    """
    with door.open() as dispatcher:
        number = dispatcher.register.find(words)
        dispatcher.preferences.withdraw(number, door.actor(dispatcher), Channel(channel) if channel else None)
    if as_json:
        say_json({"client": number, "channel": channel, "withdrawn": True})
    else:
        say(f"Recorded: client {number} gets no more {channel + ' ' if channel else ''}messages.")


for command in (record, history, ask_list, poster):
    consent.add_command(command)

COMMANDS = (consent,)
