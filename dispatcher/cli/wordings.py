"""`dispatcher consent wordings`: the exact texts of the question."""

from pathlib import Path

import click

from dispatcher.cli.days import shown
from dispatcher.cli.door import Door, json_option, pass_door, say, say_json, say_table
from dispatcher.errors import RefusedError
from dispatcher.flow.wordings import Question, named
from dispatcher.rules.calendar import local_date
from dispatcher.rules.campaign import Language
from dispatcher.rules.wording import LONGEST

_SHORT = 12
"""Characters of a hash that a person is shown."""


@click.group()
def wordings() -> None:
    """The texts of the question: each known by its hash, and unchangeable once somebody has answered it."""


@wordings.command()
@click.argument("text", required=False)
@click.option("--file", type=click.Path(path_type=Path), help="Read the text from this file.")
@click.option("--language", type=click.Choice([each.value for each in Language]), required=True)
@click.option("--version", required=True, help="What you call this version, as 2026-1.")
@json_option
@pass_door
def add(door: Door, text: str | None, file: Path | None, language: str, version: str, *, as_json: bool) -> None:
    """Add a question; from now on it is what is asked in its language by the channels it names.

    A yes opens a channel only if the question named it: write "sähköpostitse", "tekstiviestillä", or both.

    \b
    Example:
      dispatcher consent wordings add "Saammeko lähettää tarjouksia sähköpostitse?" --language fi --version 2026-1
    """
    if (text is None) == (file is None):
        raise click.UsageError("Give the text of the question, or the file it stands in with --file.")
    with door.open() as dispatcher:
        words = text if file is None else _read(file)
        added = dispatcher.wordings.add(words or "", Language(language), version, door.actor(dispatcher))
    if as_json:
        say_json(_json(added))
        return
    wording = added.wording
    say(f"Wording {wording.sha256[:_SHORT]}, {wording.language} version {wording.version}:")
    say(f"  {wording.text}")
    say(f"It names {named(wording.channels)}; a yes to it opens nothing else.")


@wordings.command("list")
@json_option
@pass_door
def list_(door: Door, *, as_json: bool) -> None:
    """List every question, oldest first, those that register exports brought along included.

    \b
    Example:
      dispatcher consent wordings list
    """
    with door.open_to_all() as dispatcher:
        found = dispatcher.wordings.listed()
        zone = dispatcher.policy.zone
    if as_json:
        say_json({"wordings": [_json(each) for each in found]})
        return
    if not found:
        say("There are no wordings yet: the program asks in its own words. Add yours with")
        say('  dispatcher consent wordings add "TEXT" --language fi --version 2026-1')
        return
    rows = [
        [
            each.wording.sha256[:_SHORT],
            each.wording.language or "-",
            each.wording.version or "-",
            named(each.wording.channels),
            shown(local_date(each.wording.added_at, zone)),
            each.answers,
            named(each.asked_for) if each.asked_for else "-",
            each.wording.text,
        ]
        for each in found
    ]
    columns = ["hash", "language", "version", "names", "since", "answers", "asked now by", "text"]
    say_table(columns, rows, numbers=["answers"], texts=["names", "asked now by", "text"])


@wordings.command()
@click.argument("sha", metavar="HASH")
@json_option
@pass_door
def show(door: Door, sha: str, *, as_json: bool) -> None:
    """Show a question whole. HASH is the beginning of its hash, six characters or more.

    \b
    Example:
      dispatcher consent wordings show 1f0c2a9b
    """
    with door.open_to_all() as dispatcher:
        found = dispatcher.wordings.find(sha)
        zone = dispatcher.policy.zone
    if as_json:
        say_json(_json(found))
        return
    wording = found.wording
    say(wording.text)
    say(f"  hash      {wording.sha256}")
    say(f"  names     {named(wording.channels)}")
    say(f"  language  {wording.language or 'nobody has said'}")
    say(f"  version   {wording.version or 'none: a register export brought it'}")
    say(f"  since     {shown(local_date(wording.added_at, zone))}")
    say(f"  answers   {found.answers}")
    say(f"  asked now {'by ' + named(found.asked_for) if found.asked_for else 'no'}")


@wordings.command()
@click.argument("sha", metavar="HASH")
@json_option
@pass_door
def remove(door: Door, sha: str, *, as_json: bool) -> None:
    """Take out a question that no answer names. HASH is the beginning of its hash.

    \b
    Example:
      dispatcher consent wordings remove 1f0c2a9b
    """
    with door.open() as dispatcher:
        removed = dispatcher.wordings.remove(sha, door.actor(dispatcher))
    if as_json:
        say_json({"wording": removed.sha256, "removed": True})
    else:
        say(f"Wording {removed.sha256[:_SHORT]} is taken out; nobody was asked with it.")


def _read(file: Path) -> str:
    """Return the text of a file. Raises RefusedError for one that is not there, no text, or no question."""
    try:
        with file.open(encoding="utf-8-sig") as opened:
            return opened.read(LONGEST * 4)
    except OSError as error:
        raise RefusedError(f"{file.name} cannot be read ({error.strerror}): check the file's name.") from None
    except UnicodeDecodeError:
        raise RefusedError(f"{file.name} is not UTF-8: save it in that encoding. Nothing was added.") from None


def _json(found: Question) -> dict[str, object]:
    wording = found.wording
    return {
        "wording": wording.sha256,
        "text": wording.text,
        "channels": sorted(wording.channels),
        "language": wording.language,
        "version": wording.version,
        "added_at": wording.added_at,
        "answers": found.answers,
        "asked_for": sorted(found.asked_for),
    }
