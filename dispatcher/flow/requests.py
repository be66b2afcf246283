"""The clients' requests: opened, identity checked, answered; marketing rests from the first moment until the answer.

Each of these acts stands in the journal too, so that a restore and its replay bring them back (L-30, L-34). There a
request is known by client and kind, of which one at a time is open: its number may be another after a restore.
"""

from datetime import date

from dispatcher.errors import NotFoundError, RefusedError
from dispatcher.flow.known import unknown
from dispatcher.flow.policy import Policy
from dispatcher.rules.actor import Actor
from dispatcher.rules.calendar import local_date
from dispatcher.rules.ledger import Entry, EntryKind, Json, read_stamp
from dispatcher.rules.rights import IdentityCheck, Refusal, RequestKind, due_day
from dispatcher.storage import clients, requests
from dispatcher.storage.journal import JournalKind, Note, Record
from dispatcher.storage.locks import Lock, LockKind
from dispatcher.storage.requests import Request
from dispatcher.storage.store import Store
from dispatcher.storage.writer import Transaction

_OPENED, _IDENTIFIED, _CLOSED, _REFUSED = "opened", "identified", "closed", "refused"


class Requests:
    """Keeps what clients asked for, so that nothing is forgotten and nobody is written to meanwhile."""

    def __init__(self, store: Store, policy: Policy) -> None:
        self._store = store
        self._policy = policy

    def open(self, client: int, kind: RequestKind, actor: Actor) -> int:
        """Put a request on record and return its number; one of the same kind that is open already is that one.

        From now until it is closed every verdict about the client is no (`suspended`). Raises NotFoundError.
        """
        # The client's lock is the gate's: what is being decided about them is decided before or after, never across.
        return self._store.write(
            lambda transaction: self.open_in(transaction, client, kind, actor),
            wanted=[Lock(LockKind.CLIENT, client)],
            urgent=True,
        )

    def open_in(self, transaction: Transaction, client: int, kind: RequestKind, actor: Actor) -> int:
        """Do what `open` does within a transaction."""
        connection, now = transaction.connection, transaction.now
        if not clients.read(connection, [client]):
            raise unknown(client)
        for known in requests.every(connection, only_open=True, client=client):
            if known.kind == kind.value:
                return known.id
        due = due_day(local_date(now, self._policy.zone))
        number = requests.add(connection, client, kind.value, str(actor), due, now)
        _keep(transaction, actor, client, kind.value, {"event": _OPENED, "due": due.isoformat()})
        _tell(transaction, actor, client, {"event": _OPENED, "request": number, "kind": kind.value})
        return number

    def begin(self, client: int, kind: RequestKind, identity: IdentityCheck | None, actor: Actor) -> int:
        """Open a request, put on record how the identity was checked if somebody did, and return its number.

        Raises RefusedError while nobody has checked it; the request stays open then, and marketing rests.
        """
        number = self.open(client, kind, actor)
        if identity is not None:
            self.identify(number, identity, actor)
        with self._store.reading() as connection:
            _check_identified(next(each for each in requests.every(connection, client=client) if each.id == number))
        return number

    def identify(self, request: int, check: IdentityCheck, actor: Actor) -> None:
        """Put on record how the identity behind an open request was checked; `actor` is who checked it."""
        self._store.write(lambda transaction: self.identify_in(transaction, request, check, actor))

    def identify_in(self, transaction: Transaction, request: int, check: IdentityCheck, actor: Actor) -> None:
        """Do what `identify` does within a transaction."""
        found = _open(transaction, request)
        _keep(transaction, actor, found.client, found.kind, {"event": _IDENTIFIED, "identity": check.value})
        _identify(transaction, found, check.value, actor)

    def close(self, request: int, outcome: str, actor: Actor) -> None:
        """Put on record that a request has its answer. Raises RefusedError unless the identity has been checked.

        `outcome` is one word: "done", or "blocked" where a legal block keeps a part.
        """
        self._store.write(lambda transaction: self.close_in(transaction, request, outcome, actor))

    def refuse(self, request: int, reason: Refusal, actor: Actor) -> None:
        """Put on record that a request was refused and why; no identity is needed for that."""

        def work(transaction: Transaction) -> None:
            self.end_in(transaction, _open(transaction, request), f"{_REFUSED}:{reason}", actor)

        self._store.write(work)

    def close_in(self, transaction: Transaction, request: int, outcome: str, actor: Actor) -> None:
        """Do what `close` does within a transaction."""
        found = _open(transaction, request)
        _check_identified(found)
        self.end_in(transaction, found, outcome, actor)

    def end_in(self, transaction: Transaction, request: Request, outcome: str, actor: Actor) -> None:
        """End an open request within a transaction, whoever was or was not identified behind it."""
        _keep(transaction, actor, request.client, request.kind, {"event": _CLOSED, "outcome": outcome})
        _end(transaction, request, outcome, actor)

    def named(self, request: int) -> Request:
        """Return the request of this number. Raises NotFoundError."""
        with self._store.reading() as connection:
            found = next((each for each in requests.every(connection) if each.id == request), None)
        if found is None:
            raise NotFoundError(f"There is no request {request}: run `dispatcher client requests --all` to see them.")
        return found

    def listed(self, *, only_open: bool = True, client: int | None = None) -> list[Request]:
        """Return the requests, those due first before the others."""
        with self._store.reading() as connection:
            return requests.every(connection, only_open=only_open, client=client)


