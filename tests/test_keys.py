"""The keys of a ring: rotated, never mixed up, shown to nobody, and what is hashed and sealed by them."""

import pickle
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.errors import SettingsError
from dispatcher.keys import KEY_IDS, Key, KeyKind, KeyRing
from tests.key_rings import SECRET, full_ring, hash_keys


def test_a_new_ring_has_one_key_of_every_kind() -> None:
    """32 random bytes, and an Ed25519 seal; no two rings share any."""
    ring = full_ring()
    assert [("1",)] * len(KeyKind) == [tuple(key.id for key in ring.all(kind)) for kind in KeyKind]
    assert {32} == {len(ring.current(kind).secret) for kind in (KeyKind.HASH, KeyKind.TOKEN, KeyKind.JOURNAL)}
    seal = ed25519.Ed25519PrivateKey.from_private_bytes(ring.current(KeyKind.SEAL).secret)
    assert 32 == len(seal.public_key().public_bytes_raw())
    assert len(KeyKind) == len({ring.current(kind).secret for kind in KeyKind})
    assert ring.current(KeyKind.HASH).secret != KeyRing({}).with_new(KeyKind.HASH).current(KeyKind.HASH).secret


def test_a_rotation_keeps_what_the_old_key_made_findable() -> None:
    """L-35: a suppression hashed last year is found under the new key's reign, the newest hash first."""
    old = hash_keys("1")
    kept = old.hashed("address", "anna@posti.example")
    new = old.with_new(KeyKind.HASH)
    assert ("2", "1") == (new.current(KeyKind.HASH).id, kept.key_id)
    assert (new.hashed("address", "anna@posti.example"), kept) == new.every_hash("address", "anna@posti.example")
    assert kept != new.hashed("address", "anna@posti.example")
    assert (kept,) == old.every_hash("address", "anna@posti.example")


def test_a_rotation_keeps_everything_else() -> None:
    """Other keys and the credentials stay; the ring that was rotated stays as it was."""
    ring = full_ring()
    new = ring.with_new(KeyKind.TOKEN)
    assert ring.credentials == new.credentials
    assert all(ring.all(kind) == new.all(kind) for kind in KeyKind if kind is not KeyKind.TOKEN)
    assert ring.all(KeyKind.TOKEN) == new.all(KeyKind.TOKEN)[:1]
    assert ("1",) == tuple(key.id for key in ring.all(KeyKind.TOKEN))


def test_an_id_is_never_given_twice() -> None:
    """A ring from which somebody took a key goes on after its last id, so that no old hash meets a new key."""
    assert "4" == hash_keys("1", "3").with_new(KeyKind.HASH).current(KeyKind.HASH).id
    assert "5" == hash_keys("4").with_new(KeyKind.HASH).current(KeyKind.HASH).id


def test_ids_run_out_with_an_error() -> None:
    """After the last id there is no other, and the ring says so."""
    ring = hash_keys(*KEY_IDS)
    assert KEY_IDS[-1] == ring.current(KeyKind.HASH).id
    with pytest.raises(SettingsError, match="31 hash keys already"):
        ring.with_new(KeyKind.HASH)


def test_a_kind_without_a_key_says_how_to_make_one() -> None:
    """Nothing is hashed or signed with a key that is not there."""
    with pytest.raises(SettingsError, match=r"There is no hash key: run `dispatcher keys create`\."):
        KeyRing({}).hashed("address", "anna@posti.example")
    assert None is KeyRing({}).find(KeyKind.TOKEN, "1")


@given(st.text(max_size=20), st.text(max_size=20), st.text(max_size=20), st.text(max_size=20))
def test_hashes_of_different_things_differ(label: str, value: str, label2: str, value2: str) -> None:
    """L-35: the label keeps kinds apart, and no part of a value can slip into it."""
    ring = hash_keys("1")
    same = (label, value) == (label2, value2)
    assert same is (ring.hashed(label, value) == ring.hashed(label2, value2))


def test_a_hash_is_keyed() -> None:
    """L-35: the same number under another secret is another hash, so that a table of all numbers finds nothing."""
    one = KeyRing({KeyKind.HASH: (Key(KeyKind.HASH, "1", b"a" * 32),)}).hashed("address", "+358401234567")
    other = KeyRing({KeyKind.HASH: (Key(KeyKind.HASH, "1", b"b" * 32),)}).hashed("address", "+358401234567")
    assert (64, one.key_id) == (len(one.digest), other.key_id)
    assert one.digest != other.digest


@pytest.mark.parametrize("show", [repr, str, ascii])
def test_printing_shows_no_secret(show: Callable[[object], str]) -> None:
    """L-46: neither a key, a ring, nor an error that quotes one has a secret in it."""
    ring = full_ring()
    things = [ring, *(key for kind in KeyKind for key in ring.all(kind)), [ring.current(KeyKind.HASH)]]
    shown = "\n".join(show(thing) for thing in things)
    for kind in KeyKind:
        secret = ring.current(kind).secret
        assert all(form not in shown for form in (repr(secret)[2:14], secret.hex()[:12]))
    assert "salasana" not in shown


def test_a_key_cannot_be_changed() -> None:
    """A key is a value; a copy of it is the same key."""
    key = Key(KeyKind.HASH, "1", SECRET)
    assert key == pickle.loads(pickle.dumps(key))  # noqa: S301 - our own bytes
    with pytest.raises(AttributeError):
        key.secret = b""  # type: ignore[misc] # that is the point


@given(text=st.text(), about=st.text(st.characters(exclude_categories=["Cs"])))
def test_what_is_sealed_opens_as_the_same_thing_only(text: str, about: str) -> None:
    """A sealed text opens under its own label and as what it is about, and nowhere else; two of one text differ."""
    ring = full_ring()
    sealed = ring.seal("text", text, about)
    assert ring.unseal("text", sealed, about) == text
    assert ring.unseal("other", sealed, about) is None
    assert ring.unseal("text", sealed, f"{about}.") is None
    assert sealed != ring.seal("text", text, about)


@given(cut=st.integers(0, 40), flipped=st.integers(0, 32))
def test_what_was_changed_does_not_open(cut: int, flipped: int) -> None:
    """A sealed text of which a byte is missing or altered opens no more, and raises nothing."""
    sealed = full_ring().seal("text", "salaisuus", "1:SM1")
    altered = bytearray(sealed)
    altered[flipped % len(altered)] ^= 1
    assert full_ring().unseal("text", sealed[:cut], "1:SM1") is None or cut >= len(sealed)
    assert full_ring().unseal("text", bytes(altered), "1:SM1") is None


def test_a_sealed_text_outlives_a_new_key() -> None:
    """After a rotation what the old key sealed is read still; without that key it is lost."""
    old = hash_keys("1")
    sealed = old.seal("text", "Milloin olette auki?", "1:SM1")
    both = old.with_new(KeyKind.HASH)
    assert both.unseal("text", sealed, "1:SM1") == "Milloin olette auki?"
    assert hash_keys("2").unseal("text", sealed, "1:SM1") is None
