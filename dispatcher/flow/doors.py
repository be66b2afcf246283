"""The doors by which a no comes while the program is down: read up to now before anything leaves (invariant 4).

A door is read at the start, after a sleep, before each slice of sending, and again and again while it goes on; no
message leaves on a reading older than `GOOD_FOR`. A reading runs in a thread of its own that holds no transaction while
it waits for a server, and one that hangs is waited for no longer than the `patience`.
"""

import asyncio
import logging
import threading
import time
import traceback
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Future
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from dispatcher.errors import DispatcherError, DoorsUnreadError, StorageError
from dispatcher.rules.actor import duty
from dispatcher.rules.doors import GOOD_FOR, READ_EVERY, is_good
from dispatcher.rules.ledger import Entry, EntryKind, Json, stamp
from dispatcher.storage import doors
from dispatcher.storage.database import Connection
from dispatcher.storage.doors import DoorRow
from dispatcher.storage.store import Store
from dispatcher.storage.writer import Transaction

_PATIENCE = 60.0
_ACTOR = duty("doors")
_log = logging.getLogger(__name__)


class Door(Protocol):
    """A letter box, or a list of text messages."""

    @property
    def name(self) -> str:
        """Return how it is called, for good."""
        ...

    def read(self, mark: str) -> str:
        """Take in everything that came after a mark ("" is before everything) and return the new mark.

        What was taken in is on disk by then, and taken in again it changes nothing. A door may move its own mark on
        the way (`storage.doors.move`), never past what is not on disk. Raises a DispatcherError saying
        what to do where the door cannot be read. It waits for the network no longer than its own timeouts.
        """
        ...


@dataclass(frozen=True, slots=True)
class Reading:
    """How far the doors have been read: `up_to` is the oldest of their moments, None where no door is configured."""

    is_read: bool
    up_to: datetime | None = None


