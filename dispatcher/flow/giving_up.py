"""What nobody told of in seven days -> closed: it may have arrived, counts as received for ever, and is never sent."""

from datetime import timedelta

from dispatcher.rules.actor import duty
from dispatcher.rules.later import MAY_HAVE_ARRIVED
from dispatcher.rules.ledger import Entry, EntryKind
from dispatcher.storage import later
from dispatcher.storage.later import Handed
from dispatcher.storage.store import Store
from dispatcher.storage.writer import Transaction

GIVEN_UP_AFTER = timedelta(days=7)
"""How long a provider, or a person with a log, has to tell what became of an unknown."""
_ACTOR = duty("reconciling")


def give_up(store: Store) -> str | None:
    """Close the unknowns whose time is over, some hundred a commit; return a sentence where there were any."""
    closed = 0
    while done := store.write(_some):
        closed += done
    return f"{closed} messages of which nobody could tell anything may have arrived" if closed else None


def _some(transaction: Transaction) -> int:
    rows = later.overdue(transaction.connection, transaction.now - GIVEN_UP_AFTER)
    if rows:
        later.close(transaction.connection, rows, transaction.now)
        transaction.ledger.append(*(_entry(row) for row in rows))
    return len(rows)


def _entry(row: Handed) -> Entry:
    body = {"message": row.message_id, "later": MAY_HAVE_ARRIVED}
    return Entry(EntryKind.LATER, _ACTOR, client=row.client, campaign=row.campaign, channel=row.channel, body=body)
