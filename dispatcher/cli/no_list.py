"""`dispatcher client import --no-list`: people who said no before this program, or to another."""

from pathlib import Path

from dispatcher.cli.door import Door, note, progress, say, say_json
from dispatcher.flow.no_list import NoListReport, System

_SHOWN = 20


def take_no_list(door: Door, file: Path, system: System | None, *, dry_run: bool, as_json: bool) -> None:
    """Take a list of people who said no in, and report."""
    with door.open() as dispatcher, progress("lines") as tell:
        report = dispatcher.no_lists.run(file, door.actor(dispatcher), system, dry_run=dry_run, progress=tell)
        door.note(dispatcher, report.clients)
    if as_json:
        say_json(_as_json(report))
    else:
        _say(report)


def _as_json(report: NoListReport) -> dict[str, object]:
    return {
        "file": report.file,
        "dry_run": report.dry_run,
        "lines": report.lines,
        "addresses": report.addresses,
        "clients": report.clients,
        "strangers": report.strangers,
        "skipped": report.skipped,
        "rejections": [{"line": line, "reason": reason} for line, reason in report.rejected],
        "rejections_unnamed": report.unnamed,
    }


def _say(report: NoListReport) -> None:
    say(f"{report.file}: {report.lines} {'line' if report.lines == 1 else 'lines'}")
    say(f"  {report.addresses:>6}  addresses and numbers say no, to email and text messages alike")
    say(f"  {report.clients:>6}  clients have one of them")
    say(f"  {report.strangers:>6}  nobody in the register has: kept as keyed hashes, in case they ever come")
    if report.skipped:
        say(f"  {report.skipped:>6}  lines left out: the export says that they have not left")
    rejected = len(report.rejected) + report.unnamed
    if rejected:
        say(f"  {rejected:>6}  rejected")
    for line, reason in report.rejected[:_SHOWN]:
        say(f"  line {line}: {reason}")
    if rejected > _SHOWN:
        say(f"  ... and {rejected - _SHOWN} more; --json shows the first {len(report.rejected)}")
    if report.dry_run:
        note("This was a dry run: nothing was changed.")
