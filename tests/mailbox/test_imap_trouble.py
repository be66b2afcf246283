"""IMAP servers in trouble, or up to no good: each ends in an error that a person can act on, and soon."""

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from dispatcher.demo.loopback import HOST, listen
from dispatcher.errors import MailboxError
from dispatcher.mailbox import Seen
from dispatcher.mailbox.imap import ImapMailbox, ImapSettings, Tls
from dispatcher.rules.letter import Letter
from tests.faults.certificates import Certificate
from tests.mailbox.post import ADDRESSES, written

USER, PASSWORD = "hei@tunturituuli.example", "salaisuus"
HEAD = "* FLAGS ()\r\n* 1 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n{tag} OK [READ-ONLY] done\r\n"
LOGIN = {"CAPABILITY": "* CAPABILITY IMAP4rev1\r\n{tag} OK done\r\n", "LOGIN": "{tag} OK in\r\n", "EXAMINE": HEAD}
SEARCH = {**LOGIN, "UID SEARCH": "* SEARCH 1\r\n{tag} OK done\r\n"}
GONE = "gone"
"""An answer that is none: the connection is closed."""


@contextmanager
def scripted(answers: dict[str, str], greeting: str = "* OK ready\r\n") -> Iterator[int]:
    """Run a server that gives these answers by the beginning of a command, and no others; yield its port."""

    def serve() -> None:
        with suppress(OSError), listening.accept()[0] as connection, ExitStack() as stack:
            connection.settimeout(10)
            connection.sendall(greeting.encode())
            file = stack.enter_context(connection.makefile("rb"))
            for line in file:
                tag, _, command = line.decode(errors="replace").strip().partition(" ")
                answer = next(
                    (text for known, text in answers.items() if command.startswith(known)), "{tag} BAD what\r\n"
                )
                if answer == GONE:
                    return
                connection.sendall(answer.replace("{tag}", tag).encode("utf-8", "surrogateescape"))

    with listen() as listening:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        with suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
    thread.join(10)


def asked(port: int, tls: Tls = Tls.NONE, host: str = HOST) -> ImapSettings:
    """Return the settings to ask there."""
    return ImapSettings(host, port, tls, USER, PASSWORD)


def told(settings: ImapSettings, seen: Seen = lambda *_: None, patience: float = 5) -> str:
    """Return the error that reading ends in; it never shows the password."""
    with pytest.raises(MailboxError) as caught:
        ImapMailbox(settings, ADDRESSES, patience).read("", seen)
    assert PASSWORD not in str(caught.value)
    return str(caught.value)


def taken(port: int) -> tuple[list[Letter], str]:
    """Return what is handed over there, and the new mark."""
    found: list[Letter] = []
    mark = ImapMailbox(asked(port), ADDRESSES, 5).read("", lambda letters, _: found.extend(letters))
    return found, mark


def holding(*numbers: int, breaks_at: int, how: str = GONE) -> dict[str, str]:
    """Return the answers of an inbox of such letters to us, which breaks at one of them."""
    raw = written(body="Hei").decode().replace("\n", "\r\n")
    said = "".join(f"* 1 FETCH (UID {each} BODY[HEADER] {{{len(raw.encode())}}}\r\n{raw})\r\n" for each in numbers)
    date = 'INTERNALDATE "04-Nov-2026 09:30:00 +0200"'
    whole = {
        f"UID FETCH {each} (UID INTERNALDATE": (
            f"* 1 FETCH (UID {each} {date} BODY[] {{{len(raw.encode())}}}\r\n{raw})\r\n{{tag}} OK done\r\n"
        )
        for each in numbers
    }
    broken = {f"UID FETCH {breaks_at} (UID INTERNALDATE": how}
    search = {"UID SEARCH": f"* SEARCH {' '.join(map(str, numbers))}\r\n{{tag}} OK done\r\n"}
    return LOGIN | whole | broken | search | {"UID FETCH": said + "{tag} OK done\r\n", "LOGOUT": GONE}


def test_a_connection_that_always_breaks_gets_on() -> None:
    """A server that breaks off after three letters each time is read to its end: what was read is handed over."""
    found: list[str] = []
    marks = [""]

    def seen(letters: Sequence[Letter], mark: str) -> None:
        found.extend(each.key for each in letters)
        marks.append(mark)

    for numbers, breaks_at in ((range(1, 9), 4), (range(4, 9), 7), (range(7, 9), 0)):
        with scripted(holding(*numbers, breaks_at=breaks_at)) as port:
            mailbox = ImapMailbox(asked(port), ADDRESSES, 5)
            # Each server has a port of its own, which is no part of the place that a mark belongs to.
            if breaks_at:
                with pytest.raises(MailboxError, match="it is tried again"):
                    mailbox.read(marks[-1], seen)
            else:
                mailbox.read(marks[-1], seen)
    assert [f"7:{number}" for number in range(1, 9)] == found
    assert ["3", "6", "8"] == [mark.rpartition(":")[2] for mark in marks[1:]]


