"""One row at a time: cells in, a client out, or the row's number, the column and the reason why not."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from dispatcher.register_files import cells as read
from dispatcher.register_files.cells import Cell, CellError
from dispatcher.register_files.mapping import Field
from dispatcher.register_files.questions import REFUSALS, AnswerCells, Column, RowAnswer
from dispatcher.rules.address import AddressError, canonical_email, masked
from dispatcher.rules.calendar import local_date
from dispatcher.rules.campaign import Language
from dispatcher.rules.consent import Place, Reply


@dataclass(frozen=True, slots=True)
class RegisterRow:
    """One client as the register knows them.

    `row` is the number a spreadsheet shows. At least one of `email` and `phone` (canonical) is there. `remarks` say in
    plain sentences what was left out, addresses masked.
    """

    row: int
    external_id: str | None
    first_name: str
    last_name: str
    email: str | None
    phone: str | None
    language: Language
    last_visit: date | None
    answers: tuple[RowAnswer, ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that cannot be taken: its number, the column (empty for the whole row) and what to do, addresses masked.

    A no needs no evidence, so a rejected row still says no: `noes` are the refusals in it (without a time where that
    cannot be read), `external_id`, `email` and `phone` whom they are from, as far as those can be read. They are empty
    where the cells may have slipped into other columns.
    """

    row: int
    column: str
    reason: str
    external_id: str | None = None
    email: str | None = None
    phone: str | None = None
    noes: tuple[RowAnswer, ...] = ()


@dataclass(frozen=True, slots=True)
class RowNames:
    """Whom a row names, taken or rejected; an address is read when somebody asks for it, as that is most of the work.

    What cannot be read is None, and nothing can be read where the cells may have slipped into other columns.
    """

    external_id: str | None
    _reader: "RowReader"
    _cells: Sequence[str]

    @property
    def email(self) -> str | None:
        """Return the row's email address, canonical."""
        return self._reader.email_of(self._cells)

    @property
    def phone(self) -> str | None:
        """Return the row's number, canonical."""
        return self._reader.phone_of(self._cells)


