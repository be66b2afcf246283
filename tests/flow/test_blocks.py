"""A legal block keeps what it names, restricted, and lets it go when it ends."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from dispatcher.errors import NotFoundError, RefusedError
from dispatcher.flow.answering import Said
from dispatcher.flow.calls import Call, Called, Told
from dispatcher.flow.erasing import ErasureReport
from dispatcher.rules.actor import duty
from dispatcher.rules.blocks import Block, BlockReason, Field
from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import Place, Reply
from dispatcher.rules.ledger import EntryKind
from dispatcher.rules.retention import EraseReason
from dispatcher.rules.rights import IdentityCheck, RequestKind
from dispatcher.rules.scope import Scope
from dispatcher.storage import clients, ledger, retention
from dispatcher.storage.clients import Client
from dispatcher.storage.journal import JournalKind
from dispatcher.wiring import Dispatcher
from tests.stores import broken_links
from tests.workshop import Workshop

MAIJA = "1;Maija;Meikäläinen;maija@posti.example;040 123 4567;sv;3.10.2026;kyllä;kyllä;3.10.2026"
UNTIL = date(2027, 3, 31)
INVOICE = Block(BlockReason.OPEN_INVOICE, frozenset({Field.NAME, Field.EMAIL}), UNTIL)


def enrolled(workshop: Workshop, dispatcher: Dispatcher) -> int:
    """Import one client and return the number."""
    dispatcher.enrol.run(workshop.register(MAIJA), dispatcher.persons.acting(None))
    return dispatcher.register.find("maija@posti.example")


def held(dispatcher: Dispatcher, number: int) -> Client | None:
    """Return a client as the register holds them, or None."""
    with dispatcher.store.reading() as connection:
        return clients.read(connection, [number]).get(number)


def is_restricted(dispatcher: Dispatcher, number: int) -> bool:
    """Say whether a client is restricted."""
    with dispatcher.store.reading() as connection:
        return retention.these(connection, [number])[0].restricted


def erase(dispatcher: Dispatcher, number: int) -> ErasureReport:
    """Erase a client on a request whose identity was checked."""
    actor = dispatcher.persons.acting(None)
    request = dispatcher.requests.open(number, RequestKind.ERASURE, actor)
    dispatcher.requests.identify(request, IdentityCheck.CALLED_BACK, actor)
    return dispatcher.erasing.erase(number, EraseReason.REQUEST, actor, request)


def test_only_what_a_block_names_stays(workshop: Workshop) -> None:
    """Name and email were named: phone, customer number, language and visit go, the rest is restricted."""
    with workshop.opened() as dispatcher:
        number = enrolled(workshop, dispatcher)
        dispatcher.blocks.add(number, INVOICE, dispatcher.persons.acting(None))
        report = erase(dispatcher, number)
        assert ((Field.NAME, Field.EMAIL), UNTIL) == (report.kept, report.kept_until)
        left = held(dispatcher, number)
        assert left is not None
        assert ("Maija", "Meikäläinen", "fi") == (left.first_name, left.last_name, left.language.value)
        assert (None, None, {Channel.EMAIL}) == (left.external_hash, left.last_visit, set(left.addresses))
        assert is_restricted(dispatcher, number)
        assert ["blocked"] == [each.outcome for each in dispatcher.requests.listed(only_open=False)]


def test_the_rest_goes_when_the_block_ends_by_itself(workshop: Workshop) -> None:
    """The day after the last one, the daily duty lets go what was kept; a day before, it does not."""
    with workshop.opened() as dispatcher:
        number = enrolled(workshop, dispatcher)
        dispatcher.blocks.add(number, INVOICE, dispatcher.persons.acting(None))
        erase(dispatcher, number)
        workshop.clock.advance(UNTIL - date(2026, 11, 23))
        assert 0 == dispatcher.blocks.let_go(duty("legal_blocks"))
        assert held(dispatcher, number) is not None
        workshop.clock.advance(timedelta(days=1))
        assert 1 == dispatcher.blocks.let_go(duty("legal_blocks"))
        assert held(dispatcher, number) is None
        assert [] == dispatcher.blocks.standing()


def test_of_two_blocks_the_longer_keeps_its_own(workshop: Workshop) -> None:
    """When one of two blocks ends, what the other names stays, and nothing else."""
    with workshop.opened() as dispatcher:
        number, actor = enrolled(workshop, dispatcher), dispatcher.persons.acting(None)
        first = dispatcher.blocks.add(number, INVOICE, actor)
        law = Block(BlockReason.LAW, frozenset({Field.NAME, Field.LAST_VISIT}), UNTIL + timedelta(days=90))
        second = dispatcher.blocks.add(number, law, actor)
        erase(dispatcher, number)
        assert dispatcher.blocks.end(first, actor)
        left = held(dispatcher, number)
        assert left is not None
        assert ("Maija", date(2026, 10, 3), {}) == (left.first_name, left.last_visit, dict(left.addresses))
        assert dispatcher.blocks.end(second, actor)
        assert held(dispatcher, number) is None
        with pytest.raises(NotFoundError):
            dispatcher.blocks.end(second, actor)


def test_the_end_of_a_block_closes_what_was_asked_meanwhile(workshop: Workshop) -> None:
    """L-30: once nothing is left to answer from no request stays open: an erasure is done, the rest has no object."""
    copy = workshop.directory.parent / "copy"
    with workshop.opened() as dispatcher:
        number, actor = enrolled(workshop, dispatcher), dispatcher.persons.acting(None)
        first = dispatcher.blocks.add(number, INVOICE, actor)
        law = Block(BlockReason.LAW, frozenset({Field.NAME}), UNTIL + timedelta(days=90))
        second = dispatcher.blocks.add(number, law, actor)
        erase(dispatcher, number)
        asked = [
            dispatcher.requests.open(number, kind, actor) for kind in (RequestKind.ERASURE, RequestKind.CORRECTION)
        ]
        dispatcher.safekeeping.backup(copy)
        dispatcher.blocks.end(first, actor)
        # What the other block keeps can still be asked for.
        assert asked == sorted(each.id for each in dispatcher.requests.listed())
        dispatcher.blocks.end(second, actor)
        assert [] == dispatcher.requests.listed()
        closed = {each.id: each.outcome for each in dispatcher.requests.listed(only_open=False)}
        assert ["done", "erased"] == [closed[each] for each in asked]
        dispatcher.safekeeping.restore(copy)
    with workshop.opened() as dispatcher:
        dispatcher.safekeeping.replay(actor)
        assert [] == dispatcher.requests.listed()


def test_a_block_without_an_erasure_only_ends(workshop: Workshop) -> None:
    """Where nobody asked for erasure, the end of a block changes nothing about the client."""
    with workshop.opened() as dispatcher:
        number, actor = enrolled(workshop, dispatcher), dispatcher.persons.acting(None)
        before = held(dispatcher, number)
        assert not dispatcher.blocks.end(dispatcher.blocks.add(number, INVOICE, actor), actor)
        assert before == held(dispatcher, number)
        assert not is_restricted(dispatcher, number)


@pytest.mark.parametrize(
    ("block", "said"),
    [
        (Block(BlockReason.LAW, frozenset(), UNTIL), "never keeps all"),
        (Block(BlockReason.LAW, frozenset({Field.NAME}), date(2026, 11, 23)), "in the future"),
    ],
)
def test_a_block_names_fields_and_an_end(workshop: Workshop, block: Block, said: str) -> None:
    """A block that names nothing, or does not end in the future, is refused."""
    with workshop.opened() as dispatcher:
        number = enrolled(workshop, dispatcher)
        with pytest.raises(RefusedError, match=said):
            dispatcher.blocks.add(number, block, dispatcher.persons.acting(None))
        assert [] == dispatcher.blocks.standing()


def test_the_ledger_names_fields_and_never_what_is_in_them(workshop: Workshop) -> None:
    """A block's entries hold its number, reason, fields and end."""
    with workshop.opened() as dispatcher:
        number, actor = enrolled(workshop, dispatcher), dispatcher.persons.acting(None)
        block = dispatcher.blocks.add(number, INVOICE, actor)
        dispatcher.blocks.end(block, actor)
        with dispatcher.store.reading() as connection:
            told = [entry.data() for entry in ledger.entries(connection, [EntryKind.BLOCK.value])]
        made = {"event": "set", "block": block, "reason": "open_invoice", "keeps": "name,email", "until": "2027-03-31"}
        assert [made, {"event": "ended", "block": block}] == told


