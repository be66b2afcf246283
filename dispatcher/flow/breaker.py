"""Refusals that are not one client's matter, and replies that are lost -> the campaign is held, or one domain waits.

E-53; and E-51: what is unknown is never sent again, so a provider that is out of order must not use up everybody.
"""

from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta

from dispatcher.errors import RefusedError
from dispatcher.flow import acts
from dispatcher.rules.actor import duty
from dispatcher.rules.breaker import LAST, Seen, Trip, judge
from dispatcher.rules.campaign import Channel, State
from dispatcher.rules.life import Act
from dispatcher.rules.message import Blame, MessageState, Outcome, OutcomeKind
from dispatcher.storage import campaigns, handoffs, outbox
from dispatcher.storage.handoffs import LastOutcome
from dispatcher.storage.writer import Transaction

_FEEDS = frozenset({Blame.POLICY, Blame.CONTENT, Blame.SET_UP})
DOMAIN_PAUSE = timedelta(hours=1)
"""How long what is for a domain waits that refuses us."""
_ACTOR = duty("delivery")


def feeds(outcome: Outcome) -> bool:
    """Say whether the last outcomes are looked at after this one; whoever writes it holds the lock of the campaign."""
    is_lost = outcome.kind is OutcomeKind.UNKNOWN and outcome.code != outbox.CRASH
    return is_lost or outcome.blame in _FEEDS


def feeds_later(blame: Blame) -> bool:
    """Say the same of an error that is told of a message after it was taken."""
    return blame in _FEEDS


class Breaker:
    """Looks at a campaign's last outcomes whenever one of them speaks of us rather than of a client."""

    def look(self, transaction: Transaction, channel: Channel, fed: Iterable[int]) -> bool:
        """Hold those of these campaigns of which too much is refused or lost, in the transaction that says so.

        Return whether one of them was held.
        """
        held = [campaign for campaign in sorted(set(fed)) if self._has_tripped(transaction, channel, campaign)]
        return bool(held)

    def _has_tripped(self, transaction: Transaction, channel: Channel, campaign: int) -> bool:
        connection = transaction.connection
        current = campaigns.by_id(connection, campaign, for_update=True)
        if current.state is not State.SENDING:
            return False
        # What was refused before its release has been looked at by the person who released it.
        last = handoffs.last_outcomes(connection, campaign, channel, current.released_at, LAST)
        tripped = judge([_seen(each, channel) for each in last])
        if tripped is None:
            return False
        if tripped.trip is Trip.DOMAIN:
            handoffs.postpone_domain(connection, campaign, tripped.domain, transaction.now + DOMAIN_PAUSE)
            return False
        with suppress(RefusedError):  # somebody has just held or cancelled it: that is as well
            acts.do(transaction, campaign, Act.HOLD, _ACTOR, reason=tripped.trip.value)
        return True


def _seen(last: LastOutcome, channel: Channel) -> Seen:
    domain = last.address.rpartition("@")[2] if channel is Channel.EMAIL else ""
    return Seen(last.blame, domain, last.state is MessageState.UNKNOWN and last.code != outbox.CRASH)
