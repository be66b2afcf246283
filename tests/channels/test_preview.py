"""Writing messages to files."""

import asyncio
from pathlib import Path

import pytest

from dispatcher.channels.preview import PreviewCarrier
from dispatcher.errors import ChannelError
from dispatcher.rules.message import (
    Blame,
    CampaignMessage,
    Email,
    Outcome,
    OutcomeKind,
    ServiceMessage,
    ServicePurpose,
    Sms,
)

MAIL = Email("studio@studio.example", "anna@mail.example", b"Subject: Kes\xc3\xa4\r\n\r\n.piste\r\n")
TEXT = Sms("+358401234567", "Kesä alkaa", 1)


def hand_over(directory: Path, *messages: CampaignMessage | ServiceMessage) -> list[Outcome]:
    """Hand messages over in one session."""

    async def write() -> list[Outcome]:
        carrier = PreviewCarrier(directory)
        async with carrier.session() as session:
            return [await session.hand_over(message) for message in messages]

    return asyncio.run(write())


def test_each_message_is_a_file(tmp_path: Path) -> None:
    """An email is its own bytes, a text message its number and text; both count as accepted."""
    service = ServiceMessage("s1", ServicePurpose.TEST, TEXT)
    outcomes = hand_over(tmp_path / "made" / "here", CampaignMessage("m1", MAIL), service)
    assert [Outcome(OutcomeKind.ACCEPTED), Outcome(OutcomeKind.ACCEPTED, segments=1)] == outcomes
    found = {path.name: path.read_bytes() for path in (tmp_path / "made" / "here").iterdir()}
    assert {"m1.eml": MAIL.content, "s1.txt": "To: +358401234567\n\nKesä alkaa\n".encode()} == found


def test_files_are_the_owners_alone(tmp_path: Path) -> None:
    """A preview holds a client's address, so nobody else on the machine can read it."""
    hand_over(tmp_path / "preview", CampaignMessage("m1", MAIL))
    paths = [tmp_path / "preview", tmp_path / "preview" / "m1.eml"]
    assert [0o700, 0o600] == [path.stat().st_mode & 0o777 for path in paths]


def test_file_that_cannot_be_written(tmp_path: Path) -> None:
    """A disk that takes no more makes the message wait; half a file is never left under its name."""
    (tmp_path / ".m1.eml.part").mkdir()
    outcomes = hand_over(tmp_path, CampaignMessage("m1", MAIL))
    assert [Outcome(OutcomeKind.DEFERRED, blame=Blame.CONNECTION)] == outcomes
    assert not (tmp_path / "m1.eml").exists()


def test_directory_that_cannot_be_made(tmp_path: Path) -> None:
    """A preview directory that is a file is an error that names it."""
    (tmp_path / "taken").write_text("a file", encoding="utf-8")
    with pytest.raises(ChannelError, match="taken"):
        hand_over(tmp_path / "taken", CampaignMessage("m1", MAIL))


@pytest.mark.parametrize("message_id", ["../m1", "/m1", "", ".m1", "m1/../../m2", "m1\n"])
def test_id_that_is_no_file_name(tmp_path: Path, message_id: str) -> None:
    """A message id never leads out of the directory."""
    with pytest.raises(ChannelError, match="cannot name"):
        hand_over(tmp_path / "preview", CampaignMessage(message_id, MAIL))
    assert [tmp_path / "preview"] == list(tmp_path.rglob("*"))
