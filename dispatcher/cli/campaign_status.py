"""`dispatcher campaign status`: how a campaign is getting on, once or until nothing more happens."""

from collections.abc import Callable
from threading import Event
from zoneinfo import ZoneInfo

import click

from dispatcher.cli.door import Door, json_option, local, pass_door, redrawn, say, say_json
from dispatcher.flow.status import CampaignStatus
from dispatcher.rules.campaign import IDLE, Language, State
from dispatcher.rules.decision import Reason
from dispatcher.rules.message import MessageState
from dispatcher.texts import format_date, reason_text

LOOK_EVERY = 1.0
"""Seconds from one look to the next."""
_SAID = {MessageState.ATTEMPTING.value: "being handed over"}


@click.command()
@click.argument("name")
@click.option("--watch", is_flag=True, help="Go on until it is finished, held or cancelled.")
@json_option
@pass_door
def status(door: Door, name: str, *, watch: bool, as_json: bool) -> None:
    """Show how a campaign is getting on: what became of its messages, how fast they go and when the last one leaves.

    With --watch it is drawn anew every second; where there is no terminal, a line is printed whenever something has
    happened, and with --json an object on a line of its own.

    \b
    Example:
      dispatcher campaign status 2026-03-kevat --watch
    """
    with door.open_to_all() as dispatcher:
        zone = dispatcher.policy.zone
        if watch:
            try:
                _watch(lambda: dispatcher.status.of(name), zone, as_json=as_json)
            except KeyboardInterrupt:
                say()  # whoever has seen enough has not met with an error
            return
        found = dispatcher.status.of(name)
    if as_json:
        say_json(found.as_json())
    else:
        say("\n".join(lines(found, zone)))


def _watch(look: Callable[[], CampaignStatus], zone: ZoneInfo, *, as_json: bool) -> None:
    """Show each look at a campaign until nothing more happens by itself."""
    with redrawn() as draw:
        before = None
        while True:
            found = look()
            is_news = found.counts() != before
            before = found.counts()
            if as_json:
                if is_news:
                    say_json(found.as_json(), on_one_line=True)
            else:
                draw(lines(found, zone), line(found, zone) if is_news else None)
            if found.is_still:
                return
            pause()


def pause() -> None:
    """Wait until it is time to look again."""
    Event().wait(LOOK_EVERY)


def lines(found: CampaignStatus, zone: ZoneInfo) -> list[str]:
    """Return a status in full, a line for each count."""
    its, standing = found.campaign, found.standing
    why = f" ({its.held_reason.replace('_', ' ')})" if its.held_reason else ""
    moment = format_date(its.send_at.astimezone(zone)) if its.state is State.RESERVED else local(its.send_at, zone)
    told = [
        f"{its.title} ({its.name}): {its.state.value}{why}",
        f"  moment {moment}, begun {local(its.begun_at, zone)}",
    ]
    for channel, counts in sorted(standing.messages.items()):
        told += [f"  {number:>6}  {_SAID.get(state, state)} by {channel}" for state, number in sorted(counts.items())]
    told += [f"  {number:>6}  told afterwards: {word}" for word, number in sorted(standing.later.items())]
    if found.destroyed is not None:
        day = format_date(found.destroyed.at.astimezone(zone))
        told.append(
            f"  its messages were destroyed on {day} under the promise, checked under seal {found.destroyed.seal}"
        )
    if standing.closed:
        told.append(
            f"  {standing.closed:>6}  of the unknown may have arrived: nobody can tell, so they count as received"
        )
    told += [
        f"  {number:>6}  not: {reason_text(Reason(reason), Language.EN)}"
        for reason, number in standing.withheld.most_common()
    ]
    return [*told, *_outlook(found, zone), *(f"  nothing leaves meanwhile: {why}" for why in found.unread)]


def line(found: CampaignStatus, zone: ZoneInfo) -> str:
    """Return a status on one line, for a log."""
    counts: dict[str, int] = {}
    for each in found.standing.messages.values():
        for state, number in each.items():
            counts[state] = counts.get(state, 0) + number
    said = [f"{number} {_SAID.get(state, state)}" for state, number in sorted(counts.items())]
    withheld = found.standing.withheld.total()
    said += [f"{withheld} withheld"] if withheld else []
    return f"{local(found.at, zone)} {found.campaign.name}: {found.campaign.state.value}" + "".join(
        f", {each}" for each in [*said, *(each.strip() for each in _outlook(found, zone)), *found.unread]
    )


def _outlook(found: CampaignStatus, zone: ZoneInfo) -> list[str]:
    """Return what is to be expected: how many are left, how fast they go, and when the last one leaves."""
    its = found.campaign
    if its.state in IDLE:
        return ["  nothing is planned: `dispatcher campaign schedule FILE` gives it its content"]
    if its.state is State.SCHEDULED:
        return [f"  nothing is planned yet: its moment is {local(its.send_at, zone)}"]
    if its.state is State.HELD:
        return [f"  nothing leaves until `dispatcher campaign release {its.name}`"]
    if its.state is not State.SENDING:
        return []
    told = ["  its messages are being planned"] if its.planned_at is None else []
    if found.remaining:
        rate = "" if found.rate is None else f", {found.rate:.1f} a minute lately"
        ends = f", the last at about {local(found.ends_at, zone)}" if found.ends_at else ""
        told.append(f"  {found.remaining} to go{rate}{ends}")
    if found.too_late:
        told.append(f"  {found.too_late} of them would come too late for the offer and will not be sent")
    if found.next_look is not None:
        told.append(f"  next look at a waiting message: {local(found.next_look, zone)}")
    return told
