"""What was sent beside or before the program -> a slot of the year, on a person's word."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

from dispatcher.errors import NotFoundError, RefusedError
from dispatcher.flow import acts
from dispatcher.flow.policy import Policy
from dispatcher.rules.actor import Actor
from dispatcher.rules.budget import Way
from dispatcher.rules.calendar import local_date
from dispatcher.rules.campaign import Kind
from dispatcher.rules.ledger import Entry, EntryKind, Json
from dispatcher.storage import slots
from dispatcher.storage.database import Connection
from dispatcher.storage.journal import JournalKind, Note, Record
from dispatcher.storage.slots import Declared
from dispatcher.storage.store import Store
from dispatcher.storage.writer import Transaction


@dataclass(frozen=True, slots=True)
class Counted:
    """A declaration that has got its slot: its number, and how many the year then holds."""

    id: int
    in_year: int


class Declaring:
    """Takes slots for campaigns that this program did not send, so that its twelve are the client's twelve."""

    def __init__(self, store: Store, policy: Policy) -> None:
        self._store = store
        self._policy = policy

    def standing(self) -> list[Declared]:
        """Return every declaration that stands, by day."""
        with self._store.reading() as connection:
            return slots.declared(connection)

    def declare(self, day: date, title: str, ways: Collection[Way], messages: int, kind: Kind, actor: Actor) -> Counted:
        """Count one mailing in its year. It is in the journal before this returns, so a restore keeps it.

        Raises RefusedError for a date to come and for what is declared already, NoSlotError where the year is full.
        """
        title, named = acts.titled(title), sorted(set(ways))

        def work(transaction: Transaction) -> Counted:
            if day > local_date(transaction.now, self._policy.zone):
                raise RefusedError(
                    f"{day.isoformat()} is still to come: a declaration tells what was sent. Keep a date to come with "
                    "`dispatcher campaign reserve`."
                )
            twin = _same(transaction.connection, day, title, named)
            if twin is not None:
                raise RefusedError(f"{title} on {day.isoformat()} is declared already, as number {twin}.")
            beside = acts.room_beside(transaction, title, day, self._policy.zone)
            number = _declare(transaction, Declared(0, day, title, kind.value, tuple(named), messages), actor)
            return Counted(number, beside + 1)

        return self._store.write(work, wanted=acts.year_locks(day))

    def undo(self, number: int, actor: Actor) -> Declared:
        """Take a wrong declaration back; its slot is free again. Raises NotFoundError where none has this number."""
        known = next((each for each in self.standing() if each.id == number), None)

        def work(transaction: Transaction) -> Declared:
            standing = slots.declared(transaction.connection)
            found = next((each for each in standing if each.id == number), None)
            if found is None:
                raise NotFoundError(f"No declaration has the number {number}: run `dispatcher campaign list`.")
            _take_back(transaction, found, actor)
            return found

        return self._store.write(work, wanted=acts.year_locks(known.day) if known else ())


def take_declaration(transaction: Transaction, record: Record) -> int:
    """Bring back a declaration, or that it was taken back, and return how many slots that spends."""
    body = record.body
    actor = Actor.read(str(body["actor"]))
    told = Declared(
        id=0,
        day=date.fromisoformat(str(body["day"])),
        title=str(body["title"]),
        kind=str(body["kind"]),
        channels=tuple(str(body["channels"]).split(",")),
        messages=int(str(body["messages"])),
    )
    known = _same(transaction.connection, told.day, told.title, told.channels)
    if body["event"] == "declared" and known is None:
        _declare(transaction, told, actor, is_new=False)
        return 1
    if body["event"] == "returned" and known is not None:
        found = next(each for each in slots.declared(transaction.connection) if each.id == known)
        _take_back(transaction, found, actor, is_new=False)
    return 0


def _same(connection: Connection, day: date, title: str, ways: Collection[str]) -> int | None:
    """Return the number under which the same mailing is declared already, or None."""
    standing = slots.declared(connection)
    same = (each.id for each in standing if (each.day, each.title, {*each.channels}) == (day, title, {*ways}))
    return next(same, None)


def _declare(transaction: Transaction, told: Declared, actor: Actor, *, is_new: bool = True) -> int:
    kind = Kind(told.kind)
    number = slots.declare(transaction.connection, told.day, told.title, kind, told.channels, told.messages)
    _tell(transaction, "declared", number, told, actor, is_new=is_new)
    return number


def _take_back(transaction: Transaction, found: Declared, actor: Actor, *, is_new: bool = True) -> None:
    slots.take_back(transaction.connection, found.id)
    _tell(transaction, "returned", found.id, found, actor, is_new=is_new)


def _tell(transaction: Transaction, event: str, number: int, told: Declared, actor: Actor, *, is_new: bool) -> None:
    """Tell the ledger, and the journal what it does not know yet."""
    about: Mapping[str, Json] = {
        "event": event,
        "day": told.day.isoformat(),
        "title": told.title,
        "kind": told.kind,
        "channels": ",".join(told.channels),
        "messages": told.messages,
    }
    transaction.ledger.append(Entry(EntryKind.SLOT, actor, body={**about, "slot": number}))
    if is_new:
        transaction.notes.append(Note(JournalKind.SLOT_DECLARED, {**about, "actor": str(actor)}))
