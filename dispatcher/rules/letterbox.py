"""The inbox that answers come to, as far as its settings can be judged without asking it."""

from dataclasses import dataclass

from dispatcher.rules.doctor import Concern, Finding, Level

LONGEST_URI = 75
"""Characters of an address in List-Unsubscribe that every mail program and relay leaves alone (E-03)."""


@dataclass(frozen=True, slots=True)
class Letterbox:
    """The inbox by what the settings say.

    `opt_out_length` is how long a `mailto:` of ours is. `trouble` is what stands in the way of asking the inbox at all,
    with what to do about it; empty where nothing is known to.
    """

    address: str
    is_read: bool
    opt_out_length: int = 0
    trouble: str = ""
    fix: str = ""


def letterbox(about: Letterbox) -> list[Finding]:
    """Judge whether what clients and mail servers answer is read (E-03, E-35)."""
    if not about.is_read:
        return [Finding(Concern.MAILBOX, Level.OK, f"No inbox is read: what comes to {about.address} is yours alone.")]
    if about.trouble:
        return [Finding(Concern.MAILBOX, Level.ERROR, about.trouble, about.fix)]
    if about.opt_out_length > LONGEST_URI:
        says = (
            f"An opt-out address at {about.address} has {about.opt_out_length} characters, and some mail programs take "
            f"{LONGEST_URI} at most."
        )
        fix = "Write a shorter address that comes to the same inbox into [mailbox] address."
        return [Finding(Concern.MAILBOX, Level.WARNING, says, fix)]
    return [Finding(Concern.MAILBOX, Level.OK, f"What clients and mail servers answer comes to {about.address}.")]
