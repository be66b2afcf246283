"""A call of a booking system is taken in once, and its no is kept: whatever else is wrong, and through a restore."""

import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from dispatcher.errors import FieldError, StorageError
from dispatcher.flow import bookings
from dispatcher.flow.api_keys import ApiKey
from dispatcher.flow.calls import Receipt, Told
from dispatcher.flow.meant import meant
from dispatcher.links import OptOut
from dispatcher.rules.consent import Place, Reply
from dispatcher.rules.ledger import EntryKind
from dispatcher.rules.scope import Scope
from dispatcher.storage import answers, ledger
from dispatcher.wiring import Dispatcher, opened
from tests.clock import FixedClock
from tests.flow.booking_calls import (
    EMAIL,
    ERIK,
    MAIJA,
    PHONE,
    SMS,
    WORDS,
    call,
    granted,
    heard,
    house,
    key,
    no,
    population,
    reason,
)
from tests.flow.clicking import leave_by_link

__all__ = ["house", "key"]

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
