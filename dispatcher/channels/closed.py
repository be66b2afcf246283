"""A channel that nothing may leave by, and why."""

from contextlib import AbstractAsyncContextManager
from types import TracebackType

from dispatcher.channels import Session
from dispatcher.errors import ChannelError


class ClosedCarrier:
    """Stands where a carrier would, under its name, while something that every message needs is missing."""

    sessions = 1

    def __init__(self, name: str, reason: str) -> None:
        self.name = name
        self._reason = reason

    def session(self) -> AbstractAsyncContextManager[Session]:
        """Return what raises ChannelError with the reason when it is opened."""
        return _Closed(self._reason)


class _Closed(AbstractAsyncContextManager[Session]):
    def __init__(self, reason: str) -> None:
        self._reason = reason

    async def __aenter__(self) -> Session:
        raise ChannelError(self._reason)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None
