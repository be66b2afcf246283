"""The clients' requests: opened, identity checked, answered; marketing rests from the first moment until the answer."""

from dispatcher.errors import NotFoundError, RefusedError
from dispatcher.flow.policy import Policy
from dispatcher.rules.actor import Actor
from dispatcher.rules.calendar import local_date
from dispatcher.rules.ledger import Entry, EntryKind, Json
from dispatcher.rules.rights import IdentityCheck, RequestKind, due_day
from dispatcher.storage import clients, requests
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

        def work(transaction: Transaction) -> int:
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

        return self._store.write(work, urgent=True)

    def identify(self, request: int, check: IdentityCheck, actor: Actor) -> None:
        """Put on record how the identity behind an open request was checked; `actor` is who checked it."""

        def work(transaction: Transaction) -> None:
            found = _open(transaction, request)
            requests.set_identity(transaction.connection, request, check.value, str(actor))
            _tell(
                transaction, actor, found.client, {"event": "identified", "request": request, "identity": check.value}
            )

        self._store.write(work)

    def close(self, request: int, outcome: str, actor: Actor) -> None:
        """Put on record that a request has its answer. Raises RefusedError unless the identity has been checked.

        `outcome` is one word: "done", "refused", or "blocked" where a legal block keeps a part.
        """
        self._store.write(lambda transaction: self.close_in(transaction, request, outcome, actor))

    def close_in(self, transaction: Transaction, request: int, outcome: str, actor: Actor) -> None:
        """Do what `close` does within a transaction."""
        found = _open(transaction, request)
        if found.identity is None and outcome != "refused":
            raise RefusedError(
                "Nobody has checked yet that it is the client who asks: say how with --identity "
                f"({', '.join(check.value for check in IdentityCheck)})."
            )
        requests.close(transaction.connection, request, outcome, transaction.now)
        _tell(transaction, actor, found.client, {"event": "closed", "request": request, "outcome": outcome})

    def listed(self, *, only_open: bool = True, client: int | None = None) -> list[Request]:
        """Return the requests, those due first before the others."""
        with self._store.reading() as connection:
            return requests.every(connection, only_open=only_open, client=client)


def _open(transaction: Transaction, request: int) -> Request:
    found = next((each for each in requests.every(transaction.connection, only_open=True) if each.id == request), None)
    if found is None:
        raise NotFoundError(f"There is no open request {request}: run `dispatcher client requests` to see them.")
    return found


def _tell(transaction: Transaction, actor: Actor, client: int, body: dict[str, Json]) -> None:
    transaction.ledger.append(Entry(EntryKind.REQUEST, actor, client=client, body=body))
