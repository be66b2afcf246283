"""When an address that fails for reasons that may pass is dead (the tables below E-55 and in B5 of the rules)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dispatcher.rules.message import Blame


@dataclass(frozen=True, slots=True)
class Patience:
    """How many messages end for one reason, the last so long after the first, until the address is dead."""

    times: int
    over: timedelta = timedelta(0)


PATIENCE: Mapping[Blame, Patience] = {
    Blame.MAILBOX_FULL: Patience(5, timedelta(days=30)),
    Blame.NO_ROUTE: Patience(3, timedelta(days=14)),
    Blame.HANDSET: Patience(2, timedelta(days=14)),
    Blame.BARRED: Patience(3),
}
"""The reasons that may pass; a handset that is barred is dead after it was so twice before."""
REMEMBERED = timedelta(days=365)
"""How long a soft bounce counts, and is kept."""


def is_enough(blame: Blame, times: Sequence[datetime], now: datetime) -> bool:
    """Say whether an address at which messages ended for this reason, at these times in any order, is dead now."""
    patience = PATIENCE.get(blame)
    counted = [at for at in times if now - at < REMEMBERED]
    if patience is None or len(counted) < patience.times:
        return False
    return max(counted) - min(counted) >= patience.over
