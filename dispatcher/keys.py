"""The installation's secret keys: made here, kept in one file of mode 0600, used by name.

Every hash, token and signature stores the id of the key behind it, so that a key can be rotated while what the old one
made stays readable.
"""

import base64
import hashlib
import hmac
import json
import os
import secrets
import stat
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from dispatcher.errors import SettingsError

KEY_IDS = "123456789abcdefghijklmnopqrstuv"
"""The ids keys get, in order: one character each, so that they fit a token (5 bits of base32)."""


_NONCE = 12
"""Bytes of the number that no two sealed texts share (AES-GCM)."""


class KeyKind(StrEnum):
    """What a key is for."""

    HASH = "hash"
    """Keyed hashes of addresses and customer numbers (L-35)."""
    TOKEN = "token"  # noqa: S105 - the name of a kind, not a secret
    """The links in messages (E-05)."""
    JOURNAL = "journal"
    """The chain of the journal; it is never shared with the database's keys."""
    SEAL = "seal"
    """Ed25519 signatures over the ledger."""


_SECRET_KINDS = frozenset({KeyKind.HASH, KeyKind.TOKEN, KeyKind.JOURNAL})


@dataclass(frozen=True, slots=True)
class Key:
    """One key: what it is for, its id among its kind, and its secret. Printing it never shows the secret."""

    kind: KeyKind
    id: str
    secret: bytes

    def __repr__(self) -> str:
        return f"Key({self.kind.value}, {self.id!r}, …)"

    def mac(self, *parts: bytes) -> bytes:
        """Return the 32-byte HMAC-SHA-256 over these parts, each with its length before it so that none can shift."""
        message = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
        return hmac.digest(self.secret, message, hashlib.sha256)


def public_of(key: Key) -> str:
    """Return the public half of a seal key, 32 bytes in hex."""
    return ed25519.Ed25519PrivateKey.from_private_bytes(key.secret).public_key().public_bytes_raw().hex()


def signed(key: Key, content: bytes) -> str:
    """Return the Ed25519 signature of a seal key over these bytes (RFC 8032), in hex."""
    return ed25519.Ed25519PrivateKey.from_private_bytes(key.secret).sign(content).hex()


def is_signed_by(public: str, signature: str, content: bytes) -> bool:
    """Say whether a signature, in hex, is that of this public key over these bytes."""
    try:
        ed25519.Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)).verify(bytes.fromhex(signature), content)
    except (InvalidSignature, ValueError):
        return False
    return True


@dataclass(frozen=True, slots=True)
class KeyedHash:
    """A keyed hash and the id of the key that made it."""

    key_id: str
    digest: str


class KeyRing:
    """The keys of one installation, the last of each kind being the current one.

    `credentials` are the passwords for other people's servers that share the file; printing the ring shows none.
    """

    def __init__(
        self, keys: Mapping[KeyKind, tuple[Key, ...]], credentials: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        self._keys = {kind: tuple(keys.get(kind, ())) for kind in KeyKind}
        self.credentials = MappingProxyType(dict(credentials))

    def current(self, kind: KeyKind) -> Key:
        """Return the key that makes new things of this kind. Raises SettingsError where there is none."""
        if not self._keys[kind]:
            raise SettingsError(f"There is no {kind.value} key: run `dispatcher keys create`.")
        return self._keys[kind][-1]

    def find(self, kind: KeyKind, key_id: str) -> Key | None:
        """Return the key of this kind with this id, or None."""
        return next((key for key in self._keys[kind] if key.id == key_id), None)

    def all(self, kind: KeyKind) -> tuple[Key, ...]:
        """Return every key of this kind, oldest first."""
        return self._keys[kind]

    def hashed(self, label: str, value: str) -> KeyedHash:
        """Return the keyed hash of a value under the current key; the label keeps hashes of different things apart."""
        return _hashed(self.current(KeyKind.HASH), label, value)

    def every_hash(self, label: str, value: str) -> tuple[KeyedHash, ...]:
        """Return the hash under each known key, newest first: what a look-up must compare after a rotation."""
        return tuple(_hashed(key, label, value) for key in reversed(self._keys[KeyKind.HASH]))

    def seal(self, label: str, text: str, about: str) -> bytes:
        """Return a text encrypted by AES-256-GCM; it opens only under the same label and as what it is about."""
        key, nonce = self.current(KeyKind.HASH), secrets.token_bytes(_NONCE)
        return (
            key.id.encode() + nonce + _cipher(key, label).encrypt(nonce, text.encode(errors="replace"), about.encode())
        )

    def unseal(self, label: str, sealed: bytes, about: str) -> str | None:
        """Return a text that `seal` encrypted, or None where its key is not here or it was made of something else."""
        key = self.find(KeyKind.HASH, sealed[:1].decode("latin-1"))
        nonce, rest = sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :]
        if key is None or len(nonce) < _NONCE:
            return None
        try:
            return _cipher(key, label).decrypt(nonce, rest, about.encode()).decode()
        except InvalidTag:
            return None

    def with_new(self, kind: KeyKind) -> "KeyRing":
        """Return a ring with one more key of this kind, which becomes the current one."""
        used = self._keys[kind]
        if used and used[-1].id == KEY_IDS[-1]:
            raise SettingsError(f"There are {len(used)} {kind.value} keys already; no id is left for another.")
        following = KEY_IDS.index(used[-1].id) + 1 if used else 0
        key = Key(kind, KEY_IDS[following], _new_secret(kind))
        return KeyRing({**self._keys, kind: (*used, key)}, self.credentials)


