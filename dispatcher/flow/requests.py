"""The clients' requests: opened, identity checked, answered; marketing rests from the first moment until the answer."""

from dispatcher.errors import NotFoundError, RefusedError
from dispatcher.flow.policy import Policy
from dispatcher.rules.actor import Actor
from dispatcher.rules.calendar import local_date
from dispatcher.rules.ledger import Entry, EntryKind, Json
from dispatcher.rules.rights import IdentityCheck, Refusal, RequestKind, due_day
from dispatcher.storage import clients, requests
from dispatcher.storage.locks import Lock, LockKind
from dispatcher.storage.requests import Request
from dispatcher.storage.store import Store
from dispatcher.storage.writer import Transaction


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
            raise NotFoundError(f"No client has the number {client}: run `dispatcher client list` to find it.")
        for known in requests.every(connection, only_open=True, client=client):
            if known.kind == kind.value:
                return known.id
        due = due_day(local_date(now, self._policy.zone))
        number = requests.add(connection, client, kind.value, str(actor), due, now)
        _tell(transaction, actor, client, {"event": "opened", "request": number, "kind": kind.value})
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
        requests.set_identity(transaction.connection, request, check.value, str(actor))
        _tell(transaction, actor, found.client, {"event": "identified", "request": request, "identity": check.value})

    def close(self, request: int, outcome: str, actor: Actor) -> None:
        """Put on record that a request has its answer. Raises RefusedError unless the identity has been checked.

        `outcome` is one word: "done", "refused", or "blocked" where a legal block keeps a part.
        """
        self._store.write(lambda transaction: self.close_in(transaction, request, outcome, actor))

    def refuse(self, request: int, reason: Refusal, actor: Actor) -> None:
        """Put on record that a request was refused and why; no identity is needed for that."""

        def work(transaction: Transaction) -> None:
            found = _open(transaction, request)
            requests.close(transaction.connection, request, f"refused:{reason}", transaction.now)
            body: dict[str, Json] = {"event": "closed", "request": request, "outcome": "refused", "why": reason.value}
            _tell(transaction, actor, found.client, body)

        self._store.write(work)

    def close_in(self, transaction: Transaction, request: int, outcome: str, actor: Actor) -> None:
        """Do what `close` does within a transaction."""
        found = _open(transaction, request)
        if outcome != "refused":
            _check_identified(found)
        requests.close(transaction.connection, request, outcome, transaction.now)
        _tell(transaction, actor, found.client, {"event": "closed", "request": request, "outcome": outcome})

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


def _tell(transaction: Transaction, actor: Actor, client: int, body: dict[str, Json]) -> None:
    transaction.ledger.append(Entry(EntryKind.REQUEST, actor, client=client, body=body))
