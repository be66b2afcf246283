"""The first page of a year's audit in words: five questions, one number each, and how to check them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from dispatcher.flow.audit_tables import place_text
from dispatcher.flow.audit_year import DeclaredFigures, YearAudit
from dispatcher.rules.budget import CEILING, FLOOR
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.ledger import Json
from dispatcher.rules.seal import key_words
from dispatcher.rules.sentence import Parts, Sentence
from dispatcher.texts import CATALOGUES, counted, format_date, format_number, text

_SPANS = ((172_800, 86_400, "days"), (7_200, 3_600, "hours"), (120, 60, "minutes"))
"""From how many seconds on a span is told in which unit."""
_WORDS = {
    "kind": "request",
    "said": "reply",
    "consent": "consent",
    "channel": "channel",
    "agreed": "channel",
    "went": "channel",
    "reason": "reason",
    **dict.fromkeys(("field", "told", "held", "state", "verdict"), "audit_word"),
}
"""The values of a sentence that are words of the program, and under what each language has them."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question an auditor asks: the one number that answers it, what there is to say of it, and whether it is well."""  # noqa: E501

    name: str
    title: str
    figure: str
    lines: tuple[str, ...]
    ok: bool = True

    def as_json(self) -> dict[str, Json]:
        """Return the question with its reply."""
        return {
            "name": self.name,
            "question": self.title,
            "figure": self.figure,
            "lines": list(self.lines),
            "ok": self.ok,
        }


def sealed(audit: YearAudit, language: Language) -> str:
    """Return the last seal as it stands on paper, or that there is none."""
    if audit.seal is None:
        return text("audit_seal_none", language)
    seal = audit.seal
    date = f"{seal.at:%Y-%m-%d %H:%M} UTC"
    words, key = seal.words(), key_words(seal.public)
    return text("audit_seal_is", language, number=seal.number, date=date, words=words, sealed_by=key)


def page_one(audit: YearAudit, language: Language) -> tuple[Question, ...]:
    """Return the five questions with their replies."""
    words, slots, messages = _Words(audit, language), audit.slots, audit.messages
    within = max(slots.spent, slots.most_in_365_days) <= CEILING
    few = max(messages.most_per_client, messages.most_per_address) <= CEILING
    all_agreed, kept = messages.agreed == messages.left, audit.noes.left_after == 0
    return (
        Question("often", words.say("often"), words.number(slots.spent), tuple(words.often()), within),
        Question("many", words.say("many"), words.clients(), tuple(words.many()), few),
        Question("agreed", words.say("agreed"), words.of(), tuple(words.agreed()), all_agreed),
        Question("noes", words.say("noes"), words.number(audit.noes.clients), tuple(words.noes()), kept),
        Question("wrong", words.say("wrong"), words.number(len(audit.findings)), tuple(words.wrong()), audit.ok),
    )


def sentences(found: Sequence[str], language: Language) -> list[str]:
    """Return findings or remarks as this language says them; what it has no words for stays in English."""
    return [_translated(each, language) if isinstance(each, Sentence) else str(each) for each in found]


def _translated(sentence: Sentence, language: Language) -> str:
    if language is Language.EN:
        return str(sentence)
    values = {name: _worded(name, value, language) for name, value in sentence.values.items()}
    return text(f"audit_said_{sentence.name}", language, **values)


def _worded(name: str, value: object, language: Language) -> object:
    """Return what a sentence says of itself as this language says it: a day, a word of the program, a part of it."""
    if isinstance(value, Sentence):
        return _translated(value, language)
    if isinstance(value, Parts):
        return ", ".join(_translated(each, language) for each in value)
    if isinstance(value, date):
        return format_date(value, language)
    key = f"{_WORDS.get(name)}_{value}"
    # A reason is a sentence of its own elsewhere, and here a part of one.
    return text(key, language).removesuffix(".") if key in CATALOGUES[language] else value


