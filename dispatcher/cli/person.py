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
            region = dispatcher.settings.register_.region
            dispatcher.persons.reach(added.name, actor, region, email=email, language=Language(language))
    if as_json:
        say_json({"id": added.id, "name": added.name, "role": added.role.value})
    else:
        say(f"{added.name} is {added.role.value} number {added.id}.")


@person.command()
@click.argument("name")
@click.option("--email", help="Where mails reach them; an empty text takes it away.")
@click.option("--phone", help="Where text messages reach them; an empty text takes it away.")
@click.option("--language", type=click.Choice([each.value for each in Language]), help="Which they read.")
@json_option
@pass_door
def reach(door: Door, name: str, email: str | None, phone: str | None, language: str | None, *, as_json: bool) -> None:
    """Tell where a person gets test messages and alerts, and in which language. No client is named in an alert.

    \b
    Example:
      dispatcher person reach "Aino Esimerkki" --email aino@studio.example --phone "040 123 4567"
      dispatcher person reach "Aino Esimerkki" --email ""
    """
    spoken = Language(language) if language else None
    with door.open() as dispatcher:
        region = dispatcher.settings.register_.region
        actor = door.actor(dispatcher)
        told = dispatcher.persons.reach(name, actor, region, email=email, phone=phone, language=spoken)
    if as_json:
        say_json({name: getattr(told, name) for name in ("id", "name", "email", "phone", "language")})
    else:
        ways = " and ".join(each for each in (told.email, told.phone) if each)
        say(f"{told.name} is reached at {ways or 'nothing'}.")


@person.command("list")
@json_option
@pass_door
def list_(door: Door, *, as_json: bool) -> None:
    """List everybody who works, or has worked, with the program.

    \b
    Example:
      dispatcher person list
    """
    with door.open_to_all() as dispatcher:
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
