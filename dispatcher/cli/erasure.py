"""`dispatcher client erase` and `client block`: the right to be forgotten, and what the law keeps from it."""

from datetime import date

import click

from dispatcher.cli.client import client
from dispatcher.cli.days import DAY, shown
from dispatcher.cli.door import Door, confirm, json_option, note, pass_door, say, say_json, say_table
from dispatcher.cli.rights import identity_option
from dispatcher.errors import RefusedError
from dispatcher.flow.deletions import missing_keys
from dispatcher.flow.erasing import ErasureReport, Prospect
from dispatcher.rules.actor import Actor
from dispatcher.rules.address import masked
from dispatcher.rules.blocks import Block, BlockReason, Field
from dispatcher.rules.retention import EraseReason
from dispatcher.rules.rights import IdentityCheck, RequestKind
from dispatcher.wiring import Dispatcher


@client.command()
@click.argument("words", metavar="CLIENT")
@identity_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@pass_door
@click.pass_context
def erase(context: click.Context, door: Door, words: str, identity: str | None, *, yes: bool, as_json: bool) -> None:
    """Erase a client who asks for it: at once, for good, in every file but for what a legal block names.

    Marketing stops with the request. Without --identity that is all that happens, until you have made sure who asks:
    known (you know them), document (they showed one), called_back, or answered (from the address on record).

    \b
    Example:
      dispatcher client erase maija.virtanen@posti.example --identity called_back
    """
    with door.open() as dispatcher:
        actor = door.actor(dispatcher)
        number = door.client(dispatcher, words)
        request = _request(dispatcher, number, identity, actor)
        if request is None:
            if as_json:
                say_json({"client": number, "erased": False, "waits_for": "identity"})
            else:
                say(f"The request of client {number} is on record. Nothing is erased yet, and nothing is sent to them.")
            note(
                "Make sure that it is the client who asks, then run this again with --identity "
                f"{'|'.join(check.value for check in IdentityCheck)}."
            )
            context.exit(1)
        if not yes:
            for line in _warning(dispatcher.erasing.prospect(number)):
                note(line)
            confirm(f"Erase client {number}? This cannot be undone")
        report = dispatcher.erasing.erase(number, EraseReason.REQUEST, actor, request)
    if as_json:
        say_json(report.as_json())
    else:
        for line in _told(report):
            say(line)


def _request(dispatcher: Dispatcher, client_number: int, identity: str | None, actor: Actor) -> int | None:
    """Return the request for erasure, opened now unless it is open already, or None while nobody knows who asks."""
    request = dispatcher.requests.open(client_number, RequestKind.ERASURE, actor)
    if identity is not None:
        dispatcher.requests.identify(request, IdentityCheck(identity), actor)
        return request
    return request if dispatcher.requests.named(request).identity is not None else None


@client.command()
@click.argument("words", metavar="[CLIENT]", required=False)
@click.option("--reason", type=click.Choice([reason.value for reason in BlockReason]), help="Why data may not go yet.")
@click.option(
    "--keep", "keeps", multiple=True, type=click.Choice([each.value for each in Field]), help="A field to keep."
)
@click.option("--until", type=DAY, help="The last day on which it is needed.")
@click.option("--end", "ended", type=int, metavar="ID", help="End this block now.")
@click.option("--list", "is_list", is_flag=True, help="Show the blocks that stand.")
@json_option
@pass_door
def block(
    door: Door,
    words: str | None,
    reason: str | None,
    keeps: tuple[str, ...],
    until: date | None,
    ended: int | None,
    *,
    is_list: bool,
    as_json: bool,
) -> None:
    """Keep named data of a client from erasure: for an open invoice, debt collection, or the law.

    Each field is named, a block always ends, and what it keeps of an erased client goes when it does.

    \b
    Example:
      dispatcher client block 4711 --reason open_invoice --keep name --keep email --until 31.3.2099
      dispatcher client block --list
      dispatcher client block 4711 --end 3
    """
    with door.open_to_all() if is_list else door.open() as dispatcher:
        number = door.client(dispatcher, words) if words else None
        if is_list:
            _list(door, dispatcher, number, as_json=as_json)
        elif ended is not None:
            _end(dispatcher, number, ended, door.actor(dispatcher), as_json=as_json)
        elif number is None or reason is None or until is None:
            raise click.UsageError("Name the client, and give --reason, --keep and --until; or --list, or --end ID.")
        else:
            kept = Block(BlockReason(reason), frozenset(Field(each) for each in keeps), until)
            made = dispatcher.blocks.add(number, kept, door.actor(dispatcher))
            if as_json:
                say_json({"block": made, "client": number, "keeps": list(keeps), "until": until})
            else:
                say(f"Block {made} keeps of client {number} until {shown(until)}: {_spoken(kept.keeps)}.")


