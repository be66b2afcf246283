"""`dispatcher consent`: the answers of clients."""

import click

from dispatcher.cli.door import Door, json_option, local, pass_door, say, say_json, say_table
from dispatcher.rules.address import masked
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

    CLIENT is a client number, an email address, a phone number, or part of a name that fits one client only. An address
    that nobody in the register has is kept as a keyed hash: it gets nothing if it ever comes.

    \b
    Example:
      dispatcher consent withdraw maija.virtanen@posti.example
    """
    only = Channel(channel) if channel else None
    with door.open() as dispatcher:
        actor, number = door.actor(dispatcher), None
        stranger = dispatcher.register.stranger(words)
        if stranger is not None:
            dispatcher.preferences.withdraw_address(stranger, actor, only)
        else:
            number = dispatcher.register.find(words)
            dispatcher.preferences.withdraw(number, actor, only)
    kind = f"{channel} " if channel else ""
    if as_json:
        say_json({"client": number, "channel": channel, "withdrawn": True})
    elif stranger is not None:
        say(f"Recorded. Nobody in the register has {masked(stranger[1])}:")
        say(f"it will get no {kind}messages if it ever comes.")
    else:
        say(f"Recorded: client {number} gets no more {kind}messages.")


@consent.command()
@click.argument("words", metavar="CLIENT")
@json_option
@pass_door
def history(door: Door, words: str, *, as_json: bool) -> None:
    """Show every answer a client has given, oldest first, with the words they were asked in.

    \b
    Example:
      dispatcher consent history 0401234567
    """
    with door.open() as dispatcher:
        number = dispatcher.register.find(words)
        told = dispatcher.register.history(number)
        zone = dispatcher.policy.zone
    if as_json:
        say_json({"client": number, "answers": [each.as_json() for each in told]})
        return
    if not told:
        say(f"Client {number} has never been asked.")
        return
    rows = [
        [
            local(each.answer.not_before, zone),
            local(each.answer.recorded_at, zone),
            each.answer.reply.value.replace("_", " "),
            each.answer.channel.value if each.answer.channel else "every channel",
            each.answer.place.value.replace("_", " ") if each.answer.place else "-",
            each.wording or "-",
        ]
        for each in told
    ]
    columns = ["given", "recorded", "answer", "channel", "where", "asked in these words"]
    say_table(columns, rows, texts=["answer", "channel", "where", "asked in these words"])


COMMANDS = (consent,)
