"""What the program does by itself beside campaigns, each at its own interval: receipts, retention, deletions."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dispatcher.errors import DispatcherError, StorageError

Stop = Callable[[], bool]
Work = Callable[[Stop], Coroutine[object, object, str | None]]


@dataclass(frozen=True, slots=True)
class Duty:
    """One duty: `work` does what is due now and returns a sentence for the log where anything was done.

    It is given what says whether to stop.
    """

    name: str
    every: timedelta
    work: Work


@dataclass(frozen=True, slots=True)
class Dutiful:
    """What a duty did: `said` is a sentence, `is_trouble` whether it tells what stood in the way."""

    name: str
    said: str
    is_trouble: bool = False


class Duties:
    """Runs each duty when its interval has passed, and at once when the program starts."""

    def __init__(self, clock: Callable[[], datetime], duties: Sequence[Duty]) -> None:
        self._clock = clock
        self._duties = duties
        self._ran: dict[str, datetime] = {}

    async def once(self, stop: Stop = lambda: False) -> list[Dutiful]:
        """Do what is due now. Trouble with one duty leaves the others to go on; StorageError stops them all."""
        done = []
        for duty in self._duties:
            now = self._clock()
            ran = self._ran.get(duty.name)
            if stop() or (ran is not None and ran <= now < ran + duty.every):
                continue
            self._ran[duty.name] = now
            try:
                said = await duty.work(stop)
            except StorageError:
                raise
            except DispatcherError as error:
                done.append(Dutiful(duty.name, str(error), is_trouble=True))
            else:
                done += [Dutiful(duty.name, said)] if said else []
        return done


def in_thread(work: Callable[[], str | None]) -> Work:
    """Return this work as a duty's: run in a thread, since it waits for the database."""
    return lambda _stop: asyncio.to_thread(work)
