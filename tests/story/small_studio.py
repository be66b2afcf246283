"""A small studio over a year: its clients, what they said and when, and what arrived at them.

It keeps its own record and knows nothing of the program's: a client may be written to if the last thing they told about
the channel is yes, not more than 365 days old. What arrived is read off the doubles, and nowhere else.
"""

import asyncio
import re
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from threading import Event
from time import monotonic

from dispatcher.demo.smtp_double import SmtpDouble
from dispatcher.demo.twilio_double import TwilioDouble
from dispatcher.engine.embedded import run_sender
from dispatcher.errors import RefusedError
from dispatcher.flow.doubts import Guidance
from dispatcher.rules.actor import Actor
from dispatcher.rules.campaign import Channel
from dispatcher.wiring import Dispatcher
from tests.clock import FixedClock
from tests.flow.carried import narrow
from tests.stores import ROOT
from tests.story.independent import Said, Taken
from tests.workshop import ACCOUNT, API_KEY, API_SECRET, ZONE, Doubles, Workshop, build

YEAR = timedelta(days=365)
_SENDER = """
import asyncio, sys
from datetime import datetime
from pathlib import Path
from dispatcher import wiring
from dispatcher.engine.embedded import run_sender
from tests.clock import FixedClock
with wiring.opened(Path(sys.argv[1]), FixedClock(datetime.fromisoformat(sys.argv[2]))) as dispatcher:
    asyncio.run(run_sender(dispatcher, asyncio.Event(), once=True))
"""
_SUBJECT = re.compile(rb"^Subject: Kampanja (\S+)\r$", re.MULTILINE)
_TEXT = re.compile(r" 49 e (\S+)")


def at(day: date, hour: int, minute: int = 0) -> datetime:
    """Return the instant of a wall-clock time of the studio."""
    return datetime.combine(day, time(hour, minute), ZONE)


@dataclass(frozen=True, slots=True)
class Word:
    """What a client told about a channel, or about every one, and since when it holds; `told` the program later."""

    channel: Channel | None
    yes: bool
    since: datetime
    told: datetime | None = None


@dataclass(slots=True)
class Person:
    """A client: the address they have, and what the booking system has on its form."""

    number: int
    channels: tuple[Channel, ...]
    visit: date
    asked: date | None
    says: bool = True
    comes_often: bool = True
    is_asked_again: bool = True
    is_listed: bool = True
    words: list[Word] = field(default_factory=list)

    @property
    def email(self) -> str:
        """Return where mail reaches them."""
        return f"p{self.number}@posti.example"

    @property
    def phone(self) -> str:
        """Return where text messages reach them."""
        return f"+35840123{self.number:04d}"

    def row(self) -> str:
        """Return their line of the register."""
        says = "kyllä" if self.says else "ei"
        replies = {channel: says if channel in self.channels and self.asked else "" for channel in Channel}
        email = self.email if Channel.EMAIL in self.channels else ""
        phone = self.phone if Channel.SMS in self.channels else ""
        asked = f"{self.asked:%d.%m.%Y}" if self.asked else ""
        return (
            f"{self.number};Etu{self.number};Suku;{email};{phone};fi;{self.visit:%d.%m.%Y};"
            f"{replies[Channel.EMAIL]};{replies[Channel.SMS]};{asked}"
        )

    def tell_form(self, now: datetime) -> None:
        """Let the program learn what is on their form: a yes holds from its day, a no from now on."""
        if self.asked is not None:
            since = at(self.asked, 0) if self.says else now
            self.words += [Word(channel, self.says, since, now) for channel in self.channels]

    def may_get(self, channel: Channel, moment: datetime) -> bool:
        """Say whether a yes for this channel stands at a moment."""
        said = [word for word in self.words if word.channel in {None, channel} and word.since <= moment]
        last = max(said, key=lambda word: (word.since, not word.yes), default=None)
        return channel in self.channels and last is not None and last.yes and moment - last.since < YEAR


@dataclass(frozen=True, slots=True)
class Arrived:
    """One message at somebody: when, whose, by which channel, and of which campaign."""

    at: datetime
    person: int
    channel: Channel
    campaign: str

    @property
    def day(self) -> date:
        """Return the local date."""
        return self.at.astimezone(ZONE).date()


@dataclass(slots=True)
class Watch:
    """What happens while a mail server takes mail: `on_mail` is called with the number of each."""

    on_mail: Callable[[int], object] | None = None
    taken: int = 0

    def mail(self, _recipient: str) -> None:
        """Be asked about a recipient."""
        self.taken += 1
        if self.on_mail is not None:
            self.on_mail(self.taken)

    def expect(self, nth: int, happens: Callable[[], object]) -> None:
        """Let something happen at the nth mail from now on, once."""
        self.taken = 0

        def look(number: int) -> None:
            if number == nth:
                self.on_mail = None
                happens()

        self.on_mail = look


