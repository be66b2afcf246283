"""A message that ended for a reason that may pass -> the patience with its address.

It is a fact about the address alone: no objection, and nothing of it is in the ledger beside the outcome itself.
"""

from dispatcher.rules.message import Blame
from dispatcher.rules.soft_bounce import PATIENCE, is_enough
from dispatcher.storage import soft_bounces
from dispatcher.storage.writer import Transaction


def note(transaction: Transaction, address: int | None, blame: Blame) -> bool:
    """Count that a message has ended at an address, once for each message, and say whether the address is dead now."""
    if address is None or blame not in PATIENCE:
        return False
    connection, now = transaction.connection, transaction.now
    if not is_enough(blame, soft_bounces.add(connection, address, blame, now), now):
        return False
    soft_bounces.forget(connection, address)  # should somebody confirm it anew, patience begins anew
    return True
