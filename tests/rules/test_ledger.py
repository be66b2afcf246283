"""How entries are written and chained: one text for one fact, and a digest that no change of it survives."""

import json
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.rules.actor import Actor, ActorKind, Role, duty
from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import Answer, Place, Reply
from dispatcher.rules.ledger import (
    GENESIS,
    Entry,
    EntryKind,
    Json,
    StoredEntry,
    StoredGroup,
    answer_entry,
    answer_in,
    canonical,
    digest,
    entry_digest,
    read_answer,
    read_stamp,
    stamp,
)

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
STAFF = Actor(ActorKind.PERSON, "2")
ENTRY = StoredEntry(
    id=7,
    group=3,
    kind="answer",
    at=NOW,
    actor="person:2",
    client=281_474_976_710_655,
    campaign=4,
    channel="email",
    body='{"reply":"granted"}',
    digest="",
)
GROUP = StoredGroup(id=3, chain=1, position=2, committed_at=NOW, entries=2, previous=GENESIS, hash="")
ENTRY_DIGEST = "d047757e690ec6543656decb8745e243cec69ad3c4a21c70fcc371ac7671436b"
GROUP_HASH = "a5ed9a81c17dc66a6213873fdd0e2696afa11398c82939a40d71f89245ddfe05"

_instants = st.datetimes(timezones=st.just(UTC))
_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def _backwards(value: Any) -> Any:
    """Return the same value with the keys of every mapping in it the other way round."""
    if isinstance(value, dict):
        return {key: _backwards(value[key]) for key in reversed(value)}
    return [_backwards(item) for item in value] if isinstance(value, list) else value


@given(st.dictionaries(st.text(), _values, max_size=6))
def test_the_order_of_keys_never_matters(body: dict[str, Json]) -> None:
    """D-03: one mapping has one text, however it was put together."""
    assert canonical(body) == canonical(_backwards(body))
    assert digest([body]) == digest([_backwards(body)])


@given(_values)
def test_a_canonical_text_is_plain_and_reads_back(value: Json) -> None:
    """D-03: ASCII on one line, and nothing of the value is lost."""
    text = canonical(value)
    assert text.isascii()
    assert "\n" not in text
    assert value == json.loads(text)


@given(_values, _values)
def test_unlike_values_have_unlike_texts(first: Json, second: Json) -> None:
    """D-03: no two different values share a text, so none can stand in for another."""
    same = json.dumps(first, sort_keys=True) == json.dumps(second, sort_keys=True)
    assert same is (canonical(first) == canonical(second))


@given(_values | st.dictionaries(st.text(), _values, max_size=6) | st.sampled_from([*Channel, *Reply]))
def test_the_text_put_together_here_is_the_encoders(value: Json) -> None:
    """D-03: whatever the value, the text is the one that the first release took from the JSON encoder, to the byte."""
    assert json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True) == canonical(value)


@given(
    kind=st.sampled_from(EntryKind),
    actor=st.builds(Actor, st.sampled_from(ActorKind), st.text(max_size=8)),
    client=st.none() | st.integers(0, 2**48),
    campaign=st.none() | st.integers(0, 2**48),
    channel=st.none() | st.sampled_from(Channel),
    body=st.dictionaries(st.text(), _values, max_size=4),
    at=_instants,
)
def test_the_digest_written_is_the_digest_that_is_asked_for(
    kind: EntryKind,
    actor: Actor,
    client: int | None,
    campaign: int | None,
    channel: Channel | None,
    body: dict[str, Json],
    at: datetime,
) -> None:
    """D-03: writing digests an entry by a shorter way than the audit, and both come to the same."""
    entry = Entry(kind, actor, client=client, campaign=campaign, channel=channel, body=body)
    by = channel.value if channel else None
    text = canonical(body)
    read = StoredEntry(7, 3, kind.value, at, str(actor), client, campaign, by, text, "")
    assert read.expected_digest() == entry_digest(entry, 7, 3, stamp(at), str(entry.actor), text)


def test_the_canonical_text_is_what_it_always_was() -> None:
    """D-03: a ledger of an earlier release must still add up, so text and digests are held here to the letter."""
    assert '{"a":[1,null,true],"\\u00e4":"\\u20ac"}' == canonical({"ä": "€", "a": [1, None, True]})
    assert "4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945" == digest([])
    assert ENTRY_DIGEST == ENTRY.expected_digest()
    assert GROUP_HASH == GROUP.expected_hash(["a" * 64, "b" * 64])


_CHANGES: dict[str, object] = {
    "id": 8,
    "group": 4,
    "kind": "send",
    "at": NOW + timedelta(microseconds=1),
    "actor": "person:22",
    "client": None,
    "campaign": 44,
    "channel": "sms",
    "body": '{"reply":"declined"}',
}


@pytest.mark.parametrize("name", _CHANGES)
def test_the_digest_of_an_entry_covers_every_field(name: str) -> None:
    """D-03: whichever field of an entry is altered, its digest no longer fits."""
    changed = replace(ENTRY, **{name: _CHANGES[name]})  # type: ignore[arg-type] # the field's own type, by name
    assert changed.expected_digest() != ENTRY.expected_digest()


def test_no_field_of_an_entry_is_left_out_of_the_table() -> None:
    """Only the digest itself is not part of what is digested."""
    assert {*_CHANGES, "digest"} == {field.name for field in fields(StoredEntry)}
    assert ENTRY.expected_digest() == replace(ENTRY, digest="f" * 64).expected_digest()


