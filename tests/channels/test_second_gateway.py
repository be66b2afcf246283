"""The channel protocol, proved by a second SMS service that the program knows nothing of."""

import asyncio
import socket
import ssl
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from dispatcher.channels import RECALLED
from dispatcher.errors import ChannelError
from dispatcher.rules.campaign import Channel, State
from dispatcher.rules.message import Blame, CampaignMessage, Email, Outcome, OutcomeKind, Sms
from tests.channels.second_gateway import Gateway, GatewayCarrier, GatewaySettings
from tests.faults.certificates import Certificate
from tests.flow.test_outcomes import begin, messages, send
from tests.workshop import Workshop

NUMBERS = {
    "taken": "+358401234501",
    "dead": "+358401234502",
    "out": "+358401234503",
    "lost": "+358401234504",
    "broken": "+358401234505",
    "busy": "+358401234506",
    "filtered": "+358401234507",
}
ANSWERS: dict[str, tuple[int, dict[str, object]]] = {
    NUMBERS["dead"]: (422, {"reason": "no_such_number"}),
    NUMBERS["out"]: (422, {"reason": "opted_out"}),
    NUMBERS["lost"]: (0, {}),
    NUMBERS["broken"]: (500, {}),
    NUMBERS["filtered"]: (422, {"reason": "filtered"}),
}
WAITS = Outcome(OutcomeKind.DEFERRED, blame=Blame.CONNECTION)


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    """Give the gateway, with a certificate that only its users trust."""
    with Gateway(Certificate.made(tmp_path), dict(ANSWERS)) as running:
        yield running


def hand_over(settings: GatewaySettings, *numbers: str) -> list[Outcome]:
    """Hand a text message over to each of these numbers, in one session."""

    async def talk() -> list[Outcome]:
        async with GatewayCarrier(settings).session() as session:
            texts = [CampaignMessage(f"m{at}", Sms(number, "Hei", 1)) for at, number in enumerate(numbers)]
            return [await session.hand_over(text) for text in texts]

    return asyncio.run(talk())


def test_a_campaign_goes_by_another_gateway(workshop: Workshop, gateway: Gateway) -> None:
    """A campaign is delivered, recorded and audited as ever by a channel that was not there before."""
    rows = [
        f"{at};Nimi;Esimerkki;;{number};fi;3.1.2026;;kyllä;3.1.2026" for at, number in enumerate(NUMBERS.values(), 1)
    ]
    with workshop.opened() as dispatcher:
        carriers = dispatcher.deliver._carriers
        assert isinstance(carriers, dict)
        carriers[Channel.SMS] = GatewayCarrier(gateway.settings())
        begin(workshop, dispatcher, *rows)
        send(dispatcher)
        assert {"accepted": 2, "refused": 3, "unknown": 2} == messages(dispatcher, "sms")
        assert {NUMBERS[name] for name in ("taken", "busy", "lost", "broken")} == {each["to"] for each in gateway.taken}
        assert len(gateway.taken) == 4
        send(dispatcher)
        assert len(gateway.taken) == 4
        assert dispatcher.lifecycle.named("a").state is State.FINISHED
        assert () == dispatcher.audit.year(2026).findings
        report = dispatcher.check.run(workshop.campaign("b", workshop.clock() + timedelta(days=30)))
        assert {"address_dead": 1, "objection": 1} == dict(report.counts.withhold)


def test_it_waits_and_goes_on(workshop: Workshop, gateway: Gateway) -> None:
    """S-24: what such a gateway did not take is tried again, once it does."""
    number = NUMBERS["busy"]
    with workshop.opened() as dispatcher:
        carriers = dispatcher.deliver._carriers
        assert isinstance(carriers, dict)
        carriers[Channel.SMS] = GatewayCarrier(gateway.settings())
        gateway.answers[number] = (429, {})
        begin(workshop, dispatcher, f"1;Nimi;Esimerkki;;{number};fi;3.1.2026;;kyllä;3.1.2026")
        send(dispatcher)
        assert ({"deferred": 1}, []) == (messages(dispatcher, "sms"), gateway.taken)
        del gateway.answers[number]
        workshop.clock.advance(timedelta(minutes=30))
        send(dispatcher)
        assert ({"accepted": 1}, 1) == (messages(dispatcher, "sms"), len(gateway.taken))


def test_a_connection_that_was_lost_is_made_again(gateway: Gateway) -> None:
    """S-24: each message is judged by itself: one that was lost costs the next one nothing."""
    lost, taken = NUMBERS["lost"], NUMBERS["taken"]
    outcomes = hand_over(gateway.settings(), taken, lost, taken)
    accepted = [OutcomeKind.ACCEPTED, OutcomeKind.UNKNOWN, OutcomeKind.ACCEPTED]
    assert accepted == [outcome.kind for outcome in outcomes]


def test_a_certificate_that_is_not_trusted_gets_no_message(gateway: Gateway) -> None:
    """L-42: to whom we do not know nothing is said, and the message waits."""
    stranger = replace(gateway.settings(), trust=ssl.create_default_context())
    assert [WAITS] == hand_over(stranger, NUMBERS["taken"])
    assert [] == gateway.taken


def test_nobody_is_there(gateway: Gateway) -> None:
    """S-24: a connection that cannot be had carried nothing."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert [WAITS] == hand_over(replace(gateway.settings(), port=port), NUMBERS["taken"])


def test_a_no_at_the_last_moment(gateway: Gateway) -> None:
    """A message that may not go any more when its turn comes is not written."""

    async def no() -> bool:
        return False

    async def talk() -> Outcome:
        async with GatewayCarrier(gateway.settings()).session() as session:
            return await session.hand_over(CampaignMessage("m1", Sms(NUMBERS["taken"], "Hei", 1)), no)

    assert asyncio.run(talk()) == RECALLED
    assert [] == gateway.taken


@pytest.mark.parametrize("country", ["", "US", "GB"])
def test_outside_the_eu_there_is_no_gateway(gateway: Gateway, country: str) -> None:
    """L-42: a gateway outside the EU cannot even be set up; one inside can."""
    with pytest.raises(ChannelError, match="not in the EU"):
        replace(gateway.settings(), host="sms.gateway.example", country=country)
    assert "FI" == replace(gateway.settings(), host="sms.gateway.example", country="FI").country


def test_it_carries_no_mail(gateway: Gateway) -> None:
    """A gateway for text messages refuses to be given a mail."""

    async def talk() -> None:
        async with GatewayCarrier(gateway.settings()).session() as session:
            await session.hand_over(CampaignMessage("m1", Email("a@b.example", "c@d.example", b"")))

    with pytest.raises(TypeError, match="text messages only"):
        asyncio.run(talk())
