"""The people who work with the program, and whose act a command is."""

from collections.abc import Sequence

from dispatcher.errors import NotFoundError, RefusedError
from dispatcher.rules.actor import Actor, Role
from dispatcher.rules.address import AddressError, canonical_email, canonical_number
from dispatcher.rules.campaign import Language
from dispatcher.rules.ledger import Entry, EntryKind, Json
from dispatcher.storage import persons
from dispatcher.storage.database import Connection
from dispatcher.storage.persons import Person
from dispatcher.storage.store import Store
from dispatcher.storage.writer import Transaction

WORK_WITH_CLIENTS = frozenset({Role.OWNER, Role.STAFF})
"""Who works with clients: acts, and sees names and addresses whole. An auditor looks, at masked ones."""


class Persons:
    """Adds, lists and ends persons."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def everyone(self) -> list[Person]:
        """Return every person there has been."""
        with self._store.reading() as connection:
            return persons.everyone(connection)

    def acting(self, name: str | None) -> Actor:
        """Return who acts: the person of this name, or the only owner where none is named.

        Raises what `named` raises, and RefusedError for an auditor, who looks and changes nothing.
        """
        person = self._working(name)
        if person.role not in WORK_WITH_CLIENTS:
            raise RefusedError(
                f"{person.name} is an {person.role.value}, who looks and changes nothing: owner and staff do this. "
                "Only a no is taken by everybody: `dispatcher consent withdraw CLIENT`."
            )
        return person.actor

    def named(self, name: str | None) -> Actor:
        """Return who looks, or takes a no: the person of this name, or the only owner where none is named.

        Raises NotFoundError for an unknown name and RefusedError where several owners make it unclear.
        """
        return self._working(name).actor

    def _working(self, name: str | None) -> Person:
        working = [person for person in self.everyone() if person.ended_at is None]
        if name is None:
            owners = [person for person in working if person.role is Role.OWNER]
            if len(owners) != 1:
                raise RefusedError(f"There are {len(owners)} owners: say who you are with --as NAME.")
            return owners[0]
        found = [person for person in working if person.name.casefold() == name.casefold()]
        if not found:
            raise _nobody(name, working)
        return found[0]

    def add(self, name: str, role: Role, actor: Actor) -> Person:
        """Add a person. Raises RefusedError for a name somebody working here has already."""
        cleaned = " ".join(name.split())
        if not cleaned or len(cleaned) > 100:
            raise RefusedError("A person's name has 1 to 100 characters.")

        def work(transaction: Transaction) -> int:
            taken = [
                person.name.casefold() for person in persons.everyone(transaction.connection) if not person.ended_at
            ]
            if cleaned.casefold() in taken:
                raise RefusedError(f"Somebody by the name of {cleaned!r} works here already.")
            number = persons.add(transaction.connection, cleaned, role, transaction.now)
            body: dict[str, Json] = {"event": "added", "person": number, "role": role.value}
            transaction.ledger.append(Entry(EntryKind.PERSON, actor, body=body))
            return number

        number = self._store.write(work)
        return next(person for person in self.everyone() if person.id == number)

    def reach(
        self,
        name: str,
        actor: Actor,
        region: str,
        *,
        email: str | None = None,
        phone: str | None = None,
        language: Language | None = None,
    ) -> Person:
        """Write where a person is reached by tests and alerts; an empty text takes an address away, None leaves it.

        Raises RefusedError for what is no address, NotFoundError for a name that nobody here has. The ledger keeps what
        was changed, never the address.
        """
        try:
            values: dict[str, str | None] = {}
            if email is not None:
                values["email"] = canonical_email(email) if email else None
            if phone is not None:
                values["phone"] = canonical_number(phone, region) if phone else None
        except AddressError as error:
            raise RefusedError(f"{error}: write an email address, or a mobile number such as 040 123 4567.") from None
        if language is not None:
            values["language"] = language.value

        def work(transaction: Transaction) -> int:
            working = [person for person in persons.everyone(transaction.connection) if person.ended_at is None]
            found = [person for person in working if person.name.casefold() == name.casefold()]
            if not found:
                raise _nobody(name, working)
            if values:
                persons.set_reach(transaction.connection, found[0].id, values)
                body: dict[str, Json] = {"event": "reach", "person": found[0].id, "changed": sorted(values)}
                transaction.ledger.append(Entry(EntryKind.PERSON, actor, body=body))
            return found[0].id

        number = self._store.write(work)
        return next(person for person in self.everyone() if person.id == number)

    def end(self, name: str, actor: Actor) -> None:
        """Write that a person works here no longer. Raises RefusedError for the last owner."""

        def work(transaction: Transaction) -> None:
            working = [person for person in persons.everyone(transaction.connection) if person.ended_at is None]
            found = [person for person in working if person.name.casefold() == name.casefold()]
            if not found:
                raise _nobody(name, working)
            owners = [person for person in working if person.role is Role.OWNER]
            if found[0].role is Role.OWNER and len(owners) == 1:
                raise RefusedError(f"{found[0].name} is the only owner: add another owner first.")
            persons.end(transaction.connection, found[0].id, transaction.now)
            body: dict[str, Json] = {"event": "ended", "person": found[0].id}
            transaction.ledger.append(Entry(EntryKind.PERSON, actor, body=body))

        self._store.write(work)


def check_owner(connection: Connection, actor: Actor, what: str) -> None:
    """Raise RefusedError unless an owner who works here acts; `what` is the act, as in "take a key back"."""
    for person in persons.everyone(connection):
        if person.actor == actor and person.role is Role.OWNER and person.ended_at is None:
            return
    raise RefusedError(f"Only an owner may {what}: say who you are with --as NAME.")


def check_sees_whole(connection: Connection, actor: Actor, what: str) -> None:
    """Raise RefusedError unless owner or staff who works here acts; `what` shows clients whole, as in "a receipt"."""
    for person in persons.everyone(connection):
        if person.actor == actor and person.role in WORK_WITH_CLIENTS and person.ended_at is None:
            return
    raise RefusedError(
        f"An auditor sees masked addresses: {what} is for owner and staff. Say who you are with --as NAME."
    )


def _nobody(name: str, working: Sequence[Person]) -> NotFoundError:
    known = ", ".join(person.name for person in working) or "nobody"
    return NotFoundError(f"Nobody by the name of {name!r} works here. Known: {known}.")
