"""`dispatcher api-key`: which booking systems may tell answers and ask for verdicts."""

import click

from dispatcher.cli.days import shown
from dispatcher.cli.door import Door, json_option, local, note, pass_door, say, say_json, say_table
from dispatcher.rules.scope import Scope


@click.group("api-key")
def api_key() -> None:
    """The keys that let a booking system use the API."""


@api_key.command()
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    type=click.Choice([scope.value for scope in Scope]),
    help="What the key may be used for; name each.",
)
@json_option
@pass_door
def create(door: Door, name: str, scopes: tuple[str, ...], *, as_json: bool) -> None:
    """Make a key for the booking system NAME, and show it this once.

    \b
    Example:
      dispatcher api-key create "Ajanvaraus" --scope answers:write --scope verdict:read
    """
    with door.open() as dispatcher:
        chosen = {Scope(scope) for scope in scopes}
        key, text = dispatcher.api_keys.create(name, chosen, door.actor(dispatcher))
        address = f"{dispatcher.studio.public_url.rstrip('/')}/api/v1"
    if as_json:
        say_json({"id": key.id, "name": key.name, "scopes": sorted(key.scopes), "key": text})
        return
    say(text)
    note(
        f"This is key {key.id}, for {key.name}. It is shown this once and kept nowhere: put it into the booking system."
    )
    note(f"The API is at {address}; docs/api.md tells how it is called.")


@api_key.command("list")
@json_option
@pass_door
def list_(door: Door, *, as_json: bool) -> None:
    """List the keys there are and have been; no secret is shown.

    \b
    Example:
      dispatcher api-key list
    """
    with door.open_to_all() as dispatcher:
        found = dispatcher.api_keys.listed()
        zone = dispatcher.policy.zone
    if as_json:
        rows = [
            {
                "id": key.id,
                "name": key.name,
                "scopes": sorted(key.scopes),
                "added_at": key.added_at,
                "used_on": key.used_on,
                "revoked_at": key.revoked_at,
            }
            for key in found
        ]
        say_json({"api_keys": rows})
        return
    if not found:
        say("There are no keys: `dispatcher api-key create NAME --scope answers:write` makes one.")
        return
    table = [
        [
            key.id,
            key.name,
            " ".join(sorted(key.scopes)),
            local(key.added_at, zone),
            shown(key.used_on),
            local(key.revoked_at, zone),
        ]
        for key in found
    ]
    columns = ["number", "name", "scopes", "since", "last used", "revoked"]
    say_table(columns, table, numbers=["number"], texts=["name", "scopes"])


@api_key.command()
@click.argument("number", type=int)
@json_option
@pass_door
def revoke(door: Door, number: int, *, as_json: bool) -> None:
    """Revoke a key: it opens nothing from now on, in no process.

    \b
    Example:
      dispatcher api-key revoke 1
    """
    with door.open() as dispatcher:
        dispatcher.api_keys.revoke(number, door.actor(dispatcher))
    if as_json:
        say_json({"id": number, "revoked": True})
    else:
        say(f"Key {number} opens nothing any more.")


COMMANDS = (api_key,)
