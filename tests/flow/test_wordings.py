"""The texts of the question: what may be added, what is asked from then on, and what can never be changed."""

from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import event, insert, select

from dispatcher.errors import NotFoundError, RefusedError
from dispatcher.flow.questions import question
from dispatcher.flow.wordings import Question
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.ledger import EntryKind, Json
from dispatcher.rules.wording import wording_hash
from dispatcher.storage import ledger
from dispatcher.storage.tables import WordingTable
from dispatcher.texts import text
from dispatcher.wiring import Dispatcher
from tests.workshop import Workshop

BY_EMAIL = "Saammeko lähettää tarjouksia sähköpostitse?"
BY_BOTH = "Saammeko lähettää tarjouksia sähköpostitse ja tekstiviestillä?"
MAIJA = "1;Maija;M;maija@posti.example;;fi;3.1.2026;kyllä;;3.1.2026"


def add(dispatcher: Dispatcher, words: str, version: str = "1", language: Language = Language.FI) -> Question:
    """Add a wording as the owner."""
    return dispatcher.wordings.add(words, language, version, dispatcher.persons.acting(None))


def asked(dispatcher: Dispatcher, channel: Channel, language: Language = Language.FI) -> str:
    """Return the words in which a client is asked today."""
    with dispatcher.store.reading() as connection:
        return question(connection, channel, language)


def told(dispatcher: Dispatcher) -> list[dict[str, Json]]:
    """Return the bodies of the ledger's entries about wordings."""
    with dispatcher.store.reading() as connection:
        return [entry.data() for entry in ledger.entries(connection, [EntryKind.WORDING.value])]


def test_the_newest_wording_is_what_is_asked(workshop: Workshop) -> None:
    """D-02: without one the house's own words are asked; then the newest of the channel and language, and no other."""
    with workshop.opened() as dispatcher:
        assert text("question_email", Language.FI) == asked(dispatcher, Channel.EMAIL)
        add(dispatcher, BY_BOTH)
        workshop.clock.advance(timedelta(days=1))
        added = add(dispatcher, BY_EMAIL)
        assert (BY_EMAIL, BY_BOTH) == (asked(dispatcher, Channel.EMAIL), asked(dispatcher, Channel.SMS))
        assert text("question_email", Language.SV) == asked(dispatcher, Channel.EMAIL, Language.SV)
        older, newer = dispatcher.wordings.listed()
        assert (frozenset({Channel.SMS}), frozenset({Channel.EMAIL})) == (older.asked_for, newer.asked_for)
        assert added == newer


def test_a_wording_is_known_by_its_text(workshop: Workshop) -> None:
    """D-02: the same text added twice, however its spaces fall, is one wording and one entry of the ledger."""
    with workshop.opened() as dispatcher:
        first, again = add(dispatcher, BY_EMAIL), add(dispatcher, f"  {BY_EMAIL.replace(' ', chr(10))}\n")
        assert wording_hash(BY_EMAIL) == first.wording.sha256
        assert first == again == dispatcher.wordings.find(wording_hash(BY_EMAIL)[:6].upper())
        assert [
            {
                "event": "added",
                "wording": wording_hash(BY_EMAIL),
                "channels": ["email"],
                "language": "fi",
                "version": "1",
            }
        ] == told(dispatcher)
        assert dispatcher.audit.verify().ok


@pytest.mark.parametrize(
    ("words", "version", "language", "says"),
    [
        ("Saammeko lähettää tarjouksia?", "2", "fi", "names neither email nor text messages"),
        ("Saammeko lähettää uutisia sähköpostitse?", "1", "fi", "is another text already"),
        (BY_EMAIL, "2", "fi", "one language and one version"),
        (BY_EMAIL, "1", "sv", "one language and one version"),
        (BY_BOTH, "two words", "fi", "A version is"),
        ("", "2", "fi", "1 to 2,000 characters"),
        ("sähköpostitse " * 200, "2", "fi", "1 to 2,000 characters"),
        ("sähköpostitse\u202e?", "2", "fi", "none of them hidden"),
    ],
)
def test_what_cannot_be_asked_is_refused(
    workshop: Workshop, words: str, version: str, language: str, says: str
) -> None:
    """L-01, D-02: a text that opens nothing, a second text under one label, a second label: nothing changes."""
    with workshop.opened() as dispatcher:
        add(dispatcher, BY_EMAIL)
        with pytest.raises(RefusedError, match=says):
            add(dispatcher, words, version, Language(language))
        assert 1 == len(dispatcher.wordings.listed()) == len(told(dispatcher))


