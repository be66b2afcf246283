"""The campaigns of a recounted year: their states and slots, and what was told of their messages afterwards."""

from datetime import date

import pytest

from dispatcher.rules.audit_counts import reach, slot_findings, slot_remarks
from dispatcher.rules.budget import Slot
from dispatcher.rules.campaign import Channel, State
from dispatcher.rules.ledger import EntryKind, Json, StoredEntry
from dispatcher.rules.message import MessageState
from tests.rules.audit_book import ANNA, ASKED, BERTTA, DAY, MARCH, Book, noon


def test_a_campaign_is_told_by_its_entries_to_the_end() -> None:
    """Planned, withheld at planning and later, its states, and who left after it."""
    book = Book()
    yes, other = (book.answer(client, "granted", ASKED) for client in (ANNA, BERTTA))
    book.begin(1, MARCH)
    book.write(EntryKind.WITHHELD, noon(MARCH), {"reason": "restricted", "at": "planning"}, client=13, campaign=1)
    book.whole(1, ANNA, MARCH, yes)
    name = book.plan(1, BERTTA, MARCH)
    late = {"reason": "objection", "at": "delivery", "message": name}
    book.write(EntryKind.WITHHELD, noon(MARCH), late, client=BERTTA, campaign=1)
    book.write(EntryKind.CAMPAIGN, noon(MARCH), {"event": "finished"}, campaign=1)
    for client in (ANNA, ANNA, BERTTA):
        book.answer(client, "withdrawn", noon(MARCH) + DAY, None)
    assert [] == book.findings()
    record = book.recount.campaigns[1]
    assert (State.FINISHED, "spent", MARCH) == (record.state, record.slot, record.day)
    assert (2, {"restricted": 1, "objection": 1}) == (record.planned.total(), dict(record.withheld))
    assert (1, 2) == (record.opted_out_after, other)


def test_a_released_campaign_keeps_its_name() -> None:
    """A release is an entry with the word of the first scheduling and nothing more."""
    book = Book()
    book.begin(1, MARCH)
    book.write(EntryKind.CAMPAIGN, noon(MARCH), {"event": "held", "reason": "by_hand"}, campaign=1)
    book.write(EntryKind.CAMPAIGN, noon(MARCH), {"event": "scheduled", "reason": None}, campaign=1)
    assert ("c1", State.SCHEDULED) == (book.recount.campaigns[1].name, book.recount.campaigns[1].state)


def test_a_restore_makes_open_messages_unknown_without_a_finding() -> None:
    """L-34: what an older copy knew as waiting counts on the day its campaign began, and is told apart."""
    book = Book()
    book.answer(ANNA, "granted", ASKED)
    book.begin(1, MARCH)
    body = {"message": book.plan(1, ANNA, MARCH), "outcome": "unknown", "code": "restored", "day": MARCH.isoformat()}
    book.write(EntryKind.OUTCOME, noon(MARCH), body, client=ANNA, campaign=1)
    restore = book.write(EntryKind.RESTORE, noon(MARCH), {"event": "replayed"})
    assert [] == book.findings()
    assert ([restore], 1) == (book.recount.restored, book.recount.clients.most())
    assert (1, 0) == (book.recount.agreement.restored, book.recount.agreement.messages.total())


def test_a_slot_that_changes_after_it_was_spent_is_a_finding() -> None:
    """L-23: a spent slot never comes back."""
    book = Book()
    book.begin(1, MARCH)
    back = book.write(EntryKind.SLOT, noon(MARCH), {"event": "returned"}, campaign=1)
    assert [f"Entry {back} (slot) changes the slot of campaign 1, which had been spent."] == book.findings()
    assert [Slot(MARCH, "T")] == book.recount.spent()


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"event":"taken","day":"2026-02-30"}'])
def test_an_entry_that_cannot_be_read_is_named(body: str) -> None:
    """The count goes on over an entry that somebody has damaged."""
    book = Book()
    book.recount.take(StoredEntry(7, 1, "slot", ASKED, "duty:test", None, 3, None, body, ""))
    assert ["Entry 7 (slot) cannot be read."] == book.findings()


def test_findings_beyond_some_hundreds_are_counted_and_not_held() -> None:
    """A ledger that is wrong from end to end does not fill the memory."""
    book = Book()
    for _ in range(600):
        book.outcome(1, ANNA, MARCH)
    assert (500, 100) == (len(book.findings()), book.recount.unnamed)


