"""campaigns/*.toml -> Campaign, or an error naming file, line and key and saying what is allowed."""

import stat
from pathlib import Path
from zoneinfo import ZoneInfo

from dispatcher.campaign_files.reading import LARGEST, parse_campaign
from dispatcher.errors import CampaignFileError
from dispatcher.rules.campaign import Campaign

__all__ = ["list_campaign_files", "parse_campaign", "read_campaign"]


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
