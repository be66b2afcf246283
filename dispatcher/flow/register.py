"""Looks into the register for a person: who is there, and what may be written to them."""

from dataclasses import dataclass

from dispatcher.errors import NotFoundError
from dispatcher.flow.policy import Policy
from dispatcher.rules.address import AddressError, masked, read_address
from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import Answer, Consent, Flaw, Reply, fold
from dispatcher.rules.ledger import Json, stamp
from dispatcher.storage import answers, clients, persons
from dispatcher.storage.clients import Client
from dispatcher.storage.database import Connection
from dispatcher.storage.store import Store
from dispatcher.storage.wordings import wording_texts

AT_ONCE = 200
"""How many clients a list shows unless it is asked for more."""
_LONGEST_NUMBER = 18
"""Digits of the longest number that a database can compare with a client's."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A client as a list shows them: masked addresses, and the state of consent by channel."""

    number: int
    name: str
    language: str
    addresses: dict[Channel, str]
    consents: dict[Channel, Consent]


@dataclass(frozen=True, slots=True)
class Told:
    """An answer with the text of the question it answered, who recorded it, and why it cannot be used, if it is a yes.

    `recorded_by` is the name of the person, else what kind of actor it was.
    """

    answer: Answer
    wording: str | None
    actor: str
    recorded_by: str
    flaw: Flaw | None

    def as_json(self) -> dict[str, Json]:
        """Return the answer with stable keys; times are UTC."""
        answer = self.answer
        return {
            "entry": answer.entry,
            "reply": answer.reply.value,
            "channel": answer.channel.value if answer.channel else None,
            "not_before": stamp(answer.not_before) if answer.not_before else None,
            "not_after": stamp(answer.not_after) if answer.not_after else None,
            "recorded_at": stamp(answer.recorded_at),
            "place": answer.place.value if answer.place else None,
            "wording_sha256": answer.wording,
            "wording": self.wording,
            "source": answer.source,
            "sound": answer.sound,
            "flaw": self.flaw.value if self.flaw else None,
            "actor": self.actor,
            "recorded_by": self.recorded_by,
        }


class Register:
    """Finds clients; a number without a country code is read as one of `region`."""

    def __init__(self, store: Store, policy: Policy, region: str = "FI") -> None:
        self._store = store
        self._policy = policy
        self._region = region

    def find(self, words: str) -> int:
        """Return the one client whom a number, an address, or part of a name means.

        Raises NotFoundError where nobody or more than one fits, naming what fits, masked.
        """
        fits = self._fitting(words.strip()) if words.strip() else []
        if len(fits) == 1:
            return fits[0]
        if not fits:
            raise NotFoundError(f"No client fits {words!r}: give the client number, email, phone or part of the name.")
        names = "\n".join(
            f"  {each.number}  {each.name}  {', '.join(each.addresses.values())}" for each in self._listed(fits)
        )
        raise NotFoundError(f"{len(fits)} clients fit {words!r}; give the number of the one you mean:\n{names}")

    def stranger(self, words: str) -> tuple[Channel, str] | None:
        """Return the address that these words are, canonical, if nobody in the register has it; else None."""
        try:
            address = read_address(words, self._region)
        except AddressError:
            return None
        with self._store.reading() as connection:
            known = clients.by_address(connection, [address]) or self._has_number(connection, words.strip())
        return None if known else address

    def listed(self, words: str = "", limit: int = AT_ONCE) -> list[Listed]:
        """Return the clients whose name or address holds these words, or the first of all."""
        with self._store.reading() as connection:
            numbers = clients.search(connection, words, limit)
        return self._listed(numbers)

    def history(self, number: int) -> list[Told]:
        """Return every answer of a client, in the order in which it was recorded, with its wording."""
        now = self._store.clock()
        with self._store.reading() as connection:
            given = answers.of_client(connection, number)
            texts = wording_texts(connection, {answer.wording for answer, _ in given if answer.wording})
            names = {str(person.actor): person.name for person in persons.everyone(connection)}
        return [
            Told(
                answer,
                texts.get(answer.wording or ""),
                actor,
                names.get(actor) or actor.partition(":")[0].replace("_", " "),
                answer.flaw(now, self._policy.valid_for) if answer.reply is Reply.GRANTED else None,
            )
            for answer, actor in given
        ]

    def _fitting(self, words: str) -> list[int]:
        with self._store.reading() as connection:
            if self._has_number(connection, words):
                return [int(words)]
            exact = clients.by_address(connection, self._as_addresses(words))
            found = sorted(set().union(*exact.values()))
            return found or clients.search(connection, words)

    def _as_addresses(self, words: str) -> list[tuple[Channel, str]]:
        try:
            return [read_address(words, self._region)]
        except AddressError:
            return []

    def _has_number(self, connection: Connection, words: str) -> bool:
        """Say whether a client goes by these words as their number."""
        number = int(words) if words.isdecimal() and len(words) <= _LONGEST_NUMBER else None
        return number is not None and bool(clients.read(connection, [number]))

    def _listed(self, numbers: list[int]) -> list[Listed]:
        now = self._store.clock()
        with self._store.reading() as connection:
            held = clients.read(connection, numbers)
            given = answers.of_clients(connection, numbers)
        found = []
        for number in numbers:
            client = held[number]
            consents = {
                channel: fold(given.get(number, ()), channel, now, self._policy.valid_for) for channel in Channel
            }
            addresses = {channel: masked(address.canonical) for channel, address in client.addresses.items()}
            found.append(Listed(number, _name(client), client.language.value, addresses, consents))
        return found


def _name(client: Client) -> str:
    return f"{client.first_name} {client.last_name}".strip()
