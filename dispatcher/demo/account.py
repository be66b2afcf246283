"""What a run of the demo comes to: the account that is printed, written, and checked."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from dispatcher.demo.people import Role
from dispatcher.rules.ledger import stamp


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that has to hold, with what was expected and what was found."""

    name: str
    expected: object
    actual: object

    @property
    def ok(self) -> bool:
        """Say whether it holds."""
        return self.expected == self.actual

    def as_json(self) -> dict[str, Any]:
        """Return the check with stable keys."""
        return {"name": self.name, "ok": self.ok, "expected": self.expected, "actual": self.actual}


@dataclass(frozen=True, slots=True)
class Imported:
    """What taking in one export did."""

    file: str
    encoding: str
    counts: Counter[str]
    dropped: tuple[str, ...]
    rejected: tuple[str, ...]
    remarks: int

    def as_json(self) -> dict[str, Any]:
        """Return the import with stable keys."""
        names = ("read", "created", "updated", "unchanged", "rejected")
        return {
            "file": self.file,
            "encoding": self.encoding,
            **{name: self.counts[name] for name in names},
            "dropped_columns": list(self.dropped),
            "rejections": list(self.rejected),
            "remarks": self.remarks,
        }


@dataclass(frozen=True, slots=True)
class Sent:
    """One campaign as the program counts it; the sums by channel are `accepted`, `refused` and `unknown`."""

    name: str
    title: str
    moment: datetime
    planned: int
    accepted: Counter[str]
    refused: Counter[str]
    unknown: Counter[str]
    deferred: int
    withheld: Counter[str]

    def as_json(self) -> dict[str, Any]:
        """Return the campaign with stable keys; reasons by their number, the most frequent first."""
        return {
            "name": self.name,
            "title": self.title,
            "moment": stamp(self.moment),
            "planned": self.planned,
            "accepted": {channel: self.accepted[channel] for channel in ("email", "sms")},
            "refused": {channel: self.refused[channel] for channel in ("email", "sms")},
            "unknown": self.unknown.total(),
            "tried_again": self.deferred,
            "withheld": dict(self.withheld.most_common()),
        }


@dataclass(frozen=True, slots=True)
class Received:
    """What the doubles themselves received of one campaign."""

    name: str
    mails: int
    sms: int


@dataclass(frozen=True, slots=True)
class Left:
    """One client who said no between the campaigns; silent if neither double received anything for them afterwards."""

    role: Role
    name: str
    when: datetime
    messages_before: int
    messages_after: int

    @property
    def is_silent(self) -> bool:
        """Say whether the client got the first campaign and nothing of the second."""
        return self.messages_before == 1 and self.messages_after == 0

    def as_json(self) -> dict[str, Any]:
        """Return the leaving with stable keys."""
        return {
            "how": self.role.name.lower(),
            "when": stamp(self.when),
            "who": self.name,
            "messages_before": self.messages_before,
            "messages_after": self.messages_after,
            "confirmed_silent": self.is_silent,
        }


@dataclass(frozen=True, slots=True)
class Tampering:
    """One byte of a copy of the ledger altered: which entry it was, and what the audit of the copy said."""

    entry: int
    before: str
    after: str
    was_refused_first: bool
    findings: tuple[str, ...]
    named: bool

    def as_json(self) -> dict[str, Any]:
        """Return the tampering with stable keys."""
        return {
            "entry": self.entry,
            "byte": {"before": self.before, "after": self.after},
            "database_refused_at_first": self.was_refused_first,
            "named": self.named,
            "findings": list(self.findings),
        }


@dataclass(frozen=True, slots=True)
class Audited:
    """The audit of the year, in each of its forms, and of the tampered copy; no paper where typst is not installed."""

    year: int
    ok: bool
    findings: tuple[str, ...]
    report: Mapping[str, Any]
    text: str
    csv: str
    tampering: Tampering
    paper: bytes | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the audit with stable keys."""
        return {
            "year": self.year,
            "ok": self.ok,
            "findings": list(self.findings),
            "tampering": self.tampering.as_json(),
            "report": dict(self.report),
        }


@dataclass(slots=True)
class Account:
    """Everything a run came to; it is in order only if every check holds."""

    studio: str
    imports: list[Imported] = field(default_factory=list)
    campaigns: list[Sent] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    audit: Audited | None = None
    checks: list[Check] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)

    def check(self, name: str, expected: object, actual: object) -> None:
        """Add one check."""
        self.checks.append(Check(name, expected, actual))

    @property
    def ok(self) -> bool:
        """Say whether everything holds."""
        return bool(self.checks) and all(check.ok for check in self.checks)

    def as_json(self) -> dict[str, Any]:
        """Return the account as one object with stable keys."""
        return {
            "ok": self.ok,
            "studio": self.studio,
            "register": [each.as_json() for each in self.imports],
            "campaigns": [each.as_json() for each in self.campaigns],
            "left": [each.as_json() for each in self.left],
            "sinks": {
                "mails": sum(each.mails for each in self.received),
                "sms": sum(each.sms for each in self.received),
                "campaigns": [{"name": each.name, "mails": each.mails, "sms": each.sms} for each in self.received],
            },
            "audit": self.audit.as_json() if self.audit else None,
            "checks": [each.as_json() for each in self.checks],
            "files": self.files,
        }
