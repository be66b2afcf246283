"""The one gate: every reason, their order, the channel taken, and that nothing passes without a standing yes."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatcher.rules.calendar import Windows
from dispatcher.rules.campaign import Channel, Kind, State
from dispatcher.rules.consent import Answer, ConsentState, Place, Reply, fold
from dispatcher.rules.decision import (
    AddressFacts,
    CampaignFacts,
    ClientFacts,
    Coverage,
    Reason,
    Send,
    Verdict,
    Wait,
    Withhold,
    consent_for,
    decide,
)

HELSINKI = ZoneInfo("Europe/Helsinki")
NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
"""A Monday, noon in Helsinki."""
NIGHT = NOW + timedelta(hours=14)
TODAY = date(2026, 11, 23)
DAY = timedelta(days=1)
EMAIL, SMS = Channel.EMAIL, Channel.SMS


def _answer(reply: Reply, days_ago: float, channel: Channel | None = EMAIL, **changes: object) -> Answer:
    moment = NOW - DAY * days_ago
    found = Answer(1, reply, channel, moment, moment, moment, Place.ONLINE, "w1")
    return replace(found, **changes)  # type: ignore[arg-type] # fields of Answer, passed on


YES = _answer(Reply.GRANTED, 30)
YES_SMS = _answer(Reply.GRANTED, 30, SMS, entry=2)
TWELVE = tuple(TODAY - DAY * number for number in range(10, 22))


@dataclass(frozen=True)
class Case:
    """Facts under which a message goes out by email, until a test spoils some of them."""

    client: ClientFacts = field(
        default_factory=lambda: ClientFacts(number=7, answers=(YES,), addresses={EMAIL: AddressFacts(1)})
    )
    campaign: CampaignFacts = field(
        default_factory=lambda: CampaignFacts((EMAIL,), State.SENDING, Windows(HELSINKI), date(2027, 12, 31))
    )
    now: datetime = NOW

    def decide(self) -> Verdict:
        """Return the verdict on these facts."""
        return decide(self.client, self.campaign, self.now)


def _client(**changes: object) -> Callable[[Case], Case]:
    return lambda case: replace(case, client=replace(case.client, **changes))  # type: ignore[arg-type] # passed on


def _campaign(**changes: object) -> Callable[[Case], Case]:
    return lambda case: replace(case, campaign=replace(case.campaign, **changes))  # type: ignore[arg-type] # passed on


def _address(**changes: object) -> Callable[[Case], Case]:
    def spoil(case: Case) -> Case:
        addresses = {
            channel: replace(address, **changes)  # type: ignore[arg-type] # fields of AddressFacts, passed on
            for channel, address in case.client.addresses.items()
        }
        return replace(case, client=replace(case.client, addresses=addresses))

    return spoil


def _more_answers(*answers: Answer) -> Callable[[Case], Case]:
    return lambda case: replace(case, client=replace(case.client, answers=(*case.client.answers, *answers)))


def _flaw(**changes: object) -> Callable[[Case], Case]:
    """Spoil the yes itself."""

    def spoil(case: Case) -> Case:
        answers = tuple(
            replace(a, **changes) if a.reply is Reply.GRANTED else a  # type: ignore[arg-type] # passed on
            for a in case.client.answers
        )
        return replace(case, client=replace(case.client, answers=answers))

    return spoil


def _without_yes(case: Case) -> Case:
    answers = tuple(answer for answer in case.client.answers if answer.reply is not Reply.GRANTED)
    return replace(case, client=replace(case.client, answers=answers))


def _at_night(case: Case) -> Case:
    return replace(case, now=NIGHT)


OLD = NOW - DAY * 400
MIDNIGHT = datetime(2027, 11, 1, 22, tzinfo=UTC)
"""The beginning of 2 November 2027 in Helsinki: the oldest of TWELVE is 365 days old then."""
SPOILED: dict[Reason, tuple[Callable[[Case], Case], Verdict]] = {
    Reason.ERASED: (_client(known=False), Withhold(Reason.ERASED)),
    Reason.GONE_FROM_REGISTER: (_client(in_register=False), Withhold(Reason.GONE_FROM_REGISTER)),
    Reason.RESTRICTED: (_client(restricted=True), Withhold(Reason.RESTRICTED)),
    Reason.OBJECTION: (_more_answers(_answer(Reply.WITHDRAWN, 1)), Withhold(Reason.OBJECTION)),
    Reason.CHANNEL_CONSENT_MISSING: (_without_yes, Withhold(Reason.CHANNEL_CONSENT_MISSING)),
    Reason.CONSENT_INCOMPLETE_EVIDENCE: (_flaw(wording=None), Withhold(Reason.CONSENT_INCOMPLETE_EVIDENCE)),
    Reason.CONSENT_TIME_UNKNOWN: (_flaw(not_before=None), Withhold(Reason.CONSENT_TIME_UNKNOWN)),
    Reason.CONSENT_EXPIRED: (_flaw(not_before=OLD, not_after=OLD), Withhold(Reason.CONSENT_EXPIRED)),
    Reason.NOTICE_DOES_NOT_COVER: (
        _campaign(coverage=Coverage(frozenset({EMAIL}))),
        Withhold(Reason.NOTICE_DOES_NOT_COVER),
    ),
    Reason.LATEST_ANSWER_NO: (_more_answers(_answer(Reply.DECLINED, 1)), Withhold(Reason.LATEST_ANSWER_NO)),
    Reason.ADDRESS_INVALID: (_client(addresses={}), Withhold(Reason.ADDRESS_INVALID)),
    Reason.ADDRESS_DEAD: (_address(dead=True), Withhold(Reason.ADDRESS_DEAD)),
    Reason.SHARED_ADDRESS_OBJECTION: (_address(shared_objection=True), Withhold(Reason.SHARED_ADDRESS_OBJECTION)),
    Reason.CHILD: (_client(child=True), Withhold(Reason.CHILD)),
    Reason.SUSPENDED: (_client(suspended=True), Withhold(Reason.SUSPENDED)),
    Reason.PAUSED: (_client(paused_until=NOW + DAY * 30), Withhold(Reason.PAUSED)),
    Reason.TOPIC_NOT_CHOSEN: (_client(declined=frozenset(Kind)), Withhold(Reason.TOPIC_NOT_CHOSEN)),
    Reason.OWN_CAP: (_client(own_cap=0), Withhold(Reason.OWN_CAP)),
    Reason.FREQUENCY_CAP: (_client(days=TWELVE), Wait(Reason.FREQUENCY_CAP, MIDNIGHT)),
    Reason.OFFER_ENDED: (_campaign(valid_until=TODAY - DAY), Withhold(Reason.OFFER_ENDED)),
    Reason.QUIET_HOURS: (_at_night, Wait(Reason.QUIET_HOURS, datetime(2026, 11, 24, 5, tzinfo=UTC))),
    Reason.RECEIPT_PENDING: (_address(awaits_receipt=True), Wait(Reason.RECEIPT_PENDING)),
    Reason.DOORS_UNREAD: (_campaign(doors_read=False), Wait(Reason.DOORS_UNREAD)),
    Reason.SENDER_NOT_AUTHORISED: (_campaign(authorised=frozenset()), Withhold(Reason.SENDER_NOT_AUTHORISED)),
    Reason.CAMPAIGN_HELD: (_campaign(state=State.HELD), Wait(Reason.CAMPAIGN_HELD)),
    Reason.CAMPAIGN_CANCELLED: (_campaign(state=State.CANCELLED), Withhold(Reason.CAMPAIGN_CANCELLED)),
    Reason.ALREADY_SENT_OR_UNKNOWN: (_client(got_this_campaign=True), Withhold(Reason.ALREADY_SENT_OR_UNKNOWN)),
}
NEVER_TOGETHER = {
    # A yes that is missing has no flaw, nor any other property.
    (Reason.CHANNEL_CONSENT_MISSING, Reason.CONSENT_INCOMPLETE_EVIDENCE),
    # A yes without a time has no age.
    (Reason.CONSENT_TIME_UNKNOWN, Reason.CONSENT_EXPIRED),
    # An address that is not there is not dead.
    (Reason.ADDRESS_INVALID, Reason.ADDRESS_DEAD),
    # A campaign is in one state at a time.
    (Reason.CAMPAIGN_HELD, Reason.CAMPAIGN_CANCELLED),
}
"""The neighbours in the order of which only one can hold."""


def test_the_unspoiled_case_is_sent() -> None:
    """The verdict names the channel and the answer it relies on."""
    assert Send(EMAIL, YES) == Case().decide()


def test_the_table_has_every_reason_in_their_order() -> None:
    """C5: no reason is without its case."""
    assert list(Reason) == list(SPOILED)


@pytest.mark.parametrize("reason", SPOILED)
def test_each_reason_is_reached_alone(reason: Reason) -> None:
    """C5: one spoiled fact gives its own verdict, a wait with the instant at which to ask again."""
    spoil, verdict = SPOILED[reason]
    assert verdict == spoil(Case()).decide()


@pytest.mark.parametrize(("first", "second"), [pair for pair in pairwise(Reason) if pair not in NEVER_TOGETHER])
def test_of_two_neighbouring_reasons_the_earlier_wins(first: Reason, second: Reason) -> None:
    """C5: with both facts spoiled, in whatever order, the verdict carries the earlier reason."""
    for one, other in ((first, second), (second, first)):
        verdict = SPOILED[other][0](SPOILED[one][0](Case())).decide()
        assert not isinstance(verdict, Send)
        assert first is verdict.reason


_REPLACING = {
    Reason.CHANNEL_CONSENT_MISSING,
    Reason.CONSENT_TIME_UNKNOWN,
    Reason.CONSENT_EXPIRED,
    Reason.LATEST_ANSWER_NO,
    Reason.CONSENT_INCOMPLETE_EVIDENCE,
    Reason.ADDRESS_INVALID,
    Reason.CAMPAIGN_HELD,
    Reason.CAMPAIGN_CANCELLED,
}
"""Spoiled facts that take the place of another's, or that a no contradicts; the table of consent covers them."""


