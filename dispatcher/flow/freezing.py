"""A campaign's file with the templates it uses -> the bytes that are kept, and the hash that names them together."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dispatcher.campaign_files import parse_campaign, read_campaign
from dispatcher.flow.policy import Policy
from dispatcher.rendering.templates import FOLDER, Templates
from dispatcher.rules.campaign import Campaign
from dispatcher.storage import campaigns

POLICY_FILE = "policy.json"
"""The path under which the settings a campaign was scheduled with are frozen."""


@dataclass(frozen=True, slots=True)
class Frozen:
    """A campaign and the bytes it was read from: its own file, and the templates it uses."""

    campaign: Campaign
    files: Mapping[str, bytes]

    @property
    def templates(self) -> Templates:
        """Return the templates among the bytes."""
        prefix = f"{FOLDER}/"
        return Templates(
            {path.removeprefix(prefix): each for path, each in self.files.items() if path.startswith(prefix)}
        )

    @property
    def content_hash(self) -> str:
        """Return the hash of the content."""
        return content_hash(self.files)


def freeze(path: Path, templates: Path, policy: Policy) -> Frozen:
    """Read a campaign file and the templates it uses. Raises CampaignFileError or RenderingError."""
    named = read_campaign(path, policy.zone)
    own = path.read_bytes()
    # What is frozen is read again: between the two looks the file may have changed.
    campaign = parse_campaign(own, named.name, str(path), policy.zone)
    used = Templates.from_directory(templates).used_by(campaign)
    files = {campaigns.OWN_FILE: own, **{f"{FOLDER}/{name}": content for name, content in used.items()}}
    return Frozen(campaign, files)


def content_hash(frozen: Mapping[str, bytes]) -> str:
    """Return the SHA-256, in hex, over the frozen bytes of a campaign: its file and its templates, not the settings."""
    digest = hashlib.sha256()
    for path in sorted(frozen):
        if path != POLICY_FILE:
            digest.update(f"{path}\0{hashlib.sha256(frozen[path]).hexdigest()}\n".encode())
    return digest.hexdigest()
