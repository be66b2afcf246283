"""Keys to sign with, and dkimpy, a foreign program, to verify what they signed."""

import re
from collections.abc import Mapping

import dkim

from dispatcher.rendering.dkim import Algorithm, Signer, SigningKey, new_key

DOMAIN = "m.revontuli.example"
RSA_KEY = SigningKey.from_pem("s1", new_key(Algorithm.RSA))
ED25519_KEY = SigningKey.from_pem("e1", new_key(Algorithm.ED25519))
SIGNER = Signer(DOMAIN, [RSA_KEY, ED25519_KEY])


def zone_of(*keys: SigningKey, domain: str = DOMAIN) -> Mapping[bytes, bytes]:
    """Return what the domain's DNS would answer, by name."""
    return {f"{key.selector}._domainkey.{domain}.".encode(): key.record.encode() for key in keys}


def verdicts(content: bytes, zone: Mapping[bytes, bytes] = zone_of(RSA_KEY, ED25519_KEY)) -> list[bool]:
    """Return what dkimpy says of each signature on an email, from the top."""
    count = len(re.findall(rb"^DKIM-Signature:", content.partition(b"\r\n\r\n")[0], re.MULTILINE))
    return [_verdict(content, zone, number) for number in range(count)]


def _verdict(content: bytes, zone: Mapping[bytes, bytes], number: int) -> bool:
    def look_up(name: bytes, timeout: int = 5) -> bytes | None:
        del timeout
        return zone.get(name)

    try:
        return bool(dkim.DKIM(content, minkey=1024).verify(number, dnsfunc=look_up))
    except dkim.DKIMException:
        return False
