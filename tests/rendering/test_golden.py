"""No byte of a message changes unseen."""

import difflib

import pytest

from tests.rendering.golden import KEPT, messages
from tests.rendering.strict_mime import read

_RENEW = "if that is meant, run `.venv/bin/python -m tests.rendering.golden` and look at `git diff`"


@pytest.fixture(scope="module")
def made() -> dict[str, bytes]:
    """Give every message as it is made now."""
    return dict(messages())


def test_every_message_is_kept(made: dict[str, bytes]) -> None:
    """Each template has its mail in each language, and a text message where its sample campaign has one."""
    assert set(made) == {file.name for file in KEPT.iterdir()}, _RENEW
    assert 7 == sum(name.endswith(".eml") for name in made)


@pytest.mark.parametrize("name", sorted(file.name for file in KEPT.iterdir()))
def test_no_byte_changes_unseen(name: str, made: dict[str, bytes]) -> None:
    """Golden bytes: the difference is shown line by line, mails decoded below it."""
    kept, now = (KEPT / name).read_bytes(), made[name]
    if kept != now:
        lines = difflib.unified_diff(_readable(name, kept), _readable(name, now), "kept", "now", lineterm="", n=1)
        pytest.fail("\n".join([f"{name} has changed: {_RENEW}", *lines]))


def _readable(name: str, content: bytes) -> list[str]:
    """Return the lines of a message: of a mail its source, then each part decoded."""
    told = content.decode().splitlines()
    if name.endswith(".eml"):
        for leaf in read(content).leaves():
            told += [f"-- {leaf.kind}", *leaf.content.decode(errors="replace").splitlines()]
    return told
