"""What every command shares: the open installation, who acts, and how results and progress are shown."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal, TypeVar
from zoneinfo import ZoneInfo

import click
from rich.cells import cell_len
from rich.console import Console
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from dispatcher.errors import NotFoundError, RefusedError, StorageError
from dispatcher.rules.actor import Actor
from dispatcher.rules.ledger import stamp
from dispatcher.texts import format_date
from dispatcher.wiring import Dispatcher, opened

F = TypeVar("F", bound=Callable[..., Any])
_WIDE = 200
"""How many characters a line of a table may have where no terminal's width is to be kept."""
_console = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
_notes = Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)


class Door:
    """A command's way in: which workspace, and who acts."""

    def __init__(self, directory: Path, acting: str | None) -> None:
        self.directory = directory
        self._acting = acting

    @contextmanager
    def open(self) -> Iterator[Dispatcher]:
        """Open the installation for a command that changes something: an auditor named by `--as` is refused.

        Raises NotFoundError for a name nobody has, RefusedError for an auditor.
        """
        with self.open_to_all() as dispatcher:
            if self._acting is not None:
                dispatcher.persons.acting(self._acting)
            yield dispatcher

    @contextmanager
    def open_to_all(self) -> Iterator[Dispatcher]:
        """Open the installation for a command that auditors may give: one that only looks, or that takes a no."""
        with opened(self.directory) as dispatcher:
            yield dispatcher

    @contextmanager
    def open_to_restore(self) -> Iterator[Dispatcher]:
        """Open the installation whatever became of its tables; an auditor is refused where they still tell."""
        with opened(self.directory, check_tables=False) as dispatcher:
            if self._acting is not None:
                with suppress(StorageError, NotFoundError):  # a lost database knows nobody, an empty one not everybody
                    dispatcher.persons.acting(self._acting)
            yield dispatcher

    def actor(self, dispatcher: Dispatcher, name: str | None = None) -> Actor:
        """Return who acts: the person named here, else as `--as` says.

        Raises NotFoundError for a name nobody has, RefusedError for an auditor and where it is unclear who is meant.
        """
        return dispatcher.persons.acting(name or self._acting)

    def whoever(self, dispatcher: Dispatcher) -> Actor:
        """Return whoever gives this command: only for a look, and for a no. Raises NotFoundError or RefusedError."""
        return dispatcher.persons.named(self._acting)

    def client(self, dispatcher: Dispatcher, words: str) -> int:
        """Return the one client whom these words mean, once it is on disk who looks at them, and by which command.

        Raises NotFoundError where nobody or more than one fits, naming what fits, masked; that is a look as well.
        """
        try:
            number = dispatcher.register.find(words)
        except NotFoundError:
            self.note(dispatcher, dispatcher.register.count(words))
            raise
        self.note(dispatcher, 1, number)
        return number

    def note(self, dispatcher: Dispatcher, clients: int, client: int | None = None) -> None:
        """Put on record that whoever gives this command looks at, or changes, so many clients, or this one."""
        act = click.get_current_context().command_path.partition(" ")[2]
        dispatcher.looking.note(self.whoever(dispatcher), act, clients, client)


pass_door = click.make_pass_decorator(Door)


def json_option(function: F) -> F:
    """Give a command the option `--json`."""
    option: Callable[[F], F] = click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead.")
    return option(function)


def say(line: str = "") -> None:
    """Print a line of the result."""
    _console.print(line)


def note(line: str) -> None:
    """Print a line beside the result, to standard error."""
    _notes.print(line)


def say_error(message: str) -> None:
    """Print why a command was refused."""
    _notes.print(message, style="red" if _notes.is_terminal else "")


def say_json(value: Mapping[str, object], *, on_one_line: bool = False) -> None:
    """Print one JSON object with stable keys: instants as the ledger writes them, UTC with a Z, and days ISO 8601."""
    indent = None if on_one_line else 2
    click.echo(json.dumps(value, indent=indent, ensure_ascii=False, sort_keys=False, default=_plain))


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return stamp(value)
    return value.isoformat() if isinstance(value, date) else str(value)


def say_table(
    columns: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    numbers: Sequence[str] = (),
    texts: Sequence[str] = (),
) -> None:
    """Print a table; the columns in `numbers` stand to the right, and only those in `texts` break where it is narrow.

    No cell is ever cut: a table that cannot be narrower than its terminal is left to the terminal to fold.
    """
    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    cells = [[str(cell) for cell in row] for row in rows]
    least = 0
    for column, *below in zip(columns, *cells, strict=True):
        side: Literal["left", "right"] = "right" if column in numbers else "left"
        pieces = " ".join([column, *below]).split() if column in texts else [column, *below]
        widest = max(cell_len(piece) for piece in pieces)
        table.add_column(column, justify=side, no_wrap=column not in texts, overflow="fold", min_width=widest)
        least += widest + 2  # the gap between two columns
    for row in cells:
        table.add_row(*row)
    width = _console.width if _console.is_terminal else _WIDE
    Console(width=max(width, least), highlight=False, markup=False, emoji=False).print(table)


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show how far a long work has come: a bar on a terminal, a plain line at every tenth elsewhere."""
    if _notes.is_terminal:
        with _bar(what) as tell:
            yield tell
        return
    told = 0

    def plain(done: int, total: int) -> None:
        nonlocal told
        tenth = done * 10 // total if total else 10
        if tenth > told:
            told = tenth
            note(f"{what}: {done} of {total}")

    yield plain


@contextmanager
def _bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar from the first step to the last: before and after it, a question can be asked."""
    bar = Progress(
        TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=_notes, transient=True
    )
    task = bar.add_task(what, total=None)

    def tell(done: int, total: int) -> None:
        bar.start()
        bar.update(task, completed=done, total=total)
        if done >= total:
            bar.stop()

    try:
        yield tell
    finally:
        bar.stop()


@contextmanager
def redrawn() -> Iterator[Callable[[Sequence[str], str | None], None]]:
    """Show something that changes: its lines drawn over the last ones on a terminal, and elsewhere a line when told."""
    if not _console.is_terminal:
        yield lambda _lines, news: None if news is None else say(news)
        return
    with Live(console=_console, auto_refresh=False, vertical_overflow="visible") as view:
        yield lambda lines, _news: view.update(Text("\n".join(lines)), refresh=True)


def local(moment: datetime | None, zone: ZoneInfo) -> str:
    """Return a moment as the business zone's clock shows it, "3.2.2026 14:05", or a dash."""
    if moment is None:
        return "-"
    here = moment.astimezone(zone)
    return f"{format_date(here)} {here:%H:%M}"


def confirm(question: str, option: str = "--yes") -> None:
    """Ask before something that cannot be taken back; anything but a yes ends the command.

    Raises RefusedError where nobody is there to answer, naming the option that says yes beforehand.
    """
    try:
        agreed = click.confirm(question, err=True)
    except (click.Abort, OSError):
        if sys.stdin.isatty():
            raise
        note("")  # ends the line of the question
        raise RefusedError(
            f"There is no terminal to answer at: where it is a yes, give the command again with {option}."
        ) from None
    if not agreed:
        raise click.Abort


def is_interactive() -> bool:
    """Say whether a person sits at the terminal and can be asked."""
    return sys.stdin.isatty() and sys.stdout.isatty()
