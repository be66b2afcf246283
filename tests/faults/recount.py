"""The recount of a fault run: what the database says, held against the records of the servers themselves."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from dispatcher.rules.campaign import State
from dispatcher.rules.decision import Reason
from dispatcher.rules.message import MessageState
from dispatcher.storage.tables import AddressTable, OutboxTable
from dispatcher.wiring import system_clock
from tests.faults.studio import CAMPAIGN, People, Studio, email, number_of, phone

ENDS = frozenset(
    {
        MessageState.ACCEPTED.value,
        MessageState.REFUSED.value,
        MessageState.WITHHELD.value,
        MessageState.UNKNOWN.value,
    }
)
"""Where every message of a finished campaign stands."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What the recount found: how many messages stand where."""

    states: Mapping[str, int]
    arrived: Sequence[int]


def recount(studio: Studio, people: People) -> Counted:
    """Compare the carriers' records with the database, and fail where somebody got two, or one is lost.

    The campaign is finished. Who got a message is known by address, over both channels, and by message id.
    """
    mails = [(message_id, number_of(to)) for message_id, to in studio.sink.recorded() if number_of(to) is not None]
    texts = [number_of(each.recipient) for each in studio.twilio.received if number_of(each.recipient) is not None]
    arrived = [number for _, number in mails if number is not None] + [each for each in texts if each is not None]
    assert {} == {who: many for who, many in Counter(arrived).items() if many > 1}, "somebody got two"
    assert {} == {what: many for what, many in Counter(each for each, _ in mails).items() if many > 1}
    query = select(OutboxTable, AddressTable.canonical).outerjoin(AddressTable, AddressTable.id == OutboxTable.address)
    columns = (OutboxTable.message_id, OutboxTable.state, OutboxTable.channel, OutboxTable.reason)
    with studio.database() as engine, engine.connect() as connection:
        rows = connection.execute(query.with_only_columns(*columns, AddressTable.canonical)).all()
    states = Counter(row.state for row in rows)
    assert set(states) <= ENDS, states
    assert people.reached + people.silent == len(rows), "every client has one message, planned or withheld"
    assert people.silent == sum(row.reason == Reason.CHANNEL_CONSENT_MISSING.value for row in rows)
    accepted = {row.canonical: row for row in rows if row.state == MessageState.ACCEPTED.value}
    may_have = {row.canonical for row in rows if row.state == MessageState.UNKNOWN.value} | set(accepted)
    ids = {row.message_id for row in rows if row.state in {MessageState.ACCEPTED.value, MessageState.UNKNOWN.value}}
    came = {email(number) for _, number in mails if number is not None} | {phone(each) for each in texts if each}
    assert set() == set(accepted) - came, "accepted, and not on the carrier's record"
    assert set() == came - may_have, "on the carrier's record, and the database does not know it"
    assert set() == {message_id for message_id, _ in mails} - ids
    _in_order(studio, states)
    return Counted(states, arrived)


def _in_order(studio: Studio, states: Mapping[str, int]) -> None:
    """Hold the ledger's chain, the audit and the progress to what the outbox says."""
    with studio.house() as house:
        assert State.FINISHED is house.lifecycle.named(CAMPAIGN).state
        assert house.audit.verify().ok
        audit = house.audit.year(system_clock().astimezone(house.policy.zone).year)
        assert audit.ok, audit
        standing = house.lifecycle.standing(house.lifecycle.named(CAMPAIGN).id)
    shown: Counter[str] = Counter({MessageState.WITHHELD.value: standing.withheld.total()})
    for counts in standing.messages.values():
        shown.update(counts)
    assert dict(states) == dict(+shown)
