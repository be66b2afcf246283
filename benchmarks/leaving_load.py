"""Opens links as many clients would, from a process of its own: on a schedule, or as fast as they are answered.

It speaks HTTP/1.1 on bare connections, which it keeps: a library would be slower than what is measured. What it found
it prints as JSON: milliseconds of each answer, in the order of the requests, and what was answered otherwise than 200.
"""

import asyncio
import json
import sys
from collections import Counter, deque
from contextlib import suppress
from pathlib import Path
from time import perf_counter
from typing import Any

_BODY = b"List-Unsubscribe=One-Click"
_FORM = b"Content-Type: application/x-www-form-urlencoded\r\n"
_HEAD = b"%s /u/%s HTTP/1.1\r\nHost: m.revontuli.example\r\nAccept-Language: fi\r\n"
_AT_MOST = 400


def main() -> None:
    """Read what is asked from a file, open the links, and print what came of it."""
    asked: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text(encoding="ascii"))
    print(json.dumps(asyncio.run(_run(asked))))


class _Line(asyncio.Protocol):
    """One connection: a request, its answer, the next."""

    def __init__(self) -> None:
        self._got = bytearray()
        self._wanted = -1
        self.answer: asyncio.Future[int] | None = None
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def ask(self, request: bytes) -> asyncio.Future[int]:
        """Send a request and return where its status will stand."""
        self._got.clear()
        self._wanted = -1
        self.answer = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return self.answer

    def data_received(self, data: bytes) -> None:
        self._got += data
        if self._wanted < 0:
            end = self._got.find(b"\r\n\r\n")
            if end < 0:
                return
            length = bytes(self._got[:end]).lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
            self._wanted = end + 4 + int(length or 0)
        if len(self._got) >= self._wanted and self.answer and not self.answer.done():
            self.answer.set_result(int(self._got[9:12]))

    def connection_lost(self, _error: Exception | None) -> None:
        if self.answer and not self.answer.done():
            self.answer.set_result(0)


async def _run(asked: dict[str, Any]) -> dict[str, Any]:
    loop, port = asyncio.get_running_loop(), int(asked["port"])
    requests = deque(_requests(asked["method"], asked["tokens"]))
    latencies: list[float] = []
    statuses: Counter[int] = Counter()
    free: list[_Line] = []
    stopped = asyncio.Event()

    async def one(request: bytes, due: float) -> None:
        status = 0
        while not status:
            # The server ends a connection that nobody has used for a while: then a new one is opened, as programs do.
            line = free.pop() if free else (await loop.create_connection(_Line, "127.0.0.1", port))[1]
            status = await line.ask(request) if not line.transport.is_closing() else 0
        latencies.append(1000 * (perf_counter() - due))
        statuses[status] += 1
        free.append(line)

    if asked.get("rate"):
        loop.run_in_executor(None, sys.stdin.readline).add_done_callback(lambda _: stopped.set())
        print("ready", flush=True)
    began = perf_counter()
    if rate := asked.get("rate"):
        under_way: set[asyncio.Task[None]] = set()
        number = 0
        while requests and not stopped.is_set() and len(under_way) < _AT_MOST:
            due = began + number / rate
            with suppress(TimeoutError):
                await asyncio.wait_for(stopped.wait(), max(0.0, due - perf_counter()))
            task = asyncio.create_task(one(requests.popleft(), due))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
            number += 1
        await asyncio.gather(*under_way)
    else:

        async def many() -> None:
            while requests:
                await one(requests.popleft(), perf_counter())

        await asyncio.gather(*(many() for _ in range(asked["at_once"])))
    seconds = perf_counter() - began
    for line in free:
        line.transport.close()
    return {"seconds": seconds, "latencies": latencies, "statuses": dict(statuses)}


def _requests(method: str, tokens: list[str]) -> list[bytes]:
    if method == "GET":
        return [_HEAD % (b"GET", token.encode()) + b"\r\n" for token in tokens]
    length = b"Content-Length: %d\r\n\r\n" % len(_BODY)
    return [_HEAD % (b"POST", token.encode()) + _FORM + length + _BODY for token in tokens]


if __name__ == "__main__":
    main()
