"""The links a client can click, and the mail addresses a client can write to: made here, read here.

A token is `key id, client number, channel, MAC` in base32, so that it needs no row behind it and works after a restore
and after erasure (docs/architecture.md). It holds nothing about the client (E-05).
"""

import base64
import binascii
import hmac
import re
from collections.abc import Mapping
from contextlib import suppress
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
_CUT_AT_LEAST = 8
"""Characters that a token must have left to be known as one that was cut: less is a slip of the keyboard."""
_FLAGS = {Channel.EMAIL: 0, Channel.SMS: 1}
_OPT_OUT = b"opt-out"
_CONFIRM = b"confirm"
_RENEWAL = b"renewal"
_TEST = b"test"
_REPLY = b"reply"
_BOUNCE = b"bounce"
"""Each kind of link is sealed under a label of its own, so that none passes for another."""
_MESSAGE_ID_BYTES = 16
_BOUNCE_MAC_BYTES = 12
"""Less than in other mail: the local part of an address has 64 octets, and a bounce alone opens nothing (E-60)."""
TOKEN_LENGTH = 37
"""Characters of the token of an opt-out link in mail, and of the address that a reply comes to."""
BOUNCE_TOKEN_LENGTH = 47
"""Characters of the token of an address that bounces come to."""
LONGEST_LOCAL_PART = 64
"""Octets before the @ of an address (RFC 5321, section 4.5.3.1.1)."""
_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
_PAIRS = [first + second for first in _LETTERS for second in _LETTERS]
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


@dataclass(frozen=True, slots=True)
class ReplyTo:
    """What the address stands for that a reply comes to: this client, written to by this channel."""

    client: int
    channel: Channel


@dataclass(frozen=True, slots=True)
class Bounce:
    """What the address stands for that a bounce comes to: the message with this id, 32 hexadecimal digits."""

    message_id: str


@dataclass(frozen=True, slots=True)
class PlusAddress:
    """An address of ours that takes mail with anything between its separator and its @, as `hei+abc@studio.example`."""

    local: str
    domain: str
    separator: str = "+"

    @classmethod
    def of(cls, address: str, separator: str = "+") -> "PlusAddress":
        """Return the address as one that takes tokens."""
        local, _, domain = address.rpartition("@")
        return cls(local, domain, separator)

    @property
    def plain(self) -> str:
        """Return the address without a token."""
        return f"{self.local}@{self.domain}"

    def with_token(self, token: str) -> str:
        """Return the address that carries a token."""
        return f"{self.local}{self.separator}{token}@{self.domain}"

    def token_in(self, address: str) -> str | None:
        """Return what an address carries behind ours, "" for nothing, or None if it is not ours. Case is forgiven."""
        local, _, domain = address.strip().lower().rpartition("@")
        own = f"{self.local}{self.separator}".lower()
        return local.removeprefix(own) if domain == self.domain.lower() and local.startswith(own) else None


@dataclass(frozen=True, slots=True)
class WaysBack:
    """The addresses of one mail: where a reply goes, where an opt-out by mail goes, and where a bounce goes."""

    reply_to: str
    opt_out: str
    bounce_to: str


