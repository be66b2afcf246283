"""A yes for an address that a person typed -> a receipt to that address, before any offer (L-05)."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from dispatcher.flow.answering import Said
from dispatcher.flow.service_entries import ask, no_receipt_awaited
from dispatcher.rules.actor import Actor, ActorKind
from dispatcher.rules.calendar import local_date
from dispatcher.rules.campaign import Channel
from dispatcher.rules.message import ServicePurpose
from dispatcher.rules.wording import normal, wording_hash
from dispatcher.storage import clients, services
from dispatcher.storage.clients import Client
from dispatcher.storage.services import Asked
from dispatcher.storage.writer import Transaction


@dataclass(frozen=True, slots=True)
class Receipts:
    """Asks for the receipts of what persons record, for the `channels` that send them.

    An address is marked from the moment a person types it, and stays so until a receipt was accepted there, the client
    confirms it, or a register names it. While it is, its offers wait; each yes that a person records asks for a receipt
    where none is under way.
    """

    channels: AbstractSet[Channel]
    zone: ZoneInfo

    def on_yes(self, transaction: Transaction, client: Client, said: Said, actor: Actor) -> None:
        """Ask for a receipt where one has to go first; where the channel sends none, nothing waits for it."""
        held = client.addresses.get(said.channel) if said.channel else None
        if held is None or said.channel is None or not held.awaits_receipt:
            return
        connection, channel = transaction.connection, said.channel
        if channel not in self.channels:
            clients.set_awaits_receipt(connection, client.number, channel, awaits=False)
            transaction.ledger.append(no_receipt_awaited(client.number, channel, "none_is_sent", actor))
            return
        receipt = ServicePurpose.RECEIPT
        is_on_its_way = services.is_under_way(connection, receipt, channel, held.canonical, client.number)
        if actor.kind is not ActorKind.PERSON or is_on_its_way:
            return
        given_at = said.not_before or said.not_after or transaction.now
        details = {
            "place": said.place.value,
            "day": local_date(given_at, self.zone).isoformat(),
            "wording": wording_hash(normal(said.wording or "")),
        }
        ask(transaction, Asked(receipt, channel, held.canonical, client.language, details, client.number), actor)
