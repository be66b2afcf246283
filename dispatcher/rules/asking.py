"""Was the question asked at every booking: a visit later than the last answer is a booking without the question."""

from collections.abc import Iterable
from datetime import date
from zoneinfo import ZoneInfo

from dispatcher.rules.calendar import local_date
from dispatcher.rules.consent import Answer, Reply


def visited_unasked(last_visit: date | None, given: Iterable[Answer], zone: ZoneInfo) -> bool:
    """Say whether a client has visited since they last answered; who never answered was never asked.

    Every reply but `not asked` is an answer, whatever its channel, and it counts for the whole local day of its latest
    possible moment. Nobody without a visit is unasked.
    """
    if last_visit is None:
        return False
    replies = (answer for answer in given if answer.reply is not Reply.NOT_ASKED)
    return all(local_date(answer.latest(), zone) < last_visit for answer in replies)
