"""What the audit reads, read as it stands: a faster way to read a body tells the same as the plain one."""

from datetime import UTC, datetime

from hypothesis import example, given
from hypothesis import strategies as st

from dispatcher.rules.ledger import Json, StoredEntry, canonical
from dispatcher.storage.reports import body_of

_LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
_BODIES = st.dictionaries(
    st.text(), st.recursive(_LEAVES, lambda some: st.lists(some) | st.dictionaries(st.text(), some), max_leaves=6)
)


def entry(body: str) -> StoredEntry:
    """Return an entry that holds this body."""
    return StoredEntry(1, 1, "send", datetime(2026, 1, 5, tzinfo=UTC), "duty:test", 1, 1, "email", body, "")


@given(_BODIES)
def test_what_the_ledger_writes_is_read_alike(body: dict[str, Json]) -> None:
    """D-03: the body of an entry is one thing, whoever reads it."""
    held = entry(canonical(body))
    assert held.data() == body_of(held)


@given(st.data())
@example(None)
def test_what_somebody_has_altered_is_never_read_otherwise(data: st.DataObject | None) -> None:
    """D-03: of altered bytes the fast way tells what the plain way tells, or nothing at all."""
    written = '{"a":"\\u00e4","b":[1,-2.5e3,null],"c":{"d":true},"d":NaN}'
    begin, end = (data.draw(st.integers(0, len(written))) for _ in range(2)) if data else (0, 0)
    put = data.draw(st.text('{}[]",:\\u0dDaAeE19-+. \n\t\x00\x7fäNIft')) if data else " "
    held = entry(written[:begin] + put + written[end:])
    found = body_of(held)
    if found is not None:
        assert str(held.data()) == str(found)


def test_what_is_no_text_is_left_to_the_plain_way() -> None:
    """D-03: a blob in the place of a body is not taken for one, nor is an empty text."""
    for body in (b'{"a":1}', "", "[1]", ' {"a":1}', '{"a":1}\n', '{"a":1}{"b":2}', '{"a":"\\ud800"}'):
        assert body_of(entry(body)) is None  # type: ignore[arg-type]
