"""Whom a campaign would reach now, and for each other client the reason why not."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from dispatcher.campaign_files import read_campaign
from dispatcher.errors import RenderingError
from dispatcher.flow.coverage import coverage
from dispatcher.flow.looking import note_look
from dispatcher.flow.policy import Policy
from dispatcher.flow.preparing import Prepared, Press
from dispatcher.rendering.templates import Templates
from dispatcher.rules.actor import Actor
from dispatcher.rules.address import masked
from dispatcher.rules.calendar import local_date
from dispatcher.rules.campaign import Audience, Campaign, Channel, Language
from dispatcher.rules.decision import CampaignFacts, ClientFacts, Reason, Send, Verdict, Wait, Withhold, decide
from dispatcher.rules.ledger import Json
from dispatcher.rules.message import NO_MESSAGE, Sms
from dispatcher.storage import clients
from dispatcher.storage.database import Connection
from dispatcher.storage.facts import Known, gather
from dispatcher.storage.store import Store

CHUNK = 500


@dataclass(slots=True)
class Counts:
    """How many clients get a Send by which channel, wait for which reason, or are withheld for which."""

    send: Counter[str] = field(default_factory=Counter)
    wait: Counter[str] = field(default_factory=Counter)
    withhold: Counter[str] = field(default_factory=Counter)

    def add(self, verdict: Verdict) -> None:
        """Count one verdict."""
        if isinstance(verdict, Send):
            self.send[verdict.channel.value] += 1
        elif isinstance(verdict, Wait):
            self.wait[verdict.reason.value] += 1
        else:
            self.withhold[verdict.reason.value] += 1

    @property
    def reachable(self) -> int:
        """Return how many may be written to, now or when what they wait for has come."""
        return self.send.total() + self.wait.total()


def chunks(
    connection: Connection, store: Store, policy: Policy, campaign: int | None, now: datetime
) -> Iterator[list[Known]]:
    """Yield everybody in the register in order of number, a chunk at a time."""
    after = -1
    today = local_date(now, policy.zone)
    while numbers := clients.page(connection, after, CHUNK):
        after = numbers[-1]
        known = gather(connection, store.ring, numbers, campaign, today, now)
        yield [known[number] for number in numbers if number in known]


class Foreseen:
    """The verdicts a plan of this campaign would come to: who shares an inbox with an earlier client is left out.

    Clients are asked about in order of number, as a plan does.
    """

    def __init__(self, facts: CampaignFacts) -> None:
        self._facts = facts
        self._taken: set[int] = set()

    def verdict(self, client: ClientFacts, now: datetime) -> Verdict:
        """Return the verdict of one client who is in the audience."""
        addresses = {
            channel: replace(held, got_this_campaign=held.got_this_campaign or held.address in self._taken)
            for channel, held in client.addresses.items()
        }
        verdict = decide(replace(client, addresses=addresses), self._facts, now)
        if isinstance(verdict, Withhold):
            return verdict
        held = addresses.get(verdict.channel or self._facts.channels[0])
        if held is not None and held.got_this_campaign:
            return Withhold(Reason.ALREADY_SENT_OR_UNKNOWN)
        if held is not None:
            self._taken.add(held.address)
        return verdict


@dataclass(frozen=True, slots=True)
class Member:
    """One client of an audience as a list shows them: number, language, masked address, and the verdict."""

    number: int
    language: Language
    address: str
    verdict: Verdict

    @property
    def reason(self) -> Reason | None:
        """Return why not, or why not yet; None for who gets the message."""
        return None if isinstance(self.verdict, Send) else self.verdict.reason

    def as_json(self) -> dict[str, Json]:
        """Return the line with stable keys."""
        verdict = self.verdict
        return {
            "number": self.number,
            "language": self.language.value,
            "address": self.address,
            "verdict": type(verdict).__name__.lower(),
            "channel": verdict.channel.value if not isinstance(verdict, Withhold) and verdict.channel else None,
            "reason": self.reason.value if self.reason else None,
        }


@dataclass(slots=True)
class AudienceReport:
    """Whom a campaign would reach at `at` (aware UTC), and for the others why not.

    `outside` counts those its file does not address, by what leaves them out: `language` or `last_visit`. `nameless` of
    the text messages leave the client's name out to be short enough (S-05); `unmade` is why none can be made, if so.
    """

    name: str
    at: datetime
    counts: Counts = field(default_factory=Counts)
    outside: Counter[str] = field(default_factory=Counter)
    members: list[Member] = field(default_factory=list)
    nameless: int = 0
    unmade: str = ""


class Audiences:
    """Looks at whom a campaign file would reach; text messages are made to see how long they are, nothing is sent."""

    def __init__(self, store: Store, policy: Policy, press: Press, templates: Path) -> None:
        self._store = store
        self._policy = policy
        self._press = press
        self._templates = templates

    def run(self, path: Path, progress: Callable[[int, int], None] = lambda _done, _all: None) -> AudienceReport:
        """Return the counts of a campaign file's audience at its moment, and each member. Raises CampaignFileError."""
        campaign = read_campaign(path, self._policy.zone)
        now = max(self._store.clock(), campaign.send_at)
        report, done = AudienceReport(campaign.name, now), 0
        prepared = self._prepared(campaign, report)
        with self._store.reading() as connection:
            foreseen = Foreseen(self._policy.facts(campaign, coverage(connection, self._policy)))
            total = clients.count(connection)
            for chunk in chunks(connection, self._store, self._policy, None, now):
                for known in chunk:
                    verdict = self._take(report, campaign, foreseen, known)
                    if prepared is not None and isinstance(verdict, Send) and verdict.channel is Channel.SMS:
                        report.nameless += _leaves_name_out(prepared, known, verdict, now)
                done += len(chunk)
                progress(done, total)
        return report

    def shown(self, path: Path, actor: Actor, progress: Callable[[int, int], None]) -> AudienceReport:
        """Return the same, once it is on disk that this person looks at so many clients."""
        report = self.run(path, progress)
        note_look(self._store, actor, "campaign audience", len(report.members))
        return report

    def _prepared(self, campaign: Campaign, report: AudienceReport) -> Prepared | None:
        """Return the campaign with its words compiled, where it has text messages and they can be made."""
        if Channel.SMS not in campaign.channels:
            return None
        try:
            # A picture is in the emails alone, and only text messages are made here.
            by_sms = replace(campaign, picture=None)
            return self._press.prepare(by_sms, Templates.from_directory(self._templates), None)
        except RenderingError as error:
            report.unmade = str(error)
            return None

    def _take(self, report: AudienceReport, campaign: Campaign, foreseen: Foreseen, known: Known) -> Verdict | None:
        """Count a client, and return the verdict of one who is in the audience."""
        client, wanted = known.client, campaign.audience
        if not wanted.includes(client.language, client.last_visit):
            is_foreign = bool(wanted.languages) and client.language not in wanted.languages
            report.outside["language" if is_foreign else "last_visit"] += 1
            return None
        verdict = foreseen.verdict(known.facts, report.at)
        report.counts.add(verdict)
        channel = None if isinstance(verdict, Withhold) else verdict.channel
        order = campaign.channels if channel is None else (channel,)
        held = [client.addresses[each] for each in order if each in client.addresses]
        address = masked(held[0].canonical) if held else ""
        report.members.append(Member(client.number, client.language, address, verdict))
        return verdict


def _leaves_name_out(prepared: Prepared, known: Known, send: Send, now: datetime) -> bool:
    shared = known.facts.addresses[send.channel].shared
    content = prepared.message(known.client, send, NO_MESSAGE, now, is_shared=shared).content
    return isinstance(content, Sms) and content.leaves_name_out


def count(store: Store, policy: Policy, facts: CampaignFacts, audience: Audience, now: datetime) -> Counts:
    """Count the verdicts of everybody the audience includes, at this moment."""
    counts = Counts()
    with store.reading() as connection:
        for chunk in chunks(connection, store, policy, None, now):
            for known in chunk:
                if audience.includes(known.client.language, known.client.last_visit):
                    counts.add(decide(known.facts, facts, now))
    return counts
