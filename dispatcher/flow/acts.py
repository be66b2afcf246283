"""One act on one campaign: the state by the table of its life, the slot by the year, and the ledger, in one commit.

Every flow that moves a campaign does it here, inside a transaction that holds the locks of `year_locks`.
"""

from collections.abc import Mapping
from contextlib import suppress
from datetime import date
from zoneinfo import ZoneInfo

from dispatcher.errors import NoSlotError, RefusedError
from dispatcher.rules.actor import Actor, duty
from dispatcher.rules.budget import Full, room_for
from dispatcher.rules.calendar import local_date
from dispatcher.rules.campaign import State
from dispatcher.rules.ledger import Entry, EntryKind, Json
from dispatcher.rules.life import LAPSED, Act, No, Stage, after, stage_of
from dispatcher.rules.names import HiddenCharacterError, readable
from dispatcher.storage import campaigns, slots
from dispatcher.storage.campaigns import Scheduled
from dispatcher.storage.journal import JournalKind, Note
from dispatcher.storage.locks import Lock, LockKind
from dispatcher.storage.writer import Transaction

_PLANNING = duty("planning")
_TITLE_LENGTH = 200
_EVENTS = {Act.REVISE: "revised", Act.LAPSE: LAPSED, Act.BEGIN: "begun"}
"""What the ledger calls an act whose event is not the state it leads to."""


def year_locks(*days: date) -> list[Lock]:
    """Return the locks a change of slots takes: the year of each day and both its neighbours, which share windows."""
    return [Lock(LockKind.YEAR, year) for year in sorted({day.year + offset for day in days for offset in (-1, 0, 1)})]


def titled(text: str) -> str:
    """Return the title a person typed for a slot. Raises RefusedError for what cannot be one."""
    try:
        title = readable(text)
    except HiddenCharacterError as error:
        raise RefusedError(f"The title cannot be used. {error} Type it anew.") from None
    if not 0 < len(title) <= _TITLE_LENGTH:
        raise RefusedError(f"A title has 1 to {_TITLE_LENGTH} characters.")
    return title


def allowed(campaign: Scheduled | None, act: Act, name: str) -> State:
    """Return the state an act leads to. Raises RefusedError with what the table of lives says instead."""
    stage = stage_of(campaign.state, has_begun=campaign.begun_at is not None) if campaign else Stage.NEW
    to = after(stage, act)
    if isinstance(to, No):
        raise RefusedError(to.sentence.format(name=name))
    return to


def do(
    transaction: Transaction,
    campaign: int,
    act: Act,
    actor: Actor,
    *,
    reason: str | None = None,
    told: Mapping[str, Json] | None = None,
) -> Scheduled:
    """Do an act on a campaign as it stands now, tell the ledger, and return the campaign as it stood before.

    `told` stands on the entry beside the event. Raises RefusedError where the table does not allow it.
    """
    connection = transaction.connection
    current = campaigns.by_id(connection, campaign, for_update=True)
    to = allowed(current, act, current.name)
    campaigns.set_state(connection, campaign, to, transaction.now, reason=reason)
    body: dict[str, Json] = {"event": _EVENTS.get(act, to.value), "reason": reason, **(told or {})}
    transaction.ledger.append(Entry(EntryKind.CAMPAIGN, actor, campaign=campaign, body=body))
    return current


def take_slot(transaction: Transaction, campaign: Scheduled, day: date, actor: Actor, zone: ZoneInfo) -> int:
    """Take a slot for a campaign, or move its own to this day, and return how many the year then holds.

    Raises NoSlotError for a thirteenth in a calendar year or in 365 days, naming the twelve and the first free date.
    """
    connection = transaction.connection
    beside = room_beside(transaction, campaign.name, day, zone, besides=campaign.id)
    if slots.day_of(connection, campaign.id) != day:
        entry = Entry(EntryKind.SLOT, actor, campaign=campaign.id, body={"event": "taken", "day": day.isoformat()})
        transaction.ledger.append(entry)
    slots.put(connection, campaign.id, day, campaign.title)
    return beside + 1


def room_beside(transaction: Transaction, name: str, day: date, zone: ZoneInfo, *, besides: int | None = None) -> int:
    """Return how many others the year of this day holds. Raises NoSlotError where there is no room for one more."""
    lapse_over(transaction, zone)
    near = slots.near(transaction.connection, day, besides)
    full = room_for(day, near)
    if full is not None:
        raise NoSlotError(_no_room(name, day, full))
    return sum(slot.date.year == day.year for slot in near)


def begin(transaction: Transaction, campaign: int, day: date, actor: Actor) -> None:
    """Begin a campaign and spend its slot on this day, which has been found to have room."""
    before = do(transaction, campaign, Act.BEGIN, actor)
    spend_slot(transaction, before, day, actor)
    campaigns.set_begun(transaction.connection, campaign, transaction.now)


def spend_slot(transaction: Transaction, campaign: Scheduled, day: date, actor: Actor) -> None:
    """Spend a campaign's slot on this day, or move the spent one there: the journal knows before anything leaves."""
    connection = transaction.connection
    was = slots.day_of(connection, campaign.id)
    slots.spend(connection, campaign.id, day)
    about: dict[str, Json] = {
        "campaign": campaign.id,
        "name": campaign.name,
        "title": campaign.title,
        "kind": campaign.kind,
        "day": day.isoformat(),
    }
    if campaign.begun_at is not None and was is not None:
        about["was"] = was.isoformat()
    transaction.notes.append(Note(JournalKind.SLOT_SPENT, about))
    event = "spent" if campaign.begun_at is None else "moved"
    body: dict[str, Json] = {"event": event, "day": day.isoformat()}
    transaction.ledger.append(Entry(EntryKind.SLOT, actor, campaign=campaign.id, body=body))


def return_slot(transaction: Transaction, campaign: int, actor: Actor) -> None:
    """Give the slot of a campaign that has not begun back to the year."""
    slots.give_back(transaction.connection, campaign)
    transaction.ledger.append(Entry(EntryKind.SLOT, actor, campaign=campaign, body={"event": "returned"}))


def lapse_over(transaction: Transaction, zone: ZoneInfo) -> list[str]:
    """Let lapse every reservation and draft whose date is over, and return their names.

    Whoever counts slots calls it first, so that no slot is kept from anybody because no sender was running.
    """
    lapsed = []
    for number in slots.over(transaction.connection, local_date(transaction.now, zone)):
        with suppress(RefusedError):  # somebody has just cancelled it, or given it content
            lapsed.append(do(transaction, number, Act.LAPSE, _PLANNING, reason=LAPSED).name)
            return_slot(transaction, number, _PLANNING)
    return lapsed


def _no_room(name: str, day: date, full: Full) -> str:
    lines = "\n".join(f"  {slot.date.isoformat()}  {slot.title}" for slot in full.in_the_way)
    return (
        f"There is no slot for {name} on {day.isoformat()}: in {full.period} there are twelve campaigns already:\n"
        f"{lines}\nThe first free date is {full.first_free.isoformat()}."
    )
