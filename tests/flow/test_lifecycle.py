"""The life of a campaign: which act may follow in which state, and what each leaves behind."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from dispatcher.errors import NotFoundError, RefusedError
from dispatcher.flow import acts
from dispatcher.flow.lifecycle import LATE
from dispatcher.rules.actor import Actor
from dispatcher.rules.campaign import Campaign, Channel, Kind, State
from dispatcher.rules.ledger import EntryKind
from dispatcher.rules.life import Act, No, Stage, after, stage_of
from dispatcher.storage import campaigns, ledger, slots
from dispatcher.storage.campaigns import Scheduled
from dispatcher.storage.writer import Transaction
from dispatcher.wiring import Dispatcher
from tests.workshop import Workshop

MOMENT = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)
STAGES: Mapping[Stage, tuple[Act, ...]] = {
    Stage.RESERVED: (),
    Stage.DRAFT: (Act.REVISE,),
    Stage.SCHEDULED: (),
    Stage.SENDING: (Act.BEGIN,),
    Stage.HELD: (Act.HOLD,),
    Stage.HELD_BEGUN: (Act.BEGIN, Act.HOLD),
    Stage.FINISHED: (Act.BEGIN, Act.FINISH),
    Stage.CANCELLED: (Act.CANCEL,),
}
"""By which acts a campaign comes to each stage, from the one it gets its slot at."""
EVENTS = {Act.REVISE: "revised", Act.LAPSE: "lapsed", Act.BEGIN: "begun"}
DOORS: Mapping[Act, Callable[[Dispatcher, str, Actor], object]] = {
    Act.HOLD: lambda dispatcher, name, actor: dispatcher.lifecycle.hold(name, actor),
    Act.RELEASE: lambda dispatcher, name, actor: dispatcher.lifecycle.release(name, actor),
    Act.REVISE: lambda dispatcher, name, actor: dispatcher.lifecycle.revise(name, actor),
    Act.CANCEL: lambda dispatcher, name, actor: dispatcher.lifecycle.cancel(name, actor),
    Act.SCHEDULE: lambda dispatcher, name, actor: dispatcher.schedule.take(bare(name), {}, actor),
}
"""How a person does it."""


def bare(name: str, moment: datetime = MOMENT) -> Campaign:
    """Return a campaign of nothing but a name and a moment."""
    return Campaign(name, f"Kampanja {name}", Kind.OFFER, moment, (Channel.EMAIL,), {}, "offer")


def take(dispatcher: Dispatcher, name: str, moment: datetime = MOMENT) -> int:
    """Give a bare campaign its slot and return its number."""
    return dispatcher.schedule.take(bare(name, moment), {}, dispatcher.persons.acting(None)).id


def do(dispatcher: Dispatcher, number: int, *done: Act) -> None:
    """Do these acts on a campaign, whoever does them."""

    def work(transaction: Transaction) -> None:
        actor = dispatcher.persons.acting(None)
        for act in done:
            if act is Act.BEGIN:
                acts.begin(transaction, number, MOMENT.date(), actor)
            else:
                acts.do(transaction, number, act, actor)

    dispatcher.store.write(work)


def bring(dispatcher: Dispatcher, stage: Stage, name: str) -> int:
    """Bring a campaign of this name to a stage of its life."""
    if stage is Stage.RESERVED:
        actor = dispatcher.persons.acting(None)
        return dispatcher.schedule.reserve(MOMENT.date(), Kind.OFFER, name, actor).id
    number = take(dispatcher, name)
    do(dispatcher, number, *STAGES[stage])
    return number


def told(dispatcher: Dispatcher, number: int) -> list[tuple[str, object]]:
    """Return what the ledger tells of a campaign: kinds and events."""
    with dispatcher.store.reading() as connection:
        kept = [entry for entry in ledger.entries(connection) if entry.campaign == number]
    return [(entry.kind, entry.data().get("event")) for entry in kept]


def taken_slots(dispatcher: Dispatcher) -> int:
    """Return how many slots are taken or spent around the moment."""
    with dispatcher.store.reading() as connection:
        return len(slots.near(connection, MOMENT.date()))


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.value)
def test_every_act_at_every_stage(workshop: Workshop, stage: Stage) -> None:
    """An act does what the table says and tells the ledger, or is refused with the table's sentence and does nothing.

    Each is tried as the program does it, and those of a person by the person's door as well.
    """
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        for by_door in (False, True):
            for act in DOORS if by_door else Act:
                number = bring(dispatcher, stage, f"{act.value}-{by_door}".lower())
                name, before = state_of(dispatcher, number).name, told(dispatcher, number)
                to = after(stage, act)
                if by_door and act is Act.SCHEDULE and stage is Stage.CANCELLED:
                    to = State.SCHEDULED  # the name is free again: another campaign takes it
                attempt = (
                    partial(DOORS[act], dispatcher, name, actor) if by_door else partial(do, dispatcher, number, act)
                )
                if isinstance(to, No):
                    with pytest.raises(RefusedError) as refused:
                        attempt()
                    assert to.sentence.format(name=name) == str(refused.value)
                    assert before == told(dispatcher, number)
                    assert stage_of(state_of(dispatcher, number).state, has_begun=has_begun(stage)) is stage
                else:
                    attempt()
                    now = dispatcher.lifecycle.named(name) if by_door else state_of(dispatcher, number)
                    assert to is now.state
                    event = (EntryKind.CAMPAIGN.value, EVENTS.get(act, to.value))
                    assert event == told(dispatcher, now.id)[len(before) if now.id == number else 0]
                forget(dispatcher)


def has_begun(stage: Stage) -> bool:
    """Say whether a campaign at this stage has begun."""
    return Act.BEGIN in STAGES[stage]


def state_of(dispatcher: Dispatcher, number: int) -> Scheduled:
    """Return a campaign as its table has it."""
    with dispatcher.store.reading() as connection:
        return campaigns.by_id(connection, number)


def forget(dispatcher: Dispatcher) -> None:
    """Give every slot to the next: twelve a year are too few for every act at every stage."""

    def work(transaction: Transaction) -> None:
        for campaign in campaigns.all_scheduled(transaction.connection):
            slots.give_back(transaction.connection, campaign.id)
            campaigns.set_state(transaction.connection, campaign.id, State.CANCELLED, transaction.now)

    dispatcher.store.write(work)


def test_every_stage_is_tried() -> None:
    """No stage of the table is left out of the test above."""
    assert set(Stage) - {Stage.NEW} == set(STAGES)


@pytest.mark.parametrize("act", Act)
def test_what_nobody_knows_can_only_get_a_slot(act: Act) -> None:
    """Of a name that nothing goes by, only a reservation and a schedule make a campaign."""
    to = after(Stage.NEW, act)
    if isinstance(to, State):
        assert to is acts.allowed(None, act, "a")
        return
    with pytest.raises(RefusedError, match="`dispatcher campaign list`"):
        acts.allowed(None, act, "a")


def test_a_name_nobody_knows(workshop: Workshop) -> None:
    """An act on a campaign there is not says where to look."""
    with workshop.opened() as dispatcher, pytest.raises(NotFoundError, match="`dispatcher campaign list`"):
        dispatcher.lifecycle.hold("b", dispatcher.persons.acting(None))


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


@pytest.mark.parametrize("is_begun", [False, True])
def test_a_slot_comes_back_only_unspent(workshop: Workshop, *, is_begun: bool) -> None:
    """Invariant 3: cancelled before its first hand-off a campaign gives its slot back, afterwards it has spent it."""
    with workshop.opened() as dispatcher:
        number = take(dispatcher, "a")
        if is_begun:
            do(dispatcher, number, Act.BEGIN)
        dispatcher.lifecycle.cancel("a", dispatcher.persons.acting(None))
        assert int(is_begun) == taken_slots(dispatcher)
        returned = (EntryKind.SLOT.value, "returned") in told(dispatcher, number)
        assert returned is not is_begun


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
