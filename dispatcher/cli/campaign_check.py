"""`dispatcher campaign check`: what is wrong with a campaign file, before anything is sent."""

from pathlib import Path

import click

from dispatcher.cli.client import counts_json, said_counts
from dispatcher.cli.door import Door, json_option, pass_door, progress, say, say_json
from dispatcher.flow.check_report import CheckReport

FILE = click.argument("file", type=click.Path(path_type=Path))


@click.command()
@FILE
@json_option
@pass_door
@click.pass_context
def check(context: click.Context, door: Door, file: Path, *, as_json: bool) -> None:
    """Check a campaign file: its keys, its templates, and every message it would make, before anything is sent.

    Each finding names file, line and what mends it. Errors block scheduling, warnings do not. Exits 1 on an error.

    \b
    Example:
      dispatcher campaign check campaigns/2026-03-kevat.toml
    """
    with door.open() as dispatcher, progress("clients") as tell:
        report = dispatcher.check.run(file, tell)
    if as_json:
        say_json(_check_json(report))
    else:
        _say_check(report)
    context.exit(0 if report.ok else 1)


def _check_json(report: CheckReport) -> dict[str, object]:
    return {
        "name": report.name,
        "ok": report.ok,
        "errors": [str(each) for each in report.errors],
        "warnings": [str(each) for each in report.warnings],
        "findings": [each.as_json() for each in report.findings],
        "rendered": report.rendered,
        "audience": counts_json(report.counts),
        "largest_mail": report.largest,
        "sms_parts": {str(parts): number for parts, number in sorted(report.segments.items())},
        "sms_cost": str(report.cost),
        "sms_spent_this_year": str(report.spent),
    }


def _say_check(report: CheckReport) -> None:
    for finding in report.findings:
        say(str(finding))
    if not report.ok:
        say(f"{report.name} cannot be scheduled: correct the errors above.")
        return
    say(f"{report.name} is in order. At its moment it would reach, as the register stands now:")
    for line in said_counts(report.counts):
        say(line)
    if report.largest:
        say(f"The largest mail has {report.largest / 1000:.1f} kB.")
    if report.segments:
        say("The text messages cost:")
        for line in report.tariff.lines(report.segments):
            say(f"  {line}")
        say(f"  together {report.cost} €, beside {report.spent} € that the year has cost so far.")


CHECKING = (check,)