@given(st.lists(st.sampled_from([r for r in Reason if r not in _REPLACING]), min_size=1, max_size=8, unique=True))
def test_of_any_number_of_reasons_the_earliest_wins(reasons: list[Reason]) -> None:
    """C5: the first failing reason is stored, whatever else is wrong, in whatever order it came to be."""
    case = Case()
    for reason in reasons:
        case = SPOILED[reason][0](case)
    verdict = case.decide()
    assert not isinstance(verdict, Send)
    assert min(reasons, key=list(Reason).index) is verdict.reason


# --- consent ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ((_answer(Reply.NOT_ASKED, 1),), Reason.CHANNEL_CONSENT_MISSING),
        ((YES, _answer(Reply.WITHDRAWN, 30)), Reason.OBJECTION),
        ((YES, _answer(Reply.DECLINED, 30, None)), Reason.LATEST_ANSWER_NO),
        ((replace(YES, channel=None),), Reason.CONSENT_INCOMPLETE_EVIDENCE),
        ((replace(YES, place=None, not_before=None),), Reason.CONSENT_INCOMPLETE_EVIDENCE),
        ((replace(YES, wording=None), _answer(Reply.DECLINED, 60)), Reason.CONSENT_INCOMPLETE_EVIDENCE),
        ((replace(YES, wording=None), _answer(Reply.WITHDRAWN, 60)), Reason.OBJECTION),
        ((_answer(Reply.GRANTED, 400), _answer(Reply.WITHDRAWN, 500)), Reason.CONSENT_EXPIRED),
        ((_answer(Reply.GRANTED, 400), _answer(Reply.DECLINED, 390)), Reason.LATEST_ANSWER_NO),
        ((replace(YES, not_before=None), _answer(Reply.DECLINED, 60)), Reason.LATEST_ANSWER_NO),
    ],
)
def test_why_there_is_no_consent(answers: tuple[Answer, ...], reason: Reason) -> None:
    """C5: what stands in the way is named by what stands on record, an objection before everything else."""
    assert Withhold(reason) == _client(answers=answers)(Case()).decide()


