"""The table of dispatcher.toml that says which inbox is read: [mailbox]."""

import re
from datetime import date
from enum import StrEnum
from typing import Literal

from pydantic import Field

from dispatcher.links import BOUNCE_TOKEN_LENGTH, LONGEST_LOCAL_PART, TOKEN_LENGTH
from dispatcher.rules.places import LOOPBACK
from dispatcher.settings.fields import Country, MailAddress, Section

_LOCAL_PART = re.compile(r"[a-z0-9._-]+", re.IGNORECASE)


class MailboxProvider(StrEnum):
    """How the inbox is reached."""

    NONE = "none"
    IMAP = "imap"
    MAILDIR = "maildir"


class MailboxSection(Section):
    """[mailbox]: the inbox that answers come to, read and left as it is (E-13, E-35, E-60).

    `address` is the studio's own where it is not named; what stands between its `separator` and its @ is ours. With
    `own_folder` everything in `folder`, or below `path`, is meant for the program. `country` and `dpa_signed` speak of
    the company that keeps the inbox (L-39, L-42).
    """

    provider: MailboxProvider = MailboxProvider.NONE
    address: MailAddress | None = None
    separator: Literal["+", "-"] = "+"
    own_folder: bool = False
    host: str = ""
    port: int | None = Field(default=None, ge=1, le=65535)
    tls: Literal["implicit", "starttls", "none"] = "implicit"
    username: str = ""
    folder: str = Field(default="INBOX", min_length=1, max_length=200)
    path: str = ""
    country: Country | None = None
    dpa_signed: date | None = None

    def check_reachable(self) -> None:
        """Raise ValueError where it is not said where the inbox is, or its password would go over the net in clear."""
        if self.provider is MailboxProvider.IMAP and not self.host:
            raise ValueError(
                "[mailbox] host is missing: write the name of the IMAP server, as your mail program has it"
            )
        if self.provider is MailboxProvider.MAILDIR and not self.path:
            raise ValueError("[mailbox] path is missing: write the folder that holds new, cur and tmp")
        if self.tls == "none" and self.host and self.host not in LOOPBACK:
            raise ValueError(
                '[mailbox] tls = "none" would send the password and every letter in the clear: write "implicit" or '
                '"starttls"'
            )

    @property
    def is_read(self) -> bool:
        """Say whether there is an inbox to read."""
        return self.provider is not MailboxProvider.NONE

    @property
    def stays_here(self) -> bool:
        """Say whether the inbox is on this machine."""
        return self.provider is not MailboxProvider.IMAP or self.host in LOOPBACK

    @property
    def asked_port(self) -> int:
        """Return the port to ask: the one named, else the usual one of its kind of TLS (RFC 8314)."""
        return self.port or (993 if self.tls == "implicit" else 143)


def check_addresses(address: str, bounces: str) -> None:
    """Raise ValueError unless both addresses have room for a token, and are written so that they need no quoting.

    `address` is that of the inbox, `bounces` that of the envelope (E-60).
    """
    for key, own, length in (
        ("[mailbox] address", address, TOKEN_LENGTH),
        ("[email] bounces", bounces, BOUNCE_TOKEN_LENGTH),
    ):
        local, most = own.rpartition("@")[0], LONGEST_LOCAL_PART - 1 - length
        if not _LOCAL_PART.fullmatch(local):
            raise ValueError(f"{key}: only letters a-z, digits, full stops and dashes may stand before the @ of {own}")
        if len(local) > most:
            raise ValueError(
                f"{key}: {own} has {len(local)} letters before its @, and {most} leave room for what we add: write a "
                "shorter address that comes to the same inbox"
            )
