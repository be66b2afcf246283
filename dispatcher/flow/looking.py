"""A person looks at clients -> written down before anything is shown, and let go of after a year."""

from datetime import timedelta

from dispatcher.rules.actor import Actor
from dispatcher.storage import access_log
from dispatcher.storage.store import Store

KEPT = timedelta(days=365)
"""How long it is known who looked at whom; the notice keeps what is known of a client a year."""


def note_look(store: Store, actor: Actor, act: str, clients: int, client: int | None = None) -> None:
    """Write that a person looks at so many clients, or at this one; on disk when this returns."""
    store.write(lambda write: access_log.add(write.connection, actor, act, write.now, clients, client))


def purge_looks(store: Store) -> None:
    """Let go of what is older than a year."""
    store.write(lambda write: access_log.purge(write.connection, write.now - KEPT))
