"""What a monitor learns: whether everything is in order, how much there is of what, and nothing of any person."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from dispatcher.errors import StorageError
from dispatcher.flow.heart import Heart
from dispatcher.rules.campaign import Channel
from dispatcher.web.public import create_app
from dispatcher.web.request_log import RequestLog
from dispatcher.web.watch import WatchDoor
from dispatcher.wiring import Dispatcher
from tests.flow.carried import MOMENT
from tests.web.conftest import lose_journal
from tests.workshop import Workshop

TOKEN = "tunturi-7"
SHOWN = {"Authorization": f"Bearer {TOKEN}"}
ROW = "1;Maija;Meikäläinen;maija@posti.example;040 123 4567;sv;3.1.2026;kyllä;kyllä;3.1.2026"


@pytest.fixture
def dispatcher(workshop: Workshop) -> Iterator[Dispatcher]:
    """Give an installation with one client and a planned campaign, on both databases."""
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        dispatcher.enrol.run(workshop.register(ROW), actor)
        dispatcher.schedule.run(workshop.campaign("a", MOMENT, channels=["email"]), actor)
        workshop.clock.set(MOMENT)
        dispatcher.plan.run(dispatcher.lifecycle.named("a"))
        yield dispatcher


@pytest.fixture
def monitor(dispatcher: Dispatcher) -> Iterator[TestClient]:
    """Give a monitor that asks the public application."""
    with TestClient(app_of(dispatcher, TOKEN)) as client:
        yield client


def app_of(dispatcher: Dispatcher, token: str) -> FastAPI:
    """Return the public application with what a monitor asks."""
    return create_app(
        dispatcher.preferences,
        dispatcher.studio,
        dispatcher.store.clock,
        watch=WatchDoor(dispatcher.watching, token),
    )


def test_ready_is_all_in_order(workshop: Workshop, dispatcher: Dispatcher, monitor: TestClient) -> None:
    """Ready is 200 while database, journal and sender are in order, and 503 that says which is not."""
    parts = {"ready": False, "database": True, "journal": True, "sender": False}
    assert (503, parts) == told(monitor)
    heart = Heart(dispatcher.store, "here", "1")
    heart.begin()
    workshop.clock.advance(timedelta(seconds=3))
    assert (200, dict.fromkeys(parts, True)) == told(monitor)
    workshop.clock.advance(timedelta(minutes=2))
    assert (503, parts) == told(monitor)
    heart.beat(None)
    lose_journal(dispatcher.store)
    workshop.clock.advance(timedelta(seconds=3))
    assert (503, dict.fromkeys(parts, True) | {"ready": False, "journal": False}) == told(monitor)
    assert [(200, "ok\n")] * 2 == [(a.status_code, a.text) for a in map(monitor.get, ("/health", "/health/live"))]


def told(monitor: TestClient) -> tuple[int, dict[str, bool]]:
    """Return what readiness says."""
    answer = monitor.get("/health/ready")
    return answer.status_code, answer.json()


def test_a_database_that_does_not_answer(dispatcher: Dispatcher, monitor: TestClient) -> None:
    """Fail closed: without a database nothing is in order, the figures are 503, and nobody sees why."""
    dispatcher.store.database.engine.dispose()
    dispatcher.store.database.engine.connect = refuse  # type: ignore[method-assign, assignment]
    assert (503, dict.fromkeys(("ready", "database", "journal", "sender"), False)) == told(monitor)
    assert (503, "") == ((answer := monitor.get("/metrics", headers=SHOWN)).status_code, answer.text)


def refuse() -> None:
    """Fail as a database that is gone does."""
    raise StorageError


def test_the_figures(monitor: TestClient) -> None:
    """Prometheus reads how much there is of what, as the database has it just now."""
    answer = monitor.get("/metrics", headers=SHOWN)
    found = {
        (each.name, *each.labels.values()): each.value
        for family in text_string_to_metric_families(answer.text)
        for each in family.samples
    }
    assert 1 == found["dispatcher_messages", "email", "waiting"]
    assert 1 == found["dispatcher_campaigns", "sending"]
    assert 1 == found["dispatcher_clients",] == found["dispatcher_journal_trusted",]
    assert 0 == found["dispatcher_sender_beating",]
    assert found["dispatcher_ledger_entries",] > 3
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")


def test_no_person_is_in_the_figures(dispatcher: Dispatcher, monitor: TestClient) -> None:
    """L-46: neither a name, an address, a client's number nor the name of a campaign is told."""
    told = monitor.get("/metrics", headers=SHOWN).text
    number = dispatcher.register.find("maija@posti.example")
    for word in ("Maija", "Meikäläinen", "posti", "401234567", str(number), '"a"'):
        assert word not in told


@pytest.mark.parametrize(
    "shown", ["", "Bearer", "Bearer tunturi-", "Bearer tunturi-77", "bearer tunturi-7", "Bearer ä"]
)
def test_the_figures_are_for_who_shows_the_token(monitor: TestClient, shown: str) -> None:
    """Whoever shows no token, or another, learns not even that there are figures."""
    headers = {b"Authorization": shown.encode("latin-1")} if shown else None
    refused, unknown = monitor.get("/metrics", headers=headers), monitor.get("/nothing")
    assert (404, unknown.text) == (refused.status_code, refused.text)


def test_without_a_token_there_are_no_figures(dispatcher: Dispatcher) -> None:
    """They are never public by default: an empty token is nobody's."""
    with TestClient(app_of(dispatcher, "")) as monitor:
        for headers in ({}, {"Authorization": "Bearer "}, SHOWN):
            assert 404 == monitor.get("/metrics", headers=headers).status_code


def test_the_request_log(dispatcher: Dispatcher, caplog: pytest.LogCaptureFixture) -> None:
    """X-06: a line a request with its route as it is declared; no token, no query, no address, whatever is asked."""
    token = dispatcher.links.test_url(Channel.EMAIL)[-37:]
    with TestClient(RequestLog(app_of(dispatcher, TOKEN))) as visitor, caplog.at_level("INFO", "dispatcher"):
        visitor.get(
            f"/u/{token}?q=maija@posti.example", headers={"User-Agent": "secret", "X-Forwarded-For": "192.0.2.7"}
        )
        visitor.post(f"/U/{token}")
        visitor.request(token.upper(), f"/{token}")
        visitor.get("/health")
    lines = [record.message for record in caplog.records if record.name == "dispatcher.requests"]
    kept = [line.partition(', "ms"')[0] for line in lines]
    assert [
        '{"method": "GET", "route": "/u/{token:path}", "status": 200',
        '{"method": "POST", "route": "/u/{token:path}", "status": 200',
        '{"method": "other", "route": "-", "status": 404',
        '{"method": "GET", "route": "/health", "status": 200',
    ] == kept
    for word in (token, token.upper(), "posti", "secret", "192.0.2.7", "testclient"):
        assert word not in caplog.text
