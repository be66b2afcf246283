"""The links a client can click: made here, read here.

A token is `key id, client number, channel, MAC` in base32, so that it needs no row behind it and works after a restore
and after erasure (docs/architecture.md). It holds nothing about the client (E-05).
"""

import base64
import binascii
import hmac
import re
from dataclasses import dataclass

from dispatcher.errors import LinkError
from dispatcher.keys import KEY_IDS, Key, KeyKind, KeyRing
from dispatcher.rules.campaign import Channel

CLIENT_BITS = 48
"""How wide the random number of a client or a sign-up is: two never share one, and it fits six bytes of a token."""
_NUMBER_BYTES = CLIENT_BITS // 8
_MAC_BYTES = {Channel.EMAIL: 16, Channel.SMS: 12}
SMS_TOKEN_LENGTH = 31
"""Characters of the token of a link in a text message."""
_FLAGS = {Channel.EMAIL: 0, Channel.SMS: 1}
_OPT_OUT = b"opt-out"
_CONFIRM = b"confirm"
_RENEWAL = b"renewal"
_TEST = b"test"
"""Each kind of link is sealed under a label of its own, so that none passes for another."""
_NOT_BASE32 = re.compile(r"[^a-z2-7]")


@dataclass(frozen=True, slots=True)
class OptOut:
    """What an opt-out link stands for: this client, reached by this channel."""

    client: int
    channel: Channel


@dataclass(frozen=True, slots=True)
class Confirm:
    """What a confirmation's link stands for: this sign-up, sent to its address by this channel."""

    sign_up: int
    channel: Channel


@dataclass(frozen=True, slots=True)
class Renewal:
    """What a renewal link stands for: this client's yes to this channel, by the number of its entry in the ledger."""

    client: int
    channel: Channel
    entry: int


class OptOutLinks:
    """Makes and reads the opt-out links of one installation."""

    def __init__(self, ring: KeyRing, public_url: str) -> None:
        self._ring = ring
        self._base = f"{public_url.rstrip('/')}/u/"

    def url(self, link: OptOut) -> str:
        """Return the address to print in a message: https, at most 75 characters for a host of 27 (E-03)."""
        return self._base + self.token(link)

    def token(self, link: OptOut) -> str:
        """Return the token of a link: lower-case base32, 37 characters in mail and fewer in a text message."""
        return _seal(self._ring, _OPT_OUT, link.channel, _number(link.client))

    def test_url(self, channel: Channel) -> str:
        """Return the address to print in a test message: as long as a client's, and it stands for nobody."""
        return self._base + _seal(self._ring, _TEST, channel, _number(0))

    def is_test(self, token: str) -> bool:
        """Say whether a token is that of a test message: whoever uses it opts nobody out."""
        try:
            _unseal(self._ring, _TEST, token)
        except LinkError:
            return False
        return True

    def read(self, token: str) -> OptOut:
        """Return what a token stands for.

        Case, trailing punctuation and stray signs that mail programs and scanners add are forgiven (X-03). Raises
        LinkError for anything this installation did not make; the comparison takes constant time.
        """
        channel, said = _unseal(self._ring, _OPT_OUT, token)
        return OptOut(int.from_bytes(said, "big"), channel)


class ConfirmLinks:
    """Makes and reads the links that confirm a sign-up; as forgiving as opt-out links, and never one of them."""

    def __init__(self, ring: KeyRing, public_url: str) -> None:
        self._ring = ring
        self._base = f"{public_url.rstrip('/')}/join/"

    def url(self, link: Confirm) -> str:
        """Return the address to print in the confirmation."""
        return self._base + self.token(link)

    def token(self, link: Confirm) -> str:
        """Return the token of a link, as long as that of an opt-out link."""
        return _seal(self._ring, _CONFIRM, link.channel, _number(link.sign_up))

    def read(self, token: str) -> Confirm:
        """Return what a token stands for. Raises LinkError for anything this installation did not make as such."""
        channel, said = _unseal(self._ring, _CONFIRM, token)
        return Confirm(int.from_bytes(said, "big"), channel)


class RenewalLinks:
    """Makes and reads the links by which a yes that ends soon can be given anew."""

    def __init__(self, ring: KeyRing, public_url: str) -> None:
        self._ring = ring
        self._base = f"{public_url.rstrip('/')}/r/"

    def url(self, link: Renewal) -> str:
        """Return the address to print in a message."""
        return self._base + self.token(link)

    def token(self, link: Renewal) -> str:
        """Return the token of a link: lower-case base32, 47 characters in mail and 40 in a text message."""
        return _seal(self._ring, _RENEWAL, link.channel, _number(link.client) + _number(link.entry))

    def read(self, token: str) -> Renewal:
        """Return what a token stands for, as forgiving as an opt-out link's; raises LinkError likewise."""
        channel, said = _unseal(self._ring, _RENEWAL, token, 2 * _NUMBER_BYTES)
        client, entry = said[:_NUMBER_BYTES], said[_NUMBER_BYTES:]
        return Renewal(int.from_bytes(client, "big"), channel, int.from_bytes(entry, "big"))


def _number(number: int) -> bytes:
    return number.to_bytes(_NUMBER_BYTES, "big")


def _seal(ring: KeyRing, label: bytes, channel: Channel, said: bytes) -> str:
    key = ring.current(KeyKind.TOKEN)
    head = bytes([KEY_IDS.index(key.id) << 1 | _FLAGS[channel]]) + said
    return _encode(head + _mac(key, label, head, channel))


def _unseal(ring: KeyRing, label: bytes, token: str, size: int = CLIENT_BITS // 8) -> tuple[Channel, bytes]:
    """Return the channel and the bytes that a token of this kind says, or raise LinkError."""
    raw = _decode(token)
    if len(raw) <= size:
        raise LinkError
    key = ring.find(KeyKind.TOKEN, KEY_IDS[(raw[0] >> 1) % len(KEY_IDS)])
    channel = Channel.SMS if raw[0] & 1 else Channel.EMAIL
    head, mac = raw[: size + 1], raw[size + 1 :]
    if key is None or not hmac.compare_digest(mac, _mac(key, label, head, channel)):
        raise LinkError
    return channel, head[1:]


def _mac(key: Key, label: bytes, head: bytes, channel: Channel) -> bytes:
    return key.mac(label, head)[: _MAC_BYTES[channel]]


def _encode(raw: bytes) -> str:
    return base64.b32encode(raw).decode("ascii").rstrip("=").lower()


def _decode(token: str) -> bytes:
    text = _NOT_BASE32.sub("", token.strip().lower())
    try:
        return base64.b32decode(text.upper() + "=" * (-len(text) % 8))
    except binascii.Error:
        raise LinkError from None
