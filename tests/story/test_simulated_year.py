"""A year of twelve campaigns, lived through from January to January: outages, a crash, a restore, two schedulers.

What it holds at the end is counted from what arrived at the doubles, and then compared with the program's own audit.
"""

import asyncio
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from dispatcher.errors import NoSlotError, RefusedError
from dispatcher.flow.lifecycle import INTERRUPTED, LATE
from dispatcher.flow.schedule import Taken
from dispatcher.rules.budget import Way
from dispatcher.rules.campaign import Channel, Kind, State
from dispatcher.rules.life import LAPSED
from dispatcher.rules.retention import EraseReason
from tests.clock import FixedClock
from tests.deciding_again import decided_again
from tests.story.comparing import compare
from tests.story.independent import read
from tests.story.lost import never_came
from tests.story.small_studio import (
    Person,
    SmallStudio,
    Word,
    at,
    at_once,
    crash,
    import_on,
    most_in_a_window,
    most_in_a_year,
    opened_studio,
    owner,
    slowly,
)

BEFORE = date(2027, 1, 2)
"""The day of the letter that went before there was this program."""
FREE = date(2028, 1, 2)
"""365 days after it: the first date for a thirteenth."""
AUTUMN = date(2027, 11, 10)
MAIL, TEXT = (Channel.EMAIL,), (Channel.SMS,)
EXPIRING, UNASKED, CHANGING, LEAVING = range(27, 31)
"""Who never comes again, who is never asked again, who says yes in May, who leaves in February until October."""
LATECOMER, ERASED, WITHDRAWN, DECLINING, NEWCOMER = 31, 33, 34, 35, 36


@pytest.fixture
def studio(tmp_path: Path, clock: FixedClock, database_url: str, journal_url: str) -> Iterator[SmallStudio]:
    """Give a studio whose program begins on the first Monday of the year."""
    clock.set(at(date(2027, 1, 4), 9))
    with opened_studio(tmp_path / "studio", clock, database_url, journal_url) as founded:
        december = date(2026, 12, 15)
        founded.add(*(Person(number, MAIL, december, december) for number in range(1, 21)))
        founded.add(*(Person(number, TEXT, december, december) for number in range(21, 26)))
        founded.add(Person(26, (*MAIL, *TEXT), december, december))
        long_ago = date(2026, 2, 15)
        founded.add(Person(EXPIRING, MAIL, long_ago, long_ago, comes_often=False))
        founded.add(Person(UNASKED, MAIL, december, date(2026, 3, 1), is_asked_again=False))
        founded.add(Person(CHANGING, MAIL, december, december, says=False))
        founded.add(*(Person(number, MAIL, december, december) for number in (LEAVING, ERASED, WITHDRAWN, DECLINING)))
        yield founded


@pytest.mark.timeout(400)  # longer than any other, on a machine that has much else to do
def test_a_year_is_lived_through(studio: SmallStudio, tmp_path: Path) -> None:
    """Invariants 1, 2, 3 and 6, from January to January: every promise is recounted from what arrived."""
    plan_the_year(studio)
    winter(studio)
    spring(studio)
    summer(studio)
    the_last_slot(studio)
    left = september(studio, tmp_path / "copy")
    restore(studio, tmp_path / "copy", left)
    winter_again(studio)
    recount(studio)


def plan_the_year(studio: SmallStudio) -> None:
    """Declare what went before, schedule what is written, reserve the rest; there is no room for a thirteenth."""
    import_on(studio, date(2027, 1, 4))
    with owner(studio, at(date(2027, 1, 5), 9)) as (house, actor):
        house.declaring.declare(BEFORE, "Uudenvuoden kirje", [Way.LETTER], 120, Kind.OFFER, actor)
        for name, moment in (
            ("c01", at(date(2027, 1, 20), 20, 30)),
            ("c02", at(date(2027, 2, 10), 10)),
            ("c04", at(date(2027, 4, 14), 10)),
            ("c05", at(date(2027, 5, 5), 10)),
            ("c06", at(date(2027, 6, 9), 10)),
        ):
            house.schedule.run(studio.campaign(name, moment), actor)
        for day in ((3, 10), (8, 11), (9, 8), (9, 22), (10, 13), (7, 17)):
            house.schedule.reserve(date(2027, *day), Kind.OFFER, f"Tarjous {day[1]}.{day[0]}.", actor)
        refused = studio.campaign("c99", at(AUTUMN, 10))
        with pytest.raises(NoSlotError, match=f"first free date is {FREE.isoformat()}"):
            house.schedule.run(refused, actor)
        with pytest.raises(NoSlotError, match=FREE.isoformat()):
            house.schedule.reserve(date(2027, 12, 31), Kind.OFFER, "Vielä yksi", actor)
        with pytest.raises(NoSlotError, match=FREE.isoformat()):
            house.declaring.declare(date(2027, 1, 3), "Toinen kirje", [Way.LETTER], 5, Kind.OFFER, actor)


