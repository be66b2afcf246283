"""A campaign's moment -> verdicts -> outbox, in chunks with a mark to go on from."""

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

from dispatcher.errors import NoSlotError
from dispatcher.flow import acts
from dispatcher.flow.coverage import coverage
from dispatcher.flow.policy import Policy
from dispatcher.flow.preparing import Press
from dispatcher.rules.actor import duty
from dispatcher.rules.calendar import local_date
from dispatcher.rules.campaign import Campaign, State
from dispatcher.rules.decision import ClientFacts, Reason, Send, Verdict, Wait, Withhold, decide
from dispatcher.rules.ledger import Entry, EntryKind
from dispatcher.rules.life import NO_SLOT, Act
from dispatcher.rules.message import MessageState
from dispatcher.storage import campaigns, clients, outbox
from dispatcher.storage.campaigns import Scheduled
from dispatcher.storage.facts import Known, gather
from dispatcher.storage.locks import Lock, LockKind
from dispatcher.storage.outbox import Planned
from dispatcher.storage.store import Store
from dispatcher.storage.writer import Transaction

_ACTOR = duty("planning")
_CHUNK = 100
"""How many clients the first transaction plans."""
_LEAST, _MOST = 50, 500
_RANDOM = 16
"""Bytes of a message's id, drawn at random: twice as many characters."""
_AIM = 0.04
"""Seconds a chunk should take, whatever the machine: nobody who wants to write waits a tenth of a second for it."""
_NO_MOMENT = timedelta(minutes=15)
"""How soon a message that waits for something other than an hour is looked at again."""


@dataclass(frozen=True, slots=True)
class PlanReport:
    """How many messages a campaign's plan holds, and how many clients are left out."""

    planned: int
    withheld: int


