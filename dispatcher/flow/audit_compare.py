"""The ledger's count beside the tables that serve the screens: every difference is a finding."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from dispatcher.rules.audit_campaigns import CampaignCount
from dispatcher.rules.audit_records import CampaignRecord
from dispatcher.rules.campaign import Channel
from dispatcher.rules.message import MessageState
from dispatcher.rules.sayings import say
from dispatcher.rules.sentence import Sentence
from dispatcher.storage import campaigns, slots, tallies
from dispatcher.storage.campaigns import Scheduled
from dispatcher.storage.database import Connection
from dispatcher.storage.slots import SlotRow
from dispatcher.storage.tallies import Tally

_Slot = tuple[date | None, str, int | None]


def table_differences(connection: Connection, count: CampaignCount, records: Iterable[CampaignRecord]) -> Iterator[str]:
    """Yield every difference between the ledger's count and the tables, of messages only for these campaigns."""
    yield from _campaigns(count.campaigns, campaigns.all_scheduled(connection))
    yield from _slots(count, slots.every(connection))
    yield from _tallies(records, tallies.counted(connection))


def _campaigns(records: Mapping[int, CampaignRecord], tables: Iterable[Scheduled]) -> Iterator[str]:
    """Yield a sentence for each campaign that the ledger and its table tell differently."""
    rows = {row.id: row for row in tables}
    for number in sorted(rows.keys() - records.keys()):
        yield say("only_table", name=rows[number].name, number=number)
    for number, record in sorted(records.items()):
        row = rows.get(number)
        if row is None:
            yield say("only_ledger", name=record.name, number=number)
            continue
        for what in ("name", "title", "kind", "state"):
            told, held = getattr(record, what), getattr(row, what)
            if told != held:
                yield say("told_otherwise", name=record.name, number=number, field=what, told=told, held=held)


def _slots(count: CampaignCount, rows: Iterable[SlotRow]) -> Iterator[str]:
    """Yield a sentence for each slot that the ledger and its table tell differently."""
    told: Counter[_Slot] = Counter()
    records = count.campaigns.items()
    told.update((record.day, record.slot, number) for number, record in records if record.slot is not None)
    told.update((slot.date, "spent", None) for slot in count.lost)
    told.update((each.day, "declared" if each.stands else "returned", None) for each in count.declared.values())
    held: Counter[_Slot] = Counter((row.day, row.state, row.campaign) for row in rows)
    for day, state, campaign in (told - held).elements():
        yield _slot("slot_only_ledger", day, state, campaign)
    for day, state, campaign in (held - told).elements():
        yield _slot("slot_only_table", day, state, campaign)


def _tallies(records: Iterable[CampaignRecord], tallies: Iterable[Tally]) -> Iterator[str]:
    """Yield a sentence for each count of messages in which the ledger and the outbox differ."""
    held: dict[int, Counter[str]] = {}
    for tally in tallies:
        held.setdefault(tally.campaign, Counter())[_line(tally.state, tally.channel, tally.reason)] += tally.count
    for record in records:
        told: Counter[str] = Counter()
        for (state, channel), count in record.standing.items():
            if count and state is not MessageState.WITHHELD:
                told[_line(state, channel)] += count
        told.update({_line(MessageState.WITHHELD, None, reason): count for reason, count in record.withheld.items()})
        counts = held.get(record.number, Counter())
        for line in sorted(told.keys() | counts.keys()):
            if told[line] != counts[line]:
                about = {"name": record.name, "number": record.number, "line": line}
                yield say("counted_otherwise", **about, told=told[line], held=counts[line])


def _line(state: MessageState, channel: Channel | None, reason: str | None = None) -> Sentence:
    if state is MessageState.WITHHELD:
        return say("line_withheld", reason=reason)
    # Until its first intent a message may be given over to another channel; the Send entry tells by which it went.
    if channel is None or state is MessageState.WAITING:
        return say("line", state=state.value)
    return say("line_by", state=state.value, channel=channel.value)


def _slot(name: str, day: date | None, state: str, campaign: int | None) -> Sentence:
    about = {"day": day, "state": state}
    return say(name, **about) if campaign is None else say(f"{name}_of", **about, campaign=campaign)
