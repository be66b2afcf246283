"""The table of a campaign's life: every stage times every act."""

import pytest

from dispatcher.rules.campaign import State
from dispatcher.rules.life import TABLE, Act, No, Stage, after, stage_of

ENDED = {Stage.FINISHED, Stage.CANCELLED}
ALIVE = [stage for stage in Stage if stage not in {*ENDED, Stage.NEW}]


def stages(state: State, stage: Stage) -> set[Stage]:
    """Return the stages a campaign may stand at when an act has led it from here to this state."""
    begun = stage in {Stage.SENDING, Stage.HELD_BEGUN} or state is State.SENDING
    return {stage_of(state, has_begun=begun)}


def following(stage: Stage) -> set[Stage]:
    """Return the stages that one act leads to from here."""
    found: set[Stage] = set()
    for act in Act:
        to = after(stage, act)
        if isinstance(to, State):
            found |= stages(to, stage)
    return found


def reachable(start: Stage) -> set[Stage]:
    """Return every stage that can follow this one, in any number of acts."""
    found: set[Stage] = set()
    waiting = [start]
    while waiting:
        new = following(waiting.pop()) - found
        found |= new
        waiting += new
    return found


def test_every_stage_answers_every_act() -> None:
    """Nothing is left to chance: each stage says of each act what it leads to, or why not."""
    assert set(Stage) == set(TABLE)
    assert {stage: set(Act) for stage in Stage} == {stage: set(row) for stage, row in TABLE.items()}


def test_every_state_has_its_stage() -> None:
    """A held campaign stands where it goes back to; every other state is one stage."""
    found = {stage_of(state, has_begun=begun) for state in State for begun in (False, True)}
    assert set(Stage) - {Stage.NEW} == found
    assert (Stage.HELD, Stage.HELD_BEGUN) == tuple(stage_of(State.HELD, has_begun=begun) for begun in (False, True))


def test_a_refusal_is_a_sentence_about_the_campaign() -> None:
    """Whoever is refused reads which campaign and why, in whole sentences, and each command they name is one."""
    for row in TABLE.values():
        for said in row.values():
            if isinstance(said, No):
                told = said.sentence.format(name="2026-03-kevat")
                assert "2026-03-kevat" in told
                assert told.endswith(".")


def test_nothing_follows_itself() -> None:
    """An act is a change: taking the same one twice is refused the second time."""
    assert not [stage for stage in Stage if stage in following(stage)]


def test_what_has_ended_stays_ended() -> None:
    """Design 4, 2: a finished or cancelled campaign is never sent again, and nothing else is without a way on."""
    assert ENDED == {stage for stage in Stage if not following(stage)}


def test_a_life_begins_with_a_slot() -> None:
    """A campaign comes into being by taking a slot, and every stage can be reached."""
    assert {Stage.RESERVED, Stage.SCHEDULED} == following(Stage.NEW)
    assert set(Stage) - {Stage.NEW} == reachable(Stage.NEW)


@pytest.mark.parametrize("stage", ALIVE)
def test_the_owner_can_always_stop_a_campaign(stage: Stage) -> None:
    """Before it has ended, a campaign can be cancelled and brought to its end."""
    assert State.CANCELLED is after(stage, Act.CANCEL)
    assert ENDED <= reachable(stage)


def test_only_what_is_being_sent_finishes() -> None:
    """A campaign that was never begun, or is held, cannot turn out finished without being sent."""
    assert [Stage.SENDING] == [stage for stage in Stage if State.FINISHED is after(stage, Act.FINISH)]
    assert [Stage.SCHEDULED] == [stage for stage in Stage if State.SENDING is after(stage, Act.BEGIN)]


def test_a_held_campaign_goes_back_to_where_it_was() -> None:
    """Design 4, 6: scheduled and sending are the two states a campaign can be held in."""
    assert [Stage.SCHEDULED, Stage.SENDING] == [stage for stage in Stage if State.HELD is after(stage, Act.HOLD)]
    back = {stage: after(stage, Act.RELEASE) for stage in (Stage.HELD, Stage.HELD_BEGUN)}
    assert {Stage.HELD: State.SCHEDULED, Stage.HELD_BEGUN: State.SENDING} == back


def test_what_has_begun_is_never_revised() -> None:
    """What has left cannot be changed: no way leads from a begun campaign to other words, or to another slot."""
    begun = {Stage.SENDING, Stage.HELD_BEGUN}
    for stage in begun:
        assert begun | ENDED == reachable(stage) | begun
        assert all(isinstance(after(stage, act), No) for act in (Act.SCHEDULE, Act.REVISE, Act.LAPSE))


def test_only_what_has_no_content_lapses() -> None:
    """A slot is returned by the calendar only where nothing was to be sent."""
    assert [Stage.RESERVED, Stage.DRAFT] == [stage for stage in Stage if isinstance(after(stage, Act.LAPSE), State)]
