"""What a mail server's reply means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.channels.replies import DEAD, Reply, outcome_of
from dispatcher.rules.message import Blame, Outcome, OutcomeKind

ACCEPTED, DEFERRED, REFUSED = OutcomeKind.ACCEPTED, OutcomeKind.DEFERRED, OutcomeKind.REFUSED
PARTS = st.integers(0, 999)
STATUSES = st.builds("{}.{}.{}".format, st.sampled_from("245"), PARTS, PARTS)


@pytest.mark.parametrize(
    ("code", "text", "expected"),
    [
        (250, "2.0.0 Ok: queued as 4XyZ", Outcome(ACCEPTED, "250", "2.0.0")),
        (250, "OK", Outcome(ACCEPTED, "250")),
        (451, "4.7.1 Greylisted, come back later", Outcome(DEFERRED, "451", "4.7.1")),
        (450, "try again", Outcome(DEFERRED, "450")),
        (452, "4.2.2 mailbox full", Outcome(DEFERRED, "452", "4.2.2")),
        (550, "5.1.1 <anna@mail.example>: no such user", Outcome(REFUSED, "550", "5.1.1", blame=Blame.ADDRESS)),
        (550, "5.1.2 bad domain", Outcome(REFUSED, "550", "5.1.2", blame=Blame.ADDRESS)),
        (553, "5.1.3 bad syntax", Outcome(REFUSED, "553", "5.1.3", blame=Blame.ADDRESS)),
        (551, "5.1.6 moved", Outcome(REFUSED, "551", "5.1.6", blame=Blame.ADDRESS)),
        (556, "5.1.10 null MX", Outcome(REFUSED, "556", "5.1.10", blame=Blame.ADDRESS)),
        (550, "5.2.1 inactive", Outcome(REFUSED, "550", "5.2.1", blame=Blame.ADDRESS)),
        (552, "5.2.2 mailbox full", Outcome(REFUSED, "552", "5.2.2")),
        (550, "5.4.1 access denied", Outcome(REFUSED, "550", "5.4.1")),
        (550, "5.7.1 blocked", Outcome(REFUSED, "550", "5.7.1")),
        (550, "5.7.515 unauthenticated", Outcome(REFUSED, "550", "5.7.515")),
        (550, "No such user here", Outcome(REFUSED, "550")),
        (550, "5.1.1.1 is no status", Outcome(REFUSED, "550")),
        (421, "4.3.2 shutting down", Outcome(DEFERRED, "421", "4.3.2", blame=Blame.CONNECTION)),
        (421, "too many", Outcome(DEFERRED, "421", blame=Blame.CONNECTION)),
        (451, "4.3.2 not now", Outcome(DEFERRED, "451", "4.3.2", blame=Blame.CONNECTION)),
        (530, "5.7.0 log in first", Outcome(DEFERRED, "530", "5.7.0", blame=Blame.CONNECTION)),
        (534, "5.7.9 too weak", Outcome(DEFERRED, "534", "5.7.9", blame=Blame.CONNECTION)),
        (535, "5.7.8 wrong password", Outcome(DEFERRED, "535", "5.7.8", blame=Blame.CONNECTION)),
        (550, "5.7.8 wrong password", Outcome(DEFERRED, "550", "5.7.8", blame=Blame.CONNECTION)),
        (554, "5.7.9 too weak", Outcome(DEFERRED, "554", "5.7.9", blame=Blame.CONNECTION)),
    ],
)
def test_reply_decides(code: int, text: str, expected: Outcome) -> None:
    """E-50, E-53: each row of the enhanced-status table becomes the outcome the rules name."""
    assert expected == outcome_of(Reply(code, text))


def test_classes_that_disagree() -> None:
    """E-50: where the two classes disagree, the code decides about trying again and the status whom it concerns."""
    assert Outcome(DEFERRED, "450", "5.1.1", blame=Blame.ADDRESS) == outcome_of(Reply(450, "5.1.1 unknown"))
    assert Outcome(REFUSED, "550", "4.1.1") == outcome_of(Reply(550, "4.1.1 unknown"))


def test_only_the_first_line_has_the_status() -> None:
    """A reply of several lines has its status at the beginning; numbers in the text are not statuses."""
    assert Reply(550, "5.1.1 The account\n5.1.1 does not exist").status == "5.1.1"
    assert not Reply(550, "see section 5.1.1 of the manual").status


@given(st.integers(400, 599), STATUSES)
def test_address_is_blamed_for_its_own_faults_only(code: int, status: str) -> None:
    """E-53: an address is dead for the statuses of the table alone, so never for one of 5.7.x, whatever the code."""
    outcome = outcome_of(Reply(code, f"{status} words"))
    assert outcome.blame is not Blame.ADDRESS or (status in DEAD and not status.startswith("5.7."))


@given(st.integers(200, 599).filter(lambda code: code // 100 != 3), STATUSES)
def test_sender_reply_never_blames_an_address(code: int, status: str) -> None:
    """E-53: a reply to MAIL cannot be about a recipient the server has not heard of."""
    assert outcome_of(Reply(code, status), names_recipient=False).blame is not Blame.ADDRESS


@given(st.integers(400, 499), STATUSES)
def test_four_hundred_is_never_final(code: int, status: str) -> None:
    """E-50: a first digit of 4 is tried again, whatever the enhanced status says."""
    assert outcome_of(Reply(code, status)).kind is DEFERRED


@given(st.integers(-1, 999).filter(lambda code: code // 100 not in {2, 4, 5}))
def test_reply_that_decides_nothing(code: int) -> None:
    """A reply outside the classes 2, 4 and 5 is no outcome."""
    assert Reply(code).kind is None
    with pytest.raises(ValueError, match="not a final reply"):
        outcome_of(Reply(code))
