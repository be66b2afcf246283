"""`dispatcher consent source`: how a register asks the question, told once and kept as evidence."""

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from dispatcher.cli.days import DAY, shown
from dispatcher.cli.door import Door, confirm, json_option, note, pass_door, say, say_json, say_table
from dispatcher.cli.files import keep
from dispatcher.cli.source_questions import EACH, ONCE, Told, complete
from dispatcher.flow.voiding import Loss
from dispatcher.rules.calendar import local_date
from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import Place
from dispatcher.rules.source import Occasion, Source, Words
from dispatcher.rules.wording import wording_hash

_PLACES = [each.value for each in (Place.ONLINE, Place.PHONE, Place.EMAIL, Place.IN_PERSON, Place.DESK)]
_OCCASIONS = {
    Occasion.BOOKING: 'at each booking, made on the day in "{column}"',
    Occasion.VISIT: "at each booking, known by the last visit",
    Occasion.CARD: 'once, on the day in "{column}"',
}


@click.group()
def source() -> None:
    """How a register asks the question: told once, kept as evidence for the answers that come without any."""


@source.command()
@click.argument("name", required=False)
@click.option(
    "--column", "columns", multiple=True, help="A column of replies and its channels: markkinointilupa=email."
)
@click.option("--wording", "wordings", multiple=True, help="The exact words of the question, or the hash of a wording.")
@click.option("--since", type=DAY, help="Since what day the question stands in the form.")
@click.option(
    "--box-empty/--box-ticked", "is_box_empty", default=None, help="How the box was before the client touched it."
)
@click.option("--asked", type=click.Choice([EACH, ONCE]), help="When the question is asked.")
@click.option("--booking-column", help="The column with the day on which the booking was made.")
@click.option("--last-visit", "by_last_visit", is_flag=True, help="Only the last visit is exported.")
@click.option("--card-column", help="The column with the day on which the client's card was made.")
@click.option("--picture", type=click.Path(path_type=Path), help="A picture of the form: PNG, JPEG or PDF, up to 5 MB.")
@click.option("--no-picture", "has_no_picture", is_flag=True, help="There is no picture of the form.")
@click.option("--place", type=click.Choice(_PLACES), default=Place.ONLINE.value, show_default=True)
@click.option("--yes-word", multiple=True, help="What a cell with a yes holds, where it is no usual word.")
@click.option("--no-word", multiple=True, help="What a cell with a no holds.")
@click.option("--withdrawn-word", multiple=True, help="What a cell with a ban holds.")
@click.option("--not-asked-word", multiple=True, help="What a cell holds where nobody was asked.")
@json_option
@pass_door
def add(
    door: Door,
    /,
    *,
    yes_word: tuple[str, ...],
    no_word: tuple[str, ...],
    withdrawn_word: tuple[str, ...],
    not_asked_word: tuple[str, ...],
    as_json: bool,
    **told: Any,
) -> None:
    """Tell once how a register asks the question; imports then know when and in which words a yes was given.

    On a terminal it asks for what the options do not say. What was told never changes: where the register begins to
    ask otherwise, end the source and add another.

    \b
    Example:
      dispatcher consent source add Slotti --column markkinointilupa=email --since 1.5.2026 --wording 1f0c2a9b --box-empty --asked each-booking --last-visit --picture lomake.png
    """  # noqa: E501 - the example is one line to be typed
    words = Words(frozenset(yes_word), frozenset(no_word), frozenset(withdrawn_word), frozenset(not_asked_word))
    with door.open() as dispatcher:
        wanted, picture = complete(Told(words=words, **told), dispatcher.sources.words_of)
        added = dispatcher.sources.add(wanted, picture, door.actor(dispatcher))
    if as_json:
        say_json(_json(added))
        return
    say(f'The source "{added.name}" is kept as number {added.number}:')
    for line in _lines(added):
        say(f"  {line}")
    say("The next import uses it.")
    for warning in added.warnings:
        note(f"CAREFUL: {warning}")


@source.command("list")
@json_option
@pass_door
def list_(door: Door, *, as_json: bool) -> None:
    """List every source, those that have ended included.

    \b
    Example:
      dispatcher consent source list
    """
    with door.open_to_all() as dispatcher:
        found = dispatcher.sources.listed()
        zone = dispatcher.policy.zone
    if as_json:
        say_json({"sources": [_json(each) for each in found]})
        return
    if not found:
        say("There are no sources. Where a register holds no time and no words for its answers, tell them once:")
        say("  dispatcher consent source add")
        return

    def day(moment: datetime | None) -> str:
        return shown(local_date(moment, zone) if moment else None)

    rows = [
        [
            each.number,
            each.name,
            ", ".join(f"{question.column} ({'+'.join(question.channels)})" for question in each.questions),
            shown(each.since),
            _occasion(each),
            "empty" if each.is_box_empty and each.voided_at is None else "ticked beforehand",
            "yes" if each.picture else "no",
            day(each.added_at),
            day(each.ended_at),
        ]
        for each in found
    ]
    columns = ["number", "name", "columns", "asked since", "when", "box", "picture", "told", "ended"]
    say_table(columns, rows, numbers=["number"], texts=["name", "columns", "when", "box"])


