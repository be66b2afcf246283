"""A client's request: on record, due in a month, and marketing rests from its first moment to its answer (L-30)."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from dispatcher.errors import NotFoundError, RefusedError
from dispatcher.flow.requests import next_step
from dispatcher.flow.standing import standing
from dispatcher.rules.decision import Reason, Send, Verdict, Withhold
from dispatcher.rules.ledger import EntryKind
from dispatcher.rules.retention import EraseReason
from dispatcher.rules.rights import IdentityCheck, Refusal, RequestKind
from dispatcher.storage import ledger
from dispatcher.wiring import Dispatcher
from tests.stores import broken_links
from tests.workshop import Doubles, Workshop

MOMENT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
MAIJA = "1;Maija;Meikäläinen;maija@posti.example;040 123 4567;fi;3.1.2026;kyllä;kyllä;3.1.2026"
ERIK = "2;Erik;Exempel;erik@posti.example;;sv;3.1.2026;kyllä;;3.1.2026"


def enrol(workshop: Workshop, dispatcher: Dispatcher) -> int:
    """Import two clients who said yes, and return the number of the first."""
    dispatcher.enrol.run(workshop.register(MAIJA, ERIK), dispatcher.persons.acting(None))
    return dispatcher.register.find("maija@posti.example")


def verdict(dispatcher: Dispatcher, client: int) -> Verdict:
    """Return the verdict on a client now."""
    return standing(dispatcher.store, dispatcher.policy, client).verdict


@pytest.mark.parametrize("kind", RequestKind)
def test_marketing_rests_at_once(workshop: Workshop, doubles: Doubles, kind: RequestKind) -> None:
    """On any request marketing stops: what was planned before it is withheld at the hand-off, of this client alone."""
    with workshop.opened() as dispatcher:
        client, actor = enrol(workshop, dispatcher), dispatcher.persons.acting(None)
        dispatcher.schedule.run(workshop.campaign("a", MOMENT), actor)
        workshop.clock.set(MOMENT)
        dispatcher.plan.run(dispatcher.lifecycle.named("a"))
        dispatcher.requests.open(client, kind, actor)
        asyncio.run(dispatcher.rounds.once())
        held = dispatcher.lifecycle.standing(dispatcher.lifecycle.named("a").id)
    assert ["erik@posti.example"] == doubles.mailed()
    assert {"suspended": 1} == dict(held.withheld)


def test_an_answer_ends_the_rest(workshop: Workshop) -> None:
    """From the moment a request has its answer the client may be written to again, if they had said yes."""
    with workshop.opened() as dispatcher:
        client, actor = enrol(workshop, dispatcher), dispatcher.persons.acting(None)
        assert isinstance(verdict(dispatcher, client), Send)
        request = dispatcher.requests.begin(client, RequestKind.ACCESS, IdentityCheck.DOCUMENT, actor)
        assert Withhold(Reason.SUSPENDED) == verdict(dispatcher, client)
        dispatcher.requests.close(request, "done", actor)
        assert isinstance(verdict(dispatcher, client), Send)


def test_a_request_is_due_in_a_month_and_then_overdue(workshop: Workshop) -> None:
    """L-30: asked on 23 November it is due on 23 December; the day after it is overdue, and once closed never."""
    with workshop.opened() as dispatcher:
        client, actor = enrol(workshop, dispatcher), dispatcher.persons.acting(None)
        number = dispatcher.requests.open(client, RequestKind.ERASURE, actor)
        [found] = dispatcher.requests.listed()
        assert (number, date(2026, 12, 23)) == (found.id, found.due)
        assert [False, True] == [found.is_overdue(date(2026, 12, day)) for day in (23, 24)]
        assert f"dispatcher client erase {client} --identity HOW" == next_step(found)
        dispatcher.requests.refuse(number, Refusal.LAW, actor)
        closed = dispatcher.requests.named(number)
        assert (False, "refused:law", None) == (
            closed.is_overdue(date(2027, 12, 24)),
            closed.outcome,
            next_step(closed),
        )


def test_the_same_request_twice_is_one(workshop: Workshop) -> None:
    """Asking again before the answer changes nothing: the first due date stands."""
    with workshop.opened() as dispatcher:
        client, actor = enrol(workshop, dispatcher), dispatcher.persons.acting(None)
        first = dispatcher.requests.open(client, RequestKind.ACCESS, actor)
        workshop.clock.advance(timedelta(days=9))
        assert first == dispatcher.requests.open(client, RequestKind.ACCESS, actor)
        assert [date(2026, 12, 23)] == [each.due for each in dispatcher.requests.listed()]


def test_nothing_is_answered_before_somebody_knows_who_asks(workshop: Workshop) -> None:
    """A request is begun and closed only with an identity on record, and by whom; a refusal needs none."""
    with workshop.opened() as dispatcher:
        client, actor = enrol(workshop, dispatcher), dispatcher.persons.acting(None)
        with pytest.raises(RefusedError, match="say how with --identity"):
            dispatcher.requests.begin(client, RequestKind.ACCESS, None, actor)
        [found] = dispatcher.requests.listed()
        with pytest.raises(RefusedError, match=f"Request {found.id} stays open"):
            dispatcher.requests.close(found.id, "done", actor)
        assert found.id == dispatcher.requests.begin(client, RequestKind.ACCESS, IdentityCheck.KNOWN, actor)
        checked = dispatcher.requests.named(found.id)
        assert ("known", str(actor)) == (checked.identity, checked.checked_by)
        other = dispatcher.requests.open(client, RequestKind.CORRECTION, actor)
        dispatcher.requests.refuse(other, Refusal.NOT_IDENTIFIED, actor)
        with pytest.raises(NotFoundError, match="no open request"):
            dispatcher.requests.refuse(other, Refusal.NOT_IDENTIFIED, actor)


def test_a_request_is_told_in_the_ledger(workshop: Workshop) -> None:
    """Opened, identified and closed are entries about the client's number, without a name or an address."""
    with workshop.opened() as dispatcher:
        client, actor = enrol(workshop, dispatcher), dispatcher.persons.acting(None)
        number = dispatcher.requests.begin(client, RequestKind.ACCESS, IdentityCheck.CALLED_BACK, actor)
        dispatcher.requests.refuse(number, Refusal.EXCESSIVE, actor)
        with dispatcher.store.reading() as connection:
            told = list(ledger.entries(connection, [EntryKind.REQUEST.value]))
    assert [client] * 3 == [entry.client for entry in told]
    assert ["opened", "identified", "closed"] == [entry.data()["event"] for entry in told]
    assert {"event": "closed", "request": number, "outcome": "refused", "why": "excessive"} == told[-1].data()


