"""E-46, X-04: a sign-up changes nothing until the address itself has confirmed it; then it is a yes like any other."""

from datetime import timedelta

import pytest
from sqlalchemy import literal_column, select, table

from dispatcher.errors import LinkError, RefusedError
from dispatcher.flow import sign_up
from dispatcher.flow.recording import suppress_stranger
from dispatcher.keys import KeyRing
from dispatcher.links import OptOut
from dispatcher.rules.actor import Actor, ActorKind
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.consent import Answer, ConsentState, Place, Reply, fold
from dispatcher.storage import answers, clients, installation
from dispatcher.storage.clients import Client
from dispatcher.storage.database import Connection
from dispatcher.storage.sign_ups import Waiting
from dispatcher.storage.store import Store
from dispatcher.storage.tables import SignUpTable
from dispatcher.texts import text
from dispatcher.wiring import Dispatcher
from tests.flow.clicking import leave_by_link
from tests.flow.joining import MAIJA, enable_sign_up, join, may_write, plain, serve, standing, token
from tests.workshop import Doubles, Workshop

ROW = "1;Maija;Meikäläinen;maija@posti.example;;fi;3.1.2026;kyllä;;3.1.2026"
OTHER = "2;Matti;Meikäläinen;maija@posti.example;;fi;3.1.2026;;;"


@pytest.fixture(autouse=True)
def page(workshop: Workshop) -> None:
    """Let every workshop here have the page, for both channels."""
    enable_sign_up(workshop, "email", "sms")


def register(workshop: Workshop, dispatcher: Dispatcher, *rows: str) -> None:
    """Import these rows."""
    dispatcher.enrol.run(workshop.register(*rows), dispatcher.persons.acting(None))


def holders(store: Store, address: str = MAIJA) -> list[int]:
    """Return who has an address."""
    with store.reading() as connection:
        channel = Channel.EMAIL if "@" in address else Channel.SMS
        return sorted(clients.by_address(connection, [(channel, address)]).get((channel, address), ()))


def told(store: Store, number: int) -> list[Answer]:
    """Return what a client has answered."""
    with store.reading() as connection:
        return answers.of_clients(connection, [number]).get(number, [])


def client(store: Store, number: int) -> Client:
    """Return a client."""
    with store.reading() as connection:
        return clients.read(connection, [number])[number]


def mailed_token(dispatcher: Dispatcher, doubles: Doubles) -> str:
    """Hand over what waits and return the token in the newest mail."""
    serve(dispatcher)
    return token(plain(doubles.smtp.received[-1].content))


def register_of(store: Store) -> dict[str, list[tuple[object, ...]]]:
    """Return everything the register and the answers consist of, and the journal: what no sign-up may change."""
    with store.reading() as connection:
        names = ("client", "address", "client_address", "suppression", "ledger_entry")
        found: dict[str, list[tuple[object, ...]]] = {
            name: sorted(map(tuple, connection.execute(select(literal_column("*")).select_from(table(name)))), key=repr)
            for name in names
        }
    found["ledger_entry"] = [row for row in found["ledger_entry"] if "service" not in row]
    return found | {"journal": [(record.as_json(),) for record in store.journal.records()]}


def test_a_stranger_who_confirms_becomes_a_client(workshop: Workshop, doubles: Doubles) -> None:
    """The answer is a yes, said by the client on the page, now, to the very words they were shown."""
    with workshop.opened() as dispatcher:
        join(dispatcher, "Maija@Posti.example", Language.SV)
        link = mailed_token(dispatcher, doubles)
        assert [] == holders(dispatcher.store)
        workshop.clock.advance(timedelta(minutes=5))
        assert dispatcher.sign_up.confirm(link)
        (number,) = holders(dispatcher.store)
        (answer,) = told(dispatcher.store, number)
        known = client(dispatcher.store, number)
        assert (Reply.GRANTED, Channel.EMAIL, Place.SIGN_UP) == (answer.reply, answer.channel, answer.place)
        assert workshop.clock() == answer.not_before == answer.not_after
        assert ("Maija", Language.SV) == (known.first_name, known.language)
        (entry,) = dispatcher.register.history(number)
        assert text("question_email", Language.SV) == entry.wording
        assert may_write(dispatcher, number)


