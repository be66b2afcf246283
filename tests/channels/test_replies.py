"""What a mail server's reply means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.channels.replies import DEAD, Reply, outcome_of
from dispatcher.rules.message import Blame, Outcome, OutcomeKind
from dispatcher.rules.reply_words import NO_SUCH_USER, plain, says

ACCEPTED, DEFERRED, REFUSED = OutcomeKind.ACCEPTED, OutcomeKind.DEFERRED, OutcomeKind.REFUSED
PARTS = st.integers(0, 999)
STATUSES = st.builds("{}.{}.{}".format, st.sampled_from("245"), PARTS, PARTS)


def refused(code: int, status: str = "", blame: Blame = Blame.MESSAGE) -> Outcome:
    """Say no for good."""
    return Outcome(REFUSED, str(code), status, blame=blame)


def deferred(code: int, status: str = "", blame: Blame = Blame.MESSAGE) -> Outcome:
    """Say not now."""
    return Outcome(DEFERRED, str(code), status, blame=blame)


@pytest.mark.parametrize(
    ("code", "text", "expected"),
    [
        (250, "2.0.0 Ok: queued as 4XyZ", Outcome(ACCEPTED, "250", "2.0.0")),
        (250, "OK", Outcome(ACCEPTED, "250")),
        # Dead at once.
        (550, "5.1.1 <anna@mail.example>: no such user", refused(550, "5.1.1", Blame.ADDRESS)),
        (550, "5.1.2 bad domain", refused(550, "5.1.2", Blame.ADDRESS)),
        (553, "5.1.3 bad syntax", refused(553, "5.1.3", Blame.ADDRESS)),
        (551, "5.1.6 moved", refused(551, "5.1.6", Blame.ADDRESS)),
        (556, "5.1.10 null MX", refused(556, "5.1.10", Blame.ADDRESS)),
        (550, "5.2.1 inactive", refused(550, "5.2.1", Blame.ADDRESS)),
        # Soft, and which.
        (550, "5.4.4 no route", refused(550, "5.4.4", Blame.NO_ROUTE)),
        (550, "5.4.1 Recipient address rejected: Access denied", refused(550, "5.4.1", Blame.NO_ROUTE)),
        (552, "5.2.2 mailbox full", refused(552, "5.2.2", Blame.MAILBOX_FULL)),
        (452, "4.2.2 mailbox full", deferred(452, "4.2.2", Blame.MAILBOX_FULL)),
        (550, "5.2.2 Quota exceeded (mailbox for user is full)", refused(550, "5.2.2", Blame.MAILBOX_FULL)),
        (552, "mailbox storage exceeded", refused(552, "", Blame.MAILBOX_FULL)),
        (452, "not enough room", deferred(452, "", Blame.MAILBOX_FULL)),
        (550, "The mailbox is over quota", refused(550, "", Blame.MAILBOX_FULL)),
        (550, "5.0.0 account is full", refused(550, "5.0.0", Blame.MAILBOX_FULL)),
        # Unspecified: dead by a short list of words, else soft.
        (550, "No such user here", refused(550, "", Blame.ADDRESS)),
        (550, "5.5.0 Requested action not taken: mailbox unavailable", refused(550, "5.5.0", Blame.ADDRESS)),
        (554, "delivery error: dd This user doesn't have a mail.example account", refused(554, "", Blame.ADDRESS)),
        (550, "5.0.0 <anna@mail.example>... User unknown", refused(550, "5.0.0", Blame.ADDRESS)),
        (550, "Unknown recipient", refused(550, "", Blame.ADDRESS)),
        (550, "The account you tried to reach does not exist", refused(550, "", Blame.ADDRESS)),
        (550, "go away", refused(550)),
        (550, "5.0.0 no", refused(550, "5.0.0")),
        (550, "5.5.0 no", refused(550, "5.5.0")),
        (550, "5.1.1.1 is no status", refused(550)),
        (550, "5.1.0 something about the address", refused(550, "5.1.0")),
        # Ours to mend.
        (554, "5.3.0 system", refused(554, "5.3.0", Blame.CONTENT)),
        (552, "5.3.4 too big", refused(552, "5.3.4", Blame.CONTENT)),
        (552, "Message size exceeds fixed limit", refused(552, "", Blame.CONTENT)),
        (501, "5.5.4 bad argument", refused(501, "5.5.4", Blame.CONTENT)),
        (501, "bad argument", refused(501, "", Blame.CONTENT)),
        (554, "5.6.0 bad form", refused(554, "5.6.0", Blame.CONTENT)),
        (552, "5.2.3 longer than the mailbox takes", refused(552, "5.2.3", Blame.CONTENT)),
        # Policy: refused, address alive, feeds the breaker.
        (550, "5.7.1 blocked", refused(550, "5.7.1", Blame.POLICY)),
        (550, "5.7.1 user unknown", refused(550, "5.7.1", Blame.POLICY)),
        (550, "5.7.25 no PTR", refused(550, "5.7.25", Blame.POLICY)),
        (550, "5.7.26 unauthenticated", refused(550, "5.7.26", Blame.POLICY)),
        (550, "5.7.515 unauthenticated", refused(550, "5.7.515", Blame.POLICY)),
        (550, "5.7.606 banned", refused(550, "5.7.606", Blame.POLICY)),
        (550, "5.1.8 sender's domain not found", refused(550, "5.1.8", Blame.POLICY)),
        (451, "4.7.1 Greylisted, come back later", deferred(451, "4.7.1", Blame.POLICY)),
        (554, "Your message looks like spam", refused(554, "", Blame.POLICY)),
        (550, "mailbox unavailable: listed at a blocklist", refused(550, "", Blame.POLICY)),
        (550, "5.0.0 bad reputation", refused(550, "5.0.0", Blame.POLICY)),
        # Not now, and nobody to blame.
        (450, "try again", deferred(450)),
        (451, "4.3.0 out of breath", deferred(451, "4.3.0")),
        (450, "4.1.1 unknown for now", deferred(450, "4.1.1")),
        (450, "4.2.1 The user is receiving mail at a rate that prevents more", deferred(450, "4.2.1")),
        (451, "4.4.1 no answer from the host", deferred(451, "4.4.1")),
        (450, "mailbox unavailable", deferred(450)),
        # The connection or the campaign waits.
        (421, "4.3.2 shutting down", deferred(421, "4.3.2", Blame.CONNECTION)),
        (421, "later", deferred(421, "", Blame.CONNECTION)),
        (451, "4.3.2 not now", deferred(451, "4.3.2", Blame.CONNECTION)),
        (530, "5.7.0 log in first", deferred(530, "5.7.0", Blame.CONNECTION)),
        (534, "5.7.9 too weak", deferred(534, "5.7.9", Blame.CONNECTION)),
        (535, "5.7.8 wrong password", deferred(535, "5.7.8", Blame.CONNECTION)),
        (538, "encryption required", deferred(538, "", Blame.CONNECTION)),
        (550, "5.7.8 wrong password", deferred(550, "5.7.8", Blame.CONNECTION)),
        (554, "5.7.9 too weak", deferred(554, "5.7.9", Blame.CONNECTION)),
        (554, "5.7.10 encryption needed", deferred(554, "5.7.10", Blame.CONNECTION)),
        (554, "5.7.11 encryption required", deferred(554, "5.7.11", Blame.CONNECTION)),
    ],
)
def test_reply_decides(code: int, text: str, expected: Outcome) -> None:
    """E-50, E-53: each row of the enhanced-status table becomes the outcome the rules name."""
    assert expected == outcome_of(Reply(code, text))


@pytest.mark.parametrize("names_recipient", [True, False])
@pytest.mark.parametrize(
    ("code", "text"),
    [
        (421, "4.7.0 Too many messages, slow down"),
        (450, "4.7.1 Error: too much mail from 192.0.2.1"),
        (451, '4.7.1 Ratelimit "out" exceeded'),
        (452, "4.5.3 too many recipients this hour"),
        (550, "5.1.0 policy: Domain studio.example has exceeded the max emails per hour (200/200) allowed"),
        (550, "studio.example has exceeded the max defers and failures per hour"),
        (550, "5.4.5 Daily user sending quota exceeded"),
        (550, "5.7.1 Sending limit reached"),
        (554, "5.2.0 Submission quota exceeded"),
        (450, "Requested mail action not taken: mail send limit exceeded"),
        (451, "4.3.2 throttled, try again"),
        (450, "try again later because of rate"),
        (550, "5.7.1 L\N{LATIN SMALL LETTER A WITH DIAERESIS}hetysraja ylitetty"),
        (450, "Versandlimit erreicht"),
    ],
)
def test_quota_words_outrank_the_code(code: int, text: str, names_recipient: bool) -> None:  # noqa: FBT001 - a column
    """E-53: what a host says of the sender's quota slows down, whatever the code, and is never a dead address."""
    outcome = outcome_of(Reply(code, text), names_recipient=names_recipient)
    assert (outcome.kind, outcome.blame) == (DEFERRED, Blame.QUOTA)


