"""`dispatcher retention`: who has had their year, which years of the ledger were kept for their time, and their end."""

import click

from dispatcher.cli.days import shown
from dispatcher.cli.door import Door, json_option, note, pass_door, progress, say, say_json, say_table
from dispatcher.errors import RefusedError
from dispatcher.flow.deletions import missing_keys
from dispatcher.flow.destroying import DestroyedYear
from dispatcher.flow.due_years import YearsOverview
from dispatcher.flow.retention import DueClient, Overview, RetentionReport
from dispatcher.rules.actor import Actor
from dispatcher.rules.calendar import local_date
from dispatcher.rules.campaign import Language
from dispatcher.texts import counted
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
    """How long clients and closed years are kept: what is due for removal, and its removal."""


@retention.command()
@json_option
@pass_door
def show(door: Door, *, as_json: bool) -> None:
    """Show who is due for removal and why, who will be within 30 days, and what is still to be deleted.

    Then which closed years have been kept for their time (`ledger_years`), so that their messages are to be destroyed.

    \b
    Example:
      dispatcher retention show
    """
    with door.open_to_all() as dispatcher:
        found, years = dispatcher.retention.show(), dispatcher.auditing.destroying.show()
        door.note(dispatcher, len(found.due) + len(found.kept) + len(found.soon))
        if as_json:
            say_json({**found.as_json(), "years": years.as_json()})
        else:
            _say(dispatcher, found)
            _say_years(years)


@retention.command()
@click.option("--confirm", is_flag=True, help="You have seen what is due: from now on it is removed daily.")
@click.option(
    "--despite-findings",
    "despite",
    metavar="YEAR",
    type=click.IntRange(2000, 9998),
    multiple=True,
    help="Destroy this year though findings stood in its audit when it was closed.",
)
@json_option
@pass_door
@click.pass_context
def run(context: click.Context, door: Door, despite: tuple[int, ...], *, confirm: bool, as_json: bool) -> None:
    """Remove the clients, and the messages of years, whose time is over. It only lists them until you confirm.

    Of a closed year that was kept for its time (`ledger_years`) the messages are destroyed, once the whole ledger has
    been verified; its audit stays in audits/YEAR. Exit code 1 if anything that is due may not go.

    \b
    Example:
      dispatcher retention run --confirm
    """
    with door.open() as dispatcher:
        actor = door.actor(dispatcher)
        before = dispatcher.retention.show()
        door.note(dispatcher, len(before.due) + len(before.kept) + len(before.soon))
        if before.is_overdue and not (confirm and before.waits_for_confirmation):
            years = dispatcher.auditing.destroying.show()
            if as_json:
                say_json({"removed": {}, **before.as_json(), "years": years.as_json()})
            else:
                _say(dispatcher, before)
                _say_years(years)
            context.exit(1)
        with progress("clients") as tell:
            report = dispatcher.retention.run(actor, confirm=confirm, progress=tell)
        gone, refusal = _destroy(dispatcher, actor, despite, confirm=confirm)
    if as_json:
        years_told = {"destroyed": [each.as_json() for each in gone], "refusal": refusal}
        say_json({**report.as_json(), "years": years_told})
    else:
        _say_report(report, gone)
        if refusal is not None:
            note(refusal)
    context.exit(1 if refusal is not None else 0)


def _destroy(
    dispatcher: Dispatcher, actor: Actor, despite: tuple[int, ...], *, confirm: bool
) -> tuple[list[DestroyedYear], str | None]:
    """Destroy the years that are due; return them, and what stands in the way of others."""
    gone: list[DestroyedYear] = []
    try:
        with progress("entries") as tell:
            dispatcher.auditing.destroying.run(actor, confirm=confirm, despite=despite, progress=tell, gone=gone.append)
    except RefusedError as error:
        return gone, str(error)
    return gone, None


def _say_report(report: RetentionReport, gone: list[DestroyedYear]) -> None:
    say(f"{report.sentence()}.")
    for reason, count in sorted(report.removed.items()):
        say(f"  {count:>6}  {_REASONS[reason]}")
    for name, count in report.purged.items():
        say(f"  {count:>6}  {name.replace('_', ' ')} had had their time")
    for year in gone:
        say(f"{year.sentence().capitalize()}.")
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


def _say_years(found: YearsOverview) -> None:
    for each in found.due:
        what = "being destroyed" if each.is_begun else "due to be destroyed"
        seal = f", closed under seal {each.seal}" if each.seal is not None else ""
        entries, many = (
            counted(noun, count, Language.EN)
            for noun, count in (("entries", each.entries), ("campaigns", len(each.campaigns)))
        )
        say(f"Messages of {each.year} {what}: {entries} of {many}{seal}.")
    if found.due:
        say(f"Destroying years is {'daily' if found.confirmed_at else 'not confirmed yet'}.")
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
