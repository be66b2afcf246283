"""The verdict at hand-off: taken again in the transaction of the intent, written down with what it relied on."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import NamedTuple

from dispatcher.errors import RefusedError, RenderingError
from dispatcher.flow import acts
from dispatcher.flow.coverage import coverage
from dispatcher.flow.doors import Doors
from dispatcher.flow.policy import Policy
from dispatcher.flow.preparing import Prepared, Press
from dispatcher.rules.actor import duty
from dispatcher.rules.audit_again import unusual
from dispatcher.rules.calendar import local_date
from dispatcher.rules.campaign import Channel, State
from dispatcher.rules.cost import Priced
from dispatcher.rules.decision import CampaignFacts, Reason, Send, Verdict, Wait, Withhold, decide
from dispatcher.rules.ledger import Entry, EntryKind, Json, canonical, stamp
from dispatcher.rules.life import UNMADE, Act
from dispatcher.rules.message import CampaignMessage, Sms
from dispatcher.rules.terms import terms_body
from dispatcher.storage import campaigns, clients, handoffs, outbox
from dispatcher.storage.campaigns import Scheduled
from dispatcher.storage.facts import Known, gather
from dispatcher.storage.handoffs import Claimed
from dispatcher.storage.ledger import bodies_of_campaign
from dispatcher.storage.locks import Lock, LockKind
from dispatcher.storage.store import Store
from dispatcher.storage.writer import Transaction

_ACTOR = duty("delivery")
LEASE = timedelta(minutes=20)
"""How long a worker holds what it claims, and again what it intends: no reply is waited for as long (E-51)."""
_AT_ONCE = timedelta(0)
_LOOK_AGAIN = timedelta(minutes=15)
"""When a message that waits for something without an hour is looked at again."""


class Writing(NamedTuple):
    """Something to be written: the work, and the locks it takes."""

    work: Callable[[Transaction], bool]
    wanted: Sequence[Lock]


class Passed(NamedTuple):
    """A message that got its Send and its intent, and the row it came from."""

    row: Claimed
    message: CampaignMessage


class _Deciding(NamedTuple):
    """What a batch was decided under: the campaign's facts, the entry of their terms, the local date, the moment.

    `doors` is up to when the letter boxes had been read, None where there is none.
    """

    campaign: CampaignFacts
    terms: int
    day: str
    at: datetime
    doors: datetime | None


class Intended(NamedTuple):
    """A row with its Send and its intent, and what its message is made of; a text message is made already."""

    row: Claimed
    send: Send
    who: Known
    at: datetime
    message: CampaignMessage | None = None


@dataclass(slots=True)
class Decided:
    """What the gate said of a batch; what waits has been given back.

    `shut`: nothing was decided, because the campaign is not being sent now, or the day is another. `unread`: whoever
    would have got theirs waits, because the letter boxes have not been read up to now. `intended` are the rows that
    have their Send and their intent; `make` makes their messages by what is `prepared`.
    """

    prepared: Prepared
    shut: bool = False
    unread: bool = False
    intended: list[Intended] = field(default_factory=list)
    withheld: Counter[str] = field(default_factory=Counter)


class Gate:
    """Decides, for claimed messages, whether each may be handed over now."""

    def __init__(self, store: Store, policy: Policy, press: Press, doors: Doors) -> None:
        self._store = store
        self._doors = doors
        self._policy = policy
        self._press = press

    async def decide(
        self, scheduled: Scheduled, rows: Sequence[Claimed], day: date, first: Writing | None = None
    ) -> Decided:
        """Take the verdict of each claimed message and, for a Send, commit its intent before returning.

        `day` is the local date of this run: a machine that slept into the next must not go on as if nothing were.
        `first` is written in the same transaction before anything is decided, and shares its commit. Raises
        RenderingError where a text message cannot be made; nothing of the batch passes and the campaign is held.
        """
        wanted = [Lock(LockKind.CAMPAIGN, scheduled.id, shared=True), *(first.wanted if first else ())]
        if not self._store.database.is_sqlite:  # which has one writer, and that is the lock
            wanted += await asyncio.to_thread(self._locks, rows)

        def work(transaction: Transaction) -> Decided:
            if first is not None:
                first.work(transaction)
            return self._decide(transaction, scheduled, rows, day)

        try:
            return await asyncio.wrap_future(self._store.submit(work, wanted=wanted))
        except RenderingError:
            await asyncio.to_thread(self._hold, scheduled, UNMADE)
            raise

    def _locks(self, rows: Sequence[Claimed]) -> list[Lock]:
        """Return the locks of the clients of these rows and of every address they have."""
        with self._store.reading() as connection:
            addresses = clients.address_ids(connection, [row.client for row in rows])
        locks = [Lock(LockKind.ADDRESS, address) for ids in addresses.values() for address in ids]
        return [*locks, *(Lock(LockKind.CLIENT, row.client) for row in rows)]

    def make(self, scheduled: Scheduled, decided: Decided) -> list[Passed]:
        """Make and sign the messages of rows with an intent; nobody waits for it with the database.

        Raises RenderingError where one cannot be made; nothing of the batch passes and the campaign is held.
        """
        try:
            return [Passed(each.row, each.message or _made(decided.prepared, each)) for each in decided.intended]
        except RenderingError:
            self._hold(scheduled, UNMADE)
            raise

    def _decide(self, transaction: Transaction, scheduled: Scheduled, rows: Sequence[Claimed], day: date) -> Decided:
        connection, now = transaction.connection, transaction.now
        state, frozen_at = campaigns.standing(connection, scheduled.id)
        # The run has looked at its hours: what is frozen is compiled by now, unless it was changed since.
        prepared = self._press.frozen(connection, scheduled, frozen_at)
        today = local_date(now, self._policy.zone)
        if state is not State.SENDING or today != day:
            return Decided(prepared, shut=True)
        reading = self._doors.seen(connection, now)
        facts = self._policy.facts(prepared.campaign, coverage(connection, self._policy), state)
        facts = replace(facts, doors_read=reading.is_read)
        held = handoffs.still_held(connection, rows, now)
        known = gather(connection, self._store.ring, [row.client for row in rows], scheduled.id, today, now)
        decided = Decided(prepared, unread=not reading.is_read)
        intended = decided.intended
        for row in rows:
            if row.id not in held:
                continue
            verdict = self._verdict(row, known.get(row.client), facts, transaction)
            if not isinstance(verdict, Send):
                self._not_now(transaction, row, verdict, decided)
                continue
            who = known[row.client]
            if (verdict.channel, _address(who, verdict)) != (row.channel, row.address):
                self._move(transaction, row, verdict, who, decided)
                continue
            # What a text message costs stands on its Send entry, so it is made here; it takes microseconds.
            bare = Intended(row, verdict, who, now)
            is_text = row.channel is Channel.SMS
            intended.append(bare._replace(message=_made(prepared, bare)) if is_text else bare)
        priced = {each.row.id: prepared.priced(content) for each in intended if (content := _text_of(each.message))}
        handoffs.set_intents(connection, [each.row for each in intended], now, today, now + LEASE)
        handoffs.set_prices(connection, priced)
        if intended:
            deciding = _Deciding(facts, _terms(transaction, scheduled.id, facts), today.isoformat(), now, reading.up_to)
            transaction.ledger.append(*(self._entry(each, deciding, priced.get(each.row.id)) for each in intended))
        return decided

    def _verdict(self, row: Claimed, known: Known | None, facts: CampaignFacts, transaction: Transaction) -> Verdict:
        if known is None:
            return Withhold(Reason.ERASED)
        # After the first intent the channel never changes: what may have arrived by one must not arrive by another.
        asked = replace(facts, channels=(row.channel,)) if row.attempts else facts
        return decide(known.facts, asked, transaction.now)

    def _move(self, transaction: Transaction, row: Claimed, send: Send, who: Known, decided: Decided) -> None:
        """Give a message over to another channel or address, to be asked again: the planned one is closed or gone."""
        address = _address(who, send)
        if outbox.address_is_taken(transaction.connection, row.campaign, address):
            self._not_now(transaction, row, Withhold(Reason.ALREADY_SENT_OR_UNKNOWN), decided)
        else:
            outbox.move(transaction.connection, row.id, send.channel, address, transaction.now)

    def _not_now(self, transaction: Transaction, row: Claimed, verdict: Wait | Withhold, decided: Decided) -> None:
        if isinstance(verdict, Wait):
            # What waits for a letter box goes on as soon as that has been read, and is late if that takes too long.
            again = transaction.now + (_AT_ONCE if verdict.reason is Reason.DOORS_UNREAD else _LOOK_AGAIN)
            handoffs.give_back(transaction.connection, row.id, verdict.until or again)
            return
        outbox.set_withheld(transaction.connection, row.id, verdict.reason.value)
        decided.withheld[verdict.reason.value] += 1
        body: dict[str, Json] = {"reason": verdict.reason.value, "at": "delivery", "message": row.message_id}
        transaction.ledger.append(
            Entry(EntryKind.WITHHELD, _ACTOR, client=row.client, campaign=row.campaign, body=body)
        )

    def _entry(self, each: Intended, deciding: _Deciding, priced: Priced | None) -> Entry:
        """Return the Send entry: the answer it relies on and the facts it used, so that it can be decided again.

        Where there are letter boxes it tells up to which moment they had been read, and of a text message what it was
        foreseen to cost.
        """
        row, send, facts = each.row, each.send, each.who.facts
        address = facts.addresses[send.channel]
        body: dict[str, Json] = {
            "message": row.message_id,
            "answer": send.answer.entry,
            "address": address.address,
            "attempt": row.attempts + 1,
            "day": deciding.day,
            "client_messages": len(facts.days),
            "address_messages": len(address.days),
            "valid_for_days": self._policy.valid_for.days,
            "policy": self._policy.fingerprint,
            "terms": deciding.terms,
        }
        if not row.attempts:
            body |= unusual(facts, deciding.campaign, send, deciding.at)
        if deciding.doors is not None:
            body["doors"] = stamp(deciding.doors)
        if priced is not None:
            body |= {"parts": priced.parts, "part_price": str(priced.part_price)}
        return Entry(EntryKind.SEND, _ACTOR, client=row.client, campaign=row.campaign, channel=send.channel, body=body)

    def _hold(self, scheduled: Scheduled, reason: str) -> None:
        def work(transaction: Transaction) -> None:
            with suppress(RefusedError):  # somebody has just held or cancelled it: that is as well
                acts.do(transaction, scheduled.id, Act.HOLD, _ACTOR, reason=reason)

        self._store.write(work, wanted=[Lock(LockKind.CAMPAIGN, scheduled.id)])


def _made(prepared: Prepared, each: Intended) -> CampaignMessage:
    """Return the message of a row with its Send. Raises RenderingError."""
    shared = each.who.facts.addresses[each.send.channel].shared
    return prepared.message(each.who.client, each.send, each.row.message_id, each.at, is_shared=shared)


def _terms(transaction: Transaction, campaign: int, facts: CampaignFacts) -> int:
    """Return the entry of the terms a campaign is decided under, written now where there is none of just these."""
    body = terms_body(facts)
    known = bodies_of_campaign(transaction.connection, EntryKind.TERMS.value, campaign).get(canonical(body))
    if known is not None:
        return known
    return transaction.ledger.append(Entry(EntryKind.TERMS, _ACTOR, campaign=campaign, body=body))[0]


def _text_of(message: CampaignMessage | None) -> Sms | None:
    return message.content if message is not None and isinstance(message.content, Sms) else None


def _address(who: Known, send: Send) -> int:
    return who.facts.addresses[send.channel].address