class OptOutLinks:
    """Makes and reads the opt-out links of one installation."""

    def __init__(self, ring: KeyRing, public_url: str, sms_url: str = "") -> None:
        self._ring = ring
        self._base = _bases(public_url, sms_url, "u")

    def url(self, link: OptOut) -> str:
        """Return the address to print in a message: https, at most 75 characters for a host of 27 (E-03)."""
        return self._base[link.channel] + self.token(link)

    def token(self, link: OptOut) -> str:
        """Return the token of a link: lower-case base32, 37 characters in mail and fewer in a text message."""
        return _seal(self._ring, _OPT_OUT, link.channel, _number(link.client))

    def test_url(self, channel: Channel) -> str:
        """Return the address to print in a test message: as long as a client's, and it stands for nobody."""
        return self._base[channel] + _seal(self._ring, _TEST, channel, _number(0))

    def is_test(self, token: str) -> bool:
        """Say whether a token is that of a test message: whoever uses it opts nobody out."""
        try:
            _unseal(self._ring, _TEST, token)
        except LinkError:
            return False
        return True

    def is_cut(self, token: str) -> bool:
        """Say whether a token looks like the beginning of one whose end was lost on the way; it says nothing of whom.

        Only the shape tells: how long it is, and that it begins with a key and a channel there are.
        """
        text = _NOT_BASE32.sub("", token.strip().lower())
        if not len(text) >= _CUT_AT_LEAST:
            return False
        first = _decode(text[:8])[0]
        key, channel = KEY_IDS[(first >> 1) % len(KEY_IDS)], Channel.SMS if first & 1 else Channel.EMAIL
        whole = -(-8 * (1 + _NUMBER_BYTES + _MAC_BYTES[channel]) // 5)
        return len(text) < whole and self._ring.find(KeyKind.TOKEN, key) is not None

    def read(self, token: str) -> OptOut:
        """Return what a token stands for.

        Case, trailing punctuation and stray signs that mail programs and scanners add are forgiven (X-03). Raises
        LinkError for anything this installation did not make; the comparison takes constant time.
        """
        channel, said = _unseal(self._ring, _OPT_OUT, token)
        return OptOut(int.from_bytes(said, "big"), channel)


class ConfirmLinks:
    """Makes and reads the links that confirm a sign-up; as forgiving as opt-out links, and never one of them."""

    def __init__(self, ring: KeyRing, public_url: str, sms_url: str = "") -> None:
        self._ring = ring
        self._base = _bases(public_url, sms_url, "join")

    def url(self, link: Confirm) -> str:
        """Return the address to print in the confirmation."""
        return self._base[link.channel] + self.token(link)

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


class MailAddresses:
    """Makes and reads the addresses by which clients and mail servers answer a mail (E-13, E-35, E-60).

    `address` is that of the inbox that is read, `bounces` that of the envelope, which the same inbox gets. Tokens
    survive what mail servers do to the case of an address.
    """

    def __init__(self, ring: KeyRing, opt_outs: OptOutLinks, address: PlusAddress, bounces: PlusAddress) -> None:
        self._ring = ring
        self._opt_outs = opt_outs
        self._address = address
        self._bounces = bounces

    def ways_back(self, client: int, message_id: str, opt_out_token: str) -> WaysBack:
        """Return the addresses of a mail to a client; an opt-out by mail carries the token of the mail's link."""
        reply = _seal(self._ring, _REPLY, Channel.EMAIL, _number(client))
        return WaysBack(
            self._address.with_token(reply), self._address.with_token(opt_out_token), self.bounce_to(message_id)
        )

    def of_service(self, client: int | None, message_id: str) -> WaysBack:
        """Return the addresses of a service message; about a client its reply is that client's, else anybody's."""
        if client is not None:
            address = self._address.with_token(_seal(self._ring, _REPLY, Channel.EMAIL, _number(client)))
        else:
            address = self._address.plain
        return WaysBack(address, address, self.bounce_to(message_id))

    def of_test(self, message_id: str) -> WaysBack:
        """Return the addresses of a test message: whoever writes there stands for nobody; bounces are told of."""
        address = self._address.with_token(_seal(self._ring, _TEST, Channel.EMAIL, _number(0)))
        return WaysBack(address, address, self.bounce_to(message_id))

    def bounce_to(self, message_id: str) -> str:
        """Return the envelope sender of a message: at most 64 octets before its @ for a name of 16 (E-60)."""
        said = bytes.fromhex(message_id)
        token = _seal(self._ring, _BOUNCE, Channel.EMAIL, said, _BOUNCE_MAC_BYTES)
        return self._bounces.with_token(token)

    def token_in(self, address: str) -> str | None:
        """Return what an address of ours carries, "" for nothing, or None for any address that is not ours."""
        for own in (self._address, self._bounces):
            found = own.token_in(address)
            if found is not None:
                return found
        return None

    def read(self, token: str) -> OptOut | ReplyTo | Bounce:
        """Return what the token of an address stands for; it says itself which of the three it is.

        Raises LinkError for anything this installation did not make as such; the comparisons take constant time.
        """
        with suppress(LinkError):
            _, said = _unseal(self._ring, _BOUNCE, token, _MESSAGE_ID_BYTES, _BOUNCE_MAC_BYTES)
            return Bounce(said.hex())
        with suppress(LinkError):
            channel, said = _unseal(self._ring, _REPLY, token)
            return ReplyTo(int.from_bytes(said, "big"), channel)
        return self._opt_outs.read(token)

    def is_test(self, token: str) -> bool:
        """Say whether a token is that of a test message: whoever writes there opts nobody out."""
        return self._opt_outs.is_test(token)


def _bases(public_url: str, sms_url: str, path: str) -> Mapping[Channel, str]:
    """Return what the links of each channel begin with."""
    hosts = {Channel.EMAIL: public_url, Channel.SMS: sms_url or public_url}
    return {channel: f"{host.rstrip('/')}/{path}/" for channel, host in hosts.items()}


def _number(number: int) -> bytes:
    return number.to_bytes(_NUMBER_BYTES, "big")


def _seal(ring: KeyRing, label: bytes, channel: Channel, said: bytes, mac_bytes: int = 0) -> str:
    """Return a token; its MAC is as long as the channel's are, or as `mac_bytes` says."""
    key = ring.current(KeyKind.TOKEN)
    head = bytes([KEY_IDS.index(key.id) << 1 | _FLAGS[channel]]) + said
    return _encode(head + _mac(key, label, head, mac_bytes or _MAC_BYTES[channel]))


def _unseal(
    ring: KeyRing, label: bytes, token: str, size: int = CLIENT_BITS // 8, mac_bytes: int = 0
) -> tuple[Channel, bytes]:
    """Return the channel and the bytes that a token of this kind says, or raise LinkError."""
    raw = _decode(token)
    if len(raw) <= size:
        raise LinkError
    key = ring.find(KeyKind.TOKEN, KEY_IDS[(raw[0] >> 1) % len(KEY_IDS)])
    channel = Channel.SMS if raw[0] & 1 else Channel.EMAIL
    head, mac = raw[: size + 1], raw[size + 1 :]
    wanted = mac_bytes or _MAC_BYTES[channel]
    if key is None or not hmac.compare_digest(mac, _mac(key, label, head, wanted)):
        raise LinkError
    return channel, head[1:]


def _mac(key: Key, label: bytes, head: bytes, size: int) -> bytes:
    return key.mac(label, head)[:size]


def _encode(raw: bytes) -> str:
    """Return bytes in base32 (RFC 4648), lower case and without padding; a few times as fast as the library's."""
    bits = 8 * len(raw)
    spare = -bits % 10
    number = int.from_bytes(raw, "big") << spare
    pairs = [_PAIRS[number >> place & 1023] for place in range(bits + spare - 10, -1, -10)]
    return "".join(pairs)[: -(-bits // 5)]


def _decode(token: str) -> bytes:
    text = _NOT_BASE32.sub("", token.strip().lower())
    try:
        return base64.b32decode(text.upper() + "=" * (-len(text) % 8))
    except binascii.Error:
        raise LinkError from None
