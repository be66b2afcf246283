"""Our mail comes back through a real Postfix, and is understood as it lies in the Maildir."""

from datetime import UTC, datetime

import pytest

from dispatcher.links import Bounce
from dispatcher.mailbox.letters import Reader
from tests.arrive.bounces import made, message_id
from tests.arrive.mail_route import missing_postfix
from tests.mailbox.post import ADDRESSES
from tests.mailbox.reported import EXPECTED


@pytest.fixture(scope="module")
def reports() -> dict[str, list[bytes]]:
    """Give what Postfix writes, by case."""
    hindrance = missing_postfix()
    if hindrance:
        pytest.skip(hindrance)
    return dict(made())


@pytest.mark.parametrize("name", sorted({name.partition(".")[0] for name in EXPECTED}))
def test_what_comes_back_is_understood(name: str, reports: dict[str, list[bytes]]) -> None:
    """E-60, E-61: the message, its status and code, a delay before the end."""
    at = datetime(2026, 11, 24, tzinfo=UTC)
    letters = [Reader(ADDRESSES).letter(raw, "1", at) for raw in reports[name]]
    found = [(each.kind, each.status, each.code, each.is_permanent) for each in letters if each]
    assert [told for case, told in EXPECTED.items() if case.partition(".")[0] == name] == found
    assert [Bounce(message_id(name))] * len(found) == [ADDRESSES.read(each.token) for each in letters if each]
