"""Lets requests that wait at the same time be served together: one look at the database, one commit, one thread."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

from dispatcher.errors import StorageError

Asked = TypeVar("Asked")
Found = TypeVar("Found")
AT_MOST = 256
"""How many are served together: more would keep the first of them waiting."""


class Together(Generic[Asked, Found]):
    """Serves what is asked of one function, all that waits at a time: it returns a list in the same order.

    The function runs in a thread of its own, one call at a time, so that whatever else keeps the other threads busy
    does not keep this waiting. From the end of one call to the next `apart` seconds pass at least.
    """

    def __init__(self, name: str, serve: Callable[[Sequence[Asked]], Sequence[Found]], *, apart: float = 0.0) -> None:
        self._serve = serve
        self._apart = apart
        self._waiting: list[tuple[Asked, asyncio.Future[Found]]] = []
        self._thread = ThreadPoolExecutor(1, f"dispatcher-{name}")
        self._task: asyncio.Task[None] | None = None
        self._ended = -apart

    async def ask(self, asked: Asked) -> Found:
        """Return what the function finds for this one, or raise what it raised."""
        loop = asyncio.get_running_loop()
        found: asyncio.Future[Found] = loop.create_future()
        self._waiting.append((asked, found))
        if self._task is None:
            self._task = loop.create_task(self._drain(loop))
        return await found

    async def _drain(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            while self._waiting:
                if (early := self._ended + self._apart - loop.time()) > 0:
                    await asyncio.sleep(early)
                group, self._waiting = self._waiting[:AT_MOST], self._waiting[AT_MOST:]
                await self._serve_group(loop, group)
                self._ended = loop.time()
        finally:
            self._task = None

    async def _serve_group(
        self, loop: asyncio.AbstractEventLoop, group: Sequence[tuple[Asked, asyncio.Future[Found]]]
    ) -> None:
        try:
            answers = await loop.run_in_executor(self._thread, self._serve, [asked for asked, _ in group])
        except Exception as error:  # noqa: BLE001 - whoever asked hears of it, whatever it is
            if len(group) == 1 or isinstance(error, StorageError):
                for _, found in group:
                    _settle(found, error)
                return
            # The fault of one is no reason to let the others down.
            for one in group:
                await self._serve_group(loop, [one])
            return
        for (_, found), answer in zip(group, answers, strict=True):
            if not found.done():
                found.set_result(answer)


def _settle(found: asyncio.Future[Found], error: Exception) -> None:
    if not found.done():
        found.set_exception(error)
