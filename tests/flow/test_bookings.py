"""The calls of booking systems: once each, for whom they mean, and never a yes for an address nobody asked about."""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from dispatcher.errors import FieldError, NotFoundError, StorageError
from dispatcher.flow import bookings
from dispatcher.flow.answering import Said
from dispatcher.flow.api_keys import ApiKey
from dispatcher.flow.calls import Call, Called, Receipt, Told
from dispatcher.flow.meant import meant
from dispatcher.links import OptOut
from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import Place, Reply
from dispatcher.rules.ledger import EntryKind
from dispatcher.rules.scope import Scope
from dispatcher.storage import answers, clients, ledger
from dispatcher.storage.tables import ClientTable
from dispatcher.wiring import Dispatcher, opened
from tests.clock import FixedClock
from tests.flow.clicking import leave_by_link
from tests.workshop import Workshop, build

EMAIL, SMS = Channel.EMAIL, Channel.SMS
MAIJA, ERIK, PHONE = "maija@posti.example", "erik@posti.example", "+358401234567"
WORDS = {EMAIL: "Saako lähettää tarjouksia sähköpostitse?", SMS: "Saako lähettää tarjouksia tekstiviestillä?"}
ROWS = (
    "1;Maija;Meikäläinen;maija@posti.example;;fi;3.1.2026;;;",
    "2;Erik;Exempel;perhe@posti.example;040 123 4568;sv;3.1.2026;;;",
    ";Eeva;Exempel;eeva@posti.example;;fi;3.1.2026;;;",
)


@pytest.fixture
def studio(tmp_path: Path, clock: FixedClock, database_url: str, journal_url: str) -> Workshop:
    """Give an installation on each database."""
    return build(tmp_path / "studio", clock, database_url, journal_url)


@pytest.fixture
def house(studio: Workshop) -> Iterator[Dispatcher]:
    """Give the installation, open, with a register of two customers, and a third person without a customer number."""
    with studio.opened() as dispatcher:
        dispatcher.enrol.run(studio.register(*ROWS), dispatcher.persons.acting(None))
        yield dispatcher


@pytest.fixture
def key(house: Dispatcher) -> ApiKey:
    """Give a booking system's key."""
    return house.api_keys.create("Ajanvaraus", set(Scope), house.persons.acting(None))[0]


def granted(channel: Channel = EMAIL) -> Told:
    """Return a yes in words that name its channel, given now."""
    return Told(Said(Reply.GRANTED, channel, Place.ONLINE, WORDS[channel]))


def no(reply: Reply = Reply.WITHDRAWN, channel: Channel | None = None) -> Told:
    """Return a no given now."""
    return Told(Said(reply, channel, Place.PHONE))


def call(*told: Told, number: str | None = None, name: str = "a", first_name: str = "", **addresses: str) -> Call:
    """Return a call under an idempotency key, about a customer number and addresses by channel."""
    by_channel = {Channel(channel): address for channel, address in addresses.items()}
    return Call(name, repr((told, number, addresses)), Called(number, by_channel, first_name), told)


def heard(house: Dispatcher, email: str) -> list[tuple[Reply, Channel | None]]:
    """Return what a client of the register has answered."""
    client = house.register.find(email)
    with house.store.reading() as connection:
        given = answers.of_clients(connection, [client]).get(client, [])
    return [(answer.reply, answer.channel) for answer in given if answer.reply is not Reply.NOT_ASKED]


def reason(house: Dispatcher, **addresses: str) -> str:
    """Return why a message would not go to who has this address, or "send"."""
    verdict = house.verdicts.of(None, {Channel(channel): address for channel, address in addresses.items()}).verdict
    return str(getattr(verdict, "reason", "send"))


def addresses_of(house: Dispatcher, client: int) -> Mapping[Channel, str]:
    """Return the addresses on record of a client."""
    with house.store.reading() as connection:
        held = clients.read(connection, [client])[client].addresses
    return {channel: address.canonical for channel, address in held.items()}


def population(house: Dispatcher) -> int:
    """Return how many clients there are."""
    with house.store.reading() as connection:
        return connection.scalar(select(func.count()).select_from(ClientTable)) or 0


