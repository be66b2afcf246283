"""What a client's answers add up to, whatever the order in which the program learns of them."""

from datetime import UTC, datetime, timedelta
from itertools import permutations
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import VALID_FOR, Answer, Consent, ConsentState, Flaw, Place, Reply, fold

HELSINKI = ZoneInfo("Europe/Helsinki")
START = datetime(2026, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)
EMAIL, SMS = Channel.EMAIL, Channel.SMS


def _at(day: float) -> datetime:
    return START + timedelta(days=day)


def _answer(
    reply: Reply,
    first: float | None,
    last: float | None = None,
    *,
    channel: Channel | None = EMAIL,
    entry: int = 1,
    recorded: float | None = None,
    place: Place | None = Place.ONLINE,
    wording: str | None = "w1",
) -> Answer:
    """Return an answer given on day `first` of 2026, or between two days; recorded when it was given, unless said."""
    end = last if last is not None else first
    return Answer(
        entry=entry,
        reply=reply,
        channel=channel,
        not_before=None if first is None else _at(first),
        not_after=None if end is None else _at(end),
        recorded_at=_at(recorded if recorded is not None else end or 0),
        place=place,
        wording=wording,
    )


def _yes(first: float | None, last: float | None = None, **rest: object) -> Answer:
    return _answer(Reply.GRANTED, first, last, **rest)  # type: ignore[arg-type] # the keywords of _answer, passed on


def _no(first: float | None, last: float | None = None, **rest: object) -> Answer:
    return _answer(Reply.WITHDRAWN, first, last, **rest)  # type: ignore[arg-type] # the keywords of _answer, passed on


def _declined(first: float | None, last: float | None = None, **rest: object) -> Answer:
    return _answer(Reply.DECLINED, first, last, **rest)  # type: ignore[arg-type] # the keywords of _answer, passed on


GRANTED, DECLINED, WITHDRAWN = ConsentState.GRANTED, ConsentState.DECLINED, ConsentState.WITHDRAWN
NEVER, EXPIRED = ConsentState.NEVER_ASKED, ConsentState.EXPIRED
INCOMPLETE = Flaw.INCOMPLETE_EVIDENCE
TABLE: dict[str, tuple[list[Answer], ConsentState, bool, Flaw | None]] = {
    # what: the answers for email, the state, whether an objection stands, the flaw
    "silence": ([], NEVER, False, None),
    "only ever not asked": ([_answer(Reply.NOT_ASKED, 5)], NEVER, False, None),
    "a yes": ([_yes(100)], GRANTED, False, None),
    "a yes for the other channel": ([_yes(100, channel=SMS)], NEVER, False, None),
    "a decline": ([_declined(100)], DECLINED, False, None),
    "an objection": ([_no(100)], WITHDRAWN, True, None),
    "a no for the other channel": ([_yes(100), _no(200, channel=SMS)], GRANTED, False, None),
    "a no that names no channel": ([_yes(100), _no(200, channel=None)], WITHDRAWN, True, None),
    "a decline that names no channel": ([_yes(100), _declined(200, channel=None)], DECLINED, False, None),
    "a yes, then a decline": ([_yes(100), _declined(200)], DECLINED, False, None),
    "a decline, then a yes": ([_declined(100), _yes(200)], GRANTED, False, None),
    "an objection, then a yes": ([_no(100), _yes(200)], GRANTED, False, None),
    "an objection, a yes, a decline": ([_no(100), _yes(150), _declined(200)], DECLINED, False, None),
    "an objection, then a decline": ([_no(100), _declined(200)], WITHDRAWN, True, None),
    "a yes and a decline at one instant": ([_yes(100), _declined(100)], DECLINED, False, None),
    "a yes and an objection at one instant": ([_yes(100), _no(100)], WITHDRAWN, True, None),
    "a decline within the span of a yes": ([_yes(100, 120), _declined(110)], DECLINED, False, None),
    "an objection on the last instant of a yes": ([_yes(100, 120), _no(120)], WITHDRAWN, True, None),
    "an objection on the first instant of a yes": ([_yes(100, 120), _no(100)], WITHDRAWN, True, None),
    "an objection before a span": ([_yes(100, 120), _no(99)], GRANTED, False, None),
    "a yes within the span of an objection": ([_no(100, 120), _yes(110)], WITHDRAWN, True, None),
    "a yes after the span of an objection": ([_no(100, 120), _yes(121)], GRANTED, False, None),
    "an objection without a time, recorded later": ([_yes(100), _no(None, recorded=200)], WITHDRAWN, True, None),
    "a yes after an objection without a time": ([_no(None, recorded=99), _yes(100)], GRANTED, False, None),
    "a yes without any bound": ([_yes(None)], NEVER, False, Flaw.TIME_UNKNOWN),
    "a yes with only its end": ([_yes(None, 100)], NEVER, False, Flaw.TIME_UNKNOWN),
    "a yes from the future": ([_yes(400)], NEVER, False, Flaw.TIME_UNKNOWN),
    "a yes whose span ends before it begins": ([_yes(120, 100)], NEVER, False, Flaw.TIME_UNKNOWN),
    "a yes without a bound beside an objection": ([_no(100), _yes(None)], WITHDRAWN, True, None),
    "a yes without wording": ([_yes(100, wording=None)], NEVER, False, INCOMPLETE),
    "a yes with an empty wording": ([_yes(100, wording="")], NEVER, False, INCOMPLETE),
    "a yes without a place": ([_yes(100, place=None)], NEVER, False, INCOMPLETE),
    "a yes that names no channel": ([_yes(100, channel=None)], NEVER, False, INCOMPLETE),
    "a yes with neither wording nor time": ([_yes(None, wording=None)], NEVER, False, INCOMPLETE),
    "a yes of two years ago": ([_yes(-500)], EXPIRED, False, Flaw.EXPIRED),
    "an objection, then a yes of two years ago": ([_no(-600), _yes(-500)], EXPIRED, False, Flaw.EXPIRED),
    "a yes of two years ago, then a decline": ([_yes(-500), _declined(-400)], DECLINED, False, None),
    "a flawed yes after a good one": ([_yes(100), _yes(200, wording=None)], GRANTED, False, None),
    "a flawed yes after a decline": (
        [_declined(100), _yes(200, place=None)],
        DECLINED,
        False,
        Flaw.INCOMPLETE_EVIDENCE,
    ),
    "a flawed yes after an objection": ([_no(100), _yes(200, wording=None)], WITHDRAWN, True, INCOMPLETE),
    "a yes from the future after an objection": ([_no(100), _yes(400)], WITHDRAWN, True, Flaw.TIME_UNKNOWN),
}