def test_a_thirteenth_slot_is_a_finding_in_a_calendar_year_and_in_365_days() -> None:
    """L-23: twelve in any calendar year and in any 365 local dates that touch it."""
    across = [Slot(date(2025, 8, 1) + 28 * DAY * number, "T") for number in range(13)]
    assert ["13 campaigns went out within 365 days that touch 2026; the promise is 12 at most."] == slot_findings(
        2026, across
    )
    within = [Slot(date(2026, 1, 1), "T"), *(Slot(date(2026, month, 28), "T") for month in range(1, 13))]
    assert 2 == len(slot_findings(2026, within))
    assert [] == slot_findings(2026, within[1:])


@pytest.mark.parametrize(
    ("today", "spent", "says"),
    [
        (date(2027, 1, 1), 6, []),
        (date(2027, 1, 1), 5, ["5 campaigns went out in 2026, fewer than the 6 that clients were told to expect."]),
        (date(2026, 12, 31), 9, ["2026 is still running: 9 campaigns so far, 6 to 12 are promised."]),
        (date(2025, 12, 31), 0, ["2026 has not begun."]),
    ],
)
def test_few_campaigns_or_a_running_year_are_a_remark(today: date, spent: int, says: list[str]) -> None:
    """The floor of six is reported, never forced."""
    assert says == slot_remarks(2026, spent, today)


@pytest.mark.parametrize(
    ("year", "first", "last"),
    [
        (1, date(1, 1, 1), date(2, 12, 30)),
        (2026, date(2025, 1, 2), date(2027, 12, 30)),
        (9998, date(9997, 1, 2), date(9999, 12, 30)),
        (9999, date(9998, 1, 2), date(9999, 12, 31)),
    ],
)
def test_a_year_reaches_no_further_than_dates_do(year: int, first: date, last: date) -> None:
    """L-23: every window of 365 days that touches the year is looked at, as far as there are dates."""
    assert (first, last) == reach(year)


def later(book: Book, told: str | None, was: str | None = None, campaign: int = 1) -> None:
    """Write what was told of a message after its outcome."""
    body: dict[str, Json] = {"message": f"{campaign}-{ANNA}", "later": told, "was": was}
    book.write(EntryKind.LATER, noon(MARCH), body, client=ANNA, campaign=campaign)


def test_an_unknown_is_given_up_and_may_still_be_told() -> None:
    """What nobody can tell counts as unknown, given up once; told after all, it is accepted and counts once still."""
    book = Book()
    book.begin(1, MARCH)
    book.whole(1, ANNA, MARCH, book.answer(ANNA, "granted", ASKED), "unknown")
    later(book, "may_have_arrived")
    later(book, "may_have_arrived")
    record = book.recount.campaigns[1]
    assert (1, 1) == (record.given_up, record.standing[MessageState.UNKNOWN, Channel.EMAIL])
    book.outcome(1, ANNA, MARCH)
    assert (0, 1) == (record.given_up, record.standing[MessageState.ACCEPTED, Channel.EMAIL])
    assert 1 == book.recount.clients.reached()
    assert [] == book.findings()


def test_a_message_that_is_known_cannot_be_given_up() -> None:
    """Giving up on a message of which everything is known is a finding that names its entry."""
    book = Book()
    book.begin(1, MARCH)
    book.whole(1, ANNA, MARCH, book.answer(ANNA, "granted", ASKED))
    later(book, "may_have_arrived")
    [finding] = book.findings()
    assert "gives up on a message that was not unknown" in finding


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ([("delivered", None)], {"delivered": 1}),
        ([("delivered", "sent"), ("undelivered", "delivered")], {"undelivered": 1}),
        ([("undelivered", None), ("undelivered", "undelivered")], {"undelivered": 1}),
        ([(None, None), ("failed", "sending")], {"failed": 1}),
    ],
)
def test_what_was_told_afterwards_is_no_second_outcome(
    told: list[tuple[str | None, str | None]], expected: dict[str, int]
) -> None:
    """S-27: delivered and undelivered stand beside the outcome: the last word counts, once, and nothing else moves."""
    book = Book()
    book.begin(1, MARCH)
    book.whole(1, ANNA, MARCH, book.answer(ANNA, "granted", ASKED))
    for word, was in told:
        later(book, word, was)
    record = book.recount.campaigns[1]
    assert expected == {word: count for word, count in record.later.items() if count}
    assert 1 == record.standing[MessageState.ACCEPTED, Channel.EMAIL]
    assert [] == book.findings()
