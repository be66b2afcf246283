"""A campaign's file, templates and picture -> the bytes that are kept, and the hash that names them together."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dispatcher.campaign_files import PICTURES, fault_of_key, parse_campaign, read_campaign, read_picture
from dispatcher.errors import CampaignFileError, RenderingError
from dispatcher.flow.policy import Policy
from dispatcher.rendering.pictures import Picture, carried, prepared
from dispatcher.rendering.templates import FOLDER, Templates
from dispatcher.rules.campaign import Campaign, NamedPicture
from dispatcher.storage import campaigns

POLICY_FILE = "policy.json"
"""The path under which the settings a campaign was scheduled with are frozen."""


@dataclass(frozen=True, slots=True)
class Frozen:
    """A campaign and the bytes it is made from: its own file, the templates it uses, and its picture as mails carry it.

    What is kept of a picture is what goes out, never the file it was made from: that may tell where and by whom a
    photo was taken.
    """

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
    def picture(self) -> Picture | None:
        """Return the picture among the bytes, if the campaign names one. Raises RenderingError if it is not there."""
        named = self.campaign.picture
        return carried(self.files.get(_kept_as(named), b""), named.file) if named else None

    @property
    def content_hash(self) -> str:
        """Return the hash of the content."""
        return content_hash(self.files)


def freeze(path: Path, templates: Path, policy: Policy) -> Frozen:
    """Read a campaign file, the templates it uses and its picture. Raises CampaignFileError or RenderingError."""
    named = read_campaign(path, policy.zone)
    own = path.read_bytes()
    # What is frozen is read again: between the two looks the file may have changed.
    campaign = parse_campaign(own, named.name, str(path), policy.zone)
    used = Templates.from_directory(templates).used_by(campaign)
    files = {campaigns.OWN_FILE: own, **{f"{FOLDER}/{name}": content for name, content in used.items()}}
    picture = picture_of(path, campaign, own)
    if campaign.picture and picture:
        files[_kept_as(campaign.picture)] = picture.content
    return Frozen(campaign, files)


def picture_of(path: Path, campaign: Campaign, content: bytes) -> Picture | None:
    """Return the picture that a campaign file names, prepared for its mails; None where it names none.

    `content` is the file's. Raises CampaignFileError on the line that names it.
    """
    if campaign.picture is None:
        return None
    try:
        return prepared(read_picture(path, campaign.picture.file), campaign.picture.file)
    except (CampaignFileError, RenderingError) as error:
        raise fault_of_key(content, str(path), ("offer", "image"), str(error)) from None


def content_hash(frozen: Mapping[str, bytes]) -> str:
    """Return the SHA-256, in hex, over the frozen bytes of a campaign: all but the settings."""
    digest = hashlib.sha256()
    for path in sorted(frozen):
        if path != POLICY_FILE:
            digest.update(f"{path}\0{hashlib.sha256(frozen[path]).hexdigest()}\n".encode())
    return digest.hexdigest()


def _kept_as(picture: NamedPicture) -> str:
    return f"{PICTURES}/{picture.file}"
