"""The one gate: every reason, their order, the channel taken, and that nothing passes without a standing yes."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.rules.campaign import Channel, Kind, State
from dispatcher.rules.consent import Answer, ConsentState, Reply
from dispatcher.rules.decision import (
    AddressFacts,
    Coverage,
    Reason,
    Send,
    Verdict,
    Wait,
    Withhold,
    consent_for,
)
from tests.rules.deciding import (
    BOTH,
    DAY,
    EMAIL,
    NOW,
    OPENING,
    SMS,
    TODAY,
    TWELVE,
    YES,
    YES_SMS,
    Case,
    answered,
    at_night,
    more_answers,
    of_address,
    of_campaign,
    of_client,
    on_both,
)


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


OLD = NOW - DAY * 400
SPOILED: dict[Reason, tuple[Callable[[Case], Case], Verdict]] = {
    Reason.ERASED: (of_client(known=False), Withhold(Reason.ERASED)),
    Reason.GONE_FROM_REGISTER: (of_client(in_register=False), Withhold(Reason.GONE_FROM_REGISTER)),
    Reason.RESTRICTED: (of_client(restricted=True), Withhold(Reason.RESTRICTED)),
    Reason.OBJECTION: (more_answers(answered(Reply.WITHDRAWN, 1)), Withhold(Reason.OBJECTION)),
    Reason.CHANNEL_CONSENT_MISSING: (_without_yes, Withhold(Reason.CHANNEL_CONSENT_MISSING)),
    Reason.CONSENT_INCOMPLETE_EVIDENCE: (_flaw(wording=None), Withhold(Reason.CONSENT_INCOMPLETE_EVIDENCE)),
    Reason.CONSENT_TIME_UNKNOWN: (_flaw(not_before=None), Withhold(Reason.CONSENT_TIME_UNKNOWN)),
    Reason.CONSENT_EXPIRED: (_flaw(not_before=OLD, not_after=OLD), Withhold(Reason.CONSENT_EXPIRED)),
    Reason.NOTICE_DOES_NOT_COVER: (
        of_campaign(coverage=Coverage(frozenset({EMAIL}))),
        Withhold(Reason.NOTICE_DOES_NOT_COVER),
    ),
    Reason.LATEST_ANSWER_NO: (more_answers(answered(Reply.DECLINED, 1)), Withhold(Reason.LATEST_ANSWER_NO)),
    Reason.ADDRESS_INVALID: (of_client(addresses={}), Withhold(Reason.ADDRESS_INVALID)),
    Reason.ADDRESS_DEAD: (of_address(dead=True), Withhold(Reason.ADDRESS_DEAD)),
    Reason.SHARED_ADDRESS_OBJECTION: (of_address(shared_objection=True), Withhold(Reason.SHARED_ADDRESS_OBJECTION)),
    Reason.CHILD: (of_client(child=True), Withhold(Reason.CHILD)),
    Reason.SUSPENDED: (of_client(suspended=True), Withhold(Reason.SUSPENDED)),
    Reason.PAUSED: (of_client(paused_until=NOW + DAY * 30), Withhold(Reason.PAUSED)),
    Reason.TOPIC_NOT_CHOSEN: (of_client(declined=frozenset(Kind)), Withhold(Reason.TOPIC_NOT_CHOSEN)),
    Reason.OWN_CAP: (of_client(own_cap=0), Withhold(Reason.OWN_CAP)),
    Reason.FREQUENCY_CAP: (of_client(days=TWELVE), Wait(Reason.FREQUENCY_CAP, OPENING)),
    Reason.OFFER_ENDED: (of_campaign(valid_until=TODAY - DAY), Withhold(Reason.OFFER_ENDED)),
    Reason.QUIET_HOURS: (at_night, Wait(Reason.QUIET_HOURS, datetime(2026, 11, 24, 5, tzinfo=UTC))),
    Reason.RECEIPT_PENDING: (of_address(awaits_receipt=True), Wait(Reason.RECEIPT_PENDING)),
    Reason.DOORS_UNREAD: (of_campaign(doors_read=False), Wait(Reason.DOORS_UNREAD)),
    Reason.SENDER_NOT_AUTHORISED: (of_campaign(authorised=frozenset()), Withhold(Reason.SENDER_NOT_AUTHORISED)),
    Reason.CAMPAIGN_HELD: (of_campaign(state=State.HELD), Wait(Reason.CAMPAIGN_HELD)),
    Reason.CAMPAIGN_CANCELLED: (of_campaign(state=State.CANCELLED), Withhold(Reason.CAMPAIGN_CANCELLED)),
    Reason.ALREADY_SENT_OR_UNKNOWN: (of_client(got_this_campaign=True), Withhold(Reason.ALREADY_SENT_OR_UNKNOWN)),
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
        ((answered(Reply.NOT_ASKED, 1),), Reason.CHANNEL_CONSENT_MISSING),
        ((YES, answered(Reply.WITHDRAWN, 30)), Reason.OBJECTION),
        ((YES, answered(Reply.DECLINED, 30, None)), Reason.LATEST_ANSWER_NO),
        ((replace(YES, channel=None),), Reason.CONSENT_INCOMPLETE_EVIDENCE),
        ((replace(YES, place=None, not_before=None),), Reason.CONSENT_INCOMPLETE_EVIDENCE),
        ((replace(YES, wording=None), answered(Reply.DECLINED, 60)), Reason.CONSENT_INCOMPLETE_EVIDENCE),
        ((replace(YES, wording=None), answered(Reply.WITHDRAWN, 60)), Reason.OBJECTION),
        ((answered(Reply.GRANTED, 400), answered(Reply.WITHDRAWN, 500)), Reason.CONSENT_EXPIRED),
        ((answered(Reply.GRANTED, 400), answered(Reply.DECLINED, 390)), Reason.LATEST_ANSWER_NO),
        ((replace(YES, not_before=None), answered(Reply.DECLINED, 60)), Reason.LATEST_ANSWER_NO),
    ],
)
def test_why_there_is_no_consent(answers: tuple[Answer, ...], reason: Reason) -> None:
    """C5: what stands in the way is named by what stands on record, an objection before everything else."""
    assert Withhold(reason) == of_client(answers=answers)(Case()).decide()


def test_a_later_yes_lifts_an_objection() -> None:
    """L-07: who says yes again afterwards is written to, and the message relies on that yes."""
    assert Send(EMAIL, YES) == more_answers(answered(Reply.WITHDRAWN, 31))(Case()).decide()


def test_a_shorter_validity_of_the_installation_counts() -> None:
    """L-08: the page and the gate ask with the same period."""
    case = of_campaign(valid_for=timedelta(days=30))(Case())
    assert Withhold(Reason.CONSENT_EXPIRED) == case.decide()
    assert ConsentState.EXPIRED is consent_for(case.client, case.campaign, EMAIL, NOW).state


# --- channels ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [(EMAIL, SMS), (SMS, EMAIL)])
def test_the_first_channel_of_the_file_is_taken(order: tuple[Channel, ...]) -> None:
    """Who may be reached by both gets the one the campaign prefers (L-24)."""
    verdict = of_campaign(channels=order)(on_both(Case())).decide()
    assert isinstance(verdict, Send)
    assert order[0] is verdict.channel


@pytest.mark.parametrize(
    "spoil",
    [
        more_answers(answered(Reply.WITHDRAWN, 1, EMAIL)),
        more_answers(answered(Reply.DECLINED, 1, EMAIL)),
        of_client(answers=(YES_SMS,)),
        of_client(answers=(replace(YES, wording=None), YES_SMS)),
        of_client(addresses={SMS: AddressFacts(2)}),
        of_client(addresses={EMAIL: AddressFacts(1, dead=True), SMS: AddressFacts(2)}),
        of_client(addresses={EMAIL: AddressFacts(1, shared_objection=True), SMS: AddressFacts(2)}),
        of_campaign(coverage=Coverage(frozenset({EMAIL}))),
    ],
    ids=["objection", "decline", "no yes", "flawed yes", "no address", "dead", "shared", "not covered"],
)
def test_who_closed_email_gets_the_text_message(spoil: Callable[[Case], Case]) -> None:
    """A no for email, no yes for it, or no usable address leaves the other channel as it is."""
    assert Send(SMS, YES_SMS) == spoil(on_both(Case())).decide()


@pytest.mark.parametrize("reply", [Reply.WITHDRAWN, Reply.DECLINED])
def test_a_no_that_names_no_channel_closes_them_all(reply: Reply) -> None:
    """L-01: one click, STOP, a complaint or a word at the desk stops every channel."""
    reason = Reason.OBJECTION if reply is Reply.WITHDRAWN else Reason.LATEST_ANSWER_NO
    assert Withhold(reason) == more_answers(answered(reply, 1, None))(on_both(Case())).decide()


def test_the_first_channel_that_may_be_used_is_waited_for() -> None:
    """A message does not change to another channel because it is night."""
    case = of_campaign(channels=(SMS, EMAIL))(on_both(Case(now=datetime(2026, 11, 22, 10, tzinfo=UTC))))
    verdict = case.decide()
    assert Wait(Reason.QUIET_HOURS, datetime(2026, 11, 23, 7, tzinfo=UTC)) == verdict
    assert SMS is getattr(verdict, "channel", None)


@pytest.mark.parametrize(
    ("spoil", "verdict"),
    [
        (
            of_client(addresses={EMAIL: AddressFacts(1, got_this_campaign=True), SMS: AddressFacts(2)}),
            Withhold(Reason.ALREADY_SENT_OR_UNKNOWN),
        ),
        (
            of_client(addresses={EMAIL: AddressFacts(1, days=TWELVE), SMS: AddressFacts(2)}),
            Wait(Reason.FREQUENCY_CAP, OPENING),
        ),
        (of_campaign(authorised=frozenset({SMS})), Withhold(Reason.SENDER_NOT_AUTHORISED)),
        (of_campaign(valid_until=TODAY - DAY), Withhold(Reason.OFFER_ENDED)),
    ],
    ids=["got it", "full", "sender", "ended"],
)
def test_only_a_closed_channel_sends_a_client_to_the_next(spoil: Callable[[Case], Case], verdict: Verdict) -> None:
    """L-24: who agreed to email and may not have one now does not get a text message in its place."""
    assert verdict == spoil(on_both(Case())).decide()


def test_if_no_channel_may_be_used_the_first_with_an_address_says_why() -> None:
    """The reason on record is about an address the client has."""
    case = BOTH(of_client(answers=(answered(Reply.DECLINED, 1, SMS),), addresses={SMS: AddressFacts(2)})(Case()))
    assert Withhold(Reason.LATEST_ANSWER_NO) == case.decide()
    assert Withhold(Reason.CHANNEL_CONSENT_MISSING) == of_client(addresses={})(case).decide()


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
    verdict = of_campaign(kind=kind)(of_client(declined=declined)(Case())).decide()
    assert isinstance(verdict, Send) if goes else verdict == Withhold(Reason.TOPIC_NOT_CHOSEN)
