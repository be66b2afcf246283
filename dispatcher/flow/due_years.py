"""Which years have been kept for their time, so that their messages are to go, and what keeps one longer (L-37)."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

from dispatcher.flow.closing import FOLDER, closed_years
from dispatcher.flow.policy import Policy
from dispatcher.rules.calendar import day_span, local_date
from dispatcher.rules.campaign import OVER
from dispatcher.rules.destroyed import Destruction, last_to_go
from dispatcher.rules.ledger import Json
from dispatcher.storage import campaigns, destroyed, reports
from dispatcher.storage.database import Connection
from dispatcher.storage.store import Store


@dataclass(frozen=True, slots=True)
class DueYear:
    """A year whose messages are to be destroyed: how many entries tell of them, and what keeps it, if anything does.

    `campaigns` are the numbers of those whose messages go, `seal` is the one it was closed under and `findings` how
    many it had then. `is_begun` says that an entry tells of it already, and the rest is still to go; `is_evidence` that
    nothing but those findings keeps it, of which a person may let it go.
    """

    year: int
    campaigns: tuple[int, ...]
    entries: int
    seal: int | None = None
    findings: int = 0
    refusal: str | None = None
    is_begun: bool = False
    is_evidence: bool = False

    def as_json(self) -> dict[str, Json]:
        """Return the year with stable keys."""
        told: dict[str, Json] = {name: getattr(self, name) for name in ("year", "entries", "seal", "findings")}
        return {**told, "campaigns": list(self.campaigns), "kept_by": self.refusal, "begun": self.is_begun}


@dataclass(frozen=True, slots=True)
class YearsOverview:
    """Which years are due, and since when a person lets them be destroyed by themselves."""

    due: tuple[DueYear, ...]
    confirmed_at: datetime | None

    @property
    def ready(self) -> tuple[DueYear, ...]:
        """Return those that nothing keeps."""
        return tuple(each for each in self.due if each.refusal is None)

    @property
    def waits_for_confirmation(self) -> bool:
        """Say whether a person's word is missing."""
        return self.confirmed_at is None and any(not each.is_begun for each in self.ready)

    @property
    def overdue(self) -> list[int]:
        """Return the years that should have been destroyed by now and cannot be."""
        return [each.year for each in self.due if each.refusal is not None or self.waits_for_confirmation]

    @property
    def refusal(self) -> str | None:
        """Say what stands in the way, and what to do about it; None where nothing does."""
        said = [each.refusal for each in self.due if each.refusal is not None]
        if self.waits_for_confirmation:
            years = ", ".join(str(each.year) for each in self.ready)
            said.append(
                f"The messages of {years} have been kept for their time and are to be destroyed: look at them with "
                "`dispatcher retention show`, then run `dispatcher retention run --confirm`. From then on it happens "
                "by itself. Nothing was destroyed."
            )
        return " ".join(said) or None

    def as_json(self) -> dict[str, Json]:
        """Return the overview with stable keys."""
        return {
            "due": [each.as_json() for each in self.due],
            "confirmed": self.confirmed_at is not None,
            "refusal": self.refusal,
        }


@dataclass(frozen=True, slots=True)
class ClosedUnder:
    """How a year was closed: under which seal, with which bundle, by its hash, and with how many findings."""

    seal: int
    bundle: str
    findings: int


class DueYears:
    """Finds the years whose time is over: each once `kept` closed years have followed it."""

    def __init__(self, store: Store, policy: Policy, directory: Path, kept: int) -> None:
        self._store = store
        self._policy = policy
        self._directory = directory
        self.kept = kept

    def show(self) -> YearsOverview:
        """Return which years are due, and what stands in the way of each."""
        with self._store.reading() as connection:
            return YearsOverview(tuple(self._due(connection)), destroyed.confirmed_at(connection))

    def services(self, connection: Connection, year: int) -> list[tuple[int, int, str]]:
        """Return number, group and digest of each entry of the service messages of a year."""
        return destroyed.services_of(connection, self._begins(year), self.ends(year))

    def ends(self, year: int) -> datetime:
        """Return the moment at which a year is over where the business is."""
        return self._begins(year + 1)

    def _begins(self, year: int) -> datetime:
        first, _ = day_span(date(year, 1, 1), self._policy.zone)
        return first

    def _due(self, connection: Connection) -> Iterator[DueYear]:
        today = local_date(self._store.clock(), self._policy.zone)
        first = local_date(reports.began_at(connection), self._policy.zone).year
        years = range(first, last_to_go(today, self.kept) + 1)
        if not years:
            return
        told = {each.year: each for each in destroyed.told(connection)}
        open_years = [year for year in years if year not in told]
        ended = self._ended(connection, told.values()) if open_years else {}
        closed = closings(connection)
        for year in years:
            if year in told:
                if destroyed.still_stands(connection, year):
                    yield _begun(told[year])
                continue
            mine = {campaign: entries for campaign, (of, entries) in ended.items() if of == year}
            entries = sum(mine.values()) + len(self.services(connection, year))
            if entries:
                yield self._judged(DueYear(year, tuple(sorted(mine)), entries), closed)

    def _judged(self, due: DueYear, closed: Mapping[int, ClosedUnder]) -> DueYear:
        """Return a year with what keeps it, if anything does."""
        year, told = due.year, closed.get(due.year)
        if told is None:
            why = f"{year} has not been closed, so nobody has checked it: run `dispatcher audit close {year}`."
            return replace(due, refusal=why)
        due = replace(due, seal=told.seal, findings=told.findings)
        if year + 1 not in closed:
            return replace(
                due,
                refusal=f"{year} waits until {year + 1} has been closed, whose 365 days reach into it: run "
                f"`dispatcher audit close {year + 1}`.",
            )
        if due.findings:
            return replace(
                due,
                refusal=f"{year} was closed with findings ({due.findings}) and is evidence of them: read "
                f"{self._directory / FOLDER / str(year)}, settle them with whom they concern, then run "
                f"`dispatcher retention run --despite-findings {year}`.",
                is_evidence=True,
            )
        return due

    def _ended(self, connection: Connection, told: Iterable[Destruction]) -> dict[int, tuple[int, int]]:
        """Return of each campaign that is over and stands the year of its last entry, and how many are of messages."""
        gone = {number for each in told for number in each.campaigns}
        found = {}
        for each in campaigns.all_scheduled(connection):
            if each.state in OVER and each.id not in gone:
                course = destroyed.of_campaign(connection, each.id)
                if course is not None:
                    found[each.id] = (self._year_of(course), course.entries)
        return found

    def _year_of(self, course: destroyed.Told) -> int:
        """Return the year of a campaign's last entry, or that in which it began to go, whatever is told of it later."""
        last, own = (local_date(each, self._policy.zone).year for each in (course.last, course.own))
        return course.marked if course.marked is not None and own <= course.marked else last


def closings(connection: Connection) -> dict[int, ClosedUnder]:
    """Return the closing of each year that was closed."""
    told = closed_years(connection)
    return {
        int(str(each["year"])): ClosedUnder(int(str(each["seal"])), str(each["bundle"]), int(str(each["findings"])))
        for each in told
    }


def _begun(told: Destruction) -> DueYear:
    campaigns = tuple(sorted(told.campaigns))
    return DueYear(told.year, campaigns, told.entries, told.seal, told.findings, is_begun=True)
