"""campaigns/*.toml -> Campaign, or an error naming file, line and key and saying what is allowed."""

import tomllib
from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from dispatcher.campaign_files.form import CampaignForm
from dispatcher.campaign_files.lines import line_of
from dispatcher.errors import CampaignFileError
from dispatcher.rules.campaign import Campaign

_LARGEST = 256 * 1024
_NAME_RULE = "a campaign's file name has lower-case letters, digits and hyphens only, as in 2026-03-kevat.toml"


def list_campaign_files(directory: Path) -> tuple[Path, ...]:
    """Return the campaign files of a folder, by name."""
    return tuple(sorted(path for path in directory.glob("*.toml") if path.is_file()))


def read_campaign(path: Path, zone: ZoneInfo) -> Campaign:
    """Read a campaign file; its local times are in `zone`.

    Raises CampaignFileError with every fault found, one a line: `file:line: key: what is wrong and what is allowed`.
    """
    return parse_campaign(read_bytes(path), path.stem, str(path), zone)


def read_bytes(path: Path) -> bytes:
    """Return the bytes of a campaign file. Raises CampaignFileError where it is missing, no file, or far too large."""
    try:
        size = path.stat().st_size
        if size > _LARGEST:
            raise CampaignFileError(f"{path}: a campaign file has at most {_LARGEST} bytes, this has {size}.")
        return path.read_bytes()
    except OSError as error:
        raise CampaignFileError(
            f"{path} cannot be read ({error.strerror}): name a file, for example campaigns/2026-03-kevat.toml."
        ) from None


def parse_campaign(content: bytes, name: str, label: str, zone: ZoneInfo) -> Campaign:
    """Return the campaign these bytes describe; `label` is what errors call the file. Raises CampaignFileError."""
    if not name or not all(char.isascii() and (char.islower() or char.isdigit() or char == "-") for char in name):
        raise CampaignFileError(f"{label}: {_NAME_RULE}.")
    source = _decoded(content, label)
    try:
        found = tomllib.loads(source)
    except tomllib.TOMLDecodeError as error:
        raise CampaignFileError(f"{label}: this is not TOML: {error}.") from None
    except RecursionError:
        raise CampaignFileError(f"{label}: the file nests too deeply for a campaign.") from None
    try:
        form = CampaignForm.model_validate(found, context={"zone": zone})
        return form.campaign(name)
    except ValidationError as error:
        raise CampaignFileError("\n".join(_sentences(error, source, label))) from None


def _decoded(content: bytes, label: str) -> str:
    try:
        source = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise CampaignFileError(f"{label}:{line}: this is not UTF-8: save the file as UTF-8 and try again.") from None
    if not source.strip():
        raise CampaignFileError(f"{label}: the file is empty: copy one of the samples in campaigns/ and change it.")
    return source


def _sentences(error: ValidationError, source: str, label: str) -> list[str]:
    found = []
    for fault in error.errors():
        path = [str(part) for part in fault["loc"]]
        message = _message(fault["type"], fault["msg"], path)
        line = line_of(source, path)
        found.append((line or 0, f"{label}{f':{line}' if line else ''}: {'.'.join(path) or 'campaign'}: {message}."))
    return [sentence for _, sentence in sorted(found)]


def _message(kind: str, message: str, path: list[str]) -> str:
    if kind == "missing":
        return "this key is missing"
    if kind == "extra_forbidden" and path[:1] == ["audience"]:
        return (
            "an audience is divided by languages, visited_since and visited_until only: never by treatment, notes or "
            "health (the privacy notice promises that)"
        )
    if kind == "extra_forbidden":
        return "there is no such key in a campaign file; the offer's own texts stand under [offer]"
    return message.removeprefix("Value error, ").rstrip(".")
