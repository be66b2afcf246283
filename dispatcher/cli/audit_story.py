"""A client's account and a drawn message in words, in the language of whoever asks."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from dispatcher.cli.door import local
from dispatcher.flow.accounts import Account, Line
from dispatcher.flow.relied import Relied
from dispatcher.flow.sampling import Drawn, Sample
from dispatcher.rules.budget import CEILING
from dispatcher.rules.calendar import local_date
from dispatcher.rules.campaign import Language
from dispatcher.rules.consent import Place
from dispatcher.rules.decision import Reason
from dispatcher.texts import CATALOGUES, format_date, reason_text, text

_HOUR = timedelta(hours=1)
_INDENT = " " * 20


@dataclass(frozen=True, slots=True)
class Story:
    """Tells in one language, by the clock of one zone."""

    zone: ZoneInfo
    language: Language = Language.EN

    def account(self, told: Account) -> Iterator[str]:
        """Yield the lines of a client's account."""
        if told.client is None:
            for since, until in told.kept:
                yield self._say("no_kept", since=local(since, self.zone), until=local(until, self.zone))
                yield self._say("no_more_held")
            if not told.kept:
                yield self._say("nothing_held")
            return
        yield self._say("client", number=told.client)
        if not told.lines:
            yield f"  {self._say('nothing_told')}"
        for line in told.lines:
            yield from self._line(line)

    def sample(self, drawn: Sample) -> Iterator[str]:
        """Yield the lines of a sample, which auditors read: in English."""
        if drawn.gone is not None:
            day = local_date(drawn.gone.at, self.zone)
            yield (
                f"The messages of {drawn.year} were destroyed on {day} under the promise, checked under seal "
                f"{drawn.gone.seal}: there is nothing to draw them from."
            )
        elif not drawn.messages:
            yield f"No message left in {drawn.year}: there is nothing to draw from."
        if not drawn.messages:
            return
        many = len(drawn.messages)
        yield f"{many} of the {drawn.left} messages that left in {drawn.year}, drawn with the seed {drawn.seed!r}:"
        for each in drawn.messages:
            yield ""
            yield from self._drawn(each)

    def _drawn(self, each: Drawn) -> Iterator[str]:
        what = f"{each.title or each.campaign} to client {each.client} by {self._channel(each.channel)}"
        yield f"{local(each.at, self.zone)}  {what}: {each.state} (entry {each.entry})"
        if each.relied is None:
            yield "    THE ENTRY IT RELIED ON IS NO ANSWER."
            return
        yield from self._because(each.relied)

    def _line(self, line: Line) -> Iterator[str]:
        when = f"{local(line.at, self.zone):<16}"
        entry = f" {self._say('entry', entry=line.entry)}" if line.entry else ""
        if line.gone is not None:
            day = format_date(local_date(line.gone.at, self.zone), self.language)
            about = {"year": line.gone.year, "day": day, "seal": line.gone.seal}
            said = self._say("destroyed" if line.title else "destroyed_year", title=line.title, **about)
            yield f"{when}  {said}{entry}"
        elif line.what == "answer" and line.relied is not None:
            yield f"{when}  {self._answer(line.relied)}{entry}"
            yield from self._evidence(line.relied)
        elif line.what == "message":
            sent = f"{line.title}: {self._channel(line.channel)}, {self._state(line)}"
            count = f", {self._say('nth', nth=line.nth, ceiling=CEILING)}" if line.nth else ""
            yield f"{when}  {sent}{count}{entry}"
            if line.relied is not None:
                yield from self._because(line.relied)
        elif line.what == "service":
            why = f", {line.reason.replace('_', ' ')}" if line.reason else ""
            purpose = self._word("audit_purpose", line.title)
            state = f"{self._state(line)}{why}"
            told = self._say("service", purpose=purpose, channel=self._channel(line.channel), state=state)
            yield f"{when}  {told}{entry}"
        else:
            yield f"{when}  {self._say('nothing', title=line.title, because=self._silence(line.reason or ''))}{entry}"

    def _because(self, relied: Relied) -> Iterator[str]:
        yield f"{_INDENT}{self._say('because', entry=relied.answer.entry, said=self._answer(relied))}"
        yield from self._evidence(relied)

    def _answer(self, relied: Relied) -> str:
        channel = relied.answer.channel
        by = self._channel(channel) if channel else self._say("any_channel")
        return self._say(f"answer_{relied.answer.reply.value}", channel=by)

    def _evidence(self, relied: Relied) -> Iterator[str]:
        answer = relied.answer
        given = self._given(answer.not_before or answer.not_after, answer.not_after or answer.not_before)
        where = f", {self._word('place', answer.place.value)}" if isinstance(answer.place, Place) else ""
        recorded = local(answer.recorded_at, self.zone)
        yield f"{_INDENT}{self._say('given', when=given, where=where, recorded=recorded, by=relied.recorded_by)}"
        if relied.wording:
            quoted = f"\N{LEFT DOUBLE QUOTATION MARK}{relied.wording}\N{RIGHT DOUBLE QUOTATION MARK}"
            yield f"{_INDENT}{self._say('words', words=quoted)}"
        if relied.source:
            picture = self._say("picture", picture=relied.picture[:12]) if relied.picture else self._say("no_picture")
            yield f"{_INDENT}{self._say('form', source=relied.source)}, {picture}"

    def _given(self, first: datetime | None, last: datetime | None) -> str:
        """Return when an answer was given: a minute, a day, or from when to when."""
        if first is None or last is None:
            return self._say("time_unknown")
        if local_date(first, self.zone) != local_date(last, self.zone):
            return f"{local(first, self.zone)} \N{EN DASH} {local(last, self.zone)}"
        day = local_date(first, self.zone)
        return local(first, self.zone) if last - first < _HOUR else format_date(day, self.language)

    def _channel(self, channel: str | None) -> str:
        return self._word("channel", channel) if channel else self._say("no_channel")

    def _state(self, line: Line) -> str:
        key = f"message_{line.state}"
        return text(key, self.language) if key in CATALOGUES[self.language] else self._word("account_later", line.state)

    def _silence(self, reason: str) -> str:
        return reason_text(Reason(reason), self.language) if reason in set(Reason) else self._word("account", reason)

    def _word(self, prefix: str, word: str | None) -> str:
        """Return a word of the program in this language; one that nobody knows stands as it is."""
        key = f"{prefix}_{word}"
        return text(key, self.language) if key in CATALOGUES[self.language] else (word or "").replace("_", " ")

    def _say(self, key: str, **values: object) -> str:
        return text(f"account_{key}", self.language, **values)
