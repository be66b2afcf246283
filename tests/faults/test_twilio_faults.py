"""Twilio at its worst: whatever is lost on the way, nobody gets two, and what it tells in the end is what is known.

The real carrier, the real pages over HTTP on loopback, and both databases.
"""

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.types import ASGIApp, Receive, Scope, Send

from dispatcher.channels.twilio import TwilioCarrier
from dispatcher.demo.loopback import ServerThread
from dispatcher.demo.smtp_double import SmtpDouble
from dispatcher.demo.twilio_double import RETRY_AFTER_SECONDS, Trouble, TwilioDouble
from dispatcher.flow.reconciling import FIRST_LOOK
from dispatcher.keys import KeyKind, KeyRing, read_ring, write_ring
from dispatcher.rules.campaign import Channel, State
from dispatcher.rules.ledger import EntryKind
from dispatcher.settings import SECRETS
from tests.clock import FixedClock
from tests.faults.twilio_double import TOKEN, CutLine, told_of
from tests.flow.lost_replies import Texts
from tests.flow.test_outcomes import TEXT, messages, send
from tests.web.conftest import site
from tests.workshop import ACCOUNT, API_KEY, API_SECRET, Doubles, build

CUT = -1
"""The connection is reset after the message was taken."""


class Front:
    """The pages, once there is an installation to show: their address has to be known before."""

    app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        assert self.app is not None
        await self.app(scope, receive, send)


class Noticing(TwilioDouble):
    """Twilio that says when it has taken a message."""

    def __init__(self, trouble: Trouble | int | None, clock: FixedClock) -> None:
        self.trouble = trouble
        self.has_taken = threading.Event()
        super().__init__(ACCOUNT, API_KEY, API_SECRET, lambda _: self.trouble, clock)

    def _take(self, form: Mapping[str, str]) -> dict[str, Any]:
        taken = super()._take(form)
        self.has_taken.set()
        return taken


Beginning = Callable[[Trouble | int | None], Texts]


@pytest.fixture(name="begin")
def begin_with(tmp_path: Path, clock: FixedClock, database_url: str, journal_url: str) -> Iterator[Beginning]:
    """Give a way to begin a studio with its pages served, whose one text message meets this trouble."""
    with ExitStack() as stack:

        def begin(trouble: Trouble | int | None) -> Texts:
            sms = stack.enter_context(Noticing(None if trouble == CUT else trouble, clock))
            if trouble == CUT:
                sms.base_url = stack.enter_context(CutLine(sms.base_url)).base_url
            front = Front()
            pages = stack.enter_context(ServerThread(front))
            doubles = Doubles(stack.enter_context(SmtpDouble()), sms)
            workshop = build(tmp_path / "studio", clock, database_url, journal_url, doubles, pages.base_url)
            ring = read_ring(workshop.directory / SECRETS)
            credentials = {**ring.credentials, "twilio_auth_token": TOKEN}
            write_ring(workshop.directory / SECRETS, KeyRing({kind: ring.all(kind) for kind in KeyKind}, credentials))
            dispatcher = stack.enter_context(workshop.opened())
            front.app = site(dispatcher)
            carriers = dispatcher.deliver._carriers
            carrier = carriers[Channel.SMS]
            assert isinstance(carrier, TwilioCarrier)
            assert isinstance(carriers, dict)
            carriers[Channel.SMS] = TwilioCarrier(replace(carrier._settings, timeout_seconds=3))
            return Texts(workshop, dispatcher, sms)

        yield begin


@pytest.mark.parametrize("trouble", [Trouble.LOST, Trouble.HANG, CUT])
def test_a_lost_reply_is_told_by_the_call(begin: Beginning, trouble: Trouble | int) -> None:
    """S-24, S-26: 500, silence or a reset after the message was taken: unknown, then accepted by Twilio's own call."""
    texts = begin(trouble)
    assert {"unknown": 1} == messages(texts.dispatcher, "sms")
    [received] = texts.sms.received
    assert f"?s={texts.row['message_id']}" in received.form["StatusCallback"]
    assert 204 == told_of(received, "delivered").make()
    assert ("accepted", received.sid, "delivered", None) == texts.known
    texts.workshop.clock.advance(timedelta(hours=1))
    send(texts.dispatcher)
    assert 1 == len(texts.sms.received)
    assert () == texts.findings()


def test_a_lost_reply_is_found_in_the_list(begin: Beginning) -> None:
    """S-26: where no call comes, Twilio's list tells; what is told after that is added to it."""
    texts = begin(Trouble.LOST)
    texts.workshop.clock.advance(FIRST_LOOK)
    done = asyncio.run(texts.dispatcher.duties.once())
    assert ["1 messages whose reply was lost had been taken"] == [
        each.said for each in done if each.name == "lost replies"
    ]
    [received] = texts.sms.received
    assert 204 == told_of(received, "undelivered", "30003").make()
    assert ("accepted", received.sid, "undelivered", "30003") == texts.known
    assert 1 == len(texts.sms.received)


