"""What the words of a question ask for: which channels a text names, and whether a yes to it opens one.

A wording is content-addressed (D-02): the same text is the same wording, whoever wrote it down.
"""

import hashlib
import re
import unicodedata

from dispatcher.rules.campaign import Channel

LONGEST = 2_000
"""Characters of the longest question."""
_NAMES = {
    Channel.EMAIL: re.compile(r"sähköposti|\bs-posti|e-?post\b|e-?postmeddelande|mejli|\be-?mail", re.IGNORECASE),
    Channel.SMS: re.compile(
        r"tekstivies|\bsms\b|\bsms:|\bsms-|textmeddeland|text message|\btexts?\b|\btekstari", re.IGNORECASE
    ),
}


def channel_name(channel: Channel) -> str:
    """Return what a person calls a channel."""
    return "email" if channel is Channel.EMAIL else "text messages"


def normal(text: str) -> str:
    """Return the one form in which a wording is kept: NFC, spaces and line ends folded."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def wording_hash(text: str) -> str:
    """Return the SHA-256 by which a wording is known, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def channels_named(text: str) -> frozenset[Channel]:
    """Return the channels that a question names in Finnish, Swedish or English."""
    return frozenset(channel for channel, name in _NAMES.items() if name.search(text))


def opens(text: str, channel: Channel) -> bool:
    """Say whether a yes to this question may open this channel (L-01, L-03).

    Text messages have to be named. Email has to be named as well, unless the question names no channel at all: letters
    and offers "to you" are sent by email.
    """
    named = channels_named(text)
    return channel in named or (channel is Channel.EMAIL and not named)