@dataclass(slots=True)
class SmallStudio:
    """The studio, its clock and its carriers; `arrived` is everything that the carriers took for clients.

    `unknown` are the messages that were being handed over when a sender was killed, and never arrived.
    """

    workshop: Workshop
    doubles: Doubles
    watch: Watch
    clock: FixedClock
    people: dict[int, Person] = field(default_factory=dict)
    arrived: list[Arrived] = field(default_factory=list)
    unknown: list[Taken] = field(default_factory=list)
    twelfth: str = ""
    thirteenth: str = ""
    erased: set[int] = field(default_factory=set)
    _mails: int = 0
    _texts: int = 0

    def add(self, *people: Person) -> None:
        """Take clients into the register."""
        self.people |= {person.number: person for person in people}

    def campaign(self, name: str, moment: datetime, more: str = "") -> Path:
        """Write a campaign file whose text messages name it as well."""
        path = self.workshop.campaign(name, moment, more=more)
        path.write_text(path.read_text("utf-8").replace(" 49 e", f" 49 e {name}"), encoding="utf-8")
        return path

    def import_register(self, dispatcher: Dispatcher) -> None:
        """Export the register and import it: who comes often has been there again and was asked again."""
        today = self.clock().astimezone(ZONE).date()
        for person in self.people.values():
            if person.is_listed and person.comes_often:
                person.visit = today - timedelta(days=1 + person.number % 20)
                person.asked = person.visit if person.is_asked_again else person.asked
        listed = [person for person in self.people.values() if person.is_listed]
        path = self.workshop.register(*(person.row() for person in listed))
        guidance = Guidance(is_whole=True, missing_ok=True)
        report = dispatcher.enrol.run(path, dispatcher.persons.acting(None), guidance=guidance)
        assert [] == report.rejected
        for person in listed:
            person.tell_form(self.clock())

    def withdraw(self, dispatcher: Dispatcher, person: int) -> None:
        """Let a client say no to everything at the desk."""
        number = dispatcher.register.find(self.people[person].email)
        dispatcher.preferences.withdraw(number, dispatcher.persons.acting(None))
        self.people[person].words.append(Word(None, yes=False, since=self.clock()))

    def look(self, *moments: datetime) -> None:
        """Start the program at each of these moments, let it do what is due, and stop it again."""
        for moment in moments:
            self.clock.set(moment)
            with self.workshop.opened() as dispatcher:
                assert asyncio.run(run_sender(dispatcher, asyncio.Event(), once=True))
                dispatcher.today.look()
            self.collect()

    def collect(self) -> None:
        """Take in what has arrived since the last time: it arrived now."""
        mails, texts = self.doubles.smtp.received, self.doubles.twilio.received
        emails = {person.email: person.number for person in self.people.values()}
        phones = {person.phone: person.number for person in self.people.values()}
        self._file("mail", [(mail.recipient, mail.content) for mail in mails], self._mails)
        self._file("sms", [(sms.recipient, sms.text.encode()) for sms in texts], self._texts)
        for mail in mails[self._mails :]:
            if mail.recipient in emails:
                found = _SUBJECT.search(mail.content)
                assert found, mail.content
                campaign = found[1].decode()
                self.arrived.append(Arrived(self.clock(), emails[mail.recipient], Channel.EMAIL, campaign))
        for sms in texts[self._texts :]:
            said = _TEXT.search(sms.text)
            assert said, sms.text
            self.arrived.append(Arrived(self.clock(), phones[sms.recipient], Channel.SMS, said[1]))
        self._mails, self._texts = len(mails), len(texts)

    @property
    def sink(self) -> Path:
        """Return where the carriers' own files are, one a message."""
        return self.workshop.directory.parent / "sink"

    def _file(self, kind: str, taken: Sequence[tuple[str, bytes]], after: int) -> None:
        """Let a carrier file what it took since the last time, as smtp-sink does: the envelope, then the message."""
        self.sink.mkdir(exist_ok=True)
        for number, (recipient, content) in enumerate(taken[after:], start=after):
            envelope = f"X-Rcpt-Args: <{recipient}>\nX-Taken-At: {self.clock().isoformat()}\n"
            (self.sink / f"{number:05}.{kind}").write_bytes(envelope.encode() + content)

    def paper(self) -> list[Said]:
        """Return what the studio has on its own paper: who said what about which channel, and since when."""
        return [
            Said(
                person.number,
                word.channel.value if word.channel else None,
                word.yes,
                word.since,
                word.told or word.since,
            )
            for person in self.people.values()
            for word in person.words
            if person.number not in self.erased or word.yes or word.channel is not None
        ]

    def whose(self) -> dict[str, int]:
        """Return to whom each address belongs."""
        return {address: each.number for each in self.people.values() for address in (each.email, each.phone)}

    def got(self, campaign: str) -> set[int]:
        """Return who got a campaign."""
        return {each.person for each in self.arrived if each.campaign == campaign}

    def may(self, *channels: Channel, moment: datetime | None = None) -> set[int]:
        """Return who may be written to now, or at a moment, by any of these channels, or by any at all."""
        moment = moment or self.clock()
        return {
            person.number
            for person in self.people.values()
            if any(person.may_get(channel, moment) for channel in channels or Channel)
        }

    def days(self, campaign: str) -> list[date]:
        """Return the local dates on which messages of a campaign arrived, the first of them first."""
        return sorted({each.day for each in self.arrived if each.campaign == campaign})

    def had(self, many: int, by: datetime) -> set[int]:
        """Return who has had so many messages in the 365 dates that end with a day.

        One that a kill kept from arriving may have arrived for all that the program can know, and counts.
        """
        day = by.astimezone(ZONE).date()
        whose = self.whose()
        counted = [(each.person, each.day) for each in self.arrived]
        counted += [(whose[each.address], each.day) for each in self.unknown]
        recent = [person for person, received in counted if day - received < YEAR]
        return {person for person in recent if recent.count(person) >= many}

    def texts_have_come(self, campaign: str) -> None:
        """Wait until everybody who gets a campaign by text message alone has it."""
        wanted = len(self.may(Channel.SMS) - self.may(Channel.EMAIL))
        deadline = monotonic() + 30
        while sum(f" {campaign}" in text.text for text in self.doubles.twilio.received) < wanted:
            assert monotonic() < deadline, f"the text messages of {campaign} did not come"
            Event().wait(0.01)

    def counts(self) -> dict[str, int]:
        """Return how many messages of each campaign arrived."""
        found: dict[str, int] = defaultdict(int)
        for each in self.arrived:
            found[each.campaign] += 1
        return dict(found)

    def most_for_anybody(self) -> int:
        """Return the most messages that anybody got in any 365 dates, counted from every date one by one."""
        by_person: dict[int, list[date]] = defaultdict(list)
        for each in self.arrived:
            by_person[each.person].append(each.day)
        return max(most_in_a_window(days) for days in by_person.values())

    def twice(self) -> list[tuple[int, str]]:
        """Return who got one campaign twice."""
        pairs = [(each.person, each.campaign) for each in self.arrived]
        return sorted({pair for pair in pairs if pairs.count(pair) > 1})

    def unasked(self) -> list[Arrived]:
        """Return what arrived without a yes that stood at that moment."""
        return [each for each in self.arrived if not self.people[each.person].may_get(each.channel, each.at)]


