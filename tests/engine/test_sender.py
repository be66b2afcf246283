"""The sender and time: it does not drift, sees a clock that is set and a sleep, and shows that it lives."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import timedelta

import pytest

from dispatcher.engine.embedded import run_sender
from dispatcher.engine.sender import Sender
from dispatcher.engine.watch import Watch
from dispatcher.flow.duties import Duties, Duty
from dispatcher.flow.heart import is_beating
from dispatcher.rules.campaign import State
from dispatcher.storage import installation
from dispatcher.wiring import Dispatcher
from tests.clock import FixedClock
from tests.engine.test_embedded import MOMENT, begin, until
from tests.workshop import Doubles, Workshop

HOUR = timedelta(hours=1)


def watch_of(clock: FixedClock) -> Watch:
    """Return a watch whose machine stands still: whatever the test's clock does is a jump."""
    return Watch(clock, lambda: 0.0, lambda: 0.0)


def run(
    dispatcher: Dispatcher,
    clock: FixedClock,
    doing: Callable[[asyncio.Event], Coroutine[object, object, None]],
    *,
    look_every: float = 0.01,
) -> bool:
    """Run a sender while this goes on beside it."""

    async def both() -> bool:
        stop = asyncio.Event()
        sender = asyncio.create_task(run_sender(dispatcher, stop, look_every=look_every, watch=watch_of(clock)))
        await doing(stop)
        stop.set()
        return await sender

    return asyncio.run(both())


def said(caplog: pytest.LogCaptureFixture, words: str) -> int:
    """Return how often these words were logged."""
    return sum(words in record.getMessage() for record in caplog.records)


def test_a_clock_set_forward_holds_what_is_late(
    workshop: Workshop, doubles: Doubles, caplog: pytest.LogCaptureFixture
) -> None:
    """Invariant 6: a jump over a campaign's moment by more than the grace holds it; the jump is logged and shown."""

    async def jump(_stop: asyncio.Event) -> None:
        await until(lambda: dispatcher.heart.last() is not None)
        workshop.clock.set(MOMENT + 3 * HOUR)
        await until(lambda: dispatcher.lifecycle.named("b").state is State.HELD)
        # A round that had begun may have held it before the sender looked at the clock.
        await until(lambda: said(caplog, "the clock was set forward") == 1)
        await until(lambda: getattr(dispatcher.heart.last(), "stepped_by", None) is not None)

    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher)
        workshop.clock.set(MOMENT - HOUR)
        dispatcher.schedule.run(workshop.campaign("b", MOMENT, channels=("email",)), dispatcher.persons.acting(None))
        assert run(dispatcher, workshop.clock, jump)
        last = dispatcher.heart.last()
        assert "late" == dispatcher.lifecycle.named("b").held_reason
    assert last is not None
    assert 4 * 3600 == last.stepped_by
    assert 1 == said(caplog, "the clock was set forward by 4 hours")
    assert [] == doubles.mailed()


def test_a_clock_set_back_sends_nothing_twice_or_early(
    workshop: Workshop, doubles: Doubles, caplog: pytest.LogCaptureFixture
) -> None:
    """After a jump back over a day, what went is not sent again, and what is to come waits for its moment."""
    later = MOMENT + timedelta(minutes=1)

    async def jump(_stop: asyncio.Event) -> None:
        await until(lambda: dispatcher.lifecycle.named("a").state is State.FINISHED)
        workshop.clock.set(MOMENT - 24 * HOUR)
        await until(lambda: said(caplog, "the clock was set back by 1 day") == 1)
        workshop.clock.set(later - timedelta(seconds=1))
        await until(lambda: said(caplog, "the clock was set forward by") == 1)
        assert 5 == len(doubles.smtp.received)
        workshop.clock.set(later)
        await until(lambda: dispatcher.lifecycle.named("b").state is State.FINISHED)

    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher, "a")
        dispatcher.schedule.run(workshop.campaign("b", later, channels=("email",)), dispatcher.persons.acting(None))
        assert run(dispatcher, workshop.clock, jump)
        assert dispatcher.audit.year(2026).ok
    assert 10 == len(doubles.smtp.received) == len({mail.content for mail in doubles.smtp.received})


@pytest.mark.parametrize(("asleep", "goes_on"), [(HOUR, True), (3 * HOUR, False), (24 * HOUR, False)])
def test_a_run_cut_by_sleep(workshop: Workshop, doubles: Doubles, asleep: timedelta, *, goes_on: bool) -> None:
    """Invariant 6: after a short sleep a run goes on within its window; after a long one it is held."""

    async def wake(_stop: asyncio.Event) -> None:
        state = State.FINISHED if goes_on else State.HELD
        await until(lambda: dispatcher.lifecycle.named("a").state is state)

    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher, "a")
        dispatcher.plan.run(dispatcher.lifecycle.named("a"))
        watch = watch_of(workshop.clock)

        async def both() -> None:
            stop = asyncio.Event()
            # The program has started; then the machine sleeps before the first look.
            sender = Sender(dispatcher, stop, watch, 0.01, 0.01)
            workshop.clock.advance(asleep)
            running = asyncio.create_task(sender.run())
            await wake(stop)
            stop.set()
            await running

        asyncio.run(both())
    assert (5 if goes_on else 0) == len(doubles.smtp.received)


def test_a_heartbeat_tells_of_trouble_and_of_the_end(workshop: Workshop) -> None:
    """Whoever asks can read that the sender runs, why nothing is sent, and that it stopped in order."""

    async def beats(_stop: asyncio.Event) -> None:
        await until(lambda: (last := dispatcher.heart.last()) is not None and last.trouble is not None)
        last = dispatcher.heart.last()
        assert is_beating(last, workshop.clock())
        assert last is not None
        assert "db restore --replay" in str(last.trouble)

    with workshop.opened() as dispatcher:
        dispatcher.store.write(lambda tx: installation.set_needs_replay(tx.connection, needs=True))
        assert not run(dispatcher, workshop.clock, beats)
        last = dispatcher.heart.last()
    assert last is not None
    assert last.stopped_at == workshop.clock()


def test_ticks_do_not_drift(workshop: Workshop) -> None:
    """However long a look takes, the next begins on its tick: ten looks take nine ticks and no more."""
    began: list[float] = []

    async def ticks() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()

        async def look() -> bool:
            began.append(loop.time())
            await asyncio.sleep(0.05)
            if len(began) == 10:
                stop.set()
            return True

        await Sender(dispatcher, stop, watch_of(workshop.clock), 0.1, 0.1)._keep("sending", look)

    with workshop.opened() as dispatcher:
        asyncio.run(ticks())
    late = [at - began[0] - tick * 0.1 for tick, at in enumerate(began)]
    assert min(late) >= -0.001
    assert min(late[5:]) < 0.25, "were each look added to its tick, the sixth would be a quarter of a second late"


def test_a_slow_duty_keeps_no_campaign_waiting(workshop: Workshop, doubles: Doubles) -> None:
    """A duty that waits for a provider does not keep a campaign from its moment."""

    async def waits(stop: Callable[[], bool]) -> None:
        while not stop():
            await asyncio.to_thread(lambda: None)

    async def sent(_stop: asyncio.Event) -> None:
        await until(lambda: len(doubles.smtp.received) == 5)

    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher, "a")
        slow = Duties(workshop.clock, [Duty("slow", timedelta(seconds=1), waits)])
        assert run(replace(dispatcher, duties=slow), workshop.clock, sent)
