"""What came in and a person has to read: its client is suspended until it is released or withdrawn (E-35)."""

from datetime import timedelta
from pathlib import Path

import pytest

from dispatcher.errors import NotFoundError, RefusedError
from dispatcher.flow.incoming import Incoming
from dispatcher.rules.calendar import local_date
from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import Place, Reply
from dispatcher.rules.decision import Coverage, Reason, Send, Verdict, Withhold, decide
from dispatcher.rules.incoming import KEPT_AT_MOST, Arrived, Class, Settled
from dispatcher.rules.ledger import EntryKind, Json
from dispatcher.rules.retention import EraseReason
from dispatcher.storage import incoming, ledger
from dispatcher.storage.facts import gather
from dispatcher.wiring import Dispatcher
from tests.clock import FixedClock
from tests.stores import OWNER, broken_links
from tests.workshop import Workshop

EINO = "1;Eino;Esimerkki;eino@posti.example;;fi;3.11.2026;kyllä;;3.11.2026"
MAIJA = "2;Maija;Meikäläinen;maija@posti.example;040 123 4567;fi;3.11.2026;kyllä;kyllä;3.11.2026"
BOX = "mail"


def enrol(workshop: Workshop, dispatcher: Dispatcher, *rows: str) -> list[int]:
    """Import these rows and return the clients' numbers, in order."""
    dispatcher.enrol.run(workshop.register(*rows), OWNER)
    return [dispatcher.register.find(row.split(";")[3]) for row in rows]


def letter(dispatcher: Dispatcher, client: int, key: str = "7:1", ago: timedelta = timedelta(0)) -> Arrived:
    """Return a letter of this client that a person has to read."""
    return Arrived(client, Channel.EMAIL, dispatcher.store.clock() - ago, Class.OTHER, BOX, key)


def verdict(dispatcher: Dispatcher, client: int) -> Verdict:
    """Return what any campaign would be told about a client now."""
    store, policy = dispatcher.store, dispatcher.policy
    now = store.clock()
    with store.reading() as connection:
        known = gather(connection, store.ring, [client], None, local_date(now, policy.zone), now)
    return decide(known[client].facts, policy.any_campaign(Coverage()), now)


def told(dispatcher: Dispatcher, client: int, kind: EntryKind) -> list[dict[str, Json]]:
    """Return the bodies of what the ledger tells of a client, of one kind."""
    with dispatcher.store.reading() as connection:
        return [entry.data() for entry in ledger.entries(connection, [kind.value]) if entry.client == client]


def test_a_client_who_wrote_is_suspended_until_released(workshop: Workshop) -> None:
    """E-35: from the moment it is on disk nothing goes to them; released, they are written to as before."""
    with workshop.opened() as dispatcher:
        eino, maija = enrol(workshop, dispatcher, EINO, MAIJA)
        waits = Incoming(dispatcher.store)
        number = waits.put(letter(dispatcher, eino))
        assert number is not None
        assert Withhold(Reason.SUSPENDED) == verdict(dispatcher, eino)
        assert isinstance(verdict(dispatcher, maija), Send)
        assert waits.release(number, OWNER)
        assert isinstance(verdict(dispatcher, eino), Send)
        marks = [body["event"] for body in told(dispatcher, eino, EntryKind.CLIENT)]
        assert ["created", "suspended", "unsuspended"] == marks
        events = [(body["event"], body.get("outcome")) for body in told(dispatcher, eino, EntryKind.INCOMING)]
        assert [("came", None), ("settled", "released")] == events
        with pytest.raises(RefusedError, match="has been settled already"):
            waits.release(number, OWNER)
        with pytest.raises(NotFoundError, match="dispatcher inbox list"):
            waits.release(number + 1, OWNER)


def test_released_only_when_nothing_of_theirs_waits(workshop: Workshop) -> None:
    """E-35: of a client who wrote twice both have to be read before anything goes to them."""
    with workshop.opened() as dispatcher:
        (eino,) = enrol(workshop, dispatcher, EINO)
        waits = Incoming(dispatcher.store)
        first, second = (waits.put(letter(dispatcher, eino, f"7:{n}", timedelta(hours=n))) for n in (1, 2))
        assert first is not None
        assert second is not None
        assert not waits.release(first, OWNER)
        assert Withhold(Reason.SUSPENDED) == verdict(dispatcher, eino)
        assert waits.release(second, OWNER)
        assert isinstance(verdict(dispatcher, eino), Send)


def test_the_same_letter_waits_once(workshop: Workshop) -> None:
    """A letter that is read again changes nothing, settled or not, even by a box that has numbered its letters anew."""
    with workshop.opened() as dispatcher:
        (eino,) = enrol(workshop, dispatcher, EINO)
        waits = Incoming(dispatcher.store)
        came = letter(dispatcher, eino)
        number = waits.put(came)
        assert number is not None
        before = len(list(dispatcher.store.journal.records()))
        assert waits.put(came) is None
        waits.release(number, OWNER)
        assert waits.put(came) is None
        assert waits.put(letter(dispatcher, eino, "8:1")) is None
        assert [] == waits.waiting()
        assert isinstance(verdict(dispatcher, eino), Send)
        assert before + 2 == len(list(dispatcher.store.journal.records()))