def test_a_later_yes_lifts_an_objection() -> None:
    """L-07: who says yes again afterwards is written to, and the message relies on that yes."""
    assert Send(EMAIL, YES) == _more_answers(_answer(Reply.WITHDRAWN, 31))(Case()).decide()


def test_a_shorter_validity_of_the_installation_counts() -> None:
    """L-08: the page and the gate ask with the same period."""
    case = _campaign(valid_for=timedelta(days=30))(Case())
    assert Withhold(Reason.CONSENT_EXPIRED) == case.decide()
    assert ConsentState.EXPIRED is consent_for(case.client, case.campaign, EMAIL, NOW).state


# --- channels ---------------------------------------------------------------------------------------------------------

BOTH = _campaign(channels=(EMAIL, SMS))
TWO_ADDRESSES = {EMAIL: AddressFacts(1), SMS: AddressFacts(2)}


def _on_both(case: Case) -> Case:
    return BOTH(_client(answers=(YES, YES_SMS), addresses=TWO_ADDRESSES)(case))


@pytest.mark.parametrize("order", [(EMAIL, SMS), (SMS, EMAIL)])
def test_the_first_channel_of_the_file_is_taken(order: tuple[Channel, ...]) -> None:
    """Who may be reached by both gets the one the campaign prefers (L-24)."""
    verdict = _campaign(channels=order)(_on_both(Case())).decide()
    assert isinstance(verdict, Send)
    assert order[0] is verdict.channel


