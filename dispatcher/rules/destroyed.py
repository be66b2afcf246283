"""A closed year whose messages are destroyed: what of it goes, what stays in its place, and the entry that tells it.

Of each entry that goes a stub stays: its number, its group and its digest, so that the hash of its group still holds.
"""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import ClassVar

from dispatcher.rules.ledger import EntryKind, Json, StoredEntry
from dispatcher.rules.values import value

MESSAGES = frozenset(
    kind.value for kind in (EntryKind.PLANNED, EntryKind.WITHHELD, EntryKind.SEND, EntryKind.OUTCOME, EntryKind.LATER)
)
"""The kinds of entries that tell of a campaign's messages."""
GOING = MESSAGES | {EntryKind.SERVICE.value}
"""The kinds of entries that can go with a year: no other does, whatever stands beside it."""
LATE = frozenset({EntryKind.OUTCOME.value, EntryKind.LATER.value})
"""Those of them that a provider may still cause when the year is destroyed."""
OVER = frozenset({"finished", "cancelled", "lapsed"})
"""What an entry tells of a campaign after which nothing of it goes out any more."""


@value
class Stub:
    """What stays of an entry that was destroyed, or is about to be, with its `year`."""

    id: int
    group: int
    digest: str
    year: int
    kind: ClassVar[str] = "destroyed"

    def expected_digest(self) -> str:
        """Return its digest: nothing is left that it could be made of anew."""
        return self.digest


@value
class Destruction:
    """What an entry tells of a year that was destroyed at that instant.

    `seal` is the number of the seal under which it had been closed, `bundle` the hash of the bundle of that closing,
    `findings` how many it had. `entries` and `digest` are how many stubs there are and what `digest_of` makes of them,
    `campaigns` the numbers of those whose messages went. `kept` is how many closed years were to be kept.
    """

    entry: int
    group: int
    at: datetime
    year: int
    seal: int
    bundle: str
    findings: int
    campaigns: frozenset[int]
    entries: int
    digest: str
    kept: int

    def body(self) -> dict[str, Json]:
        """Return the body of its entry."""
        names = ("year", "seal", "bundle", "findings", "entries", "digest", "kept")
        return {**{name: getattr(self, name) for name in names}, "campaigns": sorted(self.campaigns)}


def read_destruction(entry: StoredEntry) -> Destruction:
    """Return what an entry of that kind tells. Raises ValueError, KeyError or TypeError for one that cannot be read."""
    body = entry.data()
    campaigns = body["campaigns"]
    if not isinstance(campaigns, Sequence) or isinstance(campaigns, str):
        raise TypeError
    return Destruction(
        entry=entry.id,
        group=entry.group,
        at=entry.at,
        year=_number(body["year"]),
        seal=_number(body["seal"]),
        bundle=str(body["bundle"]),
        findings=_number(body["findings"]),
        campaigns=frozenset(_number(each) for each in campaigns),
        entries=_number(body["entries"]),
        digest=str(body["digest"]),
        kept=_number(body["kept"]),
    )


def digest_of(stubs: Iterable[tuple[int, str]]) -> tuple[int, str]:
    """Return how many stubs these are and the SHA-256 over them: a line `NUMBER DIGEST` each, in order of number."""
    count, whole = 0, hashlib.sha256()
    for number, digest in stubs:
        count += 1
        whole.update(f"{number} {digest}\n".encode())
    return count, whole.hexdigest()


def last_to_go(today: date, kept: int) -> int:
    """Return the last year that is destroyed by this day: the running one stays, and so many closed ones before it."""
    return today.year - kept - 1


def _number(told: Json) -> int:
    if not isinstance(told, int) or isinstance(told, bool):
        raise TypeError
    return told
