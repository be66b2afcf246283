"""What a campaign is, and whom it addresses."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.rules.campaign import Audience, Campaign, Channel, Kind, Language

FI, SV, EN = Language.FI, Language.SV, Language.EN
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
