"""The year at a glance of a real installation, and what one more campaign would do to it."""

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text

from dispatcher.errors import CampaignFileError, RefusedError
from dispatcher.flow.year import Reach
from dispatcher.rules.budget import Way
from dispatcher.rules.campaign import Campaign, Channel, Kind
from dispatcher.rules.year import Standing
from dispatcher.wiring import Dispatcher
from tests.stores import raw
from tests.workshop import Workshop

MOMENT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
MAIJA = "1;Maija;Meikäläinen;maija@posti.example;040 123 4567;fi;20.11.2026;kyllä;kyllä;20.11.2026"
ERIK = "2;Erik;Exempel;erik@posti.example;;sv;20.11.2026;kyllä;;20.11.2026"
NEVER = "3;Never;Asked;never@posti.example;;fi;20.11.2026;;;"
WEEK = timedelta(days=7)


def take(dispatcher: Dispatcher, name: str, moment: datetime) -> None:
    """Take a slot for a bare campaign."""
    campaign = Campaign(name, f"Kampanja {name}", Kind.OFFER, moment, (Channel.EMAIL,), {}, "offer")
    dispatcher.schedule.take(campaign, {}, dispatcher.persons.acting(None))


def send(workshop: Workshop, dispatcher: Dispatcher, name: str, moment: datetime) -> None:
    """Schedule a campaign, wait for its moment, and send it."""
    dispatcher.schedule.run(workshop.campaign(name, moment), dispatcher.persons.acting(None))
    workshop.clock.set(moment)
    asyncio.run(dispatcher.rounds.once())


def declare(dispatcher: Dispatcher, day: date, title: str) -> None:
    """Count what was sent beside the program."""
    dispatcher.declaring.declare(day, title, [Way.LETTER], 40, Kind.OFFER, dispatcher.persons.acting(None))


def a_year(workshop: Workshop, dispatcher: Dispatcher) -> None:
    """Send one campaign, hold one, cancel one, schedule one for the next year, and declare one."""
    actor = dispatcher.persons.acting(None)
    dispatcher.enrol.run(workshop.register(MAIJA, ERIK, NEVER), actor)
    declare(dispatcher, date(2026, 3, 2), "Kortti")
    send(workshop, dispatcher, "sent", MOMENT)
    for name, moment in (("held", MOMENT + 2 * WEEK), ("gone", MOMENT + 3 * WEEK), ("next", MOMENT + 9 * WEEK)):
        take(dispatcher, name, moment)
    dispatcher.lifecycle.hold("held", actor)
    dispatcher.lifecycle.cancel("gone", actor)


def test_a_year_shows_every_slot(workshop: Workshop) -> None:
    """Slots spent, held, cancelled and declared are told with their messages; what is left counts the next year's."""
    with workshop.opened() as dispatcher:
        a_year(workshop, dispatcher)
        seen, following = dispatcher.years.glance(2026), dispatcher.years.glance(2027)
    assert [
        (date(2026, 3, 2), "Kortti", Standing.DECLARED, "offer", {}),
        (date(2026, 11, 24), "Kampanja sent", Standing.SPENT, "offer", {Channel.EMAIL: 2}),
        (date(2026, 12, 8), "Kampanja held", Standing.HELD, "offer", {}),
        (date(2026, 12, 15), "Kampanja gone", Standing.CANCELLED, "offer", {}),
    ] == [(each.day, each.title, each.standing, each.kind, dict(each.sent)) for each in seen.entries]
    assert (3, 8, date(2026, 11, 24)) == (seen.taken, seen.left, seen.first_free)
    assert [(date(2026, 3, 3), date(2026, 11, 23))] == [(gap.first, gap.last) for gap in seen.gaps]
    assert ("3 planned, 3 more by December to keep what the notice says.",) == tuple(
        remark for remark in seen.remarks if "December" in remark
    )
    assert [("Kampanja next", Standing.SCHEDULED)] == [(each.title, each.standing) for each in following.entries]


def test_a_past_year_needs_the_ledger_alone(workshop: Workshop) -> None:
    """Invariant 9: a year that is over reads the same from the ledger, though the table of slots were empty."""
    with workshop.opened() as dispatcher:
        a_year(workshop, dispatcher)
        running = dispatcher.years.glance(2026)
        workshop.clock.set(datetime(2028, 2, 1, 10, 0, tzinfo=UTC))
        engine = raw(dispatcher.store.database.url.render_as_string(hide_password=False))
        with engine.begin() as connection:
            connection.execute(text("DELETE FROM slot"))
        engine.dispose()
        over = dispatcher.years.glance(2026)
        assert [] == dispatcher.years.suggestions(2026)
    assert running.entries == over.entries
    assert 0 == over.left
    assert ("2 campaigns went out in 2026, fewer than the 6 that clients were told to expect.",) == over.remarks


