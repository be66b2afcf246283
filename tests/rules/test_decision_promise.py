"""The one decision about anything at all: whatever the facts, nothing is sent against the promise."""

from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

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
    Send,
    Wait,
    decide,
)
from tests.rules.deciding import DAY, EMAIL, HELSINKI, NOW, SMS, TODAY, YES, YES_SMS, answered

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
        st.sampled_from([YES, YES_SMS, answered(Reply.GRANTED, 364.9)]), st.lists(_answers, max_size=3)
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
