"""The inbox that clients and mail servers answer to: read over IMAP or from a Maildir, marked and moved by nobody here.

Of a letter that came to an address of ours its class is found out and kept; of any other nothing is looked at but where
it was sent. What a letter says is shown to a person from the inbox itself, and kept nowhere.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from dispatcher.rules.letter import Letter

AT_ONCE = 100
"""Letters that are looked at before those to us among them are handed over."""
Seen = Callable[[Sequence[Letter], str], None]
"""Takes letters that were handed over together, and the mark after them."""


class Mailbox(Protocol):
    """An inbox that is read and left as it is."""

    name: str
    """What it is: "imap" or "maildir"."""

    def read(self, mark: str, seen: Seen) -> str:
        """Hand over every letter to us that came after a mark, oldest first, and return the new mark.

        At most a hundred are handed over at once, with the mark after them, so that a look that is cut off is gone on
        with where it was: also those that were read when it broke off are handed over, before the error is raised.
        "" is the mark before everything that is kept. A mark of another inbox, or of one that was numbered anew, is
        the same: then letters come again that were handed over before. Raises MailboxError saying what to do.
        """
        ...

    def show(self, key: str) -> str:
        """Return the readable text of one letter, live from the inbox. Raises MailboxError where it is not there."""
        ...
