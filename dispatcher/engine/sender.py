"""What a sender does from second to second: it looks, serves its duties beside that, and gives a sign of life."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

from dispatcher.engine.processor import one_processor
from dispatcher.engine.watch import Watch
from dispatcher.errors import DoorsUnreadError, JournalError, StorageError
from dispatcher.flow import heart
from dispatcher.flow.rounds import Worked
from dispatcher.rules.actor import duty
from dispatcher.wiring import Dispatcher

LOOK_EVERY = 1.0
"""Seconds between two looks at what is due."""
AFTER_TROUBLE = 15.0
"""Seconds to rest where the database or its journal cannot be trusted, or a letter box cannot be read."""
_SENDING, _SERVING = "sending", "serving"
_log = logging.getLogger(__name__)


class Sender:
    """One sender until it is told to stop: campaigns, duties and heartbeat each go on beside the others.

    A duty that waits for a provider keeps no campaign from its moment, and a long campaign keeps no receipt waiting.
    """

    def __init__(
        self, dispatcher: Dispatcher, stop: asyncio.Event, watch: Watch, look_every: float, after_trouble: float
    ) -> None:
        self._dispatcher = dispatcher
        self._stop = stop
        self._watch = watch
        self._look_every = look_every
        self._after_trouble = after_trouble
        self._troubles: dict[str, str] = {}
        self._well: dict[str, bool] = {_SENDING: True, _SERVING: True}

    async def run(self) -> bool:
        """Go on until told to stop, and return whether nothing stood in the way at the last look."""
        beats = self._dispatcher.heart
        with suppress(StorageError):
            await asyncio.to_thread(beats.begin)
        parts = (self._keep(_SENDING, self._look), self._keep(_SERVING, self._serve), self._beat())
        # Nobody is cancelled for another's trouble: a hand-off cut short in the middle would be `unknown`.
        for ended in await asyncio.gather(*parts, return_exceptions=True):
            if isinstance(ended, BaseException):
                raise ended
        with suppress(StorageError):
            await asyncio.to_thread(beats.end)
        return all(self._well.values())

    async def _look(self) -> bool:
        await self._mind_the_gap()
        await self._dispatcher.deliver.close_idle()
        return await send(self._dispatcher, lambda: self._stop.is_set() or self._watch.has_gap())

    async def _serve(self) -> bool:
        return await serve(self._dispatcher, self._stop.is_set)

    async def _mind_the_gap(self) -> None:
        """After a jump of the clock or a sleep, hold what was cut short by it and is late now (invariant 6)."""
        gap = self._watch.take()
        if gap is None:
            return
        _log.warning("%s: what is late by now is held", gap.sentence())
        self._dispatcher.doors.forget()
        with suppress(StorageError):
            await asyncio.to_thread(self._dispatcher.heart.stepped, gap.jumped + gap.slept)
        await hold_interrupted(self._dispatcher, "then")

    async def _keep(self, name: str, work: Callable[[], Awaitable[bool]]) -> None:
        """Do this at every tick until told to stop; ticks that were missed are left out, the others do not drift."""
        time = asyncio.get_running_loop().time
        due = time()
        try:
            while not self._stop.is_set():
                try:
                    self._well[name] = await work()
                    self._is_over(name)
                    due = max(due + self._look_every, time())
                except (JournalError, StorageError, DoorsUnreadError) as error:
                    self._is_in_trouble(name, str(error))
                    due = time() + self._after_trouble
                await self._wait(due - time())
        finally:
            # Whatever ends one part of a sender ends the others with it.
            self._stop.set()

    async def _beat(self) -> None:
        told: str | None = None
        beaten = 0.0
        time = asyncio.get_running_loop().time
        while not self._stop.is_set():
            # A long hand-off is no silence: as long as this goes round, somebody looks.
            self._watch.has_gap()
            trouble = "; ".join(dict.fromkeys(self._troubles.values())) or None
            if trouble != told or time() >= beaten + heart.EVERY.total_seconds():
                told, beaten = trouble, time()
                with suppress(StorageError):
                    await asyncio.to_thread(self._dispatcher.heart.beat, trouble)
            await self._wait(self._look_every)

    async def _wait(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), max(seconds, 0.0))

    def _is_in_trouble(self, name: str, why: str) -> None:
        self._well[name] = False
        if why not in self._troubles.values():
            _log.error("nothing is sent: %s", why)
        self._troubles[name] = why

    def _is_over(self, name: str) -> None:
        if self._troubles.pop(name, None) is not None and not self._troubles:
            _log.info("sending goes on")


async def hold_interrupted(dispatcher: Dispatcher, when: str) -> None:
    """Hold what was being sent and has been silent for too long, and say so."""
    for name in await asyncio.to_thread(dispatcher.lifecycle.hold_interrupted, duty("planning")):
        _log.warning("%s was being sent %s: held, see `dispatcher campaign status %s`", name, when, name)


async def send(dispatcher: Dispatcher, stop: Callable[[], bool]) -> bool:
    """Do one round of sending, tell what was done, and return whether everything could go on."""
    with one_processor():
        done = await dispatcher.rounds.once(stop=stop)
    for worked in done:
        _tell(worked)
    return not any(worked.trouble for worked in done)


async def serve(dispatcher: Dispatcher, stop: Callable[[], bool]) -> bool:
    """Do what duties are due, tell what was done, and return whether everything could go on."""
    done = await dispatcher.duties.once(stop=stop)
    for each in done:
        _log.log(logging.ERROR if each.is_trouble else logging.INFO, "%s: %s", each.name, each.said)
    return not any(each.is_trouble for each in done)


def _tell(worked: Worked) -> None:
    if worked.trouble:
        _log.error("%s: %s", worked.campaign.name, worked.trouble)
    if worked.delivered and worked.delivered.miscounted:
        many = worked.delivered.miscounted
        _log.warning("%s: the provider counted other parts than were foreseen, %d times", worked.campaign.name, many)
    if worked.is_idle:
        return
    counts = dict(worked.delivered.outcomes) if worked.delivered else {}
    _log.info("%s: %s%s", worked.campaign.name, counts or "planned", ", finished" if _finished(worked) else "")


def _finished(worked: Worked) -> bool:
    return worked.delivered is not None and worked.delivered.finished
