"""What clients text: a no closes everything for everybody who has the number, and the rest waits for a person."""

import asyncio
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from dispatcher.errors import JournalError, RefusedError
from dispatcher.flow.texts_in import SEAL, STRANGERS_FOR, TextIn, TextsIn, number_of, understood
from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import Place, Reply
from dispatcher.rules.incoming import Class
from dispatcher.rules.ledger import EntryKind, Json
from dispatcher.rules.retention import EraseReason
from dispatcher.rules.stop_words import Said
from dispatcher.storage import answers, deletions, incoming, ledger
from dispatcher.storage.tables import IncomingTable, SuppressionTable, TextInTable
from dispatcher.wiring import Dispatcher
from tests.flow.joining import NUMBER, events, may_write, next_day, serve, standing
from tests.stores import OWNER, broken_links
from tests.web.conftest import everything, lose_journal
from tests.workshop import Doubles, Workshop

STRANGER = "+358409999999"


def inbox(dispatcher: Dispatcher) -> TextsIn:
    """Return what takes texts in."""
    assert dispatcher.texts_in is not None
    return dispatcher.texts_in


def text(body: str, sid: str = "SM1", sender: str = NUMBER, at: datetime | None = None, opt_out: str = "") -> TextIn:
    """Return a text message of Maija's."""
    return TextIn(sid, sender, at, body, opt_out)


def enlist(workshop: Workshop, dispatcher: Dispatcher, *names: str, phone: str = NUMBER) -> list[int]:
    """Have a register name these clients, who share a number and said yes to everything; return their numbers."""
    day = dispatcher.store.clock().strftime("%d.%m.%Y")
    rows = [f"{name};{name};A;{name}@posti.example;{phone};fi;3.11.2026;kyllä;kyllä;{day}" for name in names]
    dispatcher.enrol.run(workshop.register(*rows), OWNER)
    return [dispatcher.register.find(f"{name}@posti.example") for name in names]


def noes(dispatcher: Dispatcher, client: int) -> list[tuple[Channel | None, Place | None, datetime | None]]:
    """Return the noes a client has on record: for which channel, from where, and of when."""
    with dispatcher.store.reading() as connection:
        given = answers.of_clients(connection, [client]).get(client, [])
    return [(each.channel, each.place, each.not_after) for each in given if each.reply is Reply.WITHDRAWN]


def rows(dispatcher: Dispatcher, table: type[TextInTable] | type[IncomingTable] | type[SuppressionTable]) -> int:
    """Return how many rows a table has."""
    with dispatcher.store.reading() as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


def told(dispatcher: Dispatcher) -> list[dict[str, Json]]:
    """Return the bodies of what the ledger tells of texts that wait."""
    with dispatcher.store.reading() as connection:
        return [entry.data() for entry in ledger.entries(connection, [EntryKind.INCOMING.value])]


def waiting(dispatcher: Dispatcher) -> list[tuple[int, Class, str | None]]:
    """Return what waits for a person: whose it is, its class, and its words as somebody with the keys reads them."""
    store = dispatcher.store
    with store.reading() as connection:
        found = incoming.listed(connection)
        sealed = {each.id: incoming.sealed_text(connection, each.id, store.clock()) for each in found}
    return [
        (each.client, each.kind, store.ring.unseal(SEAL, sealed[each.id] or b"", f"{each.client}:{each.key}"))
        for each in found
    ]


def test_a_stop_closes_every_channel_for_everybody_with_the_number(workshop: Workshop) -> None:
    """S-35, L-01: a stop by text is a no to mail as well, of both clients who share the number."""
    with workshop.opened() as dispatcher:
        clients = enlist(workshop, dispatcher, "maija", "pekka")
        assert all(may_write(dispatcher, client) for client in clients)
        assert inbox(dispatcher).take(text(" Stop. Thank you ", sender="0401234567")) is Said.STOP
        assert not any(may_write(dispatcher, client) for client in clients)
        now = dispatcher.store.clock()
        assert [[(None, Place.SMS_REPLY, now)]] * 2 == [noes(dispatcher, client) for client in clients]
        assert [] == waiting(dispatcher)


