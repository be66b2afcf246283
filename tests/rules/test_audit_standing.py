"""Whom no message may go to, whatever they answered: the audit finds each that went all the same."""

from datetime import timedelta

import pytest

from dispatcher.rules.ledger import EntryKind, Json
from tests.rules.audit_book import ANNA, ASKED, BERTTA, DAY, MARCH, Book, noon

_CLIENT, _REQUEST, _ERASED = EntryKind.CLIENT, EntryKind.REQUEST, EntryKind.ERASED
_Told = tuple[EntryKind, dict[str, Json]]


def _event(event: str) -> _Told:
    return _CLIENT, {"event": event}


def _request(event: str, number: int = 1) -> _Told:
    return _REQUEST, {"event": event, "request": number}


@pytest.mark.parametrize(
    ("told", "says"),
    [
        pytest.param([_event("gone")], "whom the register named no longer", id="gone"),
        pytest.param([_event("gone"), _event("back")], None, id="back"),
        pytest.param([_event("gone"), _event("back"), _event("gone")], "named no longer", id="gone again"),
        pytest.param([_event("child")], "who was marked as a child", id="a child"),
        pytest.param([_event("child"), _event("not_child")], None, id="no child after all"),
        pytest.param([_event("child"), _event("back")], "marked as a child", id="a child that is back"),
        pytest.param([_event("restricted")], "whose data was restricted", id="restricted"),
        pytest.param([_event("restricted"), _event("unrestricted")], None, id="unrestricted"),
        pytest.param([_request("opened")], "whose request was open", id="asking"),
        pytest.param([_request("opened"), _request("identified")], "request was open", id="known who asks"),
        pytest.param([_request("opened"), _request("closed")], None, id="answered"),
        pytest.param([_request("opened"), _request("opened", 2), _request("closed")], "request was open", id="two"),
        pytest.param([(_ERASED, {"reason": "request"})], "who had been erased", id="erased"),
        pytest.param([(_ERASED, {"reason": "age"}), _event("created")], None, id="erased and back"),
        pytest.param([_event("matched")], None, id="matched"),
        pytest.param([_event("something_new")], None, id="of a later version"),
    ],
)
def test_a_message_to_somebody_who_must_be_left_in_peace_is_a_finding(told: list[_Told], says: str | None) -> None:
    """L-11, L-38: gone, a child, restricted, asking for a right, erased: named with the entry that told of it."""
    book = Book()
    yes = book.answer(ANNA, "granted", ASKED)
    entries = [book.write(kind, ASKED + DAY, body, client=ANNA) for kind, body in told]
    other = book.answer(BERTTA, "granted", ASKED)
    book.begin(1, MARCH)
    send = book.whole(1, ANNA, MARCH, yes)
    book.whole(1, BERTTA, MARCH, other)
    findings = book.findings()
    assert ([] if says is None else [f"Entry {send} (send) went to client {ANNA}"]) == [
        finding.partition(",")[0] for finding in findings
    ]
    if says is not None:
        assert says in findings[0]
        assert any(f"(entry {entry})." in findings[0] for entry in entries)


@pytest.mark.parametrize("told", [_event("gone"), _event("child"), _request("opened"), (_ERASED, {"reason": "age"})])
def test_what_is_told_after_the_send_is_no_finding(told: _Told) -> None:
    """What nobody knew when the message went cannot be held against it."""
    book = Book()
    yes = book.answer(ANNA, "granted", ASKED)
    book.begin(1, MARCH)
    book.whole(1, ANNA, MARCH, yes)
    book.write(told[0], noon(MARCH) + DAY, told[1], client=ANNA)
    assert [] == book.findings()


@pytest.mark.parametrize(
    ("told", "after", "is_finding"),
    [
        (_event("gone"), timedelta(seconds=60), False),
        (_event("gone"), timedelta(seconds=61), True),
        (_request("opened"), timedelta(seconds=60), False),
        (_request("opened"), timedelta(seconds=61), True),
        (_event("child"), timedelta(0), True),
    ],
)
def test_a_message_decided_at_the_same_moment_is_no_finding(
    told: _Told,
    after: timedelta,
    is_finding: bool,  # noqa: FBT001 - a column of a table
) -> None:
    """A reading and a request wait for no message under way, so their number may come before one decided first."""
    book = Book()
    yes = book.answer(ANNA, "granted", ASKED)
    book.begin(1, MARCH)
    book.write(told[0], noon(MARCH) - after, told[1], client=ANNA)
    book.whole(1, ANNA, MARCH, yes)
    assert is_finding is bool(book.findings())


@pytest.mark.parametrize("event", ["purged", "confirmed", "removed"])
def test_an_erasing_run_is_about_nobody(event: str) -> None:
    """An entry of kind erased without a client tells of the run alone."""
    book = Book()
    yes = book.answer(ANNA, "granted", ASKED)
    book.write(_ERASED, ASKED, {"event": event, "age": 3})
    book.begin(1, MARCH)
    book.whole(1, ANNA, MARCH, yes)
    assert [] == book.findings()


@pytest.mark.parametrize(
    "kind",
    ["wording", "source", "notice", "block", "deleted", "service", "api_key", "keys", "person", "import", "opened"],
)
def test_what_no_verdict_uses_is_passed_over(kind: str) -> None:
    """Kinds that no verdict rests on change nothing in the audit, whatever they hold."""
    book = Book()
    yes = book.answer(ANNA, "granted", ASKED)
    book.write(EntryKind(kind), ASKED + DAY, {"event": "gone"}, client=ANNA)
    book.begin(1, MARCH)
    book.whole(1, ANNA, MARCH, yes)
    assert [] == book.findings()
    assert 1 == book.recount.agreement.agreed


@pytest.mark.parametrize("body", [{}, {"event": "opened"}, {"event": "closed", "request": "1"}])
def test_a_request_that_cannot_be_read_is_named(body: dict[str, Json]) -> None:
    """The count goes on over a request that somebody has damaged."""
    book = Book()
    entry = book.write(_REQUEST, ASKED, body, client=ANNA)
    assert [f"Entry {entry} (request) cannot be read."] == book.findings()
