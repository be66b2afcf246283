"""kill -9 at any instant: nobody gets two, nothing is lost, and no more is unknown than the window had room for.

`make faults` kills fifty times on each database, `make test` five times.
"""

import random
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import func, select

from dispatcher.demo.twilio_double import Trouble
from dispatcher.links import OptOut
from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import ConsentState
from dispatcher.rules.message import MessageState
from dispatcher.storage.tables import OutboxTable
from tests.faults.recount import recount
from tests.faults.sink import END, Act, Taken
from tests.faults.studio import OPEN, People, Studio, email, founded, post, wait_until

KILLS = 5
"""How often the sender of one campaign is killed."""
PEOPLE = People(mailed=330, texted=110, both=40, silent=420)
_EMAIL = "sessions = 6"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make one test of each five kills."""
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", range(1, 1 + metafunc.config.getoption("--kills") // KILLS))


@dataclass(slots=True)
class Whims:
    """A mail server's: some mails take long, some connections go away after the dot, some people do not exist."""

    dice: random.Random
    slowest: float = 0.05
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, step: str, recipient: str) -> Act:
        """Return what is done at a step."""
        with self.lock:
            if step == "RCPT" and recipient.endswith("9@posti.example") and self.dice.random() < 0.5:
                return Act(says="550 5.1.1 No such user")
            if step != END:
                return Act()
            return Act(waits=self.dice.random() * self.slowest, resets=self.dice.random() < 0.03)


@dataclass(slots=True)
class Countdown:
    """Does something at the nth of what is counted; its answer has not been given then."""

    nth: int
    do: Callable[[], None]
    seen: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def one(self, _what: object = None) -> None:
        """Count one more."""
        with self.lock:
            self.seen += 1
            if self.seen == self.nth:
                self.do()


@dataclass(slots=True)
class Leavers:
    """Clients who leave by the real page while mail goes out, one after every eighth mail; each is answered."""

    links: dict[int, str]
    left: list[int] = field(default_factory=list)
    mails: int = 0
    room: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    is_over: bool = False

    def count(self) -> None:
        """Count a mail."""
        self.mails += 1
        if self.mails % 8 == 0:
            self.room.release()

    @contextmanager
    def leaving(self) -> Iterator[None]:
        """Let them leave while the block runs."""
        with ThreadPoolExecutor(1) as threads:
            leaving = threads.submit(self._leave)
            try:
                yield
            finally:
                self.is_over = True
                self.room.release()
                leaving.result()

    def _leave(self) -> None:
        for number, link in self.links.items():
            self.room.acquire()
            if self.is_over:
                return
            assert 200 == post(link)
            self.left.append(number)


@pytest.mark.timeout(300)
def test_kills(seed: int, tmp_path: Path, database_url: str, journal_url: str) -> None:
    """E-51, E-52: killed five times, in the middle of planning too, a sender accounts for each message.

    Clients leave meanwhile by the page of another process.
    """
    dice = random.Random(seed)  # noqa: S311 - dice, to be thrown again
    with founded(tmp_path, database_url, journal_url, email_more=_EMAIL, sms=Trouble.LOST) as studio:
        studio.sink.script = whims = Whims(dice)
        studio.schedule(PEOPLE)
        leavers = Leavers(_links(studio, dice))
        with studio.page(), leavers.leaving():
            for turn in range(KILLS):
                told = f"seed {seed}, kill {turn + 1}"
                _kill(studio, dice, leavers, is_first=turn == 0)
                _is_within_the_window(studio, told)
                studio.end_leases()
                studio.end_pauses()
            whims.slowest = 0.0
            _finish(studio)
        counted = recount(studio, PEOPLE)
        assert counted.states[MessageState.ACCEPTED.value] > PEOPLE.reached // 3, counted
        with studio.house() as house:
            states = {
                consent.state
                for number in leavers.left
                for listed in house.register.listed(email(number))
                for consent in listed.consents.values()
            }
        assert {ConsentState.WITHDRAWN} == states, "an answered no is kept"


def _kill(studio: Studio, dice: random.Random, leavers: Leavers, *, is_first: bool) -> None:
    """Start a sender and kill it: in the middle of planning, at a mail or text message, or after a time."""
    planned = dice.randint(1, PEOPLE.reached + PEOPLE.silent)
    most = max(studio.count(*OPEN) // 12, 1)
    after = dice.randint(1, min(most, 40))
    # The mail or text message it is killed at may be far away: then the time comes first.
    seconds = dice.choice([30.0, dice.uniform(0.2, 2.5)])
    with studio.working() as sender:
        count = Countdown(after, lambda: sender.signal(signal.SIGKILL))

        def taken(_taken: Taken) -> None:
            leavers.count()
            count.one()

        studio.sink.on_taken, studio.texts.on_text = taken, count.one
        timer = threading.Timer(seconds, sender.signal, [signal.SIGKILL])
        try:
            if is_first:
                _planned(studio, planned)
                sender.signal(signal.SIGKILL)
            else:
                timer.start()
            assert -signal.SIGKILL == sender.wait(), "".join(sender.lines)
        finally:
            timer.cancel()
            studio.sink.on_taken, studio.texts.on_text = lambda _taken: leavers.count(), lambda _recipient: None
    studio.wait_for_sender_to_leave()


def _planned(studio: Studio, many: int) -> None:
    """Wait until this many clients are planned."""
    with studio.database() as engine:

        def is_so() -> bool:
            with engine.connect() as connection:
                return connection.execute(select(func.count()).select_from(OutboxTable)).scalar_one() >= many

        wait_until(is_so)


def _is_within_the_window(studio: Studio, told: str) -> None:
    """Hold what nobody knows of to the window, for each channel."""
    with studio.house() as house:
        window = house.policy.window
    open_intents = {
        channel: found.get(MessageState.ATTEMPTING.value, 0) for channel, found in studio.standing().items()
    }
    assert all(many <= window for many in open_intents.values()), f"{told}: {open_intents}"


def _finish(studio: Studio) -> None:
    """Let a sender come to the end of the campaign; what was deferred is due again at once."""

    def is_over() -> bool:
        studio.end_pauses()
        return studio.is_finished()

    with studio.working() as sender:
        sender.runs()
        wait_until(is_over, 120, every=0.2)
        sender.signal(signal.SIGTERM)
        assert 0 == sender.wait()


def _links(studio: Studio, dice: random.Random) -> dict[int, str]:
    """Return the opt-out links of some clients who get mail, in the order they leave."""
    numbers = dice.sample(range(PEOPLE.mailed), 40)
    with studio.house() as house:
        return {
            number: house.links.url(OptOut(house.register.find(email(number)), Channel.EMAIL)) for number in numbers
        }
