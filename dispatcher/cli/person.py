"""`dispatcher person`: who works with the program."""

import click

from dispatcher.cli.door import Door, json_option, local, pass_door, say, say_json, say_table
from dispatcher.rules.actor import Role
from dispatcher.rules.campaign import Language

_LANGUAGE = click.option(
    "--language",
    type=click.Choice([language.value for language in Language]),
    default=Language.FI.value,
    show_default=True,
    help="Of the alerts.",
)


@click.group()
def person() -> None:
    """The people who work with the program."""


@person.command()
@click.argument("name")
@click.option("--role", type=click.Choice([role.value for role in Role]), default=Role.STAFF.value, show_default=True)
@click.option("--email", metavar="ADDRESS", help="Where they get alerts, if they are an owner.")
@_LANGUAGE
@json_option
@pass_door
def add(door: Door, name: str, role: str, email: str | None, language: str, *, as_json: bool) -> None:
    """Add a person.

    \b
    Example:
      dispatcher person add "Aino Esimerkki" --role staff
      dispatcher person add "Aino Esimerkki" --role owner --email aino@tunturituuli.example
    """
    with door.open() as dispatcher:
        actor = door.actor(dispatcher)
        added = dispatcher.persons.add(name, Role(role), actor)
        if email is not None:
            dispatcher.persons.set_email(added.name, email, actor, Language(language))
    if as_json:
        say_json({"id": added.id, "name": added.name, "role": added.role.value})
    else:
        say(f"{added.name} is {added.role.value} number {added.id}.")


@person.command()
@click.argument("name")
@click.argument("address", required=False)
@click.option("--none", "wants_none", is_flag=True, help="They want no alerts any more.")
@_LANGUAGE
@json_option
@pass_door
def email(door: Door, name: str, address: str | None, language: str, *, wants_none: bool, as_json: bool) -> None:
    """Say where an owner gets alerts: what comes up, what is held, what is overdue. No client is named in them.

    \b
    Example:
      dispatcher person email "Aino Esimerkki" aino@tunturituuli.example
      dispatcher person email "Aino Esimerkki" --none
    """
    if (address is None) is not wants_none:
        raise click.UsageError("Give an ADDRESS or --none.")
    with door.open() as dispatcher:
        changed = dispatcher.persons.set_email(name, address, door.actor(dispatcher), Language(language))
    if as_json:
        say_json({"id": changed.id, "name": changed.name, "email": changed.email, "language": changed.language.value})
    elif changed.email is None:
        say(f"{changed.name} gets no alerts any more.")
    else:
        say(f"{changed.name} gets alerts at {changed.email}.")


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
                "email": each.email,
                "language": each.language.value,
            }
            for each in found
        ]
        say_json({"persons": rows})
        return
    rows_ = [
        [
            each.id,
            each.name,
            each.role.value,
            local(each.added_at, zone),
            local(each.ended_at, zone),
            each.email or "-",
        ]
        for each in found
    ]
    say_table(["number", "name", "role", "since", "until", "alerts to"], rows_, numbers=["number"], texts=["name"])


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
