"""The calls of booking systems: for whom they mean, and never a yes for an address nobody asked about."""

from dataclasses import replace
from datetime import timedelta

import pytest

from dispatcher.errors import FieldError, NotFoundError
from dispatcher.flow.answering import Said
from dispatcher.flow.api_keys import ApiKey
from dispatcher.flow.calls import Told
from dispatcher.rules.consent import Place, Reply
from dispatcher.wiring import Dispatcher
from tests.clock import FixedClock
from tests.flow.booking_calls import (
    EMAIL,
    ERIK,
    MAIJA,
    PHONE,
    SMS,
    addresses_of,
    call,
    granted,
    heard,
    house,
    key,
    no,
    population,
    reason,
)
from tests.workshop import Workshop

__all__ = ["house", "key"]


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