def test_a_client_with_that_address_gets_the_yes(workshop: Workshop, doubles: Doubles) -> None:
    """Where exactly one client has the address, it is theirs; their name stays as the register has it."""
    with workshop.opened() as dispatcher:
        register(workshop, dispatcher, ROW.replace("kyllä;;3.1.2026", ";;"))
        (number,) = holders(dispatcher.store)
        join(dispatcher, first_name="Joku")
        assert dispatcher.sign_up.confirm(mailed_token(dispatcher, doubles))
        assert [number] == holders(dispatcher.store)
        assert "Maija" == client(dispatcher.store, number).first_name
        assert Place.SIGN_UP is told(dispatcher.store, number)[-1].place
        assert may_write(dispatcher, number)


def test_of_several_with_one_address_nobody_is_guessed(workshop: Workshop, doubles: Doubles) -> None:
    """Where several share the address, whoever confirmed becomes a client of their own, and the others stay."""
    with workshop.opened() as dispatcher:
        register(workshop, dispatcher, ROW, OTHER)
        before = {number: told(dispatcher.store, number) for number in holders(dispatcher.store)}
        join(dispatcher)
        assert dispatcher.sign_up.confirm(mailed_token(dispatcher, doubles))
        assert 3 == len(holders(dispatcher.store))
        assert before == {number: told(dispatcher.store, number) for number in before}


def test_a_third_partys_sign_up_overturns_no_no(workshop: Workshop, doubles: Doubles) -> None:
    """Whoever types somebody else's address changes nothing about them, however often, pressed or looked at."""
    with workshop.opened() as dispatcher:
        register(workshop, dispatcher, ROW)
        (number,) = holders(dispatcher.store)
        dispatcher.preferences.withdraw(number, dispatcher.persons.acting(None))
        before = register_of(dispatcher.store)
        for _ in range(3):
            join(dispatcher)
        link = mailed_token(dispatcher, doubles)
        for _ in range(3):
            assert dispatcher.sign_up.look(link) is not None
        workshop.clock.advance(timedelta(days=8))
        dispatcher.sign_up.purge()
        assert not dispatcher.sign_up.confirm(link)
        assert before == register_of(dispatcher.store)


def test_the_address_itself_lifts_its_own_no(workshop: Workshop, doubles: Doubles) -> None:
    """A yes confirmed from the address is a later explicit yes: it lifts the objection, and a later no beats it."""
    with workshop.opened() as dispatcher:
        owner = dispatcher.persons.acting(None)
        register(workshop, dispatcher, ROW)
        (number,) = holders(dispatcher.store)
        dispatcher.preferences.withdraw(number, owner)
        workshop.clock.advance(timedelta(hours=1))
        join(dispatcher)
        dispatcher.sign_up.confirm(mailed_token(dispatcher, doubles))
        assert may_write(dispatcher, number)
        workshop.clock.advance(timedelta(hours=1))
        leave_by_link(dispatcher.preferences, dispatcher.links.token(OptOut(number, Channel.EMAIL)), Place.LINK)
        assert not may_write(dispatcher, number)


def test_a_strangers_suppression_is_lifted_as_well(workshop: Workshop, doubles: Doubles) -> None:
    """L-36: a keyed hash of the address yields to the yes that the address confirms, and to nothing before it."""
    with workshop.opened() as dispatcher:
        now = workshop.clock()
        no = Answer(0, Reply.WITHDRAWN, None, now, now, now, Place.DESK)
        dispatcher.store.write(
            lambda transaction: suppress_stranger(
                transaction, dispatcher.store.ring, no, Actor(ActorKind.CLIENT), {Channel.EMAIL: MAIJA}
            )
        )
        workshop.clock.advance(timedelta(hours=1))
        join(dispatcher)
        dispatcher.sign_up.confirm(mailed_token(dispatcher, doubles))
        (number,) = holders(dispatcher.store)
        assert may_write(dispatcher, number)