@pytest.mark.parametrize("number", ["ratelimit", "hourly", "user.unknown", "spam"])
def test_words_of_an_address_decide_nothing(number: str) -> None:
    """A client's own address, or a link, is not read as the server's words."""
    text = f"<{number}@mail.example>: not today, see https://mail.example/{number}"
    assert refused(550) == outcome_of(Reply(550, text))


@pytest.mark.parametrize(
    ("code", "text", "expected"),
    [
        (550, "5.7.1 not your address", deferred(550, "5.7.1", Blame.CONNECTION)),
        (451, "4.7.1 wait", deferred(451, "4.7.1", Blame.CONNECTION)),
        (550, "5.1.1 no such user", deferred(550, "5.1.1", Blame.CONNECTION)),
        (553, "sender unknown", deferred(553, "", Blame.CONNECTION)),
        (452, "4.3.1 no room", deferred(452, "4.3.1", Blame.CONNECTION)),
        (552, "5.3.4 too big", refused(552, "5.3.4", Blame.CONTENT)),
        (552, "too much", refused(552, "", Blame.CONTENT)),
        (501, "5.5.4 what is ENVID", refused(501, "5.5.4", Blame.CONTENT)),
    ],
)
def test_reply_before_a_recipient_is_named(code: int, text: str, expected: Outcome) -> None:
    """E-53: at MAIL a no is about the sender, and the campaign waits, unless it is about the mail itself."""
    assert expected == outcome_of(Reply(code, text), names_recipient=False)


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


def test_raw_reply() -> None:
    """E-50: lines are joined, and eight-bit letters of any kind do not keep a reply from being read."""
    assert Reply(550, "5.1.1 no\nsuch user") == Reply.parsed(b"550-5.1.1 no\r\n550 such user\r\n")
    assert Reply(550, "p\u00e4iv\u00e4") == Reply.parsed("550 p\u00e4iv\u00e4\r\n".encode("latin-1"))
    assert Reply(250) == Reply.parsed(b"250\n")


@given(st.integers(400, 599), st.text())
def test_no_words_are_too_odd(code: int, text: str) -> None:
    """E-53: whatever a server writes, its no becomes a no; only a short list of words makes an address dead."""
    outcome = outcome_of(Reply(code, text))
    assert outcome.kind is DEFERRED if code < 500 else outcome.kind in {DEFERRED, REFUSED}
    is_told = outcome.status in DEAD or says(plain(text), NO_SUCH_USER)
    assert outcome.blame is not Blame.ADDRESS or is_told
