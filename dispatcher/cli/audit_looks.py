"""`dispatcher audit looks`: who among the people here looked at, exported or changed whom."""

from datetime import date

import click

from dispatcher.cli.days import DAY
from dispatcher.cli.door import Door, json_option, local, pass_door, say, say_json, say_table
from dispatcher.rules.calendar import day_span


@click.command()
@click.argument("words", metavar="[CLIENT]", required=False)
@click.option("--person", help="Only what this person did.")
@click.option("--since", type=DAY, help="Only from this day on, as 3.2.2026.")
@json_option
@pass_door
def looks(door: Door, words: str | None, person: str | None, since: date | None, *, as_json: bool) -> None:
    """List who looked at, exported or changed whom, and by what: for the owner and auditors.

    A look is kept for a year, as what is known of a client is. A command that shows many says how many they were.

    \b
    Example:
      dispatcher audit looks maija.virtanen@posti.example
      dispatcher audit looks --person "Saara Esimerkki" --since 1.11.2026
    """
    with door.open_to_all() as dispatcher:
        zone = dispatcher.policy.zone
        found = dispatcher.looking.listed(
            door.whoever(dispatcher),
            person=person,
            client=door.client(dispatcher, words) if words else None,
            since=day_span(since, zone)[0] if since else None,
        )
    if as_json:
        rows = [
            {
                "at": each.at,
                "person": who,
                "actor": each.actor,
                "act": each.act,
                "client": each.client,
                "clients": each.clients,
            }
            for each, who in found
        ]
        say_json({"looks": rows})
    elif not found:
        say("Nobody looked at anybody.")
    else:
        table = [[local(each.at, zone), who, each.act, each.client or "-", each.clients] for each, who in found]
        say_table(["when", "who", "by", "client", "clients"], table, numbers=["clients"])
