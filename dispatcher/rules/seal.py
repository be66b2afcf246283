"""A seal: what an Ed25519 signature over the heads of the ledger's chains says, and how it is written."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from dispatcher.rules.ledger import Json, canonical, read_stamp, stamp

FORMAT = 1
FIRST = "0" * 64
"""What the first seal has before it."""


class SealReason(StrEnum):
    """Why a seal was set."""

    DAY = "day"
    """A day has begun."""
    CAMPAIGN = "campaign"
    """A campaign has gone out."""
    YEAR = "year"
    """A year was closed."""
    DESTROYED = "destroyed"
    """The messages of a closed year were about to be destroyed."""


Heads = tuple[tuple[int, int, str], ...]
"""Chain, position and hash of the last group of each chain."""


@dataclass(frozen=True, slots=True)
class Seal:
    """One seal: the heads it signs, the seal before it by its hash, and the signature with its public key, in hex.

    `about` is the year that was closed or destroyed, or None. `entries` is the highest number of an entry when it was
    set.
    """

    number: int
    at: datetime
    reason: SealReason
    workspace: str
    heads: Heads
    entries: int
    previous: str
    key: str
    public: str
    signature: str = ""
    about: int | None = None

    def content(self) -> bytes:
        """Return the bytes that are signed: everything but the signature."""
        told = self.as_json()
        del told["signature"]
        return canonical(told).encode("ascii")

    def hash(self) -> str:
        """Return the SHA-256 over the whole seal, signature included: what the next one names."""
        return hashlib.sha256(canonical(self.as_json()).encode("ascii")).hexdigest()

    def words(self) -> str:
        """Return what stands on paper: the first 128 bits of the hash, in groups that can be read aloud."""
        return grouped(self.hash()[:32])

    def as_json(self) -> dict[str, Json]:
        """Return the seal with stable keys."""
        return {
            "format": FORMAT,
            "number": self.number,
            "at": stamp(self.at),
            "reason": self.reason.value,
            "about": self.about,
            "workspace": self.workspace,
            "heads": [list(head) for head in self.heads],
            "entries": self.entries,
            "previous": self.previous,
            "key": self.key,
            "public": self.public,
            "signature": self.signature,
        }


def read_seal(told: Mapping[str, Any]) -> Seal:
    """Return the seal that a file or an entry holds. Raises ValueError, KeyError or TypeError for what is none."""
    at = read_stamp(told["at"])
    if told["format"] != FORMAT or at is None or not isinstance(told["number"], int):
        raise ValueError("this is no seal of this version")
    bytes.fromhex(told["public"])
    bytes.fromhex(told["signature"])
    seal = Seal(
        number=told["number"],
        at=at,
        reason=SealReason(told["reason"]),
        workspace=str(told["workspace"]),
        heads=tuple((int(chain), int(position), str(end)) for chain, position, end in told["heads"]),
        entries=int(told["entries"]),
        previous=str(told["previous"]),
        key=str(told["key"]),
        public=told["public"],
        signature=told["signature"],
        about=told["about"],
    )
    if seal.as_json() != dict(told):
        raise ValueError("this seal says more than a seal does")
    return seal


def grouped(digits: str) -> str:
    """Return hexadecimal digits in groups of four."""
    return " ".join(digits[at : at + 4] for at in range(0, len(digits), 4))


def key_words(public: str) -> str:
    """Return what tells a public key on paper: the first 64 bits of its SHA-256, in groups."""
    return grouped(hashlib.sha256(bytes.fromhex(public)).hexdigest()[:16])
