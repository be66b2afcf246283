"""Measures how fast mails are made: the sample offer, text and HTML, a compiled campaign filled for each client.

Against it stand the standard library's `EmailMessage` with the same headers and bodies, once with the owner's templates
run by Jinja for each client, once with the bodies given, which leaves the library's own work alone.

It lacks DKIM signatures, which neither side writes, and it runs in one thread of one process.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from time import perf_counter
from zoneinfo import ZoneInfo

from benchmarks import measuring
from benchmarks.installation import STUDIO
from benchmarks.plain import Letter, PlainWriter
from dispatcher.campaign_files import read_campaign
from dispatcher.rendering import CampaignRenderer, Templates
from dispatcher.rules.campaign import Campaign, Language
from dispatcher.rules.consent import Place
from dispatcher.rules.message import Recipient
from dispatcher.wiring import starter

_ZONE = ZoneInfo("Europe/Helsinki")
_MOMENT = datetime(2026, 3, 17, 8, 0, tzinfo=UTC)
_COMPILED, _TEMPLATES, _GIVEN = "compiled campaign", "EmailMessage, templates each time", "EmailMessage, bodies given"


def main() -> None:
    """Measure, print and keep the figures."""
    full = measuring.is_full(__doc__)
    letters = [_letter(number) for number in range(5_000 if full else 500)]
    campaign = replace(read_campaign(starter("campaigns") / "2026-03-kevat.toml", _ZONE), picture=None)
    ways = _Ways(campaign, letters)
    size = ways.check_same()
    figures = measuring.in_turn(
        {_COMPILED: ways.compiled, _TEMPLATES: ways.from_templates, _GIVEN: ways.from_bodies},
        rounds=9 if full else 5,
        unit="mails/s",
        measured_by=_TEMPLATES,
        warm_up=True,
    )
    began = perf_counter()
    CampaignRenderer(campaign, Templates.from_directory(starter("templates")), STUDIO, _ZONE)
    compiling = (perf_counter() - began) * 1000
    notes = [f"one mail is {size:,} bytes; compiling the campaign, once: {compiling:.0f} ms"]
    measuring.report("rendering", figures, notes)


@dataclass(frozen=True, slots=True)
class _Ways:
    campaign: Campaign
    letters: list[Letter]

    def compiled(self) -> float:
        """Return mails a second by the program's own renderer."""
        renderer = self._renderer()
        return self._rate(lambda letter: _ours(renderer, letter))

    def from_templates(self) -> float:
        """Return mails a second where the templates run for each client."""
        writer = PlainWriter(self.campaign, STUDIO)
        writer.words(self.letters[0])
        return self._rate(lambda letter: writer.mail(letter, writer.words(letter)).as_bytes())

    def from_bodies(self) -> float:
        """Return mails a second where the bodies are there already."""
        writer = PlainWriter(self.campaign, STUDIO)
        parts = {letter.message_id: writer.words(letter) for letter in self.letters}
        return self._rate(lambda letter: writer.mail(letter, parts[letter.message_id]).as_bytes())

    def check_same(self) -> int:
        """Check that both sides write the same headers and bodies, and return the bytes of one mail."""
        writer, letter = PlainWriter(self.campaign, STUDIO), self.letters[0]
        content = _ours(self._renderer(), letter)
        ours = message_from_bytes(content, policy=default)
        plain = message_from_bytes(writer.mail(letter, writer.words(letter)).as_bytes(), policy=default)
        assert sorted(ours.keys()) == sorted(plain.keys())
        for kind in ("plain", "html"):
            one, other = ours.get_body((kind,)), plain.get_body((kind,))
            assert one is not None
            assert other is not None
            assert one.get_content() == other.get_content()
        return len(content)

    def _renderer(self) -> CampaignRenderer:
        return CampaignRenderer(self.campaign, Templates.from_directory(starter("templates")), STUDIO, _ZONE)

    def _rate(self, make: Callable[[Letter], bytes]) -> float:
        began = perf_counter()
        for letter in self.letters:
            make(letter)
        return len(self.letters) / (perf_counter() - began)


def _ours(renderer: CampaignRenderer, letter: Letter) -> bytes:
    return renderer.email(letter.recipient, letter.to, letter.opt_out_url, letter.message_id, letter.date).content


def _letter(number: int) -> Letter:
    return Letter(
        Recipient(f"Päivi {number}", tuple(Language)[number % 3], "3.1.2026", agreed_at=Place.ONLINE),
        f"asiakas.{number}@posti.example",
        f"{STUDIO.public_url}/u/{number:037}",
        f"{number:032}",
        _MOMENT.astimezone(_ZONE),
    )


if __name__ == "__main__":
    main()
