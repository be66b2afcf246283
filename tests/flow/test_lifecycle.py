"""The life of a campaign: which act may follow in which state, and what each leaves behind."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from dispatcher.errors import NotFoundError, RefusedError
from dispatcher.flow.lifecycle import LATE
from dispatcher.rules.actor import Actor
from dispatcher.rules.campaign import MOVES, Campaign, Channel, Kind, State
from dispatcher.rules.ledger import EntryKind
from dispatcher.storage import campaigns, ledger
from dispatcher.storage.writer import Transaction
from dispatcher.wiring import Dispatcher
from tests.workshop import Workshop

MOMENT = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)
Act = Callable[[Dispatcher, str, Actor], None]
ACTS: dict[str, Act] = {
    "hold": lambda dispatcher, name, actor: dispatcher.lifecycle.hold(name, actor),
    "release": lambda dispatcher, name, actor: dispatcher.lifecycle.release(name, actor),
    "cancel": lambda dispatcher, name, actor: dispatcher.lifecycle.cancel(name, actor),
}


def take(dispatcher: Dispatcher, name: str, moment: datetime = MOMENT) -> int:
    """Give a bare campaign its slot and return its number."""
    campaign = Campaign(name, f"Kampanja {name}", Kind.OFFER, moment, (Channel.EMAIL,), {}, "offer")
    return dispatcher.schedule.take(campaign, {}, dispatcher.persons.acting(None)).id


def put(dispatcher: Dispatcher, number: int, state: State, *, has_begun: bool) -> None:
    """Put a campaign into a state, begun or not, however it came there."""

    def work(transaction: Transaction) -> None:
        if has_begun:
            campaigns.set_begun(transaction.connection, number, transaction.now)
            campaigns.spend_slot(transaction.connection, number, MOMENT.date())
        campaigns.set_state(transaction.connection, number, state, transaction.now)

    dispatcher.store.write(work)


def told(dispatcher: Dispatcher, number: int) -> list[tuple[str, object]]:
    """Return what the ledger tells of a campaign: kinds and events."""
    with dispatcher.store.reading() as connection:
        kept = [entry for entry in ledger.entries(connection) if entry.campaign == number]
    return [(entry.kind, entry.data().get("event")) for entry in kept]


def taken_slots(dispatcher: Dispatcher) -> int:
    """Return how many slots are taken or spent around the moment."""
    with dispatcher.store.reading() as connection:
        return len(campaigns.slots_near(connection, MOMENT.date()))


def test_every_act_in_every_state(workshop: Workshop) -> None:
    """Hold, release and cancel do what MOVES allows from each state, begun or not, and nothing else."""
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        for state in State:
            for has_begun in (False, True):
                back = State.SENDING if has_begun else State.SCHEDULED
                aims = {"hold": State.HELD, "release": back, "cancel": State.CANCELLED}
                for act, aim in aims.items():
                    name = f"{state.value}-{act}-{has_begun}".lower()
                    # Twelve a year are too few for thirty combinations: each has its slot only while it is tried.
                    number = take(dispatcher, name)
                    put(dispatcher, number, state, has_begun=has_begun)
                    allowed = aim in MOVES[state] and (act != "release" or state is State.HELD)
                    before = told(dispatcher, number)
                    if allowed:
                        ACTS[act](dispatcher, name, actor)
                        assert told(dispatcher, number)[len(before)] == (EntryKind.CAMPAIGN.value, aim.value), name
                    else:
                        with pytest.raises(RefusedError, match=name):
                            ACTS[act](dispatcher, name, actor)
                        assert before == told(dispatcher, number), name
                    with dispatcher.store.reading() as connection:
                        assert campaigns.by_id(connection, number).state is (aim if allowed else state), name
                    forget(dispatcher, number)


def forget(dispatcher: Dispatcher, number: int) -> None:
    """Give the slot of a campaign to the next."""
    dispatcher.store.write(lambda transaction: campaigns.return_slot(transaction.connection, number))


def test_a_refusal_says_what_is_allowed(workshop: Workshop) -> None:
    """A move that is not allowed names the state and the moves there are; of an ended campaign there are none."""
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        take(dispatcher, "a")
        with pytest.raises(RefusedError, match="a is scheduled, not held: there is nothing to release"):
            dispatcher.lifecycle.release("a", actor)
        dispatcher.lifecycle.hold("a", actor)
        with pytest.raises(RefusedError, match="a is held and cannot become held"):
            dispatcher.lifecycle.hold("a", actor)
        dispatcher.lifecycle.cancel("a", actor)
        with pytest.raises(RefusedError, match=r"cancelled and cannot become held.*nothing: it has ended"):
            dispatcher.lifecycle.hold("a", actor)
        with pytest.raises(NotFoundError, match="`dispatcher campaign list`"):
            dispatcher.lifecycle.hold("b", actor)


def test_a_cancelled_campaign_is_still_known(workshop: Workshop) -> None:
    """A cancelled campaign can be looked at by its name, until another goes by it."""
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        first = take(dispatcher, "a")
        dispatcher.lifecycle.cancel("a", actor)
        assert (first, State.CANCELLED) == (dispatcher.lifecycle.named("a").id, dispatcher.lifecycle.named("a").state)
        second = take(dispatcher, "a")
        assert second == dispatcher.lifecycle.named("a").id
        dispatcher.lifecycle.cancel("a", actor)
        assert second == dispatcher.lifecycle.named("a").id


@pytest.mark.parametrize("has_begun", [False, True])
def test_a_slot_comes_back_only_unspent(workshop: Workshop, *, has_begun: bool) -> None:
    """Invariant 3: cancelled before its first hand-off a campaign gives its slot back, afterwards it has spent it."""
    with workshop.opened() as dispatcher:
        number = take(dispatcher, "a")
        if has_begun:
            put(dispatcher, number, State.SENDING, has_begun=True)
        dispatcher.lifecycle.cancel("a", dispatcher.persons.acting(None))
        assert int(has_begun) == taken_slots(dispatcher)
        returned = (EntryKind.SLOT.value, "returned") in told(dispatcher, number)
        assert returned is not has_begun


def test_the_grace_counts_from_the_release(workshop: Workshop) -> None:
    """Invariant 6: late by a second more than the grace is held; released, it is due at once and not late again."""
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        take(dispatcher, "a")
        workshop.clock.set(MOMENT + dispatcher.policy.grace)
        assert ["a"] == [each.name for each in dispatcher.lifecycle.due(actor)]
        workshop.clock.advance(timedelta(seconds=1))
        assert [] == dispatcher.lifecycle.due(actor)
        assert LATE == dispatcher.lifecycle.named("a").held_reason
        workshop.clock.advance(timedelta(hours=5))
        dispatcher.lifecycle.release("a", actor)
        assert [workshop.clock()] == [each.send_at for each in dispatcher.lifecycle.due(actor)]
        assert dispatcher.lifecycle.named("a").held_reason is None


def test_released_before_its_moment_it_waits_for_it(workshop: Workshop) -> None:
    """A campaign held and released ahead of its moment keeps that moment."""
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        take(dispatcher, "a")
        dispatcher.lifecycle.hold("a", actor)
        dispatcher.lifecycle.release("a", actor)
        assert (MOMENT, []) == (dispatcher.lifecycle.named("a").send_at, dispatcher.lifecycle.due(actor))


def test_campaigns_are_due_earliest_first(workshop: Workshop) -> None:
    """What is due is worked on in the order of its moments; what is held, cancelled or to come is not there."""
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        for name, minutes in (("c", 30), ("a", 10), ("b", 20), ("held", 5), ("gone", 5), ("later", 300)):
            take(dispatcher, name, MOMENT + timedelta(minutes=minutes))
        dispatcher.lifecycle.hold("held", actor)
        dispatcher.lifecycle.cancel("gone", actor)
        workshop.clock.set(MOMENT + timedelta(minutes=40))
        assert ["a", "b", "c"] == [each.name for each in dispatcher.lifecycle.due(actor)]
        assert ["gone", "held", "a", "b", "c", "later"] == sorted(
            (each.name for each in dispatcher.lifecycle.all()), key=["gone", "held", "a", "b", "c", "later"].index
        )
