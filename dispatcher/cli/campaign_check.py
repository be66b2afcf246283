"""`dispatcher campaign check`: what is wrong with a campaign file, before anything is sent."""

from dataclasses import asdict
from pathlib import Path

import click

from dispatcher.cli.client import counts_json, said_counts
from dispatcher.cli.door import Door, json_option, pass_door, progress, say, say_json
from dispatcher.flow.check_report import CheckReport
from dispatcher.rules.campaign import Language

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


@click.command("test")
@FILE
@click.option("--to", metavar="NAME", help="Somebody who works here; yourself by default.")
@click.option("--language", type=click.Choice([each.value for each in Language]), help="Finnish by default.")
@json_option
@pass_door
@click.pass_context
def test_(
    context: click.Context, door: Door, file: Path, to: str | None, language: str | None, *, as_json: bool
) -> None:
    """Send a campaign to yourself, marked as a test, by each of its channels you have an address for.

    It counts towards nothing, and its opt-out link removes nobody. Exits 1 if a message was not taken over.

    \b
    Example:
      dispatcher campaign test campaigns/2026-03-kevat.toml --to "Aino Esimerkki"
    """
    with door.open() as dispatcher:
        actor = door.actor(dispatcher)
        report = dispatcher.trial.run(file, actor, to, Language(language) if language else None)
    if as_json:
        say_json(
            {
                "name": report.name,
                "ok": report.ok,
                "content": report.content,
                "person": report.person,
                "language": report.language.value,
                "sent": [asdict(each) for each in report.sent],
                "missing": [channel.value for channel in report.missing],
            }
        )
    else:
        for each in report.sent:
            parts = f", {each.parts} part{'s' if each.parts > 1 else ''}" if each.parts else ""
            say(
                f"{each.outcome.value}: {each.channel} to {each.address}{parts}{f' ({each.code})' if each.code else ''}"
            )
        for channel in report.missing:
            say(f"not tested: {channel}, for which {report.person} has no address (`dispatcher person reach`)")
    context.exit(0 if report.ok else 1)


CHECKING = (check, test_)