def winter(studio: SmallStudio) -> None:
    """January's text messages wait for the morning; February's moment passes in an outage."""
    evening, morning = at(date(2027, 1, 20), 20, 30), at(date(2027, 1, 21), 9)
    studio.look(evening)
    assert studio.may(*MAIL) == studio.got("c01")
    studio.look(morning)
    assert studio.may() == studio.got("c01")
    assert EXPIRING in studio.got("c01")
    import_on(studio, date(2027, 2, 2))

    studio.look(at(date(2027, 2, 10), 18))
    with owner(studio, at(date(2027, 2, 11), 9)) as (house, actor):
        held = house.lifecycle.named("c02")
        assert (State.HELD, LATE, set()) == (held.state, held.held_reason, studio.got("c02"))
        assert date(2027, 2, 11) == house.lifecycle.release("c02", actor).day
        studio.withdraw(house, LEAVING)
    studio.look(at(date(2027, 2, 11), 9, 5))
    assert studio.may() == studio.got("c02")
    studio.people[LEAVING].comes_often = False
    with owner(studio, at(date(2027, 3, 1), 17)) as (house, actor):
        studio.import_register(house)
        assert {"age": 1} == dict(house.retention.run(actor, confirm=True).removed)
    import_on(studio, date(2027, 3, 1))


def spring(studio: SmallStudio) -> None:
    """March's sender is killed in mid-run; April has two senders at once; May is revised to another date."""
    moment = at(date(2027, 3, 10), 10)
    with owner(studio, at(date(2027, 3, 3), 12)) as (house, actor):
        taken = house.schedule.run(studio.campaign("c03", moment), actor)
        assert taken.reservation is not None
    crash(studio, moment)
    arrived = len(studio.got("c03"))
    studio.look(moment + timedelta(minutes=30))
    with owner(studio) as (house, _):
        ended = house.lifecycle.named("c03")
        standing = house.lifecycle.standing(ended.id).messages
        unknown = sum(counts["unknown"] for counts in standing.values())
        studio.unknown += never_came(house, "c03", read(studio.sink))
    assert State.FINISHED is ended.state
    assert 0 < arrived < len(studio.got("c03"))
    assert unknown > 0
    lost = studio.may() - studio.got("c03")
    assert studio.got("c03") <= studio.may()
    assert len(studio.unknown) <= unknown
    assert sorted(lost) == sorted(studio.whose()[each.address] for each in studio.unknown)
    after = studio.counts()["c03"]
    studio.look(moment + timedelta(hours=3))
    import_on(studio, date(2027, 3, 31))
    assert after == studio.counts()["c03"]

    moment = at(date(2027, 4, 14), 10)
    studio.clock.set(moment)
    with studio.workshop.opened() as one, studio.workshop.opened() as two:
        at_once(lambda house: asyncio.run(house.rounds.once()), one, two)
    studio.look(moment + timedelta(minutes=21))
    assert studio.may() == studio.got("c04")

    import_on(studio, date(2027, 4, 30))
    with owner(studio, at(date(2027, 5, 3), 12)) as (house, actor):
        house.lifecycle.revise("c05", actor)
        again = house.schedule.run(studio.campaign("c05", at(date(2027, 5, 12), 10)), actor)
        assert (date(2027, 5, 12), date(2027, 5, 5), 12) == (again.day, again.moved_from, again.in_year)
    studio.look(at(date(2027, 5, 5), 10))
    assert set() == studio.got("c05")
    studio.look(at(date(2027, 5, 12), 10))
    assert studio.may() == studio.got("c05")


def summer(studio: SmallStudio) -> None:
    """June is cancelled in mid-run, a reservation lapses in July, and in August the machine falls asleep."""
    studio.people[CHANGING].says = True
    studio.add(Person(LATECOMER, MAIL, date(2027, 5, 20), date(2027, 5, 20)))
    import_on(studio, date(2027, 5, 31))
    moment = at(date(2027, 6, 9), 10)
    with owner(studio, moment) as (house, _), studio.workshop.opened() as other:
        seconds = slowly(house)

        def cancel() -> None:
            studio.texts_have_come("c06")
            other.lifecycle.cancel("c06", other.persons.acting(None))
            seconds.append(1.0)

        studio.watch.expect(4, cancel)
        asyncio.run(house.rounds.once())
    studio.collect()
    got = studio.got("c06")
    assert studio.may(*TEXT) - {26} <= got < studio.may()
    studio.look(at(date(2027, 6, 9), 11), at(date(2027, 6, 10), 10))
    assert got == studio.got("c06")
    import_on(studio, date(2027, 6, 30))


