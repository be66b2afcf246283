"""Published versions of the notice are frozen, and cover what they say for as long as they are in force."""

from datetime import timedelta

from sqlalchemy import event

from dispatcher.rules.campaign import Language
from dispatcher.storage import notices
from dispatcher.storage.store import Store
from tests.clock import FixedClock

TEXTS = {Language.FI: "Tietosuojaseloste", Language.SV: "Dataskyddsbeskrivning"}


def publish(store: Store, *, covers: bool) -> int:
    """Publish a version now."""
    return store.write(lambda t: notices.publish(t.connection, TEXTS, t.now, covers_transfer=covers))


def test_versions_are_counted_and_kept(store: Store, clock: FixedClock) -> None:
    """Each publication is a version of its own with its texts, oldest first."""
    assert (1, 2) == (publish(store, covers=False), publish(store, covers=True))
    with store.reading() as connection:
        found = notices.published(connection)
    assert [(1, False), (2, True)] == [(each.version, each.covers_transfer) for each in found]
    assert [clock(), clock()] == [each.published_at for each in found]
    assert all(each.texts == TEXTS for each in found)


def test_a_version_covers_until_the_next_one(store: Store, clock: FixedClock) -> None:
    """L-42: a transfer is covered from the version that tells of it until one that does not."""
    day = timedelta(days=1)
    begun = clock()
    for covers in (False, True, True, False, True):
        publish(store, covers=covers)
        clock.advance(day)
    with store.reading() as connection:
        spans = notices.covered_spans(connection)
    expected = ((begun + day, begun + 2 * day), (begun + 2 * day, begun + 3 * day), (begun + 4 * day, None))
    assert expected == spans


def test_what_is_covered_is_read_without_the_texts(store: Store) -> None:
    """Every verdict asks what the notices cover: their texts, in three languages and all versions, are not read."""
    asked: list[str] = []
    publish(store, covers=True)
    event.listen(store.database.engine, "before_cursor_execute", lambda *what: asked.append(what[2]))
    with store.reading() as connection:
        assert 1 == len(notices.covered_spans(connection))
    assert [False] == ["notice.text" in each for each in asked if "FROM notice" in each]


def test_nothing_is_covered_before_anything_is_published(store: Store) -> None:
    """Fail closed: no version, no cover."""
    with store.reading() as connection:
        assert () == notices.covered_spans(connection)
