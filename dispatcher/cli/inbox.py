"""`dispatcher inbox`: what clients wrote that is no plain no, and waits for a person."""

import click

from dispatcher.cli.door import Door, confirm, json_option, local, note, pass_door, say, say_json, say_table
from dispatcher.flow.inbox import Item
from dispatcher.rules.ledger import stamp

_NUMBER = click.argument("number", metavar="NUMBER", type=int)
_YES = click.option("--yes", "is_sure", is_flag=True, help="Do not ask.")


@click.group()
def inbox() -> None:
    """What clients wrote that is no plain no: nothing goes to them until a person has read it."""


@inbox.command("list")
@click.option("--all", "every", is_flag=True, help="Also what has been released or withdrawn.")
@json_option
@pass_door
def list_(door: Door, *, every: bool, as_json: bool) -> None:
    """List what waits for somebody to read it, the oldest first, addresses masked.

    \b
    Example:
      dispatcher inbox list
    """
    with door.open_to_all() as dispatcher:
        found = dispatcher.inbox.listed(only_waiting=not every)
        door.note(dispatcher, len({each.waiting.client for each in found}))
        doors, has_mailbox = dispatcher.doors.rows(), dispatcher.mailbox is not None
        zone = dispatcher.policy.zone
    if as_json:
        read = [
            {
                "door": each.name,
                "read_up_to": stamp(each.read_up_to) if each.read_up_to else None,
                "trouble": each.trouble,
                "failing_since": stamp(each.failing_since) if each.failing_since else None,
            }
            for each in doors
        ]
        say_json({"inbox": [each.as_json() for each in found], "doors": read})
        return
    if found:
        columns = ["number", "came", "by", "class", "client", "address", "state"]
        table = [
            [
                each.waiting.id,
                local(each.waiting.at, zone),
                "email" if each.waiting.channel == "email" else "SMS",
                each.waiting.kind.value,
                each.waiting.client,
                each.address or "-",
                each.waiting.settled or "waits",
            ]
            for each in found
        ]
        say_table(columns, table, numbers=["number"])
        note("Next: dispatcher inbox show NUMBER")
    else:
        say("Nothing has come in that somebody had to read." if every else "Nothing waits to be read.")
    for each in doors:
        said = f"has been read up to {local(each.read_up_to, zone)}" if each.read_up_to else "has not been read yet"
        note(f"{each.name} {said}{f', and cannot be read now: {each.trouble}' if each.trouble else '.'}")
    if not has_mailbox:
        note("No letter box is configured: what clients mail back is not read. Fill in [mailbox] in dispatcher.toml.")


@inbox.command()
@_NUMBER
@json_option
@pass_door
def show(door: Door, number: int, *, as_json: bool) -> None:
    """Show what a client wrote, from the mailbox itself; that you looked is kept in the access log.

    \b
    Example:
      dispatcher inbox show 3
    """
    with door.open_to_all() as dispatcher:
        item = dispatcher.inbox.find(number)
        words = dispatcher.inbox.words(number, door.whoever(dispatcher))
        zone = dispatcher.policy.zone
    if as_json:
        say_json({**item.as_json(), "text": words})
        return
    note(f"Client {item.waiting.client}, {item.address or 'no address'}, {local(item.waiting.at, zone)}")
    say(words.rstrip("\n"))
    if item.waiting.settled is None:
        note(f"A no: dispatcher inbox withdraw {number}. Anything else: dispatcher inbox release {number}.")


@inbox.command()
@_NUMBER
@_YES
@json_option
@pass_door
def release(door: Door, number: int, *, is_sure: bool, as_json: bool) -> None:
    """Say that it was no no: the client is written to as before.

    \b
    Example:
      dispatcher inbox release 3
    """
    with door.open() as dispatcher:
        actor, item = door.actor(dispatcher), dispatcher.inbox.find(number)
        door.note(dispatcher, 1, item.waiting.client)
        _ask(f"Have you read number {number}, and was it no no?", item, is_sure=is_sure)
        is_free = dispatcher.inbox.release(number, actor)
    if as_json:
        say_json({"number": number, "client": item.waiting.client, "released": True, "still_suspended": not is_free})
    elif is_free:
        say(f"Released: client {item.waiting.client} is written to as before.")
    else:
        say(f"Released; something else of client {item.waiting.client} waits: run `dispatcher inbox list`.")


@inbox.command()
@_NUMBER
@_YES
@json_option
@pass_door
def withdraw(door: Door, number: int, *, is_sure: bool, as_json: bool) -> None:
    """Say that it was a no: everything stops, as if the client had said so when it came.

    \b
    Example:
      dispatcher inbox withdraw 3
    """
    with door.open_to_all() as dispatcher:
        actor, item = door.whoever(dispatcher), dispatcher.inbox.find(number)
        door.note(dispatcher, 1, item.waiting.client)
        _ask(f"Record that client {item.waiting.client} wants no more messages at all?", item, is_sure=is_sure)
        dispatcher.inbox.withdraw(number, actor)
    if as_json:
        say_json({"number": number, "client": item.waiting.client, "withdrawn": True})
    else:
        say(f"Recorded: client {item.waiting.client} gets no more messages.")


def _ask(question: str, item: Item, *, is_sure: bool) -> None:
    """Ask before anything is done about what still waits; what is settled already is refused without asking."""
    if not is_sure and item.waiting.settled is None:
        confirm(question)


COMMANDS = (inbox,)
