"""Refusals that speak of us: the campaign is held and says why, or one domain waits and the others go on (E-53)."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from dispatcher.demo.smtp_double import SmtpDouble
from dispatcher.demo.twilio_double import TwilioDouble
from dispatcher.rules.breaker import Trip
from dispatcher.rules.campaign import State
from dispatcher.wiring import Dispatcher
from tests.clock import FixedClock
from tests.flow.carried import MOMENT, look, narrow
from tests.workshop import ACCOUNT, API_KEY, API_SECRET, Doubles, Workshop, build

CLIENTS = 60
Script = Callable[[str], str | None]


@pytest.fixture
def script() -> dict[str, Script]:
    """What the mail server answers to a recipient, under "now"; it takes everybody at first."""
    return {"now": lambda _recipient: None}


@pytest.fixture
def studio(
    tmp_path: Path, clock: FixedClock, database_url: str, journal_url: str, script: dict[str, Script]
) -> Iterator[tuple[Workshop, Doubles]]:
    """A studio whose clients are at three domains, and its mail server."""
    with SmtpDouble(lambda who: script["now"](who.lower())) as smtp, TwilioDouble(ACCOUNT, API_KEY, API_SECRET) as sms:
        doubles = Doubles(smtp, sms)
        workshop = build(tmp_path / "studio", clock, database_url, journal_url, doubles)
        narrow(workshop, 8)
        yield workshop, doubles


def begin(workshop: Workshop, dispatcher: Dispatcher) -> None:
    """Schedule a campaign to everybody and come to its moment."""
    actor = dispatcher.persons.acting(None)
    rows = [
        f"{each};Nimi;Esimerkki;client{each}@{'abc'[each % 3]}.example;;fi;3.1.2026;kyllä;;3.1.2026"
        for each in range(CLIENTS)
    ]
    dispatcher.enrol.run(workshop.register(*rows), actor)
    dispatcher.schedule.run(workshop.campaign("a", MOMENT, channels=("email",)), actor)
    workshop.clock.set(MOMENT)


def test_refusals_of_several_providers_hold_the_campaign(
    studio: tuple[Workshop, Doubles], script: dict[str, Script]
) -> None:
    """E-53: ten policy refusals in two domains hold it; released it counts anew, and nobody's address is dead."""
    workshop, doubles = studio
    script["now"] = lambda who: "550 5.7.1 not wanted" if who.endswith(("@a.example", "@b.example")) else None
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher)
        look(dispatcher)
        held = dispatcher.lifecycle.named("a")
        assert (State.HELD, Trip.POLICY) == (held.state, held.held_reason)
        sent = len(doubles.smtp.received)
        assert sent < CLIENTS // 3 + 1
        look(dispatcher)
        assert sent == len(doubles.smtp.received)
        script["now"] = lambda _who: None
        workshop.clock.advance(timedelta(minutes=5))
        dispatcher.lifecycle.release("a", dispatcher.persons.acting(None))
        look(dispatcher)
        assert State.FINISHED == dispatcher.lifecycle.named("a").state
        standing = dispatcher.lifecycle.standing(dispatcher.lifecycle.named("a").id)
        assert CLIENTS == sum(standing.messages["email"].values())
        assert () == dispatcher.audit.year(2026).findings


def test_one_provider_that_refuses_us_waits_alone(studio: tuple[Workshop, Doubles], script: dict[str, Script]) -> None:
    """E-53: refusals in one domain make what is for it wait for an hour; everybody else gets their message."""
    workshop, doubles = studio
    script["now"] = lambda who: "451 4.7.1 not now" if who.endswith("@a.example") else None
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher)
        look(dispatcher)
        look(dispatcher)
        assert State.SENDING == dispatcher.lifecycle.named("a").state
        assert CLIENTS * 2 // 3 == len(doubles.smtp.received)
        script["now"] = lambda _who: None
        workshop.clock.advance(timedelta(minutes=59))
        look(dispatcher)
        assert CLIENTS * 2 // 3 == len(doubles.smtp.received)
        workshop.clock.advance(timedelta(hours=2))
        look(dispatcher)
        assert CLIENTS == len({mail.recipient for mail in doubles.smtp.received}) == len(doubles.smtp.received)


def test_content_that_is_refused_stops_the_campaign(
    studio: tuple[Workshop, Doubles], script: dict[str, Script]
) -> None:
    """E-50, the table: what is ours to mend stops the campaign once it is more than 2 %."""
    workshop, doubles = studio
    script["now"] = lambda who: "554 5.6.0 cannot be read" if who.endswith("@b.example") else None
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher)
        look(dispatcher)
        held = dispatcher.lifecycle.named("a")
    assert (State.HELD, Trip.CONTENT) == (held.state, held.held_reason)
    assert len(doubles.smtp.received) < CLIENTS * 2 // 3


def test_quota_words_slow_down_and_blame_nobody(studio: tuple[Workshop, Doubles], script: dict[str, Script]) -> None:
    """E-53: a shared host's "exceeded the max emails per hour" lets the channel rest; then everybody gets theirs."""
    workshop, doubles = studio
    told = {"many": 0}

    def answer(_who: str) -> str | None:
        told["many"] += 1
        over = "550 5.1.0 policy: you have exceeded the max emails per hour (200/200) allowed"
        return over if told["many"] > 20 else None

    script["now"] = answer
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher)
        look(dispatcher)
        sent = len(doubles.smtp.received)
        assert 20 == sent
        told["many"] = -1000
        look(dispatcher)
        workshop.clock.advance(timedelta(minutes=9))
        look(dispatcher)
        assert sent == len(doubles.smtp.received)
        workshop.clock.advance(timedelta(minutes=2))
        look(dispatcher)
        assert CLIENTS == len({mail.recipient for mail in doubles.smtp.received}) == len(doubles.smtp.received)
        assert State.FINISHED == dispatcher.lifecycle.named("a").state
