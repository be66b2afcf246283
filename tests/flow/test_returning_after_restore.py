"""Who came after the copy and is known by addresses alone: back under the number they had, or asked about (L-34)."""

from collections.abc import Callable
from pathlib import Path

import pytest

from dispatcher.errors import RefusedError
from dispatcher.flow.answering import Said
from dispatcher.flow.calls import Call, Called, Told
from dispatcher.flow.doubts import NO_GUIDANCE, Guidance
from dispatcher.flow.enrol import EnrolReport
from dispatcher.flow.matching import NEW_CLIENT
from dispatcher.flow.recording import CUSTOMER
from dispatcher.flow.standing import standing
from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import Place, Reply
from dispatcher.rules.decision import Send, Withhold
from dispatcher.rules.ledger import Json
from dispatcher.rules.rights import RequestKind
from dispatcher.rules.scope import Scope
from dispatcher.storage import clients
from dispatcher.storage.journal import JournalKind, Note
from dispatcher.wiring import Dispatcher
from tests.flow.joining import enlist, said
from tests.workshop import Workshop

EMAIL, FAMILY = "maija@posti.example", "perhe@posti.example"
MAIJA = f"1;Maija;Meikäläinen;{EMAIL};;fi;3.1.2026;kyllä;;3.1.2026"
AT_HOME = [
    f";Maija;Meikäläinen;{FAMILY};040 123 4567;fi;3.1.2026;;;",
    f";Erik;Exempel;{FAMILY};040 123 4568;fi;3.1.2026;;;",
]
SOMEBODY = f"7;Maija;Meikäläinen;{FAMILY};;fi;3.1.2026;kyllä;;3.1.2026"


def import_(workshop: Workshop, dispatcher: Dispatcher, *rows: str, guidance: Guidance = NO_GUIDANCE) -> EnrolReport:
    """Import these rows."""
    return dispatcher.enrol.run(workshop.register(*rows), dispatcher.persons.acting(None), guidance=guidance)


def put_back(dispatcher: Dispatcher, copy: Path) -> None:
    """Put a copy in place and replay the journal."""
    dispatcher.safekeeping.restore(copy)
    dispatcher.safekeeping.replay(dispatcher.persons.acting(None))


def at(dispatcher: Dispatcher, email: str) -> list[int]:
    """Return who has this address."""
    with dispatcher.store.reading() as connection:
        found = clients.by_address(connection, [(Channel.EMAIL, email)])
    return sorted(frozenset().union(*found.values()))


def family(workshop: Workshop, dispatcher: Dispatcher) -> list[int]:
    """Import two people who share an inbox, and return their numbers."""
    import_(workshop, dispatcher, *AT_HOME, guidance=Guidance(matches={3: NEW_CLIENT}))
    return at(dispatcher, FAMILY)


def decline(dispatcher: Dispatcher, number: int) -> None:
    """Say no at the desk, without objecting to anything: no hash of the address is kept for it."""
    no = Said(Reply.DECLINED, Channel.EMAIL, Place.PHONE)
    dispatcher.answering.record(number, [no], dispatcher.persons.acting(None))


def be_a_child(dispatcher: Dispatcher, number: int) -> None:
    """Be marked as a child."""
    dispatcher.marks.mark_child(number, dispatcher.persons.acting(None))


def ask(dispatcher: Dispatcher, number: int) -> None:
    """Make use of a right, and wait."""
    dispatcher.requests.open(number, RequestKind.ACCESS, dispatcher.persons.acting(None))


@pytest.mark.parametrize("act", [decline, be_a_child, ask])
def test_a_client_of_the_desk_comes_back_with_what_stops_messages(
    workshop: Workshop, tmp_path: Path, act: Callable[[Dispatcher, int], None]
) -> None:
    """Invariant 4, L-11, L-30: no, child mark and request of a client without a customer number stop the return."""
    with workshop.opened() as dispatcher:
        dispatcher.safekeeping.backup(tmp_path / "copy")
        number = enlist(dispatcher, {Channel.EMAIL: EMAIL})
        act(dispatcher, number)
        put_back(dispatcher, tmp_path / "copy")
        assert 1 == import_(workshop, dispatcher, MAIJA).counts["created"]
        assert [number] == at(dispatcher, EMAIL)
        assert isinstance(standing(dispatcher.store, dispatcher.policy, number).verdict, Withhold)


def test_of_two_who_shared_an_inbox_a_person_says_who_it_is(workshop: Workshop, tmp_path: Path) -> None:
    """A row that fits two who are to come back is a doubt: nobody is written to until a person has said who it is."""
    with workshop.opened() as dispatcher:
        dispatcher.safekeeping.backup(tmp_path / "copy")
        both = family(workshop, dispatcher)
        be_a_child(dispatcher, both[0])
        put_back(dispatcher, tmp_path / "copy")
        report = import_(workshop, dispatcher, SOMEBODY)
        assert (1, 0) == (report.counts["rejected"], report.counts["created"])
        assert f"fits 2 clients, {both[0]} (known before the restore)" in report.rejected[0].reason
        assert [] == at(dispatcher, FAMILY)
        assert 1 == import_(workshop, dispatcher, SOMEBODY, guidance=Guidance(matches={2: both[0]})).counts["created"]
        assert [both[0]] == at(dispatcher, FAMILY)
        assert isinstance(standing(dispatcher.store, dispatcher.policy, both[0]).verdict, Withhold)


