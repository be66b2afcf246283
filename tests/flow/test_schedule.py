"""Campaign file -> slot: what is frozen, and that the year never holds more than twelve."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dispatcher.errors import CampaignFileError, NoSlotError, RefusedError
from dispatcher.rules.budget import CEILING, WINDOW
from dispatcher.rules.campaign import Campaign, Channel, Kind, State
from dispatcher.storage import campaigns
from dispatcher.wiring import Dispatcher
from tests.workshop import ZONE, Workshop

SOON = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)


def take(dispatcher: Dispatcher, name: str, moment: datetime) -> None:
    """Take a slot for a bare campaign."""
    campaign = Campaign(name, f"Kampanja {name}", Kind.OFFER, moment, (Channel.EMAIL,), {}, "offer")
    dispatcher.schedule.take(campaign, {}, dispatcher.persons.acting(None))


def test_a_scheduled_campaign_is_frozen(workshop: Workshop) -> None:
    """What was scheduled is what goes out: a file or template changed afterwards changes nothing."""
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        path = workshop.campaign("a", SOON)
        before = path.read_bytes()
        taken = dispatcher.schedule.run(path, actor)
        assert (taken.day, taken.in_year) == (date(2026, 12, 1), 1)
        path.write_text("changed", encoding="utf-8")
        with dispatcher.store.reading() as connection:
            frozen = campaigns.frozen(connection, taken.id)
        assert frozen["campaign.toml"] == before
        assert {"templates/email/offer/body.html.j2", "templates/layouts/email.html.j2", "policy.json"} <= frozen.keys()


def test_a_faulty_campaign_gets_no_slot(workshop: Workshop) -> None:
    """A template error is found before anything is scheduled, and the year stays as it was."""
    with workshop.opened() as dispatcher:
        path = workshop.campaign("a", SOON)
        path.write_text(path.read_text(encoding="utf-8").replace("price = 49", ""), encoding="utf-8")
        with pytest.raises(CampaignFileError, match="price"):
            dispatcher.schedule.run(path, dispatcher.persons.acting(None))
        assert dispatcher.lifecycle.all() == []


def test_the_same_campaign_is_scheduled_once(workshop: Workshop) -> None:
    """A campaign that has its slot cannot take another; once cancelled it can be scheduled again."""
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        path = workshop.campaign("a", SOON)
        dispatcher.schedule.run(path, actor)
        with pytest.raises(RefusedError, match="already"):
            dispatcher.schedule.run(path, actor)
        dispatcher.lifecycle.cancel("a", actor)
        assert dispatcher.schedule.run(path, actor).in_year == 1


def test_a_moment_that_has_passed_is_refused(workshop: Workshop) -> None:
    """A campaign cannot be scheduled into the past."""
    with workshop.opened() as dispatcher:
        path = workshop.campaign("a", workshop.clock() - timedelta(minutes=1))
        with pytest.raises(CampaignFileError, match="has passed"):
            dispatcher.schedule.run(path, dispatcher.persons.acting(None))


def test_the_thirteenth_is_refused_with_the_twelve(workshop: Workshop) -> None:
    """L-23: the thirteenth of a year is refused, naming the twelve in its way and the first free date."""
    workshop.clock.set(datetime(2026, 1, 1, 9, 0, tzinfo=UTC))
    with workshop.opened() as dispatcher:
        for each in range(12):
            take(dispatcher, f"c{each}", datetime(2026, 1, 5, 8, 0, tzinfo=UTC) + timedelta(days=20 * each))
        with pytest.raises(NoSlotError) as refused:
            take(dispatcher, "one-more", datetime(2026, 12, 30, 8, 0, tzinfo=UTC))
        told = str(refused.value)
        assert all(f"Kampanja c{each}" in told for each in range(12))
        assert "2027-01-05" in told
        with pytest.raises(NoSlotError, match="365 days"):
            take(dispatcher, "early", datetime(2027, 1, 4, 8, 0, tzinfo=UTC))
        take(dispatcher, "free", datetime(2027, 1, 5, 8, 0, tzinfo=UTC))


def test_a_cancelled_campaign_gives_its_slot_back(workshop: Workshop) -> None:
    """Cancelled before its first hand-off, a campaign leaves its slot to another."""
    workshop.clock.set(datetime(2026, 1, 1, 9, 0, tzinfo=UTC))
    with workshop.opened() as dispatcher:
        for each in range(12):
            take(dispatcher, f"c{each}", datetime(2026, 1, 5, 8, 0, tzinfo=UTC) + timedelta(days=20 * each))
        dispatcher.lifecycle.cancel("c3", dispatcher.persons.acting(None))
        take(dispatcher, "one-more", datetime(2026, 12, 30, 8, 0, tzinfo=UTC))
        assert sum(each.state is State.SCHEDULED for each in dispatcher.lifecycle.all()) == CEILING


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15)
@given(days=st.lists(st.integers(0, 900), min_size=13, max_size=30))
def test_no_schedule_exceeds_twelve(workshop: Workshop, days: list[int]) -> None:
    """Invariant 3: whatever is tried in whatever order, no calendar year and no 365 dates hold more than twelve."""
    start = datetime(2027, 1, 1, 8, 0, tzinfo=UTC)
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        for number, day in enumerate(days):
            try:
                take(dispatcher, f"c{number}", start + timedelta(days=day))
            except NoSlotError:
                continue
        held = [each for each in dispatcher.lifecycle.all() if each.state is State.SCHEDULED]
        dates = sorted(each.send_at.astimezone(ZONE).date() for each in held)
        for each in held:
            dispatcher.lifecycle.cancel(each.name, actor)
    assert dates
    for first in dates:
        assert sum(first <= each < first + WINDOW for each in dates) <= CEILING
        assert sum(each.year == first.year for each in dates) <= CEILING