def _end(dispatcher: Dispatcher, number: int | None, ended: int, actor: Actor, *, as_json: bool) -> None:
    if ended not in {each.id for each in dispatcher.blocks.standing(number)}:
        raise RefusedError(f"No block {ended} stands there: run `dispatcher client block --list` to see those that do.")
    has_gone = dispatcher.blocks.end(ended, actor)
    if as_json:
        say_json({"block": ended, "ended": True, "erased": has_gone})
    else:
        say(f"Block {ended} has ended." + (" What it had kept of an erased client is gone." if has_gone else ""))


def _list(door: Door, dispatcher: Dispatcher, number: int | None, *, as_json: bool) -> None:
    found = dispatcher.blocks.standing(number)
    door.note(dispatcher, len({each.client for each in found}))
    if as_json:
        rows = [
            {
                "block": each.id,
                "client": each.client,
                "reason": each.block.reason.value,
                "keeps": [field.value for field in Field if field in each.block.keeps],
                "until": each.block.until,
            }
            for each in found
        ]
        say_json({"blocks": rows})
        return
    if not found:
        say("No legal block stands.")
        return
    table = [
        [
            each.id,
            each.client,
            each.block.reason.value.replace("_", " "),
            _spoken(each.block.keeps),
            shown(each.block.until),
        ]
        for each in found
    ]
    say_table(["block", "client", "reason", "keeps", "until"], table, numbers=["block", "client"], texts=["keeps"])


def _spoken(fields: frozenset[Field] | tuple[Field, ...]) -> str:
    return ", ".join(field.value.replace("_", " ") for field in Field if field in fields)


def _warning(prospect: Prospect) -> list[str]:
    """Return what is about to go, and what stays."""
    addresses = ", ".join(masked(address) for address in prospect.addresses) or "no address"
    lines = [f"Client {prospect.client} ({addresses}): name, addresses, customer number and whatever hangs on them go."]
    if prospect.waiting:
        lines.append(f"What waits for them is withdrawn: {_messages(prospect.waiting)}.")
    if prospect.kept:
        lines.append(
            f"A legal block keeps {_spoken(prospect.kept)} until {shown(prospect.kept_until)}, and nothing else."
        )
    if prospect.objections:
        lines.append(
            "They said no, or are a child: a keyed hash of each address stays, so that they are not written to again."
        )
    return lines


def _told(report: ErasureReport) -> list[str]:
    """Return what was done, and what is still to come."""
    lines = [f"Client {report.client} is erased."]
    if report.kept:
        kept = f"A legal block keeps {_spoken(report.kept)} until {shown(report.kept_until)}, restricted"
        lines = [f"Client {report.client} is erased as far as it may be. {kept}; then it goes as well."]
    if report.withheld:
        lines.append(f"Withdrawn, since it waited for them: {_messages(report.withheld)}.")
    if report.objections:
        lines.append(f"A no to each address stays as a keyed hash until {shown(report.objections_until)}.")
    for provider, count in report.open.items():
        then = missing_keys(provider) if provider in report.out_of_reach else "`dispatcher run` asks every hour."
        lines.append(f"Still to be deleted at {provider}: {_messages(count)}. {then}")
    if not report.is_wiped:
        lines.append("Somebody was reading the database: its files are cleared of the last bytes within the hour.")
    lines.append("Take them out of the booking system as well: an import takes whom its register names.")
    lines.append(f"Older copies of the database still hold them: destroy those by {shown(report.copies_until)}.")
    return lines


def _messages(count: int) -> str:
    return f"{count} message{'s' if count != 1 else ''}"


COMMANDS: tuple[click.Command, ...] = ()
"""None of its own: both belong to `dispatcher client`."""