@pytest.mark.parametrize("case", TABLE)
def test_answers_add_up_as_the_table_says(case: str) -> None:
    """L-04, L-06, L-07, L-08: each row of the table gives its state, objection and flaw, in every order."""
    answers, state, objected, flaw = TABLE[case]
    for order in permutations(answers):
        consent = fold(order, EMAIL, NOW)
        assert (state, objected, flaw) == (consent.state, consent.objected, consent.flaw)


def test_the_table_reaches_every_state_and_every_flaw() -> None:
    """No state and no flaw is left out of the table above."""
    assert set(ConsentState) == {state for _, state, _, _ in TABLE.values()}
    assert {None, *Flaw} == {flaw for _, _, _, flaw in TABLE.values()}


def test_a_granted_state_names_the_newest_yes_and_when_it_ends() -> None:
    """L-04: the answer relied on is the newest usable yes, and it ends 365 days after its span begins."""
    old, new = _yes(100, entry=1), _yes(150, 160, entry=2)
    assert Consent(GRANTED, new, ends_at=_at(150) + VALID_FOR) == fold([old, new], EMAIL, NOW)


@pytest.mark.parametrize(
    "given_at",
    [
        datetime(2026, 3, 28, 12, 0, tzinfo=HELSINKI),
        datetime(2026, 3, 29, 4, 0, tzinfo=HELSINKI),
        datetime(2026, 10, 25, 3, 30, tzinfo=HELSINKI, fold=1),
        datetime(2026, 10, 24, 23, 59, 59, tzinfo=HELSINKI),
        datetime(2027, 10, 31, 2, 59, tzinfo=HELSINKI),
        datetime(2027, 3, 1, 12, 0, tzinfo=UTC),
        datetime(2028, 2, 29, 12, 0, tzinfo=UTC),
    ],
)
def test_a_yes_ends_after_exactly_365_days(given_at: datetime) -> None:
    """L-08: usable one microsecond before 365 days of 24 hours are over, expired on the dot, clock changes or not."""
    moment = given_at.astimezone(UTC)
    yes = Answer(1, Reply.GRANTED, EMAIL, moment, moment, moment, Place.PHONE, "w1")
    end = moment + timedelta(hours=365 * 24)
    assert GRANTED is fold([yes], EMAIL, moment).state
    assert GRANTED is fold([yes], EMAIL, end - TICK).state
    assert (EXPIRED, Flaw.EXPIRED) == (fold([yes], EMAIL, end).state, fold([yes], EMAIL, end).flaw)