class TestWhoIsMeant:
    """Customer number, else address, never a name."""

    def test_a_customer_number_beats_every_address(self, house: Dispatcher, key: ApiKey) -> None:
        """The number says who it is, whoever has the addresses."""
        receipt = house.bookings.take(call(no(), number="1", email="perhe@posti.example"), key)
        assert house.register.find(MAIJA) == receipt.body["client"]
        assert [(Reply.WITHDRAWN, None)] == heard(house, MAIJA)

    def test_an_address_finds_a_client(self, house: Dispatcher, key: ApiKey) -> None:
        """Without a number, the client who has the address is meant."""
        receipt = house.bookings.take(call(granted(), email=MAIJA), key)
        assert (house.register.find(MAIJA), False) == (receipt.body["client"], receipt.body["created"])
        assert "send" == reason(house, email=MAIJA)

    def test_a_name_finds_nobody(self, house: Dispatcher, key: ApiKey) -> None:
        """Somebody of the same name with another address is somebody else."""
        before = population(house)
        receipt = house.bookings.take(call(granted(), email="toinen@posti.example", first_name="Maija"), key)
        assert receipt.body["created"]
        assert before + 1 == population(house)

    def test_a_client_without_a_number_gets_it(self, house: Dispatcher, key: ApiKey) -> None:
        """Found by address, a client of no customer number takes the call's; from then on the number finds them."""
        client = house.register.find("eeva@posti.example")
        house.bookings.take(call(no(Reply.DECLINED, EMAIL), number="7", email="eeva@posti.example"), key)
        receipt = house.bookings.take(call(no(Reply.DECLINED, SMS), number="7", name="b"), key)
        assert client == receipt.body["client"]

    def test_two_customers_may_share_an_address(self, house: Dispatcher, key: ApiKey) -> None:
        """A new customer number with a known customer's address is a client of their own; a no of one silences it."""
        receipt = house.bookings.take(call(granted(), number="3", email="perhe@posti.example", first_name="Anna"), key)
        assert receipt.body["created"]
        house.bookings.take(call(no(), number="2", name="b"), key)
        assert "shared_address_objection" == str(house.verdicts.of("3", {}).verdict.reason)  # type: ignore[union-attr]

    def test_a_no_is_kept_for_everybody_who_fits(self, house: Dispatcher, key: ApiKey) -> None:
        """Where several fit, the call is a conflict that says so; its no is kept for all of them, its yes for none."""
        told = call(no(), granted(SMS), email=MAIJA, sms="+358401234568")
        receipt = house.bookings.take(told, key)
        assert receipt.conflict is not None
        assert ("client", True) == (receipt.conflict[0], receipt.conflict[1].startswith("2 clients fit"))
        for email in (MAIJA, "perhe@posti.example"):
            assert [(Reply.WITHDRAWN, None)] == heard(house, email)
        assert 2 == len(receipt.recorded)
        again = house.bookings.take(told, key)
        assert (receipt.body, receipt.conflict, True) == (again.body, again.conflict, again.is_replay)
        assert [(Reply.WITHDRAWN, None)] == heard(house, MAIJA)

    def test_a_number_nobody_has_and_no_address(self, house: Dispatcher, key: ApiKey) -> None:
        """There is nothing to keep even a no for: the caller is told to send an address."""
        with pytest.raises(NotFoundError, match="add the email address"):
            house.bookings.take(call(no(), number="99"), key)