@pytest.mark.parametrize(
    "spoil",
    [
        _more_answers(_answer(Reply.WITHDRAWN, 1, EMAIL)),
        _more_answers(_answer(Reply.DECLINED, 1, EMAIL)),
        _client(answers=(YES_SMS,)),
        _client(answers=(replace(YES, wording=None), YES_SMS)),
        _client(addresses={SMS: AddressFacts(2)}),
        _client(addresses={EMAIL: AddressFacts(1, dead=True), SMS: AddressFacts(2)}),
        _client(addresses={EMAIL: AddressFacts(1, shared_objection=True), SMS: AddressFacts(2)}),
        _campaign(coverage=Coverage(frozenset({EMAIL}))),
    ],
    ids=["objection", "decline", "no yes", "flawed yes", "no address", "dead", "shared", "not covered"],
)
def test_who_closed_email_gets_the_text_message(spoil: Callable[[Case], Case]) -> None:
    """A no for email, no yes for it, or no usable address leaves the other channel as it is."""
    assert Send(SMS, YES_SMS) == spoil(_on_both(Case())).decide()


@pytest.mark.parametrize("reply", [Reply.WITHDRAWN, Reply.DECLINED])
def test_a_no_that_names_no_channel_closes_them_all(reply: Reply) -> None:
    """L-01: one click, STOP, a complaint or a word at the desk stops every channel."""
    reason = Reason.OBJECTION if reply is Reply.WITHDRAWN else Reason.LATEST_ANSWER_NO
    assert Withhold(reason) == _more_answers(_answer(reply, 1, None))(_on_both(Case())).decide()


def test_the_first_channel_that_may_be_used_is_waited_for() -> None:
    """A message does not change to another channel because it is night."""
    case = _campaign(channels=(SMS, EMAIL))(_on_both(Case(now=datetime(2026, 11, 22, 10, tzinfo=UTC))))
    verdict = case.decide()
    assert Wait(Reason.QUIET_HOURS, datetime(2026, 11, 23, 7, tzinfo=UTC)) == verdict
    assert SMS is getattr(verdict, "channel", None)


