"""An invented studio, its templates, and one campaign to render; none of it is ever changed by a test."""

import tomllib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from dispatcher.rendering import CampaignRenderer, Templates
from dispatcher.rendering.pictures import Picture, prepared
from dispatcher.rules.campaign import Campaign, Channel, Kind, Language, NamedPicture
from dispatcher.rules.studio import Studio
from tests.rendering.studio import STUDIO

ROOT = Path(__file__).parents[2]
ZONE = ZoneInfo("Europe/Helsinki")


def _campaign(file: Path) -> Campaign:
    raw = tomllib.loads(file.read_text("utf-8"))
    valid_until: date = raw["valid_until"]
    named, alt = raw["offer"].pop("image", None), raw["offer"].pop("image_alt", {})
    return Campaign(
        name=file.stem,
        title=raw["title"],
        kind=Kind(raw["kind"]),
        send_at=raw["send_at"].replace(tzinfo=ZONE),
        channels=tuple(Channel(channel) for channel in raw["channels"]),
        subject={Language(key): value for key, value in raw["subject"].items()},
        template=raw["kind"],
        valid_until=valid_until,
        fields=raw["offer"],
        picture=NamedPicture(named, {Language(key): value for key, value in alt.items()}) if named else None,
    )


@pytest.fixture(scope="session")
def studio() -> Studio:
    """Return the studio that sends."""
    return STUDIO


@pytest.fixture(scope="session")
def templates() -> Templates:
    """Return the templates the program comes with."""
    return Templates.from_directory(ROOT / "templates")


@pytest.fixture(scope="session")
def samples() -> dict[str, Campaign]:
    """Return the sample year by the names of its files."""
    return {file.stem: _campaign(file) for file in sorted((ROOT / "campaigns").glob("*.toml"))}


@pytest.fixture(scope="session")
def zone() -> ZoneInfo:
    """Return where the studio is."""
    return ZONE


@pytest.fixture(scope="session")
def picture_of() -> Callable[[Campaign], Picture | None]:
    """Return a function that gives the picture a sample campaign names, prepared for its mails."""

    @cache
    def prepare(file: str) -> Picture:
        return prepared((ROOT / "campaigns" / "pictures" / file).read_bytes(), file)

    return lambda campaign: prepare(campaign.picture.file) if campaign.picture else None


@pytest.fixture(scope="session")
def renderers(
    samples: dict[str, Campaign],
    templates: Templates,
    studio: Studio,
    picture_of: Callable[[Campaign], Picture | None],
) -> Callable[[str], CampaignRenderer]:
    """Return a function that gives a sample campaign, compiled, by its name."""
    return cache(
        lambda name: CampaignRenderer(samples[name], templates, studio, ZONE, picture=picture_of(samples[name]))
    )


@pytest.fixture(scope="session")
def campaign(samples: dict[str, Campaign]) -> Campaign:
    """Return the campaign most tests render; it shows no picture."""
    return replace(samples["2026-03-kevat"], picture=None)


@pytest.fixture(scope="session")
def renderer(campaign: Campaign, templates: Templates, studio: Studio) -> CampaignRenderer:
    """Return the compiled campaign."""
    return CampaignRenderer(campaign, templates, studio, ZONE)


@pytest.fixture(scope="session")
def compiled(campaign: Campaign, templates: Templates, studio: Studio) -> Callable[..., CampaignRenderer]:
    """Return a function that compiles the campaign with some template files replaced, or taken out with None."""

    def compile_with(files: dict[str, str | None], **changes: object) -> CampaignRenderer:
        changed = replace(campaign, **changes)  # type: ignore[arg-type]  # a test names fields of its choice
        kept = templates.used_by(campaign) | {path: (text or "").encode() for path, text in files.items()}
        present = {path: content for path, content in kept.items() if files.get(path, "") is not None}
        return CampaignRenderer(changed, Templates(present), studio, ZONE)

    return compile_with


@pytest.fixture(scope="session")
def moment() -> datetime:
    """Return when the sample message is sent."""
    return datetime(2026, 3, 17, 8, 0, tzinfo=UTC)
