"""The page about a campaign's life draws the table the program goes by."""

import re
from pathlib import Path

from dispatcher.rules.campaign import State
from dispatcher.rules.life import TABLE, Act, Stage, after, stage_of

PAGE = (Path(__file__).parent.parent / "docs" / "campaigns.md").read_text(encoding="utf-8")
ENDS = (Stage.FINISHED, Stage.CANCELLED)


def test_the_table_on_the_page_is_the_table() -> None:
    """Every stage times every act stands on the page as the program has it."""
    head, *lines = re.findall(r"^\| (from .*|.+(?:no|cancelled|finished)) \|$", PAGE, re.MULTILINE)
    acts = head.split(" | ")[1:]
    assert [act.value for act in Act] == acts
    told = {row[0]: row[1:] for row in (line.split(" | ") for line in lines)}
    expected = {
        stage.value: [to.value if isinstance(to := after(stage, act), State) else "no" for act in Act]
        for stage in TABLE
    }
    assert expected == told


def test_the_picture_draws_the_table() -> None:
    """Every arrow of the picture is a transition of the table, and no transition is missing."""
    drawn = {
        (start, end, act)
        for start, end, acts in re.findall(r"^    (\S+) --> (\S+): (.+)$", PAGE, re.MULTILINE)
        for act in acts.split(", ")
    }
    expected = set()
    for stage in Stage:
        for act in Act:
            to = after(stage, act)
            if isinstance(to, State):
                begun = stage in {Stage.SENDING, Stage.HELD_BEGUN}
                expected.add((_name(stage), _name(stage_of(to, has_begun=begun)), act.value))
    assert expected == drawn
    assert [f"    {stage.value} --> [*]" in PAGE for stage in ENDS] == [True, True]


def test_every_act_is_explained() -> None:
    """Each act has its line on the page: who does it, and what it does."""
    table = next(part for part in PAGE.split("\n\n") if f"\n| `{next(iter(Act)).value}` | " in part)
    assert [act.value for act in Act] == re.findall(r"^\| `(\w+)` \| ", table, re.MULTILINE)


def _name(stage: Stage) -> str:
    return "[*]" if stage is Stage.NEW else stage.name.lower()