@source.command()
@click.argument("name")
@click.option("--picture", type=click.Path(path_type=Path), help="Write the picture of the form to this new file.")
@json_option
@pass_door
def show(door: Door, name: str, picture: Path | None, *, as_json: bool) -> None:
    """Show a source whole: the newest of this name.

    \b
    Example:
      dispatcher consent source show Slotti --picture lomake.png
    """
    with door.open_to_all() as dispatcher:
        found = dispatcher.sources.named(name)
        if picture is not None:
            keep(picture, dispatcher.sources.picture(found))
    if as_json:
        say_json(_json(found))
        return
    say(f"{found.name}, source {found.number}{', void' if found.voided_at else ', ended' if found.ended_at else ''}")
    for line in _lines(found):
        say(f"  {line}")
    for warning in found.warnings:
        note(f"CAREFUL: {warning}")


@source.command()
@click.argument("name")
@click.option("--void", "is_void", is_flag=True, help="The box was ticked beforehand after all: use no yes of it.")
@click.option("--yes", is_flag=True, help="With --void: do not ask.")
@json_option
@pass_door
def end(door: Door, name: str, *, is_void: bool, yes: bool, as_json: bool) -> None:
    """Say that a register asks so no longer: imports stop using the source, and what it told stays evidence.

    With --void it is none: the box turned out to have been ticked beforehand, and no yes that rests on it is used from
    now on, whenever it was given. NAME may then be the number of a source, and one that has ended already.

    \b
    Example:
      dispatcher consent source end Slotti
      dispatcher consent source end Slotti --void
    """
    if is_void:
        _void(door, name, yes=yes, as_json=as_json)
        return
    with door.open() as dispatcher:
        ended = dispatcher.sources.end(name, door.actor(dispatcher))
    if as_json:
        say_json(_json(ended))
    else:
        say(f'The source "{ended.name}" has ended; another may take its name.')


def _void(door: Door, name: str, *, yes: bool, as_json: bool) -> None:
    with door.open() as dispatcher:
        actor, loss = door.actor(dispatcher), dispatcher.voiding.foresee(name)
        if not yes:
            note(_lost(loss))
            source = f'"{loss.source.name}" (number {loss.source.number})'
            confirm(f"Void the source {source}? This cannot be undone")
        voided = dispatcher.voiding.void(loss.source, actor)
    if as_json:
        taken = {channel.value: loss.yeses.get(channel, 0) for channel in Channel}
        say_json(_json(voided) | {"yeses_taken": taken, "clients": loss.clients})
        return
    say(f'The source "{voided.name}" is void: no yes of it is used any more. {_lost(loss)}')
    say("Ask them anew: `dispatcher consent ask-list`.")


def _lost(loss: Loss) -> str:
    counts = " and ".join(f"{loss.yeses.get(channel, 0)} by {channel.value}" for channel in Channel)
    return f"It takes away {sum(loss.yeses.values())} standing yeses ({counts}) of {loss.clients} clients."


def _occasion(found: Source) -> str:
    return _OCCASIONS[found.occasion].format(column=found.day_column)


def _lines(found: Source) -> list[str]:
    lines = []
    for each in found.questions:
        lines.append(f'column "{each.column}" answers for {" and ".join(each.channels)}; it was asked:')
        lines.append(f"  {each.wording}")
    return [
        *lines,
        f"in the form since {shown(found.since)}, asked {_occasion(found)}",
        f"place: {found.place.value.replace('_', ' ')}",
        f"the box was {'empty' if found.is_box_empty else 'ticked'} beforehand",
        f"picture of the form: {found.picture or 'none'}",
    ]


def _json(found: Source) -> dict[str, object]:
    return {
        "number": found.number,
        "name": found.name,
        "questions": [
            {
                "column": each.column,
                "channels": list(each.channels),
                "wording": wording_hash(each.wording),
                "text": each.wording,
            }
            for each in found.questions
        ],
        "since": found.since,
        "box": "empty" if found.is_box_empty else "ticked",
        "asked": ONCE if found.occasion is Occasion.CARD else EACH,
        "occasion": found.occasion.value,
        "day_column": found.day_column,
        "place": found.place.value,
        "picture": found.picture,
        "added_at": found.added_at,
        "ended_at": found.ended_at,
        "voided_at": found.voided_at,
        "warnings": list(found.warnings),
    }
