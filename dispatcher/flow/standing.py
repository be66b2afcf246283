"""Where one client stands: what they said, what that means now, and what has been asked for."""

from collections.abc import Mapping
from dataclasses import dataclass

from dispatcher.flow.coverage import coverage
from dispatcher.flow.known import unknown
from dispatcher.flow.persons import check_sees_whole
from dispatcher.flow.policy import Policy
from dispatcher.rules.actor import Actor
from dispatcher.rules.address import masked
from dispatcher.rules.calendar import local_date
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.consent import Consent
from dispatcher.rules.decision import Send, Verdict, Wait, consent_for, decide
from dispatcher.rules.ledger import Json, stamp
from dispatcher.storage import dossier, requests
from dispatcher.storage.dossier import Block, Profile
from dispatcher.storage.facts import gather
from dispatcher.storage.requests import Request
from dispatcher.storage.store import Store
from dispatcher.texts import reason_text


@dataclass(frozen=True, slots=True)
class Standing:
    """One client now: consent by channel, the verdict on any campaign, and the messages of the last 365 days.

    `addresses` are as whoever looks may see them: masked, unless they asked for them whole.
    """

    addresses: Mapping[Channel, str]
    profile: Profile
    consents: Mapping[Channel, Consent]
    verdict: Verdict
    messages: int
    requests: tuple[Request, ...]
    blocks: tuple[Block, ...]


def in_words(verdict: Verdict) -> str:
    """Return a verdict as a person reads it."""
    if isinstance(verdict, Send):
        return f"May be written to by {verdict.channel}."
    return reason_text(verdict.reason, Language.EN)


def verdict_json(verdict: Verdict) -> dict[str, Json]:
    """Return a verdict with stable keys, in words as well."""
    until = verdict.until if isinstance(verdict, Wait) else None
    return {
        "verdict": type(verdict).__name__.lower(),
        "channel": verdict.channel.value if isinstance(verdict, Send) else None,
        "reason": None if isinstance(verdict, Send) else verdict.reason.value,
        "until": stamp(until) if until else None,
        "sentence": in_words(verdict),
    }


def standing(store: Store, policy: Policy, client: int, whole_for: Actor | None = None) -> Standing:
    """Return where a client stands now; the verdict is the gate's own, for any campaign.

    Addresses are masked, or whole for an actor who asks for them. Raises NotFoundError, and RefusedError for an actor
    who may not see them.
    """
    now = store.clock()
    today = local_date(now, policy.zone)
    with store.reading() as connection:
        if whole_for is not None:
            check_sees_whole(connection, whole_for, "--full")
        known = gather(connection, store.ring, [client], None, today, now).get(client)
        profile = dossier.profile(connection, client)
        if known is None or profile is None:
            raise unknown(client)
        facts = policy.any_campaign(coverage(connection, policy))
        return Standing(
            {
                channel: held.canonical if whole_for else masked(held.canonical)
                for channel, held in known.client.addresses.items()
            },
            profile,
            {channel: consent_for(known.facts, facts, channel, now) for channel in Channel},
            decide(known.facts, facts, now),
            len(known.facts.days),
            tuple(requests.every(connection, only_open=True, client=client)),
            tuple(dossier.blocks(connection, client)),
        )
