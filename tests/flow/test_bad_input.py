"""What a register may hold by mistake or malice: each has a clear sentence, and changes nothing else."""

import time
import tracemalloc
from dataclasses import dataclass
from pathlib import Path

import pytest

from dispatcher.errors import RegisterFileError
from dispatcher.rules.ledger import EntryKind
from dispatcher.storage import ledger
from dispatcher.wiring import Dispatcher
from tests.spreadsheets import Cell, write_workbook
from tests.workshop import HEADER, Workshop

MAIJA = "1;Maija;Meikäläinen;maija@posti.example;040 123 4567;fi;3.1.2026;kyllä;kyllä;3.1.2026"
MATTI = "2;Matti;Meikäläinen;matti@posti.example;040 123 4568;fi;3.1.2026;kyllä;kyllä;3.1.2026"
ABOUT_CLIENTS = [kind.value for kind in (EntryKind.CLIENT, EntryKind.ADDRESS, EntryKind.ANSWER)]


@dataclass(frozen=True, slots=True)
class Known:
    """What an installation knows of its clients."""

    clients: tuple[object, ...]
    entries: int


def known(dispatcher: Dispatcher) -> Known:
    """Return what is known now."""
    with dispatcher.store.reading() as connection:
        entries = sum(1 for _ in ledger.entries(connection, ABOUT_CLIENTS))
    return Known(tuple(dispatcher.register.listed("")), entries)


def cells(row: str) -> list[Cell]:
    """Return a row of the export as a spreadsheet has it."""
    return list(row.split(";"))


@pytest.mark.parametrize("form", ["csv", "xlsx"])
@pytest.mark.parametrize(
    ("fault", "column", "says"),
    [
        (("3.1.2026;kyllä;kyllä;3.1.2026", "3.1.2026;kyllä;kyllä;24.11.2026"), "lupa annettu", "lies in the future"),
        (("kyllä;3.1.2026", "kyllä;31.2.2026"), "lupa annettu", "there is no such date"),
        (("kyllä;3.1.2026", "kyllä;29.3.2026 03:30"), "lupa annettu", "skip this hour"),
        (("kyllä;kyllä", "ehkä;kyllä"), "markkinointilupa", "is not a reply"),
        (("Matti", '=HYPERLINK("x")'), "etunimi", "takes for a formula"),
        (("Matti", "M =?utf-8?q?=0ABcc:x?="), "etunimi", "encoded word"),
        (("Matti", "Mat\u202eti"), "etunimi", "hidden character (U+202E)"),
        (("Matti", "Mat\u200fti"), "etunimi", "hidden character (U+200F)"),
        (("Matti", "Mat\x7fti"), "etunimi", "hidden character (U+007F)"),
        (("matti@posti.example;040 123 4568", ";09 123 4567"), "sähköposti, puhelin", "not a mobile number"),
    ],
    ids=[
        *("future", "no such day", "skipped hour", "no reply", "formula", "encoded word", "right to left override"),
        *("right to left mark", "control", "landline alone"),
    ],
)
def test_one_bad_row_is_a_sentence_and_changes_nothing(
    workshop: Workshop, form: str, fault: tuple[str, str], column: str, says: str
) -> None:
    """The row is named with its column and the reason; its client and every other stay as they are."""
    assert fault[0] in MATTI
    bad = MATTI.replace(*fault)
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        dispatcher.enrol.run(workshop.register(MAIJA, MATTI), actor)
        before = known(dispatcher)
        path = (
            workshop.register(MAIJA, bad)
            if form == "csv"
            else write_workbook(workshop.directory / "r.xlsx", {"A": [cells(row) for row in (HEADER, MAIJA, bad)]})
        )
        report = dispatcher.enrol.run(path, actor)
        (rejected,) = report.rejected
        assert (3, column, True) == (rejected.row, rejected.column, says in rejected.reason)
        assert before == known(dispatcher)


def test_a_landline_is_left_out_and_the_mail_remains(workshop: Workshop) -> None:
    """S-08: a number that takes no text messages is left out with a remark, masked; the client is kept by email."""
    with workshop.opened() as dispatcher:
        path = workshop.register(MATTI.replace("040 123 4568", "09 1234 5678"))
        report = dispatcher.enrol.run(path, dispatcher.persons.acting(None))
        ((row, remark),) = report.remarks
        assert (2, True, False) == (
            row,
            "takes no text" in remark or "cannot take text" in remark,
            "1234 5678" in remark,
        )
        assert report.may_write is not None
        assert {"email": 1} == dict(report.may_write.send)


def test_a_column_nobody_named_is_named_and_dropped(workshop: Workshop) -> None:
    """L-43: a column whose name is like an answer's, and is not it, is dropped by name and never guessed."""
    with workshop.opened() as dispatcher:
        header = HEADER.replace("markkinointilupa", "markkinointi lupa")
        report = dispatcher.enrol.run(workshop.register(MAIJA, header=header), dispatcher.persons.acting(None))
        assert (("markkinointi lupa",), ("markkinointilupa",)) == (report.dropped, report.missing)
        assert report.may_write is not None
        assert {"sms": 1} == dict(report.may_write.send)


@pytest.mark.parametrize(
    ("beginning", "says"),
    [
        (HEADER.encode() + b'\n1;"Maija', "row 2: a quotation mark opens and never closes"),
        (b'"' + HEADER.encode(), "a quotation mark opens and never closes"),
        (HEADER.encode() + b"\n" + b"x" * 100, "the row is longer than 131,072 characters"),
        (b"PK\x03\x04", "broken spreadsheet"),
        (b"\xd0\xcf\x11\xe0", "of an old kind"),
    ],
    ids=["quote", "quote of the header", "endless row", "zip", "compound"],
)
def test_200_megabytes_that_hold_no_register(workshop: Workshop, tmp_path: Path, beginning: bytes, says: str) -> None:
    """A malformed file of 200 MB is refused within seconds and in bounded memory, and nothing changes."""
    path = tmp_path / "register.csv"
    with path.open("wb") as file:
        file.write(beginning)
        file.truncate(200_000_000)
    with workshop.opened() as dispatcher:
        before = known(dispatcher)
        tracemalloc.start()
        began = time.process_time()
        with pytest.raises(RegisterFileError) as refused:
            dispatcher.enrol.run(path, dispatcher.persons.acting(None))
        took, (_, peak) = time.process_time() - began, tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert says in str(refused.value)
        assert peak < 16_000_000
        assert took < 10
        assert before == known(dispatcher)
    path.unlink()
