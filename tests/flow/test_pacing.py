"""A run keeps its pace and its windows: evenly, over nights and restarts, and is not taken for late."""

import asyncio
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta

from dispatcher.rules.actor import duty
from dispatcher.rules.calendar import local_date
from dispatcher.rules.campaign import Channel, State
from dispatcher.wiring import Dispatcher
from tests.stores import HELSINKI
from tests.workshop import Doubles, Workshop

DAY = date(2026, 11, 24)
MINUTE = timedelta(minutes=1)


def at(day: date, hour: int, minute: int = 0) -> datetime:
    """Return the instant of a wall-clock time in Helsinki."""
    return datetime.combine(day, time(hour, minute), HELSINKI).astimezone(UTC)


def rows(count: int) -> list[str]:
    """Return a register of so many clients who said yes to email."""
    return [f"{each};Nimi;Esimerkki;client{each}@posti.example;;fi;3.1.2026;kyllä;;3.1.2026" for each in range(count)]


def set_pace(workshop: Workshop, per_hour: int) -> None:
    """Set the mail server a pace."""
    settings = workshop.directory / "dispatcher.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace("[email]", f"[email]\nper_hour = {per_hour}"), encoding="utf-8")


def begin(workshop: Workshop, dispatcher: Dispatcher, count: int, moment: datetime) -> None:
    """Schedule a campaign to so many clients."""
    actor = dispatcher.persons.acting(None)
    dispatcher.enrol.run(workshop.register(*rows(count)), actor)
    dispatcher.schedule.run(workshop.campaign("a", moment, channels=("email",)), actor)


def look(dispatcher: Dispatcher) -> None:
    """Do one round of sending."""
    asyncio.run(dispatcher.rounds.once())


def test_a_run_keeps_its_pace_and_goes_on_the_next_morning(workshop: Workshop, doubles: Doubles) -> None:
    """Six mails at four an hour from eight in the evening: four until nine, the rest from seven on, none held."""
    clock = workshop.clock
    sent: Counter[date] = Counter()
    set_pace(workshop, 4)
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher, 6, at(DAY, 20))
        clock.set(at(DAY, 20))
        while dispatcher.lifecycle.all()[0].state is not State.FINISHED:
            assert clock() < at(DAY + timedelta(days=2), 0)
            before = len(doubles.smtp.received)
            look(dispatcher)
            went = len(doubles.smtp.received) - before
            assert went <= 1
            sent[local_date(clock(), HELSINKI)] += went
            assert not went or 7 <= clock().astimezone(HELSINKI).hour < 21
            clock.advance(5 * MINUTE)
        assert {DAY: 4, DAY + timedelta(days=1): 2} == {day: count for day, count in sent.items() if count}
        assert at(DAY + timedelta(days=1), 7, 20) == clock()


def test_a_start_in_the_morning_does_not_take_the_night_for_silence(workshop: Workshop, doubles: Doubles) -> None:
    """Invariant 6: what waited for its window since the evening is not interrupted; what the window has lost, is."""
    clock = workshop.clock
    set_pace(workshop, 4)
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher, 6, at(DAY, 20))
        for minute in range(0, 70, 15):
            clock.set(at(DAY, 20) + minute * MINUTE)
            look(dispatcher)
    assert 4 == len(doubles.smtp.received)
    clock.set(at(DAY + timedelta(days=1), 8))
    with workshop.opened() as dispatcher:
        assert [] == dispatcher.lifecycle.hold_interrupted(duty("planning"))
        look(dispatcher)
        assert 5 == len(doubles.smtp.received)
        clock.set(at(DAY + timedelta(days=1), 12))
        assert ["a"] == dispatcher.lifecycle.hold_interrupted(duty("planning"))


def test_a_restart_does_not_start_the_pace_anew(workshop: Workshop, doubles: Doubles) -> None:
    """E-55: the turn of the next mail is known from the last one, whoever sent it."""
    workshop.clock.set(at(DAY, 9))
    set_pace(workshop, 4)
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher, 3, at(DAY, 10))
    workshop.clock.set(at(DAY, 10))
    for _ in range(3):
        with workshop.opened() as dispatcher:
            look(dispatcher)
    assert 1 == len(doubles.smtp.received)


