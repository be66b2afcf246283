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
from dispatcher.storage.campaigns import Scheduled
from dispatcher.storage.slots import SlotRow
from dispatcher.storage.tallies import Tally

_Slot = tuple[date | None, str, int | None]


def campaign_differences(records: Mapping[int, CampaignRecord], tables: Iterable[Scheduled]) -> Iterator[str]:
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
                yield say("told_otherwise", name=record.name, number=number, what=what, told=told, held=held)


def slot_differences(count: CampaignCount, rows: Iterable[SlotRow]) -> Iterator[str]:
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


def tally_differences(records: Iterable[CampaignRecord], tallies: Iterable[Tally]) -> Iterator[str]:
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


def _line(state: MessageState, channel: Channel | None, reason: str | None = None) -> str:
    if state is MessageState.WITHHELD:
        return f"withheld for {reason}"
    # Until its first intent a message may be given over to another channel; the Send entry tells by which it went.
    return f"{state.value} by {channel.value}" if channel and state is not MessageState.WAITING else state.value


def _slot(name: str, day: date | None, state: str, campaign: int | None) -> Sentence:
    about = {"day": day, "state": state}
    return say(name, **about) if campaign is None else say(f"{name}_of", **about, campaign=campaign)
