"""`dispatcher campaign`: check and watch; its life is in campaign_life."""

from datetime import datetime
from zoneinfo import ZoneInfo

import click

from dispatcher.cli.campaign_check import CHECKING
from dispatcher.cli.campaign_status import status
from dispatcher.cli.campaign_year import year
from dispatcher.cli.days import shown
from dispatcher.cli.door import Door, json_option, local, pass_door, say, say_json, say_table
from dispatcher.rules.campaign import State
from dispatcher.texts import format_date


@click.group()
def campaign() -> None:
    """Campaigns: check a file, give it its slot in the year, see how it goes."""


for _command in CHECKING:
    campaign.add_command(_command)


@campaign.command("list")
@json_option
@pass_door
def list_(door: Door, *, as_json: bool) -> None:
    """List the campaigns that have a slot or had one, and the files that have not.

    \b
    Example:
      dispatcher campaign list
    """
    with door.open_to_all() as dispatcher:
        scheduled, declared = dispatcher.lifecycle.all(), dispatcher.declaring.standing()
        zone = dispatcher.policy.zone
        known = {each.name for each in scheduled if each.state is not State.CANCELLED}
        files = [path.name for path in sorted((door.directory / "campaigns").glob("*.toml")) if path.stem not in known]
    if as_json:
        rows = [
            {
                "id": each.id,
                "name": each.name,
                "title": each.title,
                "kind": each.kind,
                "state": each.state.value,
                "send_at": each.send_at,
                "held_reason": each.held_reason,
            }
            for each in scheduled
        ]
        say_json({"campaigns": rows, "declared": [each.as_json() for each in declared], "files": files})
        return
    if scheduled:
        table = [
            [each.name, each.title, _moment(each.send_at, each.state, zone), each.state.value, each.held_reason or ""]
            for each in scheduled
        ]
        say_table(["name", "title", "moment", "state", "why"], table, texts=["title", "why"])
    else:
        say("No campaign has been scheduled yet: run `dispatcher campaign schedule FILE`.")
    if declared:
        say("Declared, sent beside this program:")
        sent = [[each.id, shown(each.day), each.title, each.messages, " and ".join(each.channels)] for each in declared]
        say_table(["number", "day", "title", "messages", "by"], sent, numbers=["number", "messages"], texts=["title"])
    if files:
        say(f"Not scheduled: {', '.join(files)}")


def _moment(send_at: datetime, state: State, zone: ZoneInfo) -> str:
    """Return when a campaign goes out; of a reservation only the date is known."""
    return format_date(send_at.astimezone(zone)) if state is State.RESERVED else local(send_at, zone)


campaign.add_command(status)
campaign.add_command(year)
COMMANDS = (campaign,)
