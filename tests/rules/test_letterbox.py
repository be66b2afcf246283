"""What the doctor says of the inbox that answers come to."""

from dataclasses import replace

from dispatcher.rules.doctor import Concern, Level
from dispatcher.rules.letterbox import LONGEST_URI, Letterbox, letterbox

READ = Letterbox("hei@tunturituuli.example", is_read=True, opt_out_length=LONGEST_URI)


def test_an_inbox_that_can_be_asked_is_in_order() -> None:
    """E-35: it is told where answers come to, and whether they are read."""
    [read], [unread] = letterbox(READ), letterbox(replace(READ, is_read=False))
    assert (Level.OK, Concern.MAILBOX) == (read.level, read.concern)
    assert "hei@tunturituuli.example" in read.says
    assert (Level.OK, None) == (unread.level, unread.fix)
    assert "No inbox is read" in unread.says


def test_an_inbox_that_cannot_be_asked_stands_in_the_way() -> None:
    """Nothing is sent until the inbox can be read, so what is missing is an error with its remedy."""
    [found] = letterbox(replace(READ, trouble="The password is missing.", fix="Write it."))
    assert (Level.ERROR, "The password is missing.", "Write it.") == (found.level, found.says, found.fix)


def test_an_opt_out_address_that_is_too_long_is_told() -> None:
    """E-03: more than 75 characters may be folded by somebody on the way."""
    [found] = letterbox(replace(READ, opt_out_length=LONGEST_URI + 1))
    assert Level.WARNING is found.level
    assert found.fix is not None
    assert "[mailbox] address" in found.fix