class LiveRing(KeyRing):
    """The keys of a secrets file, read anew where something asks for a key that came after they were read.

    A process that runs on while another rotates a key knows what the new one makes: no link is dead for a minute.
    Raises SettingsError, as `read_ring` does, where the file cannot be read at first.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._state = _state_of(path)
        ring = read_ring(path)
        super().__init__({kind: ring.all(kind) for kind in KeyKind}, ring.credentials)
        self._later = ring

    def find(self, kind: KeyKind, key_id: str) -> Key | None:
        """Return the key of this kind with this id, or None. A file that cannot be read any more adds none."""
        found = super().find(kind, key_id)
        if found is None and (state := _state_of(self._path)) != self._state:
            self._state = state
            # Only what finds is renewed: what makes goes on with the key it began with until it starts anew.
            with suppress(SettingsError):
                self._later = read_ring(self._path)
        return found or self._later.find(kind, key_id)


def _state_of(path: Path) -> tuple[int, ...]:
    try:
        found = path.stat()
    except OSError:
        return ()
    return (found.st_ino, found.st_size, found.st_mtime_ns)


def new_ring() -> KeyRing:
    """Return a ring with one new key of every kind."""
    ring = KeyRing({})
    for kind in KeyKind:
        ring = ring.with_new(kind)
    return ring


def read_ring(path: Path) -> KeyRing:
    """Read the secrets file.

    Raises SettingsError if it is missing, readable by others, or not in the form `dispatcher keys create` writes.
    """
    try:
        text = read_private(path, path.name)
    except UnicodeDecodeError:
        raise _damaged(path.name) from None
    except OSError as error:
        raise SettingsError(
            f"The secrets file {path.name} cannot be read ({error.strerror}): run `dispatcher keys create`."
        ) from None
    return parse_ring(text, path.name)


def read_private(path: Path, name: str) -> str:
    """Return the text of a file that its owner alone may read; `name` is what it is called in the error.

    Raises OSError or UnicodeDecodeError where it cannot be read, SettingsError where others may read it.
    """
    mode = stat.S_IMODE(path.stat().st_mode)
    text = path.read_text(encoding="utf-8")
    if mode & 0o077:
        raise SettingsError(f"Others may read {name} (mode {mode:04o}): run `chmod 600 {name}`.")
    return text


def parse_ring(text: str, name: str) -> KeyRing:
    """Return the ring a secrets text describes. Raises SettingsError naming what is wrong, never a secret."""
    try:
        found = tomllib.loads(text)
        credentials = {str(name): str(secret) for name, secret in found.get("credentials", {}).items()}
        return KeyRing({kind: _parse_kind(kind, found.get(kind.value, {})) for kind in KeyKind}, credentials)
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise _damaged(name) from None


def write_ring(path: Path, ring: KeyRing) -> None:
    """Write the secrets file whole or not at all, mode 0600 from its first byte on.

    Raises SettingsError if it cannot be written; what stood there before still does, and no half of a copy beside it.
    """
    content = _as_text(ring).encode()
    draft = path.with_name(f"{path.name}.new")
    try:
        draft.unlink(missing_ok=True)
        write_private(draft, content)
        draft.replace(path)
        _sync_directory(path.parent)
    except OSError as error:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise SettingsError(
            f"The secrets file {path.name} cannot be written ({error.strerror}): what it held before is still there."
        ) from None


def write_private(path: Path, content: bytes) -> None:
    """Make a new file of mode 0600 with this content, on disk when it returns. Raises OSError."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_directory(path: Path) -> None:
    directory = os.open(path, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _damaged(name: str) -> SettingsError:
    return SettingsError(
        f"{name} is damaged: restore the copy that `dispatcher keys backup` made. Nothing was changed."
    )


def _cipher(key: Key, label: str) -> AESGCM:
    """Return a cipher whose key is made of this one and of nothing else of its kind."""
    return AESGCM(key.mac(b"seal", label.encode()))


def _hashed(key: Key, label: str, value: str) -> KeyedHash:
    return KeyedHash(key.id, key.mac(label.encode(), value.encode()).hex())


def _new_secret(kind: KeyKind) -> bytes:
    if kind is KeyKind.SEAL:
        return ed25519.Ed25519PrivateKey.generate().private_bytes_raw()
    return secrets.token_bytes(32)


def _parse_kind(kind: KeyKind, table: Mapping[str, str]) -> tuple[Key, ...]:
    keys = []
    for key_id, text in table.items():
        secret = base64.b64decode(text, validate=True)
        if len(key_id) != 1 or key_id not in KEY_IDS or (kind in _SECRET_KINDS and len(secret) != 32):
            raise ValueError(kind.value)
        if kind is KeyKind.SEAL:
            ed25519.Ed25519PrivateKey.from_private_bytes(secret)
        keys.append(Key(kind, key_id, secret))
    return tuple(sorted(keys, key=lambda key: KEY_IDS.index(key.id)))


def _as_text(ring: KeyRing) -> str:
    lines = [
        "# The keys of this installation. Keep a copy apart from the database (`dispatcher keys backup FILE`).",
        "",
    ]
    for kind in KeyKind:
        lines.append(f"[{kind.value}]")
        lines += [f"{_quoted(key.id)} = {_quoted(base64.b64encode(key.secret).decode())}" for key in ring.all(kind)]
        lines.append("")
    lines.append("[credentials]")
    lines += [f"{_quoted(name)} = {_quoted(secret)}" for name, secret in ring.credentials.items()]
    lines.append("")
    return "\n".join(lines)


def _quoted(text: str) -> str:
    """Return a text as TOML writes it: JSON's quoting, but without pairs of surrogates and with DEL escaped."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007F")