def test_nobody_asks_who_is_not_there(workshop: Workshop) -> None:
    """A number nobody has can ask for nothing."""
    with workshop.opened() as dispatcher, pytest.raises(NotFoundError, match="No client has the number 5"):
        dispatcher.requests.open(5, RequestKind.ACCESS, dispatcher.persons.acting(None))


@pytest.mark.parametrize("kind", RequestKind)
def test_a_request_survives_the_way_back(workshop: Workshop, tmp_path: Path, kind: RequestKind) -> None:
    """L-34: what was asked after the copy was made is open again after the replay, due as before; marketing rests."""
    with workshop.opened() as dispatcher:
        client, actor = enrol(workshop, dispatcher), dispatcher.persons.acting(None)
        dispatcher.safekeeping.backup(tmp_path / "copy")
        dispatcher.requests.begin(client, kind, IdentityCheck.DOCUMENT, actor)
        [before] = dispatcher.requests.listed()
        workshop.clock.advance(timedelta(days=9))
        dispatcher.safekeeping.restore(tmp_path / "copy")
        assert isinstance(verdict(dispatcher, client), Send)
        assert 1 == dispatcher.safekeeping.replay(actor).requests
        [after] = dispatcher.requests.listed()
        assert before == replace(after, id=before.id)
        assert Withhold(Reason.SUSPENDED) == verdict(dispatcher, client)
        with dispatcher.store.reading() as connection:
            told = [entry.data()["event"] for entry in ledger.entries(connection, [EntryKind.REQUEST.value])]
            assert (["opened", "identified"], []) == (told, broken_links(connection))
        assert 0 == dispatcher.safekeeping.replay(actor).requests
        assert 1 == len(dispatcher.requests.listed(only_open=False))


def test_an_answer_survives_the_way_back(workshop: Workshop, tmp_path: Path) -> None:
    """A request the copy knows as open, and one it never knew, have the answers they were given; marketing goes on."""
    with workshop.opened() as dispatcher:
        client, actor = enrol(workshop, dispatcher), dispatcher.persons.acting(None)
        known = dispatcher.requests.begin(client, RequestKind.ACCESS, IdentityCheck.KNOWN, actor)
        dispatcher.safekeeping.backup(tmp_path / "copy")
        dispatcher.requests.close(known, "done", actor)
        dispatcher.requests.refuse(
            dispatcher.requests.open(client, RequestKind.ERASURE, actor), Refusal.EXCESSIVE, actor
        )
        dispatcher.safekeeping.restore(tmp_path / "copy")
        assert Withhold(Reason.SUSPENDED) == verdict(dispatcher, client)
        assert 1 == dispatcher.safekeeping.replay(actor).requests
        assert isinstance(verdict(dispatcher, client), Send)
        found = dispatcher.requests.listed(only_open=False)
    assert {"access": "done", "erasure": "refused:excessive"} == {each.kind: each.outcome for each in found}


def test_who_came_and_asked_after_the_copy_is_asking_on_return(workshop: Workshop, tmp_path: Path) -> None:
    """L-34: a client whom the copy never knew comes back with the next import, and their request stands."""
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        dispatcher.safekeeping.backup(tmp_path / "copy")
        client = enrol(workshop, dispatcher)
        dispatcher.requests.open(client, RequestKind.ACCESS, actor)
        dispatcher.safekeeping.restore(tmp_path / "copy")
        dispatcher.safekeeping.replay(actor)
        assert client == enrol(workshop, dispatcher)
        assert Withhold(Reason.SUSPENDED) == verdict(dispatcher, client)


def test_who_was_erased_asks_for_nothing_after_the_way_back(workshop: Workshop, tmp_path: Path) -> None:
    """An erasure answers every request of the client; after a restore and its replay it has done so again."""
    with workshop.opened() as dispatcher:
        client, actor = enrol(workshop, dispatcher), dispatcher.persons.acting(None)
        dispatcher.safekeeping.backup(tmp_path / "copy")
        dispatcher.requests.open(client, RequestKind.RESTRICTION, actor)
        request = dispatcher.requests.begin(client, RequestKind.ERASURE, IdentityCheck.KNOWN, actor)
        dispatcher.erasing.erase(client, EraseReason.REQUEST, actor, request)
        answered = {"restriction": "erased", "erasure": "done"}
        assert answered == {each.kind: each.outcome for each in dispatcher.requests.listed(only_open=False)}
        dispatcher.safekeeping.restore(tmp_path / "copy")
        dispatcher.safekeeping.replay(actor)
        assert answered == {each.kind: each.outcome for each in dispatcher.requests.listed(only_open=False)}
        assert [] == dispatcher.requests.listed()