@dataclass(frozen=True, slots=True)
class RowReader:
    """Reads the rows of one file, whose header has `width` cells."""

    width: int
    fields: Mapping[Field, Column]
    questions: tuple[AnswerCells, ...]
    zone: ZoneInfo
    region: str
    now: datetime

    def read(self, row: int, cells: Sequence[str]) -> RegisterRow | RejectedRow:
        """Return the client of a row, or why there is none.

        An address that cannot be read is left out with a remark while another one remains; with none left the row is
        rejected. Any other cell that cannot be read rejects the row.
        """
        if not self._fits(cells):
            reason = f"The row has {len(cells)} cells and the header {self.width}: correct it and export again."
            return RejectedRow(row, "", reason)
        try:
            return self._client(row, cells)
        except CellError as error:
            return self._rejected(RejectedRow(row, error.column, error.reason), cells)

    def names(self, cells: Sequence[str]) -> RowNames | None:
        """Return whom a row names, or None where its cells may have slipped."""
        if not self._fits(cells):
            return None
        external_id = None
        with suppress(CellError):
            external_id = read.customer_number(self._cell(Field.EXTERNAL_ID, cells))
        return RowNames(external_id, self, cells)

    def email_of(self, cells: Sequence[str]) -> str | None:
        """Return the email address of a row, canonical, or None."""
        with suppress(CellError):
            return self._email(cells, [])
        return None

    def phone_of(self, cells: Sequence[str]) -> str | None:
        """Return the number of a row, canonical, or None."""
        with suppress(CellError):
            return self._phone(cells, [])
        return None

    def _fits(self, cells: Sequence[str]) -> bool:
        return len(cells) >= self.width and not any(extra.strip() for extra in cells[self.width :])

    def _client(self, row: int, cells: Sequence[str]) -> RegisterRow:
        remarks: list[str] = []
        email = self._email(cells, remarks)
        phone = self._phone(cells, remarks)
        if email is None and phone is None:
            raise self._no_address(remarks)
        return RegisterRow(
            row,
            external_id=read.customer_number(self._cell(Field.EXTERNAL_ID, cells)),
            first_name=read.name_part(self._cell(Field.FIRST_NAME, cells)),
            last_name=self._last_name(cells),
            email=email,
            phone=phone,
            language=self._language(cells, remarks),
            last_visit=self._last_visit(cells, remarks),
            answers=tuple(self._answers(cells, remarks)),
            remarks=tuple(remarks),
        )

    def _cell(self, field: Field, cells: Sequence[str]) -> Cell:
        column = self.fields.get(field)
        return column.cell(cells) if column else Cell("", "")

    def _email(self, cells: Sequence[str], remarks: list[str]) -> str | None:
        text = read.plain(self._cell(Field.EMAIL, cells))
        try:
            return canonical_email(text) if text else None
        except AddressError:
            remarks.append(f"The email address {masked(text)} cannot be read and was left out.")
            return None

    def _phone(self, cells: Sequence[str], remarks: list[str]) -> str | None:
        text = read.plain(self._cell(Field.PHONE, cells))
        if not text:
            return None
        try:
            number = read.number(text, self.region)
        except AddressError as error:
            remarks.append(f"The phone number {masked(text)} was left out: {error}.")
            return None
        if read.has_lost_zero(text, number):
            remarks.append(
                f"The phone number {masked(number)} had lost its leading zero, as in a spreadsheet: it was read as one "
                f"of {self.region}."
            )
        return number

    def _no_address(self, remarks: list[str]) -> CellError:
        columns = (self.fields.get(field) for field in (Field.EMAIL, Field.PHONE))
        where = ", ".join(column.header for column in columns if column)
        why = " ".join(remarks) or "There is neither an email address nor a phone number."
        return CellError(where, f"{why} Nothing is left to write to: correct the address.")

    def _last_name(self, cells: Sequence[str]) -> str:
        field = Field.NAME if Field.NAME in self.fields else Field.LAST_NAME
        return read.name_part(self._cell(field, cells))

    def _language(self, cells: Sequence[str], remarks: list[str]) -> Language:
        text = read.plain(self._cell(Field.LANGUAGE, cells))
        found = read.language(text) if text else Language.FI
        if found is None:
            remarks.append(f"The language {read.quoted(text)} is not fi, sv or en: Finnish was taken.")
        return found or Language.FI

    def _last_visit(self, cells: Sequence[str], remarks: list[str]) -> date | None:
        cell = self._cell(Field.LAST_VISIT, cells)
        if not read.plain(cell):
            return None
        day = local_date(read.span(cell, self.zone)[0], self.zone)
        if day > local_date(self.now, self.zone):
            remarks.append("The last visit lies in the future and was left out.")
            return None
        return day

    def _answers(self, cells: Sequence[str], remarks: list[str]) -> Iterator[RowAnswer]:
        for question in self.questions:
            reply = question.reply_in(cells)
            if reply is Reply.NOT_ASKED:
                yield from question.answers(reply, (None, None))
                continue
            times = question.times_in(cells, self.zone, self.now, reply, remarks)
            asked = (self._place(question, cells, remarks), self._wording(question, cells))
            yield from question.answers(reply, times, asked)

    def _place(self, question: AnswerCells, cells: Sequence[str], remarks: list[str]) -> Place | None:
        text = read.plain(question.place.cell(cells)) if question.place else ""
        if not text:
            return question.question.place
        found = read.place(text)
        if found is None:
            remarks.append(f"The place {read.quoted(text)} is not known: the answer is kept without one.")
        return found

    def _wording(self, question: AnswerCells, cells: Sequence[str]) -> str | None:
        own = read.wording(question.wording.cell(cells)) if question.wording else None
        return own or question.question.wording

    def _rejected(self, rejected: RejectedRow, cells: Sequence[str]) -> RejectedRow:
        """Add what a rejected row still says: who it is about, and their noes."""
        named = self.names(cells)
        if named is not None:
            rejected = replace(rejected, external_id=named.external_id, email=named.email, phone=named.phone)
        return replace(rejected, noes=tuple(self._noes(cells)))

    def _noes(self, cells: Sequence[str]) -> Iterator[RowAnswer]:
        for question in self.questions:
            reply = Reply.NOT_ASKED
            times: tuple[datetime | None, datetime | None] = (None, None)
            with suppress(CellError):
                reply = question.reply_in(cells)
                times = question.times_in(cells, self.zone, self.now, reply, [])
            if reply in REFUSALS:
                yield from question.answers(reply, times)
