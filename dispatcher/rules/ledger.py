"""What an entry of the ledger is, and how entries are chained: the same arithmetic when writing and when auditing.

An entry is digested whole. The entries of one commit make a group, and the group's hash covers the digests of its
entries and the hash of the group before it in its chain, so that a missing, altered or reordered entry shows (D-03).
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache

from dispatcher.rules.actor import Actor
from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import Answer, Place, Reply
from dispatcher.rules.values import value

Json = str | int | float | bool | None | Sequence["Json"] | Mapping[str, "Json"]

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True)
_quoted = json.encoder.encode_basestring_ascii
_read = json.JSONDecoder().raw_decode

GENESIS = "0" * 64
"""What the first group of a chain has before it."""


class EntryKind(StrEnum):
    """What an entry tells."""

    OPENED = "opened"
    """The installation began."""
    PERSON = "person"
    """A person was added or ended."""
    IMPORT = "import"
    """A register export was read; the body counts what it did."""
    CLIENT = "client"
    """A fact about a client that a verdict uses came into being or changed."""
    ADDRESS = "address"
    """An address was joined to a client, left one, or died; named by its number, never by itself."""
    ANSWER = "answer"
    """A reply to the marketing question; answers live here and nowhere else."""
    SLOT = "slot"
    """A slot of the year was taken, spent or returned."""
    CAMPAIGN = "campaign"
    """A campaign passed from one state of its life to the next."""
    PLANNED = "planned"
    """A message was put into the outbox."""
    WITHHELD = "withheld"
    """A client got no message of a campaign, and why."""
    TERMS = "terms"
    """What a campaign's file and the settings say of who may get it and when; each Send names the terms it went by."""
    SEND = "send"
    """The verdict Send with its intent: the answer and the facts it relied on."""
    OUTCOME = "outcome"
    """What became of a message."""
    LATER = "later"
    """What was learned of a message after its outcome: delivered or not, or that nobody will tell any more."""
    WORDING = "wording"
    """A question was added to the wordings, or taken out unused; the body names its hash, channels and version."""
    SOURCE = "source"
    """A person told how a register asks the question, or that it does so no longer."""
    NOTICE = "notice"
    """A version of the privacy notice was published; the body says what it covers."""
    REQUEST = "request"
    """A client made use of a right, or got an answer to it."""
    INCOMING = "incoming"
    """Something came in that a person has to read, or a person has settled it; the body names its class and channel."""
    DOOR = "door"
    """A door could not be read any more, so that nothing left meanwhile, or it could be read again."""
    BLOCK = "block"
    """A legal block was set on a client's data, or ended."""
    ERASED = "erased"
    """A client's data was removed: on request, for age, or because the register names them no longer."""
    DELETED = "deleted"
    """A provider confirmed that it has deleted a message of somebody who was erased."""
    SERVICE = "service"
    """A service message was asked for, handed over or withheld, and what became of it."""
    API_KEY = "api_key"
    """A booking system got a key to the API, or lost it."""
    SEAL = "seal"
    """A signature over the heads of all chains as they stood before this entry."""
    CLOSED = "closed"
    """A year was closed: verified, every message decided again, sealed and handed out."""
    DESTROYED = "destroyed"
    """A closed year had been kept for its time, and its messages go; the body names what stays in their place."""
    KEYS = "keys"
    """Keys were created or rotated."""
    RESTORE = "restore"
    """An older copy of the database was put in place, or the journal was replayed over it."""


@value
class Entry:
    """One fact to be kept: `client` is the random number, `campaign` its row; the body holds no free text."""

    kind: EntryKind
    actor: Actor
    client: int | None = None
    campaign: int | None = None
    channel: Channel | None = None
    body: Mapping[str, Json] = field(default_factory=dict)


@value
class StoredEntry:
    """An entry as it stands in the ledger: numbered, timed (aware UTC), in its group, its body as canonical JSON."""

    id: int
    group: int
    kind: str
    at: datetime
    actor: str
    client: int | None
    campaign: int | None
    channel: str | None
    body: str
    digest: str

    def data(self) -> dict[str, Json]:
        """Return the body as a mapping."""
        # As `json.loads` without looking for white space, which no body of the ledger has around it.
        found, end = _read(self.body)
        if end != len(self.body):
            raise ValueError
        return found  # type: ignore[no-any-return]

    def expected_digest(self) -> str:
        """Return the digest this entry must have if nobody has touched it."""
        # The JSON text that `canonical` makes of these values; put together here, an audit takes half the time.
        client = "null" if self.client is None else self.client
        campaign = "null" if self.campaign is None else self.campaign
        channel = "null" if self.channel is None else _quoted(self.channel)
        told = f'{_quoted(self.kind)},"{_stamped(self.at)}",{_quoted(self.actor)},{client},{campaign},{channel}'
        whole = f"[{self.id},{self.group},{told},{_quoted(self.body)}]"
        return hashlib.sha256(whole.encode("ascii")).hexdigest()