def test_a_withdrawal_is_a_no_to_everything(workshop: Workshop, clock: FixedClock) -> None:
    """L-01: what a person calls a no closes every channel, dated as it came, and settles all else of that client."""
    with workshop.opened() as dispatcher:
        (maija,) = enrol(workshop, dispatcher, MAIJA)
        waits = Incoming(dispatcher.store)
        ago = timedelta(hours=3)
        first = waits.put(letter(dispatcher, maija, "7:1", ago))
        waits.put(letter(dispatcher, maija, "7:2"))
        assert first is not None
        waits.withdraw(first, OWNER)
        assert Withhold(Reason.OBJECTION) == verdict(dispatcher, maija)
        told_no = dispatcher.register.history(maija)[-1]
        no = told_no.answer
        assert (Reply.WITHDRAWN, None, Place.MAILTO, clock() - ago) == (no.reply, no.channel, no.place, no.not_after)
        assert str(OWNER) == told_no.actor
        assert [] == waits.waiting()
        assert {Settled.WITHDRAWN} == {waits.find(number).settled for number in (1, 2)}


def test_it_survives_the_way_back(workshop: Workshop, tmp_path: Path) -> None:
    """L-34: what came after the copy waits again after the replay, and what was settled since is settled."""
    with workshop.opened() as dispatcher:
        eino, maija = enrol(workshop, dispatcher, EINO, MAIJA)
        waits = Incoming(dispatcher.store)
        first = waits.put(letter(dispatcher, maija, "7:1"))
        assert first is not None
        dispatcher.safekeeping.backup(tmp_path / "copy")
        waits.release(first, OWNER)
        waits.put(letter(dispatcher, eino, "7:2"))
        dispatcher.safekeeping.restore(tmp_path / "copy")
        assert isinstance(verdict(dispatcher, eino), Send)
        assert 1 == dispatcher.safekeeping.replay(OWNER).incoming
        assert Withhold(Reason.SUSPENDED) == verdict(dispatcher, eino)
        assert isinstance(verdict(dispatcher, maija), Send)
        assert [(eino, "7:2")] == [(each.client, each.key) for each in waits.waiting()]
        assert waits.put(letter(dispatcher, eino, "7:2")) is None
        with dispatcher.store.reading() as connection:
            assert [] == broken_links(connection)


def test_a_client_the_copy_never_knew_is_suspended_on_return(workshop: Workshop, tmp_path: Path) -> None:
    """L-34: who wrote after a restore that forgot them is suspended when the register brings them back."""
    with workshop.opened() as dispatcher:
        enrol(workshop, dispatcher, MAIJA)
        dispatcher.safekeeping.backup(tmp_path / "copy")
        (_, eino) = enrol(workshop, dispatcher, MAIJA, EINO)
        dispatcher.safekeeping.restore(tmp_path / "copy")
        dispatcher.safekeeping.replay(OWNER)
        assert Incoming(dispatcher.store).put(letter(dispatcher, eino)) is not None
        assert [eino] == enrol(workshop, dispatcher, MAIJA, EINO)[1:]
        assert Withhold(Reason.SUSPENDED) == verdict(dispatcher, eino)


def test_nothing_is_kept_of_somebody_erased(workshop: Workshop) -> None:
    """L-33: erasure takes what waits with it, the journal forgets where it lay, and nothing more is put there."""
    with workshop.opened() as dispatcher:
        (eino,) = enrol(workshop, dispatcher, EINO)
        waits = Incoming(dispatcher.store)
        waits.put(letter(dispatcher, eino, "7:naming-a-letter-of-eino"))
        dispatcher.erasing.erase(eino, EraseReason.AGE, OWNER)
        dispatcher.erasing.deletions.here()
        assert [] == waits.waiting()
        assert waits.put(letter(dispatcher, eino, "7:2")) is None
        assert not [record for record in dispatcher.store.journal.records() if "7:naming" in record.as_json()]


def test_the_words_of_a_text_go_in_time(workshop: Workshop, clock: FixedClock) -> None:
    """S-33: sealed words are kept fourteen days at most, an hour once read, and none once it is settled."""
    with workshop.opened() as dispatcher:
        eino, maija, other = enrol(
            workshop, dispatcher, EINO, MAIJA, EINO.replace("1;Eino", "3;Elli").replace("eino@", "elli@")
        )
        waits, store = Incoming(dispatcher.store), dispatcher.store
        came = [
            Arrived(client, Channel.SMS, clock(), Class.OTHER, "twilio", f"SM{client}", b"sealed words")
            for client in (eino, maija, other)
        ]
        read, settled, unread = (waits.put(each) or 0 for each in came)
        waits.release(settled, OWNER)
        store.write(lambda tx: incoming.note_read(tx.connection, read, tx.now))

        def kept() -> list[int]:
            with store.reading() as connection:
                return [n for n in (read, settled, unread) if incoming.sealed_text(connection, n, clock())]

        assert [read, unread] == kept()
        clock.advance(timedelta(hours=1))
        assert [unread] == kept()
        assert 1 == store.write(lambda tx: incoming.drop_texts(tx.connection, tx.now))
        clock.advance(KEPT_AT_MOST)
        assert [] == kept()
        assert 1 == store.write(lambda tx: incoming.drop_texts(tx.connection, tx.now))
