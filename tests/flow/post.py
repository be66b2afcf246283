"""A studio that has sent one mail, and the letters that come back to it."""

from datetime import timedelta
from itertools import count

from sqlalchemy import select

from dispatcher.flow.incoming import Incoming
from dispatcher.flow.letters import Letters
from dispatcher.links import MailAddresses, OptOut, OptOutLinks, PlusAddress
from dispatcher.rules.calendar import local_date
from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import Consent
from dispatcher.rules.decision import ClientFacts, Coverage, Verdict, consent_for, decide
from dispatcher.rules.ledger import EntryKind, Json
from dispatcher.rules.letter import Letter, LetterKind
from dispatcher.storage import ledger
from dispatcher.storage.facts import gather
from dispatcher.storage.tables import OutboxTable
from dispatcher.wiring import Dispatcher

BOX = "maildir"
_KEYS = count(1)


class Post:
    """What comes back: letters by hand, through the real flow."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self.dispatcher = dispatcher
        store = dispatcher.store
        self.opt_outs = OptOutLinks(store.ring, "https://viestit.tunturituuli.example")
        self.addresses = MailAddresses(
            store.ring,
            self.opt_outs,
            PlusAddress.of("hei@tunturituuli.example"),
            PlusAddress.of("palautus@tunturituuli.example"),
        )
        self.incoming = Incoming(store)
        self.letters = Letters(store, self.addresses, dispatcher.returns)

    def reply_token(self, client: int) -> str:
        """Return the token of the address a reply of this client comes to."""
        return self._carried(self.addresses.ways_back(client, "0" * 32, "").reply_to)

    def opt_out_token(self, client: int) -> str:
        """Return the token of the address an opt-out by mail comes to."""
        return self.opt_outs.token(OptOut(client, Channel.EMAIL))

    def bounce_token(self, message_id: str) -> str:
        """Return the token of the address a bounce of this message comes to."""
        return self._carried(self.addresses.bounce_to(message_id))

    def message_of(self, client: int) -> str:
        """Return the id of the one message to a client."""
        with self.dispatcher.store.reading() as connection:
            found = select(OutboxTable.message_id).where(OutboxTable.client == client)
            return connection.execute(found).scalar_one()

    def letter(
        self,
        kind: LetterKind,
        token: str,
        *,
        status: str = "",
        code: str = "",
        ago: timedelta = timedelta(0),
        is_permanent: bool = True,
    ) -> Letter:
        """Return a letter that came so long ago."""
        at = self.dispatcher.store.clock() - ago
        return Letter(f"7:{next(_KEYS)}", at, kind, token, status, code, is_permanent)

    def take(self, *letters: Letter) -> None:
        """Take these letters together."""
        self.letters.take(letters, BOX)

    def verdict(self, client: int) -> Verdict:
        """Return what any campaign would be told about a client now."""
        campaign = self.dispatcher.policy.any_campaign(Coverage())
        return decide(self._facts(client), campaign, self.dispatcher.store.clock())

    def consent(self, client: int, channel: Channel) -> Consent:
        """Return what a client's answers add up to now."""
        campaign = self.dispatcher.policy.any_campaign(Coverage())
        return consent_for(self._facts(client), campaign, channel, self.dispatcher.store.clock())

    def bodies(self, kind: EntryKind) -> list[dict[str, Json]]:
        """Return the bodies of the ledger's entries of a kind."""
        with self.dispatcher.store.reading() as connection:
            return [entry.data() for entry in ledger.entries(connection, [kind.value])]

    def _facts(self, client: int) -> ClientFacts:
        store, zone = self.dispatcher.store, self.dispatcher.policy.zone
        now = store.clock()
        with store.reading() as connection:
            return gather(connection, store.ring, [client], None, local_date(now, zone), now)[client].facts

    def _carried(self, address: str) -> str:
        token = self.addresses.token_in(address)
        assert token
        return token
