"""The answer a message relied on, with everything that shows it: its words, who took it, and the form it stood in."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from dispatcher.rules.consent import Answer
from dispatcher.rules.ledger import EntryKind, Json, StoredEntry, read_answer, stamp
from dispatcher.storage import entries, persons, sources
from dispatcher.storage.database import Connection
from dispatcher.storage.wordings import wording_texts


@dataclass(frozen=True, slots=True)
class Relied:
    """An answer: what was said, when, where, to which words, and who put it on record; times are aware UTC.

    `recorded_by` is the name of a person, else what kind of actor it was. `source` names the register's form that the
    answer came from and `picture` is the SHA-256 of that form's picture, where there is one.
    """

    answer: Answer
    client: int | None
    recorded_by: str
    wording: str | None
    source: str | None
    picture: str | None

    def as_json(self) -> dict[str, Json]:
        """Return the answer with stable keys; times are UTC."""
        answer = self.answer
        return {
            "entry": answer.entry,
            "reply": answer.reply.value,
            "channel": answer.channel.value if answer.channel else None,
            "not_before": _stamp(answer.not_before),
            "not_after": _stamp(answer.not_after),
            "recorded_at": stamp(answer.recorded_at),
            "recorded_by": self.recorded_by,
            "place": answer.place.value if answer.place else None,
            "wording": self.wording,
            "wording_sha256": answer.wording,
            "source": self.source,
            "picture_sha256": self.picture,
        }


def relied_on(connection: Connection, numbers: Collection[int]) -> dict[int, Relied]:
    """Return the answers that these entries hold, as far as they are answers."""
    found = entries.of_numbers(connection, numbers)
    return told(connection, [each for each in found.values() if each.kind == EntryKind.ANSWER.value])


def told(connection: Connection, given: Collection[StoredEntry]) -> dict[int, Relied]:
    """Return the answers in these entries by number, with what shows them."""
    answers = {each.id: read_answer(each.id, each.at, each.channel, each.data()) for each in given}
    words = wording_texts(connection, {each.wording for each in answers.values() if each.wording})
    names = {str(person.actor): person.name for person in persons.everyone(connection)}
    forms = {each.id: each for each in sources.every(connection)}
    return {
        each.id: Relied(
            answer=answers[each.id],
            client=each.client,
            recorded_by=names.get(each.actor) or each.actor.partition(":")[0].replace("_", " "),
            wording=words.get(answers[each.id].wording or ""),
            **_form(forms, answers[each.id]),
        )
        for each in given
    }


def _form(forms: Mapping[int, sources.StoredSource], answer: Answer) -> dict[str, str | None]:
    form = forms.get(answer.source or 0)
    return {"source": form.name if form else None, "picture": form.picture if form else None}


def _stamp(moment: datetime | None) -> str | None:
    return stamp(moment) if moment else None