def test_a_no_after_the_asking_is_heard_until_the_press(workshop: Workshop, doubles: Doubles) -> None:
    """The yes is said when the button is pressed: a no from in between came before it, one from after beats it."""
    with workshop.opened() as dispatcher:
        register(workshop, dispatcher, ROW)
        (number,) = holders(dispatcher.store)
        join(dispatcher)
        link = mailed_token(dispatcher, doubles)
        dispatcher.preferences.withdraw(number, dispatcher.persons.acting(None))
        assert not may_write(dispatcher, number)
        workshop.clock.advance(timedelta(hours=1))
        dispatcher.sign_up.confirm(link)
        assert may_write(dispatcher, number)


def test_a_link_works_once(workshop: Workshop, doubles: Doubles) -> None:
    """Used, it confirms nothing more: a no said since stands, whoever presses the old button."""
    with workshop.opened() as dispatcher:
        join(dispatcher)
        link = mailed_token(dispatcher, doubles)
        assert (True, False) == (dispatcher.sign_up.confirm(link), dispatcher.sign_up.confirm(link))
        assert dispatcher.sign_up.look(link) is None
        (number,) = holders(dispatcher.store)
        assert 1 == len(told(dispatcher.store, number))


def test_a_link_works_for_its_days(workshop: Workshop, doubles: Doubles) -> None:
    """It is out of date to the second, and the row goes with the duty."""
    with workshop.opened() as dispatcher:
        join(dispatcher)
        asked_at = workshop.clock()
        link = mailed_token(dispatcher, doubles)
        workshop.clock.set(asked_at + timedelta(days=7, seconds=-1))
        dispatcher.sign_up.purge()
        assert dispatcher.sign_up.look(link) is not None
        workshop.clock.set(asked_at + timedelta(days=7))
        assert dispatcher.sign_up.look(link) is None
        assert not dispatcher.sign_up.confirm(link)
        dispatcher.sign_up.purge()
        with dispatcher.store.reading() as connection:
            assert [] == connection.execute(select(SignUpTable)).all()


def test_confirming_shows_that_the_address_lives(workshop: Workshop, doubles: Doubles) -> None:
    """The address is confirmed, awaits no receipt, and is dead no longer."""
    with workshop.opened() as dispatcher:
        register(workshop, dispatcher, ROW)
        (number,) = holders(dispatcher.store)
        address = client(dispatcher.store, number).addresses[Channel.EMAIL].id
        with dispatcher.store.database.writing() as connection:
            clients.mark_dead(connection, address, "5.1.1", workshop.clock())
            clients.set_awaits_receipt(connection, number, Channel.EMAIL, awaits=True)
        join(dispatcher)
        dispatcher.sign_up.confirm(mailed_token(dispatcher, doubles))
        held = client(dispatcher.store, number).addresses[Channel.EMAIL]
        assert (False, False) == (held.dead, held.awaits_receipt)
        assert may_write(dispatcher, number)


def test_no_yes_is_taken_from_a_child(workshop: Workshop, doubles: Doubles) -> None:
    """L-11: a client marked a child cannot sign up, and nothing is left of the try: not even by a mail from before."""
    with workshop.opened() as dispatcher:
        register(workshop, dispatcher, ROW)
        (number,) = holders(dispatcher.store)
        join(dispatcher)
        link = mailed_token(dispatcher, doubles)
        with dispatcher.store.database.writing() as connection:
            clients.update_client(connection, number, {"child": True})
        before = register_of(dispatcher.store)
        with pytest.raises(RefusedError):
            dispatcher.sign_up.confirm(link)
        assert before == register_of(dispatcher.store)


