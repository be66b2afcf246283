"""Clients leave while their campaign goes out: nobody's message leaves later than a second after their answer."""

import signal
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

import pytest

from dispatcher.links import OptOut
from dispatcher.rules.campaign import Channel
from tests.faults.recount import recount
from tests.faults.sink import END, Act
from tests.faults.studio import People, Studio, email, founded, number_of, phone, post, wait_until

PEOPLE = People(mailed=120, texted=36)
AT_LATEST = 1.0
"""Seconds after the answer to a withdrawal within which a message may still leave."""
_TARPIT = 3.0
"""Seconds that a slow server takes: so much longer than that second that nothing can pass by chance."""


@dataclass(slots=True)
class Storm:
    """Clients at their opt-out page, each once; when each was answered is kept."""

    links: dict[str, str]
    threads: ThreadPoolExecutor
    asked: dict[str, Future[None]] = field(default_factory=dict)
    answered: dict[str, float] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def leave(self, address: str) -> None:
        """Let the client with this address leave, beside whatever goes on."""
        with self.lock:
            if address not in self.asked:
                self.asked[address] = self.threads.submit(self._leave, address)

    def settle(self) -> None:
        """Wait until everybody who wanted to leave has an answer."""
        for each in list(self.asked.values()):
            each.result(60)

    def _leave(self, address: str) -> None:
        assert 200 == post(self.links[address])
        self.answered[address] = monotonic()


@dataclass(slots=True)
class Tarpit:
    """A mail server that takes its time with every ninth client, once it knows whom the mail is for.

    That client leaves meanwhile, and so do two whose messages come soon after. With others it takes its time at the
    beginning of a mail, or after its end.
    """

    order: Sequence[str]
    storm: Storm
    mails: int = 0

    def __call__(self, step: str, recipient: str) -> Act:
        """Return what is done at a step."""
        if step == "MAIL":
            self.mails += 1
            return Act(waits=_TARPIT if self.mails % 40 == 0 else 0.0)
        if recipient not in self.order:
            return Act()
        place = self.order.index(recipient)
        if step == END:
            return Act(waits=_TARPIT if place % 30 == 5 else 0.01)
        if place % 9 or step not in {"RCPT", "DATA"}:
            return Act()
        if step == "RCPT":
            for each in self.order[place : place + 12 : 5]:
                self.storm.leave(each)
        return Act(waits=_TARPIT if (step == "RCPT") == bool(place % 2) else 0.0)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("pace", ["", "per_hour = 54000"], ids=["as fast as it goes", "15 a second"])
def test_nobody_gets_one_a_second_after_the_answer(
    pace: str, tmp_path: Path, database_url: str, journal_url: str
) -> None:
    """L-02: at any pace, and however slow a server is, a message does not leave a second after its client's answer."""
    with (
        founded(tmp_path, database_url, journal_url, email_more=f"sessions = 5\n{pace}") as studio,
        ThreadPoolExecutor(4) as threads,
    ):
        studio.schedule(PEOPLE)
        mailed, texted, links = _addresses(studio)
        storm = Storm(links, threads)
        studio.sink.script = Tarpit(mailed, storm)
        came: dict[str, float] = {}

        def on_text(recipient: str) -> None:
            came[recipient] = monotonic()
            threading.Event().wait(0.05)  # a service that takes its time
            place = texted.index(recipient)
            for each in texted[place + 2 : place + 12 : 3] if place % 6 == 0 else ():
                storm.leave(each)

        studio.texts.on_text = on_text
        with studio.page(), studio.working() as sender:
            wait_until(lambda: _is_over(studio), 180, every=0.2)
            storm.settle()
            sender.signal(signal.SIGTERM)
            assert 0 == sender.wait()
        recount(studio, PEOPLE)
        came |= {taken.recipient: taken.at for taken in studio.sink.taken}
        late = {each: came[each] - at for each, at in storm.answered.items() if came.get(each, at) > at + AT_LATEST}
        assert {} == late, "their message left so many seconds after the answer"
        assert len(storm.answered) > 24
        spared = [each for each in storm.answered if each not in came]
        assert len(spared) > 12, "whoever leaves while a server takes its time gets nothing"
        assert PEOPLE.reached - len(came) == len(spared), "everybody else gets their message"


def _is_over(studio: Studio) -> bool:
    studio.end_pauses()
    return studio.is_finished()


def _addresses(studio: Studio) -> tuple[list[str], list[str], dict[str, str]]:
    """Return where mail and text messages go, in the order they go, and every client's opt-out link."""
    numbers: dict[str, int] = {}
    with studio.house() as house:
        for each in range(PEOPLE.reached):
            address = email(each) if each < PEOPLE.mailed else phone(each)
            numbers[address] = house.register.find(address)
        links = {
            address: house.links.url(OptOut(number, Channel.EMAIL if "@" in address else Channel.SMS))
            for address, number in numbers.items()
        }
    ordered = sorted(numbers, key=lambda address: numbers[address])
    assert all(number_of(address) is not None for address in ordered)
    return [each for each in ordered if "@" in each], [each for each in ordered if "@" not in each], links
