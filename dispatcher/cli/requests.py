"""`dispatcher client request|requests`: what clients ask for under the law, and until when it is due."""

import click

from dispatcher.cli.client import client
from dispatcher.cli.door import Door, json_option, note, pass_door, say, say_json, say_table
from dispatcher.cli.rights import identity_option
from dispatcher.flow.requests import next_step
from dispatcher.rules.calendar import local_date
from dispatcher.rules.rights import IdentityCheck, Refusal, RequestKind
from dispatcher.texts import format_date


@client.command()
@click.argument("words", metavar="CLIENT", required=False)
@click.argument("kind", type=click.Choice([kind.value for kind in RequestKind]), required=False)
@click.option("--close", "number", type=int, help="The number of a request that has its answer.")
@click.option("--refused", type=click.Choice([reason.value for reason in Refusal]), help="Why it is refused.")
@identity_option
@json_option
@pass_door
def request(
    door: Door,
    words: str | None,
    kind: str | None,
    number: int | None,
    refused: str | None,
    identity: str | None,
    *,
    as_json: bool,
) -> None:
    """Put on record what a client asks for, or that it has its answer. Marketing rests while a request is open.

    \b
    Example:
      dispatcher client request maija.virtanen@posti.example erasure
      dispatcher client request --close 7 --refused not_identified
    """
    if (number is None) == (words is None or kind is None) or (refused and number is None):
        raise click.UsageError("Give CLIENT and KIND to open a request, or --close NUMBER to close one.")
    check = IdentityCheck(identity) if identity else None
    with door.open() as dispatcher:
        actor = door.actor(dispatcher)
        opened = number is None
        if words is not None and kind is not None:
            number = dispatcher.requests.open(door.client(dispatcher, words), RequestKind(kind), actor)
        if number is not None and check is not None:
            dispatcher.requests.identify(number, check, actor)
        if number is not None and refused:
            dispatcher.requests.refuse(number, Refusal(refused), actor)
        elif number is not None and not opened:
            dispatcher.requests.close(number, "done", actor)
        found = dispatcher.requests.named(number or 0)
        if words is None:
            door.note(dispatcher, 1, found.client)
    if as_json:
        say_json(found.as_json())
    elif found.closed_at:
        say(f"Request {found.id} is closed: {found.outcome}.")
    else:
        say(f"Request {found.id}: {found.kind} for client {found.client}, due {format_date(found.due)}.")
        note(f"Next: {next_step(found)}")


@client.command()
@click.option("--all", "every", is_flag=True, help="Those that have their answer as well.")
@json_option
@pass_door
@click.pass_context
def requests(context: click.Context, door: Door, *, every: bool, as_json: bool) -> None:
    """List what clients ask for, the next one due first. Exit code 1 if one is overdue.

    \b
    Example:
      dispatcher client requests
    """
    with door.open_to_all() as dispatcher:
        found = dispatcher.requests.listed(only_open=not every)
        door.note(dispatcher, len({each.client for each in found}))
        today = local_date(dispatcher.store.clock(), dispatcher.policy.zone)
        zone = dispatcher.policy.zone
    overdue = [each for each in found if each.is_overdue(today)]
    if as_json:
        rows = [{**each.as_json(), "overdue": each in overdue, "next": next_step(each)} for each in found]
        say_json({"requests": rows, "overdue": len(overdue)})
    elif not found:
        say("Nobody has asked for anything." if every else "No request is open.")
    else:
        table = [
            [
                each.id,
                each.kind,
                each.client,
                format_date(local_date(each.opened_at, zone)),
                format_date(each.due),
                each.outcome or ("OVERDUE" if each in overdue else "open"),
                next_step(each) or "-",
            ]
            for each in found
        ]
        columns = ["number", "kind", "client", "asked", "due", "state", "next"]
        say_table(columns, table, numbers=["number"], texts=["next"])
    context.exit(1 if overdue else 0)


COMMANDS = ()
