"""Refusals that are not one client's matter -> the campaign is held, or one domain waits (E-53)."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

from dispatcher.errors import RefusedError
from dispatcher.flow import acts
from dispatcher.rules.actor import duty
from dispatcher.rules.breaker import LAST, Seen, Trip, judge
from dispatcher.rules.campaign import Channel, State
from dispatcher.rules.life import Act
from dispatcher.rules.message import Blame
from dispatcher.storage import campaigns, handoffs
from dispatcher.storage.writer import Transaction

FEEDS = frozenset({Blame.POLICY, Blame.CONTENT, Blame.SET_UP})
"""Outcomes after which the last ones are looked at; whoever writes them holds the lock of the campaign."""
DOMAIN_PAUSE = timedelta(hours=1)
"""How long what is for a domain waits that refuses us."""
_ACTOR = duty("delivery")


class Breaker:
    """Looks at a campaign's last outcomes whenever one of them speaks of us rather than of a client."""

    def look(self, transaction: Transaction, channel: Channel, told: Sequence[tuple[int, Blame]]) -> bool:
        """Hold the campaigns of which too much is refused, in the transaction of the outcomes that say so.

        Return whether one of them was held.
        """
        fed = sorted({campaign for campaign, blame in told if blame in FEEDS})
        held = [campaign for campaign in fed if self._has_tripped(transaction, channel, campaign)]
        return bool(held)

    def _has_tripped(self, transaction: Transaction, channel: Channel, campaign: int) -> bool:
        connection = transaction.connection
        current = campaigns.by_id(connection, campaign, for_update=True)
        if current.state is not State.SENDING:
            return False
        # What was refused before its release has been looked at by the person who released it.
        last = handoffs.last_outcomes(connection, campaign, channel, current.released_at, LAST)
        seen = [Seen(Blame(blame), (address or "").rpartition("@")[2]) for blame, address in last if blame]
        if channel is not Channel.EMAIL:
            seen = [Seen(each.blame) for each in seen]
        tripped = judge(seen)
        if tripped is None:
            return False
        if tripped.trip is Trip.DOMAIN:
            handoffs.postpone_domain(connection, campaign, tripped.domain, transaction.now + DOMAIN_PAUSE)
            return False
        with suppress(RefusedError):  # somebody has just held or cancelled it: that is as well
            acts.do(transaction, campaign, Act.HOLD, _ACTOR, reason=tripped.trip.value)
        return True
