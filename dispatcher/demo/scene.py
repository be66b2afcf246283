"""What every chapter of the story is given: the studio, its servers, its people, the time, and an ear."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from dispatcher.demo.account import Account
from dispatcher.demo.clock import StoryClock
from dispatcher.demo.places import Places
from dispatcher.demo.sample import Sample
from dispatcher.demo.smtp_double import ReceivedMail
from dispatcher.demo.stage import Stage
from dispatcher.demo.twilio_double import ReceivedSms
from dispatcher.rules.actor import Actor
from dispatcher.wiring import Dispatcher

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Teller:
    """How the story is told: `say` takes a line, `progress` opens a bar that takes how much is done and how much is."""

    say: Callable[[str], None]
    progress: Callable[[str], AbstractContextManager[Progress]]


@dataclass(frozen=True, slots=True)
class Taken:
    """What the doubles received of one campaign, oldest first."""

    mails: tuple[ReceivedMail, ...]
    sms: tuple[ReceivedSms, ...]

    def messages_for(self, email: str | None, mobile: str | None) -> int:
        """Return how many messages came for somebody, by any channel."""
        return sum(mail.recipient == email for mail in self.mails) + sum(sms.recipient == mobile for sms in self.sms)


@dataclass(frozen=True, slots=True)
class Scene:
    """One run of the story."""

    dispatcher: Dispatcher
    stage: Stage
    sample: Sample
    clock: StoryClock
    places: Places
    account: Account
    teller: Teller
    owner: Actor

    def say(self, *lines: str) -> None:
        """Tell these lines."""
        for line in lines:
            self.teller.say(line)

    def chapter(self, title: str) -> None:
        """Begin a chapter, with the date in the story."""
        now = self.clock.local()
        self.say("", f"{title} · {now.day} {now:%B %Y}", "")

    def received_since(self, mails: int, sms: int) -> Taken:
        """Return what the doubles have received after this many mails and text messages."""
        return Taken(tuple(self.stage.mail.received[mails:]), tuple(self.stage.texts.received[sms:]))
