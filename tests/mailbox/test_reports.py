"""What machines report: bounces by their report, odd ones by their form, complaints by our mail within them."""

from datetime import UTC, datetime
from email import message_from_bytes

import pytest

from dispatcher.mailbox.letters import Reader
from dispatcher.rules.letter import Letter, LetterKind
from tests.mailbox.post import (
    ADDRESSES,
    AT,
    BACK,
    BOUNCE,
    INBOX,
    LINK,
    MESSAGE,
    OPT_OUT,
    REPLY,
    came,
    complaint,
    read,
    report,
    written,
)

ON_MESSAGE = "Reporting-MTA: dns; mx.posti.example\nArrival-Date: Tue, 24 Nov 2026 09:30:00 +0200"
DEAD = (
    "Final-Recipient: rfc822; maija@posti.example\nAction: failed\nStatus: 5.1.1\n"
    "Diagnostic-Code: smtp; 550 5.1.1 <maija@posti.example>: Recipient address rejected: User unknown"
)


def told(letter: Letter) -> tuple[LetterKind, str, str, bool]:
    """Return class, status, code and whether it is for good."""
    return letter.kind, letter.status, letter.code, letter.is_permanent


def test_a_failed_delivery_is_a_bounce() -> None:
    """E-60, E-61: status and code of the recipient that failed, under the token of the message."""
    expected = Letter("1", AT, LetterKind.BOUNCE, BOUNCE, "5.1.1", "550", is_permanent=True)
    assert expected == came(report(ON_MESSAGE, DEAD))


@pytest.mark.parametrize("action", ["delayed", "delivered", "relayed", "expanded", "", "failing"])
def test_any_other_action_is_nothing_to_act_on(action: str) -> None:
    """E-61: only failed acts."""
    group = DEAD.replace("Action: failed", f"Action: {action}")
    assert (LetterKind.AUTOMATIC, "", "", False) == told(came(report(ON_MESSAGE, group)))


@pytest.mark.parametrize(
    ("status", "diagnostic", "expected"),
    [
        ("5.1.1", "smtp; 550 5.1.1 User unknown", ("5.1.1", "550", True)),
        ("5.0.0", "smtp; 550 5.2.2 Mailbox full", ("5.2.2", "550", True)),
        ("5.0.0", "smtp; 554 delivery error: dd This user doesn't have a yahoo account", ("5.1.1", "554", True)),
        ("5.0.0", "smtp; 550 No such user here", ("5.1.1", "550", True)),
        ("5.0.0", "smtp; 552 Requested mail action aborted: mailbox full", ("5.2.2", "552", True)),
        ("", "smtp; 550-5.1.1 The email account that you tried to reach does not exist.", ("5.1.1", "550", True)),
        ("", "smtp; 550 Something", ("", "550", True)),
        ("5.7.1", "smtp; 550 5.1.1 User unknown", ("5.7.1", "550", True)),
        ("4.4.7", "smtp; 421 try again", ("4.4.7", "421", True)),
        ("4.4.1 (connection refused)", "X-Postfix; connect to mx.posti.example: refused", ("4.4.1", "", True)),
        ("5.4.4", "", ("5.4.4", "", True)),
        ("", "", ("", "", True)),
        ("nonsense", "nonsense 5.1.1.1 and 55099", ("", "", True)),
        ("5.1.1", "smtp; 250 odd", ("5.1.1", "250", True)),
    ],
)
def test_status_first_then_what_the_server_said(status: str, diagnostic: str, expected: tuple[str, str, bool]) -> None:
    """E-61: the status, unless it says nothing; then the numbers of the diagnostic code; then its words."""
    group = f"Final-Recipient: rfc822; a@b.example\nAction: failed\nStatus: {status}\nDiagnostic-Code: {diagnostic}"
    assert (LetterKind.BOUNCE, *expected) == told(came(report(ON_MESSAGE, group)))


def test_the_group_that_failed_counts() -> None:
    """E-61: among the groups of recipients it is the failed one that tells, the gravest of several."""
    delayed = "Final-Recipient: rfc822; a@b.example\nAction: delayed\nStatus: 4.4.7"
    soft = "Final-Recipient: rfc822; c@b.example\nAction: failed\nStatus: 4.2.2"
    assert "5.1.1" == came(report(ON_MESSAGE, delayed, soft, DEAD)).status


@pytest.mark.parametrize(
    "to", [BACK.reply_to, BACK.opt_out, INBOX.with_token("a" * 47), INBOX.with_token("complaints")]
)
def test_a_report_at_another_address_changes_nothing(to: str) -> None:
    """E-60: without the token of a message, anybody could have written it."""
    assert LetterKind.AUTOMATIC is came(report(ON_MESSAGE, DEAD, to=to)).kind


def test_a_report_is_known_by_where_it_came_not_by_whom_it_names() -> None:
    """E-60: the token is that of the address it was delivered to, whatever stands in it or in From."""
    other = ADDRESSES.bounce_to("f" * 32)
    raw = report(ON_MESSAGE, DEAD, From=other, original=f"Return-Path: <{other}>\nFrom: {other}")
    assert BOUNCE == came(raw).token
    assert read(report(ON_MESSAGE, DEAD, to="hei@tunturituuli.example", From=BACK.bounce_to)) is None


