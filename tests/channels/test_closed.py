"""A channel that is closed takes nothing and says why."""

import asyncio

import pytest

from dispatcher.channels.closed import ClosedCarrier
from dispatcher.errors import ChannelError


def test_a_closed_carrier_opens_no_session() -> None:
    """E-04: the reason is told where a session would be opened, so that nothing is begun."""
    carrier = ClosedCarrier("smtp", "The key is gone.")

    async def open_it() -> None:
        async with carrier.session():
            pytest.fail("it opened")

    with pytest.raises(ChannelError, match=r"^The key is gone\.$"):
        asyncio.run(open_it())
    assert "smtp" == carrier.name
