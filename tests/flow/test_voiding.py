"""L-03: a box that turns out to have been ticked beforehand takes its yeses away, in every verdict, from then on."""

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest

from dispatcher.errors import NotFoundError, RefusedError
from dispatcher.flow.answering import Said
from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import Flaw, Place, Reply
from dispatcher.rules.ledger import EntryKind
from dispatcher.rules.source import Occasion, Question, Source
from dispatcher.storage import ledger
from dispatcher.storage.journal import JournalKind
from dispatcher.wiring import Dispatcher
from tests.flow.joining import may_write
from tests.workshop import Workshop

WORDS = "Saammeko lähettää tarjouksia sähköpostitse?"
SLOTTI = Source("Slotti", (Question("Lupa", (Channel.EMAIL,), WORDS),), date(2026, 5, 1), True, Occasion.VISIT)  # noqa: FBT003 - the box was empty
BARE = "nimi;sähköposti;lupa;viimeisin käynti"
MAIJA, MATTI = "Maija M;maija@posti.example;x;20.11.2026", "Matti M;matti@posti.example;x;20.11.2026"
YES = Said(Reply.GRANTED, Channel.EMAIL, Place.PHONE, WORDS)
FIRST, SECOND = datetime(2026, 11, 24, 8, 0, tzinfo=UTC), datetime(2026, 12, 8, 8, 0, tzinfo=UTC)


def begin(studio: Workshop, dispatcher: Dispatcher) -> Source:
    """Tell the source, import both clients by it, and let Matti say yes by phone as well."""
    actor = dispatcher.persons.acting(None)
    source = dispatcher.sources.add(SLOTTI, None, actor)
    dispatcher.enrol.run(studio.register(MAIJA, MATTI, header=BARE), actor)
    studio.clock.advance(timedelta(minutes=1))
    dispatcher.answering.record(dispatcher.register.find("Matti"), [YES], actor)
    return source


def void(dispatcher: Dispatcher, name: str = "Slotti") -> Source:
    """Void a source as the owner."""
    return dispatcher.voiding.void(dispatcher.voiding.foresee(name).source, dispatcher.persons.acting(None))


def open_to(dispatcher: Dispatcher) -> set[str]:
    """Return who may be written to."""
    return {name for name in ("Maija", "Matti") if may_write(dispatcher, dispatcher.register.find(name))}


def flaws(dispatcher: Dispatcher, name: str) -> list[Flaw | None]:
    """Return what the history of a client says is wrong with each answer."""
    return [told.flaw for told in dispatcher.register.history(dispatcher.register.find(name))]


def test_a_void_source_opens_nothing_from_then_on(studio: Workshop) -> None:
    """The verdict, the list and the history say that the evidence is incomplete; a yes of another door stands."""
    with studio.opened() as dispatcher:
        source = begin(studio, dispatcher)
        assert {"Maija", "Matti"} == open_to(dispatcher)
        loss = dispatcher.voiding.foresee("slotti")
        assert (source, {Channel.EMAIL: 1}, 1) == (loss.source, loss.yeses, loss.clients)
        voided = void(dispatcher)
        assert (studio.clock(), studio.clock(), source.number) == (voided.ended_at, voided.voided_at, voided.number)
        assert {"Matti"} == open_to(dispatcher)
        assert [Flaw.INCOMPLETE_EVIDENCE] == flaws(dispatcher, "Maija")
        [listed] = dispatcher.register.listed("Maija")
        assert Flaw.INCOMPLETE_EVIDENCE is listed.consents[Channel.EMAIL].flaw


def test_a_void_source_is_read_no_more(studio: Workshop) -> None:
    """The same export brings its yeses back only by a source that was told anew, with a box that was empty."""
    with studio.opened() as dispatcher:
        begin(studio, dispatcher)
        void(dispatcher)
        actor, path = dispatcher.persons.acting(None), studio.register(MAIJA, header=BARE)
        studio.clock.advance(timedelta(minutes=1))
        dispatcher.enrol.run(path, actor)
        assert {"Matti"} == open_to(dispatcher)
        dispatcher.sources.add(SLOTTI, None, actor)
        dispatcher.enrol.run(path, actor)
        assert {"Maija", "Matti"} == open_to(dispatcher)