class TestAddresses:
    """L-31: what a call says about addresses changes none that is on record."""

    def test_a_yes_for_another_address_is_refused(self, house: Dispatcher, key: ApiKey) -> None:
        """The yes is about an address the register does not know: it is not recorded, and its no to SMS is."""
        told = call(granted(), no(Reply.DECLINED, SMS), number="1", email="uusi@posti.example")
        receipt = house.bookings.take(told, key)
        assert receipt.conflict is not None
        assert "answers[0]" == receipt.conflict[0]
        assert [(Reply.DECLINED, SMS)] == heard(house, MAIJA)
        assert {EMAIL: MAIJA} == addresses_of(house, house.register.find(MAIJA))
        assert "channel_consent_missing" == reason(house, email="uusi@posti.example")

    def test_a_no_with_another_address_silences_both(self, house: Dispatcher, key: ApiKey) -> None:
        """The client's no stands on record, and the address of the call is suppressed; the register's one is kept."""
        receipt = house.bookings.take(call(no(), number="1", email="uusi@posti.example"), key)
        assert [{"field": "client.email", "detail": "The register holds another email address: it was kept."}] == (
            receipt.body["warnings"]
        )
        assert ("objection", "objection") == (reason(house, email=MAIJA), reason(house, email="uusi@posti.example"))
        assert {EMAIL: MAIJA} == addresses_of(house, house.register.find(MAIJA))

    def test_an_address_the_client_has_none_of_is_joined(self, house: Dispatcher, key: ApiKey) -> None:
        """As by an import: the number of a client without one is taken, and the yes in the same breath opens it."""
        receipt = house.bookings.take(call(granted(SMS), number="1", sms=PHONE), key)
        assert {EMAIL: MAIJA, SMS: PHONE} == addresses_of(house, house.register.find(MAIJA))
        assert [] == receipt.body["warnings"]
        assert "send" == reason(house, sms=PHONE)

    def test_a_yes_needs_an_address(self, house: Dispatcher, key: ApiKey) -> None:
        """A yes to text messages from somebody without a number would open whatever number comes later."""
        with pytest.raises(FieldError, match="name the client's mobile number") as refused:
            house.bookings.take(call(Told(Said(Reply.NOT_ASKED, EMAIL, Place.ONLINE)), granted(SMS), number="1"), key)
        assert "answers[1]" == refused.value.field
        assert [] == heard(house, MAIJA)


TOMORROW = timedelta(days=1)
UNKNOWN = "0" * 64


class TestFaults:
    """Invariant 4: a no is never lost because of something else in its call."""

    @pytest.mark.parametrize(
        ("told", "field", "says"),
        [
            (granted(SMS), "answers[1]", "name the client's mobile number"),
            (Told(replace(granted().said, wording=WORDS[SMS])), "answers[1]", "does not open email"),
            (
                Told(replace(granted().said, wording=None), UNKNOWN),
                "answers[1].wording_sha256",
                "No question on record",
            ),
            (Told(replace(granted().said, wording=None)), "answers[1]", "needs its channel and the words"),
        ],
    )
    def test_a_no_beside_a_yes_that_cannot_be_is_kept(
        self, house: Dispatcher, key: ApiKey, told: Told, field: str, says: str
    ) -> None:
        """The fault is named, the no stands, no yes does; sent again, the same call gets the same receipt."""
        sent = call(no(channel=SMS), told, granted(), number="1")
        receipt = house.bookings.take(sent, key)
        [(named, why)] = receipt.faults
        assert (field, True) == (named, says in why)
        assert [(Reply.WITHDRAWN, SMS)] == heard(house, MAIJA)
        assert 1 == len(receipt.recorded)
        again = house.bookings.take(sent, key)
        assert (receipt.body, receipt.faults, True) == (again.body, again.faults, again.is_replay)
        assert [(Reply.WITHDRAWN, SMS)] == heard(house, MAIJA)

    def test_a_no_of_tomorrow_is_one_of_now(self, house: Dispatcher, key: ApiKey, clock: FixedClock) -> None:
        """A no needs nothing: where its time or words cannot be taken, it was given when it was told."""
        late = replace(no().said, not_before=clock() + TOMORROW, not_after=clock() + TOMORROW)
        assert house.bookings.take(call(Told(late, UNKNOWN), email=MAIJA), key).faults
        with house.store.reading() as connection:
            *_, given = answers.of_clients(connection, [house.register.find(MAIJA)]).popitem()[1]
        assert (Reply.WITHDRAWN, clock()) == (given.reply, given.not_after)

    def test_a_no_is_kept_for_everybody_who_fits(self, house: Dispatcher, key: ApiKey) -> None:
        """Several fit, and a yes is bad beside: all of them are silent."""
        receipt = house.bookings.take(call(no(), granted(), email=MAIJA, sms="+358401234568"), key)
        assert receipt.conflict is not None
        sent = call(no(), Told(replace(granted().said, wording=None)), name="b", email=MAIJA, sms="+358401234568")
        assert 2 == len(house.bookings.take(sent, key).recorded)

    @pytest.mark.parametrize("reply", [Reply.DECLINED, Reply.WITHDRAWN])
    def test_a_stranger_is_silent_and_enlisted_nowhere(self, house: Dispatcher, key: ApiKey, reply: Reply) -> None:
        """Nobody fits: the keyed hash of the address refuses, and nothing of who it may be is kept."""
        before = population(house)
        bad = Told(replace(granted().said, wording=None))
        receipt = house.bookings.take(call(no(reply), bad, number="9", first_name="Erik", email=ERIK), key)
        assert (1, before) == (len(receipt.recorded), population(house))
        assert "objection" == reason(house, email=ERIK)

    def test_it_survives_the_way_back(self, house: Dispatcher, key: ApiKey, tmp_path: Path) -> None:
        """The no of a refused call is in the journal like every other."""
        house.safekeeping.backup(tmp_path / "copy")
        house.bookings.take(call(no(), granted(SMS), email=MAIJA), key)
        house.safekeeping.restore(tmp_path / "copy")
        house.safekeeping.replay(house.persons.acting(None))
        assert "objection" == reason(house, email=MAIJA)


