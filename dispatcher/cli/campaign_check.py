"""`dispatcher campaign check`: what is wrong with a campaign file, before anything is sent."""

from dataclasses import asdict
from pathlib import Path

import click

from dispatcher.cli.client import counts_json, said_counts
from dispatcher.cli.door import Door, json_option, local, note, pass_door, progress, say, say_json, say_table
from dispatcher.cli.files import keep, keep_for_now
from dispatcher.flow.audience import Member
from dispatcher.flow.check_report import CheckReport
from dispatcher.rules import cost
from dispatcher.rules.campaign import Language
from dispatcher.rules.decision import Send, Wait
from dispatcher.texts import reason_text

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
    with door.open_to_all() as dispatcher, progress("clients") as tell:
        report = dispatcher.check.run(file, tell)
    if as_json:
        say_json(_check_json(report))
    else:
        _say_check(report)
    context.exit(0 if report.ok else 1)


@click.command()
@FILE
@click.option("--show", is_flag=True, help="List everybody, addresses masked; who looked is put on record.")
@json_option
@pass_door
def audience(door: Door, file: Path, *, show: bool, as_json: bool) -> None:
    """Show whom a campaign would reach at its moment, by channel, and how many not and why.

    An audience is divided by language and last visit only, never by treatment.

    \b
    Example:
      dispatcher campaign audience campaigns/2026-03-kevat.toml --show
    """
    with door.open_to_all() as dispatcher, progress("clients") as tell:
        audiences = dispatcher.audiences
        report = audiences.shown(file, door.whoever(dispatcher), tell) if show else audiences.run(file, tell)
        zone, unread = dispatcher.policy.zone, dispatcher.doors.unread()
    if as_json:
        told: dict[str, object] = {"name": report.name, "at": report.at, **counts_json(report.counts)}
        told |= {"outside": dict(report.outside), "sms_without_name": report.nameless, "unmade": report.unmade}
        told["doors_unread"] = unread
        say_json(told | ({"clients": [each.as_json() for each in report.members]} if show else {}))
        return
    say(f"{report.name}, as the register stands now, on {local(report.at, zone)}:")
    for line in said_counts(report.counts):
        say(line)
    if report.nameless:
        say(f"  {report.nameless:>6}  of those by sms without their name: with it the message would be too long")
    if report.unmade:
        say(f"  The text messages cannot be made: {report.unmade}")
    for what, number in sorted(report.outside.items()):
        say(f"  {number:>6}  not addressed: another {what.replace('_', ' ')} than [audience] names")
    for why in unread:
        note(f"Nothing leaves until it can be read: {why}")
    if show and report.members:
        rows = [[each.number, each.language.value, each.address, _said(each)] for each in report.members]
        say_table(["client", "language", "address", "what"], rows, numbers=["client"], texts=["what"])


def _said(member: Member) -> str:
    if isinstance(member.verdict, Send):
        return f"gets it by {member.verdict.channel}"
    word = "waits" if isinstance(member.verdict, Wait) else "not"
    return f"{word}: {reason_text(member.verdict.reason, Language.EN)}"


@click.command()
@FILE
@click.option("--client", metavar="CLIENT", help="Show what this client would get; who looked is put on record.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False, exists=True), help="Where the page is kept.")
@click.option("--open", "is_opened", is_flag=True, help="Open the page in the browser.")
@json_option
@pass_door
def preview(door: Door, file: Path, client: str | None, out: Path | None, *, is_opened: bool, as_json: bool) -> None:
    """Write one page that shows a campaign: mails wide and on a phone, their text and source, and text messages.

    The reader is invented unless a client is named. The page loads nothing and needs no network.

    \b
    Example:
      dispatcher campaign preview campaigns/2026-03-kevat.toml --out . --open
    """
    with door.open_to_all() as dispatcher:
        if client is None:
            page = dispatcher.preview.invented(file)
        else:
            number = dispatcher.register.find(client)
            page = dispatcher.preview.of_client(file, number, door.whoever(dispatcher))
        unread = dispatcher.doors.unread()
    name, content = f"{file.stem}.preview.html", page.encode()
    if out is None:
        path = keep_for_now(name, content)
    else:
        # An older look at the same campaign is of no use any more.
        (out / name).unlink(missing_ok=True)
        path = keep(out / name, content)
    if is_opened:
        click.launch(str(path))
    if as_json:
        say_json({"name": file.stem, "file": str(path), "doors_unread": unread})
        return
    say(str(path))
    for why in unread:
        note(f"Nothing leaves until it can be read: {why}")


def _check_json(report: CheckReport) -> dict[str, object]:
    return {
        "name": report.name,
        "ok": report.ok,
        "errors": [str(each) for each in report.errors],
        "warnings": [str(each) for each in report.warnings],
        "remarks": [str(each) for each in report.remarks],
        "findings": [each.as_json() for each in report.findings],
        "rendered": report.rendered,
        "audience": counts_json(report.counts),
        "largest_mail": report.largest,
        "sms_without_name": report.nameless,
        "sms_parts": {str(parts): number for parts, number in sorted(report.segments.items())},
        "sms_cost": str(report.cost),
        "sms_spent_this_year": str(report.spent),
        "plan": list(report.plan),
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
    for line in report.plan:
        say(f"  {line}")
    if report.largest:
        say(f"The largest mail has {report.largest / 1000:.1f} kB.")
    if report.segments:
        say("The text messages cost:")
        for line in cost.lines(report.texts):
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


CHECKING = (check, audience, preview, test_)
