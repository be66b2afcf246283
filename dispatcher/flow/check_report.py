"""What a check has found, and what its counts come to: parts, cost, sizes, and who would get the offer too late."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from dispatcher.campaign_files.lines import Path as Key
from dispatcher.campaign_files.lines import line_of
from dispatcher.errors import CampaignFileError, DispatcherError, Finding, Severity
from dispatcher.flow.audience import Counts
from dispatcher.rules.campaign import Campaign, Channel, Language
from dispatcher.rules.cost import Priced, Tariff, total
from dispatcher.rules.decision import Reason, Verdict, Wait, Withhold
from dispatcher.rules.message import Email, Sms
from dispatcher.rules.processing import Processing
from dispatcher.rules.sms import measure

_HOURS_TO_USE = timedelta(days=2)
"""How long before its end an offer has to arrive, so that somebody can still book."""


@dataclass(slots=True)
class CheckReport:
    """What a check found: findings of severity error block scheduling, warnings do not.

    `texts` counts text messages by what they are paid for, `cost` is what they cost together and `spent` what the
    calendar year has cost so far, in euros; `nameless` are those that leave the client's name out to be short enough.
    `largest` is the size of the largest mail in bytes. `plan` says when the messages of each channel leave; `later`
    counts those that only wait for the hours of their channel.
    """

    name: str
    findings: list[Finding] = field(default_factory=list)
    rendered: int = 0
    counts: Counts = field(default_factory=Counts)
    texts: Counter[Priced] = field(default_factory=Counter)
    nameless: int = 0
    tariff: Tariff = field(default_factory=Tariff)
    spent: Decimal = Decimal(0)
    largest: int = 0
    plan: tuple[str, ...] = ()
    later: Counter[Channel] = field(default_factory=Counter)

    @property
    def ok(self) -> bool:
        """Say whether the campaign can be scheduled."""
        return not self.errors

    @property
    def errors(self) -> list[Finding]:
        """Return what blocks scheduling."""
        return [each for each in self.findings if each.severity is Severity.ERROR]

    @property
    def warnings(self) -> list[Finding]:
        """Return what somebody should look at."""
        return [each for each in self.findings if each.severity is Severity.WARNING]

    @property
    def segments(self) -> Counter[int]:
        """Return the text messages by their number of parts."""
        found: Counter[int] = Counter()
        for each, number in self.texts.items():
            found[each.parts] += number
        return found

    @property
    def cost(self) -> Decimal:
        """Return what the text messages cost together, in euros."""
        return total(self.texts)

    @property
    def remarks(self) -> list[Finding]:
        """Return what the program does by itself, and how to have it otherwise."""
        return [each for each in self.findings if each.severity is Severity.REMARK]

    def raise_for_errors(self) -> None:
        """Raise CampaignFileError with every error found."""
        if self.errors:
            raise CampaignFileError("\n".join(str(each) for each in self.errors), self.errors)

    def add(self, *findings: Finding) -> None:
        """Add what was found, each once."""
        self.findings += [each for each in dict.fromkeys(findings) if each not in self.findings]


@dataclass(frozen=True, slots=True)
class Written:
    """The campaign file as it is written: what findings call it, and on which line each key stands."""

    label: str
    lines: Mapping[Key, int]

    def finding(self, severity: Severity, what: str, fix: str, *key: str) -> Finding:
        """Return a finding on the line of a key, or of the nearest thing around it."""
        return Finding(self.label, line_of(key, self.lines), severity, what, fix)

    def findings_of(self, error: DispatcherError, *key: str) -> list[Finding]:
        """Return what an error was raised for, on the line of a key of this file where the error names no other."""
        if error.findings:
            return list(error.findings)
        what, _, fix = str(error).rstrip(".").partition(": ")
        return [self.finding(Severity.ERROR, what, fix or "correct it there", *key)]


@dataclass(slots=True)
class Tally:
    """Counts what a campaign's messages are like while they are made, and says at the end what is wrong with it."""

    campaign: Campaign
    written: Written
    tariff: Tariff
    late: int = 0
    full: int = 0
    texts: Counter[Language] = field(default_factory=Counter)
    letters: Counter[tuple[Language, str]] = field(default_factory=Counter)

    def hear(self, verdict: Verdict, until: date | None) -> None:
        """Count a verdict; `until` is the local date until which it waits, where it says one."""
        ends = self.campaign.valid_until
        if isinstance(verdict, Wait) and ends is not None and until is not None and ends - until < _HOURS_TO_USE:
            self.late += 1
        self.full += isinstance(verdict, Withhold) and verdict.reason is Reason.FREQUENCY_CAP

    def see(self, content: Email | Sms, language: Language, report: CheckReport) -> None:
        """Count one finished message."""
        report.rendered += 1
        if isinstance(content, Email):
            report.largest = max(report.largest, len(content.content))
            return
        report.nameless += content.leaves_name_out
        self.texts[language] += 1
        for letter in measure(content.text).forcing:
            self.letters[language, letter] += 1

    def findings(self, report: CheckReport, year: int) -> list[Finding]:
        """Return what is wrong with parts, cost and dates once every message has been seen."""
        return [*self._parts(report), *self._cost(report, year), *self._dates()]

    def _parts(self, report: CheckReport) -> list[Finding]:
        found = []
        if report.nameless:
            what = (
                f"{_many(report.nameless, 'client')} would get a text message of too many parts with their name in it, "
                "and are not called by it (S-05)"
            )
            fix = "shorten sms under [offer] if they should be, or raise most_parts"
            found.append(self.written.finding(Severity.REMARK, what, fix, "offer", "sms"))
        for (language, letter), number in sorted(self.letters.items()):
            if number == self.texts[language] and number > 1:
                what = (
                    f"the sign {letter!r} makes every text message in {language} hold less than half a part's letters"
                )
                fix = "write another sign for it (S-04, S-06)"
                found.append(self.written.finding(Severity.WARNING, what, fix, "offer", "sms", language.value))
        return found

    def _cost(self, report: CheckReport, year: int) -> list[Finding]:
        found = []
        cost, tariff = report.cost, self.tariff
        shorter = "shorten sms under [offer], write to fewer, or raise"
        if cost > tariff.campaign_ceiling:
            what = f"the text messages cost {cost} €, and a campaign may cost {tariff.campaign_ceiling} €"
            fix = f"{shorter} campaign_ceiling under [sms] in dispatcher.toml"
            found.append(self.written.finding(Severity.ERROR, what, fix, "channels"))
        if cost and report.spent + cost > tariff.year_ceiling:
            what = (
                f"the text messages cost {cost} €, {year} has cost {report.spent} € so far, "
                f"and a year may cost {tariff.year_ceiling} €"
            )
            fix = f"{shorter} year_ceiling under [sms] in dispatcher.toml"
            found.append(self.written.finding(Severity.ERROR, what, fix, "channels"))
        return found

    def _dates(self) -> list[Finding]:
        found = []
        if self.late:
            what = f"{_many(self.late, 'client')} would get the offer on its last day or the day before"
            fix = "write a later valid_until, or an earlier send_at"
            found.append(self.written.finding(Severity.WARNING, what, fix, "valid_until"))
        if self.full and self.campaign.valid_until is not None:
            what = (
                f"{_many(self.full, 'client')} at twelve messages would have room again only after the offer has ended"
            )
            fix = "write a later valid_until if they should get it, or leave them out"
            found.append(self.written.finding(Severity.WARNING, what, fix, "valid_until"))
        return found