def test_a_restored_copy_keeps_what_the_block_kept(workshop: Workshop) -> None:
    """A copy from before the block and the erasure gets both again: what was kept is kept, and nothing else."""
    copy = workshop.directory.parent / "copy"
    with workshop.opened() as dispatcher:
        number, actor = enrolled(workshop, dispatcher), dispatcher.persons.acting(None)
        dispatcher.safekeeping.backup(copy)
        dispatcher.blocks.add(number, INVOICE, actor)
        erase(dispatcher, number)
        dispatcher.safekeeping.restore(copy)
    with workshop.opened() as dispatcher:
        assert 1 == dispatcher.safekeeping.replay(actor).erased
        assert [INVOICE] == [each.block for each in dispatcher.blocks.standing(number)]
        left = held(dispatcher, number)
        assert left is not None
        assert {Channel.EMAIL} == set(left.addresses)
        assert is_restricted(dispatcher, number)


def test_a_block_survives_the_way_back(workshop: Workshop) -> None:
    """L-34: a block set after the copy was made stands again and keeps what it names; one ended since is over."""
    copy = workshop.directory.parent / "copy"
    with workshop.opened() as dispatcher:
        number, actor = enrolled(workshop, dispatcher), dispatcher.persons.acting(None)
        law = dispatcher.blocks.add(number, Block(BlockReason.LAW, frozenset({Field.LAST_VISIT}), UNTIL), actor)
        dispatcher.safekeeping.backup(copy)
        dispatcher.blocks.end(law, actor)
        dispatcher.blocks.add(number, INVOICE, actor)
        [before] = dispatcher.blocks.standing(number)
        workshop.clock.advance(timedelta(days=9))
        dispatcher.safekeeping.restore(copy)
    with workshop.opened() as dispatcher:
        assert 1 == dispatcher.safekeeping.replay(actor).blocks
        [after] = dispatcher.blocks.standing(number)
        assert before == replace(after, id=before.id)
        with dispatcher.store.reading() as connection:
            told = [entry.data()["event"] for entry in ledger.entries(connection, [EntryKind.BLOCK.value])]
            assert [] == broken_links(connection)
        assert ["set", "ended", "set"] == told
        assert (Field.NAME, Field.EMAIL) == erase(dispatcher, number).kept


