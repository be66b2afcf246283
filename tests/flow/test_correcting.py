"""Data put right: no yes moves to a new address by itself, every no does, and a restriction stops everything."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from dispatcher.errors import NotFoundError, RefusedError
from dispatcher.flow.correcting import Corrected, Correction
from dispatcher.flow.recording import suppress_stranger
from dispatcher.flow.standing import standing
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.consent import Answer, ConsentState, Place, Reply
from dispatcher.rules.decision import Reason, Send, Verdict, Wait, Withhold
from dispatcher.rules.ledger import EntryKind
from dispatcher.rules.retention import EraseReason
from dispatcher.rules.rights import IdentityCheck, RequestKind
from dispatcher.storage import ledger
from dispatcher.storage.journal import JournalKind
from dispatcher.storage.tables import ReplacedTable
from dispatcher.wiring import Dispatcher
from tests.stores import broken_links
from tests.workshop import Doubles, Workshop

MOMENT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
MAIJA = "1;Maija;Meikäläinen;maija@posti.example;;fi;3.1.2026;kyllä;;3.1.2026"
ERIK = "2;Erik;Exempel;erik@posti.example;;sv;3.1.2026;kyllä;;3.1.2026"
KNOWN = IdentityCheck.KNOWN
NEW = Correction(email="uusi@posti.example")


def enrol(workshop: Workshop, dispatcher: Dispatcher, *rows: str) -> int:
    """Import these rows, or the one of Maija, and return her number; a minute passes."""
    dispatcher.enrol.run(workshop.register(*(rows or (MAIJA,))), dispatcher.persons.acting(None))
    workshop.clock.advance(timedelta(minutes=1))
    return dispatcher.register.find("Maija")


def correct(
    dispatcher: Dispatcher, client: int, correction: Correction, said: tuple[Reply, Place] | None = None
) -> Corrected:
    """Put a client's data right as the owner, who knows them."""
    return dispatcher.correcting.correct(client, correction, KNOWN, dispatcher.persons.acting(None), said=said)


def verdict(dispatcher: Dispatcher, client: int) -> Verdict:
    """Return the verdict on a client now."""
    return standing(dispatcher.store, dispatcher.policy, client).verdict


def state(dispatcher: Dispatcher, client: int, channel: Channel = Channel.EMAIL) -> ConsentState:
    """Return the state of a client's consent as the gate sees it."""
    return standing(dispatcher.store, dispatcher.policy, client).consents[channel].state


def put_back(workshop: Workshop, dispatcher: Dispatcher, copy: Path) -> None:
    """Put a copy in place and replay the journal; a minute passes."""
    dispatcher.safekeeping.restore(copy)
    dispatcher.safekeeping.replay(dispatcher.persons.acting(None))
    workshop.clock.advance(timedelta(minutes=1))


MOVED = MAIJA.replace("maija@posti", "uusi@posti")
SAID_SINCE = "24.11.2026"


@pytest.mark.parametrize("told", [MAIJA, MOVED], ids=["at the old address", "at the new address"])
@pytest.mark.parametrize("by", ["a correction", "the register"])
def test_a_replaced_address_carries_no_yes_after_the_way_back(
    workshop: Workshop, tmp_path: Path, by: str, told: str
) -> None:
    """L-31, L-34: after the replay, and whatever the register says then, no yes of before opens either address."""
    with workshop.opened() as dispatcher:
        client = enrol(workshop, dispatcher)
        dispatcher.safekeeping.backup(tmp_path / "copy")
        workshop.clock.advance(timedelta(minutes=1))
        correct(dispatcher, client, NEW) if by == "a correction" else enrol(workshop, dispatcher, MOVED)
        put_back(workshop, dispatcher, tmp_path / "copy")
        assert Withhold(Reason.CHANNEL_CONSENT_MISSING) == verdict(dispatcher, client)
        assert client == enrol(workshop, dispatcher, told)
        assert Withhold(Reason.CHANNEL_CONSENT_MISSING) == verdict(dispatcher, client)
        workshop.clock.advance(timedelta(days=2))
        enrol(workshop, dispatcher, told.replace("kyllä;;3.1.2026", f"kyllä;;{SAID_SINCE}"))
        assert isinstance(verdict(dispatcher, client), Send)
        with dispatcher.store.reading() as connection:
            assert [] == broken_links(connection)


