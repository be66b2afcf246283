"""`dispatcher retention`: who has had their year, and their removal."""

import click

from dispatcher.cli.days import shown
from dispatcher.cli.door import Door, json_option, note, pass_door, progress, say, say_json, say_table
from dispatcher.flow.deletions import missing_keys
from dispatcher.flow.retention import DueClient, Overview
from dispatcher.rules.calendar import local_date
from dispatcher.wiring import Dispatcher

_REASONS = {"age": "their year is over", "gone": "gone from the register"}
_BASES = {
    "last_visit": "last visit",
    "last_answer": "last answer",
    "created": "came into the register",
    "gone_from_register": "missing from the register",
}
_KEEPERS = {"restricted": "restricted", "blocked": "a legal block", "open_request": "an open request"}


@click.group()
def retention() -> None:
    """How long clients are kept: who is due for removal, and their removal."""


@retention.command()
@json_option
@pass_door
def show(door: Door, *, as_json: bool) -> None:
    """Show who is due for removal and why, who will be within 30 days, and what is still to be deleted.

    \b
    Example:
      dispatcher retention show
    """
    with door.open_to_all() as dispatcher:
        found = dispatcher.retention.show()
        door.note(dispatcher, len(found.due) + len(found.kept) + len(found.soon))
        if as_json:
            say_json(found.as_json())
        else:
            _say(dispatcher, found)


@retention.command()
@click.option("--confirm", is_flag=True, help="You have seen who is due: from now on they are removed daily.")
@json_option
@pass_door
@click.pass_context
def run(context: click.Context, door: Door, *, confirm: bool, as_json: bool) -> None:
    """Remove the clients whose time is over. The first time it only lists them, until you confirm.

    \b
    Example:
      dispatcher retention run --confirm
    """
    with door.open() as dispatcher:
        actor = door.actor(dispatcher)
        before = dispatcher.retention.show()
        door.note(dispatcher, len(before.due) + len(before.kept) + len(before.soon))
        if before.is_overdue and not (confirm and before.waits_for_confirmation):
            if as_json:
                say_json({"removed": {}, **before.as_json()})
            else:
                _say(dispatcher, before)
            context.exit(1)
        with progress("clients") as tell:
            report = dispatcher.retention.run(actor, confirm=confirm, progress=tell)
    if as_json:
        say_json(report.as_json())
        return
    say(f"{report.sentence()}.")
    for reason, count in sorted(report.removed.items()):
        say(f"  {count:>6}  {_REASONS[reason]}")
    for name, count in report.purged.items():
        say(f"  {count:>6}  {name.replace('_', ' ')} had had their time")
    if not report.is_wiped:
        note("Somebody was reading the database: its files are cleared of the last bytes within the hour.")


def _say(dispatcher: Dispatcher, found: Overview) -> None:
    zone = dispatcher.policy.zone
    if found.due:
        say(f"Due for removal: {len(found.due)}")
        _say_clients(found.due)
    else:
        say("Nobody is due for removal.")
    if found.kept:
        say(f"Due, but kept: {len(found.kept)}")
        _say_clients(found.kept)
    if found.soon:
        say(f"Due within 30 days: {len(found.soon)}")
        _say_clients(found.soon)
    if found.suppressions:
        say(f"Objections kept as keyed hashes: {found.suppressions}; {found.suppressions_ending} end within 30 days.")
    for provider, count in found.to_be_deleted.items():
        where = "in the files of this machine" if provider == "traces" else f"at {provider}"
        then = missing_keys(provider) if provider in found.out_of_reach else "`dispatcher run` tries every hour."
        say(f"Still to be deleted {where}: {count}. {then}")
    read = shown(local_date(found.last_reading, zone) if found.last_reading else None)
    pace = "daily" if found.confirmed_at else "not confirmed yet"
    say(f"The whole register was last read: {read}. Removal is {pace}.")
    if found.refusal:
        note(f"OVERDUE. {found.refusal}")


def _say_clients(found: tuple[DueClient, ...]) -> None:
    rows = [
        [
            each.number,
            ", ".join(each.addresses) or "-",
            shown(each.due.on),
            _REASONS[each.due.reason.value],
            f"{_BASES[each.due.basis.value]} {shown(each.due.since)}",
            _KEEPERS[each.keeper.value] if each.keeper else "",
        ]
        for each in found
    ]
    say_table(
        ["client", "addresses", "due", "why", "since", "kept by"], rows, numbers=["client"], texts=["why", "since"]
    )


COMMANDS = (retention,)