def test_without_a_pace_one_look_sends_all(workshop: Workshop, doubles: Doubles) -> None:
    """Nobody is slowed down who set no pace and hands over to this machine."""
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher, 40, at(DAY, 10))
        workshop.clock.set(at(DAY, 10))
        look(dispatcher)
    assert 40 == len(doubles.smtp.received)


def test_several_processes_share_one_pace(workshop: Workshop, doubles: Doubles) -> None:
    """E-55: two senders on one database hand over together what the pace says, not twice as much."""
    set_pace(workshop, 60)
    with workshop.opened() as first, workshop.opened() as second:
        begin(workshop, first, 30, at(DAY, 10))
        workshop.clock.set(at(DAY, 10))
        for minute in range(10):
            workshop.clock.set(at(DAY, 10, minute))
            look(first)
            look(second)
            assert minute + 1 == len(doubles.smtp.received)


def test_a_day_has_its_own_limit(workshop: Workshop, doubles: Doubles) -> None:
    """E-55: no more than the day's limit leaves in any 24 hours; a campaign that waits for it is not late."""
    set_pace(workshop, 400)
    settings = workshop.directory / "dispatcher.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace("[email]", "[email]\nper_day = 5", 1), encoding="utf-8")
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher, 12, at(DAY, 10))
        workshop.clock.set(at(DAY, 10))
        times: list[datetime] = []
        while dispatcher.lifecycle.all()[0].state is State.SENDING or not times:
            before = len(doubles.smtp.received)
            look(dispatcher)
            times += [workshop.clock()] * (len(doubles.smtp.received) - before)
            workshop.clock.advance(60 * MINUTE)
            assert workshop.clock() < at(DAY + timedelta(days=5), 0)
    assert 12 == len(times)
    assert all(sum(each <= other < each + timedelta(days=1) for other in times) <= 5 for each in times)
    assert times[-1] < at(DAY + timedelta(days=3), 0)


def test_turns_that_nobody_used_come_back(workshop: Workshop, doubles: Doubles) -> None:
    """E-55: who is withheld at the hand-off takes nobody's turn, so that the pace is kept to within 5 %."""
    set_pace(workshop, 60)
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher, 20, at(DAY, 10))
        workshop.clock.set(at(DAY, 10))
        dispatcher.plan.run(dispatcher.lifecycle.named("a"))
        actor = dispatcher.persons.acting(None)
        for each in range(0, 20, 2):
            number = dispatcher.register.find(f"client{each}@posti.example")
            dispatcher.preferences.withdraw(number, actor, Channel.EMAIL)
        for minute in range(10):
            workshop.clock.set(at(DAY, 10, minute))
            for _ in range(5):
                look(dispatcher)
        assert 10 == len(doubles.smtp.received)


def test_a_day_that_is_used_up_at_midnight_is_no_silence(workshop: Workshop, doubles: Doubles) -> None:
    """Invariant 6: a campaign that waits for its day's limit over midnight, in hours that never close, is not held."""
    settings = workshop.directory / "dispatcher.toml"
    text = settings.read_text(encoding="utf-8").replace("[email]", "[email]\nper_day = 5", 1)
    hours = '\n[sending.email]\nopens = "00:00"\ncloses = "23:59"\n'
    settings.write_text(text + hours, encoding="utf-8")
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher, 12, at(DAY, 20))
        workshop.clock.set(at(DAY, 20))
        while dispatcher.lifecycle.all()[0].state is not State.FINISHED:
            assert State.HELD is not dispatcher.lifecycle.all()[0].state
            look(dispatcher)
            workshop.clock.advance(30 * MINUTE)
            assert workshop.clock() < at(DAY + timedelta(days=5), 0)
    assert 12 == len(doubles.smtp.received)