def test_one_version_may_be_asked_by_each_channel(workshop: Workshop) -> None:
    """The label is of one language and the channels a text names: two questions of one version stand side by side."""
    with workshop.opened() as dispatcher:
        add(dispatcher, BY_EMAIL)
        add(dispatcher, "Saammeko lähettää tarjouksia tekstiviestillä?")
        assert 2 == len(dispatcher.wordings.listed())


def test_a_wording_that_a_file_brought_gets_its_label(workshop: Workshop) -> None:
    """The words of a register are a wording already; added by a person they become what is asked."""
    words = "Saako lähettää tarjouksia sähköpostitse?"
    with workshop.opened() as dispatcher:
        dispatcher.enrol.run(workshop.register(MAIJA), dispatcher.persons.acting(None))
        brought = dispatcher.wordings.find(wording_hash(words))
        assert (None, frozenset(), 1) == (brought.wording.version, brought.asked_for, brought.answers)
        labelled = add(dispatcher, words)
        assert ("1", frozenset({Channel.EMAIL}), 1) == (labelled.wording.version, labelled.asked_for, labelled.answers)


def test_a_wording_of_an_earlier_version_can_be_asked(workshop: Workshop) -> None:
    """D-02: a text kept before wordings had channels is read as what it names, and asked once a person adds it."""
    with workshop.opened() as dispatcher:
        row = {"sha256": wording_hash(BY_EMAIL), "text": BY_EMAIL, "added_at": workshop.clock()}
        dispatcher.store.write(lambda transaction: transaction.connection.execute(insert(WordingTable).values(**row)))
        assert frozenset({Channel.EMAIL}) == dispatcher.wordings.find(wording_hash(BY_EMAIL)).wording.channels
        assert frozenset({Channel.EMAIL}) == add(dispatcher, BY_EMAIL).asked_for
        assert BY_EMAIL == asked(dispatcher, Channel.EMAIL)
        with dispatcher.store.reading() as connection:
            assert ["email"] == list(connection.scalars(select(WordingTable.channels)))


def test_the_list_is_a_few_queries(workshop: Workshop) -> None:
    """However many wordings there are, they and the answers that name each are read once."""
    queries: list[str] = []
    with workshop.opened() as dispatcher:
        dispatcher.enrol.run(workshop.register(MAIJA), dispatcher.persons.acting(None))
        event.listen(dispatcher.store.database.engine, "before_cursor_execute", lambda *what: queries.append(what[2]))
        counts = []
        for number in range(6):
            queries.clear()
            listed = dispatcher.wordings.listed()
            counts.append(len(queries))
            assert {1: 1} | ({0: number} if number else {}) == Counter(each.answers for each in listed)
            add(dispatcher, f"{BY_EMAIL} {number}", version=f"{number}")
    assert [counts[0]] * 6 == counts


def test_what_was_asked_with_is_never_removed(workshop: Workshop) -> None:
    """D-02: a wording that an answer names stays, and the refusal says how many do."""
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        dispatcher.enrol.run(workshop.register(MAIJA, MAIJA.replace("1;Maija", "2;Matti")), actor)
        digest = wording_hash("Saako lähettää tarjouksia sähköpostitse?")
        with pytest.raises(RefusedError, match="2 answers name this wording"):
            dispatcher.wordings.remove(digest, actor)
        assert 2 == dispatcher.wordings.find(digest).answers


def test_what_nobody_was_asked_with_can_be_removed(workshop: Workshop) -> None:
    """A wording without an answer goes, the one before it is asked again, and the ledger has both facts."""
    with workshop.opened() as dispatcher:
        add(dispatcher, BY_BOTH)
        workshop.clock.advance(timedelta(days=1))
        added = add(dispatcher, BY_EMAIL).wording.sha256
        assert added == dispatcher.wordings.remove(added[:8], dispatcher.persons.acting(None)).sha256
        assert BY_BOTH == asked(dispatcher, Channel.EMAIL)
        assert {"event": "removed", "wording": added} == told(dispatcher)[-1]
        assert dispatcher.audit.verify().ok


@pytest.mark.parametrize("beginning", ["", "zzzzzz", "12345", "000000", "Saammeko"])
def test_an_unknown_hash_is_named(workshop: Workshop, beginning: str) -> None:
    """What is no hash, too little of one, or nobody's, is refused with the command that lists them."""
    with workshop.opened() as dispatcher:
        add(dispatcher, BY_EMAIL)
        with pytest.raises(NotFoundError, match="wordings list"):
            dispatcher.wordings.find(beginning)
