"""What the counter takes in is the register's from then on: joined at the next import, silenced by a no."""

from datetime import timedelta

import pytest

from dispatcher.errors import RefusedError
from dispatcher.flow.answering import Answering, Said
from dispatcher.flow.desk import Desk, Draft, Reading
from dispatcher.rules.actor import Actor, Role
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.consent import ConsentState, Place, Reply
from dispatcher.rules.decision import Reason
from dispatcher.rules.wording import wording_hash
from dispatcher.storage import clients, wordings
from dispatcher.storage.clients import Client
from dispatcher.storage.writer import Transaction
from dispatcher.wiring import Dispatcher
from tests.workshop import OWNER, Workshop

ROW = "77;Aili;Uusi;aili@posti.example;040 123 4567;fi;23.11.2026;;;"


def reading(dispatcher: Dispatcher, reply: Reply = Reply.GRANTED, place: Place = Place.IN_PERSON) -> Reading:
    """Return an answer to today's Finnish question about email."""
    words = dispatcher.desk.question(Channel.EMAIL, Language.FI)
    return Reading(Channel.EMAIL, Language.FI, wording_hash(words), reply, place)


def enlist(dispatcher: Dispatcher, address: str = "Aili@Posti.example", name: str | None = None) -> int:
    """Write Aili down with her yes, and return her number."""
    draft = dispatcher.desk.draft("Aili", "Uusi", Language.FI, address)
    assert isinstance(draft, Draft)
    return dispatcher.desk.enlist(draft, reading(dispatcher), dispatcher.persons.acting(name))


def test_the_next_import_joins_a_new_client(workshop: Workshop) -> None:
    """Who said yes at the desk is the same client once the register names them, and their yes stands."""
    with workshop.opened() as dispatcher:
        number = enlist(dispatcher)
        workshop.clock.advance(timedelta(hours=3))
        report = dispatcher.enrol.run(workshop.register(ROW), dispatcher.persons.acting(None))
        assert (0, 1) == (report.counts["created"], report.counts["updated"])
        assert number == dispatcher.register.find("040 123 4567") == dispatcher.register.find("aili@posti.example")
        card = dispatcher.desk.card(number, dispatcher.persons.acting(None))
        assert (ConsentState.GRANTED, None) == (
            card.standings[Channel.EMAIL].consent.state,
            card.standings[Channel.EMAIL].reason,
        )


def test_a_number_is_read_as_one_of_the_studio_s_country(workshop: Workshop) -> None:
    """S-08: a number typed as it is dialled in Sweden is Swedish at the desk and by command, and found by it again."""
    settings = workshop.directory / "dispatcher.toml"
    whole = settings.read_text(encoding="utf-8")
    assert "[register]" not in whole
    settings.write_text(f'{whole}\n[register]\nregion = "SE"\n', encoding="utf-8")
    with workshop.opened() as dispatcher:
        assert (Channel.SMS, "+46701234567") == dispatcher.register.stranger("070-123 45 67")
        draft = dispatcher.desk.draft("Aili", "Uusi", Language.SV, "070-123 45 67")
        assert isinstance(draft, Draft)
        assert (Channel.SMS, "+46701234567") == (draft.channel, draft.address)
        words = dispatcher.desk.question(Channel.SMS, Language.SV)
        heard = Reading(Channel.SMS, Language.SV, wording_hash(words), Reply.GRANTED, Place.IN_PERSON)
        number = dispatcher.desk.enlist(draft, heard, dispatcher.persons.acting(None))
        assert number == dispatcher.register.find("070-123 45 67") == dispatcher.register.find("0046 70 123 45 67")


def test_an_address_is_written_down_once(workshop: Workshop) -> None:
    """Two counters write the same person down: the second is refused, and nothing of it is kept."""
    with workshop.opened() as dispatcher:
        number = enlist(dispatcher, name=OWNER)
        dispatcher.persons.add("Ulla Esimerkki", Role.STAFF, dispatcher.persons.acting(None))
        with pytest.raises(RefusedError, match=r"a\*\*\*@p\*\*\*\.example belongs to a client already"):
            enlist(dispatcher, name="Ulla Esimerkki")
        assert [number] == [
            card.number
            for card in dispatcher.desk.known(Channel.EMAIL, "aili@posti.example", dispatcher.persons.acting(None))
        ]
        assert 1 == len(dispatcher.register.history(number))