def test_a_receipt_for_reading_is_automatic() -> None:
    """RFC 8098: that a mail was opened is nothing that anybody asked for."""
    raw = report("Disposition: automatic-action/MDN-sent-automatically; displayed", to=BACK.reply_to, Return_Path="")
    assert LetterKind.AUTOMATIC is came(raw.replace(b"delivery-status", b"disposition-notification")).kind


QMAIL = """Hi. This is the qmail-send program at mx.posti.example.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<maija@posti.example>:
{why}

--- Below this line is a copy of the message.
"""
EXIM = """This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  maija@posti.example
    {why}
"""


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (QMAIL, {"From": "MAILER-DAEMON@mx.posti.example", "Return_Path": "<>"}),
        (EXIM, {"From": "Mailer-Daemon@mx.posti.example", "X_Failed_Recipients": "maija@posti.example"}),
    ],
    ids=["qmail", "exim"],
)
@pytest.mark.parametrize(
    ("why", "status", "code"),
    [
        ("Sorry, no mailbox here by that name. (#5.1.1)", "5.1.1", ""),
        ("550 5.2.2 mailbox is full", "5.2.2", "550"),
        ("Something went wrong", "5.0.0", ""),
    ],
)
def test_odd_bounces_are_known_by_their_form(
    body: str, headers: dict[str, str], why: str, status: str, code: str
) -> None:
    """E-61: servers that write no report are recognised, at the address of a message alone."""
    raw = written(BACK.bounce_to, body.format(why=why), Subject="failure notice", **headers)
    assert (LetterKind.BOUNCE, status, code, True) == told(came(raw))
    to_reply = came(written(BACK.reply_to, body.format(why=why), Subject="failure notice", **headers))
    assert to_reply.kind in {LetterKind.OTHER, LetterKind.AUTOMATIC}


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("abuse", LetterKind.COMPLAINT),
        ("Abuse", LetterKind.COMPLAINT),
        ("not-spam", LetterKind.NOT_SPAM),
        ("opt-out", LetterKind.STOP),
        ("fraud", LetterKind.OTHER),
        ("virus", LetterKind.OTHER),
        ("other", LetterKind.OTHER),
        ("", LetterKind.OTHER),
    ],
)
def test_a_complaint_by_its_type(kind: str, expected: LetterKind) -> None:
    """E-62: abuse is an objection, not-spam nothing; what else there is waits for a person."""
    assert expected is came(complaint(kind, f"Reply-To: {BACK.reply_to}\r\n\r\nHei")).kind


@pytest.mark.parametrize(
    ("original", "token"),
    [
        (f"List-Unsubscribe: <{LINK}>, <mailto:{BACK.opt_out}>\r\nReply-To: {BACK.reply_to}\r\n\r\nHei", OPT_OUT),
        (f"List-Unsubscribe: <{LINK}>\r\n\r\nHei", OPT_OUT),
        (f'Reply-To: "Tunturituuli"\r\n <{BACK.reply_to}>\r\n\r\nHei', REPLY),
        (f"Return-Path: <{BACK.bounce_to}>\r\nTo: x@y.example\r\n\r\nHei", BOUNCE),
        (f"List-Unsubscribe: <https://other.example/u/{'a' * 37}>\r\n\r\nHei", ""),
        (f"From: {BACK.opt_out}\r\nTo: {BACK.reply_to}\r\n\r\n{BACK.opt_out}", ""),
        ("", ""),
    ],
)
def test_a_complaint_is_about_the_mail_within_it(original: str, token: str) -> None:
    """E-62, E-60: only what this installation sealed into its mail tells whose complaint it is."""
    assert (LetterKind.COMPLAINT, token) == (
        came(complaint("abuse", original)).kind,
        came(complaint("abuse", original)).token,
    )


def test_a_complaint_at_a_clients_own_address() -> None:
    """E-62: where the provider complains to the envelope, the message is known by its address."""
    assert BOUNCE == came(complaint("abuse", "To: x\r\n\r\n", to=BACK.bounce_to)).token


def test_headers_alone_are_enough() -> None:
    """E-62: some providers pass on the headers of our mail and no more."""
    raw = complaint("abuse", f"List-Unsubscribe: <{LINK}>\r\nTo: redacted\r\n")
    assert OPT_OUT == came(raw.replace(b"message/rfc822", b"text/rfc822-headers")).token


def test_a_complaint_elsewhere_is_not_looked_at() -> None:
    """What comes to the owner's plain address is the owner's."""
    assert read(complaint("abuse", f"Reply-To: {BACK.reply_to}\r\n\r\n", to="hei@tunturituuli.example")) is None


def test_the_time_is_that_of_the_inbox() -> None:
    """A letter's own Date may say anything; what counts is when the inbox took it."""
    at = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
    letter = Reader(ADDRESSES).letter(report(ON_MESSAGE, DEAD, Date="Tue, 1 Jan 1980 00:00:00 +0000"), "9:5", at)
    assert letter is not None
    assert ("9:5", at) == (letter.key, letter.at)
    assert MESSAGE not in repr(letter)
    assert message_from_bytes(report(ON_MESSAGE, DEAD))["Date"] is None
