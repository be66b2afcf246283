"""What texts with holes promise."""

import re
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dispatcher.errors import RenderingError
from dispatcher.rendering.gaps import Gap, Hole, Trace
from dispatcher.rendering.skeleton import Skeleton

_WORDS = st.text(st.characters(blacklist_categories=["Co", "Cs"]))


@given(st.lists(st.one_of(_WORDS, st.sampled_from(Hole))), st.tuples(*[_WORDS] * len(Hole)))
def test_a_filled_skeleton_is_what_the_template_would_have_made(
    pieces: list[str | Hole], filling: tuple[str, ...]
) -> None:
    """Cutting and filling loses nothing, wherever the holes are and whatever goes into them."""
    values, trace = dict(zip(Hole, filling, strict=True)), Trace()
    rendered = "".join(str(Gap.of(piece, trace)) if isinstance(piece, Hole) else piece for piece in pieces)
    expected = "".join(values[piece] if isinstance(piece, Hole) else piece for piece in pieces)
    assert expected == Skeleton.of_text(rendered, trace).fill(values)


def _cut_short(mark: str) -> str:
    return mark[:-1]


def _begun_late(mark: str) -> str:
    return mark[1:]


@pytest.mark.parametrize("altered", [str.upper, str.title, _cut_short, _begun_late])
def test_an_altered_mark_is_found(altered: Callable[[str], str]) -> None:
    """What would have changed a name behind our back is an error, not a wrong name."""
    trace = Trace()
    with pytest.raises(RenderingError, match="came apart"):
        Skeleton.of_text(f"Hei {altered(str(Gap.of(Hole.FIRST_NAME, trace)))}!", trace)


def test_a_gap_compares_with_nothing_behind_our_back() -> None:
    """A comparison that was not put off would decide the same for all: it is an error."""
    with pytest.raises(RenderingError, match="came apart"):
        bool(Gap.of(Hole.FIRST_NAME, Trace()) == "Aino")


def test_a_gap_is_no_key() -> None:
    """A template cannot look one client's name up."""
    with pytest.raises(RenderingError, match="came apart"):
        hash(Gap.of(Hole.OPT_OUT_URL, Trace()))


@pytest.mark.parametrize(
    "page",
    [
        "<style>p { color: {} }</style>",
        "<!-- {} -->",
        "<p {}>Hei</p>",
        "<p{}>Hei</p>",
        '<p style="color: {}">Hei</p>',
        "<noscript><b>Hei</b> {}</noscript>",
    ],
)
def test_a_hole_stands_where_text_is_read(page: str) -> None:
    """E-36: in a style, a comment or a tag nothing can be escaped, so nothing of a client stands there."""
    trace = Trace()
    with pytest.raises(RenderingError, match="print it in the text"):
        Skeleton.of_html(page.replace("{}", str(Gap.of(Hole.FIRST_NAME, trace))), trace)


@given(_WORDS)
@example('"><b onclick="x">&quot;\N{NO-BREAK SPACE}</b>')
def test_a_page_is_filled_with_text_alone(name: str) -> None:
    """E-36: whatever a client is called begins no tag and ends no attribute."""
    trace = Trace()
    mark = str(Gap.of(Hole.FIRST_NAME, trace))
    filled = Skeleton.of_html(f'<p title="{mark}">{mark}</p>', trace).fill(dict.fromkeys(Hole, name))
    title, words = re.fullmatch(r'<p title="([^"]*)">([^<>]*)</p>', filled).groups()  # type: ignore[union-attr]
    assert name == title.replace("&quot;", '"').replace("&nbsp;", "\xa0").replace("&amp;", "&")
    assert name == words.replace("&lt;", "<").replace("&gt;", ">").replace("&nbsp;", "\xa0").replace("&amp;", "&")
