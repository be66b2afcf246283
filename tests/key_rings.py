"""Rings of keys as their tests need them: one of every kind, and one of hash keys by their ids."""

from functools import cache

from dispatcher.keys import Key, KeyKind, KeyRing, new_ring

SECRET = b"s" * 32


@cache
def full_ring() -> KeyRing:
    """Return a ring with a key of every kind and two credentials, made once: RSA keys take their time."""
    return KeyRing(
        {kind: new_ring().all(kind) for kind in KeyKind}, {"smtp_password": "salasana", "twilio_token": "a=b"}
    )


def hash_keys(*ids: str) -> KeyRing:
    """Return a ring of hash keys with these ids, and no other key."""
    return KeyRing({KeyKind.HASH: tuple(Key(KeyKind.HASH, key, key.encode() * 32) for key in ids)})