def test_a_source_is_voided_once_and_by_its_number_too(studio: Workshop) -> None:
    """One that has ended can still be voided; twice is refused, and so is a source that nobody told."""
    with studio.opened() as dispatcher:
        source = begin(studio, dispatcher)
        dispatcher.sources.end("Slotti", dispatcher.persons.acting(None))
        ended = studio.clock()
        studio.clock.advance(timedelta(days=1))
        voided = void(dispatcher, str(source.number))
        assert (ended, studio.clock()) == (voided.ended_at, voided.voided_at)
        assert [voided] == dispatcher.sources.listed()
        assert "ticked beforehand" in voided.warnings[0]
        with pytest.raises(RefusedError, match="void already"):
            dispatcher.voiding.foresee("Slotti")
        with pytest.raises(RefusedError, match="void already"):
            dispatcher.voiding.void(source, dispatcher.persons.acting(None))
        with pytest.raises(NotFoundError):
            dispatcher.voiding.foresee("Toinen")


def test_an_objection_that_such_a_yes_had_lifted_stands_again(studio: Workshop) -> None:
    """L-04: only a yes that can be shown lifts an objection, and this one cannot be shown any more."""
    with studio.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        dispatcher.sources.add(SLOTTI, None, actor)
        maija = "Maija M;maija@posti.example;{};{}"
        dispatcher.enrol.run(studio.register(maija.format("", "20.11.2026"), header=BARE), actor)
        dispatcher.preferences.withdraw(dispatcher.register.find("Maija"), actor)
        studio.clock.advance(timedelta(days=120))
        dispatcher.enrol.run(studio.register(maija.format("x", "23.3.2027"), header=BARE), actor)
        number = dispatcher.register.find("Maija")
        assert may_write(dispatcher, number)
        void(dispatcher)
        assert [None] == [each.channel for each in dispatcher.erasing.prospect(number).objections]


def test_the_ledger_and_the_journal_tell_it(studio: Workshop) -> None:
    """Both name the source by its number and nothing else of it."""
    with studio.opened() as dispatcher:
        begin(studio, dispatcher)
        void(dispatcher)
        with dispatcher.store.reading() as connection:
            told = [entry.data() for entry in ledger.entries(connection, [EntryKind.SOURCE.value])]
        assert {"event": "voided", "source": 1} == told[-1]
        record = list(dispatcher.store.journal.records())[-1]
        assert (JournalKind.SOURCE_VOIDED, 1, 64) == (record.kind, record.body["source"], len(str(record.body["spec"])))
        assert dispatcher.audit.verify().ok


@pytest.mark.parametrize("knows_it", [True, False])
def test_a_restored_copy_is_told_again(studio: Workshop, *, knows_it: bool) -> None:
    """L-34: a copy from before the voiding learns of it from the journal; one from before the source has no yes."""
    copy = studio.directory.parent / "copy"
    with studio.opened() as dispatcher:
        if not knows_it:
            dispatcher.safekeeping.backup(copy)
        begin(studio, dispatcher)
        if knows_it:
            dispatcher.safekeeping.backup(copy)
        void(dispatcher)
        dispatcher.safekeeping.restore(copy)
    with studio.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        dispatcher.safekeeping.replay(actor)
        if knows_it:
            assert {"Matti"} == open_to(dispatcher)
            [source] = dispatcher.sources.listed()
            assert (studio.clock(), studio.clock()) == (source.ended_at, source.voided_at)
        else:
            # Another source gets the number of the one that the copy does not know.
            dispatcher.sources.add(SLOTTI, None, actor)
            dispatcher.enrol.run(studio.register(MAIJA, header=BARE), actor)
            assert may_write(dispatcher, dispatcher.register.find("Maija"))
        assert 0 == dispatcher.safekeeping.replay(actor).records


def test_what_waits_is_withheld_and_the_audit_agrees(workshop: Workshop) -> None:
    """A campaign before the voiding went rightly, the one after it does not go, and the year adds up."""
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher)
        actor = dispatcher.persons.acting(None)
        for name, moment in (("one", FIRST), ("two", SECOND)):
            dispatcher.schedule.run(workshop.campaign(name, moment, channels=("email",)), actor)
        workshop.clock.set(FIRST)
        asyncio.run(dispatcher.rounds.once())
        void(dispatcher)
        workshop.clock.set(SECOND)
        asyncio.run(dispatcher.rounds.once())
        found = dispatcher.audit.year(2026)
        assert () == found.findings
        assert [(2, {}), (1, {"consent_incomplete_evidence": 1})] == [
            (each.accepted, dict(each.withheld)) for each in found.campaigns
        ]
