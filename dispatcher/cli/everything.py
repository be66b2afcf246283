"""`dispatcher consent withdraw --everything`: a no said at the desk by somebody whose name is only half understood."""

import sys
from collections.abc import Sequence

import click

from dispatcher.cli.door import Door, say, say_json, say_table
from dispatcher.errors import NotFoundError, RefusedError
from dispatcher.flow.register import Listed

_AT_MOST = 50
_ALL, _NONE = "all", "none"


def withdraw_everything(door: Door, words: str, chosen: Sequence[int], *, yes: bool, as_json: bool) -> None:
    """Find whom the words fit, show them masked, and stop everything for those who are confirmed.

    Raises NotFoundError where nobody fits, RefusedError where too many do, or one was chosen who does not.
    """
    with door.open_to_all() as dispatcher:
        actor = door.whoever(dispatcher)
        found = dispatcher.register.heard(words, _AT_MOST + 1)
        door.note(dispatcher, len(found))
        if not found:
            raise NotFoundError(
                f"Nobody fits {words!r}. A whole email address or number that nobody has is kept all the same: "
                "`dispatcher consent withdraw ADDRESS`."
            )
        if len(found) > _AT_MOST:
            raise RefusedError(f"More than {_AT_MOST} clients fit {words!r}: give more of the name or address.")
        known = {each.number: each for each in found}
        numbers = _checked(chosen, known) if chosen else list(known) if yes else _asked(found, as_json=as_json)
        for number in numbers:
            door.note(dispatcher, 1, number)
            dispatcher.preferences.withdraw(number, actor)
        _tell([known[number] for number in numbers], as_json=as_json)


def _asked(found: Sequence[Listed], *, as_json: bool) -> list[int]:
    """Show who was found, and return whose no it is."""
    if as_json:
        raise RefusedError("With --json nothing is asked: add --yes for everybody who fits, or --only NUMBER.")
    known = {each.number: each for each in found}
    _show(found)
    say()
    try:
        told = str(click.prompt("Whose no is it? all, none, or numbers", default=_NONE, err=True)).strip().lower()
    except (click.Abort, OSError):
        if sys.stdin.isatty():
            raise
        raise RefusedError("There is no terminal to answer at: add --yes for all of them, or --only NUMBER.") from None
    if told == _ALL:
        return list(known)
    if told == _NONE:
        raise RefusedError("Nothing was recorded.")
    parts = told.replace(",", " ").split()
    if not all(part.isdecimal() for part in parts):
        raise RefusedError("Write all, none, or client numbers as they stand in the list. Nothing was recorded.")
    return _checked([int(part) for part in parts], known)


def _checked(chosen: Sequence[int], known: dict[int, Listed]) -> list[int]:
    strange = [str(number) for number in chosen if number not in known]
    if strange:
        raise RefusedError(f"{', '.join(strange)} is none of those who fit. Nothing was recorded.")
    return list(dict.fromkeys(chosen))


def _show(found: Sequence[Listed]) -> None:
    rows = [[each.number, each.name, ", ".join(each.addresses.values())] for each in found]
    say_table(["number", "name", "addresses"], rows, numbers=["number"])


def _tell(done: Sequence[Listed], *, as_json: bool) -> None:
    if as_json:
        say_json({"clients": [each.number for each in done], "withdrawn": True})
        return
    _show(done)
    who = "this client gets" if len(done) == 1 else f"these {len(done)} clients get"
    say(f"Recorded: {who} no more messages.")
