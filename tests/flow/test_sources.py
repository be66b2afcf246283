"""What a person tells of a register's form: kept as evidence, and what an import makes of the columns then."""

import hashlib
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from dispatcher.errors import NotFoundError, RefusedError, RegisterFileError
from dispatcher.flow.enrol import EnrolReport
from dispatcher.flow.sources import LARGEST_PICTURE
from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import Answer, ConsentState, Flaw, Place, Reply
from dispatcher.rules.ledger import EntryKind, Json
from dispatcher.rules.source import Occasion, Question, Source, Words
from dispatcher.rules.wording import wording_hash
from dispatcher.storage import answers, ledger
from dispatcher.wiring import Dispatcher
from tests.workshop import Workshop

PNG = b"\x89PNG\r\n\x1a\n" + b"a picture of the form"
WORDS = "Saammeko lähettää tarjouksia sähköpostitse?"
SLOTTI = Source("Slotti", (Question("Lupa", (Channel.EMAIL,), WORDS),), date(2026, 5, 1), True, Occasion.VISIT)  # noqa: FBT003 - the box was empty
BARE = "nimi;sähköposti;puhelin;lupa;viimeisin käynti;varattu;kortti luotu"
MAIJA = "Maija M;maija@posti.example;0401234567;x;20.11.2026;1.10.2026;2.6.2026"
MATTI = MAIJA.replace("aija", "atti").replace("0401234567", "0401234568")


def add(dispatcher: Dispatcher, source: Source = SLOTTI, picture: Path | None = None) -> Source:
    """Add a source as the owner."""
    return dispatcher.sources.add(source, picture, dispatcher.persons.acting(None))


def enrol(workshop: Workshop, dispatcher: Dispatcher, *rows: str, source: str | None = None) -> EnrolReport:
    """Import a bare export of these rows as the owner."""
    path = workshop.register(*rows, header=BARE)
    return dispatcher.enrol.run(path, dispatcher.persons.acting(None), source=source)


def given(dispatcher: Dispatcher, words: str = "maija") -> list[Answer]:
    """Return what the one client whom these words fit has answered."""
    with dispatcher.store.reading() as connection:
        number = dispatcher.register.find(words)
        return answers.of_clients(connection, [number]).get(number, [])


def told(dispatcher: Dispatcher) -> list[dict[str, Json]]:
    """Return the bodies of the ledger's entries about sources."""
    with dispatcher.store.reading() as connection:
        return [entry.data() for entry in ledger.entries(connection, [EntryKind.SOURCE.value])]


def noon(year: int, month: int, day: int) -> datetime:
    """Return the local midnight with which a day in summer begins, by UTC."""
    return datetime(year, month, day, 21, tzinfo=UTC) - timedelta(days=1)


def test_a_source_is_kept_with_its_picture(workshop: Workshop) -> None:
    """D-01: what was told and the picture of the form stay as evidence, by their hashes in the ledger."""
    picture = workshop.directory / "lomake.png"
    picture.write_bytes(PNG)
    with workshop.opened() as dispatcher:
        added = add(dispatcher, picture=picture)
        sha256 = hashlib.sha256(PNG).hexdigest()
        assert replace(SLOTTI, picture=sha256, number=1, added_at=workshop.clock()) == added
        assert ([added], added) == (dispatcher.sources.listed(), dispatcher.sources.named(" slotti"))
        assert PNG == dispatcher.sources.picture(added)
        (entry,) = told(dispatcher)
        assert ("added", 1, sha256, 64) == (
            *(entry["event"], entry["source"], entry["picture"]),
            len(str(entry["spec"])),
        )
        assert "Slotti" not in str(entry)
        assert dispatcher.audit.verify().ok


