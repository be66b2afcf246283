"""What a key to the API may be used for."""

from enum import StrEnum


class Scope(StrEnum):
    """One thing that a key allows; a key without it is refused."""

    ANSWERS_WRITE = "answers:write"
    """Tell what clients answered to the marketing question."""
    VERDICT_READ = "verdict:read"
    """Ask whether a client may be written to now."""
