"""The count that the audit is held against: it uses nothing of the program, and counts what its files say."""

import ast
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from tests.story import independent
from tests.story.independent import Said, count, fullest, read

YES = datetime(2027, 1, 10, 9, tzinfo=UTC)
WHOSE = {"a@posti.example": 1, "+358401230001": 1, "b@posti.example": 2}


def test_it_shares_no_code_with_the_program() -> None:
    """Nothing but the standard library is imported."""
    tree = ast.parse(Path(independent.__file__).read_text("utf-8"))
    named = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    named |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in named} <= sys.stdlib_module_names


def filed(folder: Path, *messages: tuple[str, str, str, str]) -> Path:
    """File messages as a carrier does: kind, address, instant, and what it says."""
    for number, (kind, address, at, words) in enumerate(messages):
        envelope = f"X-Rcpt-Args: <{address}>\nX-Taken-At: {at}\n"
        (folder / f"{number:05}.{kind}").write_bytes((envelope + words).encode())
    return folder


def test_it_counts_what_the_files_say(tmp_path: Path) -> None:
    """Campaigns by their first local date, messages by theirs, mail of no campaign apart, and a no that came before."""
    folder = filed(
        tmp_path,
        ("mail", "a@posti.example", "2027-03-01T08:00:00+00:00", "From: x\r\nSubject: Kampanja c1\r\n\r\nHei"),
        ("mail", "b@posti.example", "2027-03-01T22:30:00+00:00", "Subject: Kampanja c1\r\n\r\nHei"),
        ("sms", "+358401230001", "2027-12-31T22:30:00+00:00", "Hoito 49 e c2"),
        ("mail", "a@posti.example", "2027-03-02T08:00:00+00:00", "Subject: Vahvista\r\n\r\nHei"),
    )
    paper = [
        Said(1, "email", yes=True, since=YES, handed_in=YES),
        Said(2, "email", yes=True, since=YES, handed_in=YES),
        Said(2, None, yes=False, since=YES + timedelta(days=1), handed_in=YES + timedelta(days=1)),
    ]
    counted = count(read(folder), paper, WHOSE, 2027)
    assert ({"c1": date(2027, 3, 1)}, 2, {"email": 2}, {1: 2}) == (
        counted.first_days,
        counted.clients,
        counted.by_channel,
        counted.spread,
    )
    assert (1, 50, frozenset({2}), {"email": 1}) == (counted.agreed, counted.oldest, counted.said_no, counted.other)
    assert ({"c2": date(2028, 1, 1)}, 0, 2) == (
        (after := count(read(folder), paper, WHOSE, 2028)).first_days,
        after.agreed,
        after.most,
    )


def test_a_yes_that_was_handed_in_later_is_no_yes_yet() -> None:
    """What the studio's paper says today was not known before it was shown."""
    late = Said(1, "email", yes=True, since=YES, handed_in=YES + timedelta(days=9))
    mail = independent.Taken(YES + timedelta(days=5), "a@posti.example", "email", "c1")
    assert (0, 1) == tuple(
        count([each], [late], WHOSE, 2027).agreed
        for each in (mail, independent.Taken(YES + timedelta(days=9), "a@posti.example", "email", "c1"))
    )


def test_a_window_is_half_open() -> None:
    """A date and the one 365 days after it are not in one window, and only windows that touch the year count."""
    assert (1, 2) == (
        fullest([date(2027, 1, 2), date(2028, 1, 2)], 2027),
        fullest([date(2027, 1, 3), date(2028, 1, 2)], 2027),
    )
    assert 0 == fullest([date(2025, 12, 31)], 2027)
