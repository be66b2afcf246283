"""More than a tenth missing is so many that somebody has to be asked."""

import pytest

from dispatcher.rules.absence import Absence


@pytest.mark.parametrize(
    ("missing", "seen", "many"),
    [(0, 0, False), (0, 5, False), (1, 10, False), (2, 19, True), (11, 100, True), (10, 100, False), (1, 1, True)],
)
def test_more_than_a_tenth_is_many(missing: int, seen: int, *, many: bool) -> None:
    """A tenth is not many yet; nobody of nobody is not either."""
    assert many is Absence(missing, seen).is_many