def test_a_second_time_changes_nothing(workshop: Workshop) -> None:
    """S-35: a message that comes again, whatever it says then, is known by its name and changes nothing."""
    with workshop.opened() as dispatcher:
        clients = enlist(workshop, dispatcher, "maija", "pekka")
        inbox(dispatcher).take(text("STOP"))
        next_day(workshop)
        inbox(dispatcher).take(text("STOP"))
        inbox(dispatcher).take(text("Hei!"))
        assert [1, 1] == [len(noes(dispatcher, client)) for client in clients]
        assert [] == waiting(dispatcher)


@pytest.mark.parametrize("order", list(permutations(["STOP", "START", "Milloin?"])))
def test_in_whatever_order_a_no_stands(workshop: Workshop, order: Iterable[str]) -> None:
    """S-34, S-35: a START lifts no no and gives no yes, whether it comes before or after."""
    with workshop.opened() as dispatcher:
        (client,) = enlist(workshop, dispatcher, "maija")
        for body in order:
            inbox(dispatcher).take(text(body, sid=f"SM{body[:4]}"))
        assert not may_write(dispatcher, client)
        assert 1 == len(noes(dispatcher, client))
        assert [(client, Class.OTHER, "Milloin?")] == waiting(dispatcher)


@pytest.mark.parametrize("body", ["START", "unstop", "Yes"])
def test_a_start_gives_no_yes(workshop: Workshop, body: str) -> None:
    """S-34: whoever said no and texts START is not written to; that it came is noted and nothing else."""
    with workshop.opened() as dispatcher:
        (client,) = enlist(workshop, dispatcher, "maija")
        inbox(dispatcher).take(text("STOP"))
        with dispatcher.store.reading() as connection:
            before = answers.of_clients(connection, [client])
        next_day(workshop)
        assert inbox(dispatcher).take(text(body, sid="SM2", opt_out="START")) is Said.START
        assert not may_write(dispatcher, client)
        with dispatcher.store.reading() as connection:
            assert before == answers.of_clients(connection, [client])
        assert (2, []) == (rows(dispatcher, TextInTable), waiting(dispatcher))


def test_a_no_counts_from_when_it_was_sent(workshop: Workshop) -> None:
    """S-34, L-07: a yes that was given after the text, and before the program read it, stands."""
    with workshop.opened() as dispatcher:
        sent = dispatcher.store.clock()
        workshop.clock.advance(timedelta(days=2))
        (client,) = enlist(workshop, dispatcher, "maija")
        inbox(dispatcher).take(text("STOP", at=sent))
        assert may_write(dispatcher, client)
        inbox(dispatcher).take(text("STOP", sid="SM2", at=sent + timedelta(days=2)))
        assert not may_write(dispatcher, client)


def test_a_clock_that_runs_ahead_makes_no_later_no(workshop: Workshop) -> None:
    """L-07: a text that says it is from tomorrow is of now at the latest, so that tomorrow's yes beats it."""
    with workshop.opened() as dispatcher:
        (client,) = enlist(workshop, dispatcher, "maija")
        now = dispatcher.store.clock()
        inbox(dispatcher).take(text("STOP", at=now + timedelta(days=2)))
        assert [(None, Place.SMS_REPLY, now)] == noes(dispatcher, client)


def test_a_strangers_stop_is_kept_for_the_number(workshop: Workshop) -> None:
    """S-35, L-35: nobody has the number, and whoever comes with it later is not written to: a keyed hash, no more."""
    with workshop.opened() as dispatcher:
        inbox(dispatcher).take(text("lopeta", sender=STRANGER))
        assert 1 == rows(dispatcher, SuppressionTable)
        (client,) = enlist(workshop, dispatcher, "eino", phone=STRANGER)
        assert not may_write(dispatcher, client)
        workshop.clock.advance(STRANGERS_FOR + timedelta(days=1))
        inbox(dispatcher).purge()
        assert (0, 1) == (rows(dispatcher, TextInTable), rows(dispatcher, SuppressionTable))