@value
class StoredGroup:
    """The entries of one commit as a link of a chain."""

    id: int
    chain: int
    position: int
    committed_at: datetime
    entries: int
    previous: str
    hash: str

    def expected_hash(self, digests: Iterable[str]) -> str:
        """Return the hash this group must have over the digests of its entries, in order."""
        whole = hashlib.sha256("".join(digests).encode("ascii")).hexdigest()
        return digest(
            [self.id, self.chain, self.position, stamp(self.committed_at), self.entries, self.previous, whole]
        )


def canonical(value: Json | Mapping[str, Json]) -> str:
    """Return the one JSON text of a value: sorted keys, no spaces, ASCII."""
    # What nearly every entry has is put together here in half the time; anything else is the encoder's.
    if type(value) is not dict:
        return _ENCODER.encode(value)
    parts = []
    for key in sorted(value):
        each = value[key]
        if type(each) is str:
            parts.append(f"{_quoted(key)}:{_quoted(each)}")
        elif type(each) is int:
            parts.append(f"{_quoted(key)}:{each}")
        else:
            parts.append(f"{_quoted(key)}:{canonical(each)}")
    return f"{{{','.join(parts)}}}"


def digest(parts: list[Json]) -> str:
    """Return the SHA-256 of these values in hexadecimal."""
    return hashlib.sha256(canonical(parts).encode("ascii")).hexdigest()


def entry_digest(entry: Entry, number: int, group: int, at: str, actor: str, body: str) -> str:
    """Return the digest of an entry that is being written: what `StoredEntry.expected_digest` will ask for.

    `at` is the `stamp` of its instant, `actor` the word for its actor, and `body` the canonical JSON of its body.
    """
    client = "null" if entry.client is None else entry.client
    campaign = "null" if entry.campaign is None else entry.campaign
    channel = "null" if entry.channel is None else _quoted(entry.channel)
    about = f'{_quoted(entry.kind)},"{at}",{_quoted(actor)},{client},{campaign},{channel}'
    return hashlib.sha256(f"[{number},{group},{about},{_quoted(body)}]".encode("ascii")).hexdigest()


def stamp(moment: datetime) -> str:
    """Return an instant as the ledger writes it: UTC, a year of four digits, microseconds, a closing Z."""
    # strftime would write the year 999 in three digits, and no such entry could be read again.
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


@lru_cache(maxsize=256)
def _stamped(moment: datetime) -> str:
    """Return the stamp of an instant that the entries of a whole commit share."""
    return stamp(moment)


def read_stamp(text: Json) -> datetime | None:
    """Return the instant `stamp` wrote, or None for None."""
    return datetime.fromisoformat(str(text)) if text is not None else None


def answer_entry(answer: Answer, client: int, actor: Actor, *, booking: Mapping[str, Json] | None = None) -> Entry:
    """Return the entry of an answer; its number and recorded time are the ledger's to give."""
    body: dict[str, Json] = {
        "reply": answer.reply.value,
        "not_before": stamp(answer.not_before) if answer.not_before else None,
        "not_after": stamp(answer.not_after) if answer.not_after else None,
        "place": answer.place.value if answer.place else None,
        "wording": answer.wording,
    }
    # Only what differs from the usual is written, so that entries of earlier versions read the same.
    if not answer.sound:
        body["sound"] = False
    if answer.source is not None:
        body["source"] = answer.source
    if booking:
        body["booking"] = dict(booking)
    return Entry(EntryKind.ANSWER, actor, client=client, channel=answer.channel, body=body)


def answer_in(entry_id: int, at: datetime, channel: str | None, body: str) -> Answer:
    """Return the answer that an entry of that kind holds, its body as text: what many have said alike is read once."""
    said = _said(body)
    by = Channel(channel) if channel else None
    return Answer(
        entry_id, said.reply, by, said.not_before, said.not_after, at, said.place, said.wording, said.sound, said.source
    )


@lru_cache(maxsize=4096)
def _said(body: str) -> Answer:
    return read_answer(0, datetime(1, 1, 1, tzinfo=UTC), None, json.loads(body))


def read_answer(entry_id: int, at: datetime, channel: str | None, body: Mapping[str, Json]) -> Answer:
    """Return the answer that an entry of that kind holds."""
    place, wording, source = body["place"], body["wording"], body.get("source")
    return Answer(
        entry=entry_id,
        reply=Reply(str(body["reply"])),
        channel=Channel(channel) if channel else None,
        not_before=read_stamp(body["not_before"]),
        not_after=read_stamp(body["not_after"]),
        recorded_at=at,
        place=Place(str(place)) if place else None,
        wording=str(wording) if wording else None,
        sound=body.get("sound") is not False,
        source=source if isinstance(source, int) else None,
    )
