"""Service messages and sign-ups as they are kept, on both databases."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from dispatcher.errors import JournalError
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.message import Outcome, OutcomeKind, ServicePurpose
from dispatcher.rules.wishes import More
from dispatcher.storage import installation, services, sign_ups
from dispatcher.storage.services import Asked, Service
from dispatcher.storage.sign_ups import Typed
from dispatcher.storage.store import Store
from dispatcher.storage.tables import SignUpTable
from tests.clock import FixedClock

MAIJA, DAY, HOUR = "maija@posti.example", date(2026, 11, 23), timedelta(hours=1)
ASKED = Asked(ServicePurpose.CONFIRMATION, Channel.EMAIL, MAIJA, Language.FI, {"sign_up": 7})
TYPED = Typed(Channel.EMAIL, MAIJA, "Maija", Language.SV, "0" * 64)


def due(store: Store) -> Service:
    """Ask for a service message and return it as it is due."""
    now = store.clock()
    with store.database.writing() as connection:
        services.add(connection, ASKED, now)
        found = services.next_due(connection, now)
    assert found is not None
    return found


def days(store: Store, since: date = DAY - timedelta(days=30)) -> tuple[date, ...]:
    """Return the dates on which the address got something."""
    with store.reading() as connection:
        return services.days_of(connection, Channel.EMAIL, MAIJA, since)


def test_what_was_asked_for_reads_the_same(store: Store, clock: FixedClock) -> None:
    """Everything a template needs comes back; it is due at once, and under way until it is settled."""
    service = due(store)
    assert (MAIJA, {"sign_up": 7}, Language.FI) == (service.recipient, service.details, service.language)
    assert clock() == service.asked_at == service.due_at
    with store.reading() as connection:
        args = (ServicePurpose.CONFIRMATION, Channel.EMAIL)
        assert services.is_under_way(connection, *args, MAIJA, None)
        assert not services.is_under_way(connection, *args, MAIJA, 7)
        assert not services.is_under_way(connection, *args, "erik@posti.example", None)


def test_it_counts_from_its_intent_unless_it_did_not_go(store: Store, clock: FixedClock) -> None:
    """An intent counts, and so do accepted and unknown; deferred, refused and withheld do not."""
    service = due(store)
    assert () == days(store)
    again = {OutcomeKind.DEFERRED: clock() + HOUR}
    for kind in (OutcomeKind.DEFERRED, OutcomeKind.REFUSED, OutcomeKind.ACCEPTED, OutcomeKind.UNKNOWN):
        with store.database.writing() as connection:
            services.add(connection, ASKED, clock())
            fresh = services.next_due(connection, clock())
            assert fresh is not None
            intended = services.set_intent(connection, fresh, clock(), DAY)
            counted = services.days_of(connection, Channel.EMAIL, MAIJA, DAY - timedelta(days=30))
            assert services.set_outcome(connection, intended, Outcome(kind), "smtp", clock(), again.get(kind))
        expected = len(counted) if kind in {OutcomeKind.ACCEPTED, OutcomeKind.UNKNOWN} else len(counted) - 1
        assert expected == len(days(store))
    assert () == days(store, DAY)
    with store.database.writing() as connection:
        services.set_withheld(connection, service, "too_many")


def test_an_outcome_is_told_once_and_by_its_own_attempt(store: Store, clock: FixedClock) -> None:
    """E-51: a second outcome, or one of an earlier attempt, changes nothing."""
    service = due(store)
    accepted = Outcome(OutcomeKind.ACCEPTED)
    with store.database.writing() as connection:
        intended = services.set_intent(connection, service, clock(), DAY)
        assert not services.is_still_due(connection, service, clock())
        assert not services.set_outcome(connection, service, accepted, "smtp", clock(), None)
        assert services.set_outcome(connection, intended, accepted, "smtp", clock(), None)
        assert not services.set_outcome(connection, intended, accepted, "smtp", clock(), None)


def test_waiting_gives_more_time_only_before_the_first_try(store: Store, clock: FixedClock) -> None:
    """E-50: the 48 hours run from when it first might go; a night in between does not begin them anew."""
    service = due(store)
    later = clock() + HOUR
    with store.database.writing() as connection:
        services.set_waiting(connection, service, "quiet_hours", later)
        assert services.next_due(connection, clock()) is None
        first = services.next_due(connection, later)
        assert first is not None
        assert later == first.due_at
        services.set_waiting(connection, replace(first, attempts=1), "quiet_hours", later + HOUR)
        second = services.next_due(connection, later + HOUR)
        assert second is not None
        assert later == second.due_at


def test_a_channel_rests(store: Store, clock: FixedClock) -> None:
    """What waits for a carrier that is away is not due until it is looked for again; other channels are."""
    due(store)
    with store.database.writing() as connection:
        services.rest(connection, Channel.SMS, clock(), clock() + HOUR)
        assert services.next_due(connection, clock()) is not None
        services.rest(connection, Channel.EMAIL, clock(), clock() + HOUR)
        assert services.next_due(connection, clock()) is None


def test_no_intent_before_the_replay(store: Store, clock: FixedClock) -> None:
    """L-34: a database that waits for its replay writes no intent."""
    service = due(store)
    store.write(lambda transaction: installation.set_needs_replay(transaction.connection, needs=True))
    with store.database.writing() as connection, pytest.raises(JournalError):
        services.set_intent(connection, service, clock(), DAY)


def test_sign_ups_are_found_until_they_are_out_of_date(store: Store, clock: FixedClock) -> None:
    """A sign-up reads the same until its end, then only the purge finds it."""
    ends = clock() + HOUR
    with store.database.writing() as connection:
        numbers = {sign_ups.add(connection, TYPED, clock(), ends) for _ in range(2)}
        assert 2 == len(numbers)
        for number in numbers:
            found = sign_ups.find(connection, number, ends - timedelta(microseconds=1))
            assert found is not None
            assert (MAIJA, "Maija", Language.SV, ends) == (
                found.canonical,
                found.first_name,
                found.language,
                found.expires_at,
            )
            assert sign_ups.find(connection, number, ends) is None
        assert [0, 2, 0] == [sign_ups.purge(connection, moment) for moment in (clock(), ends, ends)]


def test_confirming_one_forgets_all_of_the_address(store: Store, clock: FixedClock) -> None:
    """Every sign-up of an address goes with the one that was confirmed, which forgets whose it was; others stay."""
    ends = clock() + HOUR
    with store.database.writing() as connection:
        mine = sign_ups.add(connection, TYPED, clock(), ends)
        other = sign_ups.add(connection, replace(TYPED, canonical="erik@posti.example"), clock(), ends)
        wish = sign_ups.add(connection, replace(TYPED, client=7, wish=More.RESUME), clock(), ends)
        another = sign_ups.add(connection, TYPED, clock(), ends)
        waiting = sign_ups.find(connection, mine, clock())
        assert waiting is not None
        sign_ups.set_confirmed(connection, waiting, clock())
        assert [None, None] == [sign_ups.find(connection, each, clock()) for each in (mine, another)]
        assert [Language.SV, None] == [sign_ups.confirmed_in(connection, each) for each in (mine, another)]
        kept = connection.execute(
            select(SignUpTable.canonical, SignUpTable.first_name).where(SignUpTable.number == mine)
        ).one()
        assert ("", "") == tuple(kept)
        for still in (other, wish):
            assert sign_ups.find(connection, still, clock()) is not None