@pytest.mark.parametrize("body", ["Hei, olisiko aikaa?", "START", "HELP", ""])
def test_nothing_of_a_strangers_text_is_kept(workshop: Workshop, body: str) -> None:
    """S-33, L-46: of a number that nobody has, a text that is no no leaves nothing behind."""
    with workshop.opened() as dispatcher:
        before = everything(dispatcher.store)
        inbox(dispatcher).take(text(body, sender=STRANGER))
        assert everything(dispatcher.store) == before


@pytest.mark.parametrize("sender", ["Twilio", "12345", "", "+0", "whoever", "+" + "1" * 30, "358;1"])
def test_a_sender_that_is_no_number_is_left_alone(workshop: Workshop, sender: str) -> None:
    """S-08, S-35: nobody in the register can have a name or a short number, so there is nothing to stop."""
    with workshop.opened() as dispatcher:
        before = everything(dispatcher.store)
        assert inbox(dispatcher).take(text("STOP", sender=sender)) is Said.STOP
        assert everything(dispatcher.store) == before


@pytest.mark.parametrize(
    ("body", "kind"),
    [("Milloin olette auki?", Class.OTHER), ("HELP", Class.HELP), ("", Class.OTHER), ("ohje", Class.HELP)],
)
def test_anything_else_waits_for_a_person(workshop: Workshop, body: str, kind: Class) -> None:
    """S-33, E-35: what is no plain stop is kept for a person, and its client is not written to meanwhile."""
    with workshop.opened() as dispatcher:
        clients = enlist(workshop, dispatcher, "maija", "pekka")
        inbox(dispatcher).take(text(body))
        assert [(client, kind, body) for client in sorted(clients)] == waiting(dispatcher)
        assert not any(may_write(dispatcher, client) for client in clients)
        assert [[], []] == [noes(dispatcher, client) for client in clients]
        assert ["came", "came"] == [each["event"] for each in told(dispatcher)]


def test_the_words_are_read_by_a_person_and_then_gone(workshop: Workshop) -> None:
    """S-33: owner and staff read what waits; decided, read for an hour, or 14 days old, it is gone for good."""
    with workshop.opened() as dispatcher:
        enlist(workshop, dispatcher, "maija")
        owner = dispatcher.persons.acting(None)
        for sid, body in (("SM1", "Milloin olette auki?"), ("SM2", "Ompa \x1b[31mhyvä"), ("SM3", "Kiitos")):
            inbox(dispatcher).take(text(body, sid=sid))
        first, second, third = (each.waiting.id for each in dispatcher.inbox.listed())
        assert "Milloin olette auki?" == dispatcher.inbox.words(first, owner)
        assert "\x1b" not in dispatcher.inbox.words(second, owner)
        dispatcher.inbox.release(third, owner)
        workshop.clock.advance(timedelta(minutes=61))
        for number in (first, second, third):
            with pytest.raises(RefusedError, match="not kept any more"):
                dispatcher.inbox.words(number, owner)
        inbox(dispatcher).take(text("Haloo?", sid="SM4"))
        workshop.clock.advance(timedelta(days=14))
        asyncio.run(dispatcher.duties.once())
        with dispatcher.store.reading() as connection:
            assert [None] * 4 == list(connection.scalars(select(IncomingTable.text)))
        assert 3 == len(waiting(dispatcher))


def test_a_stop_that_may_mean_the_appointment_is_both(workshop: Workshop) -> None:
    """S-33: PERU withdraws at once, and its words wait for somebody who sees to the appointment."""
    with workshop.opened() as dispatcher:
        (client,) = enlist(workshop, dispatcher, "maija")
        inbox(dispatcher).take(text("Peruuta aika huomenna"))
        assert 1 == len(noes(dispatcher, client))
        assert [(client, Class.APPOINTMENT, "Peruuta aika huomenna")] == waiting(dispatcher)


