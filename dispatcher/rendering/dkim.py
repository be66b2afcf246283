"""DKIM signatures over finished emails: rsa-sha256, and ed25519-sha256 beside it (RFC 6376, RFC 8301, RFC 8463).

Relaxed over headers and body. What is signed is what is handed over: an email that is not CRLF and 7-bit, or that has a
header twice, is refused and never mended, since the receiver would not see the mended one.
"""

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from dispatcher.errors import RenderingError, SettingsError
from dispatcher.rules.message import Email
from dispatcher.rules.signing import ADVISED_BITS

LEAST_BITS, MOST_BITS = 1024, 4096
"""The sizes of RSA keys that every receiver takes (RFC 8301, section 3.2)."""
SIGNED = (
    b"from",
    b"to",
    b"subject",
    b"date",
    b"message-id",
    b"mime-version",
    b"content-type",
    b"content-transfer-encoding",
    b"reply-to",
    b"list-id",
    b"list-unsubscribe",
    b"list-unsubscribe-post",
)
"""Named in every signature, there or not: where one is not there, nobody can add it (E-42)."""
SIGNED_WHERE_PRESENT = (b"feedback-id", b"precedence", b"auto-submitted")
OVERSIGNED = (b"from", b"subject", b"to", b"list-unsubscribe", b"list-unsubscribe-post")
"""Named once more than they are there, so that a second one breaks the signature (RFC 6376, section 8.15)."""

_KNOWN = frozenset({*SIGNED, *SIGNED_WHERE_PRESENT})
_LINE = 76
_FIELD_END = re.compile(rb"\r\n(?![ \t])")


class Algorithm(StrEnum):
    """How an email is signed; Ed25519 only beside RSA, which every receiver can verify (E-41)."""

    RSA = "rsa-sha256"
    ED25519 = "ed25519-sha256"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key and the selector under which receivers find its other half; printing it never shows the key."""

    selector: str
    private: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey = field(repr=False)

    @classmethod
    def from_pem(cls, selector: str, pem: str) -> "SigningKey":
        """Read a key. Raises SettingsError, never with the key in it, for what cannot sign mail (E-41)."""
        try:
            private = load_pem_private_key(pem.encode(), None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise SettingsError("it is no private key in PEM form without a password") from None
        if isinstance(private, ed25519.Ed25519PrivateKey):
            return cls(selector, private)
        if not isinstance(private, rsa.RSAPrivateKey):
            raise SettingsError("mail is signed by RSA or Ed25519 keys, and it is neither")
        if not LEAST_BITS <= private.key_size <= MOST_BITS:
            raise SettingsError(
                f"it has {private.key_size} bits, and receivers take RSA keys of {LEAST_BITS} to {MOST_BITS}"
            )
        return cls(selector, private)

    @property
    def algorithm(self) -> Algorithm:
        """Return what the key signs by."""
        return Algorithm.RSA if isinstance(self.private, rsa.RSAPrivateKey) else Algorithm.ED25519

    @property
    def bits(self) -> int:
        """Return the size of the key."""
        return self.private.key_size if isinstance(self.private, rsa.RSAPrivateKey) else 256

    @property
    def record(self) -> str:
        """Return the TXT record to publish under the selector (RFC 6376, section 3.6.1; RFC 8463, section 4.2)."""
        if isinstance(self.private, rsa.RSAPrivateKey):
            public = self.private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            return f"v=DKIM1; k=rsa; p={base64.b64encode(public).decode()}"
        public = self.private.public_key().public_bytes_raw()
        return f"v=DKIM1; k=ed25519; p={base64.b64encode(public).decode()}"

    def sign(self, content: bytes) -> bytes:
        """Return the signature of these bytes; Ed25519 signs their SHA-256 (RFC 8463, section 3)."""
        if isinstance(self.private, rsa.RSAPrivateKey):
            return self.private.sign(content, padding.PKCS1v15(), hashes.SHA256())
        return self.private.sign(hashlib.sha256(content).digest())


def new_key(algorithm: Algorithm) -> str:
    """Return a new private key in PEM form: RSA of 2048 bits, or Ed25519."""
    private: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
    if algorithm is Algorithm.RSA:
        private = rsa.generate_private_key(public_exponent=65537, key_size=ADVISED_BITS)
    else:
        private = ed25519.Ed25519PrivateKey.generate()
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


class Signer:
    """Signs the emails of one domain by each of its keys; the first key's signature stands on top."""

    def __init__(self, domain: str, keys: Sequence[SigningKey]) -> None:
        self._keys = [
            (key, f"DKIM-Signature: v=1; a={key.algorithm}; c=relaxed/relaxed;\r\n d={domain}; s={key.selector};\r\n")
            for key in keys
        ]
        self._names: dict[tuple[bytes, ...], str] = {}

    def sign(self, content: bytes, at: datetime) -> bytes:
        """Return an email with its signatures on top; `at` is when it is signed.

        Raises RenderingError for bytes that are not CRLF and 7-bit, or that have a signed header twice.
        """
        head, body = _parts(content)
        found = _canonical_fields(head)
        names = (*SIGNED, *(name for name in SIGNED_WHERE_PRESENT if name in found), *OVERSIGNED)
        # A name that comes again names nothing any more, nor does one that is not there: both add no bytes.
        fields = b"".join([found[name] for name in dict.fromkeys(names) if name in found])
        told = self._names.get(names)
        if told is None:
            told = self._names[names] = _folded([name.decode() for name in names])
        digest = base64.b64encode(hashlib.sha256(relaxed_body(body)).digest()).decode()
        rest = f" t={int(at.timestamp())}; bh={digest};\r\n h={told};\r\n b="
        return b"".join([*(_signature(key, start + rest, fields) for key, start in self._keys), content])


