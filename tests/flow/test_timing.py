"""When a campaign leaves, said beforehand: its pace, its windows, its neighbours and its holidays."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest

from dispatcher.errors import CampaignFileError
from dispatcher.flow.timing import Timing
from dispatcher.rules.campaign import Campaign, Channel, Kind
from dispatcher.rules.ledger import EntryKind
from dispatcher.rules.pace import Pace
from dispatcher.storage import ledger
from dispatcher.storage.store import Store
from tests.clock import FixedClock
from tests.stores import HELSINKI, POLICY, add_campaign
from tests.workshop import Doubles, Workshop

DAY = date(2026, 11, 24)


def at(day: date, hour: int, minute: int = 0) -> datetime:
    """Return the instant of a wall-clock time in Helsinki."""
    return datetime.combine(day, time(hour, minute), HELSINKI).astimezone(UTC)


def timing(store: Store, **paces: float) -> Timing:
    """Return the flow with these messages an hour."""
    return Timing(store, replace(POLICY, paces={Channel(name): Pace(pace) for name, pace in paces.items()}))


def campaign(
    send_at: datetime, *channels: Channel, valid_until: date | None = None, why: str | None = None
) -> Campaign:
    """Return a bare campaign."""
    return Campaign(
        "a",
        "Kampanja a",
        Kind.OFFER,
        send_at,
        channels or (Channel.EMAIL,),
        {},
        "offer",
        valid_until=valid_until,
        open_on_holidays=why,
    )


def test_a_run_is_told_with_its_end(store: Store) -> None:
    """The owner reads how many go, how fast, from when and until about when."""
    told = timing(store, email=200).of(campaign(at(DAY, 10)), {Channel.EMAIL: 612})
    assert ("612 by email, 200 an hour: 10:00 to about 13:05",) == told.plan
    assert ((), ()) == (told.warnings, told.refusals)
    assert 612 == json.loads(json.dumps(told.as_json()))["runs"]["email"]["legs"][0]["count"]


def test_a_run_that_cannot_finish_says_when_it_goes_on(store: Store) -> None:
    """S-14: what the evening cuts off goes on the next morning, and the warning says until when."""
    told = timing(store, email=200).of(campaign(at(DAY, 10)), {Channel.EMAIL: 3000})
    assert ("3000 by email, 200 an hour: 10:00 to 21:00 (2200); 25.11.2026 07:00 to about 11:00 (800)",) == told.plan
    assert told.warnings[0].startswith("By email it cannot finish on its day")
    assert "25.11.2026 at about 11:00" in told.warnings[0]


def test_without_a_pace_no_end_is_promised(store: Store) -> None:
    """Where nobody set a pace, the sentence says from when on, and no more."""
    told = timing(store).of(campaign(at(DAY, 10), Channel.EMAIL, Channel.SMS), {Channel.EMAIL: 3, Channel.SMS: 0})
    assert ("3 by email: from 10:00 on, as fast as they are taken",) == told.plan


def test_text_messages_are_told_by_the_second(store: Store) -> None:
    """A pace of text messages reads as it is set: so many a second."""
    told = timing(store, sms=7200).of(campaign(at(DAY, 10), Channel.SMS), {Channel.SMS: 100})
    assert ("100 by text message, 2 a second: 10:00 to about 10:05",) == told.plan


def test_what_the_offer_has_no_time_for_is_a_warning(store: Store) -> None:
    """Messages whose turn comes after the offer has ended would be withheld: the owner hears it before."""
    told = timing(store, email=10).of(campaign(at(DAY, 20), valid_until=DAY), {Channel.EMAIL: 100})
    assert "90 by email would come too late for the offer" in told.warnings[-1]


@pytest.mark.parametrize(("days", "warns"), [(0, True), (13, True), (14, False), (-13, True), (-14, False)])
def test_two_campaigns_within_two_weeks_are_warned_about(store: Store, days: int, *, warns: bool) -> None:
    """A neighbour closer than fourteen days, before or after, is named with its day; the campaign itself is none."""
    number = add_campaign(store, "b", at(DAY + timedelta(days=days), 10))
    told = timing(store).of(campaign(at(DAY, 10)), {})
    assert warns is any("Kampanja b" in each for each in told.warnings)
    assert () == timing(store).of(campaign(at(DAY, 10)), {}, besides=number).warnings


def test_a_moment_in_quiet_hours_is_refused_with_the_next(store: Store) -> None:
    """S-14: a text message at noon on Epiphany is refused, naming the next open hour and how to open the holiday."""
    epiphany = date(2027, 1, 6)
    [why] = timing(store).of(campaign(at(epiphany, 12), Channel.SMS), {}).refusals
    assert "2027-01-07T09:00:00" in why
    assert "open_on_holidays" in why
    opened = campaign(at(epiphany, 12), Channel.SMS, why="Avoimet ovet")
    assert () == timing(store).of(opened, {}).refusals
    [night] = timing(store).of(campaign(at(epiphany, 22), Channel.SMS), {}).refusals
    assert "open_on_holidays" not in night


ANTE = "3;Ánte;Ovdamearka;;040 123 4568;fi;3.6.2026;;kyllä;3.6.2026"


def test_a_holiday_is_opened_for_one_campaign_with_its_reason(
    workshop: Workshop, doubles: Doubles, clock: FixedClock
) -> None:
    """S-14: the reason is in the ledger, the text message leaves on the holiday, and the other campaign's does not."""
    epiphany = at(date(2027, 1, 6), 12)
    clock.set(datetime(2026, 12, 30, 10, tzinfo=UTC))
    reason = 'open_on_holidays = "Avoimet ovet loppiaisena"'
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        dispatcher.enrol.run(workshop.register(ANTE), actor)
        with pytest.raises(CampaignFileError, match="open_on_holidays"):
            dispatcher.schedule.run(workshop.campaign("a", epiphany, channels=("sms",)), actor)
        dispatcher.schedule.run(workshop.campaign("b", epiphany, channels=("sms",), more=reason), actor)
        with dispatcher.store.reading() as connection:
            bodies = [entry.data() for entry in ledger.entries(connection, [EntryKind.CAMPAIGN.value])]
        assert ["Avoimet ovet loppiaisena"] == [body["open_on_holidays"] for body in bodies]
        clock.set(epiphany)
        asyncio.run(dispatcher.rounds.once())
        assert ["+358401234568"] == doubles.texted()
        assert dispatcher.audit.year(2027).ok


def test_an_opened_holiday_stays_open_after_a_hold(workshop: Workshop, doubles: Doubles, clock: FixedClock) -> None:
    """S-14, S-15: what was held on the holiday it was opened for goes on that day, and is kept until its evening."""
    epiphany = at(date(2027, 1, 6), 12)
    clock.set(datetime(2026, 12, 30, 10, tzinfo=UTC))
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        dispatcher.enrol.run(workshop.register(ANTE), actor)
        reason = 'open_on_holidays = "Avoimet ovet loppiaisena"'
        dispatcher.schedule.run(workshop.campaign("b", epiphany, channels=("sms",), more=reason), actor)
        dispatcher.lifecycle.hold("b", actor)
        clock.set(epiphany + timedelta(hours=1))
        assert epiphany + timedelta(hours=1) == dispatcher.lifecycle.release("b", actor).send_at
        asyncio.run(dispatcher.rounds.once())
        assert ["+358401234568"] == doubles.texted()
        # From one o'clock until eight in the evening of this day, less the minute it may be on its way.
        assert 7 * 3600 - 60 == int(doubles.twilio.received[0].form["ValidityPeriod"])
