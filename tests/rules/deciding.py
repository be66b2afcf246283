"""What the tests of the one decision stand on: a case that is sent, and ways to spoil it."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from dispatcher.rules.calendar import Windows
from dispatcher.rules.campaign import Channel, State
from dispatcher.rules.consent import Answer, Place, Reply
from dispatcher.rules.decision import (
    AddressFacts,
    CampaignFacts,
    ClientFacts,
    Verdict,
    decide,
)

HELSINKI = ZoneInfo("Europe/Helsinki")
NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
"""A Monday, noon in Helsinki."""
NIGHT = NOW + timedelta(hours=14)
TODAY = date(2026, 11, 23)
DAY = timedelta(days=1)
EMAIL, SMS = Channel.EMAIL, Channel.SMS


def answered(reply: Reply, days_ago: float, channel: Channel | None = EMAIL, **changes: object) -> Answer:
    """An answer so many days ago, through the page and in the words of a wording."""
    moment = NOW - DAY * days_ago
    found = Answer(1, reply, channel, moment, moment, moment, Place.ONLINE, "w1")
    return replace(found, **changes)  # type: ignore[arg-type] # fields of Answer, passed on


YES = answered(Reply.GRANTED, 30)
YES_SMS = answered(Reply.GRANTED, 30, SMS, entry=2)
OPENING = datetime(2027, 11, 2, 5, tzinfo=UTC)
"""The first hour for mail of 2 November 2027 in Helsinki: the oldest of TWELVE is 365 days old that day."""
TWELVE = tuple(TODAY - DAY * number for number in range(10, 22))


@dataclass(frozen=True)
class Case:
    """Facts under which a message goes out by email, until a test spoils some of them."""

    client: ClientFacts = field(
        default_factory=lambda: ClientFacts(number=7, answers=(YES,), addresses={EMAIL: AddressFacts(1)})
    )
    campaign: CampaignFacts = field(
        default_factory=lambda: CampaignFacts((EMAIL,), State.SENDING, Windows(HELSINKI), date(2027, 12, 31))
    )
    now: datetime = NOW

    def decide(self) -> Verdict:
        """Return the verdict on these facts."""
        return decide(self.client, self.campaign, self.now)


def of_client(**changes: object) -> Callable[[Case], Case]:
    """Return what gives the client of a case these facts."""
    return lambda case: replace(case, client=replace(case.client, **changes))  # type: ignore[arg-type] # passed on


def of_campaign(**changes: object) -> Callable[[Case], Case]:
    """Return what gives the campaign of a case these facts."""
    return lambda case: replace(case, campaign=replace(case.campaign, **changes))  # type: ignore[arg-type] # passed on


def of_address(**changes: object) -> Callable[[Case], Case]:
    """Return what gives the address of the case's channels these facts."""

    def spoil(case: Case) -> Case:
        addresses = {
            channel: replace(address, **changes)  # type: ignore[arg-type] # fields of AddressFacts, passed on
            for channel, address in case.client.addresses.items()
        }
        return replace(case, client=replace(case.client, addresses=addresses))

    return spoil


def more_answers(*answers: Answer) -> Callable[[Case], Case]:
    """Return what adds answers to the client of a case."""
    return lambda case: replace(case, client=replace(case.client, answers=(*case.client.answers, *answers)))


def at_night(case: Case) -> Case:
    """Let the case be decided at night."""
    return replace(case, now=NIGHT)


BOTH = of_campaign(channels=(EMAIL, SMS))
TWO_ADDRESSES = {EMAIL: AddressFacts(1), SMS: AddressFacts(2)}


def on_both(case: Case) -> Case:
    """Let the client of a case be asked and reachable by both channels."""
    return BOTH(of_client(answers=(YES, YES_SMS), addresses=TWO_ADDRESSES)(case))