def test_a_name_is_free_again_when_its_source_has_ended(workshop: Workshop) -> None:
    """A register that asks otherwise gets a new source; the old one stays on record as it was."""
    with workshop.opened() as dispatcher:
        add(dispatcher)
        with pytest.raises(RefusedError, match="already: end it with"):
            add(dispatcher, replace(SLOTTI, name="SLOTTI"))
        ended = dispatcher.sources.end("slotti", dispatcher.persons.acting(None))
        assert workshop.clock() == ended.ended_at
        with pytest.raises(NotFoundError, match="No source goes by the name"):
            dispatcher.sources.end("Slotti", dispatcher.persons.acting(None))
        again = add(dispatcher, replace(SLOTTI, since=date(2026, 6, 1)))
        assert [(1, date(2026, 5, 1)), (2, date(2026, 6, 1))] == [
            (each.number, each.since) for each in dispatcher.sources.listed()
        ]
        assert again == dispatcher.sources.named("Slotti")
        assert ["added", "ended", "added"] == [entry["event"] for entry in told(dispatcher)]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"name": " "}, "A source's name has"),
        ({"name": "x" * 101}, "A source's name has"),
        ({"since": date(2026, 11, 24)}, "does not stand in the form yet"),
        ({"questions": ()}, "each column of answers once"),
        ({"questions": (SLOTTI.questions[0], replace(SLOTTI.questions[0], column=" LUPA"))}, "each column of answers"),
        ({"questions": (replace(SLOTTI.questions[0], channels=()),)}, "each column of answers"),
        ({"occasion": Occasion.BOOKING}, "--booking-column or --card-column"),
        ({"occasion": Occasion.CARD, "day_column": " "}, "--booking-column or --card-column"),
    ],
)
def test_what_cannot_be_is_refused(workshop: Workshop, changes: dict[str, object], says: str) -> None:
    """A source that says nothing, or what cannot be yet, is refused; nothing is kept."""
    with workshop.opened() as dispatcher:
        with pytest.raises(RefusedError, match=says):
            add(dispatcher, replace(SLOTTI, **changes))  # type: ignore[arg-type]
        assert ([], [], []) == (dispatcher.sources.listed(), told(dispatcher), dispatcher.wordings.listed())


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "cannot be read"),
        (b"<svg onload=alert(1)>", "no picture of the form"),
        (b"", "no picture of the form"),
        (PNG + bytes(LARGEST_PICTURE), "larger than 5 MB"),
    ],
    ids=["missing", "svg", "empty", "large"],
)
def test_what_is_no_picture_is_refused(workshop: Workshop, content: bytes | None, says: str) -> None:
    """A picture is a PNG, JPEG or PDF by its first bytes, of at most 5 MB; nothing is kept otherwise."""
    picture = workshop.directory / "lomake.png"
    if content is not None:
        picture.write_bytes(content)
    with workshop.opened() as dispatcher:
        with pytest.raises(RefusedError, match=says):
            add(dispatcher, picture=picture)
        assert [] == dispatcher.sources.listed()


@pytest.mark.parametrize("start", [b"\xff\xd8\xff\xe0", b"%PDF-1.7"], ids=["jpeg", "pdf"])
def test_every_kind_of_picture_is_kept(workshop: Workshop, start: bytes) -> None:
    """A photograph and a printed page are pictures of a form as well; a source without one says so."""
    picture = workshop.directory / "lomake"
    picture.write_bytes(start + bytes(9))
    with workshop.opened() as dispatcher:
        assert start + bytes(9) == dispatcher.sources.picture(add(dispatcher, picture=picture))
        other = add(dispatcher, replace(SLOTTI, name="Toinen"))
        with pytest.raises(NotFoundError, match="without a picture"):
            dispatcher.sources.picture(other)


@pytest.mark.parametrize(
    ("occasion", "column", "not_before", "not_after"),
    [
        (Occasion.VISIT, None, noon(2026, 8, 22), datetime(2026, 11, 20, 22, tzinfo=UTC)),
        (Occasion.BOOKING, "varattu", noon(2026, 10, 1), noon(2026, 10, 2)),
        (Occasion.CARD, "Kortti luotu", noon(2026, 6, 2), noon(2026, 6, 3)),
    ],
)
def test_a_yes_gets_the_time_its_occasion_tells(
    workshop: Workshop, occasion: Occasion, column: str | None, not_before: datetime, not_after: datetime
) -> None:
    """L-04, L-07: a yes of a bare export carries the source's number, words, place, and the span of its occasion."""
    with workshop.opened() as dispatcher:
        add(dispatcher, replace(SLOTTI, occasion=occasion, day_column=column, place=Place.PHONE))
        report = enrol(workshop, dispatcher, MAIJA)
        assert report.may_write is not None
        assert {"email": 1} == dict(report.may_write.send)
        (yes,) = given(dispatcher)
        assert (Reply.GRANTED, Channel.EMAIL, 1, True) == (yes.reply, yes.channel, yes.source, yes.sound)
        assert (Place.PHONE, wording_hash(WORDS)) == (yes.place, yes.wording)
        assert (not_before, not_after - timedelta(microseconds=1)) == (yes.not_before, yes.not_after)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (MAIJA.replace("20.11.2026", "30.4.2026"), "the last visit was before the question came into the form on 1.5."),
        (MAIJA.replace("20.11.2026", ""), "the row has no day of the last visit"),
        (MAIJA.replace("20.11.2026", "24.11.2026"), "the row has no day of the last visit"),
    ],
)
def test_a_yes_that_cannot_have_been_asked_for_has_no_time(workshop: Workshop, row: str, says: str) -> None:
    """L-07: who visited last before the question existed, or not at all, is not written to; the report says why."""
    with workshop.opened() as dispatcher:
        add(dispatcher)
        report = enrol(workshop, dispatcher, row)
        assert report.may_write is not None
        assert ({}, {"consent_time_unknown": 1}) == (dict(report.may_write.send), dict(report.may_write.withhold))
        assert [2] == [number for number, remark in report.remarks if says in remark]
        (yes,) = given(dispatcher)
        assert (None, None) == (yes.not_before, yes.not_after)