REFUSED = "{tag} NO [SERVERBUG] it is broken\r\n"
CAME = {"UID FETCH 2 (INTERNALDATE": '* 1 FETCH (UID 2 INTERNALDATE "04-Nov-2026 09:30:00 +0200")\r\n{tag} OK done\r\n'}
HEADS = {"UID FETCH 1,2,3": REFUSED, "UID FETCH 2 (UID BODY": REFUSED}


@pytest.mark.parametrize("heads", [{}, HEADS])
@pytest.mark.parametrize(("came", "when"), [(CAME, ", which came on 2026-11-04 at 07:30 UTC"), ({}, "")])
def test_a_letter_that_is_refused_is_named(heads: dict[str, str], came: dict[str, str], when: str) -> None:
    """Invariants 4 and 10: the box stays unread, which letter and what to do is told, and those before it count."""
    found: list[str] = []
    script = heads | {"UID FETCH 2 (INTERNALDATE": REFUSED} | came | holding(1, 2, 3, breaks_at=2, how=REFUSED)
    with scripted(script) as port:
        error = told(asked(port), lambda letters, mark: found.extend([*(each.key for each in letters), mark[-4:]]))
    assert f"does not hand over letter number 2 of INBOX{when}. Read it in your mail program" in error
    assert "run `dispatcher consent withdraw`. Then move it to another folder, or delete it" in error
    assert "nothing is sent, and it is tried again" in error
    assert ["7:1", ":7:1"] == found


@pytest.mark.parametrize("heads", [{}, HEADS])
def test_a_letter_deleted_meanwhile_is_passed_over(heads: dict[str, str]) -> None:
    """RFC 2180, 4.1: a server may answer NO for what another program has deleted; nobody has to mend that."""
    gone = {"UID SEARCH UID 2": "* SEARCH\r\n{tag} OK done\r\n"}
    with scripted(gone | heads | holding(1, 2, 3, breaks_at=2, how=REFUSED)) as port:
        letters, mark = taken(port)
    assert (["7:1", "7:3"], True) == ([each.key for each in letters], mark.endswith(":7:3"))


def test_a_server_that_is_down() -> None:
    """The error names machine and port, and says that it is tried again."""
    with listen() as listening:
        port = listening.getsockname()[1]
    for tls in Tls:
        error = told(asked(port, tls))
        assert (
            f"The IMAP server {HOST} (port {port}) cannot be reached (Connection refused): it is tried again" in error
        )
        assert "check [mailbox] host and port" in error


def test_a_host_that_cannot_be() -> None:
    """A name that no machine can have is told as such, with the setting to correct."""
    error = told(asked(993, Tls.IMPLICIT, f"{'x' * 70}.example"))
    assert "no machine has such a name. Check [mailbox] host." in error


@pytest.mark.parametrize("tls", [Tls.NONE, Tls.IMPLICIT, Tls.STARTTLS])
def test_a_server_that_does_not_answer(tls: Tls) -> None:
    """Who takes the call and says nothing is waited for only so long."""
    with listen() as listening:
        listening.listen()
        assert "does not answer in 0 seconds: it is tried again" in told(
            asked(listening.getsockname()[1], tls), patience=0.2
        )


def test_a_certificate_that_has_expired(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """E-43: the reason is told, nothing else is, and who can mend it."""
    certificate = Certificate.made(tmp_path, until=2024)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.file))

    def serve() -> None:
        with suppress(OSError), listening.accept()[0] as connection:
            certificate.context.wrap_socket(connection, server_side=True)

    with listen() as listening:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        error = told(asked(listening.getsockname()[1], Tls.IMPLICIT, "localhost"))
        thread.join(10)
    assert "shows a certificate that is not to be trusted: certificate has expired. Nothing was told to it" in error
    assert "renew its certificate" in error


def test_tls_asked_where_none_is_spoken() -> None:
    """The usual mistake, port 143 with implicit TLS, is told with the right pairs."""
    with scripted(LOGIN) as port:
        assert '993 goes with "implicit", 143 with "starttls"' in told(asked(port, Tls.IMPLICIT))


def test_a_server_without_starttls_gets_no_password() -> None:
    """E-43: who strips STARTTLS from the answers gets nothing to read."""
    heard = []
    with scripted({**LOGIN, "LOGIN": "{tag} OK in\r\n"}) as port:
        heard.append(told(asked(port, Tls.STARTTLS)))
    assert "offers no STARTTLS" in heard[0]
    assert "without TLS nothing is told to it" in heard[0]


