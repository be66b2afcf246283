"""`dispatcher campaign reserve|schedule|revise|hold|release|cancel`: the acts of a campaign's life, one each."""

from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from dispatcher.cli.campaign import campaign
from dispatcher.cli.days import DAY, shown
from dispatcher.cli.door import Door, confirm, json_option, local, pass_door, say, say_json
from dispatcher.flow.schedule import Taken
from dispatcher.rules.budget import CEILING
from dispatcher.rules.campaign import Kind

KIND = click.Choice([kind.value for kind in Kind])


@campaign.command()
@click.argument("day", type=DAY)
@click.argument("kind", type=KIND)
@click.argument("title")
@json_option
@pass_door
def reserve(door: Door, day: date, kind: str, title: str, *, as_json: bool) -> None:
    """Keep a date of the year for a campaign that is still to be written.

    Scheduling a file of that date and kind takes the reservation. If the date ends without any, it lapses and its slot
    comes back.

    \b
    Example:
      dispatcher campaign reserve 17.3.2027 treatment_day "Kevään hoitopäivä"
    """
    with door.open() as dispatcher:
        taken = dispatcher.schedule.reserve(day, Kind(kind), title, door.actor(dispatcher))
    if as_json:
        say_json({"id": taken.id, **_taken_json(taken)})
        return
    say(f"Reserved: {taken.name}, {title}, on {shown(taken.day)}. {_year(taken)}")
    say(f"  its file: `dispatcher campaign schedule FILE`, or with another date `--for {taken.name}`")


@campaign.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--for", "uses", metavar="RESERVATION", help="The reservation whose slot it takes, by name or number.")
@click.option("--now", "is_now", is_flag=True, help="Send it in ten minutes, whatever its file says.")
@json_option
@pass_door
def schedule(door: Door, file: Path, uses: str | None, *, is_now: bool, as_json: bool) -> None:
    """Check a campaign, send yourself a test of it, freeze its file and templates, and take its slot in the year.

    A test that has gone before is not sent again, as long as the content is the same. A draft of the same file name is
    taken up again; its slot moves if its date does. A reservation of the same date and kind is taken by itself.

    \b
    Example:
      dispatcher campaign schedule campaigns/2026-03-kevat.toml
    """
    with door.open() as dispatcher:
        taken = dispatcher.schedule.run(file, door.actor(dispatcher), uses=uses, now=is_now)
        zone = dispatcher.policy.zone
    if as_json:
        say_json(_taken_json(taken))
        return
    say(f"Scheduled: {taken.name} on {taken.day:%d.%m.%Y}. {_year(taken)}")
    for remark in taken.remarks:
        say(f"  {remark}")
    if taken.reservation is not None:
        say(f"  it took the slot of {taken.reservation}")
    if taken.moved_from is not None:
        say(f"  its slot moved from {shown(taken.moved_from)}")
    if is_now:
        _say_soon(taken, zone)


@campaign.command()
@click.argument("name")
@json_option
@pass_door
def revise(door: Door, name: str, *, as_json: bool) -> None:
    """Take a scheduled campaign back to change it: it becomes a draft and keeps its slot.

    Schedule its file again when it is ready. If the date ends before that, the draft lapses and its slot comes back.

    \b
    Example:
      dispatcher campaign revise 2026-03-kevat
    """
    with door.open() as dispatcher:
        dispatcher.lifecycle.revise(name, door.actor(dispatcher))
    if as_json:
        say_json({"name": name, "done": "revised"})
    else:
        say(f"{name}: a draft again, its slot stays. Schedule its file when it is ready.")


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
    """Let a held campaign go on, if the year has room for it on the day it goes out.

    \b
    Example:
      dispatcher campaign release 2026-03-kevat
    """
    with door.open() as dispatcher:
        released = dispatcher.lifecycle.release(name, door.actor(dispatcher))
        zone = dispatcher.policy.zone
    if as_json:
        moment = {"send_at": released.send_at, "day": released.day}
        say_json({"name": name, "done": "released", **moment})
    else:
        say(f"{name}: released. It goes on at {local(released.send_at, zone)}; its slot lies on {shown(released.day)}.")


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
    with door.open() as dispatcher:
        if not yes:
            confirm(f"Cancel {name}? This cannot be undone")
        dispatcher.lifecycle.cancel(name, door.actor(dispatcher))
    _done(name, "cancelled", as_json=as_json)


def _done(name: str, what: str, *, as_json: bool) -> None:
    if as_json:
        say_json({"name": name, "done": what})
    else:
        say(f"{name}: {what}.")


def _year(taken: Taken) -> str:
    return f"The year {taken.day.year} holds {taken.in_year} of {CEILING}."


def _say_soon(taken: Taken, zone: ZoneInfo) -> None:
    moment: datetime = taken.send_at
    say(f"  it begins at {local(moment, zone)}, in ten minutes. Until then:")
    say(f"    dispatcher campaign revise {taken.name}    takes it back to change it")
    say(f"    dispatcher campaign cancel {taken.name}    calls it off")


def _taken_json(taken: Taken) -> dict[str, object]:
    return {
        "name": taken.name,
        "day": taken.day,
        "in_year": taken.in_year,
        "ceiling": CEILING,
        "send_at": taken.send_at,
        "remarks": list(taken.remarks),
        "reservation": taken.reservation,
        "moved_from": taken.moved_from,
    }


COMMANDS = ()
