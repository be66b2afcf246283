"""To which address of ours a letter came: what the servers wrote that took it, then what its sender wrote, never From.

The token in that address decides whose letter it is (E-13): whoever wrote it, only who got our mail can know it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message

from dispatcher.errors import LinkError
from dispatcher.links import Bounce, MailAddresses, OptOut, ReplyTo

HEADERS = (
    "Delivered-To",
    "X-Original-To",
    "X-Delivered-To",
    "Envelope-To",
    "X-Envelope-To",
    "To",
    "Cc",
)
"""Where it is written to whom a letter came, the most trustworthy first."""
COMPLAINTS = "complaints"
"""What stands behind the separator of the address that is given to providers for their complaints (E-63)."""
_MOST_TEXT = 20_000
"""So much of one header is looked at: whoever writes to thousands writes to nobody."""
_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9.-]{1,255}")
_LIKE_A_TOKEN = re.compile(r"[a-z2-7]{30,60}")
_LINK = re.compile(r"/u/([A-Za-z2-7]{30,60})")


@dataclass(frozen=True, slots=True)
class Came:
    """Which addresses of ours a letter came to.

    `opt_out`, `reply` and `bounce` are the tokens that this installation made, "" where it came to none of the kind.
    `is_ours` also where a token of it has been damaged, and for the address of complaints.
    """

    opt_out: str = ""
    reply: str = ""
    bounce: str = ""
    is_ours: bool = False
    is_test: bool = False

    @property
    def any(self) -> str:
        """Return the token that says most: a no before a reply, a reply before a bounce."""
        return self.opt_out or self.reply or self.bounce


def came_to(head: Message, addresses: MailAddresses) -> Came:
    """Return to which of our addresses a letter with these headers came."""
    return _read((tag for address in _addresses(head, HEADERS) if (tag := addresses.token_in(address))), addresses)


def told_of(original: Message, addresses: MailAddresses) -> Came:
    """Return which tokens of ours a mail of our own carries: it lies within a complaint about it (E-62)."""
    carried = [tag for name in ("Reply-To", "Return-Path") for tag in _tags(original, name, addresses)]
    ways_out = _text(original, "List-Unsubscribe")
    found = [*_LINK.findall(ways_out), *_tags(original, "List-Unsubscribe", addresses), *carried]
    return _read(iter(found), addresses)


def _tags(head: Message, name: str, addresses: MailAddresses) -> list[str]:
    return [tag for address in _addresses(head, (name,)) if (tag := addresses.token_in(address))]


def _read(tags: Iterator[str], addresses: MailAddresses) -> Came:
    found = {OptOut: "", ReplyTo: "", Bounce: ""}
    is_ours = is_test = False
    for tag in tags:
        try:
            kind = type(addresses.read(tag))
        except LinkError:
            is_test = is_test or addresses.is_test(tag)
            is_ours = is_ours or tag == COMPLAINTS or _LIKE_A_TOKEN.fullmatch(tag) is not None
        else:
            found[kind] = found[kind] or tag
            is_ours = True
    return Came(found[OptOut], found[ReplyTo], found[Bounce], is_ours and not is_test, is_test)


def _addresses(head: Message, names: tuple[str, ...]) -> Iterator[str]:
    for name in names:
        yield from _ADDRESS.findall(_text(head, name))


def _text(head: Message, name: str) -> str:
    return " ".join(str(value) for value in head.get_all(name, []))[:_MOST_TEXT]
