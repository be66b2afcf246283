"""Where the demo writes: one folder, marked as its own, replaced on each run and never mistaken for another."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from dispatcher.demo.sample import MAILBOX
from dispatcher.errors import RefusedError

MARKER = ".dispatcher-demo"
_FOLDERS = ("inbox", "mail", "sms", "workspace", "tampered")
_FILES = ("inbox.html", "audit.txt", "audit.json", "audit.csv")


@dataclass(frozen=True, slots=True)
class Places:
    """The folder of one demo and what stands in it."""

    output: Path

    @property
    def workspace(self) -> Path:
        """Return the studio's workspace."""
        return self.output / "workspace"

    @property
    def letters(self) -> Path:
        """Return the folder of the letters that come to the studio, as a mail server keeps them (a Maildir)."""
        return self.workspace / MAILBOX

    @property
    def tampered(self) -> Path:
        """Return the copy of the workspace in which somebody altered the ledger."""
        return self.output / "tampered"

    @property
    def inbox(self) -> Path:
        """Return the page that shows every mail and text message."""
        return self.output / "inbox.html"

    @property
    def pages(self) -> Path:
        """Return the folder of the pages that the inbox leads to."""
        return self.output / "inbox"

    @property
    def mail(self) -> Path:
        """Return the folder of the mails, byte for byte."""
        return self.output / "mail"

    @property
    def sms(self) -> Path:
        """Return the folder of the text messages."""
        return self.output / "sms"

    def audit(self, ending: str) -> Path:
        """Return the audit's file in this form: txt, json, csv or pdf."""
        return self.output / f"audit.{ending}"


def choose(output: Path) -> Places:
    """Return the place of a demo: a new or empty folder, or that of an earlier demo. Nothing is changed yet.

    Raises RefusedError for a folder that holds something else.
    """
    if output.exists() and not output.is_dir():
        raise RefusedError(f"{output} is not a folder: name another one with --output DIR.")
    if output.is_dir() and any(output.iterdir()) and not (output / MARKER).is_file():
        raise RefusedError(f"{output} holds something else than a demo: name a new folder with --output DIR.")
    return Places(output.resolve())


def make_room(places: Places) -> None:
    """Clear away an earlier demo, only what it wrote, and make the folders of the next. Raises RefusedError."""
    try:
        places.output.mkdir(parents=True, exist_ok=True)
        (places.output / MARKER).write_text("`dispatcher demo` replaces this folder on its next run.\n", "utf-8")
        for name in _FOLDERS:
            _remove(places.output / name)
            (places.output / name).mkdir()
        for name in ("new", "cur", "tmp"):
            (places.letters / name).mkdir(parents=True)
        for name in _FILES:
            (places.output / name).unlink(missing_ok=True)
    except OSError as error:
        raise RefusedError(
            f"The demo cannot write to {places.output} ({error.strerror}): name another folder with --output DIR."
        ) from None


def _remove(folder: Path) -> None:
    if folder.is_symlink() or folder.is_file():
        folder.unlink()
    elif folder.exists():
        shutil.rmtree(folder)