def most_in_a_window(days: Sequence[date]) -> int:
    """Return how many of these dates lie in the fullest 365 dates, by looking at every one that begins with one."""
    return max((sum(timedelta(0) <= other - day < YEAR for other in days) for day in days), default=0)


def most_in_a_year(days: Sequence[date]) -> int:
    """Return how many of these dates lie in the fullest calendar year."""
    return max((sum(other.year == day.year for other in days) for day in days), default=0)


@contextmanager
def opened_studio(directory: Path, clock: FixedClock, database_url: str, journal_url: str) -> Iterator[SmallStudio]:
    """Found the studio at the clock's time, with carriers that let things happen in the middle of a run."""
    watch = Watch()
    with SmtpDouble(watch.mail) as smtp, TwilioDouble(ACCOUNT, API_KEY, API_SECRET) as twilio:
        doubles = Doubles(smtp, twilio)
        workshop = build(directory, clock, database_url, journal_url, doubles)
        narrow(workshop, 2)  # a sender that is killed leaves something to go
        yield SmallStudio(workshop, doubles, watch, clock)


@contextmanager
def owner(studio: SmallStudio, moment: datetime | None = None) -> Iterator[tuple[Dispatcher, Actor]]:
    """Give the installation as a command of the owner has it, at this moment."""
    if moment is not None:
        studio.clock.set(moment)
    with studio.workshop.opened() as house:
        yield house, house.persons.acting(None)


def import_on(studio: SmallStudio, day: date) -> None:
    """Import the register in the evening of a day, and let the program do its duties."""
    with owner(studio, at(day, 18)) as (house, _):
        studio.import_register(house)
    studio.look(at(day, 19))


def crash(studio: SmallStudio, moment: datetime) -> None:
    """Run the sender in a process of its own, and kill it with a mail in its hands."""
    command = [sys.executable, "-c", _SENDER, str(studio.workshop.directory), moment.isoformat()]
    process = subprocess.Popen(command, cwd=ROOT)
    studio.watch.expect(6, process.kill)
    studio.clock.set(moment)
    assert process.wait(60) < 0
    studio.collect()


def at_once(work: Callable[[Dispatcher], object], *houses: Dispatcher) -> list[object]:
    """Do the same in each house at the same moment, and return what came of it, or what was refused."""
    start = threading.Barrier(len(houses))

    def do(house: Dispatcher) -> object:
        start.wait(30)
        try:
            return work(house)
        except RefusedError as error:
            return error

    with ThreadPoolExecutor(len(houses)) as threads:
        return list(threads.map(do, houses))


def slowly(house: Dispatcher) -> list[float]:
    """Let the sender's stopwatch stand still, until seconds are added to the list."""
    seconds = [0.0]
    house.deliver._ticks = lambda: sum(seconds)
    return seconds
