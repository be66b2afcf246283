"""The ledger's count beside the tables that serve the screens: every difference is a finding."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from dispatcher.rules.audit import Recount
from dispatcher.rules.audit_records import CampaignRecord
from dispatcher.rules.campaign import Channel
from dispatcher.rules.message import MessageState
from dispatcher.storage.campaigns import Scheduled
from dispatcher.storage.slots import SlotRow
from dispatcher.storage.tallies import Tally

_Slot = tuple[date | None, str, int | None]


def campaign_differences(records: Mapping[int, CampaignRecord], tables: Iterable[Scheduled]) -> Iterator[str]:
    """Yield a sentence for each campaign that the ledger and its table tell differently."""
    rows = {row.id: row for row in tables}
    for number in sorted(rows.keys() - records.keys()):
        yield f"Campaign {rows[number].name} ({number}) is in its table; the ledger knows nothing of it."
    for number, record in sorted(records.items()):
        row = rows.get(number)
        if row is None:
            yield f"{_named(record)} is in the ledger; its table knows nothing of it."
            continue
        for what in ("name", "title", "kind", "state"):
            told, held = getattr(record, what), getattr(row, what)
            if told != held:
                yield f"{_named(record)}: its {what} is {told} by the ledger and {held} by its table."


def slot_differences(recount: Recount, rows: Iterable[SlotRow]) -> Iterator[str]:
    """Yield a sentence for each slot that the ledger and its table tell differently."""
    told: Counter[_Slot] = Counter()
    records = recount.campaigns.items()
    told.update((record.day, record.slot, number) for number, record in records if record.slot is not None)
    told.update((slot.date, "spent", None) for slot in recount.lost)
    told.update((each.day, "declared" if each.stands else "returned", None) for each in recount.declared.values())
    held: Counter[_Slot] = Counter((row.day, row.state, row.campaign) for row in rows)
    for day, state, campaign in (told - held).elements():
        yield f"The ledger tells a slot on {day} that is {state}{_for(campaign)}; the table of slots does not."
    for day, state, campaign in (held - told).elements():
        yield f"The table of slots holds one on {day} that is {state}{_for(campaign)}; the ledger does not tell it."


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
                yield f"{_named(record)}: the ledger counts {told[line]} {line}, the outbox {counts[line]}."


def _line(state: MessageState, channel: Channel | None, reason: str | None = None) -> str:
    if state is MessageState.WITHHELD:
        return f"withheld for {reason}"
    # Until its first intent a message may be given over to another channel; the Send entry tells by which it went.
    return f"{state.value} by {channel.value}" if channel and state is not MessageState.WAITING else state.value


def _named(record: CampaignRecord) -> str:
    return f"Campaign {record.name} ({record.number})"


def _for(campaign: int | None) -> str:
    return "" if campaign is None else f" for campaign {campaign}"