def the_last_slot(studio: SmallStudio) -> None:
    """A reservation lapses: of two schedulers one gets its slot, the other the first free date of next year."""
    first, second = (
        studio.campaign(name, at(AUTUMN + timedelta(days=days), 10)) for name, days in (("ca", 0), ("cb", 14))
    )
    studio.clock.set(at(date(2027, 7, 20), 9))
    with studio.workshop.opened() as one, studio.workshop.opened() as two:
        paths = {id(one): first, id(two): second}
        actor = one.persons.acting(None)
        told = at_once(lambda house: house.schedule.run(paths[id(house)], actor), one, two)
        lapsed = [each for each in one.lifecycle.all() if each.state is State.CANCELLED and each.held_reason == LAPSED]
        assert 1 == len(lapsed)
    won = [each for each in told if isinstance(each, Taken)]
    lost = [each for each in told if isinstance(each, NoSlotError)]
    assert (1, 1, 12) == (len(won), len(lost), won[0].in_year)
    assert FREE.isoformat() in str(lost[0])
    import_on(studio, date(2027, 7, 30))
    with owner(studio, at(date(2027, 8, 1), 9)) as (house, actor):
        name = ({"ca", "cb"} - {won[0].name}).pop()
        taken = house.schedule.run(studio.campaign(name, at(FREE, 10)), actor)
        assert (FREE, 1) == (taken.day, taken.in_year)
    studio.twelfth, studio.thirteenth = won[0].name, name

    moment = at(date(2027, 8, 11), 10)
    with owner(studio, at(date(2027, 8, 2), 9)) as (house, actor):
        house.schedule.run(studio.campaign("c07", moment), actor)
    with owner(studio, moment) as (house, _):
        seconds = slowly(house)

        def sleep() -> None:
            studio.texts_have_come("c07")
            studio.collect()
            studio.clock.advance(timedelta(hours=23))
            seconds.append(23 * 3600)

        studio.watch.expect(4, sleep)
        asyncio.run(house.rounds.once())
    studio.collect()
    got = studio.got("c07")
    assert got < studio.may()
    studio.look(at(date(2027, 8, 12), 9, 5))
    with owner(studio, at(date(2027, 8, 12), 10)) as (house, actor):
        held = house.lifecycle.named("c07")
        assert (State.HELD, INTERRUPTED, got) == (held.state, held.held_reason, studio.got("c07"))
        studio.withdraw(house, min(studio.may(*MAIL) - got - {26}))
        house.lifecycle.release("c07", actor)
    studio.look(at(date(2027, 8, 12), 10, 1))
    assert got | studio.may() == studio.got("c07")
    import_on(studio, date(2027, 8, 29))


def september(studio: SmallStudio, copy: Path) -> set[int]:
    """Make a copy while text messages wait for the morning; then live on for two weeks. Return who left meanwhile."""
    evening = at(date(2027, 9, 8), 20, 30)
    with owner(studio, at(date(2027, 9, 1), 9)) as (house, actor):
        for name, moment in (("c08", evening), ("c09", at(date(2027, 9, 22), 10))):
            assert house.schedule.run(studio.campaign(name, moment), actor).reservation is not None
    studio.look(evening)
    with owner(studio, at(date(2027, 9, 8), 21)) as (house, _):
        house.safekeeping.backup(copy)
    studio.look(at(date(2027, 9, 9), 9))
    assert studio.may() == studio.got("c08")

    studio.add(Person(NEWCOMER, MAIL, date(2027, 9, 9), date(2027, 9, 9)))
    import_on(studio, date(2027, 9, 10))
    with owner(studio, at(date(2027, 9, 15), 12)) as (house, actor):
        for person in (WITHDRAWN, NEWCOMER):
            studio.withdraw(house, person)
            studio.people[person].comes_often = False
        number = house.register.find(studio.people[ERASED].email)
        house.erasing.erase(number, EraseReason.REQUEST, actor)
        studio.people[ERASED].is_listed = False
        studio.erased.add(ERASED)
        studio.people[ERASED].words.append(Word(None, yes=False, since=studio.clock()))
        studio.people[DECLINING].says = False
        assert house.schedule.run(studio.campaign("c10", at(date(2027, 10, 13), 10)), actor).reservation is not None
    import_on(studio, date(2027, 9, 20))
    studio.look(at(date(2027, 9, 22), 10))
    assert studio.may() == studio.got("c09")
    return {WITHDRAWN, NEWCOMER, ERASED, DECLINING}


