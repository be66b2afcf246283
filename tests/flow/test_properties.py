"""Whatever the order in which answers arrive: who said no last gets nothing, who said yes last gets the message.

Each example plays some weeks of an installation's life for several clients at once, through the real flows.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from itertools import count

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dispatcher.links import OptOut
from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import Place
from dispatcher.wiring import Dispatcher
from tests.flow.clicking import leave_by_link
from tests.workshop import ZONE, Doubles, Workshop

WEEKS = 3
"""How often news arrives in an example."""
_ONES = count(1)
"""Numbers for clients and campaigns: none is used twice, though the examples share an installation."""


class Word(Enum):
    """What a client says, and how the program hears of it."""

    YES = auto()
    """In a row of a register export, with its day."""
    NO = auto()
    """The same."""
    YES_ON_NO_DAY = auto()
    """In a row without a day: it counts for nothing."""
    DESK = auto()
    """A no to a person, at the time it is recorded."""
    CLICK = auto()
    """A no by the link, at the time it is recorded."""


@dataclass(frozen=True, slots=True)
class News:
    """A word that arrives in a week; one with a day was said so many `days` before."""

    week: int
    word: Word
    days: int = 0

    @property
    def said(self) -> int:
        """Return the day it was said, counted from the first week."""
        return self.week * 7 - (self.days if self.word in {Word.YES, Word.NO} else 0)


Life = Sequence[News]
LIVES = st.lists(
    st.lists(st.builds(News, st.integers(0, WEEKS - 1), st.sampled_from(Word), st.integers(0, 24)), max_size=5),
    min_size=8,
    max_size=12,
)
YES, NO, DESK, CLICK = Word.YES, Word.NO, Word.DESK, Word.CLICK
TOLD: list[Life] = [
    [],
    [News(0, YES, 3)],
    [News(0, Word.YES_ON_NO_DAY)],
    [News(0, CLICK), News(1, YES, 8), News(2, YES, 1)],
    [News(0, YES, 3), News(1, CLICK), News(2, YES, 9)],
    [News(0, CLICK), News(1, DESK), News(2, YES, 10)],
    [News(0, CLICK), News(1, CLICK), News(2, YES, 10)],
    [News(0, YES, 3), News(1, NO, 10), News(2, NO, 24)],
    [News(0, NO, 5), News(1, YES, 12), News(2, YES, 11)],
    [News(0, DESK), News(0, YES, 0)],
    [News(0, DESK), News(1, YES, 6), News(1, CLICK), News(2, YES, 7)],
]
"""Lives in which something happens out of order, or twice, or on one day."""


def wants_mail(life: Life) -> bool:
    """Say whether the last word is a yes; on one and the same day a no wins (L-07)."""
    yes = max((news.said for news in life if news.word is YES), default=None)
    no = max((news.said for news in life if news.word in {NO, DESK, CLICK}), default=None)
    return yes is not None and (no is None or yes > no)


def row(number: int, cell: str = "", day: str = "") -> str:
    """Return a client's row in a register export."""
    return f"{number};N;E;client{number}@posti.example;;fi;;{cell};;{day}"


def hear(workshop: Workshop, dispatcher: Dispatcher, number: int, news: News) -> None:
    """Let one word arrive."""
    actor = dispatcher.persons.acting(None)
    client = dispatcher.register.find(f"client{number}@posti.example")
    if news.word is DESK:
        dispatcher.preferences.withdraw(client, actor)
    elif news.word is CLICK:
        leave_by_link(dispatcher.preferences, dispatcher.links.token(OptOut(client, Channel.EMAIL)), Place.ONE_CLICK)
    else:
        said = workshop.clock().astimezone(ZONE) - timedelta(days=news.days)
        day = "" if news.word is Word.YES_ON_NO_DAY else f"{said:%d.%m.%Y}"
        cell = "ei" if news.word is NO else "kyllä"
        dispatcher.enrol.run(workshop.register(row(number, cell, day)), actor)


def live(workshop: Workshop, dispatcher: Dispatcher, lives: Sequence[Life], begun: datetime) -> list[int]:
    """Let these clients live their weeks and return their numbers."""
    numbers = [next(_ONES) for _ in lives]
    workshop.clock.set(begun)
    dispatcher.enrol.run(workshop.register(*map(row, numbers)), dispatcher.persons.acting(None))
    for week in range(WEEKS):
        workshop.clock.set(begun + timedelta(weeks=week))
        for number, life in zip(numbers, lives, strict=True):
            for news in life:
                if news.week == week:
                    workshop.clock.advance(timedelta(minutes=2))
                    hear(workshop, dispatcher, number, news)
    return numbers


def mailed(workshop: Workshop, dispatcher: Dispatcher, doubles: Doubles) -> set[str]:
    """Send a campaign the day after, and return who got it."""
    before = len(doubles.smtp.received)
    moment = workshop.clock() + timedelta(days=1)
    name = f"c{next(_ONES)}"
    dispatcher.schedule.run(workshop.campaign(name, moment, channels=("email",)), dispatcher.persons.acting(None))
    workshop.clock.set(moment)
    asyncio.run(dispatcher.rounds.once())
    return {mail.recipient for mail in doubles.smtp.received[before:]}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=4)
@given(lives=LIVES)
@example(lives=TOLD)
def test_who_said_no_last_gets_nothing(workshop: Workshop, doubles: Doubles, lives: list[Life]) -> None:
    """L-07, invariant 1: whose last word is a yes gets the campaign, and nobody else, in whatever order words came."""
    with workshop.opened() as dispatcher:
        # More than a year later nobody of an earlier example has a standing yes, and the year's budget is whole.
        begun = workshop.clock() + timedelta(days=400)
        numbers = live(workshop, dispatcher, lives, begun.replace(hour=10))
        got = mailed(workshop, dispatcher, doubles)
        audit = dispatcher.audit.verify()
    wanted = [number for number, life in zip(numbers, lives, strict=True) if wants_mail(life)]
    assert {f"client{number}@posti.example" for number in wanted} == got
    assert audit.ok


def test_the_told_lives_tell_something() -> None:
    """Of the lives told by hand some end in a yes and some in a no: neither sending all nor none would pass."""
    assert [1, 3, 8] == [place for place, life in enumerate(TOLD) if wants_mail(life)]
