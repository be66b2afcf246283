"""What a person is asked and told about an import: is it the whole register, who is a doubtful row, who is gone."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, TypeVar

import click

from dispatcher.cli.door import is_interactive, note, say
from dispatcher.flow.asking import Asked
from dispatcher.flow.doubts import Guidance
from dispatcher.flow.enrol import EnrolReport
from dispatcher.flow.matching import NEW_CLIENT, Doubt, MaskedClient
from dispatcher.rules.absence import Absence
from dispatcher.texts import format_date

F = TypeVar("F", bound=Callable[..., Any])
_SHOWN = 20
_NEW = "new"
_SKIP = "skip"


def guided(function: F) -> F:
    """Give a command the options that say how a register is taken in, as one `guidance`."""

    @wraps(function)
    def command(*, partial: bool, missing_ok: bool, matches: tuple[str, ...], **others: object) -> object:
        is_register = partial or missing_ok or matches or others.get("sheet") or others.get("source")
        if others.get("is_no_list") and is_register:
            raise click.UsageError(
                "--no-list goes with --from and --dry-run only: nobody is gone, and none is matched."
            )
        if partial and missing_ok:
            raise click.UsageError("--missing-ok is for a whole register: leave it or --partial away.")
        asks = is_interactive() and not others.get("as_json")
        guidance = Guidance(
            is_whole=not partial,
            missing_ok=missing_ok,
            agree=_agree if asks else lambda _: False,
            matches=_read_matches(matches),
            choose=_choose if asks else None,
        )
        return function(guidance=guidance, **others)

    options = (
        click.option("--partial", is_flag=True, help="The file is a part of the register: nobody is gone."),
        click.option("--missing-ok", is_flag=True, help="The file is the whole register, however many are missing."),
        click.option(
            "--match",
            "matches",
            metavar="ROW=CLIENT",
            multiple=True,
            help="Say who a doubtful row is: a client's number, or new. May be given again.",
        ),
    )
    found: Any = command
    for option in reversed(options):
        found = option(found)
    told: F = found
    return told


def presence_json(report: EnrolReport) -> Mapping[str, object]:
    """Return who is gone and back with stable keys; in a dry run, how many would be gone."""
    return {
        "missing": report.absence.missing if report.absence else None,
        "missing_of": report.absence.seen if report.absence else None,
        "gone": [_as_json(client) for client in report.gone],
        "back": report.counts["back"],
        "removed_on": report.removed_on,
    }


def say_presence(report: EnrolReport) -> None:
    """Print who is gone and back; in a dry run, how many would be gone."""
    absence = report.absence
    if report.dry_run and absence is not None and absence.missing:
        say(f"  {absence.missing:>6}  would be gone, of the {absence.seen} whom registers have named")
        if absence.is_many:
            say("  That is more than a tenth: the import asks first. A part of the register needs --partial.")
    if report.counts["back"]:
        say(f"  {report.counts['back']:>6}  back in the register")
    if not report.gone:
        return
    when = f"; removed on {format_date(report.removed_on)} unless back" if report.removed_on else ""
    say(f"  {len(report.gone):>6}  in the register no longer, and written to no longer{when}:")
    for client in report.gone[:_SHOWN]:
        say(f"          {client}")
    if len(report.gone) > _SHOWN:
        say(f"          ... and {len(report.gone) - _SHOWN} more; --json shows all of them")


def say_asked(asked: Asked) -> None:
    """Print whether the question was asked at every booking."""
    if asked.share is not None:
        share = f"{100 * asked.share:.0f} %"
        say(f"Asked at their last visit or since: {asked.asked} of {asked.visited} clients ({share}).")


def _read_matches(given: tuple[str, ...]) -> dict[int, int]:
    found: dict[int, int] = {}
    for text in given:
        row, _, who = text.partition("=")
        if not row.strip().isdecimal() or not (who.strip() == _NEW or who.strip().isdecimal()):
            raise click.UsageError(f"--match {text}: write the row and the client's number, as in 12=48213, or 12=new.")
        found[int(row)] = NEW_CLIENT if who.strip() == _NEW else int(who)
    return found


def _agree(absence: Absence) -> bool:
    note(
        f"The file does not name {absence.missing} of the {absence.seen} clients whom registers have named. They would "
        "be written to no longer. If it is a part of the register, say no and import it with --partial."
    )
    return click.confirm("Is it the whole register?", default=False, err=True)


def _choose(doubt: Doubt) -> int | None:
    note(f"{doubt} may be:")
    for client in doubt.candidates:
        note(f"  {client}")
    numbers = [str(client.number) for client in doubt.candidates]
    answer = click.prompt(
        "Its client (number, new, or skip)",
        type=click.Choice([*numbers, _NEW, _SKIP]),
        show_choices=False,
        default=_SKIP,
        err=True,
    )
    return None if answer == _SKIP else NEW_CLIENT if answer == _NEW else int(answer)


def _as_json(client: MaskedClient) -> dict[str, object]:
    return {"client": client.number, "addresses": list(client.addresses), "last_visit": client.last_visit}