def test_a_booking_in_the_future_rejects_its_row(workshop: Workshop) -> None:
    """A booking made tomorrow is refused as any answer of tomorrow is; a no in that row is kept."""
    with workshop.opened() as dispatcher:
        add(dispatcher, replace(SLOTTI, occasion=Occasion.BOOKING, day_column="varattu"))
        enrol(workshop, dispatcher, MAIJA)
        report = enrol(workshop, dispatcher, MAIJA.replace("1.10.2026", "24.11.2026").replace(";x;", ";ei;"))
        assert [("varattu", 2)] == [(each.column, each.row) for each in report.rejected]
        assert [Reply.GRANTED, Reply.DECLINED] == [each.reply for each in given(dispatcher)]


def test_a_no_without_a_booking_counts_until_now(workshop: Workshop) -> None:
    """L-07: a no known by a visit alone has no time, and stands against every yes learned of before it."""
    with workshop.opened() as dispatcher:
        add(dispatcher)
        enrol(workshop, dispatcher, MAIJA)
        enrol(workshop, dispatcher, MAIJA.replace(";x;", ";ei;"))
        *_, no = given(dispatcher)
        assert (Reply.DECLINED, None, None, 1) == (no.reply, no.not_before, no.not_after, no.source)
        assert ConsentState.DECLINED is dispatcher.register.listed("maija")[0].consents[Channel.EMAIL].state


def test_a_no_at_a_booking_is_of_its_day(workshop: Workshop) -> None:
    """A no with the day of its booking yields to a yes of a later booking."""
    with workshop.opened() as dispatcher:
        add(dispatcher, replace(SLOTTI, occasion=Occasion.BOOKING, day_column="varattu"))
        enrol(workshop, dispatcher, MAIJA.replace(";x;", ";ei;"))
        enrol(workshop, dispatcher, MAIJA.replace("1.10.2026", "5.10.2026"))
        no, _ = given(dispatcher)
        assert noon(2026, 10, 1) == no.not_before
        assert ConsentState.GRANTED is dispatcher.register.listed("maija")[0].consents[Channel.EMAIL].state


def test_a_box_ticked_beforehand_opens_nothing(workshop: Workshop) -> None:
    """L-03: silence is no yes: no yes of such a source is ever used, and a no of it is a no all the same."""
    with workshop.opened() as dispatcher:
        add(dispatcher, replace(SLOTTI, is_box_empty=False))
        report = enrol(workshop, dispatcher, MAIJA, MATTI.replace(";x;", ";ei;"))
        assert report.may_write is not None
        assert {} == dict(report.may_write.send)
        assert 1 == report.may_write.withhold["consent_incomplete_evidence"]
        assert [False] == [each.sound for each in given(dispatcher)]
        assert ConsentState.DECLINED is dispatcher.register.listed("matti")[0].consents[Channel.EMAIL].state


def test_a_yes_opens_only_what_its_words_name(workshop: Workshop) -> None:
    """L-01: a column told to answer for both channels, in words that name email, opens no text messages."""
    with workshop.opened() as dispatcher:
        add(dispatcher, replace(SLOTTI, questions=(Question("lupa", tuple(Channel), WORDS),)))
        enrol(workshop, dispatcher, MAIJA)
        consents = dispatcher.register.listed("maija")[0].consents
        assert ConsentState.GRANTED is consents[Channel.EMAIL].state
        assert Flaw.INCOMPLETE_EVIDENCE is consents[Channel.SMS].flaw
        report = enrol(workshop, dispatcher, MAIJA.replace("maija@posti.example", ""))
        assert report.may_write is not None
        assert {Channel.EMAIL: True, Channel.SMS: False} == {
            each.channel: each.sound for each in given(dispatcher) if each.channel
        }


def test_a_no_to_words_without_a_channel_closes_all(workshop: Workshop) -> None:
    """L-01: who says no to offers as such, says no to every channel."""
    with workshop.opened() as dispatcher:
        add(dispatcher, replace(SLOTTI, questions=(Question("lupa", (Channel.EMAIL,), "Saako lähettää tarjouksia?"),)))
        enrol(workshop, dispatcher, MAIJA.replace(";x;", ";ei;"))
        assert [(Reply.DECLINED, None)] == [(each.reply, each.channel) for each in given(dispatcher)]


