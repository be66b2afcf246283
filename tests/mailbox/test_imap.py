"""An inbox on a real IMAP server is read and left as it was, by the server's own word."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, timedelta

import pytest

from dispatcher.errors import MailboxError
from dispatcher.mailbox.imap import ImapMailbox, ImapSettings, Tls
from dispatcher.rules.letter import Letter, LetterKind
from dispatcher.wiring import system_clock
from tests.mailbox.imap_server import PASSWORD, USER, ImapServer
from tests.mailbox.post import ADDRESSES, BACK, BOUNCE, OPT_OUT, REPLY, complaint, report, written

Taken = tuple[list[Letter], str]


@pytest.fixture
def server(dovecot: ImapServer) -> ImapServer:
    """Give the server."""
    return dovecot


@pytest.fixture
def asked(server: ImapServer, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> ImapSettings:
    """Give settings for a folder of the test's own, on a machine that trusts the server's certificate."""
    monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate.file))
    folder = re.sub(r"\W", "-", request.node.name)
    return ImapSettings("localhost", server.encrypted, Tls.IMPLICIT, USER, PASSWORD, folder)


def taken(asked: ImapSettings, mark: str = "") -> Taken:
    """Return what is handed over, and the new mark."""
    found: list[Letter] = []
    return found, ImapMailbox(asked, ADDRESSES).read(mark, lambda letters, _: found.extend(letters))


@pytest.fixture
def put(server: ImapServer, asked: ImapSettings) -> Callable[[bytes], None]:
    """Give a way to deliver into the test's folder."""
    return lambda raw: server.deliver(raw, asked.folder)


Put = Callable[[bytes], None]


def test_letters_are_handed_over_and_nothing_is_marked(server: ImapServer, asked: ImapSettings, put: Put) -> None:
    """E-13, E-60: what came to us is read; not even that it is new any more does the server note of any letter."""
    for raw in (
        written(body="Lopeta"),
        written("hei@tunturituuli.example", "Yksityistä"),
        written(BACK.opt_out),
        report("Reporting-MTA: dns; x", "Action: failed\nStatus: 5.1.1"),
        complaint("abuse", f"Reply-To: {BACK.reply_to}\r\n\r\n"),
    ):
        put(raw)
    before = server.flags(asked.folder)
    letters, _ = taken(asked)
    expected = [(LetterKind.STOP, REPLY), (LetterKind.STOP, OPT_OUT), (LetterKind.BOUNCE, BOUNCE)]
    assert [*expected, (LetterKind.COMPLAINT, REPLY)] == [(each.kind, each.token) for each in letters]
    assert all(abs(system_clock() - each.at) < timedelta(minutes=5) and each.at.tzinfo is UTC for each in letters)
    ImapMailbox(asked, ADDRESSES).show(letters[0].key)
    assert before == server.flags(asked.folder)
    assert 5 == len(before)
    assert all(line.endswith(r"FETCH (FLAGS (\Recent))") for line in before)


def test_of_other_peoples_letters_only_the_address_is_read(server: ImapServer, asked: ImapSettings, put: Put) -> None:
    """What came to the owner alone is not fetched: the server itself counts what was."""
    for _ in range(3):
        put(written("hei@tunturituuli.example", "Yksityistä"))
    put(written(body="Hei"))
    visits = len(server.farewells(0))
    taken(asked)
    last = server.farewells(visits + 1)[-1]
    assert ("4", "1") == re.findall(r"hdr_count=(\d+) .*body_count=(\d+)", last)[0]


def test_only_what_is_new_comes_again(asked: ImapSettings, put: Put) -> None:
    """From the mark on each letter comes once, in the order of its coming."""
    put(written(body="Hei"))
    letters, mark = taken(asked)
    assert (1, ([], mark)) == (len(letters), taken(asked, mark))
    put(written(body="Lopeta"))
    put(written(body="Moi"))
    later, mark = taken(asked, mark)
    assert [LetterKind.STOP, LetterKind.OTHER] == [each.kind for each in later]
    assert ([], mark) == taken(asked, mark)


def test_more_letters_than_are_asked_for_at_once(asked: ImapSettings, server: ImapServer) -> None:
    """An inbox of hundreds is gone through in pieces; none is left out."""
    raw = written(body="Hei")
    with server.session() as ask:
        ask(f'CREATE "{asked.folder}"')
        for _ in range(230):
            ask(f'APPEND "{asked.folder}" {{{len(raw)}+}}', raw)
    letters, mark = taken(asked)
    numbers = [int(each.key.rpartition(":")[2]) for each in letters]
    assert list(range(1, 231)) == numbers
    assert mark.endswith(":230")


def test_a_folder_that_is_numbered_anew_is_read_anew(server: ImapServer, asked: ImapSettings, put: Put) -> None:
    """RFC 3501, 2.3.1.1: with another UIDVALIDITY the mark says nothing; letters come again rather than get lost."""
    put(written(body="Hei"))
    put(written(body="Hei"))
    letters, mark = taken(asked)
    with server.session() as ask:
        ask(f'DELETE "{asked.folder}"')
    put(written(body="Lopeta"))
    again, _ = taken(asked, mark)
    assert [LetterKind.STOP] == [each.kind for each in again]
    with pytest.raises(MailboxError, match="numbered its letters anew"):
        ImapMailbox(asked, ADDRESSES).show(letters[0].key)


