"""A client asks for more by a message's link -> a confirmation to their own address -> from there a new yes (X-04).

Whoever has a message can open its link, so nothing that gives more is taken from there: the address itself is asked.
"""

from dataclasses import dataclass, replace

from dispatcher.flow.concern import Concern, seen
from dispatcher.flow.policy import Policy
from dispatcher.flow.questions import question
from dispatcher.flow.service_entries import ask
from dispatcher.flow.sign_up import SignUp
from dispatcher.links import OptOut
from dispatcher.rules.actor import Actor, ActorKind
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.message import ServicePurpose
from dispatcher.rules.service import ServiceSend
from dispatcher.rules.wishes import More
from dispatcher.rules.wording import normal
from dispatcher.storage import clients, services, sign_ups
from dispatcher.storage.database import Connection
from dispatcher.storage.locks import Lock, LockKind
from dispatcher.storage.services import Asked
from dispatcher.storage.sign_ups import Typed
from dispatcher.storage.wordings import keep_wordings
from dispatcher.storage.writer import Transaction
from dispatcher.texts import text

_CLIENT = Actor(ActorKind.CLIENT)


@dataclass(frozen=True, slots=True)
class Reopening:
    """Asks for the confirmations of those who want more; what they confirm, the flow of the sign-ups takes in."""

    sign_up: SignUp
    policy: Policy

    def ask(self, link: OptOut | None, more: More, language: Language) -> None:
        """Ask the address itself whether its holder wants this; on disk when this returns, and nobody is told more.

        Nothing is asked where there is nothing to give, or where the address has had its share of service messages; one
        of those goes in thirty days after an objection. None, the link of a test message, asks nobody. Raises
        StorageError where it could not be kept.
        """
        if link is None:
            return
        lock = Lock(LockKind.CLIENT, link.client)
        self.sign_up.store.write(lambda transaction: self._ask(transaction, link, more, language), wanted=[lock])

    def _ask(self, transaction: Transaction, link: OptOut, more: More, language: Language) -> None:
        connection, now = transaction.connection, transaction.now
        [found] = seen(connection, self.sign_up.store.ring, self.policy, [link], now)
        channel = more.opens or _reached(found, link.channel)
        client = clients.read(connection, [link.client]).get(link.client)
        held = client.addresses.get(channel) if client and channel else None
        if more not in found.more or channel is None or held is None:
            return
        words = wish_words(connection, more, channel, language)
        wanted = Asked(ServicePurpose.CONFIRMATION, channel, held.canonical, language, {}, link.client)
        is_on_its_way = services.is_under_way(connection, wanted.purpose, channel, held.canonical, link.client)
        may_go = isinstance(self.sign_up.gate.foresee(connection, wanted, _CLIENT.kind, now), ServiceSend)
        if is_on_its_way or not may_go:
            return
        digest = keep_wordings(connection, [words], now)[words]
        typed = Typed(channel, held.canonical, "", language, digest, link.client, more)
        number = sign_ups.add(connection, typed, now, now + self.sign_up.confirm_within)
        ask(transaction, replace(wanted, details={"sign_up": number}), _CLIENT)


def wish_words(connection: Connection, more: More, channel: Channel, language: Language) -> str:
    """Return the exact question that a yes to more answers: the question as it is asked today, and what is more by it.

    It names its channel, so that the yes is one to messages by it, and nothing is lifted that it does not tell of.
    """
    asked = question(connection, channel, language)
    return normal(asked if more.opens else f"{text(f'more_question_{more}', language)} {asked}")


def _reached(found: Concern, by: Channel) -> Channel | None:
    """Return the channel to ask by: that of the link, if a yes stands for it, else one for which a yes stands."""
    standing = [each.channel for each in found.agreed if each.is_open and each.address]
    return by if by in standing else next(iter(standing), None)