def checking(audit: YearAudit, language: Language) -> str:
    """Return how anybody can check the audit: of a year whose messages were destroyed, what of it still can be."""
    verify, year = "dispatcher audit verify", audit.year
    if audit.is_gone:
        return text("audit_check_gone", language, verify=verify, folder=f"audits/{year}")
    counted_again, drawn = f"dispatcher audit year {year}", f"dispatcher audit sample {year}"
    return text("audit_check_text", language, verify=verify, year=counted_again, sample=drawn)


def span_text(seconds: int, language: Language) -> str:
    """Return a span of time in whole units of the largest kind of which it has two, rounded up."""
    for at_least, unit, noun in _SPANS:
        if seconds >= at_least:
            return counted(noun, -(-seconds // unit), language)
    return counted("seconds", seconds, language)


class _Words:
    """Says what an audit found in one language."""

    def __init__(self, audit: YearAudit, language: Language) -> None:
        self._audit = audit
        self._language = language

    def say(self, key: str, **values: object) -> str:
        return text(f"audit_{key}", self._language, **values)

    def number(self, number: int) -> str:
        return format_number(number, self._language)

    def of(self) -> str:
        messages = self._audit.messages
        if self._audit.is_gone:
            return self.say("gone")
        return self.say("of", agreed=self.number(messages.agreed), left=self.number(messages.left))

    def often(self) -> list[str]:
        slots, year = self._audit.slots, self._audit.year
        campaigns = self._counted("campaigns", slots.spent)
        said = [self.say("often_spent", campaigns=campaigns, year=year, floor=FLOOR, ceiling=CEILING)]
        if slots.days:
            # A date is not broken over two lines.
            days = ", ".join(format_date(day, self._language).replace(" ", "\N{NO-BREAK SPACE}") for day in slots.days)
            said.append(self.say("often_days", days=days))
        said.append(self.say("often_most", most=slots.most_in_365_days, taken=slots.taken))
        return said + [self._declared(each) for each in self._audit.declared]

    def clients(self) -> str:
        """Return to how many: of a year that was destroyed, to how many it was when it was closed."""
        gone = self._audit.destroyed
        return self.number(self._audit.messages.clients) if gone is None else self._known(gone.clients)

    def many(self) -> list[str]:
        messages = self._audit.messages
        said = [*self._destroyed()]
        if self._audit.is_gone:
            return said
        said += [
            self.say(
                "many_got",
                clients=self._counted("clients", messages.clients),
                messages=self._counted("messages", messages.left),
                accepted=self.number(messages.accepted),
                unknown=self.number(messages.unknown),
            ),
            self.say("many_most", client=messages.most_per_client, address=messages.most_per_address),
        ]
        closed = sum(each.may_have_arrived for each in self._audit.campaigns)
        if closed:
            said.append(self.say("many_closed", messages=self._counted("messages", closed)))
        if messages.restored:
            said.append(self.say("many_restored", messages=self._counted("messages", messages.restored)))
        if messages.sms_parts:
            cost = messages.sms_cost if self._language is Language.EN else messages.sms_cost.replace(".", ",")
            said.append(self.say("many_cost", parts=self._counted("parts", messages.sms_parts), cost=cost))
        if messages.sms_without_price:
            unpriced = self._counted("text_messages", messages.sms_without_price)
            said.append(self.say("many_unpriced", messages=unpriced))
        return said

    def agreed(self) -> list[str]:
        messages = self._audit.messages
        lacking = messages.left - messages.agreed
        if self._audit.destroyed is not None and not messages.left:
            said = [self.say("agreed_gone", number=self._audit.destroyed.seal)]
        elif not messages.left:
            said = [self.say("agreed_none")]
        elif lacking:
            said = [self.say("agreed_not", messages=self._counted("messages", lacking))]
        else:
            said = [self.say("agreed_all")]
        if messages.oldest_yes_days is not None:
            said.append(self.say("agreed_oldest", days=self._counted("of_days", messages.oldest_yes_days)))
            said.append(self.say("agreed_places", places=self._places(messages.places)))
        return [*said, self._asked()]

    def noes(self) -> list[str]:
        noes = self._audit.noes
        if noes.clients:
            said = [
                self.say(
                    "noes_said",
                    clients=self._counted("clients", noes.clients),
                    withdrawn=self.number(noes.withdrawn),
                    declined=self.number(noes.declined),
                ),
                self.say("noes_places", places=self._places(noes.places)),
            ]
        else:
            said = [self.say("noes_none")]
        if noes.median_seconds is not None and noes.longest_seconds is not None:
            median, longest = (span_text(each, self._language) for each in (noes.median_seconds, noes.longest_seconds))
            said.append(self.say("noes_fast", median=median, longest=longest))
        counts = {
            name: self.number(getattr(noes, name)) for name in ("withheld", "in_hand", "in_hand_left", "left_after")
        }
        return said if self._audit.is_gone else [*said, self.say("noes_effect", **counts)]

    def wrong(self) -> list[str]:
        audit = self._audit
        found = len(audit.findings)
        said = [self.say("wrong_found", count=self.number(found)) if found else self.say("wrong_none")]
        counts = {
            name: self.number(sum(getattr(each, name) for each in audit.campaigns))
            for name in ("refused", "bounced", "complained")
        }
        if not audit.is_gone:
            said.append(self.say("wrong_refused", **counts))
        if audit.held:
            held = self.number(sum(audit.held.values()))
            said.append(self.say("wrong_held", held=held, reasons=self._reasons()))
        if audit.restores:
            said.append(self.say("wrong_restored", count=audit.restores))
        entries, groups = self._counted("entries", audit.chain.entries), self._counted("in_groups", audit.chain.groups)
        ledger = "wrong_ledger" if audit.chain.ok else "wrong_ledger_broken"
        return [*said, self.say(ledger, entries=entries, groups=groups)]

    def _destroyed(self) -> Iterator[str]:
        """Yield what stands in the place of the messages of a year that was destroyed."""
        gone = self._audit.destroyed
        if gone is None:
            return
        day = format_date(gone.day, self._language)
        yield text("audit_said_destroyed", self._language, year=self._audit.year, day=day, seal=gone.seal)
        known = {name: self._known(getattr(gone, name)) for name in ("campaigns", "messages", "clients")}
        yield self.say("many_gone", **known, year=self._audit.year)

    def _known(self, count: Json) -> str:
        return self.number(count) if isinstance(count, int) else "?"

    def _asked(self) -> str:
        asked = self._audit.asked
        if asked is None or asked.percent is None:
            return self.say("agreed_unasked")
        return self.say(
            "agreed_asked",
            percent=asked.percent,
            asked=self.number(asked.asked),
            visited=self.number(asked.visited),
            date=format_date(asked.day, self._language),
        )

    def _declared(self, each: DeclaredFigures) -> str:
        return self.say(
            "often_declared",
            date=format_date(each.day, self._language),
            title=each.title,
            messages=self._counted("messages", each.messages),
            channels=", ".join(self._way(way) for way in each.channels),
            by=each.by,
            on=format_date(each.declared_on, self._language),
        )

    def _way(self, way: str) -> str:
        return text(f"channel_{way}" if way in set(Channel) else f"audit_way_{way}", self._language)

    def _places(self, counts: Mapping[str, int]) -> str:
        told = (f"{place_text(place, self._language)} {self.number(count)}" for place, count in counts.items())
        return ", ".join(told)

    def _reasons(self) -> str:
        told = []
        for reason, count in self._audit.held.items():
            key = f"audit_held_{reason}"
            known = key in CATALOGUES[self._language]
            told.append(text(key, self._language, count=count) if known else f"{reason.replace('_', ' ')} {count}")
        return ", ".join(told)

    def _counted(self, noun: str, count: int) -> str:
        return counted(noun, count, self._language)
