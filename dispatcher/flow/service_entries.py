"""Asks for service messages and says what the ledger keeps of them: never an address, only what became of it."""

from collections.abc import Mapping

from dispatcher.rules.actor import Actor
from dispatcher.rules.campaign import Channel
from dispatcher.rules.ledger import Entry, EntryKind, Json
from dispatcher.rules.message import OutcomeKind
from dispatcher.storage import clients, services, sign_ups
from dispatcher.storage.outbox import RESTORED
from dispatcher.storage.services import Asked, Service
from dispatcher.storage.writer import Transaction


def ask(transaction: Transaction, asked: Asked, actor: Actor) -> None:
    """Write that this actor asked for a service message just now; whether it goes, its own verdict says at hand-off."""
    told = Asked(
        asked.purpose,
        asked.channel,
        asked.recipient,
        asked.language,
        {**asked.details, "asked_by": actor.kind.value},
        asked.client,
        asked.person,
    )
    message_id = services.add(transaction.connection, told, transaction.now)
    transaction.ledger.append(_entry("asked", asked, message_id, actor, {}))


def entry(event: str, service: Service, actor: Actor, more: Mapping[str, Json] | None = None) -> Entry:
    """Return the entry of what happened to a service message: `sent`, `withheld` or `outcome`."""
    return _entry(event, service, service.message_id, actor, more or {})


def receipt_came(transaction: Transaction, service: Service, actor: Actor) -> None:
    """Write that a receipt was taken over, where its client still has the address: offers may follow there (L-05)."""
    client, channel = service.client, service.channel
    if client is None or not clients.receipt_has_come(transaction.connection, client, channel, service.recipient):
        return
    transaction.ledger.append(no_receipt_awaited(client, channel, "receipt_came", actor))


def no_receipt_awaited(client: int, channel: Channel, why: str, actor: Actor) -> Entry:
    """Return the entry that a client's address waits for no receipt any more, and why in a word."""
    return Entry(EntryKind.ADDRESS, actor, client=client, channel=channel, body={"event": "no_receipt", "why": why})


def close_restored(transaction: Transaction, actor: Actor) -> None:
    """Close what an older copy of the database knew as open: it may have gone since, and is never sent again.

    Sign-ups that wait in such a copy may have been confirmed since, and a link works once: they are asked for anew.
    """
    connection, now = transaction.connection, transaction.now
    for service in services.unsettled(connection):
        services.set_unknown(connection, service, RESTORED, now.date(), now)
        body: dict[str, Json] = {"outcome": OutcomeKind.UNKNOWN.value, "code": RESTORED}
        transaction.ledger.append(entry("outcome", service, actor, body))
    sign_ups.remove_all(connection)


def _entry(event: str, about: Asked | Service, message_id: str, actor: Actor, more: Mapping[str, Json]) -> Entry:
    body: dict[str, Json] = {"event": event, "purpose": about.purpose.value, "message": message_id, **more}
    if about.person is not None:
        body["person"] = about.person
    return Entry(EntryKind.SERVICE, actor, client=about.client, channel=about.channel, body=body)
