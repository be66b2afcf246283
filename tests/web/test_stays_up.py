"""A no gets through while the register is read in and an audit reads everything; it waits only for its own turn."""

import threading
from concurrent.futures import ThreadPoolExecutor

from starlette.testclient import TestClient

from dispatcher.links import OptOut
from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import Reply
from dispatcher.storage import clients, ledger
from dispatcher.storage.locks import Lock, LockKind, take
from dispatcher.wiring import Dispatcher
from tests.web.conftest import site
from tests.workshop import Workshop

CLIENTS = 40
ROWS = [f"{n};N;N;c{n}@posti.example;;fi;3.1.2026;kyllä;;3.1.2026" for n in range(CLIENTS)]
MORE = [f"{n};N;N;d{n}@posti.example;;fi;3.1.2026;kyllä;;3.1.2026" for n in range(1000, 1200)]


def path(dispatcher: Dispatcher, number: int) -> str:
    """Return the path of the link of the client with this place in the register."""
    client = dispatcher.register.find(f"c{number}@posti.example")
    return f"/u/{dispatcher.links.token(OptOut(client, Channel.EMAIL))}"


def noes(dispatcher: Dispatcher) -> int:
    """Return how many noes are on record."""
    with dispatcher.store.reading() as connection:
        found = ledger.entries(connection, ["answer"])
        return sum(entry.data()["reply"] == Reply.WITHDRAWN.value for entry in found)


def test_while_an_import_and_an_audit_run(workshop: Workshop) -> None:
    """An import that is being written and an audit in the middle of its reading keep no no waiting for their end."""
    with workshop.opened() as dispatcher, workshop.opened() as other:
        actor = dispatcher.persons.acting(None)
        dispatcher.enrol.run(workshop.register(*ROWS), actor)
        with TestClient(site(dispatcher)) as visitor, ThreadPoolExecutor(1) as at_work, other.store.reading() as audit:
            before = sum(1 for _ in ledger.entries(audit))
            more, begun = workshop.register(*ROWS, *MORE, name="more.csv"), threading.Event()
            running = at_work.submit(other.enrol.run, more, actor, progress=lambda *_: begun.set())
            assert begun.wait(60)
            answers = [visitor.post(path(dispatcher, number)).status_code for number in range(8)]
            assert [200] * 8 == answers
            assert 8 == noes(dispatcher)
            assert before == sum(1 for _ in ledger.entries(audit))
            running.result(60)
        with dispatcher.store.reading() as connection:
            assert CLIENTS + len(MORE) == clients.count(connection)
        assert () == dispatcher.audit.year(2026).findings


def test_nobody_is_told_it_is_kept_before_it_is(workshop: Workshop) -> None:
    """E-11: while a transaction of another process is in the way, a no waits, and is answered once it is on disk."""
    with workshop.opened() as dispatcher, workshop.opened() as other:
        dispatcher.enrol.run(workshop.register(*ROWS), dispatcher.persons.acting(None))
        client = dispatcher.register.find("c1@posti.example")
        with TestClient(site(dispatcher)) as visitor, ThreadPoolExecutor(1) as browser:
            with other.store.database.writing() as connection:
                take(connection, [Lock(LockKind.CLIENT, client)])
                leaving = browser.submit(visitor.post, path(dispatcher, 1))
                assert 200 == visitor.get(path(dispatcher, 2)).status_code
                assert not leaving.done()
                assert 0 == noes(dispatcher)
            assert 200 == leaving.result(30).status_code
        assert 1 == noes(dispatcher)
