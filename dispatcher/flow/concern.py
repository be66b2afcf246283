"""Whom an opt-out page concerns, what they agreed to, and what they get: the gate's own answer, never more than that.

Whoever has a message may open its link, so that an address is masked and nothing else of a person is shown (E-05).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache

from dispatcher.flow.coverage import coverage
from dispatcher.flow.marks import DECLINES
from dispatcher.flow.policy import Policy
from dispatcher.keys import KeyRing
from dispatcher.links import OptOut
from dispatcher.rules.address import masked
from dispatcher.rules.budget import CEILING, WINDOW
from dispatcher.rules.calendar import last_day, local_date
from dispatcher.rules.campaign import Channel, Kind, Language
from dispatcher.rules.consent import Consent, ConsentState, Place
from dispatcher.rules.decision import ClientFacts, Withhold, consent_for, decide
from dispatcher.rules.wishes import FEW, Less, More
from dispatcher.rules.wording import normal
from dispatcher.storage import returning, wordings
from dispatcher.storage.database import Connection
from dispatcher.storage.facts import Known, gather
from dispatcher.texts import text

_TOPICS = {Kind.OFFER: Less.OFFER, Kind.TREATMENT_DAY: Less.TREATMENT_DAY}


@dataclass(frozen=True, slots=True)
class Agreed:
    """What was agreed about one channel, as the one fold of the answers says it now.

    `said_on` is the local day of the answer that the state rests on, `words` the exact question of a yes and
    `spoken_in` its language, as far as they are known; `ends_on` the last day through which a standing yes holds.
    """

    channel: Channel
    state: ConsentState
    address: str | None = None
    said_on: date | None = None
    place: Place | None = None
    words: str | None = None
    spoken_in: Language | None = None
    ends_on: date | None = None
    is_shared: bool = False

    @property
    def is_open(self) -> bool:
        """Say whether a yes stands."""
        return self.state is ConsentState.GRANTED


@dataclass(frozen=True, slots=True)
class Concern:
    """Whom an opt-out page concerns: the masked address and the language; None where no row is behind the token.

    `is_gone`: nor will there be one, since nobody gets the number again. Whoever was erased and has come back since has
    another, and nothing may lead from the one to the other (L-33, L-35): the link can stop nothing any more. `is_test`:
    the link stood in a test message and stands for nobody.

    `messages` are those of the last 365 local dates, over both channels, of `at_most`. `is_written_to`: the decision
    function would let some message go. `less` and `more` are what can be chosen from here.
    """

    address: str | None
    language: Language | None
    is_gone: bool = False
    is_test: bool = False
    agreed: tuple[Agreed, ...] = ()
    messages: int | None = None
    at_most: int = CEILING
    own_cap: int | None = None
    paused_until: date | None = None
    declined: frozenset[Kind] = frozenset()
    is_written_to: bool = False
    less: tuple[Less, ...] = ()
    more: tuple[More, ...] = ()

    @property
    def is_open(self) -> bool:
        """Say whether a yes stands for any channel."""
        return any(each.is_open for each in self.agreed)


def seen(
    connection: Connection, ring: KeyRing, policy: Policy, links: Sequence[OptOut], now: datetime
) -> list[Concern]:
    """Return whom each of these links concerns and what they agreed to, and change nothing (E-09)."""
    today = local_date(now, policy.zone)
    known = gather(connection, ring, {link.client for link in links}, None, today, now)
    campaign = policy.any_campaign(coverage(connection, policy))
    consents = {
        number: {channel: consent_for(each.facts, campaign, channel, now) for channel in Channel}
        for number, each in known.items()
    }
    questions = _questions(connection, consents.values())
    found = []
    for link in links:
        client = known.get(link.client)
        if client is None:
            found.append(Concern(None, None, is_gone=not returning.is_missed(connection, link.client)))
            continue
        of_channel = consents[link.client]
        agreed = tuple(_agreed(client, channel, of_channel[channel], questions, policy) for channel in Channel)
        gets_any = not isinstance(decide(client.facts, campaign, now), Withhold)
        found.append(_concern(client, link.channel, agreed, policy, now, gets_any=gets_any))
    return found


def _concern(
    known: Known, reached_by: Channel, agreed: tuple[Agreed, ...], policy: Policy, now: datetime, *, gets_any: bool
) -> Concern:
    facts, client = known.facts, known.client
    today = local_date(now, policy.zone)
    until = facts.paused_until if facts.paused_until and now < facts.paused_until else None
    address = client.addresses.get(reached_by)
    return Concern(
        address=masked(address.canonical) if address else None,
        language=client.language,
        agreed=agreed,
        messages=sum(today - day < WINDOW for day in facts.days),
        own_cap=facts.own_cap,
        paused_until=local_date(until, policy.zone) if until else None,
        declined=facts.declined,
        is_written_to=gets_any,
        less=_less(facts, agreed, is_paused=until is not None),
        more=_more(facts, agreed, is_paused=until is not None),
    )


def _questions(
    connection: Connection, consents: Iterable[Mapping[Channel, Consent]]
) -> Mapping[str, tuple[str, Language | None]]:
    """Return each question that was answered, with its language where it is known."""
    given = [consent.answer for each in consents for consent in each.values() if consent.answer]
    digests = {answer.wording for answer in given if answer.wording}
    told = wordings.spoken(connection, digests) if digests else {}
    return {digest: (words, language or _house_words().get(words)) for digest, (words, language) in told.items()}


@cache
def _house_words() -> Mapping[str, Language]:
    """Return the language of each question that is the house's own."""
    return {
        normal(text(f"{key}_{channel}", language)): language
        for key in ("question", "renewal_question")
        for channel in Channel
        for language in Language
    }