def of_moment(campaign: Campaign, written: Written, now: datetime, day: date) -> list[Finding]:
    """Return what is wrong with the moment of a campaign, whose local date is `day`, seen from now (aware UTC)."""
    found = []
    if campaign.send_at < now:
        what = "the moment of the campaign has passed"
        found.append(written.finding(Severity.ERROR, what, "write a later send_at to schedule it", "send_at"))
    if campaign.valid_until is not None and campaign.valid_until < day:
        found.append(
            written.finding(
                Severity.ERROR, "the offer ends before it is sent", "write a later valid_until", "valid_until"
            )
        )
    elif campaign.valid_until is not None and campaign.valid_until - day < _HOURS_TO_USE:
        what = f"the offer ends {'on the day' if campaign.valid_until == day else 'the day after'} it is sent"
        found.append(written.finding(Severity.WARNING, what, "write a later valid_until", "valid_until"))
    return found


def of_parts(campaign: Campaign, written: Written, tariff: Tariff) -> list[Finding]:
    """Return whether a campaign asks for longer text messages than the settings allow (S-05)."""
    if campaign.most_parts is None or campaign.most_parts <= tariff.most_parts:
        return []
    what = f"most_parts is {campaign.most_parts}, and the settings allow {tariff.most_parts}"
    fix = f"write {tariff.most_parts} or fewer, or raise most_parts under [sms] in dispatcher.toml"
    return [written.finding(Severity.ERROR, what, fix, "most_parts")]


def of_hosts(channels: Sequence[Channel], processing: Processing, written: Written, *, eu_only: bool) -> list[Finding]:
    """Return which companies outside the EU and EEA the campaign's messages would go through (L-42)."""
    severity = Severity.ERROR if eu_only else Severity.WARNING
    return [
        Finding(
            written.label,
            line_of((each.channel.value,), written.lines),
            severity,
            f"{each.name} ({each.country}) carries the {each.channel} messages and is outside the EU",
            "choose a company in the EU or EEA: the privacy notice promises it",
        )
        for each in processing.processors
        if each.channel in channels and each.channel is not None and not each.is_inside
    ]


def _many(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