def test_an_empty_year_is_a_year(workshop: Workshop) -> None:
    """Where nothing has been scheduled, twelve are left, and the days that clients mark suggest themselves."""
    with workshop.opened() as dispatcher:
        seen, suggested = dispatcher.years.glance(2027), dispatcher.years.suggestions(2027)
        past = dispatcher.years.glance(2025)
    assert ((), 12) == (seen.entries, seen.left)
    assert any("Mother's Day" in each.names for each in suggested)
    assert ((), 0) == (past.entries, past.left)


def test_what_one_more_would_do(workshop: Workshop) -> None:
    """L-23: a trial tells its place in year and window, its neighbours, whom it reaches, and changes nothing."""
    with workshop.opened() as dispatcher:
        a_year(workshop, dispatcher)
        path = workshop.campaign("more", MOMENT + 2 * WEEK + timedelta(days=2))
        before = dispatcher.years.glance(2026)
        what = dispatcher.years.what_if(path)
        assert before == dispatcher.years.glance(2026)
    assert (what.fits, what.trial.day, what.trial.in_year) == (True, date(2026, 12, 10), 4)
    assert (date(2026, 3, 2), 5) == (what.trial.window, what.trial.in_window)
    assert ["Kampanja held"] == [each.title for each in what.trial.too_close]
    assert Reach(clients=2, twelfth=0, twelfth_at_most=0, full=0) == what.reach


def test_a_trial_counts_whose_twelfth_it_is(workshop: Workshop) -> None:
    """L-23: who has had eleven in 365 days would reach the twelfth, and after that would get nothing."""
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        dispatcher.enrol.run(workshop.register(MAIJA, ERIK), actor)
        for number in range(10):
            send(workshop, dispatcher, f"c{number}", MOMENT + number * WEEK)
        dispatcher.preferences.withdraw(dispatcher.register.find("erik@posti.example"), actor)
        later = workshop.campaign("last", MOMENT + 13 * WEEK)
        take(dispatcher, "planned", MOMENT + 11 * WEEK)
        assert Reach(clients=1, twelfth=0, twelfth_at_most=1, full=0) == dispatcher.years.what_if(later).reach
        send(workshop, dispatcher, "c11", MOMENT + 10 * WEEK)
        dispatcher.lifecycle.cancel("planned", actor)
        assert Reach(clients=1, twelfth=1, twelfth_at_most=1, full=0) == dispatcher.years.what_if(later).reach
        send(workshop, dispatcher, "c12", MOMENT + 12 * WEEK)
        what = dispatcher.years.what_if(later)
    assert Reach(clients=0, twelfth=0, twelfth_at_most=0, full=1) == what.reach
    assert what.trial.full is not None
    assert (False, date(2027, 11, 24)) == (what.fits, what.trial.full.first_free)


@pytest.mark.parametrize("state", ["draft", "reserved"])
def test_a_trial_takes_its_own_slot_anew(workshop: Workshop, state: str) -> None:
    """A campaign that has a slot and no final words yet is tried as if its own slot were free."""
    with workshop.opened() as dispatcher:
        take(dispatcher, "a", MOMENT)
        engine = raw(dispatcher.store.database.url.render_as_string(hide_password=False))
        with engine.begin() as connection:
            connection.execute(text("UPDATE campaign SET state = :state"), {"state": state})
        engine.dispose()
        assert [state] == [each.standing.value for each in dispatcher.years.glance(2026).entries]
        what = dispatcher.years.what_if(workshop.campaign("a", MOMENT + WEEK))
    assert (True, 1, None) == (what.fits, what.trial.in_year, what.trial.before)


def test_a_trial_needs_a_campaign_that_could_be_scheduled(workshop: Workshop) -> None:
    """A file that is wrong, scheduled already, past, or at a closed hour does not fit, and why is told."""
    with workshop.opened() as dispatcher:
        take(dispatcher, "a", MOMENT)
        with pytest.raises(RefusedError, match="has its slot already, on 2026-11-24"):
            dispatcher.years.what_if(workshop.campaign("a", MOMENT))
        with pytest.raises(CampaignFileError, match="there is no such file"):
            dispatcher.years.what_if(workshop.directory / "campaigns" / "none.toml")
        past = dispatcher.years.what_if(workshop.campaign("past", MOMENT - WEEK))
        night = dispatcher.years.what_if(workshop.campaign("night", MOMENT + timedelta(hours=14)))
    assert (True, False) == (past.is_past, past.fits)
    assert ((), False, None) == (night.open_channels, night.fits, night.trial.full)