def _agreed(
    known: Known,
    channel: Channel,
    consent: Consent,
    questions: Mapping[str, tuple[str, Language | None]],
    policy: Policy,
) -> Agreed:
    answer, held = consent.answer, known.client.addresses.get(channel)
    said_at = (answer.not_before or answer.not_after) if answer else None
    words, spoken_in = questions.get(answer.wording or "", (None, None)) if answer else (None, None)
    facts = known.facts.addresses.get(channel)
    return Agreed(
        channel=channel,
        state=consent.state,
        address=masked(held.canonical) if held else None,
        said_on=local_date(said_at, policy.zone) if said_at else None,
        place=answer.place if answer else None,
        words=words,
        spoken_in=spoken_in,
        ends_on=last_day(consent.ends_at, policy.zone) if consent.ends_at else None,
        is_shared=facts is not None and facts.shared,
    )


def _less(facts: ClientFacts, agreed: tuple[Agreed, ...], *, is_paused: bool) -> tuple[Less, ...]:
    """Return what takes something away from what stands."""
    is_open = {each.channel for each in agreed if each.is_open}
    if not is_open:
        return ()
    found = [less for less in (Less.EMAIL, Less.SMS) if less.closes in is_open and len(is_open) > 1]
    found += [_TOPICS[kind] for kind in DECLINES if not facts.declined]
    if facts.own_cap is None or facts.own_cap > FEW:
        found.append(Less.FEW)
    if not is_paused:
        found.append(Less.PAUSE)
    return tuple(found)


def _more(facts: ClientFacts, agreed: tuple[Agreed, ...], *, is_paused: bool) -> tuple[More, ...]:
    """Return what a yes of its own would give: a channel with an address, or the end of a wish where a yes stands."""
    closed = {each.channel for each in agreed if not each.is_open and each.address}
    found = [more for more in (More.EMAIL, More.SMS) if more.opens in closed]
    if not any(each.is_open for each in agreed):
        return tuple(found)
    if facts.declined:
        found.append(More.TOPICS)
    if facts.own_cap is not None:
        found.append(More.MOST)
    if is_paused:
        found.append(More.RESUME)
    return tuple(found)