@pytest.mark.parametrize(
    ("spoil", "verdict"),
    [
        (
            _client(addresses={EMAIL: AddressFacts(1, got_this_campaign=True), SMS: AddressFacts(2)}),
            Withhold(Reason.ALREADY_SENT_OR_UNKNOWN),
        ),
        (
            _client(addresses={EMAIL: AddressFacts(1, days=TWELVE), SMS: AddressFacts(2)}),
            Wait(Reason.FREQUENCY_CAP, MIDNIGHT),
        ),
        (_campaign(authorised=frozenset({SMS})), Withhold(Reason.SENDER_NOT_AUTHORISED)),
        (_campaign(valid_until=TODAY - DAY), Withhold(Reason.OFFER_ENDED)),
    ],
    ids=["got it", "full", "sender", "ended"],
)
def test_only_a_closed_channel_sends_a_client_to_the_next(spoil: Callable[[Case], Case], verdict: Verdict) -> None:
    """L-24: who agreed to email and may not have one now does not get a text message in its place."""
    assert verdict == spoil(_on_both(Case())).decide()


def test_if_no_channel_may_be_used_the_first_with_an_address_says_why() -> None:
    """The reason on record is about an address the client has."""
    case = BOTH(_client(answers=(_answer(Reply.DECLINED, 1, SMS),), addresses={SMS: AddressFacts(2)})(Case()))
    assert Withhold(Reason.LATEST_ANSWER_NO) == case.decide()
    assert Withhold(Reason.CHANNEL_CONSENT_MISSING) == _client(addresses={})(case).decide()


# --- counts and times -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spoil", [_client(days=TWELVE), _address(days=TWELVE)], ids=["client", "address"])
def test_twelve_messages_are_counted_per_client_and_per_address(spoil: Callable[[Case], Case]) -> None:
    """L-23: whichever of the two has had twelve within 365 dates, and the eleventh still goes."""
    assert Wait(Reason.FREQUENCY_CAP, MIDNIGHT) == spoil(Case()).decide()
    assert isinstance(_client(days=TWELVE[1:])(_address(days=TWELVE[1:])(Case())).decide(), Send)


def test_a_clock_set_back_makes_no_room() -> None:
    """L-23: messages of days that lie ahead count too, towards the twelve and towards the client's own number."""
    ahead = tuple(TODAY + DAY * number for number in range(1, 13))
    assert Reason.FREQUENCY_CAP is getattr(_client(days=ahead)(Case()).decide(), "reason", None)
    assert Withhold(Reason.OWN_CAP) == _client(days=ahead[:2], own_cap=2)(Case()).decide()


def test_twelve_on_one_day_are_twelve() -> None:
    """L-23: messages are counted, not days."""
    assert Reason.FREQUENCY_CAP is getattr(_client(days=(TODAY,) * 12)(Case()).decide(), "reason", None)
    assert isinstance(_client(days=(TODAY,) * 11)(Case()).decide(), Send)


@pytest.mark.parametrize("channel", Channel)
def test_no_channel_is_judged_by_the_other_ones_facts(channel: Channel) -> None:
    """S-11: a sender that is not authorised, or a notice that is silent, stops its own channel only."""
    other = frozenset({EMAIL, SMS}) - {channel}
    for spoil in (_campaign(authorised=frozenset({channel})), _campaign(coverage=Coverage(other))):
        verdict = _campaign(channels=(channel,))(spoil(_on_both(Case()))).decide()
        assert isinstance(verdict, Send)
        assert channel is verdict.channel
        assert isinstance(_campaign(channels=tuple(other))(spoil(_on_both(Case()))).decide(), Withhold)


@pytest.mark.parametrize(
    ("spans", "is_sent"),
    [
        ((), False),
        (((NOW - DAY * 400, None),), True),
        (((NOW - DAY * 400, NOW + DAY),), True),
        (((NOW - DAY * 400, NOW),), False),
        (((NOW - DAY, None),), False),
        (((NOW - DAY * 400, NOW - DAY * 2), (NOW - DAY, None)), True),
    ],
    ids=["none", "all along", "still", "no longer", "since after the yes", "then and now"],
)
def test_the_notice_covers_then_and_now(spans: tuple[tuple[datetime, datetime | None], ...], *, is_sent: bool) -> None:
    """L-42: where the provider reaches outside the EU, the notice must have said so with the yes, and must still."""
    verdict = _campaign(coverage=Coverage(frozenset({EMAIL}), spans))(Case()).decide()
    assert is_sent == isinstance(verdict, Send)
    assert is_sent or Withhold(Reason.NOTICE_DOES_NOT_COVER) == verdict