@pytest.mark.parametrize(
    "answers",
    [
        {"CAPABILITY": GONE},
        {**LOGIN, "LOGIN": GONE},
        {**LOGIN, "EXAMINE": GONE},
        {**LOGIN, "UID SEARCH": GONE},
        {**LOGIN, "UID SEARCH": "{tag} NO not now\r\n"},
        {**SEARCH, "UID FETCH": GONE},
        {**SEARCH, "UID FETCH": "{tag} BAD what\r\n"},
        {**SEARCH, "UID FETCH": "* 1 FETCH (UID 1 BODY[HEADER] {100}\r\nTo: "},
        {**SEARCH, "UID FETCH": "complete nonsense\r\n"},
        {**LOGIN, "EXAMINE": "* 1 EXISTS\r\n{tag} OK [READ-ONLY] done\r\n"},
        {**LOGIN, "EXAMINE": "* 1 EXISTS\r\n* OK [UIDVALIDITY x] y\r\n{tag} OK [READ-ONLY] done\r\n"},
        {"CAPABILITY": "\udcff\udcfe\r\n"},
    ],
)
def test_a_server_that_breaks_off_or_talks_nonsense(answers: dict[str, str]) -> None:
    """Whatever it says, and wherever it stops, the inbox has not been read: nothing may leave on that."""
    with scripted(answers) as port:
        error = told(asked(port), patience=1)
    assert "it is tried again" in error


def test_an_inbox_of_many_years_is_read() -> None:
    """A list of all its letters would be longer than a line may be: it is asked for in parts, and none is left out."""
    size = 180_001
    windows = {"1:90000": "5", "90001:180000": "90001 180000", "180001:180001": "180001"}
    answers = {f"UID SEARCH UID {part}": f"* SEARCH {found}\r\n{{tag}} OK done\r\n" for part, found in windows.items()}
    everything = f"* SEARCH {'1000000 ' * size}\r\n{{tag}} OK done\r\n"
    script = {
        **LOGIN,
        "EXAMINE": HEAD.replace("1 EXISTS", f"{size} EXISTS"),
        **answers,
        "UID SEARCH UID *": f"* SEARCH {size}\r\n{{tag}} OK done\r\n",
        "UID SEARCH UID 1:*": everything,
        "UID FETCH 5,90001,180000,180001": "{tag} OK done\r\n",
    }
    with scripted(script) as port:
        fetched, mark = taken(port)
    assert (":7:180001", []) == (mark[mark.index(":") :], fetched)


def test_a_server_that_would_fill_the_memory() -> None:
    """Who announces more than was asked for is not listened to any further."""
    answer = "* 1 FETCH (UID 1 BODY[] {99999999999}\r\n" + "x" * 1000
    with scripted({**SEARCH, "UID FETCH": answer}) as port:
        assert "it is tried again" in told(asked(port))


def test_what_a_server_tells_beside_is_passed_over() -> None:
    """RFC 3501, 7: flags and sizes told unasked, fields in any order, in the midst of an answer."""
    raw = written(body="Lopeta").decode()
    head = raw.partition("\n\n")[0].replace("\n", "\r\n") + "\r\n\r\n"
    fetched = (
        "* 1 FETCH (FLAGS (\\Seen))\r\n* 2 EXISTS\r\n"
        f"* 1 FETCH (BODY[HEADER.FIELDS (TO)]<0> {{{len(head)}}}\r\n{head} UID 1 FLAGS (\\Seen))\r\n{{tag}} OK done\r\n"
    )
    whole = (
        f"* 1 FETCH (BODY[]<0> {{{len(raw.encode())}}}\r\n{raw} UID 1 "
        'INTERNALDATE " 4-Nov-2026 09:30:00 +0200")\r\n{tag} OK done\r\n'
    )
    answers = {"UID FETCH 1 (UID INTERNALDATE": whole, **SEARCH, "UID FETCH": fetched, "LOGOUT": GONE}
    with scripted(answers) as port:
        found, mark = taken(port)
    assert ["7:1"] == [each.key for each in found]
    assert "2026-11-04T07:30:00+00:00" == found[0].at.isoformat()
    assert mark.endswith(":7:1")


def test_a_date_that_is_none() -> None:
    """Without the time at which the inbox took a letter nobody can tell what came first, so it is not read."""
    raw = written(body="Lopeta").decode()
    whole = (
        f'* 1 FETCH (UID 1 INTERNALDATE "99-Foo-2026 09:30:00 +0200" BODY[]<0> {{{len(raw.encode())}}}\r\n{raw})\r\n'
    )
    head = f"To: {ADDRESSES.bounce_to('0' * 32)}\r\n\r\n"
    fetched = f"* 1 FETCH (UID 1 BODY[HEADER.FIELDS (TO)]<0> {{{len(head)}}}\r\n{head})\r\n{{tag}} OK done\r\n"
    answers = {"UID FETCH 1 (UID INTERNALDATE": whole + "{tag} OK done\r\n", **SEARCH, "UID FETCH": fetched}
    with scripted(answers) as port:
        assert "answered what cannot be read" in told(asked(port))
