"""A mail server's log: what became of mails, by Message-ID, whoever wrote it and however long it is."""

import gzip
import tracemalloc
from pathlib import Path

import pytest

from dispatcher.errors import RefusedError
from dispatcher.mail_logs import Fortune, MailLogs, Traced

ONE, TWO, OTHER = "1" * 32, "2" * 32, "f" * 32
POST = "Nov 24 10:00:01 mx postfix"
POSTFIX = f"""\
{POST}/smtpd[11]: 4Xk1: client=studio.example[192.0.2.5]
{POST}/cleanup[12]: 4XkAB1: message-id=<{ONE}@studio.example>
{POST}/qmgr[13]: 4XkAB1: from=<palautus@studio.example>, size=2500, nrcpt=1 (queue active)
{POST}/cleanup[12]: 4XkAB2: message-id=<{OTHER}@studio.example>
"""
SENT = f"{POST}/smtp[14]: 4XkAB1: to=<a@b.example>, relay=mx[192.5.1.1]:25, delay=1, dsn=2.0.0, status=sent (250 ok)\n"
DEFERRED = SENT.replace("2.0.0, status=sent (250 ok)", "4.2.2, status=deferred (452 full)")
BOUNCED = SENT.replace("2.0.0, status=sent (250 ok)", "5.1.1, status=bounced (550 5.7.1 no)")
EXPIRED = SENT.replace("2.0.0, status=sent (250 ok)", "4.4.1, status=expired, returned to sender")
REMOVED = f"{POST}/qmgr[13]: 4XkAB1: removed\n"
CUT_OFF = f"""\
{POST}/cleanup[12]: 4XkAB1: message-id=<{ONE}@studio.example>
{POST}/smtpd[11]: lost connection after DATA (70144 bytes) from studio.example[192.0.2.5]
"""
MILTER = (
    f"{POST}/cleanup[12]: 4XkAB1: milter-reject: END-OF-MESSAGE from studio.example[192.0.2.5]: 5.7.1 spam; "
    "from=<palautus@studio.example> to=<a@b.example> proto=ESMTP\n"
)
EXIM = f"""\
2026-11-24 10:00:01 1tEabc-00000000A1B-2C3D <= palautus@studio.example H=studio P=esmtps S=2500 id={ONE}@studio.example
2026-11-24 10:00:01 1tEabc-00000000A1B-2C3E <= x@studio.example H=studio P=esmtps S=2500 id={OTHER}@studio.example
"""
EXIM_SENT = "2026-11-24 10:00:02 1tEabc-00000000A1B-2C3D => a@b.example R=dnslookup T=remote_smtp H=mx [192.5.1.1]\n"
EXIM_BOUNCED = (
    "2026-11-24 10:00:02 1tEabc-00000000A1B-2C3D ** a@b.example R=dnslookup T=remote_smtp H=mx [192.5.1.1]: "
    "SMTP error from remote mail server after RCPT TO: 550 5.1.1 no such user\n"
)
EXIM_DEFERRED = "2026-11-24 10:00:02 1tEabc-00000000A1B-2C3D == a@b.example R=dnslookup T=remote_smtp defer (-53)\n"