def test_a_span_expires_by_its_beginning() -> None:
    """L-07: a yes between two instants is as old as the earlier of them."""
    yes = _yes(0, 300)
    assert GRANTED is fold([yes], EMAIL, _at(365) - TICK).state
    assert EXPIRED is fold([yes], EMAIL, _at(365)).state


def test_a_shorter_validity_ends_a_yes_sooner() -> None:
    """L-08: the settings may say less than a year."""
    assert GRANTED is fold([_yes(0)], EMAIL, _at(29), timedelta(days=30)).state
    assert EXPIRED is fold([_yes(0)], EMAIL, _at(30), timedelta(days=30)).state


def test_not_asked_does_not_extend_a_yes() -> None:
    """L-06: a booking at which nobody asked leaves the yes as old as it is."""
    answers = [_yes(0), _answer(Reply.NOT_ASKED, 364)]
    assert EXPIRED is fold(answers, EMAIL, _at(365)).state


def test_a_no_counts_from_the_latest_instant_it_can_have_been_given_at() -> None:
    """L-07: a no from a clock ahead of ours is as late as that clock says, so that a yes in between does not win."""
    ahead = Answer(1, Reply.WITHDRAWN, None, _at(100) + timedelta(seconds=9), None, _at(100))
    between = _yes(100 + 5 / 86_400)
    assert WITHDRAWN is fold([ahead, between], EMAIL, NOW).state


def test_of_two_equal_expired_yeses_the_last_entry_is_named_in_any_order() -> None:
    """The answer a state rests on does not depend on the order of reading."""
    first, second = _yes(-500, entry=1), _yes(-500, entry=2)
    assert [second, second] == [fold(order, EMAIL, NOW).answer for order in permutations([first, second])]


# --- any answers at all -----------------------------------------------------------------------------------------------

_days = st.integers(min_value=-420, max_value=330)
_bounds = st.one_of(
    st.tuples(st.none(), st.none()),
    st.tuples(st.none(), _days),
    st.tuples(_days, st.none()),
    st.tuples(_days, _days).map(lambda pair: (min(pair), max(pair))),
    _days.map(lambda day: (day, day)),
)


@st.composite
def _any_answer(draw: st.DrawFn) -> Answer:
    first, last = draw(_bounds)
    known = [day for day in (first, last) if day is not None]
    recorded = draw(st.integers(min_value=max(known, default=-420), max_value=331))
    return Answer(
        entry=draw(st.integers(min_value=1, max_value=9)),
        reply=draw(st.sampled_from(Reply)),
        channel=draw(st.sampled_from([EMAIL, EMAIL, SMS, None])),
        not_before=None if first is None else _at(first),
        not_after=None if last is None else _at(last),
        recorded_at=_at(recorded),
        place=draw(st.sampled_from([Place.ONLINE, Place.PHONE, Place.DESK, None])),
        wording=draw(st.sampled_from(["w1", "w2", None])),
    )


_answers = st.lists(_any_answer(), max_size=7)


def _may_be_written_to(answers: list[Answer], channel: Channel, now: datetime) -> bool:
    """Say, by trying every instant, whether some provable yes of the last year is later than any no can be.

    Written from L-01, L-04, L-06, L-07 and L-08 alone, and on whole days, in which the answers above are given.
    """
    noes = [a for a in answers if a.reply in {Reply.DECLINED, Reply.WITHDRAWN} and a.channel in {channel, None}]
    for yes in answers:
        if yes.reply is not Reply.GRANTED or yes.channel is not channel or not (yes.wording and yes.place):
            continue
        if yes.not_before is None or not now - timedelta(days=365) < yes.not_before <= now:
            continue
        if all(_every_instant_is_before(no, yes.not_before) for no in noes):
            return True
    return False