def test_the_journal_says_no_more_of_a_block_than_the_ledger(workshop: Workshop) -> None:
    """L-33: a block's records hold a number, fields and days, so that an erasure finds nothing in them to take out."""
    with workshop.opened() as dispatcher:
        number, actor = enrolled(workshop, dispatcher), dispatcher.persons.acting(None)
        dispatcher.blocks.end(dispatcher.blocks.add(number, INVOICE, actor), actor)
        told = [each.body for each in dispatcher.store.journal.records() if each.kind is JournalKind.BLOCK]
    words = {"reason": "open_invoice", "keeps": "name,email", "until": "2027-03-31", "actor": "person:1"}
    assert [{"client": number, "event": event, **words} for event in ("set", "ended")] == told


def test_who_came_after_the_copy_is_blocked_on_return(workshop: Workshop) -> None:
    """L-34: a block of a client whom the copy never knew stands before they are back, and keeps its own then."""
    copy = workshop.directory.parent / "copy"
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        dispatcher.safekeeping.backup(copy)
        number = enrolled(workshop, dispatcher)
        dispatcher.blocks.add(number, INVOICE, actor)
        dispatcher.safekeeping.restore(copy)
    with workshop.opened() as dispatcher:
        dispatcher.safekeeping.replay(actor)
        assert number == enrolled(workshop, dispatcher)
        assert (Field.NAME, Field.EMAIL) == erase(dispatcher, number).kept


