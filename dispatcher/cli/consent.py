"""`dispatcher consent`: the answers of clients."""

import click

from dispatcher.cli.answers import history, record
from dispatcher.cli.ask import ask_list, poster
from dispatcher.cli.door import Door, json_option, pass_door, say, say_json, say_table
from dispatcher.cli.everything import withdraw_everything
from dispatcher.cli.fewer import fewer
from dispatcher.cli.source import source
from dispatcher.cli.topics import topics
from dispatcher.cli.wordings import wordings
from dispatcher.rules.address import masked
from dispatcher.rules.campaign import Channel

_BAR = 30
"""Characters of the longest bar."""


@click.group()
def consent() -> None:
    """The answers of clients: what they said, and a no taken at the desk."""


@consent.command()
@click.argument("words", metavar="CLIENT")
@click.option("--channel", type=click.Choice([channel.value for channel in Channel]), help="Only this channel.")
@click.option("--everything", is_flag=True, help="Find by part of a name, phone or email; ask whose.")
@click.option("--only", "chosen", type=int, multiple=True, metavar="NUMBER", help="With --everything: this client.")
@click.option("--yes", is_flag=True, help="With --everything: everybody who fits, without asking.")
@json_option
@pass_door
def withdraw(
    door: Door, words: str, channel: str | None, *, everything: bool, chosen: tuple[int, ...], yes: bool, as_json: bool
) -> None:
    """Record that a client said no: everything stops, unless they named one channel.

    CLIENT is a client number, an email address, a phone number, or part of a name that fits one client only. An address
    that nobody in the register has is kept as a keyed hash: it gets nothing if it ever comes.

    \b
    Example:
      dispatcher consent withdraw maija.virtanen@posti.example
      dispatcher consent withdraw --everything "aijala"
    """
    if everything and channel:
        raise click.UsageError("--everything stops every channel: leave --channel out.")
    if everything:
        withdraw_everything(door, words, chosen, yes=yes, as_json=as_json)
        return
    if chosen or yes:
        raise click.UsageError("--only and --yes go with --everything.")
    only = Channel(channel) if channel else None
    with door.open_to_all() as dispatcher:
        actor, number = door.whoever(dispatcher), None
        stranger = dispatcher.register.stranger(words)
        if stranger is not None:
            door.note(dispatcher, 0)
            dispatcher.preferences.withdraw_address(stranger, actor, only)
        else:
            number = door.client(dispatcher, words)
            dispatcher.preferences.withdraw(number, actor, only)
    kind = f"{channel} " if channel else ""
    if as_json:
        say_json({"client": number, "channel": channel, "withdrawn": True})
    elif stranger is not None:
        say(f"Recorded. Nobody in the register has {masked(stranger[1])}:")
        say(f"it will get no {kind}messages if it ever comes.")
    else:
        say(f"Recorded: client {number} gets no more {kind}messages.")


for part in (record, history, ask_list, poster, wordings, source, topics, fewer):
    consent.add_command(part)


@consent.command()
@json_option
@pass_door
def forecast(door: Door, *, as_json: bool) -> None:
    """Show how many yeses end this month and in each of the next twelve, if nobody renews them.

    \b
    Example:
      dispatcher consent forecast
    """
    with door.open_to_all() as dispatcher:
        months = dispatcher.forecasting.run()
        asked = dispatcher.policy.renew_for.days
    if as_json:
        found = [{"month": f"{each.month:%Y-%m}"} | {c.value: each.ends[c] for c in Channel} for each in months]
        say_json({"months": found, "total": {c.value: sum(each.ends[c] for each in months) for c in Channel}})
        return
    total = sum(each.total for each in months)
    if not total:
        say("No yes stands now, so none ends.")
        return
    most = max(each.total for each in months)
    rows = [
        [f"{each.month.month}/{each.month.year}", *(each.ends[c] for c in Channel), _bar(each.total, most)]
        for each in months
    ]
    say_table(["month", "email", "SMS", "yeses that end"], rows, numbers=["month", "email", "SMS"])
    say()
    say(f"{total} {'yes stands' if total == 1 else 'yeses stand'} now; " + _renewal(asked))


def _bar(count: int, most: int) -> str:
    """Return a bar for a count, the longest for the largest; anything above nothing shows."""
    return "█" * -(-count * _BAR // most)


def _renewal(days: int) -> str:
    if not days:
        return "no email asks for one anew ([consent] renew_days is 0)."
    return f"in the last {days} days of one, each email asks for it anew."


COMMANDS = (consent,)
