"""`dispatcher audit`: the year, recomputed."""

from pathlib import Path

import click

from dispatcher.cli.door import Door, json_option, pass_door, progress, say, say_json
from dispatcher.flow.audit_formats import to_csv, to_text
from dispatcher.flow.audit_paper import to_pdf


@click.group()
def audit() -> None:
    """The audit: how often, to whom, and had they agreed; recomputed from the ledger alone."""


@audit.command()
@click.argument("year", type=click.IntRange(2000, 9998))
@click.option("--csv", "as_csv", is_flag=True, help="Print the campaigns as CSV instead.")
@click.option("--pdf", "paper", type=click.Path(path_type=Path), help="Write a PDF to sign, too.")
@json_option
@pass_door
@click.pass_context
def year(context: click.Context, door: Door, year: int, paper: Path | None, *, as_csv: bool, as_json: bool) -> None:
    """Audit a year. Exit code 1 if anything in it does not hold.

    \b
    Example:
      dispatcher audit year 2026 --pdf audit-2026.pdf
    """
    with door.open_to_all() as dispatcher, progress("entries") as tell:
        found = dispatcher.audit.year(year, tell)
        if paper is not None:
            page = to_pdf(found, dispatcher.studio, dispatcher.store.clock(), dispatcher.policy.zone)
            paper.write_bytes(page)
    if as_json:
        say_json(found.as_json())
    elif as_csv:
        click.echo(to_csv(found), nl=False)
    else:
        say(to_text(found))
    context.exit(0 if found.ok else 1)


@audit.command()
@json_option
@pass_door
@click.pass_context
def verify(context: click.Context, door: Door, *, as_json: bool) -> None:
    """Check every entry of the ledger and its chains. Exit code 1 if anyone has touched it.

    \b
    Example:
      dispatcher audit verify
    """
    with door.open_to_all() as dispatcher, progress("entries") as tell:
        found = dispatcher.audit.verify(tell)
    if as_json:
        say_json(found.as_json())
    else:
        for finding in found.findings:
            say(finding)
        say(f"{found.entries} entries in {found.groups} groups: {'whole' if found.ok else 'BROKEN'}.")
    context.exit(0 if found.ok else 1)


COMMANDS = (audit,)
