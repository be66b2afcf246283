"""A selector -> a new key to sign mail by, in a file of the workspace, and the record that lets receivers verify it."""

from dataclasses import dataclass
from pathlib import Path

from dispatcher.errors import RefusedError, SettingsError
from dispatcher.keys import write_private
from dispatcher.rendering.dkim import Algorithm, SigningKey, new_key
from dispatcher.rules import signing
from dispatcher.rules.signing import Record

__all__ = ["Algorithm", "Made", "make_key"]


@dataclass(frozen=True, slots=True)
class Made:
    """A new key: the name of its file, how it signs, and what to publish."""

    file: str
    algorithm: Algorithm
    record: Record


def make_key(directory: Path, selector: str, domain: str, algorithm: Algorithm) -> Made:
    """Make a key and its file of mode 0600; nothing is signed by it before the settings name its selector.

    Raises RefusedError for what is no selector or has a key already, SettingsError where the file cannot be written.
    """
    try:
        file = signing.file_of(signing.selector(selector))
    except ValueError as error:
        raise RefusedError(f"{selector!r} is no selector: {error}.") from None
    pem = new_key(algorithm)
    try:
        write_private(directory / file, pem.encode())
    except FileExistsError:
        raise RefusedError(f"There is a {file} already: name a new selector. Nothing was changed.") from None
    except OSError as error:
        raise SettingsError(f"{file} cannot be written ({error.strerror}).") from None
    return Made(file, algorithm, Record(selector, domain, SigningKey.from_pem(selector, pem).record))
