"""The messages of a recounted year: had who got them agreed, and how often did they get one."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.rules.campaign import Channel
from dispatcher.rules.ledger import EntryKind, Json
from dispatcher.rules.message import MessageState
from tests.rules.audit_book import ANNA, ASKED, BERTTA, DAY, MARCH, Book, noon


def test_a_message_that_relied_on_a_standing_yes_is_counted_as_agreed() -> None:
    """The yes is counted by its age in local days and by the place where it was asked."""
    book = Book()
    yes = book.answer(ANNA, "granted", ASKED)
    book.begin(1, MARCH)
    book.whole(1, ANNA, MARCH, yes)
    assert [] == book.findings()
    agreement = book.recount.agreement
    assert (1, {52: 1}, {"in_person": 1}) == (agreement.agreed, dict(agreement.by_age), dict(agreement.by_place))
    assert {MessageState.ACCEPTED: 1} == dict(agreement.messages)


def test_a_message_accepted_after_a_withdrawal_is_a_finding() -> None:
    """Invariant 1: a no recorded before the Send, and not heard, is named with the Send and with the no."""
    book = Book()
    yes = book.answer(ANNA, "granted", ASKED)
    no = book.answer(ANNA, "withdrawn", ASKED + DAY, None)
    book.begin(1, MARCH)
    send = book.whole(1, ANNA, MARCH, yes)
    says = f"but the answers of client {ANNA} added up to withdrawn for email at that moment (entry {no})"
    assert [f"Entry {send} (send) relied on entry {yes}, {says}."] == book.findings()
    assert (0, 1) == (book.recount.agreement.agreed, book.recount.agreement.messages.total())


def test_a_withdrawal_recorded_after_the_send_is_no_finding() -> None:
    """What nobody had said when the message went cannot be held against it, whatever time it names."""
    book = Book()
    yes = book.answer(ANNA, "granted", ASKED)
    book.begin(1, MARCH)
    book.whole(1, ANNA, MARCH, yes)
    book.answer(ANNA, "withdrawn", ASKED + DAY, None)
    assert [] == book.findings()


@pytest.mark.parametrize(
    ("named", "says"),
    [
        ("nobody's", "which is no answer that client 11 had given by then"),
        ("another's", "which is no answer that client 11 had given by then"),
        ("a no", "which is no yes but says declined"),
        ("sms", "went by email and relied on entry 4, a yes to sms"),
        ("older", "but the yes that stood at that moment is entry 5"),
    ],
)
def test_a_message_that_names_the_wrong_answer_is_a_finding(named: str, says: str) -> None:
    """Invariant 1: the answer must be this client's own, a yes, to this channel, and the one that stood."""
    book = Book()
    entries = {
        "older": book.answer(ANNA, "granted", ASKED),
        "another's": book.answer(BERTTA, "granted", ASKED),
        "a no": book.answer(ANNA, "declined", ASKED - DAY),
        "sms": book.answer(ANNA, "granted", ASKED, Channel.SMS),
        "newest": book.answer(ANNA, "granted", ASKED + DAY),
        "nobody's": 999,
    }
    book.begin(1, MARCH)
    send = book.whole(1, ANNA, MARCH, entries[named])
    [finding] = book.findings()
    assert finding.startswith(f"Entry {send} (send) ")
    assert says in finding


def test_a_yes_older_than_a_year_is_a_finding_whatever_its_entry_says() -> None:
    """L-08: a yes stands as long as the settings of that day said, and never longer than 365 days."""
    late = (ASKED + 365 * DAY).date()
    book = Book(year=late.year)
    yes = book.answer(ANNA, "granted", ASKED)
    book.begin(1, late)
    book.plan(1, ANNA, late)
    book.send(1, ANNA, late, yes, valid_for_days=5_000)
    assert "added up to expired" in book.findings()[0]


def test_a_yes_counts_by_the_validity_of_its_day() -> None:
    """A validity shortened since makes no finding of a message that was right when it went."""
    book = Book(valid_for=10 * DAY)
    yes = book.answer(ANNA, "granted", ASKED)
    book.begin(1, MARCH)
    book.whole(1, ANNA, MARCH, yes)
    assert [] == book.findings()


