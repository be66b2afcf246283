"""Campaign file -> what is wrong with it, found before anything is sent: every message is rendered."""

import tomllib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from dispatcher.campaign_files import read_campaign
from dispatcher.campaign_files.lines import key_lines
from dispatcher.errors import CampaignFileError, DispatcherError, Finding, RenderingError, Severity
from dispatcher.flow import audience
from dispatcher.flow.check_report import CheckReport, Tally, Written, of_hosts, of_moment, of_parts
from dispatcher.flow.coverage import coverage
from dispatcher.flow.freezing import picture_of
from dispatcher.flow.policy import Policy
from dispatcher.flow.preparing import Prepared, Press
from dispatcher.flow.timing import Timing
from dispatcher.rendering.templates import Templates
from dispatcher.rules import cost
from dispatcher.rules.calendar import always_open, local_date
from dispatcher.rules.campaign import Campaign, Channel
from dispatcher.rules.cost import Tariff
from dispatcher.rules.decision import Send, Wait, decide
from dispatcher.rules.message import NO_MESSAGE, Sms
from dispatcher.rules.processing import Processing
from dispatcher.storage import campaigns, clients, outbox
from dispatcher.storage.facts import Known
from dispatcher.storage.store import Store


@dataclass(frozen=True, slots=True)
class CheckRules:
    """What a check measures a campaign by beside its words: what text messages cost, and who carries what, from where.

    `settings` is the file in which the companies are named.
    """

    tariff: Tariff
    processing: Processing
    settings: Path
    eu_only: bool


class Check:
    """Renders a campaign for its whole audience without sending anything."""

    def __init__(
        self, store: Store, policy: Policy, press: Press, templates: Path, rules: CheckRules, timing: Timing
    ) -> None:
        self._store = store
        self._policy = policy
        self._press = press
        self._templates = templates
        self._rules = rules
        self._timing = timing

    def run(
        self,
        path: Path,
        progress: Callable[[int, int], None] = lambda _done, _all: None,
        at: datetime | None = None,
    ) -> CheckReport:
        """Check a campaign file and return what was found, as if `at` were its moment where that is given."""
        report = CheckReport(path.stem, tariff=self._rules.tariff)
        try:
            campaign = read_campaign(path, self._policy.zone)
            templates = Templates.from_directory(self._templates)
        except (CampaignFileError, RenderingError) as error:
            report.add(*Written(str(path), {}).findings_of(error))
            return report
        campaign = campaign if at is None else replace(campaign, send_at=at)
        written, source = _written(path)
        day = local_date(campaign.send_at, self._policy.zone)
        try:
            picture = picture_of(path, campaign, source.encode())
        except CampaignFileError as error:
            picture = None
            report.add(*error.findings)
        report.add(*self._press.survey(campaign, templates, picture, str(path), source))
        report.add(
            *of_moment(campaign, written, self._store.clock(), day), *of_parts(campaign, written, self._rules.tariff)
        )
        report.add(*self._hosts(campaign))
        try:
            prepared = self._press.prepare(campaign, templates, picture)
        except RenderingError as error:
            if report.ok:
                report.add(*written.findings_of(error))
            return report
        tally = Tally(campaign, written, self._rules.tariff)
        self._render_all(campaign, prepared, tally, report, progress)
        report.spent = self._spent(day)
        report.add(*tally.findings(report, day.year))
        self._foretell(campaign, written, report)
        return report

    def require(self, path: Path, at: datetime | None = None) -> list[str]:
        """Return what to know of a campaign file that is in order. Raises CampaignFileError with every error found."""
        report = self.run(path, at=at)
        report.raise_for_errors()
        return [*map(str, report.warnings), *report.plan]

    def _foretell(self, campaign: Campaign, written: Written, report: CheckReport) -> None:
        """Say when its messages leave, and why they cannot at its moment."""
        with self._store.reading() as connection:
            known = campaigns.by_name(connection, campaign.name)
        counts = {channel: report.counts.send[channel.value] + report.later[channel] for channel in campaign.channels}
        timetable = self._timing.of(campaign, counts, known.id if known else None)
        report.plan = timetable.plan
        for severity, sentences in (
            (Severity.WARNING, timetable.warnings),
            (Severity.ERROR, timetable.refusals),
        ):
            for sentence in sentences:
                what, _, fix = sentence.rstrip(".").partition(": ")
                report.add(written.finding(severity, what, fix, "send_at"))

    def _hosts(self, campaign: Campaign) -> list[Finding]:
        written, _ = _written(self._rules.settings)
        return of_hosts(campaign.channels, self._rules.processing, written, eu_only=self._rules.eu_only)

    def _spent(self, day: date) -> Decimal:
        """Return what the text messages of this day's calendar year have cost so far."""
        first, last = date(day.year, 1, 1), date(day.year, 12, 31)
        with self._store.reading() as connection:
            return cost.total(outbox.texts_between(connection, first, last, self._rules.tariff.part))

    def _render_all(
        self,
        campaign: Campaign,
        prepared: Prepared,
        tally: Tally,
        report: CheckReport,
        progress: Callable[[int, int], None],
    ) -> None:
        now = max(self._store.clock(), campaign.send_at)
        done = 0
        with self._store.reading() as connection:
            facts = self._policy.facts(campaign, coverage(connection, self._policy))
            foreseen = audience.Foreseen(facts)
            facts_at_any_hour = replace(facts, windows=always_open(self._policy.zone))
            total = clients.count(connection)
            for chunk in audience.chunks(connection, self._store, self._policy, None, now):
                for known in chunk:
                    if campaign.audience.includes(known.client.language, known.client.last_visit):
                        verdict = foreseen.verdict(known.facts, now)
                        report.counts.add(verdict)
                        until = verdict.until if isinstance(verdict, Wait) else None
                        tally.hear(verdict, local_date(until, self._policy.zone) if until else None)
                        # Who only waits for an hour or a turn gets the message too, so it is rendered as well.
                        sure = decide(known.facts, facts_at_any_hour, now) if isinstance(verdict, Wait) else verdict
                        if isinstance(sure, Send):
                            report.later[sure.channel] += isinstance(verdict, Wait)
                            self._render(prepared, known, sure, tally, report, now)
                done += len(chunk)
                progress(done, total)

    def _render(
        self, prepared: Prepared, known: Known, send: Send, tally: Tally, report: CheckReport, now: datetime
    ) -> None:
        try:
            shared = known.facts.addresses[send.channel].shared
            message = prepared.message(known.client, send, NO_MESSAGE, now, is_shared=shared)
        except DispatcherError as error:
            key = ("offer", "sms") if send.channel is Channel.SMS else ()
            report.add(*tally.written.findings_of(error, *key))
            return
        tally.see(message.content, known.client.language, report)
        if isinstance(message.content, Sms):
            report.texts[prepared.priced(message.content)] += 1


def _written(path: Path) -> tuple[Written, str]:
    """Return on which line each key of a TOML file stands, as far as that can be told, and its text."""
    source = ""
    with suppress(OSError, ValueError, RecursionError):
        source = path.read_text(encoding="utf-8")
        tomllib.loads(source)
        return Written(str(path), key_lines(source)), source
    return Written(str(path), {}), source