def take_request(transaction: Transaction, record: Record) -> bool:
    """Do after a restore what the journal tells of a request, and return whether it opened one.

    The client need not be known: one who came after the copy was made is back with the next import, and waits still.
    """
    body = record.body
    client, kind, event = int(str(body["client"])), str(body["kind"]), body["event"]
    actor, at = Actor.read(str(body["actor"])), read_stamp(record.at) or transaction.now
    mine = requests.every(transaction.connection, only_open=True, client=client)
    found = next((each for each in mine if each.kind == kind), None)
    if event == _OPENED and found is None:
        due = date.fromisoformat(str(body["due"]))
        number = requests.add(transaction.connection, client, kind, str(actor), due, at)
        _tell(transaction, actor, client, {"event": _OPENED, "request": number, "kind": kind})
        return True
    if event == _IDENTIFIED and found is not None:
        _identify(transaction, found, str(body["identity"]), actor)
    if event == _CLOSED and found is not None:
        _end(transaction, found, str(body["outcome"]), actor)
    return False


def next_step(request: Request) -> str | None:
    """Return what to type next about an open request."""
    if request.closed_at is not None:
        return None
    how = "" if request.identity else " --identity HOW"
    return {
        RequestKind.ACCESS: f"dispatcher client export {request.client} --out copies{how}",
        RequestKind.CORRECTION: f"dispatcher client correct {request.client}{how} ...",
        RequestKind.RESTRICTION: f"dispatcher client restrict {request.client}{how}",
        RequestKind.ERASURE: f"dispatcher client erase {request.client}{how}",
    }[RequestKind(request.kind)]


def _open(transaction: Transaction, request: int) -> Request:
    found = next((each for each in requests.every(transaction.connection, only_open=True) if each.id == request), None)
    if found is None:
        raise NotFoundError(f"There is no open request {request}: run `dispatcher client requests` to see them.")
    return found


def _check_identified(request: Request) -> None:
    if request.identity is None:
        raise RefusedError(
            "Nobody has checked yet that it is the client who asks: say how with --identity "
            f"({', '.join(check.value for check in IdentityCheck)}). Request {request.id} stays open, and the client "
            "gets no marketing meanwhile."
        )


def _identify(transaction: Transaction, request: Request, how: str, actor: Actor) -> None:
    requests.set_identity(transaction.connection, request.id, how, str(actor))
    _tell(transaction, actor, request.client, {"event": _IDENTIFIED, "request": request.id, "identity": how})


def _end(transaction: Transaction, request: Request, outcome: str, actor: Actor) -> None:
    requests.close(transaction.connection, request.id, outcome, transaction.now)
    word, _, why = outcome.partition(":")
    told: dict[str, Json] = {"event": _CLOSED, "request": request.id, "outcome": word}
    _tell(transaction, actor, request.client, told | ({"why": why} if why else {}))


def _keep(transaction: Transaction, actor: Actor, client: int, kind: str, told: dict[str, Json]) -> None:
    """Let the journal have an act on a request first, so that a restore and its replay bring it back."""
    body: dict[str, Json] = {"client": client, "kind": kind, **told, "actor": str(actor)}
    transaction.notes.append(Note(JournalKind.REQUEST, body))


def _tell(transaction: Transaction, actor: Actor, client: int, body: dict[str, Json]) -> None:
    transaction.ledger.append(Entry(EntryKind.REQUEST, actor, client=client, body=body))