def test_no_yes_carries_over_to_an_address_that_replaced_another() -> None:
    """L-31: an address added keeps the yes, one that takes another's place does not, and a new yes does."""
    book = Book()
    addresses: list[Json] = [{"email": 1}, {"sms": 2}, {"email": 3}]
    created: dict[str, Json] = {"event": "created", "addresses": addresses[0]}
    book.write(EntryKind.CLIENT, ASKED, created, client=ANNA)
    yes = book.answer(ANNA, "granted", ASKED + DAY)
    added: dict[str, Json] = {"event": "addresses_changed", "addresses": addresses[1]}
    book.write(EntryKind.CLIENT, ASKED + 2 * DAY, added, client=ANNA)
    book.begin(1, MARCH)
    book.whole(1, ANNA, MARCH, yes)
    replaced: dict[str, Json] = {"event": "addresses_changed", "addresses": addresses[2]}
    book.write(EntryKind.CLIENT, noon(MARCH) + DAY, replaced, client=ANNA)
    book.begin(2, MARCH + 2 * DAY)
    send = book.whole(2, ANNA, MARCH + 2 * DAY, yes)
    again = book.answer(ANNA, "granted", noon(MARCH) + 3 * DAY)
    book.begin(3, MARCH + 4 * DAY)
    book.whole(3, ANNA, MARCH + 4 * DAY, again)
    assert [
        f"Entry {send} (send) relied on entry {yes}, a yes to an address that another had replaced."
    ] == book.findings()


@pytest.mark.parametrize(
    ("sound", "source", "says"),
    [
        (True, 3, None),
        (True, None, None),
        (False, None, "added up to never_asked for email"),
        (False, 3, "added up to never_asked for email"),
    ],
)
def test_a_yes_to_an_unsound_question_is_none(
    sound: bool,  # noqa: FBT001 - a column of a table
    source: int | None,
    says: str | None,
) -> None:
    """L-03: the audit folds answers as the gate does, those of a source and those ticked beforehand included."""
    book = Book()
    yes = book.answer(ANNA, "granted", ASKED, sound=sound, source=source)
    book.begin(1, MARCH)
    book.whole(1, ANNA, MARCH, yes)
    findings = book.findings()
    assert (says is not None) is bool(findings)
    assert says is None or says in findings[0]


def test_a_deferred_message_counts_once_and_a_refused_one_never() -> None:
    """L-23: a message counts from its last intent, unless it was refused or deferred."""
    book = Book()
    yes = book.answer(ANNA, "granted", ASKED)
    other = book.answer(BERTTA, "granted", ASKED)
    book.begin(1, MARCH)
    book.plan(1, ANNA, MARCH)
    for step in range(3):
        book.send(1, ANNA, MARCH + step * DAY, yes)
        book.outcome(1, ANNA, MARCH + step * DAY, "deferred" if step < 2 else "unknown")
    book.whole(1, BERTTA, MARCH, other, "refused")
    assert [] == book.findings()
    recount, email = book.recount, Channel.EMAIL
    assert (1, 1, 1) == (recount.clients.most(), recount.addresses.most(), recount.clients.reached())
    assert {(MessageState.UNKNOWN, email): 1, (MessageState.REFUSED, email): 1} == +recount.campaigns[1].standing


@pytest.mark.parametrize("outcome", ["accepted", "unknown"])
def test_a_message_handed_over_again_is_a_finding(outcome: str) -> None:
    """E-51, L-24: what was accepted, or may have been, must not go again; both Sends are named."""
    book = Book()
    yes = book.answer(ANNA, "granted", ASKED)
    book.begin(1, MARCH)
    first = book.whole(1, ANNA, MARCH, yes, outcome)
    second = book.send(1, ANNA, MARCH + DAY, yes)
    again = f"Entry {second} (send) sends campaign 1 to"
    assert [
        f"Entry {second} (send) hands over a message that was not waiting to go.",
        f"{again} client {ANNA} again, after entry {first}.",
        f"{again} address {ANNA + 100} again, after entry {first}.",
    ] == book.findings()
    assert 2 == book.recount.clients.most()