def test_the_later_of_two_openings_is_waited_for() -> None:
    """L-23: client and address must both be below twelve again."""
    later = tuple(day + DAY * 5 for day in TWELVE)
    case = _address(days=later)(_client(days=TWELVE)(Case()))
    assert Wait(Reason.FREQUENCY_CAP, MIDNIGHT + DAY * 5) == case.decide()


@pytest.mark.parametrize(("oldest", "sent"), [(365, True), (364, False)])
def test_a_message_of_365_days_ago_no_longer_counts(oldest: int, *, sent: bool) -> None:
    """L-23: the window is half-open."""
    days = (TODAY - DAY * oldest, *TWELVE[1:])
    assert sent is isinstance(_client(days=days)(Case()).decide(), Send)


@pytest.mark.parametrize(
    ("valid_until", "verdict"),
    [
        (date(2027, 11, 2), Wait(Reason.FREQUENCY_CAP, MIDNIGHT)),
        (date(2027, 11, 1), Withhold(Reason.FREQUENCY_CAP)),
        (None, Withhold(Reason.FREQUENCY_CAP)),
    ],
)
def test_a_full_year_is_waited_out_only_while_the_offer_is_valid(valid_until: date | None, verdict: Verdict) -> None:
    """C5: a message that would come after the end of its offer does not wait for it."""
    assert verdict == _campaign(valid_until=valid_until)(_client(days=TWELVE)(Case())).decide()


@pytest.mark.parametrize(
    ("valid_until", "verdict"),
    [
        (None, Wait(Reason.QUIET_HOURS, datetime(2026, 11, 24, 5, tzinfo=UTC))),
        (date(2026, 11, 24), Wait(Reason.QUIET_HOURS, datetime(2026, 11, 24, 5, tzinfo=UTC))),
        (TODAY, Withhold(Reason.QUIET_HOURS)),
    ],
)
def test_a_night_is_waited_out_only_while_the_offer_is_valid(valid_until: date | None, verdict: Verdict) -> None:
    """S-14: the message goes when the window opens, unless the offer is over then."""
    late = datetime(2026, 11, 23, 20, tzinfo=UTC)
    assert verdict == _campaign(valid_until=valid_until)(Case(now=late)).decide()


def test_an_offer_is_valid_through_its_last_local_day() -> None:
    """The day counts in Finland: an hour before midnight it is still that day, whatever it is in Greenwich."""
    case = _campaign(valid_until=TODAY)(Case())
    assert isinstance(case.decide(), Send)
    assert Withhold(Reason.OFFER_ENDED) == replace(case, now=datetime(2026, 11, 23, 22, tzinfo=UTC)).decide()


def test_a_cap_of_the_clients_own_counts_the_same_year() -> None:
    """Who wants three a year gets the third, not the fourth, and the first again when a year has passed."""
    days = (TODAY - DAY * 364, TODAY - DAY * 100)
    assert isinstance(_client(own_cap=3, days=days)(Case()).decide(), Send)
    assert Withhold(Reason.OWN_CAP) == _client(own_cap=2, days=days)(Case()).decide()
    assert isinstance(_client(own_cap=2, days=(TODAY - DAY * 365, days[1]))(Case()).decide(), Send)


def test_a_pause_ends_when_it_says() -> None:
    """A client who asked for a pause is written to again from its last instant on."""
    assert isinstance(_client(paused_until=NOW)(Case()).decide(), Send)


@pytest.mark.parametrize("state", [state for state in State if state not in {State.SENDING, State.CANCELLED}])
def test_nothing_is_sent_unless_the_campaign_is_being_sent(state: State) -> None:
    """Scheduled, held and finished campaigns send nothing."""
    assert Wait(Reason.CAMPAIGN_HELD) == _campaign(state=state)(Case()).decide()


def test_an_address_that_got_the_campaign_through_another_client_gets_it_once() -> None:
    """Two clients with one inbox get one message."""
    assert Withhold(Reason.ALREADY_SENT_OR_UNKNOWN) == _address(got_this_campaign=True)(Case()).decide()


