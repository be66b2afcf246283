"""What can have been done to a ledger, and which of it a broken place looks like."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from dispatcher.rules.destroyed import Stub
from dispatcher.rules.ledger import Json, StoredEntry, StoredGroup
from dispatcher.rules.sayings import say

COMPARED_AT_MOST = 200
"""How many broken entries are compared with each other: beyond that, nobody asks which two changed places."""


class Damage(StrEnum):
    """What can have been done to a ledger."""

    ALTERED_ENTRY = "altered_entry"
    MISSING_ENTRY = "missing_entry"
    EXTRA_ENTRY = "extra_entry"
    ALTERED_GROUP = "altered_group"
    MISSING_GROUP = "missing_group"
    REORDERED = "reordered"
    HEAD = "head_does_not_match"


@dataclass(frozen=True, slots=True)
class Break:
    """A place where the ledger does not hold; `chain` is None for what stands in no chain."""

    damage: Damage
    chain: int | None
    position: int
    sentence: str
    group: int | None = None
    entry: int | None = None

    def as_json(self) -> dict[str, Json]:
        """Return the place with stable keys."""
        return {
            "damage": self.damage.value,
            "chain": self.chain,
            "position": self.position,
            "group": self.group,
            "entry": self.entry,
            "sentence": self.sentence,
        }


@dataclass(frozen=True, slots=True)
class Verification:
    """What was read, and the first broken place of each chain; `places` is how many are broken in all.

    `decided` is how many messages were decided again from the ledger, `contradictions` what does not follow from it or
    is told otherwise elsewhere, a sentence each; `remarks` what a reader should know.
    """

    entries: int
    groups: int
    breaks: tuple[Break, ...] = ()
    places: int = 0
    decided: int = 0
    contradictions: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Say whether nobody has touched the ledger, and nothing contradicts it."""
        return not self.places and not self.contradictions

    @property
    def findings(self) -> tuple[str, ...]:
        """Return one sentence a chain, one on how many more places there are, and the contradictions."""
        more = self.places - len(self.breaks)
        broken = (*(each.sentence for each in self.breaks), *([say("places_more", count=more)] if more else []))
        return (*broken, *self.contradictions)

    def as_json(self) -> dict[str, Json]:
        """Return everything with stable keys."""
        return {
            "ok": self.ok,
            "entries": self.entries,
            "groups": self.groups,
            "broken_places": self.places,
            "decided_again": self.decided,
            "remarks": list(self.remarks),
            "breaks": [each.as_json() for each in self.breaks],
            "findings": list(self.findings),
        }


def extra_entry(group: StoredGroup, own: Sequence[StoredEntry | Stub], bad: Sequence[StoredEntry | Stub]) -> int | None:
    """Return the one entry without which the group holds, or the one whose digest is wrong."""
    if len(own) == group.entries + 1 and len(own) <= 4 * COMPARED_AT_MOST:
        for entry in own:
            if group.hash == group.expected_hash(other.digest for other in own if other is not entry):
                return entry.id
    return bad[0].id if len(bad) == 1 else None


def entry_in_place(number: int | None, altered: Sequence[StoredEntry]) -> int | None:
    """Return the altered entry whose place this one has taken, number, group or both."""
    own = next((entry for entry in altered if entry.id == number), None)
    for other in altered if own else ():
        if own is None or other is own:
            continue
        for group in (other.group, own.group):
            if replace(own, id=other.id, group=group).expected_digest() in {own.digest, other.digest}:
                return other.id
    return None


def group_in_place(number: int | None, refuted: Sequence[tuple[StoredGroup, list[str]]]) -> int | None:
    """Return the group whose place in its chain this one has taken."""
    own = next((each for each in refuted if each[0].id == number), None)
    for other, _ in refuted if own else ():
        if own is None or other.id == number:
            continue
        moved = replace(own[0], chain=other.chain, position=other.position)
        for previous in (moved.previous, other.previous):
            if replace(moved, previous=previous).expected_hash(own[1]) == moved.hash:
                return other.id
    return None
