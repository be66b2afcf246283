"""The command line: one module per noun; parses, calls, prints; no rules."""

import sys

import click

from dispatcher.cli import (
    api_key,
    audit,
    campaign,
    campaign_declare,
    campaign_life,
    campaign_reconcile,
    client,
    consent,
    db,
    demo,
    desk,
    doctor,
    dossier,
    erasure,
    inbox,
    keys,
    person,
    records,
    requests,
    retention,
    rights,
    run,
    start,
    today,
)
from dispatcher.cli.door import Door, say_error
from dispatcher.errors import DispatcherError
from dispatcher.settings import workspace


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--workspace", "-C", "named", metavar="DIR", help="The workspace; the current folder by default.")
@click.option("--as", "acting", metavar="NAME", help="Who you are; the only owner by default.")
@click.version_option(package_name="consent-dispatcher", prog_name="dispatcher")
@click.pass_context
def cli(context: click.Context, named: str | None, acting: str | None) -> None:
    """Send offers only to clients who said yes, 6 to 12 times a year, and prove it.

    \b
    Example:
      dispatcher init studio && cd studio
      dispatcher client import register.csv
      dispatcher campaign schedule campaigns/2026-03-kevat.toml
      dispatcher run
    """
    context.obj = Door(workspace(named), acting)


for module in (
    start,
    today,
    demo,
    doctor,
    client,
    rights,
    requests,
    dossier,
    erasure,
    consent,
    inbox,
    desk,
    campaign,
    campaign_life,
    campaign_declare,
    campaign_reconcile,
    run,
    audit,
    retention,
    records,
    person,
    api_key,
    keys,
    db,
):
    for command in module.COMMANDS:
        cli.add_command(command)


def main() -> None:
    """Run the command line: exit code 0 done, 1 refused or not in order, 2 wrong usage; a traceback is a bug."""
    try:
        code = cli.main(standalone_mode=False, prog_name="dispatcher")
    except click.exceptions.Abort:
        say_error("Stopped. What was done before stays done.")
        sys.exit(1)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except DispatcherError as error:
        say_error(str(error))
        sys.exit(1)
    except BrokenPipeError:
        sys.exit(1)
    except OSError as error:
        # No room left, no right to write, no such folder: the machine's own words name the file.
        what = f"{error.filename} cannot be used" if error.filename else "The machine refused"
        say_error(f"{what} ({error.strerror or error}).")
        sys.exit(1)
    sys.exit(code if isinstance(code, int) else 0)
