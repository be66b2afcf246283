"""Commands in groups, and what comes back for them."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from dispatcher.channels.pipelining import ConfusedError, Due, LostError, Wire

Talk = Callable[[Wire, asyncio.StreamWriter], Awaitable[None]]


def connected(talk: Talk, *, period: float = 5) -> None:
    """Let a test talk over a wire, and write to it as the server."""

    async def run() -> None:
        far: asyncio.Future[asyncio.StreamWriter] = asyncio.get_running_loop().create_future()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            far.set_result(writer)
            await reader.read()
            writer.close()

        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            host, port = server.sockets[0].getsockname()
            transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, host, port)
            wire = Wire(transport, period)
            await talk(wire, await far)
            wire.abort()
            (await far).close()

    asyncio.run(run())


async def said_over(wire: Wire, words: bytes, count: int, seconds: float) -> list[bytes]:
    """Say something and return the replies to it."""
    due = Due(count, seconds)
    wire.say(words, due)
    return await due.all()


@pytest.mark.parametrize("size", [1, 2, 5, 1000])
def test_replies_in_any_pieces(size: int) -> None:
    """E-54: however the network cuts them, each command gets its own reply, whole and in order."""
    replies = [b"250-2.1.0 one\r\n250 two\r\n", b"550 5.1.1 no\n", b"354\r\n"]

    async def talk(wire: Wire, far: asyncio.StreamWriter) -> None:
        saying = asyncio.ensure_future(said_over(wire, b"MAIL\r\nRCPT\r\nDATA\r\n", 3, 5))
        said = b"".join(replies)
        for begin in range(0, len(said), size):
            far.write(said[begin : begin + size])
            await far.drain()
            await asyncio.sleep(0)
        assert replies == await saying
        assert wire.is_clean

    connected(talk)


def test_goodbye_ends_a_group() -> None:
    """E-53: after a 421 nothing more is waited for."""

    async def talk(wire: Wire, far: asyncio.StreamWriter) -> None:
        far.write(b"250 Ok\r\n421 later\r\n")
        assert [b"250 Ok\r\n", b"421 later\r\n"] == await said_over(wire, b"words\r\n", 3, 5)

    connected(talk)


@pytest.mark.parametrize(
    "said",
    [
        b"hello\r\n",
        b"\r\n",
        b"2\r\n",
        b"25\r\n",
        b"2500 Ok\r\n",
        b"250-one\r\n251 two\r\n",
        b"\xff\xfe\r\n",
        b"2" * 40_000,
    ],
)
def test_what_is_no_reply(said: bytes) -> None:
    """E-54: whatever is no reply ends the talk at once; it is never paired with a command."""

    async def talk(wire: Wire, far: asyncio.StreamWriter) -> None:
        far.write(said)
        with pytest.raises(ConfusedError):
            await said_over(wire, b"words\r\n", 1, 5)

    connected(talk)


def test_one_reply_too_many() -> None:
    """E-54: a reply nobody asked for leaves the connection unclean, and nothing more is said over it."""

    async def talk(wire: Wire, far: asyncio.StreamWriter) -> None:
        far.write(b"250 Ok\r\n250 Ok\r\n")
        assert [b"250 Ok\r\n"] == await said_over(wire, b"words\r\n", 1, 5)
        assert not wire.is_clean
        with pytest.raises(LostError):
            await said_over(wire, b"words\r\n", 1, 5)

    connected(talk)


def test_closed_connection() -> None:
    """E-51: a connection that closes before the reply is lost, half a reply or none."""

    async def talk(wire: Wire, far: asyncio.StreamWriter) -> None:
        far.write(b"250 half")
        far.close()
        with pytest.raises(LostError):
            await said_over(wire, b"words\r\n", 1, 5)
        assert not wire.is_clean

    connected(talk)


def test_silence_is_measured_from_its_own_beginning() -> None:
    """E-51: a wait lasts as long as was said, after shorter and longer ones on the same connection."""

    async def talk(wire: Wire, far: asyncio.StreamWriter) -> None:
        # The reply comes after the timer has looked once, and set itself anew.
        asyncio.get_running_loop().call_later(0.12, far.write, b"250 Ok\r\n")
        await said_over(wire, b"words\r\n", 1, 50)
        began = asyncio.get_running_loop().time()
        with pytest.raises(ConfusedError):
            await said_over(wire, b"words\r\n", 1, 0.15)
        assert 0.1 < asyncio.get_running_loop().time() - began < 2

    connected(talk, period=0.05)


@pytest.mark.parametrize("size", [1, 2, 5, 1000])
def test_two_groups_at_once(size: int) -> None:
    """E-54: however the network cuts them, each of two groups said at once gets its own replies, also if asked late."""
    replies = [b"250 2.0.0 queued\r\n", b"250-2.1.0 one\r\n250 two\r\n", b"250 2.1.5 yes\r\n", b"354\r\n"]

    async def talk(wire: Wire, far: asyncio.StreamWriter) -> None:
        body, envelope = Due(1, 5), Due(3, 5)
        wire.say(b"body\r\n.\r\nMAIL\r\nRCPT\r\nDATA\r\n", body, envelope)
        said = b"".join(replies)
        for begin in range(0, len(said), size):
            far.write(said[begin : begin + size])
            await far.drain()
        assert replies[:1] == await body.all()
        assert replies[1:] == await envelope.all()
        assert wire.is_clean

    connected(talk)


def test_goodbye_to_the_first_of_two_groups() -> None:
    """E-53: a 421 to the first group is its reply, and leaves the second one without any."""

    async def talk(wire: Wire, far: asyncio.StreamWriter) -> None:
        first, second = Due(1, 5), Due(3, 5)
        wire.say(b"words\r\n", first, second)
        far.write(b"421 4.3.2 later\r\n250 Ok\r\n")
        assert [b"421 4.3.2 later\r\n"] == await first.all()
        with pytest.raises(LostError):
            await second.all()
        assert [] == second.replies
        assert not wire.is_clean

    connected(talk)


def test_the_second_of_two_groups_waits_from_the_end_of_the_first() -> None:
    """E-51: what is due later has all its time from when nothing else is due before it."""

    async def talk(wire: Wire, far: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        first, second = Due(1, 5), Due(1, 0.2)
        wire.say(b"words\r\n", first, second)
        loop.call_later(0.3, far.write, b"250 first\r\n")
        loop.call_later(0.4, far.write, b"250 second\r\n")
        assert [b"250 first\r\n"] == await first.all()
        assert [b"250 second\r\n"] == await second.all()
        third = Due(2, 0.2)
        wire.say(b"words\r\n", third)
        far.write(b"250 half\r\n")
        with pytest.raises(ConfusedError):
            await third.all()
        assert [b"250 half\r\n"] == third.replies

    connected(talk, period=0.05)
