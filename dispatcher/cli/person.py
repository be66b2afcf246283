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


@person.command()
@click.argument("name")
@click.option("--email", help="Where mails reach them; an empty text takes it away.")
@click.option("--phone", help="Where text messages reach them; an empty text takes it away.")
@json_option
@pass_door
def reach(door: Door, name: str, email: str | None, phone: str | None, *, as_json: bool) -> None:
    """Tell where a person gets test messages and alerts.

    \b
    Example:
      dispatcher person reach "Aino Esimerkki" --email aino@studio.example --phone "040 123 4567"
    """
    with door.open() as dispatcher:
        region = dispatcher.settings.register_.region
        told = dispatcher.persons.reach(name, door.actor(dispatcher), region, email=email, phone=phone)
    if as_json:
        say_json({"id": told.id, "name": told.name, "email": told.email, "phone": told.phone})
    else:
        say(
            f"{told.name} is reached at {' and '.join(each for each in (told.email, told.phone) if each) or 'nothing'}."
        )


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
                "added_at": each.added_at.isoformat(),
                "ended_at": each.ended_at.isoformat() if each.ended_at else None,
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