class TestStrangers:
    """Whom the register does not know."""

    def test_the_next_import_joins_them(self, house: Dispatcher, key: ApiKey, studio: Workshop) -> None:
        """A client from a call is the client of the register's row with their customer number, answers and all."""
        client = house.bookings.take(call(granted(), number="9", email=ERIK, first_name="Erik"), key).body["client"]
        row = "9;Erik;Exempel;erik@posti.example;;sv;23.11.2026;;;"
        house.enrol.run(studio.register(row), house.persons.acting(None))
        assert client == house.register.find(ERIK)
        assert "send" == reason(house, email=ERIK)

    @pytest.mark.parametrize("reply", [Reply.DECLINED, Reply.WITHDRAWN])
    def test_a_bare_no_leaves_a_suppression_and_no_client(self, house: Dispatcher, key: ApiKey, reply: Reply) -> None:
        """D-02: the keyed hash of the address is kept and nothing else; it refuses a yes from before."""
        before = population(house)
        receipt = house.bookings.take(call(no(reply), email=ERIK), key)
        assert (None, before) == (receipt.body["client"], population(house))
        assert "objection" == reason(house, email=ERIK)
        early = Told(replace(granted().said, not_before=house.store.clock() - timedelta(days=1)))
        house.bookings.take(call(early, email=ERIK, name="b"), key)
        assert "objection" == reason(house, email=ERIK)

    def test_a_no_of_a_customer_enlists_them(self, house: Dispatcher, key: ApiKey) -> None:
        """Somebody with a customer number is in the register soon; their no is on record before their row is."""
        receipt = house.bookings.take(call(no(Reply.DECLINED, EMAIL), number="9", email=ERIK), key)
        assert receipt.body["created"]
        assert [(Reply.DECLINED, EMAIL)] == heard(house, ERIK)

    def test_a_yes_lifts_a_suppression_only_if_it_is_later(
        self, house: Dispatcher, key: ApiKey, clock: FixedClock
    ) -> None:
        """L-36: the explicit yes of a later day opens an address that its owner had closed."""
        house.bookings.take(call(no(), email=ERIK), key)
        clock.advance(timedelta(days=1))
        house.bookings.take(call(granted(), email=ERIK, name="b"), key)
        assert "send" == reason(house, email=ERIK)


