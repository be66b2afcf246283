"""What a campaign is: the states of its life, and whom it addresses."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.rules.campaign import MOVES, Audience, Campaign, Channel, Kind, Language, State

FI, SV, EN = Language.FI, Language.SV, Language.EN
ENDED = {State.FINISHED, State.CANCELLED}


def _reachable(start: State) -> set[State]:
    """Return every state that can follow this one, in any number of moves."""
    found: set[State] = set()
    waiting = [start]
    while waiting:
        for following in MOVES[waiting.pop()] - found:
            found.add(following)
            waiting.append(following)
    return found


def test_every_state_has_its_moves() -> None:
    """No state is left out, and no move leads out of the closed set of states."""
    assert set(State) == set(MOVES)
    assert set(State) >= set().union(*MOVES.values())


def test_no_state_follows_itself() -> None:
    """A move is a change: taking the same one twice is refused the second time."""
    assert not [state for state in State if state in MOVES[state]]


def test_what_has_ended_stays_ended() -> None:
    """Design 4, 2: a finished or cancelled campaign is never sent again, and nothing else is without a way on."""
    assert ENDED == {state for state in State if not MOVES[state]}


@pytest.mark.parametrize("state", [state for state in State if state not in ENDED])
def test_the_owner_can_always_stop_a_campaign(state: State) -> None:
    """Before it has ended, a campaign can be cancelled and brought to its end, and held unless it is held."""
    assert State.CANCELLED in MOVES[state]
    assert ENDED <= _reachable(state)
    assert (state is not State.HELD) is (State.HELD in MOVES[state])


def test_only_what_is_being_sent_finishes() -> None:
    """A campaign that was never begun, or is held, cannot turn out finished without being sent."""
    assert [State.SENDING] == [state for state in State if State.FINISHED in MOVES[state]]


def test_a_held_campaign_goes_back_to_where_it_was() -> None:
    """Design 4, 6: scheduled and sending are the two states a campaign can be held in."""
    holdable = {state for state in State if State.HELD in MOVES[state]}
    assert holdable == MOVES[State.HELD] - {State.CANCELLED}


MARCH, APRIL, MAY = date(2026, 3, 1), date(2026, 4, 1), date(2026, 5, 1)


@pytest.mark.parametrize(
    ("audience", "language", "last_visit", "included"),
    [
        (Audience(), FI, None, True),
        (Audience(), EN, APRIL, True),
        (Audience(languages=frozenset({FI})), FI, None, True),
        (Audience(languages=frozenset({FI})), SV, APRIL, False),
        (Audience(languages=frozenset({SV, EN})), EN, None, True),
        (Audience(languages=frozenset({SV, EN})), FI, None, False),
        (Audience(visited_since=APRIL), FI, APRIL, True),
        (Audience(visited_since=APRIL), FI, MARCH, False),
        (Audience(visited_since=APRIL), FI, MAY, True),
        (Audience(visited_since=APRIL), FI, None, False),
        (Audience(visited_until=APRIL), FI, APRIL, True),
        (Audience(visited_until=APRIL), FI, MARCH, True),
        (Audience(visited_until=APRIL), FI, MAY, False),
        (Audience(visited_until=APRIL), FI, None, False),
        (Audience(visited_since=APRIL, visited_until=APRIL), FI, APRIL, True),
        (Audience(visited_since=MARCH, visited_until=MAY), FI, APRIL, True),
        (Audience(visited_since=MARCH, visited_until=APRIL), FI, MAY, False),
        (Audience(visited_since=APRIL, visited_until=MAY), FI, MARCH, False),
        (Audience(frozenset({FI}), MARCH, MAY), SV, APRIL, False),
        (Audience(frozenset({FI}), MARCH, MAY), FI, APRIL, True),
        (Audience(frozenset({FI}), MARCH, MAY), FI, None, False),
    ],
)
def test_an_audience_is_divided_by_language_and_last_visit(
    audience: Audience, language: Language, last_visit: date | None, *, included: bool
) -> None:
    """L-43: both dates are included, and who never came is in no audience that asks for a visit."""
    assert included is audience.includes(language, last_visit)


_days = st.none() | st.dates(date(2026, 1, 1), date(2026, 2, 1))
_audiences = st.builds(Audience, st.frozensets(st.sampled_from(Language)), _days, _days)


@given(_audiences, st.sampled_from(Language), _days)
def test_narrowing_an_audience_only_takes_clients_away(
    audience: Audience, language: Language, last_visit: date | None
) -> None:
    """A client whom an audience includes stays included when any one of its conditions is dropped."""
    if audience.includes(language, last_visit):
        assert Audience(frozenset(), audience.visited_since, audience.visited_until).includes(language, last_visit)
        assert Audience(audience.languages, None, audience.visited_until).includes(language, last_visit)
        assert Audience(audience.languages, audience.visited_since, None).includes(language, last_visit)
    else:
        assert Audience() != audience


def test_a_campaign_addresses_everybody_unless_its_file_says_otherwise() -> None:
    """The default audience is every language and every visit; an offer need not end."""
    send_at = datetime(2026, 3, 17, 8, tzinfo=UTC)
    campaign = Campaign("2026-03-kevat", "Kevät", Kind.OFFER, send_at, (Channel.EMAIL,), {FI: "Kevät"}, "offer")
    assert (Audience(), None, {}) == (campaign.audience, campaign.valid_until, campaign.fields)