def traced(tmp_path: Path, *texts: str | bytes) -> dict[str, Traced]:
    """Return what logs of these texts, one after another, tell of the first two mails."""
    reader = MailLogs([ONE, TWO])
    for number, text in enumerate(texts):
        path = tmp_path / f"mail.{number}"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        reader.read(path)
    return dict(reader.found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (POSTFIX, Traced(Fortune.SEEN)),
        (POSTFIX + SENT, Traced(Fortune.QUEUED)),
        (POSTFIX + DEFERRED, Traced(Fortune.QUEUED)),
        (POSTFIX + DEFERRED + BOUNCED, Traced(Fortune.BOUNCED, "5.1.1")),
        (POSTFIX + SENT + BOUNCED, Traced(Fortune.BOUNCED, "5.1.1")),
        (POSTFIX + EXPIRED, Traced(Fortune.BOUNCED, "4.4.1")),
        (POSTFIX + MILTER, Traced(Fortune.REFUSED, "5.7.1")),
        (POSTFIX + MILTER + SENT, Traced(Fortune.QUEUED)),
        (POSTFIX + REMOVED + BOUNCED, Traced(Fortune.SEEN)),
        (POSTFIX + BOUNCED.replace("4XkAB1", "4XkAB2"), Traced(Fortune.SEEN)),
        (POSTFIX + POSTFIX.replace(ONE, OTHER) + BOUNCED, Traced(Fortune.SEEN)),
        (EXIM, Traced(Fortune.SEEN)),
        (EXIM + EXIM_SENT, Traced(Fortune.QUEUED)),
        (EXIM + EXIM_DEFERRED, Traced(Fortune.QUEUED)),
        (EXIM + EXIM_BOUNCED, Traced(Fortune.BOUNCED, "5.1.1")),
        (EXIM + EXIM_SENT.replace("=> a@b.example", "Completed") + EXIM_BOUNCED, Traced(Fortune.SEEN)),
        (EXIM + EXIM_BOUNCED.replace("2C3D", "2C3E"), Traced(Fortune.SEEN)),
        (f"24/Nov/2026 mail from studio accepted, id <{ONE}@studio.example>, 2500 bytes\n", Traced(Fortune.SEEN)),
        (f"accepted {OTHER}@studio.example and {ONE}@studio.example", Traced(Fortune.SEEN)),
    ],
)
def test_what_a_log_tells(tmp_path: Path, text: str, expected: Traced) -> None:
    """E-51: a Message-ID in a log was taken; the lines of its queue say what became of it, those of others do not."""
    assert {ONE: expected} == traced(tmp_path, text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"{POST}/cleanup[12]: 4XkAB1: message-id=<{OTHER}@studio.example>\n" + BOUNCED,
        # The header came, and then the connection was lost.
        CUT_OFF,
        CUT_OFF + POSTFIX.replace(ONE, OTHER),
        f"Message-ID: <{ONE}@studio.example>\n",
        f"  Message-Id: <{ONE}@studio.example>\n",
        f"I Message-Id: <{ONE}@studio.example>\n",
        f"2026-11-24 10:00:01 rejected after DATA: spam, <{ONE}@studio.example>\n",
        f"2026-11-24 amavis: Blocked SPAM, Message-ID: <{ONE}@studio.example>\n",
        f"a file named x{ONE}@studio.example\n",
        f"{ONE}0@studio.example {ONE}\n",
        BOUNCED,
    ],
)
def test_what_a_log_does_not_tell(tmp_path: Path, text: str) -> None:
    """E-51: stored mails, lines that refuse one and longer words are no proof that a server took anything."""
    assert {} == traced(tmp_path, text)


def test_a_queue_goes_on_in_the_next_log(tmp_path: Path) -> None:
    """E-51: of logs that follow each other the second knows what the first began, packed or not."""
    assert {ONE: Traced(Fortune.BOUNCED, "5.1.1")} == traced(tmp_path, gzip.compress(POSTFIX.encode()), BOUNCED)


def test_bytes_that_are_no_text_are_passed_over(tmp_path: Path) -> None:
    """E-51: whatever else is in a log, what is asked for is found."""
    assert {ONE: Traced(Fortune.SEEN)} == traced(tmp_path, b"\xff\x00\n" * 1000 + POSTFIX.encode() + b"\x80")


@pytest.mark.parametrize("cut", [20, 40])
def test_half_a_packed_log_is_refused(tmp_path: Path, cut: int) -> None:
    """A packed log that is not whole is refused by name: half of it would look like all of it."""
    path = tmp_path / "mail.log.1.gz"
    packed = gzip.compress(POSTFIX.encode())
    path.write_bytes(packed[:-cut])
    with pytest.raises(RefusedError, match=r"mail\.log\.1\.gz is packed and damaged"):
        MailLogs([ONE]).read(path)
    path.write_bytes(packed[:30] + b"\x00" * 10 + packed[40:])
    with pytest.raises(RefusedError, match=r"mail\.log\.1\.gz is packed and damaged"):
        MailLogs([ONE]).read(path)


def test_a_log_that_is_not_there_is_named(tmp_path: Path) -> None:
    """What cannot be read is named, with the machine's own words."""
    with pytest.raises(RefusedError, match=r"mail\.log cannot be read \(No such file"):
        MailLogs([ONE]).read(tmp_path / "mail.log")
    with pytest.raises(RefusedError, match="Is a directory"):
        MailLogs([ONE]).read(tmp_path)


def test_a_long_log_takes_no_memory(tmp_path: Path) -> None:
    """A log is read line by line and says how far it has come; a line without an end is no more than any other."""
    path = tmp_path / "mail.log"
    with path.open("wb") as file:
        for _ in range(60):
            file.write(b"Nov 24 10:00:01 mx dovecot: imap-login: Login: somebody else\n" * 4000)
        file.write(b"x" * 20_000_000 + b"\n" + POSTFIX.encode())
    heard: list[tuple[int, int]] = []
    reader = MailLogs([ONE])
    tracemalloc.start()
    reader.read(path, lambda done, size: heard.append((done, size)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert {ONE: Traced(Fortune.SEEN)} == dict(reader.found)
    assert peak < 2_000_000
    size = path.stat().st_size
    assert (size, size) == heard[-1]
    assert sorted(heard) == heard
    assert len(heard) > 3
