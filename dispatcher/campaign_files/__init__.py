"""campaigns/*.toml -> Campaign, or an error naming file, line and key and saying what is allowed."""

import stat
from pathlib import Path
from zoneinfo import ZoneInfo

from dispatcher.campaign_files.reading import LARGEST, fault_of_key, parse_campaign
from dispatcher.errors import CampaignFileError
from dispatcher.rules.campaign import Campaign

__all__ = ["PICTURES", "fault_of_key", "list_campaign_files", "parse_campaign", "read_campaign", "read_picture"]

PICTURES = "pictures"
"""The folder beside the campaign files in which their pictures lie."""
_LARGEST_PICTURE = 30_000_000
"""Bytes of a picture as somebody saved it: a camera's have up to twenty million."""


def list_campaign_files(directory: Path) -> tuple[Path, ...]:
    """Return the campaign files of a directory, by name; hidden files and directories are none.

    Raises CampaignFileError if there is no such directory.
    """
    if not directory.is_dir():
        raise CampaignFileError(
            f"{directory}: there is no such directory. Name the one that holds the campaigns, "
            "or run `dispatcher init` to make a workspace."
        )
    found = directory.glob("*.toml")
    return tuple(sorted(path for path in found if not path.name.startswith(".") and not path.is_dir()))


def read_campaign(path: Path, zone: ZoneInfo) -> Campaign:
    """Read a campaign file; its local times are in `zone`, its name is the stem of the file's.

    Raises CampaignFileError with every fault found, one a line: `file:line: key: what is allowed`.
    """
    if path.suffix != ".toml":
        raise CampaignFileError(f"{path}: a campaign file's name ends in .toml, as in 2026-03-kevat.toml.")
    return parse_campaign(_content(path), path.stem, str(path), zone)


def read_picture(path: Path, name: str) -> bytes:
    """Return the bytes of the picture of this name beside the campaign file `path`.

    Raises CampaignFileError with a clause that says what is wrong with it.
    """
    folder = path.parent / PICTURES
    picture = folder / name
    try:
        if not picture.resolve().is_relative_to(folder.resolve()):
            raise CampaignFileError(f"{picture} leads out of its folder: put the picture itself there")
        if not stat.S_ISREG(picture.stat().st_mode):
            raise CampaignFileError(f"{picture} is not a file: put the picture there")
        with picture.open("rb") as file:
            content = file.read(_LARGEST_PICTURE + 1)
    except FileNotFoundError:
        raise CampaignFileError(f"there is no {picture}: put it there, or name one that is there") from None
    except (OSError, RuntimeError) as error:
        why = error.strerror if isinstance(error, OSError) else "a link that leads back to itself"
        raise CampaignFileError(f"{picture} cannot be read ({why}): put a file there that can") from None
    if len(content) > _LARGEST_PICTURE:
        most = _LARGEST_PICTURE // 1_000_000
        raise CampaignFileError(f"{picture} has more than {most} MB: save it smaller, 1200 pixels wide are enough")
    return content


def _content(path: Path) -> bytes:
    """Return the bytes of an ordinary file, as many as a campaign file may have and one more."""
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise CampaignFileError(f"{path}: this is a directory. Name a campaign file in it.")
        if not stat.S_ISREG(mode):
            raise CampaignFileError(f"{path}: this is not a file. Name a campaign file, as {path.parent}/NAME.toml.")
        with path.open("rb") as file:
            return file.read(LARGEST + 1)
    except FileNotFoundError:
        raise CampaignFileError(
            f"{path}: there is no such file. `dispatcher campaign list` names those there are."
        ) from None
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "that is not the name of a file"
        raise CampaignFileError(f"{path}: the file cannot be read ({why}).") from None