def test_values_cannot_move_from_one_field_to_the_next() -> None:
    """D-03: a client's number is not a campaign's, though the two stand side by side."""
    first, second = replace(ENTRY, client=4, campaign=None), replace(ENTRY, client=None, campaign=4)
    assert first.expected_digest() != second.expected_digest()


_GROUP_CHANGES: dict[str, object] = {
    "id": 4,
    "chain": 2,
    "position": 3,
    "committed_at": NOW - timedelta(microseconds=1),
    "entries": 3,
    "previous": "1" * 64,
}


@pytest.mark.parametrize("name", _GROUP_CHANGES)
def test_the_hash_of_a_group_covers_every_field(name: str) -> None:
    """D-03: a group that is renumbered, retimed, moved or joined elsewhere no longer fits."""
    changed = replace(GROUP, **{name: _GROUP_CHANGES[name]})  # type: ignore[arg-type] # the field's own type, by name
    assert changed.expected_hash(["a" * 64]) != GROUP.expected_hash(["a" * 64])


def test_no_field_of_a_group_is_left_out_of_the_table() -> None:
    """Only the hash itself is not part of what is hashed."""
    assert {*_GROUP_CHANGES, "hash"} == {field.name for field in fields(StoredGroup)}


@given(st.data())
def test_missing_altered_and_reordered_entries_change_the_group(data: st.DataObject) -> None:
    """D-03: the hash fits one list of digests, in one order, and no other."""
    hexadecimal = st.text(alphabet="0123456789abcdef", min_size=64, max_size=64)
    digests = data.draw(st.lists(hexadecimal, min_size=1, max_size=5, unique=True))
    shuffled = data.draw(st.permutations(digests))
    others = [digests[1:], [*digests, digests[0]], [*digests[:-1], "0" * 64], *([shuffled] * (shuffled != digests))]
    found = GROUP.expected_hash(digests)
    assert found not in {GROUP.expected_hash(other) for other in others if other != digests}
    assert found == GROUP.expected_hash(iter(digests))


@given(_instants)
def test_every_instant_reads_back_from_its_stamp(moment: datetime) -> None:
    """Any year a register export can hold, typing errors included, is written so that it can be read again."""
    assert moment == read_stamp(stamp(moment))


@given(_instants, _instants)
def test_stamps_stand_in_the_order_of_time(first: datetime, second: datetime) -> None:
    """All stamps are equally long, so that text order is time order."""
    assert (first < second) is (stamp(first) < stamp(second))
    assert len("2026-11-23T10:00:00.000000Z") == len(stamp(first))


def test_a_stamp_is_utc_wherever_it_was_taken() -> None:
    """Noon in Helsinki is ten o'clock in the ledger."""
    helsinki = timezone(timedelta(hours=2))
    assert "2026-11-23T10:00:00.000000Z" == stamp(datetime(2026, 11, 23, 12, tzinfo=helsinki))
    assert None is read_stamp(None)


_maybe_instants = st.none() | _instants
_all_answers = st.builds(
    Answer,
    entry=st.integers(1, 2**62),
    reply=st.sampled_from(Reply),
    channel=st.none() | st.sampled_from(Channel),
    not_before=_maybe_instants,
    not_after=_maybe_instants,
    recorded_at=_instants,
    place=st.none() | st.sampled_from(Place),
    wording=st.none() | st.text(min_size=1),
)


@given(_all_answers, st.integers(0, 2**48 - 1))
def test_an_answer_comes_back_from_its_entry_as_it_went_in(answer: Answer, client: int) -> None:
    """D-01: what the ledger keeps of an answer is the whole answer; its number and time are the ledger's own."""
    entry = answer_entry(answer, client, STAFF)
    assert (EntryKind.ANSWER, STAFF, client, None) == (entry.kind, entry.actor, entry.client, entry.campaign)
    body = json.loads(canonical(entry.body))
    channel = entry.channel.value if entry.channel else None
    assert answer == read_answer(answer.entry, answer.recorded_at, channel, body)
    assert answer == answer_in(answer.entry, answer.recorded_at, channel, canonical(body))


@given(_all_answers, st.dictionaries(st.sampled_from(["place", "day"]), st.text(max_size=9), min_size=1))
def test_the_booking_an_answer_was_given_at_changes_no_answer(answer: Answer, booking: dict[str, Json]) -> None:
    """D-01: the booking stands beside the answer, under a key of its own."""
    entry = answer_entry(answer, 5, STAFF, booking=booking)
    assert booking == entry.body["booking"]
    plain = answer_entry(answer, 5, STAFF).body
    assert plain == {name: value for name, value in entry.body.items() if name != "booking"}
    assert answer == read_answer(answer.entry, answer.recorded_at, entry.channel, entry.body)


def test_an_entry_gives_its_body_back() -> None:
    """The text of a body is what is digested; its values are read from that text alone."""
    assert {"reply": "granted"} == ENTRY.data()


def test_an_actor_is_written_by_kind_and_number() -> None:
    """No name stands in the ledger: a person is a kind and an account number, a duty its own word."""
    assert ["person:2", "client", "duty:retention"] == [
        str(a) for a in (STAFF, Actor(ActorKind.CLIENT), duty("retention"))
    ]
    assert {"owner", "staff", "auditor"} == set(Role)


def test_a_date_is_no_value_of_the_ledger() -> None:
    """What is not JSON is refused before it is written, not guessed at."""
    with pytest.raises(TypeError):
        canonical({"day": date(2026, 11, 23)})  # type: ignore[dict-item] # what the types forbid