# --- anything at all --------------------------------------------------------------------------------------------------

_moments = st.integers(0, 800).map(lambda days: NOW - DAY * days + timedelta(hours=days % 20))
_answers = st.builds(
    Answer,
    entry=st.integers(1, 9),
    reply=st.sampled_from([Reply.GRANTED, Reply.GRANTED, *Reply]),
    channel=st.sampled_from([EMAIL, EMAIL, SMS, None]),
    not_before=st.none() | _moments,
    not_after=st.none() | _moments,
    recorded_at=_moments,
    place=st.sampled_from([Place.ONLINE, Place.ONLINE, None]),
    wording=st.sampled_from(["w1", "w1", None]),
)
_dates = st.lists(st.integers(0, 500).map(lambda days: TODAY - DAY * days), min_size=8, max_size=16).map(tuple)
_mostly_no = st.sampled_from([False] * 24 + [True])
_mostly_yes = st.sampled_from([True] * 24 + [False])
_addresses = st.builds(
    AddressFacts,
    address=st.integers(1, 9),
    dead=_mostly_no,
    awaits_receipt=_mostly_no,
    shared_objection=_mostly_no,
    days=_dates,
    got_this_campaign=_mostly_no,
)
_clients = st.builds(
    ClientFacts,
    number=st.just(7),
    known=_mostly_yes,
    in_register=_mostly_yes,
    restricted=_mostly_no,
    child=_mostly_no,
    suspended=_mostly_no,
    paused_until=st.sampled_from([None, NOW - DAY, None, NOW + timedelta(hours=30)]),
    declined=st.sampled_from([*[frozenset[Kind]()] * 9, frozenset(Kind), frozenset({Kind.OFFER})]),
    own_cap=st.sampled_from([None, None, None, 3, 12]),
    answers=st.tuples(
        st.sampled_from([YES, YES_SMS, _answer(Reply.GRANTED, 364.9)]), st.lists(_answers, max_size=3)
    ).map(lambda drawn: (drawn[0], *drawn[1])),
    addresses=st.sampled_from([[EMAIL, SMS], [SMS, EMAIL], [EMAIL], [SMS], []]).flatmap(
        lambda channels: st.fixed_dictionaries(dict.fromkeys(channels, _addresses))
    ),
    days=_dates,
    got_this_campaign=_mostly_no,
)
_campaigns = st.builds(
    CampaignFacts,
    channels=st.permutations(list(Channel)).flatmap(lambda order: st.sampled_from([order, order[:1]])),
    state=st.sampled_from([State.SENDING] * 9 + list(State)),
    windows=st.just(Windows(HELSINKI)),
    valid_until=st.none() | st.integers(-5, 400).map(lambda days: TODAY + DAY * days),
    valid_for=st.sampled_from([timedelta(days=365), timedelta(days=90)]),
    doors_read=_mostly_yes,
    coverage=st.builds(
        Coverage,
        st.sampled_from([frozenset(), frozenset({SMS})]),
        st.sampled_from([(), ((NOW - DAY * 20, None),), ((NOW - DAY * 300, NOW + DAY),)]),
    ),
    authorised=st.sampled_from([frozenset(Channel), frozenset({EMAIL})]),
    kind=st.sampled_from([*Kind, None]),
)
_hours = st.integers(0, 48).map(lambda hours: NOW + timedelta(hours=hours))