def test_the_words_are_in_no_file_unencrypted(workshop: Workshop) -> None:
    """S-33, E-64: what a client texted stands in no file of the workspace in words, and not in the journal."""
    secret = "Selkäni on kipeä leikkauksen jälkeen"
    with workshop.opened() as dispatcher:
        enlist(workshop, dispatcher, "maija")
        inbox(dispatcher).take(text(secret))
        assert [secret] == [words for _, _, words in waiting(dispatcher)]
        with dispatcher.store.reading() as connection:
            assert secret.encode() not in (connection.scalar(select(IncomingTable.text)) or b"")
        assert not any(secret in str(record.as_json()) for record in dispatcher.store.journal.records())
        with dispatcher.store.reading() as connection:
            assert [] == broken_links(connection)


def test_a_stop_stands_where_the_journal_is_gone(workshop: Workshop) -> None:
    """S-35: what cannot be kept is told by an error, and nothing of it is half there."""
    with workshop.opened() as dispatcher:
        (client,) = enlist(workshop, dispatcher, "maija")
        lose_journal(dispatcher.store)
        with pytest.raises(JournalError):
            inbox(dispatcher).take(text("STOP"))
        assert ([], 0) == (noes(dispatcher, client), rows(dispatcher, TextInTable))


def test_erasure_takes_what_waits_and_asks_twilio_to_forget(workshop: Workshop) -> None:
    """S-28: an erased client leaves no text behind here, and Twilio is to delete every one it holds of theirs."""
    with workshop.opened() as dispatcher:
        clients = enlist(workshop, dispatcher, "maija", "pekka")
        for sid, body in (("SM1", "Milloin olette auki?"), ("SM2", "STOP"), ("SM3", "START")):
            inbox(dispatcher).take(text(body, sid=sid))
        dispatcher.erasing.erase(clients[0], EraseReason.AGE, OWNER)
        with dispatcher.store.reading() as connection:
            asked = [
                each.provider_id for each in deletions.standing(connection, clients[0]) if each.provider == "twilio"
            ]
        assert ["SM1", "SM2", "SM3"] == asked
        assert [clients[1]] == [client for client, _, _ in waiting(dispatcher)]
        assert 3 == rows(dispatcher, TextInTable)


def test_a_stop_is_confirmed_once(workshop: Workshop, doubles: Doubles) -> None:
    """S-22: one plain text by REST says that the no is in force; it is not stopped by that no, nor said again."""
    with workshop.opened() as dispatcher:
        enlist(workshop, dispatcher, "maija")
        inbox(dispatcher).take(text("STOP"))
        assert "1 accepted" == serve(dispatcher)
        for day in range(2, 6):
            next_day(workshop)
            inbox(dispatcher).take(text("STOP", sid=f"SM{day}"))
            assert serve(dispatcher) is None
        (sent,) = doubles.twilio.received
        assert (NUMBER, "Tunturituuli: et saa meiltä enää mainosviestejä.", 1) == (
            sent.recipient,
            sent.text,
            sent.segments,
        )
        assert [("asked", None), ("sent", None), ("outcome", "accepted")] == [
            each[:2] for each in events(dispatcher.store)
        ]
        workshop.clock.advance(timedelta(days=31))
        inbox(dispatcher).take(text("STOP", sid="SM9"))
        assert serve(dispatcher) is None
        next_day(workshop)
        enlist(workshop, dispatcher, "maija")
        next_day(workshop)
        inbox(dispatcher).take(text("STOP", sid="SM10", at=dispatcher.store.clock()))
        assert "1 accepted" == serve(dispatcher)


def test_a_stop_survives_a_restore_and_is_not_confirmed_again(
    workshop: Workshop, doubles: Doubles, tmp_path: Path
) -> None:
    """Invariant 4, S-22: a copy that knows no STOP is put back; the no stands, and Twilio tells it again."""
    with workshop.opened() as dispatcher:
        (client,) = enlist(workshop, dispatcher, "maija")
        dispatcher.safekeeping.backup(tmp_path / "copy")
        inbox(dispatcher).take(text("STOP"))
        inbox(dispatcher).take(text("Milloin?", sid="SM2"))
        serve(dispatcher)
        dispatcher.safekeeping.restore(tmp_path / "copy")
    with workshop.opened() as dispatcher:
        dispatcher.safekeeping.replay(dispatcher.persons.acting(None))
        for sid, body in (("SM1", "STOP"), ("SM2", "Milloin?")):
            inbox(dispatcher).take(text(body, sid=sid))
        assert not may_write(dispatcher, client)
        assert [(client, Class.OTHER)] == [each[:2] for each in waiting(dispatcher)]
        assert serve(dispatcher) is None
        assert 1 == len(doubles.twilio.received)


