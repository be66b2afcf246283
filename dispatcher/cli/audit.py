"""`dispatcher audit`: the year, recomputed."""

from pathlib import Path

import click

from dispatcher.cli.audit_looks import looks
from dispatcher.cli.audit_proof import PROOFS
from dispatcher.cli.audit_why import sample, why
from dispatcher.cli.door import Door, json_option, pass_door, progress, say, say_json
from dispatcher.cli.files import keep
from dispatcher.flow.audit_formats import table_csv, to_csv, to_text
from dispatcher.flow.audit_paper import to_pdf
from dispatcher.flow.audit_tables import NAMES
from dispatcher.rules.campaign import Language

_LANGUAGES = click.Choice([language.value for language in Language])


@click.group()
def audit() -> None:
    """The audit: how often, to whom, and had they agreed; recomputed from the ledger alone."""


@audit.command()
@click.argument("year", type=click.IntRange(2000, 9998))
@click.option("--csv", "as_csv", is_flag=True, help="Print the campaigns as CSV instead.")
@click.option("--table", type=click.Choice(NAMES), help="Print this table as CSV instead.")
@click.option("--pdf", "paper", type=click.Path(path_type=Path), help="Write a PDF to sign, too.")
@click.option("--language", type=_LANGUAGES, default=Language.FI.value, help="The language of the PDF.")
@json_option
@pass_door
@click.pass_context
def year(
    context: click.Context,
    door: Door,
    year: int,
    table: str | None,
    paper: Path | None,
    language: str,
    *,
    as_csv: bool,
    as_json: bool,
) -> None:
    """Audit a year: how often, to how many, had each agreed, who said no, what went wrong; then the tables.

    Exit code 1 if a promise was broken. Fewer than six campaigns, or a year that is still running, is a remark.

    \b
    Example:
      dispatcher audit year 2026
      dispatcher audit year 2026 --pdf audit-2026.pdf --language sv
      dispatcher audit year 2026 --table withheld
    """
    with door.open_to_all() as dispatcher, progress("entries") as tell:
        found = dispatcher.audit.year(year, tell)
        if paper is not None:
            now, zone = dispatcher.store.clock(), dispatcher.policy.zone
            keep(paper, to_pdf(found, dispatcher.studio, now, zone, Language(language)))
    if as_json:
        say_json(found.as_json())
    elif table is not None:
        click.echo(table_csv(found, table), nl=False)
    elif as_csv:
        click.echo(to_csv(found), nl=False)
    else:
        say(to_text(found))
    context.exit(0 if found.ok else 1)


for part in (*PROOFS, why, sample, looks):
    audit.add_command(part)


COMMANDS = (audit,)
