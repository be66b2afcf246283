"""What a year's audit adds up beside the campaigns: noes and how fast they took effect, requests, and other mail."""

from datetime import date, timedelta

import pytest

from dispatcher.rules.audit_beside import AskedRecord
from dispatcher.rules.campaign import Channel
from dispatcher.rules.ledger import EntryKind, Json, stamp
from dispatcher.rules.message import MessageState
from tests.rules.audit_book import ANNA, ASKED, BERTTA, DAY, MARCH, Book, noon


def said_no(book: Book, client: int, day: date, *, before: timedelta = timedelta(0), **more: Json) -> int:
    """Write a no recorded on a day and said so long before."""
    said = stamp(noon(day) - before)
    body: dict[str, Json] = {"reply": "withdrawn", "not_before": said, "not_after": said, "place": "link"}
    return book.write(EntryKind.ANSWER, noon(day), {**body, "wording": None, **more}, client=client)


def test_a_no_is_counted_by_who_where_and_how_long_it_took() -> None:
    """L-01, L-10: from the earliest moment at which it can have been said to the entry every verdict reads."""
    book = Book()
    said_no(book, ANNA, MARCH)
    said_no(book, BERTTA, MARCH, before=timedelta(hours=3), place="desk")
    said_no(book, BERTTA, MARCH, not_before=None, not_after=None, place=None, reply="declined")
    said_no(book, ANNA, date(2025, 12, 31))
    noes = book.recount.beside.no_check.noes
    assert ({ANNA, BERTTA}, {0: 1, 10_800: 1}, 1) == (noes.clients, dict(noes.seconds), noes.untimed)
    assert {"link": 1, "desk": 1, "unknown": 1} == dict(noes.by_place)
    assert {"withdrawn": 2, "declined": 1} == dict(noes.by_reply)


def test_the_year_of_a_no_is_that_of_its_local_date() -> None:
    """A no recorded in the last hour of a year by UTC is of the next one where the studio is."""
    book = Book()
    body: dict[str, Json] = {
        "reply": "withdrawn",
        "not_before": None,
        "not_after": None,
        "place": "link",
        "wording": None,
    }
    book.write(EntryKind.ANSWER, noon(date(2025, 12, 31)) + timedelta(hours=13), body, client=ANNA)
    book.write(EntryKind.ANSWER, noon(date(2026, 12, 31)) + timedelta(hours=13), body, client=BERTTA)
    assert {ANNA} == book.recount.beside.no_check.noes.clients


def test_a_message_in_hand_when_the_no_comes_is_told_apart() -> None:
    """Invariant 4: what was being handed over at that moment, and what left afterwards."""
    book = Book()
    yes = book.answer(ANNA, "granted", ASKED)
    other = book.answer(BERTTA, "granted", ASKED)
    book.begin(1, MARCH)
    for client, answer in ((ANNA, yes), (BERTTA, other)):
        book.plan(1, client, MARCH)
        if client == ANNA:
            book.send(1, client, MARCH, answer)
        said_no(book, client, MARCH)
    book.outcome(1, ANNA, MARCH)
    book.send(1, BERTTA, MARCH, other)
    noes = book.recount.beside.no_check.noes
    assert (1, 1, 1) == (noes.in_hand, noes.in_hand_left, noes.left_after)


def test_a_message_that_is_recalled_in_time_did_not_leave() -> None:
    """Invariant 4: what was in hand and was not given away is told apart from what left all the same."""
    book = Book()
    yes = book.answer(ANNA, "granted", ASKED)
    book.begin(1, MARCH)
    book.plan(1, ANNA, MARCH)
    book.send(1, ANNA, MARCH, yes)
    said_no(book, ANNA, MARCH)
    said_no(book, ANNA, MARCH)
    book.outcome(1, ANNA, MARCH, "refused")
    noes = book.recount.beside.no_check.noes
    assert (1, 0, 0) == (noes.in_hand, noes.in_hand_left, noes.left_after)


@pytest.mark.parametrize(
    ("channel", "reply", "left"), [("sms", "withdrawn", 0), ("email", "withdrawn", 1), (None, "declined", 1)]
)
def test_a_no_to_one_channel_closes_that_channel(channel: str | None, reply: str, left: int) -> None:
    """L-01: a no that names a channel says nothing of a message by another."""
    book = Book()
    yes = book.answer(ANNA, "granted", ASKED)
    book.begin(1, MARCH)
    book.plan(1, ANNA, MARCH)
    no: dict[str, Json] = {"reply": reply, "not_before": None, "not_after": None, "place": "desk", "wording": None}
    book.write(EntryKind.ANSWER, noon(MARCH), no, client=ANNA, channel=Channel(channel) if channel else None)
    book.send(1, ANNA, MARCH, yes)
    assert left == book.recount.beside.no_check.noes.left_after


def test_a_later_yes_opens_again_what_a_no_had_closed() -> None:
    """L-07: a message after a new yes did not leave after a no."""
    book = Book()
    said_no(book, ANNA, MARCH - 2 * DAY)
    yes = book.answer(ANNA, "granted", noon(MARCH) - DAY)
    book.begin(1, MARCH)
    book.whole(1, ANNA, MARCH, yes)
    assert 0 == book.recount.beside.no_check.noes.left_after