@pytest.mark.parametrize("told", [MAIJA, MOVED], ids=["at the old address", "at the new address"])
def test_who_came_and_moved_after_the_copy_carries_no_yes(workshop: Workshop, tmp_path: Path, told: str) -> None:
    """L-31, L-34: nor does the yes of somebody whom the copy never knew, when the register brings them back."""
    with workshop.opened() as dispatcher:
        dispatcher.safekeeping.backup(tmp_path / "copy")
        client = enrol(workshop, dispatcher)
        correct(dispatcher, client, NEW)
        put_back(workshop, dispatcher, tmp_path / "copy")
        assert client == enrol(workshop, dispatcher, told)
        assert Withhold(Reason.CHANNEL_CONSENT_MISSING) == verdict(dispatcher, client)


def test_a_yes_the_copy_had_forgotten_is_for_the_old_address_too(workshop: Workshop, tmp_path: Path) -> None:
    """L-31: a yes told after the copy and before the address was replaced does not count when it is told anew."""
    with workshop.opened() as dispatcher:
        enrol(workshop, dispatcher, MAIJA.replace("kyllä;;3.1.2026", ";;"))
        dispatcher.safekeeping.backup(tmp_path / "copy")
        client = enrol(workshop, dispatcher)
        assert isinstance(verdict(dispatcher, client), Send)
        correct(dispatcher, client, NEW)
        put_back(workshop, dispatcher, tmp_path / "copy")
        enrol(workshop, dispatcher)
        assert Withhold(Reason.CHANNEL_CONSENT_MISSING) == verdict(dispatcher, client)


def test_the_journal_forgets_whose_address_was_replaced(workshop: Workshop, tmp_path: Path) -> None:
    """L-33: an erasure takes a client's replaced address out of the journal and out of the database."""
    with workshop.opened() as dispatcher:
        client, actor = enrol(workshop, dispatcher), dispatcher.persons.acting(None)
        dispatcher.safekeeping.backup(tmp_path / "copy")
        correct(dispatcher, client, NEW)
        put_back(workshop, dispatcher, tmp_path / "copy")
        assert [["email"]] == [[way for _, way in note] for note in _replaced(dispatcher) if note]
        dispatcher.erasing.erase(client, EraseReason.REQUEST, actor)
        assert [] == [note for note in _replaced(dispatcher) if note]
        with dispatcher.store.reading() as connection:
            assert [] == connection.execute(select(ReplacedTable)).all()


def _replaced(dispatcher: Dispatcher) -> list[list[tuple[int, str]]]:
    """Return what the journal tells of replaced addresses, by record."""
    told = (each for each in dispatcher.store.journal.records() if each.kind is JournalKind.CLIENTS)
    return [each.body["replaced"] for each in told]  # type: ignore[misc]


def test_a_new_address_carries_no_yes(workshop: Workshop, doubles: Doubles) -> None:
    """L-31: who is corrected to another address is not written to there, nor at the old one."""
    with workshop.opened() as dispatcher:
        client = enrol(workshop, dispatcher)
        assert isinstance(verdict(dispatcher, client), Send)
        done = correct(dispatcher, client, NEW)
        assert ({Channel.EMAIL: "u***@p***.example"}, (Channel.EMAIL,), ()) == (done.addresses, done.closed, done.asked)
        assert Withhold(Reason.CHANNEL_CONSENT_MISSING) == verdict(dispatcher, client)
        dispatcher.schedule.run(workshop.campaign("a", MOMENT), dispatcher.persons.acting(None))
        workshop.clock.set(MOMENT)
        asyncio.run(dispatcher.rounds.once())
    assert [] == doubles.mailed()