@settings(max_examples=600)  # of so many facts, one case in forty is sent
@given(_clients, _campaigns, _hours)
def test_nothing_is_ever_sent_against_the_promise(client: ClientFacts, campaign: CampaignFacts, now: datetime) -> None:
    """Invariants 1 to 3: a Send rests on a standing yes for its channel, and on none of what would forbid it."""
    verdict = decide(client, campaign, now)
    if isinstance(verdict, Send):
        address = client.addresses[verdict.channel]
        today = now.astimezone(HELSINKI).date()
        consent = fold(client.answers, verdict.channel, now, campaign.valid_for)
        assert (ConsentState.GRANTED, verdict.answer) == (consent.state, consent.answer)
        assert verdict.channel in campaign.channels
        assert verdict.channel in campaign.authorised
        assert campaign.coverage.covers(consent, verdict.channel, now)
        assert all([client.known, client.in_register, not {campaign.kind} <= client.declined])
        assert not any([client.restricted, client.child, client.suspended, client.got_this_campaign])
        assert not any([address.dead, address.shared_objection, address.got_this_campaign, address.awaits_receipt])
        assert all(sum(today - DAY * 364 <= day <= today for day in days) < 12 for days in (client.days, address.days))
        assert State.SENDING is campaign.state
        assert campaign.doors_read
        assert campaign.valid_until is None or today <= campaign.valid_until
        assert campaign.windows.is_open(verdict.channel, now)


@settings(max_examples=300)
@given(_clients, _campaigns, _hours)
def test_a_wait_lies_ahead_and_within_the_offer(client: ClientFacts, campaign: CampaignFacts, now: datetime) -> None:
    """A message is asked about again later, by the channel it would take, and never after its offer has ended."""
    verdict = decide(client, campaign, now)
    if isinstance(verdict, Wait):
        assert verdict.channel in campaign.channels
        assert verdict.channel in client.addresses
        if verdict.until is not None:
            assert now < verdict.until
            ends = campaign.valid_until
            assert ends is None or verdict.until.astimezone(HELSINKI).date() <= ends


@settings(max_examples=600)
@given(_clients, _campaigns, _hours, _answers)
def test_one_more_no_never_makes_a_message_go(
    client: ClientFacts, campaign: CampaignFacts, now: datetime, answer: Answer
) -> None:
    """Whatever else is on record, a further no sends nothing by a channel it closes that was not sent before."""
    no = replace(answer, reply=Reply.WITHDRAWN)
    before = decide(client, campaign, now)
    after = decide(replace(client, answers=(*client.answers, no)), campaign, now)
    if isinstance(after, Send) and no.concerns(after.channel):
        assert before == after


@given(_clients, _campaigns, _hours, st.randoms(use_true_random=False))
def test_the_verdict_does_not_depend_on_the_order_of_the_facts(
    client: ClientFacts, campaign: CampaignFacts, now: datetime, random: Random
) -> None:
    """Preview, plan, delivery and audit read the same facts in different orders, and may not disagree."""
    answers = [replace(answer, entry=entry) for entry, answer in enumerate(client.answers)]
    client = replace(client, answers=tuple(answers))
    days = list(client.days)
    random.shuffle(answers)
    random.shuffle(days)
    assert decide(client, campaign, now) == decide(
        replace(client, answers=tuple(answers), days=tuple(days)), campaign, now
    )


@settings(max_examples=300)
@given(_clients, _campaigns, _hours)
def test_what_was_waited_for_has_come(client: ClientFacts, campaign: CampaignFacts, now: datetime) -> None:
    """Asked again at `until`, nobody hears the same reason a second time: no message waits in a circle."""
    verdict = decide(client, campaign, now)
    if isinstance(verdict, Wait) and verdict.until is not None:
        again = decide(client, campaign, verdict.until)
        assert not isinstance(again, Wait) or (again.channel, again.reason) != (verdict.channel, verdict.reason)


@pytest.mark.parametrize(
    ("kind", "declined", "goes"),
    [
        (Kind.OFFER, frozenset({Kind.OFFER}), False),
        (Kind.TREATMENT_DAY, frozenset({Kind.OFFER}), True),
        (None, frozenset({Kind.OFFER}), True),
        (None, frozenset(Kind), False),
        (Kind.OFFER, frozenset(), True),
    ],
)
def test_a_topic_is_the_clients_choice(kind: Kind | None, declined: frozenset[Kind], *, goes: bool) -> None:
    """A campaign of a topic that a client does not want is withheld; a client is reached while one topic is left."""
    verdict = _campaign(kind=kind)(_client(declined=declined)(Case())).decide()
    assert isinstance(verdict, Send) if goes else verdict == Withhold(Reason.TOPIC_NOT_CHOSEN)
