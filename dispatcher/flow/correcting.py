"""A client whose data are wrong -> the data put right (L-31), or kept and not used (L-38)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from dispatcher.errors import RefusedError
from dispatcher.flow.answering import Answering, Said
from dispatcher.flow.applying import apply
from dispatcher.flow.known import unknown
from dispatcher.flow.marks import Flag, set_flag
from dispatcher.flow.matching import Change
from dispatcher.flow.questions import question
from dispatcher.flow.recording import identity as marks_of
from dispatcher.flow.requests import Requests
from dispatcher.register_files.cells import Cell, CellError, name_part, number, readable
from dispatcher.rules.actor import Actor, ActorKind
from dispatcher.rules.address import AddressError, canonical_email, masked
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.consent import Place, Reply
from dispatcher.rules.ledger import Json
from dispatcher.rules.rights import IdentityCheck, RequestKind
from dispatcher.storage import clients, erasure
from dispatcher.storage.clients import Client
from dispatcher.storage.database import Connection
from dispatcher.storage.locks import Lock, LockKind
from dispatcher.storage.store import Store
from dispatcher.storage.writer import Transaction


@dataclass(frozen=True, slots=True)
class Correction:
    """What is to be put right, as somebody typed it; None leaves a value as it is."""

    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    phone: str | None = None
    language: Language | None = None


@dataclass(frozen=True, slots=True)
class Corrected:
    """What was put right: the values by name, the addresses, masked, and how many other clients have each.

    `asked` are the channels whose address got an answer in the same breath; `closed` those whose earlier yes does not
    carry over to the address that took the other's place. `request` is the number of the request.
    """

    request: int
    values: tuple[str, ...] = ()
    addresses: dict[Channel, str] = field(default_factory=dict)
    shared_with: dict[Channel, int] = field(default_factory=dict)
    asked: tuple[Channel, ...] = ()
    closed: tuple[Channel, ...] = ()

    def as_json(self) -> dict[str, Json]:
        """Return what changed with stable keys."""
        return {
            "request": self.request,
            "changed": list(self.values),
            "addresses": {channel.value: address for channel, address in self.addresses.items()},
            "shared_with": {channel.value: count for channel, count in self.shared_with.items()},
            "asked": [channel.value for channel in self.asked],
            "consent_not_carried": [channel.value for channel in self.closed],
        }


class Correcting:
    """Puts right what is wrong about a client, and restricts the use of what is in doubt."""

    def __init__(self, store: Store, answering: Answering, requests: Requests, region: str) -> None:
        self._store = store
        self._answering = answering
        self._requests = requests
        self._region = region

    def correct(
        self,
        client: int,
        correction: Correction,
        check: IdentityCheck | None,
        actor: Actor,
        *,
        said: tuple[Reply, Place] | None = None,
    ) -> Corrected:
        """Put a client's data right, and return what changed; all of it in one commit, or nothing.

        A new address carries no yes from before (L-31) unless the question was asked in the same breath: `said` is the
        answer and where it was given, recorded for each address that changed, to the words of today. Raises
        RefusedError for what cannot be taken, in the importer's words, and while nobody has checked who asks; the
        request is on record then, and marketing rests (L-30).
        """
        values, addresses = self._checked(correction)
        if not values and not addresses:
            raise RefusedError(
                "Say what is to be corrected: --first-name, --last-name, --email, --phone or --language."
            )
        if check is None:
            self._requests.begin(client, RequestKind.CORRECTION, None, actor)

        def work(transaction: Transaction) -> Corrected:
            known = _known(transaction.connection, client)
            request = self._requests.open_in(transaction, client, RequestKind.CORRECTION, actor)
            if check is not None:
                self._requests.identify_in(transaction, request, check, actor)
            joins = tuple(_joins(known, addresses))
            changed = {name: value for name, value in values.items() if value != _held(known, name)}
            marks = marks_of(self._store.ring, None, [(channel, text) for channel, text, _ in joins])
            # What a person types may have a slip in it: a receipt goes there before any offer (L-05).
            typed = actor.kind is ActorKind.PERSON
            change = Change(client, values=dict(changed), joins=joins, identity=marks, typed=typed)
            apply(transaction, self._store, [change], actor)
            moved = {channel: text for channel, text, _ in joins}
            asked = self._record(transaction, known, tuple(moved), said, actor)
            self._requests.close_in(transaction, request, "done", actor)
            shared = clients.by_address(transaction.connection, moved.items())
            return Corrected(
                request,
                tuple(changed),
                {channel: masked(text) for channel, text in moved.items()},
                {channel: len(numbers - {client}) for (channel, _), numbers in shared.items() if numbers - {client}},
                asked,
                tuple(channel for channel, _, replaces in joins if replaces and channel not in asked),
            )

        return self._store.write(work, wanted=self._locks(client), urgent=True)

    def restrict(self, client: int, check: IdentityCheck | None, actor: Actor) -> tuple[int, bool]:
        """Keep a client's data and use them for nothing (L-38): nothing is sent, nothing removed.

        It holds from now on, whoever asked; the request is closed where the identity was checked. Return its number and
        whether it is closed. Raises NotFoundError.
        """

        def work(transaction: Transaction) -> tuple[int, bool]:
            request = self._requests.open_in(transaction, client, RequestKind.RESTRICTION, actor)
            if not clients.is_restricted(transaction.connection, client):
                set_flag(transaction, client, Flag.RESTRICTED, True, actor)  # noqa: FBT003 - the flag is set
            if check is not None:
                self._requests.identify_in(transaction, request, check, actor)
                self._requests.close_in(transaction, request, "done", actor)
            return request, check is not None

        return self._store.write(work, wanted=self._locks(client), urgent=True)

    def lift(self, client: int, actor: Actor) -> None:
        """End a restriction. Raises RefusedError where none stands, and NotFoundError."""

        def work(transaction: Transaction) -> None:
            _known(transaction.connection, client)
            if not clients.is_restricted(transaction.connection, client):
                raise RefusedError(f"Client {client} is not restricted. Nothing was changed.")
            if erasure.kept_in_part(transaction.connection, [client]):
                raise RefusedError(
                    f"Client {client} was erased, and what is left is kept for a legal block only: it ends with the "
                    f"block (`dispatcher client block --list`). Nothing was changed."
                )
            set_flag(transaction, client, Flag.RESTRICTED, False, actor)  # noqa: FBT003 - the flag is taken away

        self._store.write(work, wanted=self._locks(client))

    def _record(
        self,
        transaction: Transaction,
        known: Client,
        channels: Sequence[Channel],
        said: tuple[Reply, Place] | None,
        actor: Actor,
    ) -> tuple[Channel, ...]:
        """Record the answer that was given in the same breath, for each address that changed."""
        if said is None:
            return ()
        if not channels:
            raise RefusedError("No address changes: record the answer with `dispatcher consent record`.")
        language = clients.read(transaction.connection, [known.number])[known.number].language
        reply, place = said
        told = [Said(reply, each, place, question(transaction.connection, each, language)) for each in channels]
        self._answering.record_in(transaction, known.number, told, actor)
        return tuple(channels)

    def _checked(self, correction: Correction) -> tuple[dict[str, str], dict[Channel, str]]:
        """Return the values and the canonical addresses, checked as the importer checks them."""
        values: dict[str, str] = {}
        addresses: dict[Channel, str] = {}
        try:
            for name in ("first_name", "last_name"):
                text = getattr(correction, name)
                if text is not None:
                    values[name] = name_part(Cell(name.replace("_", " "), text))
            if correction.language is not None:
                values["language"] = correction.language.value
        except CellError as error:
            raise _untaken(error.column, error.reason) from None
        for channel, text in ((Channel.EMAIL, correction.email), (Channel.SMS, correction.phone)):
            if text is not None:
                addresses[channel] = self._canonical(channel, text)
        return values, addresses

    def _canonical(self, channel: Channel, text: str) -> str:
        column = "email" if channel is Channel.EMAIL else "phone"
        try:
            written = readable(Cell(column, text))
            return canonical_email(written) if channel is Channel.EMAIL else number(written, self._region)
        except CellError as error:
            raise _untaken(column, error.reason) from None
        except AddressError as error:
            raise _untaken(column, f"{str(error).rstrip('.')}.") from None

    def _locks(self, client: int) -> list[Lock]:
        with self._store.reading() as connection:
            ids = clients.address_ids(connection, [client]).get(client, [])
        own = [Lock(LockKind.ADDRESS, address) for address in ids] + [Lock(LockKind.CLIENT, client)]
        return [*own, Lock(LockKind.REGISTER, 0)]


def _untaken(column: str, why: str) -> RefusedError:
    return RefusedError(f"The {column} cannot be taken: {why[:1].lower()}{why[1:]} Nothing was changed.")


def _known(connection: Connection, client: int) -> Client:
    known = clients.read(connection, [client]).get(client)
    if known is None:
        raise unknown(client)
    return known


def _held(client: Client, name: str) -> str:
    return client.language.value if name == "language" else str(getattr(client, name))


def _joins(client: Client, addresses: dict[Channel, str]) -> Iterator[tuple[Channel, str, bool]]:
    """Yield the addresses that are new, each with whether it takes the place of another."""
    for channel, text in addresses.items():
        held = client.addresses.get(channel)
        if held is None or held.canonical != text:
            yield channel, text, held is not None
