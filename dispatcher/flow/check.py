"""Campaign file -> what is wrong with it, found before anything is sent: every message is rendered."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from dispatcher.campaign_files import read_campaign
from dispatcher.errors import CampaignFileError, DispatcherError, RenderingError
from dispatcher.flow import audience
from dispatcher.flow.audience import Counts
from dispatcher.flow.coverage import coverage
from dispatcher.flow.policy import Policy
from dispatcher.flow.preparing import Prepared, Press
from dispatcher.rendering.templates import Templates
from dispatcher.rules.calendar import always_open
from dispatcher.rules.campaign import Campaign
from dispatcher.rules.decision import Send, Wait, decide
from dispatcher.rules.message import Sms
from dispatcher.storage import clients
from dispatcher.storage.facts import Known
from dispatcher.storage.store import Store

_PREVIEW_ID = "check"


@dataclass(slots=True)
class CheckReport:
    """What a check found: errors block scheduling; `segments` counts SMS by their number of parts."""

    name: str
    errors: list[str] = field(default_factory=list)
    rendered: int = 0
    counts: Counts = field(default_factory=Counts)
    segments: Counter[int] = field(default_factory=Counter)

    @property
    def ok(self) -> bool:
        """Say whether the campaign can be scheduled."""
        return not self.errors

    def raise_for_errors(self) -> None:
        """Raise CampaignFileError with every error found."""
        if self.errors:
            raise CampaignFileError("\n".join(self.errors))


class Check:
    """Renders a campaign for its whole audience without sending anything."""

    def __init__(self, store: Store, policy: Policy, press: Press, templates: Path) -> None:
        self._store = store
        self._policy = policy
        self._press = press
        self._templates = templates

    def run(self, path: Path, progress: Callable[[int, int], None] = lambda _done, _all: None) -> CheckReport:
        """Check a campaign file and return what was found."""
        report = CheckReport(path.stem)
        try:
            campaign = read_campaign(path, self._policy.zone)
            prepared = self._press.prepare(campaign, Templates.from_directory(self._templates))
        except (CampaignFileError, RenderingError) as error:
            report.errors.append(str(error))
            return report
        self._render_all(campaign, prepared, report, progress)
        return report

    def _render_all(
        self, campaign: Campaign, prepared: Prepared, report: CheckReport, progress: Callable[[int, int], None]
    ) -> None:
        now = max(self._store.clock(), campaign.send_at)
        done = 0
        with self._store.reading() as connection:
            facts = self._policy.facts(campaign, coverage(connection, self._policy))
            facts_at_any_hour = replace(facts, windows=always_open(self._policy.zone))
            total = clients.count(connection)
            for chunk in audience.chunks(connection, self._store, self._policy, None, now):
                for known in chunk:
                    if campaign.audience.includes(known.client.language, known.client.last_visit):
                        verdict = decide(known.facts, facts, now)
                        report.counts.add(verdict)
                        # Who only waits for an hour or a turn gets the message too, so it is rendered as well.
                        sure = decide(known.facts, facts_at_any_hour, now) if isinstance(verdict, Wait) else verdict
                        if isinstance(sure, Send):
                            self._render(prepared, known, sure, report, now)
                done += len(chunk)
                progress(done, total)

    def _render(self, prepared: Prepared, known: Known, send: Send, report: CheckReport, now: datetime) -> None:
        try:
            shared = known.facts.addresses[send.channel].shared
            message = prepared.message(known.client, send, _PREVIEW_ID, now, is_shared=shared)
        except DispatcherError as error:
            sentence = str(error)
            if sentence not in report.errors:
                report.errors.append(sentence)
            return
        report.rendered += 1
        if isinstance(message.content, Sms):
            report.segments[message.content.segments] += 1
