"""Every error the program raises on purpose.

    DispatcherError
     ├── SettingsError        the settings or the secrets stand in the way
     ├── CampaignFileError    a file in campaigns/ cannot be used
     ├── RegisterFileError    a register export cannot be read at all
     ├── RenderingError       a template cannot make a message
     ├── ChannelError         a channel cannot be used as it is set up
     ├── MailboxError         the inbox cannot be read
     ├── LinkError            a link was not made by this installation
     ├── DoorsUnreadError     a letter box could not be read, so nothing may leave
     ├── RefusedError         an act the rules do not allow now
     │    ├── NoSlotError     the year has no room for another campaign
     │    └── FieldError      a value that was sent cannot be taken, and which
     ├── NotFoundError        nothing goes by that name
     ├── SealError            the seals cannot be read or kept
     └── StorageError         the database or the journal cannot be trusted or used
          └── JournalError    the database and its journal disagree

A refused message is an outcome and a withheld one is a verdict: neither is an error. The docstring of a class is its
default message, and it says what to do next.

A fault in a file the owner writes is a `Finding`: errors carry those they were raised for, and a check collects them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much a finding weighs."""

    ERROR = "error"
    """The campaign cannot be scheduled with it."""
    WARNING = "warning"
    """It can, but somebody should look."""
    REMARK = "remark"
    """Nothing is wrong: this is what the program does by itself, and how to have it otherwise."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with a file the owner writes: where, how much it weighs, what it is, and what mends it.

    `line` counts from 1; where something is missing from a whole file, it is 1. `what` and `fix` are clauses without a
    full stop.
    """

    file: str
    line: int
    severity: Severity
    what: str
    fix: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.severity}: {self.what}. {self.fix[:1].upper()}{self.fix[1:]}."

    def as_json(self) -> dict[str, str | int]:
        """Return the finding with stable keys."""
        return {
            "file": self.file,
            "line": self.line,
            "severity": self.severity.value,
            "what": self.what,
            "fix": self.fix,
        }


class DispatcherError(Exception):
    """Something stands in the way; the message says what and what to type."""

    findings: Sequence[Finding] = ()

    def __init__(self, message: str | None = None, findings: Sequence[Finding] = ()) -> None:
        super().__init__(message or (type(self).__doc__ or "").strip())
        self.findings = tuple(findings)


class SettingsError(DispatcherError):
    """The settings cannot be used: correct dispatcher.toml and run the command again."""


class CampaignFileError(DispatcherError):
    """The campaign file cannot be used: correct it and run `dispatcher campaign check FILE`."""


class RegisterFileError(DispatcherError):
    """The register export cannot be read: export it again as CSV or XLSX and run the import once more."""


class RenderingError(DispatcherError):
    """A template could not be filled: correct it and run `dispatcher campaign check FILE`."""


class ChannelError(DispatcherError):
    """The channel cannot be used: check its settings in dispatcher.toml."""


class MailboxError(DispatcherError):
    """The inbox cannot be read: check [mailbox] in dispatcher.toml."""


class LinkError(DispatcherError):
    """The link was not made by this installation, or a character of it is missing."""


class DoorsUnreadError(DispatcherError):
    """Nothing is sent until every letter box has been read: `dispatcher doctor` says which one cannot be."""


class RefusedError(DispatcherError):
    """The rules do not allow this now."""


class NoSlotError(RefusedError):
    """The year has no room for another campaign."""


class FieldError(RefusedError):
    """A value that was sent cannot be taken: correct it and send it again."""

    def __init__(self, field: str, message: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class NotFoundError(DispatcherError):
    """Nothing goes by that name."""


class SealError(DispatcherError):
    """The seals cannot be read or kept: see whether the workspace can be written to, and that nobody changed them."""


class StorageError(DispatcherError):
    """The database cannot be used: run `dispatcher db upgrade`, then try again."""


class JournalError(StorageError):
    """The database is behind its journal: run `dispatcher db restore --replay` before anything is sent."""
