"""What `consent source add` asks for: on a terminal where an option does not say it; elsewhere the option is named."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TypeVar

import click

from dispatcher.cli.days import DAY
from dispatcher.cli.door import is_interactive
from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import Place
from dispatcher.rules.source import Occasion, Question, Source, Words

T = TypeVar("T")
EACH, ONCE = "each-booking", "once"


@dataclass(frozen=True, slots=True)
class Told:
    """What the options say; None or empty where they do not."""

    name: str | None
    columns: Sequence[str]
    since: date | None
    wordings: Sequence[str]
    picture: Path | None
    has_no_picture: bool
    is_box_empty: bool | None
    asked: str | None
    booking_column: str | None
    by_last_visit: bool
    card_column: str | None
    place: str
    words: Words


def complete(told: Told, words_of: Callable[[str], str]) -> tuple[Source, Path | None]:
    """Return the source as told, and the picture of its form.

    `words_of` leads from a text or a hash to the words of a question. Raises UsageError for what no option says where
    nobody can be asked, and for options that do not fit together.
    """
    name = told.name or _asked("NAME", "What do you call this register?", str)
    columns = [_column(each) for each in told.columns] or _asked_columns()
    since = told.since or _asked("--since", "Since what day does the question stand in the form?", DAY)
    questions = _questions(columns, told.wordings, words_of)
    occasion, day_column = _occasion(told)
    is_empty = told.is_box_empty
    if is_empty is None:
        is_empty = _confirmed("--box-empty or --box-ticked", "Was the box empty before the client ticked it?")
    picture = told.picture if told.picture or told.has_no_picture else _asked_picture()
    return Source(name, questions, since, is_empty, occasion, day_column, Place(told.place), told.words), picture


def _asked(option: str, question: str, kind: type[T] | click.ParamType[T]) -> T:
    _refuse_silence(option, question)
    answer: T = click.prompt(question.rstrip("?"), type=kind, prompt_suffix="? ")
    return answer


def _confirmed(option: str, question: str) -> bool:
    _refuse_silence(option, question)
    return click.confirm(question.rstrip("?"), prompt_suffix="? ")


def _refuse_silence(option: str, question: str) -> None:
    if not is_interactive():
        raise click.UsageError(f"Missing {option}. {question}")


def _column(said: str) -> tuple[str, tuple[Channel, ...]]:
    """Return a column and its channels, as `markkinointilupa=email,sms` says them."""
    column, _, listed = said.rpartition("=")
    try:
        channels = tuple(dict.fromkeys(Channel(each.strip().casefold()) for each in listed.split(",")))
    except ValueError:
        channels = ()
    if not column.strip() or not channels:
        raise click.UsageError(
            f"--column {said!r}: write the column and its channels, as 'markkinointilupa=email,sms'."
        )
    return column.strip(), channels


def _asked_columns() -> list[tuple[str, tuple[Channel, ...]]]:
    found = [(_asked("--column", "Which column holds the replies?", str), _asked_channels())]
    while more := click.prompt("Another such column, or nothing", default="", show_default=False):
        found.append((more, _asked_channels()))
    return found


def _asked_channels() -> tuple[Channel, ...]:
    choice = click.Choice(["email", "sms", "both"])
    said = click.prompt("For which channel", type=choice, default="email")
    return tuple(Channel) if said == "both" else (Channel(said),)


def _questions(
    columns: Sequence[tuple[str, tuple[Channel, ...]]], told: Sequence[str], words_of: Callable[[str], str]
) -> tuple[Question, ...]:
    """Return each column with its words: one text for all of them, or as many as there are columns."""
    if not told:
        told = [
            _asked("--wording", f'In which exact words does "{column}" ask (or the hash of a wording)?', str)
            for column, _ in columns
        ]
    texts = [words_of(each) for each in told]
    if len(texts) == 1:
        texts *= len(columns)
    if len(texts) != len(columns):
        raise click.UsageError("Give --wording once for all columns, or once for each, in their order.")
    return tuple(Question(column, channels, text) for (column, channels), text in zip(columns, texts, strict=True))


def _occasion(told: Told) -> tuple[Occasion, str | None]:
    """Return at what the question is asked, and the column that holds its day."""
    choice = click.Choice([EACH, ONCE])
    asked = told.asked or _asked("--asked", "Is it asked at each booking, or once?", choice)
    wrong = [told.booking_column, told.by_last_visit] if asked == ONCE else [told.card_column]
    if any(wrong) or (told.booking_column and told.by_last_visit):
        raise click.UsageError(
            f"--asked {EACH} goes with --booking-column or --last-visit, and --asked {ONCE} with --card-column."
        )
    if asked == ONCE:
        question = "Which column holds the day on which the client's card was made?"
        return Occasion.CARD, told.card_column or _asked("--card-column", question, str)
    column = told.booking_column
    if not column and not told.by_last_visit:
        question = "Which column holds the day on which the booking was made (- where only visits are exported)?"
        column = _asked("--booking-column or --last-visit", question, str).strip(" -")
    return (Occasion.BOOKING, column) if column else (Occasion.VISIT, None)


def _asked_picture() -> Path | None:
    _refuse_silence("--picture or --no-picture", "Where is a picture of the form?")
    said = click.prompt("Where is a picture of the form, PNG, JPEG or PDF (- for none)", type=str)
    return None if said.strip() == "-" else Path(said)