def test_the_mark_of_another_inbox_says_nothing(asked: ImapSettings, put: Put) -> None:
    """A mark is that of one server, name and folder."""
    put(written(body="Hei"))
    mark = taken(asked)[1]
    place, validity, _ = mark.split(":")
    for strange in ("", "x", f"0000000000:{validity}:9", f"{place}:1:9", f"{place}:{validity}:x", "::"):
        assert 1 == len(taken(asked, strange)[0])


def test_an_empty_folder_has_a_mark_as_well(asked: ImapSettings, put: Put, server: ImapServer) -> None:
    """Nothing to read is no error, and what comes then is new."""
    with server.session() as ask:
        ask(f'CREATE "{asked.folder}"')
    letters, mark = taken(asked)
    assert [] == letters
    put(written(body="Hei"))
    assert 1 == len(taken(asked, mark)[0])


def test_a_letter_that_was_deleted(asked: ImapSettings, put: Put, server: ImapServer) -> None:
    """What is gone is passed over when reading, and said to be gone when a person asks for it."""
    put(written(body="Hei"))
    put(written(body="Lopeta"))
    letters, _ = taken(asked)
    with server.session() as ask:
        ask(f'SELECT "{asked.folder}"')
        ask(r"STORE 1 +FLAGS (\Deleted)")
        ask("EXPUNGE")
    assert [LetterKind.STOP] == [each.kind for each in taken(asked)[0]]
    assert "Lopeta" in ImapMailbox(asked, ADDRESSES).show(letters[1].key)
    with pytest.raises(MailboxError, match="not in the inbox any more"):
        ImapMailbox(asked, ADDRESSES).show(letters[0].key)


def test_a_huge_letter_is_fetched_at_its_beginning(asked: ImapSettings, put: Put) -> None:
    """Megabytes are not carried over the network for a word at the beginning."""
    put(written(body="Lopeta\n" + "x" * 70 + ("\n" + "y" * 70) * 30_000))
    assert [LetterKind.STOP] == [each.kind for each in taken(asked)[0]]


@pytest.mark.parametrize("folder", ["Päivittäin & öisin", 'Quo"ted\\', "with blanks"])
def test_folders_by_any_name(folder: str, asked: ImapSettings, server: ImapServer) -> None:
    """RFC 3501, 5.1.3: a folder may have a name in Finnish, with blanks and signs."""
    wire = {"Päivittäin & öisin": "P&AOQ-ivitt&AOQ-in &- &APY-isin", 'Quo"ted\\': 'Quo\\"ted\\\\'}.get(folder, folder)
    server.deliver(written(body="Hei"), wire)
    assert 1 == len(taken(replace(asked, folder=folder))[0])


def test_a_folder_of_the_programs_own_is_taken_whole(asked: ImapSettings, put: Put) -> None:
    """What a rule of the owner's put there is looked at, whatever address it came to."""
    put(written("hei@tunturituuli.example", "Lopeta"))
    assert [LetterKind.STOP] == [each.kind for each in taken(replace(asked, takes_all=True))[0]]


@pytest.mark.parametrize("tls", [Tls.STARTTLS, Tls.NONE])
def test_other_ways_to_the_same_inbox(tls: Tls, asked: ImapSettings, server: ImapServer, put: Put) -> None:
    """E-43: STARTTLS by a verified certificate; in the clear on this machine alone, which the settings see to."""
    put(written(body="Hei"))
    assert 1 == len(taken(replace(asked, tls=tls, port=server.plain))[0])


def test_a_wrong_password_says_what_to_correct(asked: ImapSettings) -> None:
    """The error names the key to correct, and never the password."""
    with pytest.raises(MailboxError, match=r"refuses hei@tunturituuli\.example or the password: correct") as caught:
        taken(replace(asked, password="väärä"))
    assert "väärä" not in str(caught.value)


def test_a_folder_that_is_not_there(asked: ImapSettings) -> None:
    """The error names the folder and how names may look."""
    with pytest.raises(MailboxError, match=r'no folder "Puuttuu" in the inbox: write its whole name'):
        taken(replace(asked, folder="Puuttuu"))


def test_a_certificate_that_nobody_vouches_for(asked: ImapSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    """E-43: to a server whose certificate is not to be trusted neither name nor password is told."""
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(MailboxError, match=r"not to be trusted: self-signed certificate.*Nothing was told to it"):
        taken(asked)


def test_a_certificate_for_another_name(asked: ImapSettings) -> None:
    """E-43: the certificate is that of the name in the settings."""
    with pytest.raises(MailboxError, match="not to be trusted: IP address mismatch"):
        taken(replace(asked, host="127.0.0.1"))


def test_who_takes_a_letter_and_fails_is_heard(asked: ImapSettings, put: Put, server: ImapServer) -> None:
    """What cannot be kept ends the look, and the server is told goodbye."""
    put(written(body="Lopeta"))

    def fail(_: Sequence[Letter], __: str) -> None:
        raise RuntimeError

    visits = len(server.farewells(0))
    with pytest.raises(RuntimeError):
        ImapMailbox(asked, ADDRESSES).read("", fail)
    assert visits + 1 == len(server.farewells(visits + 1))


def test_the_settings_never_show_the_password(asked: ImapSettings) -> None:
    """A settings value in a log has no password in it."""
    assert PASSWORD not in repr(asked)