def restore(studio: SmallStudio, copy: Path, left: set[int]) -> None:
    """The older copy comes back: what is scheduled is held, what had begun is over, and every no stands."""
    with owner(studio, at(date(2027, 9, 23), 9)) as (house, actor):
        house.safekeeping.restore(copy)
        told = house.safekeeping.replay(actor)
        texted = {each.person for each in studio.arrived if each.campaign == "c08" and each.channel is Channel.SMS}
        assert (2, len(texted)) == (told.campaigns, told.unknown)
        for name in ("c08", "c09"):
            assert State.FINISHED is house.lifecycle.named(name).state
            with pytest.raises(RefusedError):
                house.lifecycle.release(name, actor)
        held = {each.name for each in house.lifecycle.all() if each.state is State.HELD}
        assert {studio.twelfth, studio.thirteenth} == held
        assert {"restored"} == {each.held_reason for each in house.lifecycle.all() if each.state is State.HELD}
        with pytest.raises(NoSlotError):
            house.schedule.reserve(date(2027, 12, 1), Kind.OFFER, "Vielä yksi", actor)
    import_on(studio, date(2027, 9, 23))
    before = studio.counts()
    with owner(studio, at(date(2027, 9, 24), 9)) as (house, actor):
        assert house.schedule.run(studio.campaign("c10", at(date(2027, 10, 13), 10)), actor).reservation is not None
        for name in (studio.twelfth, studio.thirteenth):
            house.lifecycle.release(name, actor)
    studio.look(at(date(2027, 9, 24), 10))
    assert before == studio.counts()
    studio.people[LEAVING].comes_often = True
    import_on(studio, date(2027, 10, 8))
    studio.look(at(date(2027, 10, 13), 10))
    assert studio.may() == studio.got("c10")
    assert not left & studio.got("c10")
    assert LEAVING in studio.got("c10")


def winter_again(studio: SmallStudio) -> None:
    """The twelfth goes, the refused thirteenth in January; then who has had twelve in 365 days waits for a day."""
    import_on(studio, date(2027, 11, 5))
    with owner(studio) as (house, _):
        moment = house.lifecycle.named(studio.twelfth).send_at
    studio.look(moment)
    assert studio.may() == studio.got(studio.twelfth)
    import_on(studio, date(2027, 12, 3))
    import_on(studio, date(2027, 12, 31))
    studio.look(at(FREE, 10))
    assert studio.may(*MAIL) == studio.got(studio.thirteenth)
    studio.look(at(date(2028, 1, 3), 9))
    assert studio.may() == studio.got(studio.thirteenth)

    moment = at(date(2028, 1, 20), 10)
    with owner(studio, at(date(2028, 1, 10), 9)) as (house, actor):
        house.schedule.run(studio.campaign("c14", moment, "valid_until = 2028-01-31"), actor)
    had_twelve = studio.had(12, by=moment)
    assert had_twelve
    studio.look(moment)
    assert studio.may() - had_twelve == studio.got("c14")
    studio.look(at(date(2028, 1, 21), 9))
    assert studio.may() == studio.got("c14")


def recount(studio: SmallStudio) -> None:
    """Count everything from what arrived, and hold it against the audit."""
    assert 12 == studio.most_for_anybody()
    assert [] == studio.twice()
    assert [] == studio.unasked()
    first = {name: studio.days(name)[0] for name in studio.counts()}
    days = sorted([BEFORE, *first.values()])
    assert (12, 12) == (most_in_a_year(days), most_in_a_window(days))
    with owner(studio) as (house, _):
        assert () == house.audit.verify().findings
        assert [] == decided_again(house.store).findings
        for year in (2027, 2028):
            found = house.audit.year(year)
            compare(studio, found)
            assert tuple(day for day in days if day.year == year) == tuple(sorted(found.slots.days))
            seen = house.years.glance(year).entries
            assert [day for day in days if day.year == year] == sorted(each.day for each in seen if each.holds_slot)
            for campaign in found.campaigns:
                arrived = studio.counts().get(campaign.name, 0)
                if campaign.name == "c09":
                    assert (0, 0) == (campaign.accepted, campaign.unknown)
                elif campaign.unknown:
                    assert campaign.accepted <= arrived <= campaign.accepted + campaign.unknown
                else:
                    assert arrived == campaign.accepted
