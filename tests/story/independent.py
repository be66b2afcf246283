"""A year counted from a mail server's own files and the studio's own paper: nothing of the program is used here.

The files of a sink are one a message: lines of the envelope (`X-Rcpt-Args: <address>`, `X-Taken-At: instant`), and then
the message as it came. The paper is a list of lines: who, by which channel or any, yes or no, since when.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

HERE = ZoneInfo("Europe/Helsinki")
YEAR = timedelta(days=365)
_RECIPIENT = re.compile(rb"^X-Rcpt-Args: <(.+)>$", re.MULTILINE)
_TAKEN = re.compile(rb"^X-Taken-At: (\S+)$", re.MULTILINE)
_SUBJECT = re.compile(rb"^Subject: Kampanja (\S+)\r$", re.MULTILINE)
_TEXT = re.compile(rb" 49 e (\S+)")
_MESSAGE = re.compile(rb"^Message-ID: <([^@>]+)@", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Taken:
    """A message as a carrier took it: when, at which address, of which campaign, or of none.

    `message` is the id that a mail carries; a text message carries none.
    """

    at: datetime
    address: str
    channel: str
    campaign: str | None
    message: str | None = None

    @property
    def day(self) -> date:
        """Return the local date."""
        return self.at.astimezone(HERE).date()


@dataclass(frozen=True, slots=True)
class Said:
    """A line of the studio's paper: what a client told about a channel, or about every one (None), and since when.

    `handed_in` is when the paper was shown to whoever sends.
    """

    person: int
    channel: str | None
    yes: bool
    since: datetime
    handed_in: datetime


@dataclass(frozen=True, slots=True)
class Counted:
    """What a year comes to, counted by hand."""

    first_days: Mapping[str, date]
    clients: int
    by_channel: Mapping[str, int]
    spread: Mapping[int, int]
    most: int
    agreed: int
    oldest: int | None
    ages: Mapping[int, int]
    said_no: frozenset[int]
    other: Mapping[str, int]

    @property
    def messages(self) -> int:
        """Return how many messages of campaigns there were."""
        return sum(self.by_channel.values())


def read(folder: Path) -> list[Taken]:
    """Return every message that the files of a sink hold, in the order of their names."""
    found = []
    for file in sorted(folder.iterdir()):
        content = file.read_bytes()
        recipient, taken = _RECIPIENT.search(content), _TAKEN.search(content)
        assert recipient, file
        assert taken, file
        channel = {".mail": "email", ".sms": "sms"}[file.suffix]
        campaign = (_SUBJECT if channel == "email" else _TEXT).search(content)
        at = datetime.fromisoformat(taken[1].decode())
        named = _MESSAGE.search(content) if channel == "email" else None
        name, message = (each[1].decode() if each else None for each in (campaign, named))
        found.append(Taken(at, recipient[1].decode(), channel, name, message))
    return found


def count(taken: Sequence[Taken], paper: Iterable[Said], whose: Mapping[str, int], year: int) -> Counted:
    """Count a year of local dates; `whose` says to which client an address belongs."""
    said = list(paper)
    messages = [each for each in taken if each.campaign is not None]
    mine = [each for each in messages if each.day.year == year]
    days: dict[int, list[date]] = {}
    for each in messages:
        days.setdefault(whose[each.address], []).append(each.day)
    got = Counter(whose[each.address] for each in mine)
    yeses = [yes for each in mine if (yes := standing(each, said, whose)) is not None]
    ages = Counter(age for age, _ in yeses)
    return Counted(
        first_days={
            name: first
            for name in {str(each.campaign) for each in messages}
            if (first := min(each.day for each in messages if each.campaign == name)).year == year
        },
        clients=len(got),
        by_channel=dict(Counter(each.channel for each in mine)),
        spread=dict(Counter(got.values())),
        most=max((fullest(each, year) for each in days.values()), default=0),
        agreed=len(yeses),
        oldest=max(ages, default=None),
        ages=dict(ages),
        said_no=frozenset(each.person for each in said if not each.yes and _local(each.handed_in).year == year),
        other=dict(Counter(each.channel for each in taken if each.campaign is None and each.day.year == year)),
    )


def standing(message: Taken, paper: Iterable[Said], whose: Mapping[str, int]) -> tuple[int, Said] | None:
    """Return the yes that stood when a message came, and its age in local days, or None where none did."""
    person = whose[message.address]
    words = [
        each
        for each in paper
        if each.person == person
        and each.channel in {None, message.channel}
        and max(each.since, each.handed_in) <= message.at
    ]
    last = max(words, key=lambda each: (each.since, not each.yes), default=None)
    if last is None or not last.yes or message.at - last.since >= YEAR:
        return None
    return (message.day - _local(last.since)).days, last


def fullest(days: Sequence[date], year: int) -> int:
    """Return the most of these dates in any 365 of which one lies in the year, by trying every beginning."""
    beginnings = [date(year, 1, 1) - YEAR + timedelta(days=1) + timedelta(days=each) for each in range(365 + 366)]
    windows = [begin for begin in beginnings if begin.year <= year]
    return max(sum(begin <= day < begin + YEAR for day in days) for begin in windows)


def _local(moment: datetime) -> date:
    return moment.astimezone(HERE).date()
