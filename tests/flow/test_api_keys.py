"""The keys of booking systems: shown once, known by a hash, worth nothing once revoked."""

import hashlib
from datetime import date, timedelta
from pathlib import Path

import pytest

from dispatcher.errors import NotFoundError, RefusedError
from dispatcher.flow.api_keys import ApiKeys
from dispatcher.flow.safekeeping import Safekeeping
from dispatcher.rules.actor import Actor, ActorKind, Role
from dispatcher.rules.ledger import EntryKind
from dispatcher.rules.scope import Scope
from dispatcher.storage import ledger, persons
from dispatcher.storage.store import Store
from tests.clock import FixedClock
from tests.stores import OWNER, POLICY, erasing

STAFF = Actor(ActorKind.PERSON, "2")


@pytest.fixture
def keys(store: Store) -> ApiKeys:
    """Give the keys of an installation in which an owner and somebody of the staff work."""
    for name, role in (("Aino", Role.OWNER), ("Sanna", Role.STAFF)):
        store.write(lambda t, name=name, role=role: persons.add(t.connection, name, role, t.now))  # type: ignore[misc]
    return ApiKeys(store, POLICY)


def entries(store: Store) -> list[dict[str, object]]:
    """Return what the ledger tells of keys."""
    with store.reading() as connection:
        return [dict(entry.data()) for entry in ledger.entries(connection, [EntryKind.API_KEY])]


def test_a_key_is_shown_once_and_kept_as_a_hash(store: Store, keys: ApiKeys) -> None:
    """Of 256 random bits only the SHA-256 is kept; the ledger knows the number and the scopes."""
    key, text = keys.create("  Ajan   varaus ", {Scope.VERDICT_READ, Scope.ANSWERS_WRITE}, OWNER)
    prefix, number, secret = text.split("_", 2)
    assert ("dsp", "1", 43) == (prefix, number, len(secret))
    assert hashlib.sha256(secret.encode()).hexdigest() == key.secret
    assert [key] == keys.listed()
    assert "Ajan varaus" == key.name
    told = {"event": "created", "key": 1, "scopes": ["answers:write", "verdict:read"]}
    assert [told] == entries(store)
    _, another = keys.create("Toinen", {Scope.VERDICT_READ}, OWNER)
    assert secret != another.split("_", 2)[2]


def test_a_key_is_known_by_its_whole_text(keys: ApiKeys) -> None:
    """A changed character, another's number or a cut text is no key."""
    key, text = keys.create("Ajanvaraus", set(Scope), OWNER)
    _, other = keys.create("Toinen", set(Scope), OWNER)
    found = keys.check(text)
    assert found is not None
    assert (key.id, frozenset(Scope)) == (found.id, found.scopes)
    last = "A" if text[-1] != "A" else "B"
    wrong = [
        text[:-1] + last,
        text[:-1],
        f"{text} ",
        f"dsp_2_{text[6:]}",
        f"dsp_9_{other[6:]}",
        "",
        "dsp_1_",
        f"x{text}",
    ]
    assert [None] * len(wrong) == [keys.check(each) for each in wrong]


def test_the_day_of_use_is_written_once_a_day(store: Store, keys: ApiKeys, clock: FixedClock) -> None:
    """The owner sees when a key was last used, by the local day, and a call costs no write of its own."""
    _, text = keys.create("Ajanvaraus", set(Scope), OWNER)
    assert [None] == [key.used_on for key in keys.listed()]
    for hours, day in ((0, 23), (11, 23), (3, 24)):  # it is noon, then eleven at night, then two in the morning
        clock.advance(timedelta(hours=hours))
        keys.check(text)
        assert [date(2026, 11, day)] == [key.used_on for key in keys.listed()]
    store.writer.close()
    assert keys.check(text) is not None


def test_a_revoked_key_is_no_key(store: Store, keys: ApiKeys) -> None:
    """Revoked is revoked at once and for good; a second time there is nothing to revoke."""
    _, text = keys.create("Ajanvaraus", set(Scope), OWNER)
    keys.revoke(1, OWNER)
    assert keys.check(text) is None
    assert {"event": "revoked", "key": 1} == entries(store)[-1]
    for number in (1, 2):
        with pytest.raises(NotFoundError, match="api-key list"):
            keys.revoke(number, OWNER)


def test_a_restore_brings_no_revoked_key_back(store: Store, keys: ApiKeys, tmp_path: Path) -> None:
    """A copy from before the revocation knows the key as working; the journal revokes it again, and no other."""
    _, revoked = keys.create("Ajanvaraus", set(Scope), OWNER)
    _, kept = keys.create("Toinen", set(Scope), OWNER)
    safekeeping = Safekeeping(store, erasing(store))
    safekeeping.backup(tmp_path / "copy")
    keys.revoke(1, OWNER)
    safekeeping.restore(tmp_path / "copy")
    safekeeping.replay(OWNER)
    assert keys.check(revoked) is None
    assert keys.check(kept) is not None
    assert {"event": "revoked", "key": 1} == entries(store)[-1]


def test_only_an_owner_gives_and_takes_keys(store: Store, keys: ApiKeys) -> None:
    """Somebody of the staff can do neither, and nothing is written."""
    with pytest.raises(RefusedError, match="Only an owner may give a booking system a key"):
        keys.create("Ajanvaraus", set(Scope), STAFF)
    keys.create("Ajanvaraus", set(Scope), OWNER)
    with pytest.raises(RefusedError, match="Only an owner may take a key back"):
        keys.revoke(1, STAFF)
    assert 1 == len(entries(store))


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "A\x00", "=1"])
def test_a_key_has_a_name(keys: ApiKeys, name: str) -> None:
    """The name tells keys apart in the list."""
    with pytest.raises(RefusedError):
        keys.create(name, set(Scope), OWNER)


def test_a_key_has_a_scope(keys: ApiKeys) -> None:
    """A key that opens nothing is refused with what there is to say."""
    with pytest.raises(RefusedError, match="--scope answers:write or --scope verdict:read"):
        keys.create("Ajanvaraus", set(), OWNER)