def test_a_holder_who_comes_in_between_is_seen(
    workshop: Workshop, doubles: Doubles, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has the address is looked at again under the locks: a client imported in between gets the yes."""
    with workshop.opened() as dispatcher:
        join(dispatcher)
        link = mailed_token(dispatcher, doubles)
        look = sign_up._holders
        seen: list[int] = []

        def late(connection: Connection, ring: KeyRing, waiting: Waiting) -> frozenset[int]:
            found = look(connection, ring, waiting)
            if not seen:
                seen.append(1)
                register(workshop, dispatcher, ROW)
            return found

        monkeypatch.setattr(sign_up, "_holders", late)
        assert dispatcher.sign_up.confirm(link)
        (number,) = holders(dispatcher.store)
        assert Place.SIGN_UP in {answer.place for answer in told(dispatcher.store, number)}


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  Anna   Maria ", "Anna Maria"),
        ("Ánte-Jussá", "Ánte-Jussá"),
        ("O'Hara", "O'Hara"),
        ("https://evil.example", ""),
        ("=?utf-8?q?x?=", ""),
        ("=1+1", ""),
        ("\N{RIGHT-TO-LEFT OVERRIDE}anna", ""),
        ("A" * 41, ""),
    ],
)
def test_only_a_name_is_kept_as_a_name(workshop: Workshop, doubles: Doubles, typed: str, kept: str) -> None:
    """E-36: what is no name is dropped; the sign-up itself goes on."""
    with workshop.opened() as dispatcher:
        join(dispatcher, first_name=typed)
        dispatcher.sign_up.confirm(mailed_token(dispatcher, doubles))
        (number,) = holders(dispatcher.store)
        assert kept == client(dispatcher.store, number).first_name


def test_a_number_signs_up_for_text_messages(workshop: Workshop, doubles: Doubles) -> None:
    """A yes confirmed by text message opens text messages, and nothing else."""
    with workshop.opened() as dispatcher:
        join(dispatcher, "040 123 4567")
        serve(dispatcher)
        assert dispatcher.sign_up.confirm(token(doubles.twilio.received[0].text))
        (number,) = holders(dispatcher.store, "+358401234567")
        assert [Channel.SMS] == [answer.channel for answer in told(dispatcher.store, number)]


def test_other_links_confirm_nothing(workshop: Workshop, doubles: Doubles) -> None:
    """X-04: an opt-out token, and whatever was not made here, is refused."""
    with workshop.opened() as dispatcher:
        join(dispatcher)
        link = mailed_token(dispatcher, doubles)
        number = dispatcher.sign_up.links.read(link).sign_up
        for wrong in (dispatcher.links.token(OptOut(number, Channel.EMAIL)), link[:-4] + "aaaa", ""):
            with pytest.raises(LinkError):
                dispatcher.sign_up.look(wrong)
            with pytest.raises(LinkError):
                dispatcher.sign_up.confirm(wrong)
        with pytest.raises(LinkError):
            leave_by_link(dispatcher.preferences, link, Place.LINK)


def test_a_restore_brings_no_used_link_back(workshop: Workshop, doubles: Doubles) -> None:
    """A copy may hold a sign-up that was confirmed since: after the replay its link confirms nothing."""
    with workshop.opened() as dispatcher:
        join(dispatcher)
        link = mailed_token(dispatcher, doubles)
        dispatcher.store.write(lambda transaction: installation.set_needs_replay(transaction.connection, needs=True))
        dispatcher.safekeeping.replay(dispatcher.persons.acting(None))
        assert not dispatcher.sign_up.confirm(link)


def test_consent_is_what_the_fold_says(workshop: Workshop, doubles: Doubles) -> None:
    """A confirmed sign-up lasts a year like every yes."""
    with workshop.opened() as dispatcher:
        join(dispatcher)
        dispatcher.sign_up.confirm(mailed_token(dispatcher, doubles))
        (number,) = holders(dispatcher.store)
        given = told(dispatcher.store, number)
        assert ConsentState.GRANTED is fold(given, Channel.EMAIL, workshop.clock()).state
        later = workshop.clock() + timedelta(days=365)
        assert ConsentState.EXPIRED is fold(given, Channel.EMAIL, later).state


def test_no_confirmation_goes_to_a_child(workshop: Workshop, doubles: Doubles) -> None:
    """L-11: an address that is a child's alone gets no mail, and the page says nothing of it; a shared one does."""
    with workshop.opened() as dispatcher:
        register(workshop, dispatcher, ROW)
        dispatcher.marks.mark_child(dispatcher.register.find(MAIJA), dispatcher.persons.acting(None))
        join(dispatcher)
        serve(dispatcher)
        assert [("confirmation", "withheld", "child")] == standing(dispatcher.store)
        assert [] == doubles.mailed()
        register(workshop, dispatcher, OTHER)
        join(dispatcher)
        serve(dispatcher)
    assert [MAIJA] == doubles.mailed()