def test_an_objection_in_a_doubtful_row_is_heard(workshop: Workshop, tmp_path: Path) -> None:
    """L-07: of a row that nobody can tell whose it is, the no is kept for the address, whoever comes back to it."""
    with workshop.opened() as dispatcher:
        dispatcher.safekeeping.backup(tmp_path / "copy")
        both = family(workshop, dispatcher)
        put_back(dispatcher, tmp_path / "copy")
        import_(workshop, dispatcher, SOMEBODY.replace("kyllä;;3.1", "peruttu;;4.1"))
        import_(workshop, dispatcher, SOMEBODY, guidance=Guidance(matches={2: both[0]}))
        assert isinstance(standing(dispatcher.store, dispatcher.policy, both[0]).verdict, Withhold)


def test_who_is_there_does_not_get_the_words_of_who_is_not(workshop: Workshop, tmp_path: Path) -> None:
    """A row and a call that fit somebody there and somebody who is to come back fit two, as before the restore."""
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        import_(workshop, dispatcher, AT_HOME[0])
        [there] = at(dispatcher, FAMILY)
        dispatcher.safekeeping.backup(tmp_path / "copy")
        assert 2 == len(family(workshop, dispatcher))
        put_back(dispatcher, tmp_path / "copy")
        assert 1 == import_(workshop, dispatcher, SOMEBODY).counts["rejected"]
        key, _ = dispatcher.api_keys.create("Ajanvaraus", set(Scope), actor)
        call = Call("a", "a", Called("7", {Channel.EMAIL: FAMILY}), (Told(said(Channel.EMAIL, Place.ONLINE)),))
        receipt = dispatcher.bookings.take(call, key)
        assert ([], True) == (receipt.recorded, receipt.conflict is not None)
        assert {Reply.NOT_ASKED} == {told.answer.reply for told in dispatcher.register.history(there)}
        assert isinstance(dispatcher.verdicts.of(None, {Channel.EMAIL: FAMILY}).verdict, Withhold)


def test_who_has_a_customer_number_is_nobody_else(workshop: Workshop, tmp_path: Path) -> None:
    """Another customer with the same inbox gets a number of their own; the one of before comes back by theirs."""
    with workshop.opened() as dispatcher:
        dispatcher.safekeeping.backup(tmp_path / "copy")
        import_(workshop, dispatcher, SOMEBODY)
        [before] = at(dispatcher, FAMILY)
        put_back(dispatcher, tmp_path / "copy")
        import_(workshop, dispatcher, SOMEBODY.replace("7;Maija", "8;Erik"))
        assert before not in at(dispatcher, FAMILY)
        import_(workshop, dispatcher, SOMEBODY)
        assert before in at(dispatcher, FAMILY)


def test_the_desk_asks_where_two_fit(workshop: Workshop, tmp_path: Path) -> None:
    """At the desk somebody comes back under their number; where two had the address, the register is read first."""
    with workshop.opened() as dispatcher:
        dispatcher.safekeeping.backup(tmp_path / "copy")
        family(workshop, dispatcher)
        number = enlist(dispatcher, {Channel.EMAIL: EMAIL})
        put_back(dispatcher, tmp_path / "copy")
        assert number == enlist(dispatcher, {Channel.EMAIL: EMAIL}, Channel.EMAIL)
        with pytest.raises(RefusedError, match="Several clients had this address before the restore"):
            enlist(dispatcher, {Channel.EMAIL: FAMILY}, Channel.EMAIL)
        assert [] == at(dispatcher, FAMILY)


def test_the_journal_tells_what_each_hash_is_of(workshop: Workshop) -> None:
    """Beside each keyed hash stands whether it is of a customer number or of an address, and of which channel."""
    with workshop.opened() as dispatcher:
        import_(workshop, dispatcher, MAIJA)
        number = enlist(dispatcher, {Channel.SMS: "+358401234567"})
        told = [each.body["clients"] for each in dispatcher.store.journal.records() if each.kind is JournalKind.CLIENTS]
    what = [[mark[2] for mark in marks] for note in told for _, marks in note]  # type: ignore[misc,union-attr,index]
    assert [["customer-number", "email"], ["sms"]] == what
    assert number == told[-1][0][0]  # type: ignore[index]


def test_a_yes_counts_where_nothing_stands_against_it(workshop: Workshop, tmp_path: Path) -> None:
    """Somebody without a no comes back with the yes of the register, and is written to."""
    with workshop.opened() as dispatcher:
        dispatcher.safekeeping.backup(tmp_path / "copy")
        number = enlist(dispatcher, {Channel.EMAIL: EMAIL})
        put_back(dispatcher, tmp_path / "copy")
        import_(workshop, dispatcher, MAIJA)
        assert [number] == at(dispatcher, EMAIL)
        assert isinstance(standing(dispatcher.store, dispatcher.policy, number).verdict, Send)


def test_a_note_of_an_earlier_version_is_read(workshop: Workshop, tmp_path: Path) -> None:
    """One that does not say what each hash is of brings a client back by their customer number all the same."""
    with workshop.opened() as dispatcher:
        keyed = dispatcher.store.ring.hashed(CUSTOMER, "1")
        told: dict[str, Json] = {"clients": [[4711, [[keyed.key_id, keyed.digest]]]]}
        dispatcher.safekeeping.backup(tmp_path / "copy")
        dispatcher.store.write(lambda transaction: transaction.notes.append(Note(JournalKind.CLIENTS, told)))
        put_back(dispatcher, tmp_path / "copy")
        assert 1 == import_(workshop, dispatcher, MAIJA).counts["created"]
        assert [4711] == at(dispatcher, EMAIL)
