"""What texts with holes promise."""

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.errors import RenderingError
from dispatcher.rendering.skeleton import Gap, Hole, Skeleton

_WORDS = st.text(st.characters(blacklist_categories=["Co", "Cs"])).filter(
    lambda words: not re.search("le(first|agreed|why|opt|ends|renew)", words.lower())
)


@given(st.lists(st.one_of(_WORDS, st.sampled_from(Hole))), st.tuples(*[_WORDS] * len(Hole)))
def test_a_filled_skeleton_is_what_the_template_would_have_made(
    pieces: list[str | Hole], filling: tuple[str, ...]
) -> None:
    """Cutting and filling loses nothing, wherever the holes are and whatever goes into them."""
    values = dict(zip(Hole, filling, strict=True))
    rendered = "".join(str(Gap(piece)) if isinstance(piece, Hole) else piece for piece in pieces)
    expected = "".join(values[piece] if isinstance(piece, Hole) else piece for piece in pieces)
    assert expected == Skeleton.cut(rendered).fill(values)


def _cut_short(mark: str) -> str:
    return mark[:-1]


def _begun_late(mark: str) -> str:
    return mark[1:]


@pytest.mark.parametrize("altered", [str.upper, str.lower, str.title, str.capitalize, _cut_short, _begun_late])
def test_an_altered_gap_is_found(altered: Callable[[str], str]) -> None:
    """A filter that would have changed a name is an error, not a wrong name."""
    with pytest.raises(RenderingError, match="filled in last"):
        Skeleton.cut(f"Hei {altered(str(Gap(Hole.FIRST_NAME)))}!")


def test_a_gap_compares_with_nothing() -> None:
    """A template cannot decide upon one client's name; it would decide the same for all."""
    with pytest.raises(RenderingError, match="first_name is filled in last"):
        bool(Gap(Hole.FIRST_NAME) == "Aino")


def test_a_gap_is_no_key() -> None:
    """A template cannot look one client's name up."""
    with pytest.raises(RenderingError, match="opt_out_url is filled in last"):
        hash(Gap(Hole.OPT_OUT_URL))
