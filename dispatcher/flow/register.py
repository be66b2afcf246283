"""Looks into the register for a person: who is there, and what may be written to them."""

from dataclasses import dataclass
from datetime import datetime

from dispatcher.errors import NotFoundError
from dispatcher.flow.coverage import coverage
from dispatcher.flow.policy import Policy
from dispatcher.rules.address import AddressError, masked, read_address
from dispatcher.rules.calendar import local_date
from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import Answer, Consent, Flaw, Reply
from dispatcher.rules.decision import CampaignFacts, Verdict, consent_for, decide
from dispatcher.rules.ledger import Json, stamp
from dispatcher.storage import answers, clients, persons
from dispatcher.storage.database import Connection
from dispatcher.storage.facts import Known, gather
from dispatcher.storage.lookup import look_up
from dispatcher.storage.store import Store
from dispatcher.storage.wordings import wording_texts

AT_ONCE = 200
"""How many clients a list shows unless it is asked for more."""
_LONGEST_NUMBER = 18
"""Digits of the longest number that a database can compare with a client's."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A client as a list shows them: masked addresses, what the answers mean by channel, and the gate's verdict."""

    number: int
    name: str
    language: str
    addresses: dict[Channel, str]
    consents: dict[Channel, Consent]
    verdict: Verdict


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

    def count(self, words: str) -> int:
        """Return how many clients these words fit."""
        return len(self._fitting(words.strip())) if words.strip() else 0

    def size(self) -> int:
        """Return how many clients there are."""
        with self._store.reading() as connection:
            return clients.count(connection)

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

    def heard(self, words: str, limit: int = AT_ONCE) -> list[Listed]:
        """Return the clients whom words fit as they are said at the desk: parts of a name, an address or a number."""
        with self._store.reading() as connection:
            numbers = look_up(connection, words, limit)
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
            facts = self._policy.any_campaign(coverage(connection, self._policy))
            today = local_date(now, self._policy.zone)
            known = gather(connection, self._store.ring, numbers, None, today, now)
        return [_shown(known[number], facts, now) for number in numbers if number in known]


def _shown(known: Known, facts: CampaignFacts, now: datetime) -> Listed:
    client = known.client
    return Listed(
        client.number,
        f"{client.first_name} {client.last_name}".strip(),
        client.language.value,
        {channel: masked(address.canonical) for channel, address in client.addresses.items()},
        {channel: consent_for(known.facts, facts, channel, now) for channel in Channel},
        decide(known.facts, facts, now),
    )