def test_a_question_that_changed_is_read_out_again(workshop: Workshop) -> None:
    """D-02: nobody vouches for words they did not read: where the question changed meanwhile, nothing is recorded."""
    with workshop.opened() as dispatcher:
        number, old = enlist(dispatcher), reading(dispatcher)

        def change(transaction: Transaction) -> None:
            wordings.add(transaction.connection, "Saako sähköpostitse?", Language.FI, "2", transaction.now)

        dispatcher.store.write(change)
        with pytest.raises(RefusedError, match="The question has been changed meanwhile"):
            dispatcher.desk.answer(number, old, dispatcher.persons.acting(None))
        dispatcher.desk.answer(number, reading(dispatcher), dispatcher.persons.acting(None))
        assert [None, "Saako sähköpostitse?"] == [
            each.wording if each.wording == "Saako sähköpostitse?" else None
            for each in dispatcher.register.history(number)
        ]


@pytest.mark.parametrize(
    ("reply", "place"),
    [(Reply.WITHDRAWN, Place.PHONE), (Reply.NOT_ASKED, Place.PHONE), (Reply.GRANTED, Place.ONE_CLICK)],
)
def test_the_desk_hears_yes_and_no_alone(workshop: Workshop, reply: Reply, place: Place) -> None:
    """Nobody at a counter hears a click, and a no to everything goes its own way."""
    with workshop.opened() as dispatcher:
        number = enlist(dispatcher)
        with pytest.raises(RefusedError, match="The desk records a yes or a no"):
            dispatcher.desk.answer(number, reading(dispatcher, reply, place), dispatcher.persons.acting(None))


def test_the_no_of_a_stranger_meets_who_comes_later(workshop: Workshop) -> None:
    """L-35: a no for an address nobody has silences the client whom the register brings with it, until they say yes."""
    with workshop.opened() as dispatcher:
        dispatcher.desk.withdraw_address("Aili@posti.example", dispatcher.persons.acting(None))
        workshop.clock.advance(timedelta(hours=1))
        dispatcher.enrol.run(workshop.register(ROW), dispatcher.persons.acting(None))
        number = dispatcher.register.find("aili@posti.example")
        standing = dispatcher.desk.card(number, dispatcher.persons.acting(None)).standings[Channel.EMAIL]
        assert (True, Reason.OBJECTION) == (standing.consent.objected, standing.reason)
        workshop.clock.advance(timedelta(hours=1))
        dispatcher.desk.answer(number, reading(dispatcher), dispatcher.persons.acting(None))
        assert dispatcher.desk.card(number, dispatcher.persons.acting(None)).standings[Channel.EMAIL].reason is None


def test_a_no_for_a_known_address_is_its_clients(workshop: Workshop) -> None:
    """A no for an address that somebody has is theirs; what is no address is refused."""
    with workshop.opened() as dispatcher:
        number, actor = enlist(dispatcher), dispatcher.persons.acting(None)
        dispatcher.desk.withdraw_address("aili@POSTI.example", actor)
        assert Reply.WITHDRAWN is dispatcher.register.history(number)[-1].answer.reply
        with pytest.raises(RefusedError, match="is no address"):
            dispatcher.desk.withdraw_address("aili@", actor)


def test_whoever_takes_receipts_is_told(workshop: Workshop) -> None:
    """L-05: a yes at the desk is told to whoever sends receipts, and while one is awaited the card says so."""
    told: list[tuple[int, Place]] = []

    def on_yes(transaction: Transaction, client: Client, said: Said, actor: Actor) -> None:
        del actor
        told.append((client.number, said.place))
        clients.set_awaits_receipt(transaction.connection, client.number, Channel.EMAIL, awaits=True)

    with workshop.opened() as dispatcher:
        number = enlist(dispatcher)
        answering = Answering(dispatcher.store, [on_yes])
        desk = Desk(dispatcher.store, dispatcher.asking, answering, dispatcher.preferences, dispatcher.marks)
        desk.answer(number, reading(dispatcher, place=Place.PHONE), dispatcher.persons.acting(None))
        assert [(number, Place.PHONE)] == told
        standing = desk.card(number, dispatcher.persons.acting(None)).standings[Channel.EMAIL]
        assert (True, Reason.RECEIPT_PENDING) == (standing.awaits_receipt, standing.reason)
