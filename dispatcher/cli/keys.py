"""`dispatcher keys`: the secrets of the installation."""

from pathlib import Path

import click

from dispatcher.cli.door import Door, json_option, pass_door, say, say_json
from dispatcher.errors import RefusedError
from dispatcher.flow.dkim_keys import Algorithm, make_key
from dispatcher.flow.keyring import backup_keys
from dispatcher.keys import KeyKind, new_ring, write_ring
from dispatcher.settings import SECRETS, read_secrets, read_settings
from dispatcher.wiring import dkim_domain, holds_data


@click.group()
def keys() -> None:
    """The keys: without them links die and objections cannot be recognised. Keep a copy."""


@keys.command()
@json_option
@pass_door
def create(door: Door, *, as_json: bool) -> None:
    """Create the keys of a workspace that has none (`dispatcher init` does it for a new one).

    \b
    Example:
      dispatcher keys create
    """
    path = door.directory / SECRETS
    if path.exists():
        raise RefusedError(
            f"{SECRETS} is there already: `dispatcher keys rotate KIND` adds a new key beside an old one."
        )
    if holds_data(door.directory):
        raise RefusedError(
            f"This workspace has data but no {SECRETS}: new keys would forget every objection and break every link. "
            "Put back the copy that `dispatcher keys backup` made."
        )
    write_ring(path, new_ring())
    _told({"created": [kind.value for kind in KeyKind]}, f"Created {SECRETS}, for your eyes only.", as_json=as_json)


@keys.command()
@click.argument("kind", type=click.Choice([kind.value for kind in KeyKind]))
@json_option
@pass_door
def rotate(door: Door, kind: str, *, as_json: bool) -> None:
    """Add a new key of a kind and use it from now on; what the old one made stays readable.

    \b
    Example:
      dispatcher keys rotate token
    """
    with door.open() as dispatcher:
        actor = door.actor(dispatcher)
        ring = read_secrets(door.directory).with_new(KeyKind(kind))
        write_ring(door.directory / SECRETS, ring)
        new = ring.current(KeyKind(kind)).id
        dispatcher.keyring.record_rotation(KeyKind(kind), new, actor)
    line = f"New {kind} key {new}. Restart `dispatcher run`, and back the keys up again."
    _told({"kind": kind, "key": new}, line, as_json=as_json)


@keys.command()
@click.argument("target", type=click.Path(path_type=Path))
@json_option
@pass_door
def backup(door: Door, target: Path, *, as_json: bool) -> None:
    """Copy the secrets file to a place apart from the database.

    \b
    Example:
      dispatcher keys backup /media/key/studio-secrets.toml
    """
    backup_keys(door.directory / SECRETS, target)
    _told({"copied_to": str(target)}, f"The keys are in {target}. Keep it apart from the database.", as_json=as_json)


@keys.command()
@json_option
@pass_door
@click.pass_context
def check(context: click.Context, door: Door, *, as_json: bool) -> None:
    """Check that every key the data needs is there. Exit code 1 if one is missing.

    \b
    Example:
      dispatcher keys check
    """
    with door.open_to_all() as dispatcher:
        findings = dispatcher.keyring.check(door.directory / SECRETS)
    if as_json:
        say_json({"ok": not findings, "findings": findings})
    else:
        for finding in findings:
            say(finding)
        if not findings:
            say("Every key the data needs is there.")
    context.exit(1 if findings else 0)


@keys.group()
def dkim() -> None:
    """The keys that mails are signed by, each in a file of its own under its selector."""


@dkim.command("create")
@click.option("--selector", required=True, help='What the key is called in DNS, as "s1", and "s2" for the next one.')
@click.option("--ed25519", is_flag=True, help="Make a key for the second signature, beside RSA.")
@json_option
@pass_door
def create_dkim(door: Door, selector: str, *, ed25519: bool, as_json: bool) -> None:
    """Create a key to sign mails by, and print the record to publish. The key in use goes on signing.

    \b
    Example:
      dispatcher keys dkim create --selector s1
    """
    domain = dkim_domain(read_settings(door.directory))
    with door.open():  # refuses an auditor
        made = make_key(door.directory, selector, domain, Algorithm.ED25519 if ed25519 else Algorithm.RSA)
    record = made.record
    if as_json:
        say_json(
            {
                "file": made.file,
                "algorithm": made.algorithm.value,
                "selector": selector,
                "domain": domain,
                "record": {"name": record.name, "type": "TXT", "text": record.text},
            }
        )
        return
    say(f"{made.file} holds the new key, for your eyes only. Nothing is signed by it yet.")
    say(f"  1. Publish in the DNS of {domain}, type TXT, one text without line ends:")
    say(f"     {record.name}")
    say(f"     {record.text}")
    say("  2. A day later, when everybody can see it, write into dispatcher.toml and restart `dispatcher run`:")
    say(f'     [email.dkim] {"ed25519_" if ed25519 else ""}selector = "{selector}"')
    say("  3. Leave the record of an older key there for two weeks: mail under way is verified by it.")


def _told(value: dict[str, object], line: str, *, as_json: bool) -> None:
    if as_json:
        say_json(value)
    else:
        say(line)


COMMANDS = (keys,)
