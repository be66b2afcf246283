"""`dispatcher client`: the register."""

from collections.abc import Sequence
from pathlib import Path

import click

from dispatcher.cli.absence import guided, presence_json, say_asked, say_presence
from dispatcher.cli.door import Door, json_option, note, pass_door, progress, say, say_json, say_table
from dispatcher.cli.no_list import take_no_list
from dispatcher.flow.audience import Counts
from dispatcher.flow.doubts import Guidance
from dispatcher.flow.enrol import EnrolReport
from dispatcher.flow.no_list import System
from dispatcher.flow.register import AT_ONCE
from dispatcher.flow.standing import in_words, verdict_json
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.decision import Reason
from dispatcher.texts import reason_text

_SHOWN = 20


@click.group()
def client() -> None:
    """The register: take exports in, look clients up."""


@client.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Show what would happen; change nothing.")
@guided
@click.option("--sheet", metavar="NAME", help="The sheet of a spreadsheet; the first with addresses by default.")
@click.option("--source", metavar="NAME", help="The source this register is, where two have the same column.")
@click.option("--no-list", "is_no_list", is_flag=True, help="The file lists people who said no: addresses, numbers.")
@click.option(
    "--from", "system", type=click.Choice([each.value for each in System]), help="With --no-list: whose export it is."
)
@json_option
@pass_door
def import_(  # noqa: PLR0913 - one argument an option
    door: Door,
    file: Path,
    *,
    dry_run: bool,
    guidance: Guidance,
    sheet: str | None,
    source: str | None,
    is_no_list: bool,
    system: str | None,
    as_json: bool,
) -> None:
    """Take in the booking system's register export (CSV or XLSX): the whole register, unless --partial.

    Who is missing from the whole register is written to no longer. Rows that may be several clients are asked about.

    With --no-list the file lists people who said no, here or to another system; each is an objection as of now.

    \b
    Example:
      dispatcher client import register.csv --dry-run
      dispatcher client import may.csv --partial --match 12=new
      dispatcher client import --no-list unsubscribed.csv --from mailchimp
    """
    if is_no_list:
        take_no_list(door, file, System(system) if system else None, dry_run=dry_run, as_json=as_json)
        return
    if system is not None:
        raise click.UsageError("--from says whose list of people who left the file is: give --no-list as well.")
    with door.open() as dispatcher, progress("rows") as tell:
        actor = door.actor(dispatcher)
        report = dispatcher.enrol.run(
            file, actor, guidance=guidance, dry_run=dry_run, progress=tell, sheet=sheet, source=source
        )
        door.note(dispatcher, report.counts["read"])
    if as_json:
        say_json(_import_json(report))
    else:
        _say_import(report)


@client.command("list")
@click.argument("words", default="")
@json_option
@pass_door
def list_(door: Door, words: str, *, as_json: bool) -> None:
    """List clients, addresses masked: what their answers mean, and whether they may be written to now.

    \b
    Example:
      dispatcher client list virtanen
    """
    with door.open_to_all() as dispatcher:
        found = dispatcher.register.listed(words, AT_ONCE + 1)
        door.note(dispatcher, min(len(found), AT_ONCE))
    is_complete = len(found) <= AT_ONCE
    found = found[:AT_ONCE]
    if as_json:
        rows = [
            {
                "number": each.number,
                "name": each.name,
                "language": each.language,
                "addresses": {channel.value: address for channel, address in each.addresses.items()},
                "consent": {channel.value: consent.state.value for channel, consent in each.consents.items()},
                **verdict_json(each.verdict),
            }
            for each in found
        ]
        say_json({"clients": rows, "complete": is_complete})
        return
    if not found:
        say("No client fits." if words else "The register is empty: run `dispatcher client import FILE`.")
        return
    table = [
        [each.number, each.name]
        + [each.addresses.get(channel, "") for channel in Channel]
        + [each.consents[channel].state.value.replace("_", " ") for channel in Channel]
        + [in_words(each.verdict)]
        for each in found
    ]
    columns = ["number", "name", "email", "phone", "email consent", "SMS consent", "now"]
    say_table(columns, table, numbers=["number"], texts=["name", "email consent", "SMS consent", "now"])
    if not is_complete:
        note(f"These are the first {AT_ONCE}: give a part of the name to see others.")


