"""The life of a campaign as one table: what each act makes of each stage, or why it is refused.

Drawn in docs/campaigns.md, which a test holds to this table. Nothing else says what may follow what.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from dispatcher.rules.campaign import State


class Act(StrEnum):
    """What can happen to a campaign, by a person's hand or at its time."""

    RESERVE = "reserve"
    """A person keeps a date for what has no content yet."""
    SCHEDULE = "schedule"
    """A person gives it content and a moment."""
    REVISE = "revise"
    """A person takes the content back to change it; the slot stays."""
    HOLD = "hold"
    """A person, or the program's caution, lets nothing more of it leave."""
    RELEASE = "release"
    """A person lets it go on."""
    CANCEL = "cancel"
    """A person ends it."""
    BEGIN = "begin"
    """Its moment has come: the slot is spent."""
    FINISH = "finish"
    """Nothing of it is left to go."""
    LAPSE = "lapse"
    """The date of its slot is over and nothing was scheduled: the slot comes back."""
    CLOSE = "close"
    """A restore shows that it began after the copy was made: what is open of it may have gone out."""


class Stage(StrEnum):
    """Where a campaign stands as the table asks it: its state, and of a held one whether it has begun."""

    NEW = "new"
    """Nothing goes by that name."""
    RESERVED = "reserved"
    DRAFT = "draft"
    SCHEDULED = "scheduled"
    SENDING = "sending"
    HELD = "held"
    HELD_BEGUN = "held, begun"
    FINISHED = "finished"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class No:
    """An act is refused; the sentence says what to do instead, `{name}` standing for the campaign."""

    sentence: str


LAPSED = "lapsed"
"""Why a campaign is cancelled whose slot's date is over with nothing scheduled."""
NO_SLOT = "no_slot"
"""Why a campaign is held that would go out on another day than planned, on which the year has no room for it."""
UNMADE = "rendering_failed"
"""Why a campaign is held whose words make no message any more."""
_UNKNOWN = No("No campaign goes by {name}: run `dispatcher campaign list`.")
_HAS_SLOT = No("{name} has its slot already: reserve under another title, or cancel it first.")
_SCHEDULED_ALREADY = No(
    "{name} has been scheduled already: `dispatcher campaign revise {name}` takes it back to a draft first, or give "
    "the new one a file of its own."
)
_BEGUN_ALREADY = No(
    "{name} has begun, and what has left cannot be changed: hold or cancel it, and give the new one a file of its own."
)
_OVER = No("{name} has ended: nothing more happens to it. Give the next campaign a file of its own.")
_EMPTY = No(
    "{name} is a reservation without content: schedule a file for it, or give its slot back with "
    "`dispatcher campaign cancel {name}`."
)
_DRAFT = No(
    "{name} is a draft, nothing of it leaves: schedule its file again, or give its slot back with "
    "`dispatcher campaign cancel {name}`."
)
_NOT_HELD = No("{name} is not held: there is nothing to release.")
_IS_HELD = No("{name} is held already: `dispatcher campaign release {name}` lets it go on.")
_NOT_BEGUN = No("{name} has not begun: there is nothing to finish.")
_HAS_CONTENT = No("{name} has content, so it does not lapse.")
_NOTHING_OPEN = No("{name} has ended: nothing of it is open.")

_NEW: Mapping[Act, State | No] = {
    **dict.fromkeys(Act, _UNKNOWN),
    Act.RESERVE: State.RESERVED,
    Act.SCHEDULE: State.SCHEDULED,
}
_ENDED: Mapping[Act, State | No] = {**dict.fromkeys(Act, _OVER), Act.CLOSE: _NOTHING_OPEN}

TABLE: Mapping[Stage, Mapping[Act, State | No]] = {
    Stage.NEW: _NEW,
    Stage.RESERVED: {
        Act.RESERVE: _HAS_SLOT,
        Act.SCHEDULE: State.SCHEDULED,
        Act.REVISE: _EMPTY,
        Act.HOLD: _EMPTY,
        Act.RELEASE: _EMPTY,
        Act.CANCEL: State.CANCELLED,
        Act.BEGIN: _EMPTY,
        Act.FINISH: _EMPTY,
        Act.LAPSE: State.CANCELLED,
        Act.CLOSE: State.FINISHED,
    },
    Stage.DRAFT: {
        Act.RESERVE: _HAS_SLOT,
        Act.SCHEDULE: State.SCHEDULED,
        Act.REVISE: _DRAFT,
        Act.HOLD: _DRAFT,
        Act.RELEASE: _DRAFT,
        Act.CANCEL: State.CANCELLED,
        Act.BEGIN: _DRAFT,
        Act.FINISH: _DRAFT,
        Act.LAPSE: State.CANCELLED,
        Act.CLOSE: State.FINISHED,
    },
    Stage.SCHEDULED: {
        Act.RESERVE: _HAS_SLOT,
        Act.SCHEDULE: _SCHEDULED_ALREADY,
        Act.REVISE: State.DRAFT,
        Act.HOLD: State.HELD,
        Act.RELEASE: _NOT_HELD,
        Act.CANCEL: State.CANCELLED,
        Act.BEGIN: State.SENDING,
        Act.FINISH: _NOT_BEGUN,
        Act.LAPSE: _HAS_CONTENT,
        Act.CLOSE: State.FINISHED,
    },
    Stage.SENDING: {
        Act.RESERVE: _HAS_SLOT,
        Act.SCHEDULE: _BEGUN_ALREADY,
        Act.REVISE: _BEGUN_ALREADY,
        Act.HOLD: State.HELD,
        Act.RELEASE: _NOT_HELD,
        Act.CANCEL: State.CANCELLED,
        Act.BEGIN: _BEGUN_ALREADY,
        Act.FINISH: State.FINISHED,
        Act.LAPSE: _HAS_CONTENT,
        Act.CLOSE: State.FINISHED,
    },
    Stage.HELD: {
        Act.RESERVE: _HAS_SLOT,
        Act.SCHEDULE: _SCHEDULED_ALREADY,
        Act.REVISE: State.DRAFT,
        Act.HOLD: _IS_HELD,
        Act.RELEASE: State.SCHEDULED,
        Act.CANCEL: State.CANCELLED,
        Act.BEGIN: _IS_HELD,
        Act.FINISH: _NOT_BEGUN,
        Act.LAPSE: _HAS_CONTENT,
        Act.CLOSE: State.FINISHED,
    },
    Stage.HELD_BEGUN: {
        Act.RESERVE: _HAS_SLOT,
        Act.SCHEDULE: _BEGUN_ALREADY,
        Act.REVISE: _BEGUN_ALREADY,
        Act.HOLD: _IS_HELD,
        Act.RELEASE: State.SENDING,
        Act.CANCEL: State.CANCELLED,
        Act.BEGIN: _IS_HELD,
        Act.FINISH: _IS_HELD,
        Act.LAPSE: _HAS_CONTENT,
        Act.CLOSE: State.FINISHED,
    },
    Stage.FINISHED: _ENDED,
    Stage.CANCELLED: _ENDED,
}
"""Every stage times every act."""


def stage_of(state: State, *, has_begun: bool) -> Stage:
    """Return where a campaign of this state stands in the table."""
    if state is State.HELD and has_begun:
        return Stage.HELD_BEGUN
    return Stage(state.value)


def after(stage: Stage, act: Act) -> State | No:
    """Return the state an act leads to from here, or why it is refused."""
    return TABLE[stage][act]