def test_what_waited_for_somebody_who_said_no_is_counted() -> None:
    """Invariant 4: a message that was waiting and is withheld for the no; one never planned is not such a one."""
    book = Book()
    book.answer(ANNA, "granted", ASKED)
    book.begin(1, MARCH)
    name = book.plan(1, ANNA, MARCH)
    said_no(book, ANNA, MARCH)
    for more in ({"message": name}, {}):
        about: dict[str, Json] = {"reason": "objection", "at": "withdrawal", **more}
        book.write(EntryKind.WITHHELD, noon(MARCH), about, client=ANNA, campaign=1)
    assert 1 == book.recount.beside.no_check.noes.withheld


def service(book: Book, event: str, day: date, name: str = "a", **more: Json) -> None:
    """Write what happened to a service message."""
    body: dict[str, Json] = {"event": event, "purpose": "receipt", "message": name, **more}
    book.write(EntryKind.SERVICE, noon(day), body, channel=Channel.EMAIL)


def test_other_mail_is_counted_where_it_ended() -> None:
    """E-34: a deferred message that goes at the second attempt counts once, as what became of it at last."""
    book = Book()
    for event, outcome in (
        ("asked", None),
        ("sent", None),
        ("outcome", "deferred"),
        ("sent", None),
        ("outcome", "accepted"),
    ):
        service(book, event, MARCH, **({"outcome": outcome} if outcome else {}))
    service(book, "asked", MARCH, "b")
    service(book, "withheld", MARCH, "b", reason="too_many")
    service(book, "sent", MARCH, "c")
    service(book, "outcome", MARCH, "c", outcome="unknown")
    service(book, "outcome", MARCH, "c", outcome="accepted")
    [record] = book.recount.beside.letters.records.values()
    standing = {state: many for state, many in record.standing.items() if many}
    assert (2, {MessageState.ACCEPTED: 2, MessageState.WITHHELD: 1}) == (record.asked, standing)


def test_other_mail_is_of_the_year_in_which_it_first_went() -> None:
    """A message handed over on New Year's Eve and known to have been taken in the new year is of the old one."""
    book = Book()
    service(book, "sent", date(2025, 12, 31))
    service(book, "outcome", date(2026, 1, 1), outcome="accepted")
    service(book, "sent", date(2026, 12, 31), "b")
    service(book, "outcome", date(2027, 1, 1), "b", outcome="accepted")
    [record] = book.recount.beside.letters.records.values()
    assert {MessageState.ACCEPTED: 1} == {state: many for state, many in record.standing.items() if many}


def request(book: Book, event: str, day: date, number: int = 1, **more: Json) -> None:
    """Write what happened to a request for access."""
    body: dict[str, Json] = {"event": event, "request": number, "kind": "access", **more}
    book.write(EntryKind.REQUEST, noon(day), body, client=ANNA)


def test_an_answer_within_a_month_is_in_time_and_one_after_it_is_not() -> None:
    """L-30: the answer is due one month on, and a late one is named with its entries."""
    book = Book()
    request(book, "opened", MARCH)
    request(book, "closed", date(2026, 4, 3), outcome="done")
    request(book, "opened", MARCH, 2)
    request(book, "closed", date(2026, 4, 4), 2, outcome="refused", why="unfounded")
    request(book, "opened", MARCH, 3)
    requests = book.recount.beside.requests
    record = requests.records["access"]
    assert (3, {31: 1, 32: 1}, 1, 1, 1) == (
        record.opened,
        dict(record.days),
        record.refused,
        record.late,
        record.open,
    )
    late = (
        "A request for access of client 11 (entry 3) was due on 2026-04-03 and got its answer on 2026-04-04 (entry 4)."
    )
    assert [late] == requests.overdue(date(2026, 4, 3))
    assert [late, "A request for access of client 11 (entry 5) has no answer; it was due on 2026-04-03."] == (
        requests.overdue(date(2026, 4, 4))
    )


def test_the_last_look_at_who_was_asked_stands() -> None:
    """The share is that of the last count before the year's end, with its day; a later year's does not count."""
    book = Book()
    for day, asked in ((date(2025, 11, 2), 80), (date(2026, 11, 2), 94), (date(2027, 1, 2), 99)):
        body: dict[str, Json] = {"event": "looked_over", "visited": 100, "asked": asked}
        book.write(EntryKind.IMPORT, noon(day), body)
    assert AskedRecord(date(2026, 11, 2), 100, 94) == book.recount.beside.asked


def test_holds_and_restores_of_the_year_are_counted() -> None:
    """Each time a campaign was held counts, by its reason, and each copy put back."""
    book = Book()
    for day, reason in ((MARCH, "late"), (MARCH + DAY, "late"), (MARCH + 2 * DAY, None), (date(2025, 3, 3), "late")):
        book.write(EntryKind.CAMPAIGN, noon(day), {"event": "held", "reason": reason}, campaign=1)
    book.write(EntryKind.RESTORE, noon(MARCH), {"event": "replayed"})
    beside = book.recount.beside
    assert ({"late": 2, "by_hand": 1}, 1) == (dict(beside.held), beside.restores)


def test_a_complaint_after_a_message_is_counted_with_its_campaign() -> None:
    """E-54: who complained about a campaign said no after it, too."""
    book = Book()
    yes = book.answer(ANNA, "granted", ASKED)
    book.begin(1, MARCH)
    book.whole(1, ANNA, MARCH, yes)
    said_no(book, ANNA, MARCH, place="complaint")
    record = book.recount.campaigns[1]
    assert (1, 1) == (record.opted_out_after, record.complained)
