"""The year recounted from entries alone: how often, to whom, and had they agreed."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.rules.audit import Recount
from dispatcher.rules.audit_counts import reach, slot_findings, slot_remarks
from dispatcher.rules.budget import Slot
from dispatcher.rules.campaign import Channel, State
from dispatcher.rules.ledger import EntryKind, Json, StoredEntry, canonical, stamp
from dispatcher.rules.message import MessageState

HELSINKI = ZoneInfo("Europe/Helsinki")
DAY = timedelta(days=1)
ASKED = datetime(2026, 1, 10, 10, 0, tzinfo=UTC)
ANNA, BERTTA = 11, 12


class Book:
    """A ledger written by hand, one entry after another."""

    def __init__(self, year: int = 2026, valid_for: timedelta = 365 * DAY) -> None:
        self.recount = Recount(year, HELSINKI, valid_for)
        self._last = 0

    def write(
        self,
        kind: EntryKind,
        at: datetime,
        body: Mapping[str, Json],
        *,
        client: int | None = None,
        campaign: int | None = None,
        channel: Channel | None = None,
    ) -> int:
        """Write an entry and return its number."""
        self._last += 1
        by = channel.value if channel else None
        entry = StoredEntry(self._last, 1, kind.value, at, "duty:test", client, campaign, by, canonical(body), "")
        self.recount.take(entry)
        return self._last

    def answer(
        self, client: int, reply: str, at: datetime, channel: Channel | None = Channel.EMAIL, **more: Json
    ) -> int:
        """Write an answer given and recorded at this moment, in the shop, with a wording."""
        when = {"not_before": stamp(at), "not_after": stamp(at)}
        body: dict[str, Json] = {"reply": reply, "place": "in_person", "wording": "w" * 64, **when, **more}
        return self.write(EntryKind.ANSWER, at, body, client=client, channel=channel)

    def begin(self, campaign: int, day: date) -> None:
        """Write that a campaign was scheduled and has begun on this day."""
        at = noon(day)
        scheduled = {"event": "scheduled", "name": f"c{campaign}", "title": "T", "kind": "offer", "send_at": stamp(at)}
        self.write(EntryKind.CAMPAIGN, at, scheduled, campaign=campaign)
        for event in ("taken", "spent"):
            self.write(EntryKind.SLOT, at, {"event": event, "day": day.isoformat()}, campaign=campaign)
        self.write(EntryKind.CAMPAIGN, at, {"event": "begun"}, campaign=campaign)

    def plan(self, campaign: int, client: int, day: date, channel: Channel = Channel.EMAIL) -> str:
        """Write that a message was planned and return its name."""
        name = f"{campaign}-{client}"
        body: dict[str, Json] = {"message": name, "address": client + 100}
        self.write(EntryKind.PLANNED, noon(day), body, client=client, campaign=campaign, channel=channel)
        return name

    def send(
        self, campaign: int, client: int, day: date, answer: int, channel: Channel = Channel.EMAIL, **more: Json
    ) -> int:
        """Write the Send of a planned message and return its number."""
        about: dict[str, Json] = {"message": f"{campaign}-{client}", "answer": answer, "address": client + 100}
        body = {**about, "attempt": 1, "day": day.isoformat(), "valid_for_days": 365, **more}
        return self.write(EntryKind.SEND, noon(day), body, client=client, campaign=campaign, channel=channel)

    def outcome(self, campaign: int, client: int, day: date, outcome: str = "accepted") -> int:
        """Write what became of a message."""
        body = {"message": f"{campaign}-{client}", "outcome": outcome, "code": "250"}
        return self.write(EntryKind.OUTCOME, noon(day), body, client=client, campaign=campaign)

    def whole(self, campaign: int, client: int, day: date, answer: int, outcome: str = "accepted") -> int:
        """Write the whole way of one message and return the number of its Send."""
        self.plan(campaign, client, day)
        send = self.send(campaign, client, day, answer)
        self.outcome(campaign, client, day, outcome)
        return send

    def findings(self) -> list[str]:
        """Close the book and return what it found."""
        self.recount.close()
        return self.recount.findings


def noon(day: date) -> datetime:
    """Return ten in the morning of a day, UTC: about noon in Helsinki."""
    return datetime.combine(day, time(10), UTC)


MARCH = date(2026, 3, 3)


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