def test_a_yes_in_the_same_breath_opens_the_new_address(workshop: Workshop, doubles: Doubles) -> None:
    """L-31, L-05: asked with the correction, in today's words, the new address gets a receipt, then the campaign."""
    with workshop.opened() as dispatcher:
        client = enrol(workshop, dispatcher)
        done = correct(dispatcher, client, NEW, (Reply.GRANTED, Place.PHONE))
        assert ((Channel.EMAIL,), ()) == (done.asked, done.closed)
        told = dispatcher.register.history(client)[-1]
        assert (Reply.GRANTED, Place.PHONE) == (told.answer.reply, told.answer.place)
        assert told.wording is not None
        assert "sähköpostitse" in told.wording
        assert Wait(Reason.RECEIPT_PENDING) == verdict(dispatcher, client)
        asyncio.run(dispatcher.duties.once())
        assert ["uusi@posti.example"] == doubles.mailed()
        dispatcher.schedule.run(workshop.campaign("a", MOMENT), dispatcher.persons.acting(None))
        workshop.clock.set(MOMENT)
        asyncio.run(dispatcher.rounds.once())
    assert ["uusi@posti.example"] * 2 == doubles.mailed()


@pytest.mark.parametrize("reply", [Reply.DECLINED, Reply.WITHDRAWN])
def test_a_no_in_the_same_breath_is_a_no(workshop: Workshop, reply: Reply) -> None:
    """A no with the correction closes the new address, and goes to the journal as every no that overturns a yes."""
    with workshop.opened() as dispatcher:
        client = enrol(workshop, dispatcher)
        correct(dispatcher, client, NEW, (reply, Place.DESK))
        assert state(dispatcher, client) in {ConsentState.DECLINED, ConsentState.WITHDRAWN}
        assert JournalKind.NO in {record.kind for record in dispatcher.store.journal.records()}


def test_an_objection_follows_the_client_and_stays_behind(workshop: Workshop) -> None:
    """L-31: who objected is not written to at the next address, and whoever gets the old one is not either."""
    with workshop.opened() as dispatcher:
        client = enrol(workshop, dispatcher)
        dispatcher.preferences.withdraw(client, dispatcher.persons.acting(None))
        workshop.clock.advance(timedelta(minutes=1))
        correct(dispatcher, client, NEW)
        assert Withhold(Reason.OBJECTION) == verdict(dispatcher, client)
        workshop.clock.advance(timedelta(minutes=1))
        heir = "7;Heikki;Perijä;maija@posti.example;;fi;3.1.2026;kyllä;;3.1.2026"
        dispatcher.enrol.run(workshop.register(heir), dispatcher.persons.acting(None))
        assert Withhold(Reason.OBJECTION) == verdict(dispatcher, dispatcher.register.find("Heikki"))


def test_an_objection_kept_for_the_address_alone_follows_too(workshop: Workshop) -> None:
    """L-31: a no that somebody unknown left for the old address goes along, dated as it was; a later yes lifts it."""
    with workshop.opened() as dispatcher:
        at = workshop.clock()
        no = Answer(0, Reply.WITHDRAWN, None, at, at, at, Place.DESK)
        addresses = {Channel.EMAIL: "maija@posti.example"}
        ring, actor = dispatcher.store.ring, dispatcher.persons.acting(None)
        dispatcher.store.write(lambda transaction: suppress_stranger(transaction, ring, no, actor, addresses))
        workshop.clock.advance(timedelta(minutes=1))
        client = enrol(workshop, dispatcher)
        kept = Withhold(Reason.OBJECTION) == verdict(dispatcher, client)
        correct(dispatcher, client, NEW)
        assert (kept, Withhold(Reason.OBJECTION)) == (True, verdict(dispatcher, client))
        workshop.clock.advance(timedelta(minutes=1))
        correct(dispatcher, client, Correction(email="kolmas@posti.example"), (Reply.GRANTED, Place.PHONE))
        assert Wait(Reason.RECEIPT_PENDING) == verdict(dispatcher, client)


