"""Files that a command hands to a person: readable by their owner alone, and never over one that is there."""

import os
import tempfile
from pathlib import Path

from dispatcher.errors import RefusedError


def keep(path: Path, content: bytes) -> Path:
    """Write a new file with mode 0600 and return its path. Raises RefusedError if it is there or cannot be written."""
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        raise RefusedError(f"{path} is there already: name another file. Nothing was written.") from None
    except OSError as error:
        raise RefusedError(f"{path} cannot be written ({error.strerror}). Nothing was written.") from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    return path


def keep_for_now(name: str, content: bytes) -> Path:
    """Write a file into a new directory of its own that only its owner can enter, and return its path."""
    return keep(Path(tempfile.mkdtemp(prefix="dispatcher-")) / name, content)
