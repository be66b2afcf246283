"""A person looks at clients, or changes them -> written down before anything is shown, and let go of after a year."""

from datetime import datetime, timedelta

from dispatcher.errors import NotFoundError, RefusedError
from dispatcher.rules.actor import Actor, Role
from dispatcher.storage import access_log, persons
from dispatcher.storage.access_log import Look
from dispatcher.storage.persons import Person
from dispatcher.storage.store import Store

KEPT = timedelta(days=365)
"""How long it is known who looked at whom; the notice keeps what is known of a client a year."""
_READERS = frozenset({Role.OWNER, Role.AUDITOR})


def note_look(store: Store, actor: Actor, act: str, clients: int, client: int | None = None) -> None:
    """Write that a person looks at so many clients, or at this one; on disk when this returns."""
    store.write(lambda write: access_log.add(write.connection, actor, act, write.now, clients, client))


def purge_looks(store: Store) -> None:
    """Let go of what is older than a year."""
    store.write(lambda write: access_log.purge(write.connection, write.now - KEPT))


class Looking:
    """Keeps who among the people here looked at, exported or changed whom; no ledger, and gone after a year."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def note(self, actor: Actor, act: str, clients: int = 1, client: int | None = None) -> None:
        """Write that a person does this to so many clients, or to this one; on disk when this returns."""
        note_look(self._store, actor, act, clients, client)

    def listed(
        self, reader: Actor, *, person: str | None = None, client: int | None = None, since: datetime | None = None
    ) -> list[tuple[Look, str]]:
        """Return every look, oldest first, with the name of who looked: of a person, at a client, since an instant.

        A look at many names none of them, so that those at one client come without. Raises RefusedError for staff and
        NotFoundError for a person that never was.
        """
        with self._store.reading() as connection:
            everyone = persons.everyone(connection)
            _check_reads(everyone, reader)
            names = {str(each.actor): each.name for each in everyone}
            actors = _actors(everyone, person) if person else None
            found = access_log.looks(connection, actors=actors, client=client, since=since)
        return [(each, names.get(each.actor, each.actor)) for each in found]


def _check_reads(everyone: list[Person], reader: Actor) -> None:
    mine = next((each for each in everyone if each.actor == reader), None)
    if mine is None or mine.role not in _READERS:
        raise RefusedError("Who looked at whom is for the owner and auditors: say who you are with --as NAME.")


def _actors(everyone: list[Person], name: str) -> list[str]:
    found = [str(each.actor) for each in everyone if each.name.casefold() == name.casefold()]
    if not found:
        raise NotFoundError(f"Nobody here is or was called {name!r}: run `dispatcher person list`.")
    return found