def test_names_and_language_are_put_right(workshop: Workshop) -> None:
    """A corrected name or language changes nothing about consent; what is right already is not changed."""
    with workshop.opened() as dispatcher:
        client = enrol(workshop, dispatcher)
        done = correct(dispatcher, client, Correction("Maiju", "Meikäläinen", language=Language.SV))
        assert (("first_name", "language"), {}) == (done.values, done.addresses)
        assert isinstance(verdict(dispatcher, client), Send)
        [listed] = dispatcher.register.listed()
        assert ("Maiju Meikäläinen", "sv") == (listed.name, listed.language)


def test_a_shared_address_is_noted(workshop: Workshop) -> None:
    """An address that another client has is taken, and said: they may be one household."""
    with workshop.opened() as dispatcher:
        client = enrol(workshop, dispatcher, MAIJA, ERIK)
        done = correct(dispatcher, client, Correction(email="ERIK@posti.example"))
        assert {Channel.EMAIL: 1} == done.shared_with


@pytest.mark.parametrize(
    ("correction", "sentence"),
    [
        (Correction(phone="09 123 4567"), "The phone cannot be taken: this is not a mobile number"),
        (Correction(phone="12"), "The phone cannot be taken: "),
        (Correction(email="maija@"), "The email cannot be taken: "),
        (Correction(email="maija\x00@posti.example"), r"The email cannot be taken: the cell holds a hidden .*U\+0000"),
        (Correction(first_name="Maija\x07"), "The first name cannot be taken: the cell holds a hidden character"),
        (Correction(last_name="=?utf-8?q?x=0D=0ABcc:=20a@b.example?="), "The last name cannot be taken: "),
        (Correction(first_name="x =?utf-8?q?x?="), "encoded word of a mail header"),
        (Correction(first_name="\u202eajiaM"), r"hidden character \(U\+202E\)"),
        (Correction(last_name="www.halpa.example"), "cannot hold a web address"),
        (Correction(), "Say what is to be corrected"),
    ],
)
def test_what_the_importer_refuses_is_refused(workshop: Workshop, correction: Correction, sentence: str) -> None:
    """Landlines, hidden characters, encoded words and text direction are refused with a sentence; nothing changes."""
    with workshop.opened() as dispatcher:
        client = enrol(workshop, dispatcher)
        before = dispatcher.register.listed(), dispatcher.requests.listed(only_open=False)
        with pytest.raises(RefusedError, match=sentence):
            correct(dispatcher, client, correction)
        assert before == (dispatcher.register.listed(), dispatcher.requests.listed(only_open=False))


def test_nothing_is_corrected_for_somebody_unknown(workshop: Workshop) -> None:
    """What cannot be done leaves no request behind, and what is done closes its request in the same commit."""
    with workshop.opened() as dispatcher:
        client = enrol(workshop, dispatcher)
        with pytest.raises(RefusedError, match="No address changes"):
            correct(dispatcher, client, Correction(first_name="Maiju"), (Reply.GRANTED, Place.PHONE))
        with pytest.raises(NotFoundError):
            correct(dispatcher, 5, NEW)
        assert ([], []) == (dispatcher.requests.listed(only_open=False), dispatcher.register.listed("uusi"))
        done = correct(dispatcher, client, NEW)
        [request] = dispatcher.requests.listed(only_open=False)
        assert (done.request, RequestKind.CORRECTION.value, "done") == (request.id, request.kind, request.outcome)


def test_a_correction_nobody_was_identified_for_stays_on_record(workshop: Workshop) -> None:
    """L-30: refused for want of an identity, the request is kept: marketing rests, and identified it goes through."""
    with workshop.opened() as dispatcher:
        client, actor = enrol(workshop, dispatcher), dispatcher.persons.acting(None)
        with pytest.raises(RefusedError, match="say how with --identity"):
            dispatcher.correcting.correct(client, NEW, None, actor)
        (request,) = dispatcher.requests.listed(client=client)
        assert (RequestKind.CORRECTION.value, None) == (request.kind, request.identity)
        assert (Withhold(Reason.SUSPENDED), []) == (verdict(dispatcher, client), dispatcher.register.listed("uusi"))
        dispatcher.requests.identify(request.id, KNOWN, actor)
        assert request.id == dispatcher.correcting.correct(client, NEW, None, actor).request
        assert [] == dispatcher.requests.listed(client=client)