def test_unusual_words_are_told(workshop: Workshop) -> None:
    """A column of bans is told by its words: what is a no elsewhere is the yes here."""
    with workshop.opened() as dispatcher:
        words = Words(yes=frozenset({"Ei"}), no=frozenset({"x"}))
        add(dispatcher, replace(SLOTTI, words=words))
        enrol(workshop, dispatcher, MAIJA, MATTI.replace(";x;", ";ei;"))
        assert [Reply.DECLINED] == [each.reply for each in given(dispatcher)]
        assert [Reply.GRANTED] == [each.reply for each in given(dispatcher, "matti")]


def test_a_source_stands_above_the_settings(workshop: Workshop) -> None:
    """The settings' answers for the same column are not read; those for other columns are, as before."""
    with workshop.opened() as dispatcher:
        questions = (Question("MARKKINOINTILUPA", (Channel.EMAIL,), WORDS),)
        add(dispatcher, replace(SLOTTI, questions=questions))
        path = workshop.register("1;Maija;M;maija@posti.example;0401234567;fi;20.11.2026;kyllä;kyllä;3.1.2026")
        dispatcher.enrol.run(path, dispatcher.persons.acting(None))
        found = {each.channel: (each.source, each.not_before) for each in given(dispatcher)}
        assert {
            Channel.EMAIL: (1, noon(2026, 8, 22)),
            Channel.SMS: (None, datetime(2026, 1, 2, 22, tzinfo=UTC)),
        } == found


def test_an_ended_source_is_used_no_more(workshop: Workshop) -> None:
    """What was imported while it was open stays; without it the column is one that nobody named."""
    with workshop.opened() as dispatcher:
        add(dispatcher)
        enrol(workshop, dispatcher, MAIJA)
        dispatcher.sources.end("Slotti", dispatcher.persons.acting(None))
        report = enrol(workshop, dispatcher, MAIJA.replace(";x;", ";ei;"))
        assert "lupa" in report.dropped
        assert [1] == [each.source for each in given(dispatcher)]


def test_two_registers_have_a_source_each(workshop: Workshop) -> None:
    """By default every source applies whose column is in the file, and another register's columns are not missed."""
    with workshop.opened() as dispatcher:
        add(dispatcher)
        add(dispatcher, replace(SLOTTI, name="Kauppa", questions=(Question("uutiskirje", (Channel.EMAIL,), WORDS),)))
        report = enrol(workshop, dispatcher, MAIJA)
        assert [1] == [each.source for each in given(dispatcher)]
        assert "uutiskirje" not in report.missing
        path = workshop.register("Matti;matti@posti.example", header="nimi;sähköposti")
        other = dispatcher.enrol.run(path, dispatcher.persons.acting(None))
        assert {"Lupa", "uutiskirje"} <= set(other.missing)


def test_one_column_of_two_sources_is_asked_about(workshop: Workshop) -> None:
    """Which of two sources a file is cannot be guessed: the import is refused until --source says it."""
    with workshop.opened() as dispatcher:
        add(dispatcher)
        add(dispatcher, replace(SLOTTI, name="Kauppa", since=date(2026, 10, 1)))
        with pytest.raises(RegisterFileError, match=r'"Slotti" and "Kauppa" both have a column "lupa".*--source'):
            enrol(workshop, dispatcher, MAIJA)
        assert [] == dispatcher.register.listed("")
        enrol(workshop, dispatcher, MAIJA, source="kauppa")
        assert [(2, noon(2026, 10, 1))] == [(each.source, each.not_before) for each in given(dispatcher)]
        with pytest.raises(NotFoundError, match="There are: Slotti, Kauppa"):
            enrol(workshop, dispatcher, MAIJA, source="Verkkokauppa")


def test_a_source_told_after_an_import_makes_its_yeses_usable(workshop: Workshop) -> None:
    """What came without evidence is heard again with it; told otherwise, the same file changes nothing twice."""
    with workshop.opened() as dispatcher:
        add(dispatcher, replace(SLOTTI, is_box_empty=False))
        enrol(workshop, dispatcher, MAIJA)
        dispatcher.sources.end("Slotti", dispatcher.persons.acting(None))
        add(dispatcher)
        assert 1 == enrol(workshop, dispatcher, MAIJA).counts["updated"]
        assert ConsentState.GRANTED is dispatcher.register.listed("maija")[0].consents[Channel.EMAIL].state
        assert 1 == enrol(workshop, dispatcher, MAIJA).counts["unchanged"]


def test_a_source_keeps_its_wording(workshop: Workshop) -> None:
    """D-02: the words of a source are a wording, found by its hash, and stay for as long as the source does."""
    with workshop.opened() as dispatcher:
        add(dispatcher)
        assert WORDS == dispatcher.sources.words_of(wording_hash(WORDS)[:12])
        assert "Toiset sanat" == dispatcher.sources.words_of(" Toiset\nsanat ")
        with pytest.raises(RefusedError, match="1 source names this wording"):
            dispatcher.wordings.remove(wording_hash(WORDS), dispatcher.persons.acting(None))
