"""What quoted-printable with holes in it promises."""

import quopri
import re
from itertools import groupby

from hypothesis import example, given
from hypothesis import strategies as st

from dispatcher.rendering.gaps import Gap, Hole, Trace, Values
from dispatcher.rendering.quoted import Quoted, encoded
from dispatcher.rendering.skeleton import Skeleton

_WORDS = st.text(st.characters(blacklist_categories=["Co", "Cs"], blacklist_characters="\r"), max_size=300)
_LONG = st.builds(lambda word, number: word * number, st.sampled_from(["a", "ä", "=", "š ", "."]), st.integers(60, 80))
_PIECES = st.lists(st.one_of(_WORDS, _LONG, st.sampled_from(Hole)), max_size=8)
_FILLING = st.tuples(*[st.one_of(_WORDS, _LONG)] * len(Hole))


def _bytes(pieces: list[str | Hole], values: Values) -> bytes:
    trace = Trace()
    rendered = "".join(str(Gap.of(piece, trace)) if isinstance(piece, Hole) else piece for piece in pieces)
    return b"".join(Quoted.of(Skeleton.of_text(rendered, trace)).fill(values))


def _read(body: bytes) -> str:
    return quopri.decodestring(body).decode("utf-8").replace("\r\n", "\n")


@given(_PIECES, _FILLING)
@example(["a" * 75, Hole.FIRST_NAME], ("Aino",) * len(Hole))
@example(["ä" * 25, Hole.FIRST_NAME, Hole.FIRST_NAME, " "], (" ",) * len(Hole))
@example(["Hei ", Hole.FIRST_NAME, "!"], ("a" * 76,) * len(Hole))
@example(["Hei\n", Hole.FIRST_NAME], ("From Aino",) * len(Hole))
def test_any_words_survive_the_way(pieces: list[str | Hole], filling: tuple[str, ...]) -> None:
    """E-20, E-22: any words with any filling come back as they were; no line exceeds 76 or looks like a boundary."""
    values = dict(zip(Hole, filling, strict=True))
    expected = "".join(values[piece] if isinstance(piece, Hole) else piece for piece in pieces)
    body = _bytes(pieces, values)
    assert expected.rstrip("\n") == _read(body).rstrip("\n")
    assert body.endswith(b"\r\n")
    assert body.isascii()
    assert re.search(rb"(?<!\r)\n|\r(?!\n)", body) is None
    lines = body.split(b"\r\n")
    assert max(len(line) for line in lines) <= 76
    assert not [line for line in lines if line.endswith((b" ", b"\t")) or b"=_" in line or line.startswith(b"From ")]


@given(_WORDS)
def test_words_without_holes_are_encoded_whole(words: str) -> None:
    """E-20: what is the same for all reads the same encoded at once."""
    assert words == _read(encoded(words))


@given(_PIECES, _FILLING, _FILLING)
def test_a_filling_changes_nothing_beside_it(
    pieces: list[str | Hole], one: tuple[str, ...], other: tuple[str, ...]
) -> None:
    """E-22: the bytes around a hole are the same for every client; they are made once."""
    trace = Trace()
    rendered = "".join(str(Gap.of(piece, trace)) if isinstance(piece, Hole) else piece for piece in pieces)
    quoted = Quoted.of(Skeleton.of_text(rendered, trace))
    fixed = [piece for piece in quoted.pieces if isinstance(piece, bytes)]
    for filling in (one, other):
        filled = quoted.fill(dict(zip(Hole, filling, strict=True)))
        assert fixed == [each for each, piece in zip(filled, quoted.pieces, strict=True) if isinstance(piece, bytes)]
    kinds = [isinstance(piece, bytes) for piece in quoted.pieces]
    assert all(len(list(run)) == 1 for is_fixed, run in groupby(kinds) if is_fixed)


def test_words_that_were_put_together_are_one_text() -> None:
    """E-20: words before words, as the mark of a test, share their lines; none grows over 76 octets."""
    skeleton = Skeleton(("a" * 70, "ä" * 30, lambda values: values[Hole.FIRST_NAME], "b" * 80))
    body = b"".join(Quoted.of(skeleton).fill(dict.fromkeys(Hole, "Aino")))
    assert f"{'a' * 70}{'ä' * 30}Aino{'b' * 80}\n" == _read(body)
    assert max(len(line) for line in body.split(b"\r\n")) <= 76
