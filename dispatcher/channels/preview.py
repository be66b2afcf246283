"""Writes messages to files instead of sending them: the carrier until a provider is configured."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from dispatcher.channels import RECALLED, MayGo, always
from dispatcher.errors import ChannelError
from dispatcher.rules.message import Blame, CampaignMessage, Email, Outcome, OutcomeKind, ServiceMessage, Sms

_ENDINGS = (".eml", ".txt")
_FILE_NAME = re.compile(r"\w[\w.@-]*", re.ASCII)


class PreviewCarrier:
    """Writes `<message id>.eml` and `<message id>.txt` into one directory; nothing leaves the machine."""

    name = "preview"
    sessions = 1

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    @asynccontextmanager
    async def session(self) -> AsyncIterator["PreviewSession"]:
        """Make the directory, readable by its owner only. Raises ChannelError if it cannot be made."""
        try:
            await asyncio.to_thread(self._directory.mkdir, mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ChannelError(
                f"messages cannot be written to {self._directory}: {error.strerror}; "
                "name another directory for previews in dispatcher.toml"
            ) from error
        yield PreviewSession(self._directory)

    def forget(self, message_id: str) -> None:
        """Delete the file of a message, whole or begun. Raises ChannelError where it cannot be deleted."""
        if not _FILE_NAME.fullmatch(message_id):
            raise ChannelError(f"{message_id!r} cannot name a preview file")
        try:
            for ending in _ENDINGS:
                path = self._directory / f"{message_id}{ending}"
                for each in (path, _part(path)):
                    each.unlink(missing_ok=True)
        except OSError as error:
            raise ChannelError(f"a message in {self._directory} cannot be deleted: {error.strerror}") from None


class PreviewSession:
    """Writes one file for each message."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    async def hand_over(self, message: CampaignMessage | ServiceMessage, may_go: MayGo = always) -> Outcome:
        """Write one message, whole or not at all; a disk that takes no more defers it.

        Raises ChannelError for a message id that cannot be a file name.
        """
        if not _FILE_NAME.fullmatch(message.message_id):
            raise ChannelError(f"{message.message_id!r} cannot name a preview file")
        ending, text = _written(message.content)
        if not await may_go():
            return RECALLED
        try:
            await asyncio.to_thread(_write, self._directory / f"{message.message_id}{ending}", text)
        except OSError:
            return Outcome(OutcomeKind.DEFERRED, blame=Blame.CONNECTION)
        segments = message.content.segments if isinstance(message.content, Sms) else None
        return Outcome(OutcomeKind.ACCEPTED, segments=segments)


def _written(content: Email | Sms) -> tuple[str, bytes]:
    if isinstance(content, Email):
        return ".eml", content.content
    return ".txt", f"To: {content.recipient}\n\n{content.text}\n".encode()


def _part(path: Path) -> Path:
    """Return where a message lies while it is being written; a crash leaves it there."""
    return path.with_name(f".{path.name}.part")


def _write(path: Path, text: bytes) -> None:
    part = _part(path)
    part.touch(mode=0o600)
    part.write_bytes(text)
    part.replace(path)
