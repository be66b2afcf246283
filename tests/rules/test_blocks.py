"""What legal blocks keep, and until when."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.rules.blocks import Block, BlockReason, Field, as_words, flaw_of, from_words, kept_by

UNTIL = date(2027, 3, 31)
DAY = timedelta(days=1)
FIELDS = st.frozensets(st.sampled_from(list(Field)))


def block(*fields: Field, until: date = UNTIL) -> Block:
    """Return a block for an open invoice."""
    return Block(BlockReason.OPEN_INVOICE, frozenset(fields), until)


def test_a_block_holds_through_its_last_day() -> None:
    """On its last day it keeps what it names, the day after nothing."""
    made = block(Field.NAME)
    assert [{Field.NAME}, set()] == [kept_by([made], day) for day in (UNTIL, UNTIL + DAY)]


def test_blocks_add_up() -> None:
    """Of several blocks each keeps its own, as long as it lasts."""
    both = [block(Field.NAME), block(Field.EMAIL, until=UNTIL + DAY)]
    assert {Field.NAME, Field.EMAIL} == kept_by(both, UNTIL)
    assert {Field.EMAIL} == kept_by(both, UNTIL + DAY)


@pytest.mark.parametrize(
    ("made", "today", "has_flaw"),
    [(block(Field.NAME), UNTIL - DAY, False), (block(Field.NAME), UNTIL, True), (block(), UNTIL - DAY, True)],
)
def test_a_block_names_something_and_ends_in_the_future(made: Block, today: date, *, has_flaw: bool) -> None:
    """A block without a field, or whose last day is today or past, cannot be set."""
    assert has_flaw is (flaw_of(made, today) is not None)


@given(FIELDS)
def test_fields_are_written_as_they_are_read(fields: frozenset[Field]) -> None:
    """Words by commas hold the fields, whatever they are; no word means all of them."""
    assert fields == from_words(as_words(fields))
    assert "all" not in {field.value for field in Field}
