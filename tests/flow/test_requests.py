"""A client's request stops marketing from its first moment until its answer."""

from datetime import date

import pytest

from dispatcher.errors import NotFoundError, RefusedError
from dispatcher.flow.requests import Requests
from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import Reply
from dispatcher.rules.decision import Coverage, Reason, Send, Verdict, Withhold, decide
from dispatcher.rules.ledger import EntryKind
from dispatcher.rules.rights import IdentityCheck, Refusal, RequestKind
from dispatcher.storage import ledger
from dispatcher.storage.facts import gather
from dispatcher.storage.store import Store
from tests.clock import FixedClock
from tests.stores import OWNER, POLICY, add_client, say


@pytest.fixture
def requests(store: Store, clock: FixedClock) -> Requests:
    """Give the flow, with one client who has said yes."""
    del clock
    add_client(store, 1, email="maija@posti.example")
    say(store, 1, Reply.GRANTED, Channel.EMAIL)
    return Requests(store, POLICY)


def verdict(store: Store) -> Verdict:
    """Return whether the client may be written to now."""
    with store.reading() as connection:
        known = gather(connection, store.ring, [1], None, date(2026, 11, 23), store.clock())
    return decide(known[1].facts, POLICY.any_campaign(Coverage()), store.clock())


@pytest.mark.parametrize("kind", RequestKind)
def test_marketing_stops_at_once_and_goes_on_after_the_answer(
    requests: Requests, store: Store, kind: RequestKind
) -> None:
    """L-30: on any request marketing stops, and what the client agreed to stands again when it is answered."""
    assert isinstance(verdict(store), Send)
    number = requests.open(1, kind, OWNER)
    assert Withhold(Reason.SUSPENDED) == verdict(store)
    requests.identify(number, IdentityCheck.KNOWN, OWNER)
    requests.close(number, "done", OWNER)
    assert isinstance(verdict(store), Send)


def test_a_request_has_its_due_day(requests: Requests) -> None:
    """L-30: one asked for on 23.11.2026 is due on 23.12.2026."""
    requests.open(1, RequestKind.ACCESS, OWNER)
    (found,) = requests.listed()
    assert (date(2026, 12, 23), "access", str(OWNER)) == (found.due, found.kind, found.opened_by)


def test_asking_twice_is_asking_once(requests: Requests) -> None:
    """The due day counts from the first time; another kind is another request."""
    first = requests.open(1, RequestKind.ACCESS, OWNER)
    assert first == requests.open(1, RequestKind.ACCESS, OWNER)
    assert first != requests.open(1, RequestKind.ERASURE, OWNER)


def test_nothing_is_answered_before_somebody_knows_who_asks(requests: Requests) -> None:
    """Section 1: identity is checked first, and how and by whom is on record."""
    number = requests.open(1, RequestKind.ACCESS, OWNER)
    with pytest.raises(RefusedError, match="--identity"):
        requests.close(number, "done", OWNER)
    requests.identify(number, IdentityCheck.DOCUMENT, OWNER)
    requests.close(number, "done", OWNER)
    (found,) = requests.listed(only_open=False)
    assert ("document", str(OWNER), "done") == (found.identity, found.checked_by, found.outcome)


def test_whoever_cannot_show_who_they_are_is_refused(requests: Requests) -> None:
    """A request of a stranger ends with the reason, without an answer, and without a check that never was."""
    number = requests.open(1, RequestKind.ACCESS, OWNER)
    requests.refuse(number, Refusal.NOT_IDENTIFIED, OWNER)
    assert [] == requests.listed()
    (found,) = requests.listed(only_open=False)
    assert (None, "refused:not_identified") == (found.identity, found.outcome)


def test_the_ledger_tells_every_step(requests: Requests, store: Store) -> None:
    """L-39: opened, identified, closed, each with who did it."""
    number = requests.open(1, RequestKind.ERASURE, OWNER)
    requests.identify(number, IdentityCheck.CALLED_BACK, OWNER)
    requests.close(number, "done", OWNER)
    with store.reading() as connection:
        entries = list(ledger.entries(connection, [EntryKind.REQUEST.value]))
    assert ["opened", "identified", "closed"] == [entry.data()["event"] for entry in entries]
    assert {1} == {entry.client for entry in entries}


def test_what_is_not_there_is_named(requests: Requests) -> None:
    """A client or a request that does not exist is an error that says where to look."""
    with pytest.raises(NotFoundError, match="dispatcher client list"):
        requests.open(99, RequestKind.ACCESS, OWNER)
    with pytest.raises(NotFoundError, match="dispatcher client requests"):
        requests.identify(99, IdentityCheck.KNOWN, OWNER)