def test_many_calls_at_once_are_one_no(workshop: Workshop) -> None:
    """S-35: the webhook and the list tell of one text at the same moment, several times over: it is one no."""
    with workshop.opened() as dispatcher, ThreadPoolExecutor(8) as pool:
        clients = enlist(workshop, dispatcher, "maija", "pekka")
        list(pool.map(inbox(dispatcher).take, [text("STOP"), text("Milloin?", sid="SM2")] * 12))
        assert [1, 1] == [len(noes(dispatcher, client)) for client in clients]
        assert 2 == len(waiting(dispatcher))
        with dispatcher.store.reading() as connection:
            assert [] == broken_links(connection)


@pytest.mark.parametrize(
    ("case", "opt_out", "ago"),
    [("by Twilio", "STOP", 0), ("long ago", "", 3), ("by nobody in the register", "", 0), ("not wanted", "", 0)],
)
def test_no_confirmation(workshop: Workshop, case: str, opt_out: str, ago: int) -> None:
    """S-22, S-34: none where Twilio has answered, where it is too late, of a stranger's, and where it is not wanted."""
    settings = workshop.directory / "dispatcher.toml"
    if case == "not wanted":
        words = settings.read_text(encoding="utf-8").replace("[sms]", "[sms]\nstop_confirmation = false")
        settings.write_text(words, encoding="utf-8")
    with workshop.opened() as dispatcher:
        enlist(workshop, dispatcher, "maija")
        sender = STRANGER if "nobody" in case else NUMBER
        at = dispatcher.store.clock() - timedelta(days=ago)
        inbox(dispatcher).take(text("STOP", sender=sender, at=at, opt_out=opt_out))
        assert [] == standing(dispatcher.store)
        assert serve(dispatcher) is None


def test_a_confirmation_that_twilio_blocks_is_not_tried_again(workshop: Workshop, doubles: Doubles) -> None:
    """S-22: where the provider itself blocks the number after a STOP, it has answered: nothing is repeated."""
    doubles.twilio._script = lambda _number: 21610
    with workshop.opened() as dispatcher:
        (client,) = enlist(workshop, dispatcher, "maija")
        inbox(dispatcher).take(text("STOP"))
        assert "1 refused" == serve(dispatcher)
        workshop.clock.advance(timedelta(hours=1))
        assert serve(dispatcher) is None
        assert not may_write(dispatcher, client)


@pytest.mark.parametrize(
    ("body", "opt_out", "expected"),
    [
        ("Nope", "STOP", Said.STOP),
        ("Nope", "stop", Said.STOP),
        ("STOP", "START", Said.STOP),
        ("PERU", "STOP", Said.STOP_OR_APPOINTMENT),
        ("Milloin?", "HELP", Said.HELP),
        ("JOIN", "START", Said.START),
        ("Milloin?", "", Said.OTHER),
        ("Milloin?", "WHATEVER", Said.OTHER),
        ("START", "STOP", Said.STOP),
    ],
)
def test_a_no_of_either_is_a_no(body: str, opt_out: str, expected: Said) -> None:
    """S-34: what Twilio made of a text counts beside its words, and a no is never outdone."""
    assert understood(text(body, opt_out=opt_out)) is expected


@given(sender=st.text() | st.from_regex(r"\+?[0-9 ()-]{0,20}"), body=st.text(), opt_out=st.text())
def test_whatever_comes_is_understood(sender: str, body: str, opt_out: str) -> None:
    """S-33: no number and no words are too strange, and printing a text shows neither."""
    came = TextIn("SM1", sender, None, body, opt_out)
    assert isinstance(understood(came), Said)
    found = number_of(sender, "FI")
    assert found is None or found.startswith("+")
    assert "sender=" not in repr(came)
    assert "body=" not in repr(came)