def test_a_call_that_overtakes_its_own_reply(begin: Beginning) -> None:
    """S-26: a call may come while the reply is still awaited: it is the outcome then, and silence undoes nothing."""
    texts = begin(Trouble.BUSY)
    sms = texts.sms
    assert isinstance(sms, Noticing)
    sms.trouble = Trouble.HANG
    texts.workshop.clock.advance(timedelta(minutes=10))
    sender = threading.Thread(target=send, args=(texts.dispatcher,))
    sender.start()
    assert sms.has_taken.wait(20)
    [received] = sms.received
    assert 204 == told_of(received, "sent").make()
    sender.join()
    assert ("accepted", received.sid, "sent", None) == texts.known
    assert () == texts.findings()


def test_too_many_at_once_wait_as_asked(begin: Beginning) -> None:
    """S-24: 429 was not taken; it waits as long as Twilio asks, is sent once, and the client is not blamed."""
    texts = begin(Trouble.BUSY)
    assert {"deferred": 1} == messages(texts.dispatcher, "sms")
    assert isinstance(texts.sms, Noticing)
    texts.sms.trouble = None
    send(texts.dispatcher)
    assert [] == texts.sms.received
    texts.workshop.clock.advance(timedelta(seconds=RETRY_AFTER_SECONDS) + timedelta(minutes=2))
    send(texts.dispatcher)
    assert 1 == len(texts.sms.received)
    assert {"accepted": 1} == messages(texts.dispatcher, "sms")


STEPS = (("sending", ""), ("sent", ""), ("undelivered", "30008"), ("delivered", ""))


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_calls_in_any_order(ordered: Texts, data: st.DataObject) -> None:
    """S-27: whatever the order, and whatever comes twice, the end is the same: taken once, with its error."""
    [received] = ordered.sms.received
    ordered.change(state="unknown", provider_id=None, later=None, later_code=None, blame=None, closed_at=None)
    calls = data.draw(st.permutations([*STEPS, *data.draw(st.lists(st.sampled_from(STEPS), max_size=2))]))
    assert {204} == {told_of(received, status, code).make() for status, code in calls}
    assert ("accepted", received.sid, "undelivered", "30008") == ordered.known
    assert 1 == len(ordered.sms.received)


@pytest.fixture
def ordered(begin: Beginning) -> Texts:
    """Give a message whose reply was lost."""
    return begin(Trouble.LOST)


def test_calls_at_the_same_time(begin: Beginning) -> None:
    """S-27: the same call several times at once is kept once."""
    texts = begin(Trouble.LOST)
    [received] = texts.sms.received
    with ThreadPoolExecutor(4) as pool:
        calls = [pool.submit(told_of(received, "undelivered", "30006").make) for _ in range(8)]
        assert {204} == {call.result() for call in calls}
    assert ("accepted", received.sid, "undelivered", "30006") == texts.known
    assert 1 == len(texts.entries(EntryKind.LATER))
    assert 1 == len(texts.deaths)
    assert () == texts.findings()


def test_what_is_set_up_wrongly_holds_the_campaign(begin: Beginning) -> None:
    """The error table: 21408 is nobody's but ours to mend: held with the reason, and released it goes on."""
    texts = begin(21408)
    campaign = texts.dispatcher.lifecycle.named("a")
    assert (State.HELD, "provider_set_up") == (campaign.state, campaign.held_reason)
    assert isinstance(texts.sms, Noticing)
    texts.sms.trouble = None
    texts.workshop.clock.advance(timedelta(minutes=10))
    texts.dispatcher.lifecycle.release("a", texts.dispatcher.persons.acting(None))
    send(texts.dispatcher)
    assert {"accepted": 1} == messages(texts.dispatcher, "sms")
    assert 1 == len(texts.sms.received)


def test_filtered_messages_hold_the_campaign(begin: Beginning) -> None:
    """E-53, the error table: ten messages of which Twilio tells later that they were filtered hold what is left."""
    texts = begin(None)
    dispatcher, clock = texts.dispatcher, texts.workshop.clock
    rows = [f"{n};Nimi;Esimerkki;;04012346{n};fi;3.1.2026;;kyllä;3.1.2026" for n in range(10, 26)]
    actor = dispatcher.persons.acting(None)
    dispatcher.enrol.run(texts.workshop.register(TEXT, *rows), actor)
    later = clock() + timedelta(days=14)
    dispatcher.schedule.run(texts.workshop.campaign("b", later, channels=("sms",)), actor)
    clock.set(later)
    asyncio.run(dispatcher.rounds.once(stop=lambda: len(texts.sms.received) > 10))
    assert State.SENDING is dispatcher.lifecycle.named("b").state
    filtered = texts.sms.received[1:]
    for count, received in enumerate(filtered, 1):
        assert 204 == told_of(received, "undelivered", "30007").make()
        held = dispatcher.lifecycle.named("b").state is State.HELD
        assert held is (count >= 10)
    assert "policy_refusals" == dispatcher.lifecycle.named("b").held_reason
    assert () == texts.findings()


def test_a_forged_call_changes_nothing(begin: Beginning) -> None:
    """S-30: who does not know the token learns nothing and changes nothing, over HTTP as well."""
    texts = begin(Trouble.LOST)
    [received] = texts.sms.received
    before = texts.row
    assert 403 == told_of(received, "delivered", secret="a guess").make()
    call = told_of(received, "delivered")
    assert 403 == replace(call, body=call.body.replace(b"delivered", b"failed")).make()
    assert before == texts.row
