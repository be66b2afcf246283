"""`dispatcher person`: who works with the program."""

import click

from dispatcher.cli.door import Door, json_option, local, pass_door, say, say_json, say_table
from dispatcher.rules.actor import Role


@click.group()
def person() -> None:
    """The people who work with the program."""


@person.command()
@click.argument("name")
@click.option("--role", type=click.Choice([role.value for role in Role]), default=Role.STAFF.value, show_default=True)
@json_option
@pass_door
def add(door: Door, name: str, role: str, *, as_json: bool) -> None:
    """Add a person.

    \b
    Example:
      dispatcher person add "Aino Esimerkki" --role staff
    """
    with door.open() as dispatcher:
        added = dispatcher.persons.add(name, Role(role), door.actor(dispatcher))
    if as_json:
        say_json({"id": added.id, "name": added.name, "role": added.role.value})
    else:
        say(f"{added.name} is {added.role.value} number {added.id}.")


@person.command("list")
@json_option
@pass_door
def list_(door: Door, *, as_json: bool) -> None:
    """List everybody who works, or has worked, with the program.

    \b
    Example:
      dispatcher person list
    """
    with door.open() as dispatcher:
        found = dispatcher.persons.everyone()
        zone = dispatcher.policy.zone
    if as_json:
        rows = [
            {
                "id": each.id,
                "name": each.name,
                "role": each.role.value,
                "added_at": each.added_at,
                "ended_at": each.ended_at,
            }
            for each in found
        ]
        say_json({"persons": rows})
        return
    rows_ = [
        [each.id, each.name, each.role.value, local(each.added_at, zone), local(each.ended_at, zone)] for each in found
    ]
    say_table(["number", "name", "role", "since", "until"], rows_, numbers=["number"], texts=["name"])


@person.command()
@click.argument("name")
@json_option
@pass_door
def end(door: Door, name: str, *, as_json: bool) -> None:
    """Record that a person works here no longer; what they did stays on record.

    \b
    Example:
      dispatcher person end "Aino Esimerkki"
    """
    with door.open() as dispatcher:
        dispatcher.persons.end(name, door.actor(dispatcher))
    if as_json:
        say_json({"name": name, "ended": True})
    else:
        say(f"{name} works here no longer.")


COMMANDS = (person,)
