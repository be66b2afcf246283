"""`dispatcher doctor`: is everything in order to send."""

from collections.abc import Sequence

import click

from dispatcher.cli.door import Door, json_option, pass_door, say, say_json
from dispatcher.rules.doctor import Finding, Level, worst
from dispatcher.wiring import examined

_SIGNS = {Level.OK: "ok     ", Level.WARNING: "warning", Level.ERROR: "ERROR  "}


@click.command()
@json_option
@pass_door
@click.pass_context
def doctor(context: click.Context, door: Door, *, as_json: bool) -> None:
    """Look whether everything is in order to send, without asking the network. Exit code 1 on an error.

    The same is looked at before a campaign gets its slot and before its first message leaves; an error refuses.

    \b
    Example:
      dispatcher doctor
    """
    found = examined(door.directory)
    if as_json:
        say_json(_as_json(found))
    else:
        for each in found:
            say(f"{_SIGNS[each.level]}  {each.concern.value}: {each.says}")
            if each.fix is not None:
                say(f"         {each.fix}")
        errors, warnings = _count(found, Level.ERROR), _count(found, Level.WARNING)
        said = "Everything is in order to send" if not errors else "Nothing is sent until the errors are mended"
        say(f"{said} ({errors} errors, {warnings} warnings).")
    context.exit(1 if worst(found) is Level.ERROR else 0)


def _as_json(found: Sequence[Finding]) -> dict[str, object]:
    return {
        "ok": worst(found) is not Level.ERROR,
        "errors": _count(found, Level.ERROR),
        "warnings": _count(found, Level.WARNING),
        "findings": [
            {"concern": each.concern.value, "level": each.level.value, "says": each.says, "fix": each.fix}
            for each in found
        ],
    }


def _count(found: Sequence[Finding], level: Level) -> int:
    return sum(each.level is level for each in found)


COMMANDS = (doctor,)