class Doors:
    """Reads every configured door; `patience` are the seconds a reading is waited for."""

    def __init__(self, store: Store, every: Sequence[Door], patience: float = _PATIENCE) -> None:
        self._store = store
        self._doors = {door.name: door for door in every}
        self._patience = patience
        self._running: dict[str, Future[None]] = {}
        self._heard: set[str] = set()
        self._since = 0
        self._guard = threading.Lock()

    @property
    def are_there(self) -> bool:
        """Say whether any door is configured."""
        return bool(self._doors)

    def forget(self) -> None:
        """Let no earlier reading count: the machine slept, and nobody knows for how long.

        So it is at the start as well: what an earlier process read, this one reads again.
        """
        with self._guard:
            self._since += 1
            self._heard.clear()

    def rows(self) -> list[DoorRow]:
        """Return how each door stands, in the order they are configured."""
        with self._store.reading() as connection:
            return list(doors.read(connection, self._doors).values())

    def unread(self) -> list[str]:
        """Return of each door that could not be read lately which it is, and why: nothing leaves until it can be."""
        return [f"{row.name} cannot be read: {row.trouble}" for row in self.rows() if row.trouble is not None]

    def seen(self, connection: Connection, now: datetime) -> Reading:
        """Return how far the doors have been read, and whether a message may leave on that."""
        return self._seen(connection, now, GOOD_FOR)

    async def read(self) -> None:
        """Read every door up to now, side by side; what stands in the way of one is kept with it.

        Raises JournalError and StorageError where what was read cannot be kept.
        """
        await asyncio.gather(*(self._one(door) for door in self._doors.values()))

    async def up_to_now(self) -> None:
        """Read the doors, unless that was done just now. Raises DoorsUnreadError where one cannot be."""
        if not self._doors or await asyncio.to_thread(self._is_read, READ_EVERY):
            return
        await self.read()
        # The first reading of a full box may take longer than it is good for; the next one takes no time.
        if not await asyncio.to_thread(self._is_read, GOOD_FOR):
            await self.read()
            if not await asyncio.to_thread(self._is_read, GOOD_FOR):
                raise DoorsUnreadError(await asyncio.to_thread(self._why_unread))

    @asynccontextmanager
    async def kept_read(self) -> AsyncIterator[None]:
        """Read the doors again and again while messages leave; nobody waits for that."""
        if not self._doors:
            yield
            return
        reading = asyncio.create_task(self._keep_reading())
        try:
            yield
        finally:
            reading.cancel()
            with suppress(asyncio.CancelledError):
                await reading

    async def work(self, stop: Callable[[], bool]) -> str | None:
        """Read the doors where nobody has just now, so that a no is on record soon; say what changed.

        Raises DoorsUnreadError where a door could be read before and cannot be any more.
        """
        del stop
        if not self._doors or await asyncio.to_thread(self._is_read, READ_EVERY):
            return None
        before = {row.name for row in await asyncio.to_thread(self.rows) if row.trouble is not None}
        await self.read()
        now = {row.name for row in await asyncio.to_thread(self.rows) if row.trouble is not None}
        if now - before:
            raise DoorsUnreadError(await asyncio.to_thread(self._why_unread))
        return f"{', '.join(sorted(before - now))} can be read again" if before - now else None

    async def _keep_reading(self) -> None:
        while True:
            await asyncio.sleep(READ_EVERY.total_seconds())
            # What cannot be kept here is told by whoever sends: the gate finds the reading too old.
            with suppress(StorageError):
                await self.read()

    async def _one(self, door: Door) -> None:
        with self._guard:
            running = self._running.get(door.name)
            if running is None or running.done():
                running = self._running[door.name] = self._begin(door, self._since)
        began = time.monotonic()
        try:
            await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(running)), self._patience)
        except TimeoutError:
            waited = round(time.monotonic() - began)
            trouble = f"It has not answered within {waited} seconds, or has much to tell: reading goes on."
            trouble += " If that lasts, check that its server is up."
            await asyncio.to_thread(self._fail, door.name, trouble)

    def _begin(self, door: Door, since: int) -> Future[None]:
        """Read a door in a thread that ends with the process, however long its server keeps it waiting."""
        done: Future[None] = Future()

        def work() -> None:
            try:
                self._read(door, since)
            except BaseException as error:  # noqa: BLE001 - whoever waits for it must hear of it
                done.set_exception(error)
            else:
                done.set_result(None)

        threading.Thread(target=work, name=f"dispatcher-door-{door.name}", daemon=True).start()
        return done

    def _read(self, door: Door, since: int) -> None:
        """Read one door from its mark on; the mark is moved when all that was read is on disk."""
        with self._store.reading() as connection:
            before = doors.read(connection, [door.name])[door.name]
        began = self._store.clock()
        try:
            mark = door.read(before.mark)
        except StorageError:
            raise
        except DispatcherError as error:
            self._fail(door.name, str(error))
            return
        except Exception as error:  # noqa: BLE001 - a letter that nobody foresaw must not end the sender
            # Nothing leaves, and somebody is told; what the error says may be of the letter, so it is not repeated.
            where = traceback.extract_tb(error.__traceback__)[-1]
            _log.error("%s: %s in %s, line %s", door.name, type(error).__name__, where.name, where.lineno)
            self._fail(door.name, f"Reading it failed ({type(error).__name__}): the log says where.")
            return
        self._store.write(lambda transaction: _set_read(transaction, door.name, before, mark, began))
        with self._guard:
            if since == self._since:
                self._heard.add(door.name)

    def _fail(self, name: str, trouble: str) -> None:
        def work(transaction: Transaction) -> None:
            before = doors.read(transaction.connection, [name])[name]
            if before.trouble != trouble:
                doors.set_trouble(transaction.connection, name, trouble, before.failing_since or transaction.now)
            if before.failing_since is None:
                _tell(transaction, "unread", name, before.read_up_to)

        with self._guard:
            self._heard.discard(name)
        with self._store.reading() as connection:
            known = doors.read(connection, [name])[name]
        if known.trouble != trouble or known.failing_since is None:  # what is known already is not written again
            self._store.write(work)

    def _is_read(self, within: timedelta) -> bool:
        with self._store.reading() as connection:
            return self._seen(connection, self._store.clock(), within).is_read

    def _seen(self, connection: Connection, now: datetime, within: timedelta) -> Reading:
        if not self._doors:
            return Reading(is_read=True)
        with self._guard:
            unheard = self._doors.keys() - self._heard
        moments = [row.read_up_to for row in doors.read(connection, self._doors).values()]
        known = [moment for moment in moments if moment is not None]
        is_read = not unheard and len(known) == len(moments)
        is_new = all(is_good(moment, now, within) for moment in known)
        return Reading(is_read and is_new, min(known, default=None))

    def _why_unread(self) -> str:
        said = [f"{row.name}: {row.trouble or 'it has not been read yet.'}" for row in self.rows() if _is_in_doubt(row)]
        return " ".join(["Nothing is sent until every letter box has been read.", *said])


def _is_in_doubt(row: DoorRow) -> bool:
    return row.trouble is not None or row.read_up_to is None


def _set_read(transaction: Transaction, name: str, before: DoorRow, mark: str, began: datetime) -> None:
    known = doors.read(transaction.connection, [name])[name]
    doors.set_read(transaction.connection, before, mark, began)
    if known.failing_since is not None or known.read_up_to is None:
        _tell(transaction, "read", name, began)


def _tell(transaction: Transaction, event: str, name: str, up_to: datetime | None) -> None:
    """Tell the ledger that a door failed or could be read again: until then every verdict was to wait."""
    body: dict[str, Json] = {"event": event, "door": name, "read_up_to": stamp(up_to) if up_to else None}
    transaction.ledger.append(Entry(EntryKind.DOOR, _ACTOR, body=body))