@client.command()
@click.argument("words", metavar="CLIENT")
@click.option("--not", "lift", is_flag=True, help="Lift the mark: the client is no child after all.")
@json_option
@pass_door
def child(door: Door, words: str, *, lift: bool, as_json: bool) -> None:
    """Mark a client as a child: nothing is written to them, and no yes is taken.

    CLIENT is a client number, an email address, a phone number, or part of a name that fits one client only.

    \b
    Example:
      dispatcher client child eino.esimerkki@posti.example
    """
    with door.open() as dispatcher:
        number, actor = door.client(dispatcher, words), door.actor(dispatcher)
        set_mark = dispatcher.marks.unmark_child if lift else dispatcher.marks.mark_child
        is_new = set_mark(number, actor)
    if as_json:
        say_json({"client": number, "child": not lift, "changed": is_new})
    elif lift:
        say(f"Client {number} is not marked as a child{' any more' if is_new else ''}.")
    else:
        say(f"Client {number} is marked as a child{'' if is_new else ' already'}: nothing is written to them.")


def said_counts(counts: Counts) -> list[str]:
    """Return the lines that say who may be written to and why the rest may not."""
    lines = [f"  {number:>6}  by {channel}" for channel, number in sorted(counts.send.items())]
    for title, group in (("waits", counts.wait), ("not", counts.withhold)):
        lines += [
            f"  {number:>6}  {title}: {reason_text(Reason(reason), Language.EN)}"
            for reason, number in group.most_common()
        ]
    return lines or ["  nobody"]


def counts_json(counts: Counts) -> dict[str, object]:
    """Return the counts of verdicts with stable keys."""
    return {"send": dict(counts.send), "wait": dict(counts.wait), "withhold": dict(counts.withhold)}


def _import_json(report: EnrolReport) -> dict[str, object]:
    names = ("read", "created", "updated", "unchanged", "rejected")
    return {
        "file": report.file,
        "dry_run": report.dry_run,
        "encoding": report.encoding,
        "delimiter": report.delimiter,
        "sheet": report.sheet,
        **{name: report.counts[name] for name in (*names, "past")},
        "rejections": [{"row": each.row, "column": each.column, "reason": each.reason} for each in report.rejected],
        "remarks": [{"row": row, "remark": remark} for row, remark in report.remarks],
        "dropped_columns": list(report.dropped),
        "missing_columns": list(report.missing),
        "may_write": counts_json(report.may_write) if report.may_write else None,
        **presence_json(report),
        "asked": report.asked.as_json() if report.asked else None,
    }


def _say_import(report: EnrolReport) -> None:
    names = {"\t": "tab", ";": "semicolon", ",": "comma"}
    form = f"sheet {report.sheet}" if report.sheet else f"{names.get(report.delimiter, report.delimiter)}-separated"
    say(f"{report.file}: {report.encoding}, {form}")
    for name in ("read", "created", "updated", "unchanged", "rejected"):
        say(f"  {report.counts[name]:>6}  {name}")
    if report.counts["past"]:
        say(f"  {report.counts['past']:>6}  new here, last visit longer ago than clients are kept: not taken in")
    _say_rows([(each.row, f"{each.column}: {each.reason}" if each.column else each.reason) for each in report.rejected])
    _say_rows(report.remarks)
    if report.dropped:
        say(f"Columns left out, unread: {', '.join(report.dropped)}")
    if report.missing:
        say(f"MISSING: {', '.join(report.missing)}, which dispatcher.toml or a source names for answers.")
        say("  No answer was read from them. If the booking system calls them otherwise now, say so; import again.")
    if not report.asks:
        say("NO ANSWERS: no column of the file is known to hold any. Say once which does, and how it asks,")
        say("  with `dispatcher consent source add`; then import the file again.")
    say_presence(report)
    if report.asked is not None:
        say_asked(report.asked)
    if report.may_write is not None:
        say("May be written to now, by the first open channel:")
        for line in said_counts(report.may_write):
            say(line)
    if report.dry_run:
        note("This was a dry run: nothing was changed.")


def _say_rows(told: Sequence[tuple[int, str]]) -> None:
    for row, sentence in told[:_SHOWN]:
        say(f"  row {row}: {sentence}")
    if len(told) > _SHOWN:
        say(f"  ... and {len(told) - _SHOWN} rows more; --json shows all of them")


COMMANDS = (client,)
