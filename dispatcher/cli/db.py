"""`dispatcher db`: the database, its copies, and the way back."""

from pathlib import Path

import click

from dispatcher.cli.door import Door, confirm, json_option, pass_door, say, say_json
from dispatcher.errors import RefusedError
from dispatcher.wiring import upgrade_database


@click.group()
def db() -> None:
    """The database: bring it up to date, copy it, put a copy back."""


@db.command()
@json_option
@pass_door
def upgrade(door: Door, *, as_json: bool) -> None:
    """Bring the tables up to this version of the program.

    \b
    Example:
      dispatcher db upgrade
    """
    upgrade_database(door.directory)
    if as_json:
        say_json({"upgraded": True})
    else:
        say("The tables are those of this version.")


@db.command()
@click.argument("file", type=click.Path(path_type=Path))
@json_option
@pass_door
def backup(door: Door, file: Path, *, as_json: bool) -> None:
    """Copy the database while it is in use, and verify the copy by opening it.

    \b
    Example:
      dispatcher db backup backups/2026-03-01.db
    """
    with door.open() as dispatcher:
        report = dispatcher.safekeeping.backup(file)
        door.note(dispatcher, dispatcher.register.size())
    if as_json:
        say_json(report.as_json())
    else:
        say(f"Copied to {file} and opened again: {report.bytes} bytes. Keep the journal and the keys apart from it.")


@db.command()
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--replay", is_flag=True, help="Bring back every no, erasure, spent slot and begun campaign.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@pass_door
def restore(door: Door, file: Path | None, *, replay: bool, yes: bool, as_json: bool) -> None:
    """Put a copy in place of the database, and replay the journal over it; until then nothing is sent.

    \b
    Example:
      dispatcher db restore backups/2026-03-01.db --replay
      dispatcher db restore --replay
    """
    if file is None and not replay:
        raise RefusedError("Name the copy to put back, or say --replay to replay the journal over what is there.")
    told: dict[str, object] = {}
    if file is not None:
        if not yes:
            confirm(f"Put {file} in place of the database?")
        with door.open_to_restore() as dispatcher:
            kept = dispatcher.safekeeping.restore(file)
        told["replaced_kept_as"] = str(kept) if kept else None
    if replay:
        with door.open() as dispatcher:
            report = dispatcher.safekeeping.replay(door.actor(dispatcher))
        told["replayed"] = report.as_json()
    if as_json:
        say_json(told)
        return
    if file is not None:
        say(f"{file} is the database now.")
        if told["replaced_kept_as"]:
            say(f"  The replaced one is kept as {told['replaced_kept_as']}.")
    if replay:
        say(report.sentence())
    else:
        say("  Nothing is sent until `dispatcher db restore --replay`.")


COMMANDS = (db,)
