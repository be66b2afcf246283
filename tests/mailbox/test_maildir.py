"""A Maildir is read and left exactly as it was: what is new is handed over, nothing is moved, renamed or touched."""

import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dispatcher.errors import MailboxError
from dispatcher.mailbox.maildir import MaildirMailbox, is_maildir
from dispatcher.rules.letter import Letter, LetterKind
from tests.clock import FixedClock
from tests.mailbox.post import ADDRESSES, BACK, OPT_OUT, REPLY, complaint, report, written

NOON = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
Put = Callable[..., Path]


@pytest.fixture
def box(tmp_path: Path) -> Path:
    """Give an empty Maildir."""
    for folder in ("new", "cur", "tmp"):
        (tmp_path / "inbox" / folder).mkdir(parents=True)
    return tmp_path / "inbox"


@pytest.fixture
def mailbox(box: Path, clock: FixedClock) -> MaildirMailbox:
    """Give what reads it."""
    return MaildirMailbox(box, ADDRESSES, clock)


@pytest.fixture
def put(box: Path) -> Put:
    """Give a way to deliver a letter, so many minutes before noon, into one of the folders."""

    def delivered(raw: bytes, name: str, minutes: int = 0, folder: str = "new", flags: str = "") -> Path:
        second = int((NOON - timedelta(minutes=minutes)).timestamp())
        path = box / folder / f"{second}.{name}.mx.tunturituuli.example{flags}"
        path.write_bytes(raw)
        return path

    return delivered


def taken(mailbox: MaildirMailbox, mark: str = "") -> tuple[list[Letter], str]:
    """Return what is handed over, and the new mark."""
    found: list[Letter] = []
    return found, mailbox.read(mark, lambda letters, _: found.extend(letters))


def test_letters_come_oldest_first(mailbox: MaildirMailbox, put: Put) -> None:
    """Each letter once, from new and cur alike, with the time at which the server took it."""
    put(written(body="Lopeta"), "2", 5, "cur", ":2,S")
    put(written(BACK.opt_out), "1", 9)
    put(written(body="Hei"), "3", 1)
    put(written("hei@tunturituuli.example"), "4")
    letters, _ = taken(mailbox)
    assert [(LetterKind.STOP, OPT_OUT), (LetterKind.STOP, REPLY), (LetterKind.OTHER, REPLY)] == [
        (each.kind, each.token) for each in letters
    ]
    assert [NOON - timedelta(minutes=minutes) for minutes in (9, 5, 1)] == [each.at for each in letters]


def test_only_what_came_after_the_mark_comes_again(mailbox: MaildirMailbox, put: Put) -> None:
    """A second look hands over what is new and nothing else, whatever was moved or flagged meanwhile."""
    seen = put(written(body="Hei"), "1", 30)
    just = put(written(body="Moi"), "2", 1)
    letters, mark = taken(mailbox)
    assert 2 == len(letters)
    assert [] == taken(mailbox, mark)[0]
    for path in (seen, just):
        path.rename(path.parent.parent / "cur" / f"{path.name}:2,RS")
    assert ([], mark) == taken(mailbox, mark)
    put(written(body="Lopeta"), "3")
    assert [LetterKind.STOP] == [each.kind for each in taken(mailbox, mark)[0]]


def test_a_letter_that_was_long_on_its_way_is_not_missed(mailbox: MaildirMailbox, put: Put) -> None:
    """What appears with a time a little before the mark is found; what is known from then comes once."""
    put(written(body="Hei"), "1", 3)
    _, mark = taken(mailbox)
    put(written(body="Lopeta"), "2", 10)
    letters, mark = taken(mailbox, mark)
    assert [LetterKind.STOP] == [each.kind for each in letters]
    assert [] == taken(mailbox, mark)[0]


def test_a_time_to_come_hides_nothing(mailbox: MaildirMailbox, put: Put) -> None:
    """A letter whose name claims the year after next is handed over, and those that come after it as well."""
    put(written(body="Hei"), "1", -2 * 365 * 24 * 60)
    letters, mark = taken(mailbox)
    assert 1 == len(letters)
    put(written(body="Lopeta"), "2")
    assert [LetterKind.STOP] == [each.kind for each in taken(mailbox, mark)[0]]


def test_a_clock_that_ran_ahead_is_not_believed(mailbox: MaildirMailbox, put: Put, clock: FixedClock) -> None:
    """A mark from the future says nothing: everything is read anew rather than nothing."""
    put(written(body="Hei"), "1", -24 * 60)
    clock.set(clock() + timedelta(days=2))
    _, mark = taken(mailbox)
    clock.set(clock() - timedelta(days=2))
    put(written(body="Lopeta"), "2")
    assert LetterKind.STOP in {each.kind for each in taken(mailbox, mark)[0]}


def test_the_mark_of_another_folder_says_nothing(
    mailbox: MaildirMailbox, put: Put, clock: FixedClock, box: Path
) -> None:
    """When another inbox is named in the settings, it is read from its beginning."""
    put(written(body="Hei"), "1", 60)
    moved = box.rename(box.with_name("other"))
    mark = taken(MaildirMailbox(moved, ADDRESSES, clock))[1]
    moved.rename(box)
    for strange in (mark, "x", "::", f"{mark.partition(':')[0]}:abc:", f"{mark.partition(':')[0]}:999999999999999:"):
        assert 1 == len(taken(mailbox, strange)[0])


