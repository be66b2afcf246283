"""Keeps every channel to its pace, over all campaigns and processes and over a restart; slows down when told (E-55)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from dispatcher.channels import RECALLED
from dispatcher.flow.backoff import pause_of
from dispatcher.rules.campaign import Channel
from dispatcher.rules.message import Blame, Outcome, OutcomeKind
from dispatcher.rules.pace import WHOLE, Pace, share_after
from dispatcher.storage import pace as turns
from dispatcher.storage.database import Connection
from dispatcher.storage.pace import Turn

_AT_ONCE = timedelta(seconds=2)
"""What was not used since the last look may be caught up with, this much of it at most."""
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_LONGEST_REST = _DAY + 2 * _HOUR
NOT_TRIED = "not_tried"
"""The code of a message that was never handed over, though its intent stood."""


class Pacing:
    """Says how many messages a channel may hand over now, and notes what its provider makes of them.

    It is kept in the database: every process that sends by a channel takes its turns from the same row.
    """

    def __init__(self, paces: Mapping[Channel, Pace]) -> None:
        self._paces = paces
        self._slowed: set[Channel] = set(Channel)

    def take(self, connection: Connection, channel: Channel, now: datetime, most: int) -> int:
        """Take turns for as many messages as may go by a channel now, `most` where nobody has set it a pace.

        What is not used of them is given back.
        """
        turn = turns.locked(connection, channel)
        if turn.share >= WHOLE:
            self._slowed.discard(channel)
        else:
            self._slowed.add(channel)
        if _rest_of(turn, now) is not None:
            return 0
        pace = self._paces.get(channel)
        if pace is None:
            return most
        room = min(most, pace.slowed(turn.share).room(turn.next_at, now, _AT_ONCE))
        if room and pace.per_day is not None:
            room = min(room, self._left_of_day(connection, channel, turn, pace.per_day, now))
        self._move(connection, channel, turn, pace, room, now)
        return room

    def give_back(self, connection: Connection, channel: Channel, unused: int, now: datetime) -> None:
        """Give turns back that no message was handed over in."""
        pace = self._paces.get(channel)
        if pace is None or not unused:
            return
        turn = turns.locked(connection, channel)
        if turn.next_at is not None:
            back = turn.next_at - unused * pace.slowed(turn.share).interval
            turns.keep(connection, channel, replace(turn, next_at=max(back, now - _AT_ONCE)))
        if pace.per_day is not None:
            turns.count(connection, channel, _hour(now), -unused, now - 2 * _DAY)

    def heard(self, connection: Connection, channel: Channel, outcomes: Sequence[Outcome], now: datetime) -> None:
        """Slow a channel down, or let it rest, by what its provider answered; let it recover with what is taken."""
        troubles = [each for each in outcomes if _is_trouble(each)]
        if not troubles and channel not in self._slowed:
            return
        turn = turns.locked(connection, channel)
        accepted = sum(each.kind is OutcomeKind.ACCEPTED for each in outcomes)
        deferred = sum(each.blame not in {Blame.CONNECTION, Blame.QUOTA} for each in troubles)
        is_over = any(each.blame is Blame.QUOTA for each in troubles)
        share = share_after(turn.share, accepted, deferred, is_over_quota=is_over)
        rests = [now + min(pause_of(each), _DAY) for each in troubles if each.blame in {Blame.CONNECTION, Blame.QUOTA}]
        until = max([each for each in (*rests, _rest_of(turn, now)) if each is not None], default=None)
        if share < WHOLE:
            self._slowed.add(channel)
        next_at = self._moved_with(channel, turn, share, now)
        turns.keep(connection, channel, Turn(next_at, share, until))

    def _moved_with(self, channel: Channel, turn: Turn, share: int, now: datetime) -> datetime | None:
        """Return whose turn it is once the channel goes faster or slower.

        Left where it was, a turn of the slow pace would be taken for that of a clock set back, and be given at once.
        """
        pace = self._paces.get(channel)
        if pace is None or turn.next_at is None or turn.next_at <= now:
            return turn.next_at
        return now + min((turn.next_at - now) * turn.share / share, pace.slowed(share).interval)

    def _left_of_day(self, connection: Connection, channel: Channel, turn: Turn, per_day: int, now: datetime) -> int:
        """Return what is left of a day's limit; where nothing is, the channel rests until something is again.

        The hour a day ago counts whole: nobody has more than the limit in any 24 hours.
        """
        since = _hour(now) - _DAY - _HOUR
        left = per_day - turns.spent(connection, channel, since)
        if left <= 0:
            first = turns.oldest(connection, channel, since)
            until = (first or _hour(now)) + _DAY + _HOUR
            turns.keep(connection, channel, replace(turn, rests_until=until))
        return max(left, 0)

    def _move(
        self, connection: Connection, channel: Channel, turn: Turn, pace: Pace, taken: int, now: datetime
    ) -> None:
        if not taken:
            return
        next_at = pace.slowed(turn.share).next_at(turn.next_at, now, taken, _AT_ONCE)
        turns.keep(connection, channel, replace(turn, next_at=next_at))
        if pace.per_day is not None:
            turns.count(connection, channel, _hour(now), taken, now - 2 * _DAY)


def _rest_of(turn: Turn, now: datetime) -> datetime | None:
    """Return until when a channel rests, if it does; a rest that is too far ahead is of a clock set back since."""
    until = turn.rests_until
    return until if until is not None and now < until <= now + _LONGEST_REST else None


def _is_trouble(outcome: Outcome) -> bool:
    """Say whether a provider was not content: what never came to it tells nothing."""
    ours = {NOT_TRIED, RECALLED.code}
    return outcome.blame is Blame.QUOTA or (outcome.kind is OutcomeKind.DEFERRED and outcome.code not in ours)


def _hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)