def test_a_corrected_client_is_recognised_after_a_restore(workshop: Workshop, tmp_path: Path) -> None:
    """L-34: the journal knows the new address too, so that a link sent there still means this client."""
    with workshop.opened() as dispatcher:
        nobody = MAIJA.replace("1;", ";", 1)
        dispatcher.safekeeping.backup(tmp_path / "copy")
        client = enrol(workshop, dispatcher, nobody)
        correct(dispatcher, client, NEW)
        dispatcher.safekeeping.restore(tmp_path / "copy")
        dispatcher.safekeeping.replay(dispatcher.persons.acting(None))
        assert client == enrol(workshop, dispatcher, nobody.replace("maija@", "uusi@"))


def test_a_restriction_stops_everything(workshop: Workshop, doubles: Doubles) -> None:
    """L-38: a restricted client gets nothing that waits, whoever asked, until the restriction is lifted."""
    with workshop.opened() as dispatcher:
        client, actor = enrol(workshop, dispatcher, MAIJA, ERIK), dispatcher.persons.acting(None)
        dispatcher.schedule.run(workshop.campaign("a", MOMENT), actor)
        workshop.clock.set(MOMENT)
        dispatcher.plan.run(dispatcher.lifecycle.named("a"))
        request, closed = dispatcher.correcting.restrict(client, KNOWN, actor)
        assert closed
        assert Withhold(Reason.RESTRICTED) == verdict(dispatcher, client)
        asyncio.run(dispatcher.rounds.once())
        assert ["erik@posti.example"] == doubles.mailed()
        assert ("restriction", "done") == tuple(
            getattr(dispatcher.requests.named(request), name) for name in ("kind", "outcome")
        )
        dispatcher.correcting.lift(client, actor)
        assert isinstance(verdict(dispatcher, client), Send)
        with pytest.raises(RefusedError, match="is not restricted"):
            dispatcher.correcting.lift(client, actor)
        with dispatcher.store.reading() as connection:
            events = [entry.data()["event"] for entry in ledger.entries(connection, [EntryKind.CLIENT.value])]
    assert ["restricted", "unrestricted"] == events[-2:]


def test_a_restriction_waits_for_nobody(workshop: Workshop) -> None:
    """It holds at once even before anybody checked who asks; the request stays open until somebody has."""
    with workshop.opened() as dispatcher:
        client, actor = enrol(workshop, dispatcher), dispatcher.persons.acting(None)
        request, closed = dispatcher.correcting.restrict(client, None, actor)
        assert not closed
        assert Withhold(Reason.RESTRICTED) == verdict(dispatcher, client)
        dispatcher.requests.identify(request, KNOWN, actor)
        dispatcher.requests.close(request, "done", actor)
        assert Withhold(Reason.RESTRICTED) == verdict(dispatcher, client)


@pytest.mark.parametrize("known", [True, False], ids=["in the copy", "not in the copy"])
@pytest.mark.parametrize("lifted", [True, False], ids=["lifted", "standing"])
def test_a_restriction_survives_the_way_back(workshop: Workshop, tmp_path: Path, *, known: bool, lifted: bool) -> None:
    """L-34, L-38: after a restore the mark is as it was last, also of a client the copy does not know yet."""
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        if known:
            client = enrol(workshop, dispatcher)
        dispatcher.safekeeping.backup(tmp_path / "copy")
        client = enrol(workshop, dispatcher)
        dispatcher.correcting.restrict(client, KNOWN, actor)
        if lifted:
            dispatcher.correcting.lift(client, actor)
        dispatcher.safekeeping.restore(tmp_path / "copy")
        dispatcher.safekeeping.replay(actor)
        assert client == enrol(workshop, dispatcher)
        assert isinstance(verdict(dispatcher, client), Send) is lifted
