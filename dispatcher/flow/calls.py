"""A call of a booking system, and what came of it: kept, so that the same call again changes nothing."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dispatcher.errors import FieldError
from dispatcher.flow.answering import Said
from dispatcher.keys import KeyRing
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.consent import Reply
from dispatcher.rules.ledger import Json
from dispatcher.storage import answers
from dispatcher.storage.api_keys import ApiKey
from dispatcher.storage.database import Connection
from dispatcher.storage.writer import Transaction

NAME_FIELD = "Idempotency-Key"
"""Where a call says its name."""
NOES = frozenset({Reply.DECLINED, Reply.WITHDRAWN})
_SCOPE = "api"
_CALL, _BODY = "api-call", "api-body"
"""The labels under which a call's key and its body are hashed: both may hold what points to a person."""


@dataclass(frozen=True, slots=True)
class Called:
    """Whom a call is about, as the booking system knows them; addresses canonical, names checked."""

    customer_number: str | None
    addresses: Mapping[Channel, str]
    first_name: str = ""
    last_name: str = ""
    language: Language | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """One answer of a call; the wording is in it, or named by the SHA-256 of one on record."""

    said: Said
    wording_sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A call: its idempotency key and whole body, whom it is about, what they answered, and what was left out.

    `faults` are fields that cannot be taken, each with why: then nothing but the noes is.
    """

    idempotency_key: str
    body: str
    called: Called
    told: Sequence[Told]
    warnings: Sequence[tuple[str, str]] = ()
    faults: Sequence[tuple[str, str]] = ()

    @property
    def has_no(self) -> bool:
        """Say whether there is a no among the answers."""
        return any(each.said.reply in NOES for each in self.told)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What came of a call: `body` is for the caller, under stable keys, without any address.

    `conflict` or `faults`, the register's or the call's own, say why nothing but the noes in it was kept. `is_replay`:
    the call had been taken in before.
    """

    body: Mapping[str, Json]
    conflict: tuple[str, str] | None = None
    faults: Sequence[tuple[str, str]] = ()
    is_replay: bool = False

    @property
    def is_refusal(self) -> bool:
        """Say whether nothing but noes was kept."""
        return self.conflict is not None or bool(self.faults)

    @property
    def recorded(self) -> Sequence[Json]:
        """Return what was put on record, a line for each answer and client."""
        recorded = self.body["recorded"]
        return recorded if isinstance(recorded, list) else []


def seen(connection: Connection, ring: KeyRing, call: Call, key: ApiKey) -> Receipt | None:
    """Return the receipt of a call that was taken in before, or None.

    Raises FieldError where another call had its idempotency key.
    """
    for keyed in ring.every_hash(_CALL, _named(call, key)):
        result = answers.seen_before(connection, _SCOPE, keyed.digest)
        if result is not None:
            kept = json.loads(result)
            if kept["sha"] not in {each.digest for each in ring.every_hash(_BODY, call.body)}:
                why = "Another call has had this key: give every call a key of its own."
                raise FieldError(NAME_FIELD, why)
            conflict = kept["conflict"]
            faults = [(field, fault) for field, fault in kept["faults"]]
            return Receipt(kept["body"], tuple(conflict) if conflict else None, faults, is_replay=True)
    return None


def remember(transaction: Transaction, ring: KeyRing, call: Call, key: ApiKey, receipt: Receipt) -> None:
    """Keep the receipt of a call under keyed hashes of its key and its body, to the letter."""
    conflict: list[Json] | None = list(receipt.conflict) if receipt.conflict else None
    faults: list[Json] = [[field, why] for field, why in receipt.faults]
    kept: dict[str, Json] = {
        "sha": ring.hashed(_BODY, call.body).digest,
        "conflict": conflict,
        "faults": faults,
        "body": receipt.body,
    }
    name = ring.hashed(_CALL, _named(call, key)).digest
    answers.remember(transaction.connection, _SCOPE, name, json.dumps(kept), transaction.now)


def _named(call: Call, key: ApiKey) -> str:
    """Return the call's name: what one booking system calls so is not what another does."""
    return f"{key.id}:{call.idempotency_key}"
