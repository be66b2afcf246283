"""Everybody at once: desk, pages, imports, erasures and the sender side by side, without a deadlock or a lost no."""

import asyncio
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

from dispatcher.errors import NotFoundError, RefusedError
from dispatcher.flow.answering import Newcomer
from dispatcher.flow.correcting import Correction
from dispatcher.links import OptOut
from dispatcher.rules.actor import Actor
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.consent import Place, Reply
from dispatcher.rules.retention import EraseReason
from dispatcher.rules.rights import IdentityCheck
from dispatcher.storage import answers
from dispatcher.wiring import Dispatcher
from tests.flow.clicking import leave_by_link
from tests.flow.joining import enable_sign_up, join, said
from tests.workshop import Workshop

CLIENTS = range(1000, 1030)
TURNS = 10
SECONDS = 120
"""How long all of it may take: a deadlock is an answer that never comes."""
Work = Callable[[Dispatcher, random.Random], None]


def row(number: int, email: str = "") -> str:
    """Return a client of the register."""
    address = email or f"c{number}@posti.example"
    return f"{number};Etu;Suku;{address};04012{number:05d};fi;3.10.2026;kyllä;kyllä;3.10.2026"


def shared(chance: random.Random) -> str:
    """Return one of few addresses, so that several get it."""
    return f"k{chance.randrange(10)}@posti.example"


@dataclass(frozen=True, slots=True)
class Crowd:
    """What people and the program do at once to the same clients and addresses; `noes` are who left by their link."""

    workshop: Workshop
    actor: Actor
    numbers: list[int]
    noes: set[int] = field(default_factory=set)

    def record(self, house: Dispatcher, chance: random.Random) -> None:
        """Take a yes at the desk."""
        with suppress(NotFoundError):
            house.answering.record(chance.choice(self.numbers), [said(chance.choice(list(Channel)))], self.actor)

    def leave(self, house: Dispatcher, chance: random.Random) -> None:
        """Press the link of a message."""
        number = chance.choice(self.numbers[::2])
        leave_by_link(house.preferences, house.links.token(OptOut(number, Channel.EMAIL)), Place.LINK)
        self.noes.add(number)

    def erase(self, house: Dispatcher, chance: random.Random) -> None:
        """Erase somebody, now and then."""
        if chance.random() < 0.2:
            with suppress(NotFoundError):
                house.erasing.erase(chance.choice(self.numbers), EraseReason.REQUEST, self.actor)

    def enrol(self, house: Dispatcher, chance: random.Random) -> None:
        """Import the register, now and then, with some new addresses in it."""
        if chance.random() < 0.2:
            rows = [row(number, f"u{number}@posti.example" if chance.random() < 0.3 else "") for number in CLIENTS]
            house.enrol.run(self.workshop.register(*rows, name=f"{chance.random()}.csv"), self.actor)

    def correct(self, house: Dispatcher, chance: random.Random) -> None:
        """Type an address that others may have."""
        change, yes = Correction(email=shared(chance)), (Reply.GRANTED, Place.PHONE)
        with suppress(NotFoundError, RefusedError):
            house.correcting.correct(chance.choice(self.numbers), change, IdentityCheck.KNOWN, self.actor, said=yes)

    def enlist(self, house: Dispatcher, chance: random.Random) -> None:
        """Write somebody new down."""
        newcomer = Newcomer("Uusi", "", Language.FI, {Channel.EMAIL: shared(chance)})
        with suppress(RefusedError):
            house.answering.enlist(newcomer, [said(Channel.EMAIL)], self.actor)

    def silence(self, house: Dispatcher, chance: random.Random) -> None:
        """Record the no of an address, whoever has it."""
        house.preferences.withdraw_address((Channel.EMAIL, shared(chance)), self.actor)

    def restrict(self, house: Dispatcher, chance: random.Random) -> None:
        """Restrict somebody and lift it again."""
        with suppress(NotFoundError, RefusedError):
            number = chance.choice(self.numbers)
            house.correcting.restrict(number, None, self.actor)
            house.correcting.lift(number, self.actor)

    def sign_up(self, house: Dispatcher, chance: random.Random) -> None:
        """Send the public form."""
        join(house, shared(chance))

    def send(self, house: Dispatcher, _: random.Random) -> None:
        """Do a round of the sender."""
        asyncio.run(house.rounds.once())
        asyncio.run(house.services.once())
        asyncio.run(house.erasing.deletions.work())

    def works(self) -> list[Work]:
        """Return what is done side by side; some of it twice, so that like meets like."""
        once = [self.enrol, self.correct, self.enlist, self.silence, self.restrict, self.sign_up, self.send]
        return [*once, self.record, self.record, self.leave, self.leave, self.erase, self.erase]


def test_nobody_waits_for_ever_and_no_no_is_lost(workshop: Workshop) -> None:
    """Invariants 1, 4 and 9, each with storage of its own where the database allows several writers.

    All of them end, every no is on record, and the chain and the year's audit, which decides anew about each message
    that left, are whole.
    """
    enable_sign_up(workshop)
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        dispatcher.enrol.run(workshop.register(*(row(number) for number in CLIENTS)), actor)
        moment = workshop.clock() + timedelta(days=1)
        dispatcher.schedule.run(workshop.campaign("a", moment), actor)
        workshop.clock.set(moment)
        crowd = Crowd(workshop, actor, [dispatcher.register.find(f"c{number}@posti.example") for number in CLIENTS])

        def play(seed: int, work: Work, house: Dispatcher) -> None:
            chance = random.Random(seed)  # noqa: S311 - the same play in every run
            for _ in range(TURNS):
                work(house, chance)

        def alone(seed: int, work: Work) -> None:
            if dispatcher.store.database.is_sqlite:
                play(seed, work, dispatcher)
                return
            with workshop.opened() as house:
                play(seed, work, house)

        works = crowd.works()
        with ThreadPoolExecutor(len(works)) as hands:
            begun = [hands.submit(alone, seed, work) for seed, work in enumerate(works)]
            assert set() == wait(begun, SECONDS).not_done
        assert [] == [error for each in begun if (error := each.exception()) is not None]

        with dispatcher.store.reading() as connection:
            given = answers.of_clients(connection, sorted(crowd.noes))
        heard = {number for number, told in given.items() if any(a.reply is Reply.WITHDRAWN for a in told)}
        assert crowd.noes == heard
        assert () == dispatcher.audit.verify().breaks
        assert () == dispatcher.audit.year(workshop.clock().year).findings