def _every_instant_is_before(no: Answer, moment: datetime) -> bool:
    first = no.not_before or _at(-1000)
    last = no.not_after or no.recorded_at
    instants = [first + DAY * step for step in range((last - first).days + 1)]
    return all(instant < moment for instant in instants)


@given(_answers, st.integers(min_value=-100, max_value=700))
def test_consent_is_granted_exactly_where_an_independent_reading_grants_it(answers: list[Answer], day: int) -> None:
    """L-07: a client whose latest real-world word may be a no is never granted, and nobody else is refused."""
    now = _at(day)
    for channel in Channel:
        assert _may_be_written_to(answers, channel, now) is (GRANTED is fold(answers, channel, now).state)


@given(st.data())
def test_the_order_of_arrival_never_matters(data: st.DataObject) -> None:
    """L-07: any order of the same answers adds up to the same, down to the answer named."""
    answers = data.draw(st.lists(_any_answer(), max_size=7, unique_by=lambda answer: answer.entry))
    shuffled = data.draw(st.permutations(answers))
    assert fold(answers, EMAIL, NOW) == fold(shuffled, EMAIL, NOW)


@given(st.data())
def test_recording_in_another_order_never_matters_where_times_are_known(data: st.DataObject) -> None:
    """L-07: answers with both bounds add up to the same whenever, and under whatever entry, they are recorded."""
    bounded = st.lists(_any_answer().filter(lambda a: None not in {a.not_before, a.not_after}), max_size=6)
    answers = data.draw(bounded)
    renumbered = [
        Answer(entry, a.reply, a.channel, a.not_before, a.not_after, _at(331 + entry), a.place, a.wording)
        for entry, a in enumerate(data.draw(st.permutations(answers)), start=1)
    ]
    first, second = fold(answers, EMAIL, NOW), fold(renumbered, EMAIL, NOW)
    assert (first.state, first.objected, first.flaw, first.ends_at) == (
        second.state,
        second.objected,
        second.flaw,
        second.ends_at,
    )


@given(_answers)
def test_not_asked_changes_nothing(answers: list[Answer]) -> None:
    """L-06: taking every "not asked" away leaves the same consent."""
    asked = [answer for answer in answers if answer.reply is not Reply.NOT_ASKED]
    assert fold(asked, EMAIL, NOW) == fold(answers, EMAIL, NOW)


@given(_answers, st.sampled_from([EMAIL, None]))
def test_an_objection_now_beats_every_earlier_yes(answers: list[Answer], channel: Channel | None) -> None:
    """L-07: whatever came before, an objection given now stands, and is the answer named."""
    past = [answer for answer in answers if answer.recorded_at <= _at(331)]
    objection = Answer(10, Reply.WITHDRAWN, channel, _at(332), _at(332), _at(332), Place.LINK)
    consent = fold([objection, *past], EMAIL, _at(333))
    assert (WITHDRAWN, True, objection) == (consent.state, consent.objected, consent.answer)


@given(_answers)
def test_a_no_never_helps(answers: list[Answer]) -> None:
    """Taking any no away never closes a channel that was open with it: a no can only refuse."""
    for index, answer in enumerate(answers):
        if answer.reply is not Reply.GRANTED and GRANTED is fold(answers, EMAIL, NOW).state:
            assert GRANTED is fold([*answers[:index], *answers[index + 1 :]], EMAIL, NOW).state


@given(_answers, st.integers(min_value=0, max_value=800))
def test_granted_always_rests_on_a_usable_yes_of_this_channel(answers: list[Answer], day: int) -> None:
    """L-04: what is granted names a complete, unexpired yes for this very channel, and ends in the future."""
    now = _at(day)
    consent = fold(answers, EMAIL, now)
    if consent.state is GRANTED:
        assert consent.answer is not None
        assert consent.ends_at is not None
        assert (Reply.GRANTED, EMAIL, None) == (
            consent.answer.reply,
            consent.answer.channel,
            consent.answer.flaw(now, VALID_FOR),
        )
        assert now < consent.ends_at <= now + VALID_FOR
    else:
        assert consent.ends_at is None
