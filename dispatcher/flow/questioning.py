"""The question and whom to ask it: today's words, a client's standing, and the list for the desk."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from dispatcher.errors import NotFoundError
from dispatcher.flow.audience import chunks
from dispatcher.flow.cards import Card, card, cards
from dispatcher.flow.coverage import coverage
from dispatcher.flow.known import unknown
from dispatcher.flow.persons import check_sees_whole
from dispatcher.flow.policy import Policy
from dispatcher.flow.questions import question
from dispatcher.rules.actor import Actor
from dispatcher.rules.asking import visited_unasked
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.decision import Reason
from dispatcher.rules.ledger import Json
from dispatcher.rules.occasion import Occasion, occasion
from dispatcher.storage import wordings
from dispatcher.storage.store import Store

Words = Mapping[Language, Mapping[Channel, str]]
"""The question by language and channel, to be read aloud as it stands."""
_ENOUGH = 4
"""Characters of a wording's SHA-256 by which it can be named."""
_SILENCED = frozenset({Reason.OBJECTION, Reason.SHARED_ADDRESS_OBJECTION, Reason.ADDRESS_INVALID})


@dataclass(frozen=True, slots=True)
class ToAsk:
    """Somebody to ask at the desk, and about which channels for which reason."""

    card: Card
    occasions: Mapping[Channel, Occasion]


@dataclass(frozen=True, slots=True)
class AskList:
    """Who is to be asked, the latest visit first, and in which words; `total` also counts those beyond a limit."""

    people: Sequence[ToAsk]
    words: Words
    total: int


class Asking:
    """Knows the question, and who has yet to answer it."""

    def __init__(self, store: Store, policy: Policy, renew_days: int) -> None:
        self._store = store
        self._policy = policy
        self._renew_within = timedelta(days=renew_days)

    def question(self, channel: Channel, language: Language) -> str:
        """Return the exact words of today's question."""
        with self._store.reading() as connection:
            return question(connection, channel, language)

    def words(self) -> Words:
        """Return today's question in every language for every channel."""
        with self._store.reading() as connection:
            return {
                language: {channel: question(connection, channel, language) for channel in Channel}
                for language in Language
            }

    def wording(self, beginning: str) -> str:
        """Return the text of the wording whose SHA-256 begins so. Raises NotFoundError unless one alone does."""
        with self._store.reading() as connection:
            found = wordings.find(connection, beginning) if len(beginning) >= _ENOUGH else []
        if len(found) != 1:
            fits = f"{len(found)} wordings fit" if found else "No wording fits"
            raise NotFoundError(
                f"{fits} {beginning!r}: give the beginning of its SHA-256, {_ENOUGH} characters at least."
            )
        return found[0].text

    def card(self, client: int) -> Card:
        """Return a client as people see them. Raises NotFoundError for a number nobody has."""
        found = self.cards([client])
        if not found:
            raise unknown(client)
        return found[0]

    def cards(self, numbers: Sequence[int]) -> list[Card]:
        """Return these clients as people see them."""
        with self._store.reading() as connection:
            return list(cards(connection, self._store, self._policy, numbers, self._store.clock()).values())

    def ask_list(self, actor: Actor, limit: int | None = None) -> AskList:
        """Return who is to be asked when they are here next, those who came last first.

        Left out: whoever has objected, on whichever channel, children, and whose data may not be used (L-09, L-11).
        Raises RefusedError for an actor who may not see clients whole.
        """
        now = self._store.clock()
        found: list[ToAsk] = []
        with self._store.reading() as connection:
            check_sees_whole(connection, actor, "a list of names")
            campaign = self._policy.any_campaign(coverage(connection, self._policy))
            for chunk in chunks(connection, self._store, self._policy, None, now):
                for known in chunk:
                    facts = known.facts
                    if not facts.in_register or facts.restricted or facts.child or facts.suspended:
                        continue
                    seen = card(known, campaign, now)
                    visited = visited_unasked(seen.last_visit, facts.answers, self._policy.zone)
                    occasions = self._occasions(seen, visited=visited)
                    if occasions:
                        found.append(ToAsk(seen, occasions))
        found.sort(
            key=lambda each: (-(each.card.last_visit.toordinal() if each.card.last_visit else 0), each.card.name)
        )
        return AskList(found[:limit], self.words(), len(found))

    def _occasions(self, seen: Card, *, visited: bool) -> dict[Channel, Occasion]:
        if any(standing.consent.objected for standing in seen.standings.values()):
            return {}
        now = self._store.clock()
        found = {
            channel: occasion(standing.consent, now, self._renew_within, visited=visited)
            for channel, standing in seen.standings.items()
            if standing.address is not None and standing.reason not in _SILENCED
        }
        return {channel: why for channel, why in found.items() if why is not None}


def ask_list_json(found: AskList) -> dict[str, Json]:
    """Return the list with stable keys."""
    return {
        "people": [
            {
                "client": each.card.number,
                "name": each.card.name,
                "language": each.card.language.value,
                "last_visit": each.card.last_visit.isoformat() if each.card.last_visit else None,
                "addresses": {channel.value: standing.address for channel, standing in each.card.standings.items()},
                "ask": {channel.value: why.value for channel, why in each.occasions.items()},
            }
            for each in found.people
        ],
        "total": found.total,
        "words": {
            language.value: {channel.value: text for channel, text in texts.items()}
            for language, texts in found.words.items()
        },
    }