class Plan:
    """Plans campaigns whose moment has come; `ticks` counts seconds and never goes back."""

    def __init__(
        self,
        store: Store,
        policy: Policy,
        press: Press,
        refuse_unless_well: Callable[[], None] = lambda: None,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ticks = ticks
        self._refuse_unless_well = refuse_unless_well
        self._store = store
        self._policy = policy
        self._press = press

    def run(self, scheduled: Scheduled, progress: Callable[[int, int], None] = lambda _done, _all: None) -> PlanReport:
        """Begin a campaign if it has not begun, and put every client's verdict into the outbox.

        Interrupted, it goes on from its mark. Raises JournalError where the database may not be trusted to send.
        """
        self._store.check_trusted()
        with self._store.reading() as connection:
            prepared = self._press.frozen(connection, scheduled)
            total = clients.count(connection)
        if not self._is_open(prepared.campaign):
            # Begun now, it would spend its slot on a day on which nothing of it can leave.
            return PlanReport(0, 0)
        if scheduled.begun_at is None:
            self._refuse_unless_well()
        self._begin(scheduled)
        with self._store.reading() as connection:
            # From here on nobody revises it: these are the words that go out.
            prepared = self._press.frozen(connection, scheduled)
        planned = withheld = done = 0
        size = _CHUNK
        while True:
            began = self._ticks()
            chunk = self._store.write(
                partial(self._plan_chunk, number=scheduled.id, campaign=prepared.campaign, size=size),
                wanted=[Lock(LockKind.CAMPAIGN, scheduled.id)],
            )
            if chunk is None:
                return PlanReport(planned, withheld)
            size = next_size(size, self._ticks() - began)
            planned, withheld, done = planned + chunk[0], withheld + chunk[1], done + chunk[2]
            progress(done, total)

    def _is_open(self, campaign: Campaign) -> bool:
        now = self._store.clock()
        return any(self._policy.windows_of(campaign).is_open(channel, now) for channel in campaign.channels)

    def _begin(self, scheduled: Scheduled) -> None:
        """Spend the slot: the journal knows it before the first message can leave.

        A campaign that was revised since it was found due is left alone: its moment may be another now.
        """

        def work(transaction: Transaction) -> None:
            current = campaigns.by_id(transaction.connection, scheduled.id, for_update=True)
            if current.state is not State.SCHEDULED or current.scheduled_at != scheduled.scheduled_at:
                return
            day = local_date(transaction.now, self._policy.zone)
            try:
                # The slot lies on the day of the first hand-off: on another day than planned it is taken anew.
                acts.room_beside(transaction, current.name, day, self._policy.zone, besides=current.id)
            except NoSlotError:
                acts.do(transaction, current.id, Act.HOLD, _ACTOR, reason=NO_SLOT)
                return
            acts.begin(transaction, current.id, day, _ACTOR)

        years = acts.year_locks(local_date(self._store.clock(), self._policy.zone))
        self._store.write(work, wanted=[*years, Lock(LockKind.CAMPAIGN, scheduled.id)])

    def _plan_chunk(
        self, transaction: Transaction, number: int, campaign: Campaign, size: int
    ) -> tuple[int, int, int] | None:
        """Plan the next clients and return how many were planned, withheld and seen; None once there are no more."""
        connection = transaction.connection
        current = campaigns.by_id(connection, number)
        if current.planned_at is not None or current.state is not State.SENDING:
            return None
        page = clients.page(connection, current.plan_mark, size)
        if not page:
            campaigns.set_plan_mark(connection, number, current.plan_mark, planned_at=transaction.now)
            transaction.ledger.append(Entry(EntryKind.CAMPAIGN, _ACTOR, campaign=number, body={"event": "planned"}))
            return None
        today = local_date(transaction.now, self._policy.zone)
        known = gather(connection, self._store.ring, page, number, today, transaction.now)
        included = [
            known[client]
            for client in page
            if client in known
            and campaign.audience.includes(known[client].client.language, known[client].client.last_visit)
        ]
        rows = self._verdicts(transaction, number, campaign, included)
        outbox.add(connection, rows)
        transaction.ledger.append(*(_entry(number, row) for row in rows))
        campaigns.set_plan_mark(connection, number, page[-1])
        withheld = sum(row.state is MessageState.WITHHELD for row in rows)
        return len(rows) - withheld, withheld, len(page)

    def _verdicts(
        self, transaction: Transaction, number: int, campaign: Campaign, chunk: Sequence[Known]
    ) -> list[Planned]:
        facts = self._policy.facts(campaign, coverage(transaction.connection, self._policy))
        taken: set[int] = set()
        rows = []
        drawn = secrets.token_hex(
            _RANDOM * len(chunk)
        )  # at once: asking the system for each costs as much as a verdict
        for place, known in enumerate(chunk):
            message_id = drawn[place * 2 * _RANDOM : (place + 1) * 2 * _RANDOM]
            own = _with_taken(known.facts, taken)
            verdict = _one_each(own, decide(own, facts, transaction.now), campaign)
            row = _planned(number, message_id, known, verdict, campaign, transaction)
            if row.address is not None:
                taken.add(row.address)
            rows.append(row)
        return rows


def next_size(size: int, seconds: float) -> int:
    """Return how many clients the next chunk takes, after one of this size took so long: at most twice as many."""
    fitting = size * 2 if seconds <= 0 else int(size * min(_AIM / seconds, 2.0))
    return min(max(fitting, _LEAST), _MOST)


def _with_taken(client: ClientFacts, taken: set[int]) -> ClientFacts:
    """Mark the addresses that an earlier client of the same chunk gets this campaign at."""
    if all(facts.address not in taken for facts in client.addresses.values()):
        return client
    marked = {
        channel: replace(facts, got_this_campaign=facts.got_this_campaign or facts.address in taken)
        for channel, facts in client.addresses.items()
    }
    return replace(client, addresses=marked)


def _one_each(client: ClientFacts, verdict: Verdict, campaign: Campaign) -> Verdict:
    """Withhold who would wait for an address that another client gets this campaign at: it holds one message each."""
    if isinstance(verdict, Wait) and client.addresses[verdict.channel or campaign.channels[0]].got_this_campaign:
        return Withhold(Reason.ALREADY_SENT_OR_UNKNOWN)
    return verdict


def _planned(
    number: int, message_id: str, known: Known, verdict: Verdict, campaign: Campaign, transaction: Transaction
) -> Planned:
    client = known.client.number
    if isinstance(verdict, Withhold):
        reason = verdict.reason.value
        return Planned(number, client, message_id, MessageState.WITHHELD, transaction.now, reason=reason)
    if isinstance(verdict, Send):
        channel, not_before = verdict.channel, transaction.now
    else:
        channel = verdict.channel or campaign.channels[0]
        not_before = verdict.until or transaction.now + _NO_MOMENT
    address = known.facts.addresses[channel].address
    return Planned(number, client, message_id, MessageState.WAITING, not_before, channel, address)


def _entry(number: int, row: Planned) -> Entry:
    if row.state is MessageState.WITHHELD:
        body = {"reason": row.reason, "at": "planning"}
        return Entry(EntryKind.WITHHELD, _ACTOR, client=row.client, campaign=number, body=body)
    return Entry(
        EntryKind.PLANNED,
        _ACTOR,
        client=row.client,
        campaign=number,
        channel=row.channel,
        body={"message": row.message_id, "address": row.address},
    )