def test_a_block_that_ended_after_the_copy_keeps_nothing(workshop: Workshop) -> None:
    """L-33, L-34: what a block kept of an erased client, and let go of after the copy was made, is gone again."""
    copy = workshop.directory.parent / "copy"
    with workshop.opened() as dispatcher:
        number, actor = enrolled(workshop, dispatcher), dispatcher.persons.acting(None)
        block = dispatcher.blocks.add(number, INVOICE, actor)
        erase(dispatcher, number)
        dispatcher.safekeeping.backup(copy)
        assert dispatcher.blocks.end(block, actor)
        dispatcher.safekeeping.restore(copy)
    with workshop.opened() as dispatcher:
        assert held(dispatcher, number) is not None
        dispatcher.safekeeping.replay(actor)
        assert held(dispatcher, number) is None
        assert [] == dispatcher.blocks.standing()


def test_an_import_does_not_fill_in_again_what_was_erased(workshop: Workshop) -> None:
    """Of a client who is kept for a block only, a row changes nothing but by a no, and the report says so."""
    with workshop.opened() as dispatcher:
        number, actor = enrolled(workshop, dispatcher), dispatcher.persons.acting(None)
        dispatcher.blocks.add(number, INVOICE, actor)
        erase(dispatcher, number)
        left = held(dispatcher, number)
        report = dispatcher.enrol.run(workshop.register(MAIJA), actor)
        assert ({"read": 1, "unchanged": 1}, left) == (dict(+report.counts), held(dispatcher, number))
        assert [(2, True)] == [(row, "for a legal block only" in remark) for row, remark in report.remarks]
        no = MAIJA.replace("kyllä;kyllä;3.10", "peruttu;kyllä;4.10")
        assert 1 == dispatcher.enrol.run(workshop.register(no), actor).counts["updated"]
        assert left == held(dispatcher, number)
        consents = dispatcher.register.listed("maija@posti.example")[0].consents
        assert (True, False) == (consents[Channel.EMAIL].objected, consents[Channel.SMS].objected)


def test_who_is_kept_for_a_block_is_not_let_loose(workshop: Workshop) -> None:
    """The restriction ends with the block, and a booking system's call fills in nothing either."""
    with workshop.opened() as dispatcher:
        number, actor = enrolled(workshop, dispatcher), dispatcher.persons.acting(None)
        dispatcher.blocks.add(number, INVOICE, actor)
        erase(dispatcher, number)
        left = held(dispatcher, number)
        with pytest.raises(RefusedError, match="legal block only"):
            dispatcher.correcting.lift(number, actor)
        key, _ = dispatcher.api_keys.create("Ajanvaraus", set(Scope), actor)
        addresses = {Channel.EMAIL: "maija@posti.example", Channel.SMS: "+358401234567"}
        told = (
            Told(Said(Reply.GRANTED, Channel.SMS, Place.ONLINE, "Saako lähettää tekstiviestejä?")),
            Told(Said(Reply.WITHDRAWN, Channel.EMAIL, Place.ONLINE)),
        )
        receipt = dispatcher.bookings.take(Call("a", "a", Called("1", addresses), told), key)
        assert ["withdrawn"] == [line["reply"] for line in receipt.recorded]  # type: ignore[index,call-overload]
        assert receipt.conflict is not None
        assert left == held(dispatcher, number)
        assert is_restricted(dispatcher, number)