class TestOnce:
    """The same call twice, and two at once."""

    def test_a_call_belongs_to_its_booking_system(self, house: Dispatcher, key: ApiKey) -> None:
        """Two booking systems may give two calls one name."""
        other = house.api_keys.create("Toinen", set(Scope), house.persons.acting(None))[0]
        first = house.bookings.take(call(no(channel=EMAIL), email=MAIJA), key)
        second = house.bookings.take(call(no(channel=SMS), email=MAIJA), other)
        assert (False, False) == (first.is_replay, second.is_replay)
        assert 2 == len(heard(house, MAIJA))

    def test_two_at_once_are_one(self, house: Dispatcher, key: ApiKey) -> None:
        """Eight processes' worth of the same call make one client and one answer, and all get the same receipt."""
        told = call(granted(), email=ERIK, first_name="Erik")
        before = population(house)
        receipts: list[Receipt] = []
        together = threading.Barrier(8)

        def tell() -> None:
            with opened(house.directory, house.store.clock) as own:
                together.wait()
                receipts.append(own.bookings.take(told, key))

        threads = [threading.Thread(target=tell) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [False] + [True] * 7 == sorted(receipt.is_replay for receipt in receipts)
        assert all(receipts[0].body == receipt.body for receipt in receipts)
        assert before + 1 == population(house)
        assert [(Reply.GRANTED, EMAIL)] == heard(house, ERIK)

    @pytest.mark.parametrize(("times", "is_kept"), [(2, True), (99, False)])
    def test_who_is_meant_is_asked_again_under_the_lock(
        self, house: Dispatcher, key: ApiKey, times: int, *, is_kept: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Where somebody became a client meanwhile, the call is taken in anew; where that never ends, nothing is."""
        looks = iter(range(99))

        def blind_at_first(*about: Any) -> frozenset[int]:
            look = next(looks)
            return frozenset() if look % 2 == 0 and look < times else meant(*about)

        monkeypatch.setattr(bookings, "meant", blind_at_first)
        if is_kept:
            receipt = house.bookings.take(call(granted(), email=MAIJA), key)
            assert (house.register.find(MAIJA), False) == (receipt.body["client"], receipt.body["created"])
        else:
            with pytest.raises(StorageError, match="Send the same call again"):
                house.bookings.take(call(granted(), email=MAIJA), key)
            assert [] == heard(house, MAIJA)

    def test_a_refused_call_leaves_its_name_free(self, house: Dispatcher, key: ApiKey) -> None:
        """What was refused and corrected may be sent under the same name."""
        wrong = Told(replace(granted().said, wording=WORDS[SMS]))
        with pytest.raises(FieldError, match="does not open email"):
            house.bookings.take(call(wrong, email=MAIJA), key)
        assert not house.bookings.take(call(granted(), email=MAIJA), key).is_replay

    def test_what_is_kept_of_a_call_names_nobody(self, house: Dispatcher, key: ApiKey) -> None:
        """L-35: neither the call's name nor its body is kept, and no address is in the receipt."""
        house.bookings.take(call(no(), granted(SMS), email=ERIK, sms=PHONE, number="9", name="booking-9"), key)
        with house.store.reading() as connection:
            rows = connection.exec_driver_sql("SELECT scope, key, result FROM idempotency WHERE scope = 'api'").all()
        assert 1 == len(rows)
        assert [] == [word for word in (ERIK, PHONE, "booking-9") if word in repr(rows)]


def test_a_no_survives_the_way_back(house: Dispatcher, key: ApiKey, tmp_path: Path) -> None:
    """Invariant 4: a client's no, and that of an address on no record, are brought back after a restore."""
    house.safekeeping.backup(tmp_path / "copy")
    house.bookings.take(call(no(), number="1", email="uusi@posti.example"), key)
    house.bookings.take(call(no(Reply.DECLINED), email=ERIK, name="b"), key)
    house.safekeeping.restore(tmp_path / "copy")
    assert "channel_consent_missing" == reason(house, email=MAIJA)
    house.safekeeping.replay(house.persons.acting(None))
    assert {"objection"} == {reason(house, email=address) for address in (MAIJA, "uusi@posti.example", ERIK)}


@pytest.mark.parametrize("number", [None, "9"])
def test_who_was_forgotten_comes_back_under_their_number(
    house: Dispatcher, key: ApiKey, tmp_path: Path, number: str | None
) -> None:
    """Invariant 4: links sent before a restore carry the number, so whom a call brings back gets it again."""
    house.safekeeping.backup(tmp_path / "copy")
    told = call(granted(), number=number, email=ERIK, first_name="Erik")
    client = house.bookings.take(told, key).body["client"]
    assert isinstance(client, int)
    token = house.links.token(OptOut(client, EMAIL))
    house.safekeeping.restore(tmp_path / "copy")
    house.safekeeping.replay(house.persons.acting(None))
    leave_by_link(house.preferences, token, Place.ONE_CLICK)
    assert client == house.bookings.take(told, key).body["client"]
    assert "objection" == reason(house, email=ERIK)


def test_the_ledger_names_nobody(house: Dispatcher, key: ApiKey) -> None:
    """L-46: what a call leaves in the ledger holds numbers, no name, no address, no booking."""
    said = replace(granted().said, booking="V-88231")
    house.bookings.take(call(Told(said), number="9", email=ERIK, first_name="Erik"), key)
    with house.store.reading() as connection:
        bodies = [entry.body for entry in ledger.entries(connection, [EntryKind.ANSWER, EntryKind.CLIENT])]
    assert [] == [word for word in (ERIK, "Erik", "V-88231") if any(word in body for body in bodies)]