def test_a_message_of_a_campaign_without_a_spent_slot_is_a_finding() -> None:
    """L-23: nothing leaves before the slot is spent."""
    book = Book()
    yes = book.answer(ANNA, "granted", ASKED)
    book.plan(1, ANNA, MARCH)
    send = book.send(1, ANNA, MARCH, yes)
    assert [f"Entry {send} (send) sends campaign 1, whose slot had not been spent."] == book.findings()


def test_thirteen_messages_within_365_days_are_a_finding_that_names_them() -> None:
    """L-23: the thirteenth within 365 local dates breaks the promise; one that lies 365 days later does not."""
    book = Book()
    yes = book.answer(ANNA, "granted", ASKED)
    days = [MARCH + 28 * DAY * number for number in range(13)]
    sends = []
    for number, day in enumerate(days):
        book.begin(number, day)
        sends.append(book.whole(number, ANNA, day, yes))
    book.begin(99, MARCH + 365 * DAY)
    book.whole(99, ANNA, MARCH + 365 * DAY, yes)
    named = ", ".join(map(str, sends))
    assert [
        f"{who} got 13 messages in the 365 days from {MARCH} on; the promise is 12 at most (entries {named})."
        for who in (f"Client {ANNA}", f"Address {ANNA + 100}")
    ] == book.findings()[-2:]


_Sent = tuple[int, int, str]


@given(
    st.lists(
        st.tuples(
            st.integers(0, 2), st.integers(-500, 900), st.sampled_from(["accepted", "unknown", "refused", "deferred"])
        ),
        max_size=60,
    )
)
def test_the_most_in_365_days_is_what_a_recount_by_hand_gives(history: list[_Sent]) -> None:
    """L-23: whatever was sent to whom and when, the figure is that of the fullest window that touches the year."""
    book = Book()
    counted: list[tuple[int, date]] = []
    for number, (client, offset, outcome) in enumerate(history):
        day = date(2026, 1, 1) + offset * DAY
        book.begin(number, day)
        book.whole(number, client, day, 0, outcome)
        if outcome in {"accepted", "unknown"}:
            counted.append((client, day))
    windows = [date(2026, 1, 1) - 364 * DAY + step * DAY for step in range(364 + 365)]
    most = max(
        sum(who == client and start <= day < start + 365 * DAY for who, day in counted)
        for start in windows
        for client in range(3)
    )
    assert (most, most) == (book.recount.clients.most(), book.recount.addresses.most())
    assert len({client for client, day in counted if day.year == 2026}) == book.recount.clients.reached()


@pytest.mark.parametrize("is_before", [True, False])
def test_a_yes_of_a_void_source_is_a_finding_only_afterwards(*, is_before: bool) -> None:
    """L-03: what went before the box was found to be ticked went by a yes that stood; what goes later does not."""
    book, day = Book(), date(2026, 3, 1)
    yes = book.answer(ANNA, "granted", ASKED, source=3)
    book.begin(1, day)
    book.plan(1, ANNA, day)
    if not is_before:
        book.write(EntryKind.SOURCE, noon(day), {"event": "voided", "source": 3})
    book.write(EntryKind.SOURCE, noon(day), {"event": "ended", "source": 2})
    sent = book.send(1, ANNA, day, yes)
    if is_before:
        book.write(EntryKind.SOURCE, noon(day), {"event": "voided", "source": 3})
    wrong = f"Entry {sent} (send) relied on entry {yes}, a yes of source 3, which was void by then."
    assert ([] if is_before else [wrong]) == book.recount.findings


def test_a_yes_heard_after_its_source_was_voided_is_none() -> None:
    """An import that was under way writes its answers after the voiding: they open nothing, others do."""
    book, day = Book(), date(2026, 3, 1)
    book.write(EntryKind.SOURCE, ASKED, {"event": "voided", "source": 3})
    yes, other = book.answer(ANNA, "granted", ASKED, source=3), book.answer(BERTTA, "granted", ASKED, source=4)
    book.begin(1, day)
    for client in (ANNA, BERTTA):
        book.plan(1, client, day)
    sent = book.send(1, ANNA, day, yes)
    book.send(1, BERTTA, day, other)
    assert [f"Entry {sent} (send) relied on entry {yes}, a yes of source 3, which was void by then."] == (
        book.recount.findings
    )
