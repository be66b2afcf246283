"""One question of a row: what was replied, and when that can have been."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from dispatcher.register_files import cells as read
from dispatcher.register_files.cells import Cell, CellError
from dispatcher.register_files.mapping import AnswerColumn, Basis, header_key
from dispatcher.rules.calendar import day_span, local_date
from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import Place, Reply
from dispatcher.rules.source import Occasion, Span, Unseen

REFUSALS = frozenset({Reply.DECLINED, Reply.WITHDRAWN})
_OCCASIONS = {
    Occasion.BOOKING: "the booking",
    Occasion.VISIT: "the last visit",
    Occasion.CARD: "the making of the client's card",
}


@dataclass(frozen=True, slots=True)
class RowAnswer:
    """One reply in a row: for one channel, or with `channel` None a no for every channel (L-01).

    The span is aware UTC; None where nobody knows (L-07). A reply of `not asked` has neither time, place nor wording.
    `sound` is False where something was ticked beforehand (L-03); `source` is the number of the source behind it.
    """

    reply: Reply
    channel: Channel | None
    not_before: datetime | None
    not_after: datetime | None
    place: Place | None
    wording: str | None
    sound: bool = True
    source: int | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the file: where it stands, counted from 0, and its name as the file writes it."""

    index: int
    header: str

    def cell(self, cells: Sequence[str]) -> Cell:
        """Return this column's cell of a row."""
        return Cell(self.header, cells[self.index])


@dataclass(frozen=True, slots=True)
class AnswerCells:
    """The columns of one question, and what the words in them mean."""

    question: AnswerColumn
    words: Mapping[str, Reply]
    reply: Column
    asked: Column | None
    place: Column | None
    wording: Column | None

    def reply_in(self, cells: Sequence[str]) -> Reply:
        """Return the reply of a row. Raises CellError for a word nobody explained: it must never become a yes."""
        cell = self.reply.cell(cells)
        found = self.words.get(header_key(read.readable(cell)))
        if found is None:
            raise CellError(cell.column, f"{read.quoted(cell.text)} is not a reply: {self._allowed()}.")
        return found

    def times_in(
        self, cells: Sequence[str], zone: ZoneInfo, now: datetime, reply: Reply, remarks: list[str]
    ) -> tuple[datetime | None, datetime | None]:
        """Return when a row's answer was given. Raises CellError for no date and for one in the future.

        The bounds of the settings, and what is known of a source's form, are for every yes; a no without a date of its
        own may have been said until now (L-07).
        """
        basis = self.question.basis
        if basis is not None:
            return self._bounded(basis, self._occasion(basis, cells, zone, now), zone, reply, remarks)
        said = self._said(cells, zone, now)
        if said is not None:
            return said
        return (None, None) if reply in REFUSALS else (self.question.not_before, self.question.not_after)

    def answers(
        self,
        reply: Reply,
        times: tuple[datetime | None, datetime | None],
        asked: tuple[Place | None, str | None] = (None, None),
    ) -> Iterator[RowAnswer]:
        """Return one answer per channel, or the one no that closes them all."""
        basis = self.question.basis
        is_sound = basis is None or basis.asking.is_box_empty or reply is not Reply.GRANTED
        closes_all = self.question.closes_all and reply in REFUSALS
        for channel in (None,) if closes_all else self.question.channels:
            yield RowAnswer(reply, channel, *times, *asked, sound=is_sound, source=basis.number if basis else None)

    def _said(self, cells: Sequence[str], zone: ZoneInfo, now: datetime) -> Span | None:
        """Return the time that stands in the row, or None for an empty cell."""
        cell = self.asked.cell(cells) if self.asked else None
        if cell is None or not read.plain(cell):
            return None
        times = read.span(cell, zone)
        if times[0] > now:
            raise CellError(cell.column, f"{read.quoted(cell.text)} lies in the future: correct the date.")
        return times

    def _occasion(self, basis: Basis, cells: Sequence[str], zone: ZoneInfo, now: datetime) -> Span | None:
        if basis.asking.occasion is not Occasion.VISIT:
            return self._said(cells, zone, now)
        cell = self.asked.cell(cells) if self.asked else None
        if cell is None or not read.plain(cell):
            return None
        visit = day_span(local_date(read.span(cell, zone)[0], zone), zone)
        # A booking ahead is no visit, as everywhere: the client is kept, and a remark says that it was left out.
        return visit if visit[0] <= now else None

    def _bounded(
        self, basis: Basis, occasion: Span | None, zone: ZoneInfo, reply: Reply, remarks: list[str]
    ) -> tuple[datetime | None, datetime | None]:
        if reply in REFUSALS:
            return basis.asking.no_span(occasion, zone) or (None, None)
        found = basis.asking.yes_span(occasion, zone)
        if isinstance(found, Unseen):
            remarks.append(self._unseen(found, basis))
            return None, None
        return found

    def _unseen(self, why: Unseen, basis: Basis) -> str:
        occasion = _OCCASIONS[basis.asking.occasion]
        since = basis.asking.since
        reason = (
            f"the row has no day of {occasion}"
            if why is Unseen.NO_DAY
            else f"{occasion} was before the question came into the form on {since.day}.{since.month}.{since.year}"
        )
        return f'The yes in "{self.reply.header}" has no time that could be used: {reason}.'

    def _allowed(self) -> str:
        said = {reply: sorted(word for word, meant in self.words.items() if word and meant is reply) for reply in Reply}
        return "; ".join(
            f"{reply.value.replace('_', ' ')} is {', '.join(said[reply])}" for reply in Reply if said[reply]
        )