def test_nothing_is_touched(mailbox: MaildirMailbox, put: Put, box: Path) -> None:
    """Names, times of change and of reading, and contents are after the look what they were before it."""
    put(written(body="Lopeta"), "1", 2)
    put(report("", "Action: failed\nStatus: 5.1.1"), "2", 1, "cur", ":2,")
    put(complaint("abuse", ""), "3")
    long_ago = (NOON - timedelta(days=40)).timestamp()
    for path in box.rglob("*"):
        os.utime(path, (long_ago, long_ago))

    def stand() -> list[tuple[str, int, int, int]]:
        found = [(path, path.stat()) for path in sorted(box.rglob("*"))]
        return [
            (str(path), each.st_mtime_ns, each.st_ctime_ns, 0 if path.is_dir() else each.st_atime_ns)
            for path, each in found
        ]

    before = stand()
    letters, _ = taken(mailbox)
    mailbox.show(letters[0].key)
    assert 3 == len(letters)
    assert before == stand()


def test_a_letter_is_shown_wherever_it_lies_now(mailbox: MaildirMailbox, put: Put) -> None:
    """A person reads it live, also once a mail program has moved it; one that was deleted is said to be gone."""
    path = put(written(body="Haluaisin perua ajan."), "1")
    [letter] = taken(mailbox)[0]
    assert "Haluaisin perua ajan." in mailbox.show(letter.key)
    path = path.rename(path.parent.parent / "cur" / f"{path.name}:2,S")
    assert "Haluaisin perua ajan." in mailbox.show(letter.key)
    path.unlink()
    with pytest.raises(MailboxError, match="not in the inbox any more"):
        mailbox.show(letter.key)


@pytest.mark.parametrize("key", ["../../etc/passwd", "", "/etc/passwd", "new/1"])
def test_only_letters_are_shown(key: str, mailbox: MaildirMailbox, put: Put) -> None:
    """A key is the name of a letter in the folder and no path."""
    put(written(), "1")
    with pytest.raises(MailboxError):
        mailbox.show(key)


def test_what_is_no_letter_is_passed_over(mailbox: MaildirMailbox, put: Put, box: Path, tmp_path: Path) -> None:
    """Folders, links, pipes and hidden files in the Maildir are not opened."""
    (tmp_path / "secret").write_bytes(written(body="Lopeta"))
    (box / "new" / "1700000000.link").symlink_to(tmp_path / "secret")
    (box / "new" / ".hidden").write_bytes(written(body="Lopeta"))
    (box / "cur" / "1700000001.folder").mkdir()
    os.mkfifo(box / "new" / "1700000002.pipe")
    put(written(body="Hei"), "1")
    assert [LetterKind.OTHER] == [each.kind for each in taken(mailbox)[0]]


def test_a_name_without_a_time_has_the_files(mailbox: MaildirMailbox, box: Path) -> None:
    """Some programs name letters as they please: the file tells when it came."""
    path = box / "new" / "letter-1"
    path.write_bytes(written(body="Hei"))
    os.utime(path, (NOON.timestamp() - 60, NOON.timestamp() - 60))
    [letter] = taken(mailbox)[0]
    assert (NOON - timedelta(minutes=1), "letter-1") == (letter.at, letter.key)


@pytest.mark.parametrize("name", ["\udcff.mx", "x" * 240])
def test_a_name_that_cannot_be_kept_closes_no_box(mailbox: MaildirMailbox, put: Put, name: str) -> None:
    """E-13: a letter by a name that is long or no UTF-8 is read like any other, and shown by what is kept of it."""
    second = str(int(NOON.timestamp()))
    path = put(written(body="Lopeta"), "1")
    path.rename(path.with_name(f"{second}.{name}"[:255]))
    [letter], mark = taken(mailbox)
    assert (LetterKind.STOP, True) == (letter.kind, len(letter.key.encode()) <= 200)
    assert "Lopeta" in mailbox.show(letter.key)
    assert [] == taken(mailbox, mark)[0]


@pytest.mark.parametrize("name", ["folder", "file", "nowhere"])
def test_what_is_no_maildir_says_what_to_do(tmp_path: Path, clock: FixedClock, name: str) -> None:
    """The error names the folder and the setting, whatever is there instead."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    assert not is_maildir(tmp_path / name)
    with pytest.raises(MailboxError, match=r"There is no Maildir at .*Correct \[mailbox\] path"):
        MaildirMailbox(tmp_path / name, ADDRESSES, clock).read("", lambda *_: None)


def test_who_takes_a_letter_and_fails_is_heard(mailbox: MaildirMailbox, put: Put) -> None:
    """What cannot be kept is not passed over: the look ends there, and the mark stays where it was."""
    put(written(body="Lopeta"), "1")

    def fail(_: Sequence[Letter], __: str) -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        mailbox.read("", fail)
