"""What is told of a message after it was taken: the same end in every order."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.rules.later import CODES_LENGTH, Fate, Later, gravest
from dispatcher.rules.message import Blame

STEPS = st.builds(
    Fate,
    st.none() | st.sampled_from(Later),
    st.frozensets(st.sampled_from(["30003", "30005", "30007"]), max_size=1),
)


def joined(steps: list[Fate]) -> Fate:
    """Return what is known after all of these."""
    known = Fate()
    for step in steps:
        known = known.joined(step)
    return known


@given(st.lists(STEPS, max_size=4), st.lists(st.integers(0, 3), max_size=3))
def test_order_and_repetition_make_no_difference(steps: list[Fate], again: list[int]) -> None:
    """S-27: told in any order, and some of it twice, the end is the same, and it never goes back."""
    repeated = steps + [steps[at] for at in again if at < len(steps)]
    assert {joined(steps)} == {joined(list(each)) for each in permutations(repeated)}
    before = Fate()
    for step in steps:
        after = before.joined(step)
        assert (after.joined(before), after.codes >= before.codes) == (after, True)
        before = after


def test_an_error_outlives_a_delivered() -> None:
    """S-27: of a message in parts an error may be followed by "delivered": the error stays."""
    lost, arrived = Fate(Later.UNDELIVERED, frozenset({"30005"})), Fate(Later.DELIVERED)
    assert lost == lost.joined(arrived) == arrived.joined(lost)
    half = Fate(Later.SENT, frozenset({"30008"})).joined(arrived)
    assert Fate(Later.DELIVERED, frozenset({"30008"})) == half


@given(st.frozensets(st.from_regex(r"[0-9.]{1,7}", fullmatch=True), max_size=8))
def test_codes_fit_their_column(codes: frozenset[str]) -> None:
    """S-27: however many codes are told, what is written down fits, and is read again as it was."""
    fate = Fate().joined(Fate(Later.FAILED, codes))
    assert len(fate.code_text or "") <= CODES_LENGTH
    assert bool(fate.codes) == bool(codes)
    assert fate == Fate.read("failed", fate.code_text)


@pytest.mark.parametrize(
    ("blames", "expected"),
    [
        ([], None),
        ([Blame.MESSAGE], None),
        ([Blame.MESSAGE, Blame.POLICY], Blame.POLICY),
        ([Blame.HANDSET, Blame.OBJECTION, Blame.ADDRESS], Blame.OBJECTION),
        ([Blame.BARRED, Blame.HANDSET], Blame.BARRED),
    ],
)
def test_whom_the_errors_concern(blames: list[Blame], expected: Blame | None) -> None:
    """The error table: of several errors the gravest names whom a message's end concerns, the message alone nobody."""
    assert expected is gravest(blames)
    assert expected is gravest(reversed(blames))
