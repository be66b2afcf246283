"""Measures how fast finished mails are signed: the sample offer, rsa-sha256 with 2048 bits, the headers of E-42.

Against it stands dkimpy signing the same bytes with the same key and the same headers, in the same run. Beside both:
the program's two signatures, RSA and Ed25519, and the bare RSA operation, which is the limit.

One thread of one process. dkimpy is a package of the tests; the program never imports it.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from time import perf_counter
from zoneinfo import ZoneInfo

import dkim

from benchmarks import measuring
from benchmarks.installation import STUDIO
from dispatcher.campaign_files import read_campaign
from dispatcher.rendering import CampaignRenderer, Templates
from dispatcher.rendering.dkim import (
    OVERSIGNED,
    SIGNED,
    SIGNED_WHERE_PRESENT,
    Algorithm,
    Signer,
    SigningKey,
    new_key,
)
from dispatcher.rules.campaign import Language
from dispatcher.rules.message import Recipient
from dispatcher.wiring import starter

_ZONE = ZoneInfo("Europe/Helsinki")
_MOMENT = datetime(2026, 3, 17, 8, 0, tzinfo=UTC)
_DKIMPY = "dkimpy, RSA"


def main() -> None:
    """Measure, print and keep the figures."""
    full = measuring.is_full(__doc__)
    mails = _mails(2_000 if full else 200)
    pem = new_key(Algorithm.RSA)
    key, second = SigningKey.from_pem("s1", pem), SigningKey.from_pem("e1", new_key(Algorithm.ED25519))
    one, both = Signer(STUDIO.domain, [key]), Signer(STUDIO.domain, [key, second])
    ways: dict[str, Callable[[bytes], bytes]] = {
        "the program, RSA": lambda mail: one.sign(mail, _MOMENT),
        "the program, RSA and Ed25519": lambda mail: both.sign(mail, _MOMENT),
        _DKIMPY: lambda mail: _by_dkimpy(mail, pem.encode()),
        "the RSA operation alone": lambda mail: key.sign(mail[:1_000]),
    }
    zone = {f"{each.selector}._domainkey.{STUDIO.domain}.".encode(): each.record.encode() for each in (key, second)}
    for name in list(ways)[:3]:
        signed = ways[name](mails[0])
        if name == _DKIMPY:
            signed += mails[0]
        assert dkim.DKIM(signed).verify(dnsfunc=lambda asked, **_: zone.get(asked)), name
    figures = measuring.in_turn(
        {name: _rate(way, mails) for name, way in ways.items()},
        rounds=9 if full else 5,
        unit="mails/s",
        measured_by=_DKIMPY,
        warm_up=True,
    )
    measuring.report("signing", figures, [f"one mail is {len(mails[0]):,} bytes before it is signed"])


def _rate(way: Callable[[bytes], bytes], mails: list[bytes]) -> Callable[[], float]:
    def run() -> float:
        began = perf_counter()
        for mail in mails:
            way(mail)
        return len(mails) / (perf_counter() - began)

    return run


def _by_dkimpy(mail: bytes, pem: bytes) -> bytes:
    present = [name for name in (*SIGNED, *SIGNED_WHERE_PRESENT) if b"\r\n" + name + b":" in b"\r\n" + mail.lower()]
    made: bytes = dkim.sign(
        mail,
        b"s1",
        STUDIO.domain.encode(),
        pem,
        canonicalize=(b"relaxed", b"relaxed"),
        include_headers=[*present, *OVERSIGNED],
    )
    return made


def _mails(count: int) -> list[bytes]:
    campaign = replace(read_campaign(starter("campaigns") / "2026-03-kevat.toml", _ZONE), picture=None)
    renderer = CampaignRenderer(campaign, Templates.from_directory(starter("templates")), STUDIO, _ZONE)
    return [
        renderer.email(
            Recipient(f"Päivi {number}", tuple(Language)[number % 3], "3.1.2026"),
            f"asiakas.{number}@posti.example",
            f"{STUDIO.public_url}/u/{number:037}",
            f"{number:032}",
            _MOMENT,
        ).content
        for number in range(count)
    ]


if __name__ == "__main__":
    main()
