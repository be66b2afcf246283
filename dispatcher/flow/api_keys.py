"""The keys that let a booking system in: made once, shown once, and worth nothing from the moment they are revoked."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Collection

from dispatcher.errors import NotFoundError, RefusedError
from dispatcher.flow.persons import check_owner
from dispatcher.flow.policy import Policy
from dispatcher.rules.actor import Actor, ActorKind
from dispatcher.rules.calendar import local_date
from dispatcher.rules.ledger import Entry, EntryKind, Json
from dispatcher.rules.names import BadNameError, HiddenCharacterError, checked_name, readable
from dispatcher.rules.scope import Scope
from dispatcher.storage import api_keys
from dispatcher.storage.api_keys import ApiKey
from dispatcher.storage.journal import JournalKind, Note
from dispatcher.storage.store import Store
from dispatcher.storage.writer import Transaction

__all__ = ["ApiKey", "ApiKeys", "actor_of"]

_SECRET_BYTES = 32
_FORM = re.compile(r"dsp_([1-9][0-9]{0,17})_([A-Za-z0-9_-]{43})")
"""A key as it is shown: which it is, and 256 random bits in base64url."""
_NOBODYS = hashlib.sha256(b"").hexdigest()


class ApiKeys:
    """Makes, lists, checks and revokes the keys of booking systems."""

    def __init__(self, store: Store, policy: Policy) -> None:
        self._store = store
        self._policy = policy

    def create(self, name: str, scopes: Collection[Scope], actor: Actor) -> tuple[ApiKey, str]:
        """Return a new key and its text, which is kept nowhere and cannot be shown again.

        Raises RefusedError for a name that cannot be, a key without scopes, and an actor who is not an owner.
        """
        cleaned = _cleaned(name)
        if not scopes:
            known = " or ".join(f"--scope {scope}" for scope in Scope)
            raise RefusedError(f"A key without a scope opens nothing: say {known}.")
        secret = secrets.token_urlsafe(_SECRET_BYTES)

        def work(transaction: Transaction) -> ApiKey:
            check_owner(transaction.connection, actor, "give a booking system a key")
            now = transaction.now
            number = api_keys.add(transaction.connection, cleaned, scopes, _digest(secret), now)
            told: list[Json] = [scope.value for scope in sorted(scopes)]
            _tell(transaction, actor, {"event": "created", "key": number, "scopes": told})
            return ApiKey(number, cleaned, frozenset(scopes), _digest(secret), now, None, None)

        key = self._store.write(work)
        return key, f"dsp_{key.id}_{secret}"

    def listed(self) -> list[ApiKey]:
        """Return every key there has been, oldest first."""
        with self._store.reading() as connection:
            return api_keys.every(connection)

    def revoke(self, number: int, actor: Actor) -> None:
        """Revoke a key; from now on every process refuses it, and after a restore as well.

        Raises NotFoundError for a key that is not there or revoked already, and RefusedError for who is not an owner.
        """

        def work(transaction: Transaction) -> None:
            check_owner(transaction.connection, actor, "take a key back")
            key = api_keys.find(transaction.connection, number)
            if key is None or api_keys.revoke(transaction.connection, key.secret, transaction.now) is None:
                raise NotFoundError(f"No key {number} is in use: run `dispatcher api-key list` to see them.")
            # By its hash: after a restore another key may have got the number.
            transaction.notes.append(Note(JournalKind.KEY_REVOKED, {"key": number, "secret": key.secret}))
            _tell(transaction, actor, {"event": "revoked", "key": number})

        self._store.write(work, urgent=True)

    def check(self, text: str) -> ApiKey | None:
        """Return the key that this text is, if it works now, else None; a look at the database for each call.

        The day of its use is kept, written at most once a day. The secret is compared in constant time.
        """
        found = _FORM.fullmatch(text)
        if found is None:
            return None
        with self._store.reading() as connection:
            key = api_keys.find(connection, int(found[1]))
        fits = hmac.compare_digest(key.secret if key else _NOBODYS, _digest(found[2]))
        if key is None or not fits or key.revoked_at is not None:
            return None
        today = local_date(self._store.clock(), self._policy.zone)
        if key.used_on != today:
            self._store.write(lambda transaction: api_keys.set_used(transaction.connection, key.id, today))
        return key


def actor_of(key: ApiKey) -> Actor:
    """Return the booking system behind a key as an actor."""
    return Actor(ActorKind.BOOKING_SYSTEM, str(key.id))


def _cleaned(name: str) -> str:
    try:
        cleaned = checked_name(readable(name))
    except (BadNameError, HiddenCharacterError) as error:
        raise RefusedError(str(error)) from None
    if not cleaned:
        raise RefusedError("Name the booking system that the key is for.")
    return cleaned


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _tell(transaction: Transaction, actor: Actor, body: dict[str, Json]) -> None:
    transaction.ledger.append(Entry(EntryKind.API_KEY, actor, body=body))
