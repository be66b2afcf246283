"""`dispatcher campaign`: check, schedule, watch, hold."""

from pathlib import Path

import click

from dispatcher.cli.campaign_check import CHECKING
from dispatcher.cli.campaign_year import year
from dispatcher.cli.door import Door, confirm, json_option, local, pass_door, say, say_json, say_table
from dispatcher.rules.campaign import Language, State
from dispatcher.rules.decision import Reason
from dispatcher.texts import reason_text

_FILE = click.argument("file", type=click.Path(path_type=Path))


@click.group()
def campaign() -> None:
    """Campaigns: check a file, give it its slot in the year, see how it goes."""


for _command in CHECKING:
    campaign.add_command(_command)


@campaign.command("list")
@json_option
@pass_door
def list_(door: Door, *, as_json: bool) -> None:
    """List the campaigns that have been scheduled, and the files that have not.

    \b
    Example:
      dispatcher campaign list
    """
    with door.open() as dispatcher:
        scheduled = dispatcher.lifecycle.all()
        zone = dispatcher.policy.zone
        known = {each.name for each in scheduled if each.state is not State.CANCELLED}
        files = [path.name for path in sorted((door.directory / "campaigns").glob("*.toml")) if path.stem not in known]
    if as_json:
        rows = [
            {
                "name": each.name,
                "title": each.title,
                "kind": each.kind,
                "state": each.state.value,
                "send_at": each.send_at,
                "held_reason": each.held_reason,
            }
            for each in scheduled
        ]
        say_json({"campaigns": rows, "files": files})
        return
    if scheduled:
        table = [
            [each.name, each.title, local(each.send_at, zone), each.state.value, each.held_reason or ""]
            for each in scheduled
        ]
        say_table(["name", "title", "moment", "state", "why held"], table, texts=["title", "why held"])
    else:
        say("No campaign has been scheduled yet: run `dispatcher campaign schedule FILE`.")
    if files:
        say(f"Not scheduled: {', '.join(files)}")


@campaign.command()
@_FILE
@json_option
@pass_door
def schedule(door: Door, file: Path, *, as_json: bool) -> None:
    """Check a campaign, freeze its file and templates, and take its slot in the year.

    \b
    Example:
      dispatcher campaign schedule campaigns/2026-03-kevat.toml
    """
    with door.open() as dispatcher:
        taken = dispatcher.schedule.run(file, door.actor(dispatcher))
    if as_json:
        say_json({"name": taken.name, "day": taken.day, "in_year": taken.in_year, "ceiling": 12})
    else:
        say(f"Scheduled: {taken.name} on {taken.day:%d.%m.%Y}. The year {taken.day.year} holds {taken.in_year} of 12.")


@campaign.command()
@click.argument("name")
@json_option
@pass_door
def status(door: Door, name: str, *, as_json: bool) -> None:
    """Show how a campaign stands: what was handed over, what waits, who was left out and why.

    \b
    Example:
      dispatcher campaign status 2026-03-kevat
    """
    with door.open() as dispatcher:
        scheduled = dispatcher.lifecycle.named(name)
        standing = dispatcher.lifecycle.standing(scheduled.id)
        next_due = dispatcher.lifecycle.next_due(scheduled.id)
        zone = dispatcher.policy.zone
    messages, withheld = standing.messages, standing.withheld
    if as_json:
        say_json(
            {
                "name": name,
                "title": scheduled.title,
                "state": scheduled.state.value,
                "held_reason": scheduled.held_reason,
                "send_at": scheduled.send_at,
                "begun_at": scheduled.begun_at,
                "messages": {channel: dict(counts) for channel, counts in messages.items()},
                "withheld": dict(withheld),
                "next_look": next_due,
            }
        )
        return
    why = f" ({scheduled.held_reason.replace('_', ' ')})" if scheduled.held_reason else ""
    say(f"{scheduled.title} ({name}): {scheduled.state.value}{why}")
    say(f"  moment {local(scheduled.send_at, zone)}, begun {local(scheduled.begun_at, zone)}")
    for channel, counts in sorted(messages.items()):
        for state, number in sorted(counts.items()):
            say(f"  {number:>6}  {state} by {channel}")
    for reason, number in withheld.most_common():
        say(f"  {number:>6}  not: {reason_text(Reason(reason), Language.EN)}")
    if next_due is not None and scheduled.state is State.SENDING:
        say(f"  next look at a waiting message: {local(next_due, zone)}")
    if scheduled.state is State.HELD:
        say(f"  nothing leaves until `dispatcher campaign release {name}`")


@campaign.command()
@click.argument("name")
@json_option
@pass_door
def hold(door: Door, name: str, *, as_json: bool) -> None:
    """Hold a campaign: nothing more of it leaves until it is released.

    \b
    Example:
      dispatcher campaign hold 2026-03-kevat
    """
    with door.open() as dispatcher:
        dispatcher.lifecycle.hold(name, door.actor(dispatcher))
    _done(name, "held", as_json=as_json)


@campaign.command()
@click.argument("name")
@json_option
@pass_door
def release(door: Door, name: str, *, as_json: bool) -> None:
    """Let a held campaign go on.

    \b
    Example:
      dispatcher campaign release 2026-03-kevat
    """
    with door.open() as dispatcher:
        dispatcher.lifecycle.release(name, door.actor(dispatcher))
    _done(name, "released", as_json=as_json)


@campaign.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@pass_door
def cancel(door: Door, name: str, *, yes: bool, as_json: bool) -> None:
    """Cancel a campaign for good; its slot comes back if nothing has left yet.

    \b
    Example:
      dispatcher campaign cancel 2026-03-kevat
    """
    if not yes:
        confirm(f"Cancel {name}? This cannot be undone")
    with door.open() as dispatcher:
        dispatcher.lifecycle.cancel(name, door.actor(dispatcher))
    _done(name, "cancelled", as_json=as_json)


def _done(name: str, what: str, *, as_json: bool) -> None:
    if as_json:
        say_json({"name": name, "done": what})
    else:
        say(f"{name}: {what}.")


campaign.add_command(year)
COMMANDS = (campaign,)
