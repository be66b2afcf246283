"""Messages, what may be done with them, and what became of them."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.consent import Place
from dispatcher.rules.values import value

NO_MESSAGE = "0" * 32
"""In the place of an id, of a message that is made to be looked at and goes nowhere."""


class MessageState(StrEnum):
    """Where a message of a campaign stands; each word has one meaning.

    Drawn: waiting -> attempting -> accepted | refused | deferred | unknown; deferred -> attempting again. A message
    that gets no Send is withheld, at planning or at any later look before its hand-off.
    """

    WAITING = "waiting"
    """In the outbox; no hand-off has begun."""
    ATTEMPTING = "attempting"
    """Its intent is on disk; what became of it is not known yet."""
    ACCEPTED = "accepted"
    """The mail server or SMS service took it over."""
    REFUSED = "refused"
    """Finally refused; it will not be tried again."""
    DEFERRED = "deferred"
    """Not taken this time; it may be tried again."""
    UNKNOWN = "unknown"
    """It may have been taken over; it is never sent again by itself (E-51)."""
    WITHHELD = "withheld"
    """The rules said no; the reason stands beside it."""


COUNTED = frozenset({MessageState.ATTEMPTING, MessageState.ACCEPTED, MessageState.UNKNOWN})
"""The states in which a message counts towards a client's twelve (L-23)."""
LEFT = frozenset({MessageState.ACCEPTED, MessageState.UNKNOWN})
"""The states of a message that left, or may have."""
NOT_COUNTED = frozenset({MessageState.REFUSED, MessageState.DEFERRED})
"""The outcomes after which a message that was handed over counts no longer."""


class OutcomeKind(StrEnum):
    """What a channel reports of one hand-off."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    DEFERRED = "deferred"
    UNKNOWN = "unknown"


class Blame(StrEnum):
    """Whom a refusal or deferral concerns (E-53)."""

    MESSAGE = "message"
    """This message alone."""
    ADDRESS = "address"
    """The address is dead: nothing more is sent there until it is confirmed anew."""
    CONNECTION = "connection"
    """The connection or the whole campaign waits; the client is never blamed."""
    OBJECTION = "objection"
    """The provider knows that this client said no (21610)."""
    POLICY = "policy"
    """The sender's reputation or a policy: this message alone, never the address; it feeds the breaker (E-53)."""
    CONTENT = "content"
    """What we wrote, or how: ours to mend; a campaign with too many of these stops."""
    SET_UP = "set_up"
    """The provider is not set up for what we ask of it: the campaign stops until somebody has mended that."""
    QUOTA = "quota"
    """More than the provider takes at present: the channel slows down, whatever the code was."""
    MAILBOX_FULL = "mailbox_full"
    """The mailbox takes no more: soft, until it has been so for long."""
    NO_ROUTE = "no_route"
    """Nobody takes mail there: soft, until it has been so for a while."""
    HANDSET = "handset"
    """No such handset is known (30005): soft, until it has been so twice."""
    BARRED = "barred"
    """The handset or its network takes nothing from this sender (30004): soft twice."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one hand-off.

    `code` is the provider's own reply code ("250", "21610"), `status` the enhanced status of RFC 3463 where there is
    one. `retry_after` is what the provider asked for. Never the provider's free text: it may hold an address.
    """

    kind: OutcomeKind
    code: str = ""
    status: str = ""
    provider_id: str = ""
    blame: Blame = Blame.MESSAGE
    retry_after: timedelta | None = None
    segments: int | None = None


@value
class Email:
    """A finished email: the envelope and the exact bytes, CRLF, 7-bit (E-21, E-22)."""

    sender: str
    recipient: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Sms:
    """A finished text message: E.164 number, NFC text, parts, and how long it may wait at the provider in seconds.

    `leaves_name_out`: with the client's name it would have had more parts than it may.
    """

    recipient: str
    text: str
    segments: int
    validity_seconds: int = 36_000
    leaves_name_out: bool = False


@value
class CampaignMessage:
    """A message of a campaign that has got its Send and its intent; nothing else may be handed to a channel as one.

    `message_id` names it in the ledger, in the mail's Message-ID and towards the provider.
    """

    message_id: str
    content: Email | Sms

    @property
    def channel(self) -> Channel:
        """Return the channel this message takes."""
        return Channel.EMAIL if isinstance(self.content, Email) else Channel.SMS


class ServicePurpose(StrEnum):
    """What a service message is for; each has a fixed template without an offer (E-34)."""

    CONFIRMATION = "confirmation"
    RECEIPT = "receipt"
    TEST = "test"
    REPORT = "report"
    STOPPED = "stopped"
    """Says to somebody who texted a no that it is in force."""


@dataclass(frozen=True, slots=True)
class ServiceMessage:
    """A message outside every campaign and budget: another type, so that neither passes where the other is asked."""

    message_id: str
    purpose: ServicePurpose
    content: Email | Sms


@value
class Recipient:
    """What a template may know of a client: nothing about visits, treatments or health (invariant 7)."""

    first_name: str
    language: Language
    agreed_on: str
    """The local day of the yes this message relies on, as this language writes it; empty where it is not known."""
    ends_on: str = ""
    """The local day on which that yes ends, where the message asks whether to go on; else empty."""
    agreed_at: Place | None = None
    """Where that yes was given, if it is known."""