def signed(mail: Email, signer: Signer | None, at: datetime) -> Email:
    """Return an email signed where there is who signs, else as it is. Raises what `Signer.sign` does."""
    return mail if signer is None else replace(mail, content=signer.sign(mail.content, at))


def relaxed_body(body: bytes) -> bytes:
    """Return a body as it is hashed: blanks run together, none before a line end, no empty lines at its end.

    `body` has CRLF line ends and no other (RFC 6376, section 3.4.4).
    """
    ended = body if body.endswith(b"\r\n") else body + b"\r\n"
    kept = _single(ended).replace(b" \r\n", b"\r\n").rstrip(b"\r\n")
    return kept + b"\r\n" if kept else b""


def relaxed_field(name: bytes, value: bytes) -> bytes:
    """Return a header as it is hashed, without its line end: one line, blanks run together (RFC 6376, 3.4.2)."""
    return name + b":" + _single(value.replace(b"\r\n", b"")).strip(b" ")


def _single(text: bytes) -> bytes:
    """Return a text with each run of blanks as one space; five times as fast as an expression that looks for runs."""
    text = text.replace(b"\t", b" ")
    while b"  " in text:
        text = text.replace(b"  ", b" ")
    return text


def _parts(content: bytes) -> tuple[bytes, bytes]:
    head, gap, body = content.partition(b"\r\n\r\n")
    ends = content.count(b"\r\n")
    if not gap or not content.isascii() or {content.count(b"\r"), content.count(b"\n")} != {ends}:
        raise RenderingError("Only an email of 7-bit lines that end in CRLF can be signed: this one was not finished.")
    return head, body


def _canonical_fields(head: bytes) -> Mapping[bytes, bytes]:
    """Return, by name, the headers that a signature covers, each as it is hashed."""
    found: dict[bytes, bytes] = {}
    for each in _FIELD_END.split(head):
        written, _, value = each.partition(b":")
        name = written.rstrip(b" \t").lower()
        if name in found:
            raise RenderingError(f"The header {written.decode()} stands in an email twice, which no receiver takes.")
        if name in _KNOWN:
            found[name] = relaxed_field(name, value) + b"\r\n"
    return found


def _folded(names: Sequence[str]) -> str:
    """Return names parted by colons, folded after a colon before a line grows long."""
    lines, last = [], ""
    for name in names:
        if last and len(last) + len(name) + 6 > _LINE:
            lines.append(last)
            last = ""
        last += f"{name}:"
    return "\r\n ".join([*lines, last]).removesuffix(":")


def _signature(key: SigningKey, field_so_far: str, fields: bytes) -> bytes:
    """Return a whole DKIM-Signature header; it is signed itself, up to its empty `b=`."""
    name, _, value = field_so_far.encode("ascii").partition(b":")
    made = base64.b64encode(key.sign(fields + relaxed_field(name.lower(), value)))
    lines = [made[start : start + _LINE - 4] for start in range(0, len(made), _LINE - 4)]
    return field_so_far.encode("ascii") + b"\r\n ".join(lines) + b"\r\n"
