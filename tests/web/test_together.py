"""What waits at the same time is served at once, each gets its own answer, and one fault lets nobody else down."""

import asyncio
import threading
from collections.abc import Sequence

import pytest

from dispatcher.errors import StorageError
from dispatcher.web.together import AT_MOST, Together


def served(numbers: Sequence[int], together: Together[int, int]) -> list[int | BaseException]:
    """Ask for all of these at the same time."""

    async def ask() -> list[int | BaseException]:
        return await asyncio.gather(*map(together.ask, numbers), return_exceptions=True)

    return asyncio.run(ask())


def test_what_waits_is_served_at_once() -> None:
    """Whoever asks while a call is under way shares the next one, as many as one call takes, in order."""
    calls: list[int] = []
    begun, go = threading.Event(), threading.Event()

    def double(numbers: Sequence[int]) -> list[int]:
        calls.append(len(numbers))
        begun.set()
        assert go.wait(10)
        return [2 * number for number in numbers]

    async def ask() -> list[int]:
        together = Together("double", double)
        first = asyncio.create_task(together.ask(0))
        await asyncio.to_thread(begun.wait, 10)
        others = [asyncio.create_task(together.ask(number)) for number in range(1, AT_MOST + 2)]
        await asyncio.sleep(0)
        go.set()
        return await asyncio.gather(first, *others)

    assert list(range(0, 2 * AT_MOST + 4, 2)) == asyncio.run(ask())
    assert [1, AT_MOST, 1] == calls


def test_a_fault_is_its_own() -> None:
    """Where one of a group cannot be served, the others are, and only that one hears of it."""

    def inverse(numbers: Sequence[int]) -> list[int]:
        return [100 // number for number in numbers]

    first, fault, last = served([1, 0, 4], Together("inverse", inverse))
    assert (100, 25) == (first, last)
    assert isinstance(fault, ZeroDivisionError)


def test_trouble_is_everybodys() -> None:
    """E-11: where the database does not answer, everybody hears of it at once: nobody waits for each one's turn."""
    calls = []

    def refuse(numbers: Sequence[int]) -> list[int]:
        calls.append(len(numbers))
        raise StorageError

    found = served([1, 2, 3], Together("refuse", refuse))
    assert all(isinstance(each, StorageError) for each in found)
    assert [3] == calls


def test_calls_stand_apart() -> None:
    """Others get the database in between: a call begins no sooner than it may after the end of the one before."""
    times: list[tuple[float, float]] = []

    async def ask() -> None:
        loop = asyncio.get_running_loop()

        def note(numbers: Sequence[int]) -> Sequence[int]:
            times.append((loop.time(), loop.time()))
            return numbers

        together = Together("note", note, apart=0.05)
        await together.ask(1)
        await together.ask(2)

    asyncio.run(ask())
    (_, ended), (began, _) = times
    assert began - ended >= 0.05


def test_who_has_gone_is_let_go() -> None:
    """One who no longer waits for an answer keeps nobody else from theirs."""

    async def ask() -> list[int | BaseException]:
        together: Together[int, int] = Together("same", list)
        waiting = [asyncio.create_task(together.ask(number)) for number in (1, 2)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        return await asyncio.gather(*waiting, return_exceptions=True)

    gone, answer = asyncio.run(ask())
    assert isinstance(gone, asyncio.CancelledError)
    assert 2 == answer


@pytest.mark.parametrize("times", [1, 2])
def test_it_outlives_its_loop(times: int) -> None:
    """It serves again once nothing has waited for a while, in whichever loop asks."""
    together: Together[int, int] = Together("same", list)
    assert [[7]] * times == [served([7], together) for _ in range(times)]
