"""A year's bundle: one ZIP file that another program can check with no database (docs/bundle.md)."""

import json
from typing import Any

from dispatcher.rules.destroyed import Stub
from dispatcher.rules.ledger import Json, StoredEntry, StoredGroup, canonical, read_stamp, stamp

FORMAT = 1
MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
ENTRIES, GROUPS, HEADS = "ledger/entries.jsonl", "ledger/groups.jsonl", "ledger/heads.json"
STUBS = "ledger/destroyed.jsonl"
"""A member that is there where a year was destroyed."""
SEALS, KEYS, WORDINGS, PAGE = "seals.jsonl", "keys.json", "wordings.json", "audit.json"
FROZEN = "campaigns/"
README, SCHEMA = "README.txt", "bundle.schema.json"


def entry_line(entry: StoredEntry) -> str:
    """Return an entry as its line."""
    told: list[Json] = [
        entry.id,
        entry.group,
        entry.kind,
        stamp(entry.at),
        entry.actor,
        entry.client,
        entry.campaign,
        entry.channel,
        entry.body,
        entry.digest,
    ]
    return canonical(told)


def read_entry(line: str) -> StoredEntry:
    """Return the entry in a line. Raises ValueError or TypeError for what holds none."""
    told: list[Any] = json.loads(line)
    number, group, kind, at, actor, client, campaign, channel, body, digest = told
    moment = read_stamp(at)
    if moment is None:
        raise ValueError("an entry has its time")
    return StoredEntry(number, group, kind, moment, actor, client, campaign, channel, body, digest)


def stub_line(stub: Stub) -> str:
    """Return what stays of an entry that was destroyed as its line."""
    return canonical([stub.id, stub.group, stub.digest, stub.year])


def read_stub(line: str) -> Stub:
    """Return the stub in a line. Raises ValueError or TypeError for what holds none."""
    told: list[Any] = json.loads(line)
    number, group, digest, year = told
    return Stub(number, group, digest, year)


def group_line(group: StoredGroup) -> str:
    """Return a group as its line."""
    at = stamp(group.committed_at)
    return canonical([group.id, group.chain, group.position, at, group.entries, group.previous, group.hash])


def read_group(line: str) -> StoredGroup:
    """Return the group in a line. Raises ValueError or TypeError for what holds none."""
    told: list[Any] = json.loads(line)
    number, chain, position, at, entries, previous, whole = told
    moment = read_stamp(at)
    if moment is None:
        raise ValueError("a group has its time")
    return StoredGroup(number, chain, position, moment, entries, previous, whole)
