"""Had the client agreed: the answers as the ledger tells them, folded again at every hand-off."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from dispatcher.rules.calendar import local_date
from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import VALID_FOR, Answer, ConsentState, Reply, as_it_counts, fold
from dispatcher.rules.ledger import Json, StoredEntry, read_answer, read_stamp
from dispatcher.rules.sayings import say
from dispatcher.rules.sentence import Sentence
from dispatcher.rules.source import VOIDED

REPLACED = "address_replaced"
"""What the ledger calls it when a restore had forgotten that a client's address was replaced: `at` is the moment."""
# Asked of every message: a name is looked up in a fraction of the time in which an enumeration finds it.
_CHANNELS = {channel.value: channel for channel in Channel}


@dataclass(frozen=True, slots=True)
class Relied:
    """The yes that a message relied on: how many local days old it was, and where it was asked."""

    age_days: int
    place: str


class ConsentCheck:
    """Holds what each client has said so far, and judges each hand-off by it; entries come in order of number.

    `agreed_to` are the hashes of the wordings that anybody said yes to.
    """

    def __init__(self, zone: ZoneInfo, valid_for: timedelta) -> None:
        self._zone = zone
        self._valid_for = valid_for
        self._answers: dict[int, list[Answer]] = defaultdict(list)
        self._addressed: dict[str, set[int]] = defaultdict(set)
        self._moved: dict[tuple[int, Channel], datetime] = {}
        self._voided: set[int] = set()
        self._words: dict[Json, Json] = {}
        self.agreed_to: set[str] = set()

    def hear(self, entry: StoredEntry, body: Mapping[str, Json]) -> Answer:
        """Take an answer in and return it."""
        # Thousands of answers share a few wordings: one text of each is held.
        word = self._words.setdefault(body["wording"], body["wording"])
        answer = read_answer(entry.id, entry.at, entry.channel, {**body, "wording": word})
        answer = as_it_counts(answer, self._voided)
        if answer.reply is Reply.GRANTED and answer.wording:
            self.agreed_to.add(answer.wording)
        self._answers[entry.client or 0].append(answer)
        return answer

    def void(self, entry: StoredEntry, body: Mapping[str, Json]) -> None:
        """Take in that the box of a source had been ticked beforehand: from now on no yes that rests on it stands."""
        del entry
        number = body.get("source")
        if body.get("event") != VOIDED or not isinstance(number, int):
            return
        self._voided.add(number)
        for given in self._answers.values():
            given[:] = [as_it_counts(answer, {number}) for answer in given]

    def move(self, entry: StoredEntry, body: Mapping[str, Json]) -> None:
        """Take in which addresses a client got: no yes carries over to one that took another's place (L-31)."""
        client, addresses = entry.client or 0, body.get("addresses", {})
        at = read_stamp(body.get("at"))
        if body.get("event") == REPLACED and at is not None:
            which = (client, Channel(str(body["channel"])))
            self._moved[which] = max(at, self._moved.get(which, at))
        for channel in addresses if isinstance(addresses, Mapping) else ():
            if client in self._addressed[channel]:
                self._moved[client, Channel(channel)] = entry.at
            self._addressed[channel].add(client)

    def judge(self, entry: StoredEntry, body: Mapping[str, Json]) -> Relied | Sentence:
        """Return the yes that a Send entry relied on, or what is wrong with it as the end of a sentence."""
        channel, number, client = _CHANNELS[entry.channel or ""], body["answer"], entry.client or 0
        given = self._answers.get(client, [])
        named = next((answer for answer in given if answer.entry == number), None)
        if named is None:
            return say("no_answer", relied=number, client=client)
        if named.reply is not Reply.GRANTED:
            return say("no_yes", relied=number, said=named.reply.value)
        if named.channel is not channel:
            return say("other_channel", channel=channel.value, relied=number, agreed=named.channel or "no channel")
        if named.source in self._voided:
            return say("void", relied=number, source=named.source)
        moved = self._moved.get((client, channel))
        if moved is not None and named.recorded_at < moved:
            return say("replaced", relied=number)
        carried = [answer for answer in given if not _is_for_another_address(answer, channel, moved)]
        return self._stood(entry, body, named, carried)

    def _stood(
        self, entry: StoredEntry, body: Mapping[str, Json], named: Answer, given: list[Answer]
    ) -> Relied | Sentence:
        channel = _CHANNELS[entry.channel or ""]
        consent = fold(given, channel, entry.at, self._validity(body))
        if consent.state is not ConsentState.GRANTED:
            stood = {"client": entry.client, "consent": consent.state.value, "channel": channel.value}
            if consent.answer is None:
                return say("not_standing", relied=named.entry, **stood)
            return say("not_standing_for", relied=named.entry, **stood, because=consent.answer.entry)
        if consent.answer is None or consent.answer.entry != named.entry:
            other = consent.answer.entry if consent.answer else "another"
            return say("other_yes", relied=named.entry, other=other)
        asked = named.not_before or named.recorded_at
        age = local_date(entry.at, self._zone) - local_date(asked, self._zone)
        return Relied(age.days, named.place.value if named.place else "unknown")

    def _validity(self, body: Mapping[str, Json]) -> timedelta:
        """Return how long a yes stood when this message went: as its entry says, never more than a year (L-08)."""
        said = body.get("valid_for_days")
        return min(timedelta(days=said), VALID_FOR) if isinstance(said, int) else self._valid_for


def _is_for_another_address(answer: Answer, channel: Channel, moved: datetime | None) -> bool:
    if moved is None or answer.reply is not Reply.GRANTED or answer.channel is not channel:
        return False
    return answer.recorded_at < moved
