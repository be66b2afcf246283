"""A register as a real studio has it: names, addresses, a yes and a last visit; no time, no words, no evidence."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from dispatcher.flow.enrol import EnrolReport
from dispatcher.rules.campaign import Channel
from dispatcher.rules.source import Occasion, Question, Source
from dispatcher.wiring import Dispatcher
from tests.clock import FixedClock
from tests.spreadsheets import Cell, write_workbook
from tests.workshop import Doubles, Workshop, build

FEBRUARY = datetime(2026, 2, 10, 8, 0, tzinfo=UTC)
"""The moment of the campaign: a yes given before 10 February 2025 is too old then."""
HEADER: list[Cell] = ["Nimi", "Sähköposti", "Puhelin", "Markkinointilupa", "Viimeisin käynti"]
ROWS: list[list[Cell]] = [
    ["Recent Visit", "recent@posti.example", "040 123 4501", "x", date(2026, 1, 20)],
    ["Number Typed", "typed@posti.example", 401234502, True, date(2025, 12, 1)],
    ["Just Young", "young@posti.example", "040 123 4503", "x", date(2025, 5, 12)],
    ["Just Old", "old@posti.example", "040 123 4504", "x", date(2025, 5, 11)],
    ["Before Question", "before@posti.example", "040 123 4505", "x", date(2025, 2, 5)],
    ["Said No", "no@posti.example", "040 123 4506", "ei", date(2026, 1, 20)],
    ["Never Asked", "never@posti.example", "040 123 4507", None, date(2026, 1, 20)],
    ["No Visit", "nowhere@posti.example", "040 123 4508", "x", None],
    ["Only Phone", None, "040 123 4509", "x", date(2026, 1, 20)],
]
REACHED = ["recent@posti.example", "typed@posti.example", "young@posti.example"]


@pytest.fixture
def studio(
    tmp_path: Path, clock: FixedClock, database_url: str, journal_url: str, doubles: Doubles
) -> Iterator[tuple[Workshop, Dispatcher]]:
    """Give an open installation on the first of February, with a campaign nine days ahead."""
    clock.set(datetime(2026, 2, 1, 9, 0, tzinfo=UTC))
    workshop = build(tmp_path / "studio", clock, database_url, journal_url, doubles)
    with workshop.opened() as opened:
        path = workshop.directory / "campaigns" / "2026-02-ystavanpaiva.toml"
        opened.schedule.run(path, opened.persons.acting(None))
        yield workshop, opened


def as_text(workshop: Workshop) -> Path:
    """Write the export as CSV."""
    lines = [";".join(_written(cell) for cell in row) for row in ROWS]
    return workshop.register(*lines, header=";".join(str(name) for name in HEADER))


def as_spreadsheet(workshop: Workshop) -> Path:
    """Write the export as XLSX."""
    return write_workbook(workshop.directory / "register.xlsx", {"Asiakkaat": [HEADER, *ROWS]})


def _written(cell: Cell) -> str:
    if isinstance(cell, date):
        return f"{cell.day}.{cell.month}.{cell.year}"
    return "" if cell is None else str(cell)


def tell(opened: Dispatcher, workshop: Workshop) -> None:
    """Tell once how this register asks, as `dispatcher consent source add` does."""
    picture = workshop.directory / "lomake.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    words = "Saammeko lähettää sinulle tarjouksia sähköpostitse?"
    question = Question("markkinointilupa", (Channel.EMAIL,), words)
    source = Source("Slotti", (question,), date(2025, 2, 10), is_box_empty=True, occasion=Occasion.VISIT)
    opened.sources.add(source, picture, opened.persons.acting(None))


def counted(report: EnrolReport) -> tuple[dict[str, int], dict[str, int]]:
    """Return who may be written to, and why the rest may not."""
    assert report.may_write is not None
    return dict(report.may_write.send), dict(report.may_write.withhold)


@pytest.mark.parametrize("export", [as_text, as_spreadsheet], ids=["csv", "xlsx"])
def test_a_bare_export_with_its_source_reaches_people(
    studio: tuple[Workshop, Dispatcher], doubles: Doubles, export: Callable[[Workshop], Path]
) -> None:
    """L-04, L-07, L-08: who visited lately gets the mail; too old, before the question, no and unasked do not."""
    workshop, opened = studio
    actor = opened.persons.acting(None)
    path = export(workshop)
    send, withheld = counted(opened.enrol.run(path, actor))
    assert {} == send
    assert 6 == withheld["consent_time_unknown"]

    tell(opened, workshop)
    report = opened.enrol.run(path, actor)
    send, withheld = counted(report)
    assert {"email": 4} == send  # one of them only until the tenth of February
    assert 2 == withheld["consent_time_unknown"]
    assert [6, 9] == [row for row, remark in report.remarks if "no time that could be used" in remark]
    assert [3] == [row for row, remark in report.remarks if "lost its leading zero" in remark]

    workshop.clock.set(FEBRUARY)
    asyncio.run(opened.rounds.once())
    assert REACHED == doubles.mailed()
    assert [] == doubles.texted()
    audit = opened.audit.year(2026)
    assert () == audit.findings
    assert opened.audit.verify().ok


def test_without_the_source_nobody_is_written_to(studio: tuple[Workshop, Dispatcher], doubles: Doubles) -> None:
    """L-04: the same campaign over the same export sends nothing while nobody has told how the register asks."""
    workshop, opened = studio
    opened.enrol.run(as_text(workshop), opened.persons.acting(None))
    workshop.clock.set(FEBRUARY)
    asyncio.run(opened.rounds.once())
    assert ([], []) == (doubles.mailed(), doubles.texted())
    assert opened.audit.verify().ok
