"""A full letter box is read in few commits, a part at a time, and the mark never passes what is not on disk."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from dispatcher.errors import MailboxError
from dispatcher.flow.doors import Doors
from dispatcher.flow.letters import MailDoor
from dispatcher.mailbox import AT_ONCE, Mailbox, Seen
from dispatcher.mailbox.maildir import MaildirMailbox
from dispatcher.rules.decision import Reason, Withhold
from dispatcher.rules.letter import Letter, LetterKind
from dispatcher.storage import doors
from tests.flow.post import BOX, Post
from tests.flow.test_letters import MAIJA, fresh
from tests.flow.test_outcomes import begin
from tests.mailbox.post import written
from tests.stores import commits
from tests.workshop import Workshop

Put = Callable[[int, int], None]
OBJECTION = Withhold(Reason.OBJECTION)


@pytest.fixture
def post(workshop: Workshop) -> Iterator[Post]:
    """Give a studio with a campaign, whose clients a test makes as it needs them."""
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher, MAIJA)
        yield Post(dispatcher)


@pytest.fixture
def box(tmp_path: Path) -> Path:
    """Give an empty Maildir."""
    for folder in ("new", "cur", "tmp"):
        (tmp_path / "inbox" / folder).mkdir(parents=True)
    return tmp_path / "inbox"


@pytest.fixture
def put(post: Post, box: Path) -> Put:
    """Give a way to deliver a client's reply, so many seconds ago."""

    def delivered(client: int, ago: int) -> None:
        second = int((post.dispatcher.store.clock() - timedelta(seconds=ago)).timestamp())
        to = post.addresses.ways_back(client, "0" * 32, "").reply_to
        (box / "new" / f"{second}.{ago}.mx.tunturituuli.example").write_bytes(written(to, "Hei"))

    return delivered


def door_of(post: Post, mailbox: Mailbox) -> MailDoor:
    """Return the door that this mailbox is."""
    return MailDoor(post.dispatcher.store, mailbox, post.letters)


def waiting(post: Post) -> int:
    """Return how many letters wait for a person."""
    return len(post.incoming.waiting())


def test_a_thousand_letters_take_few_commits(post: Post, box: Path, put: Put) -> None:
    """E-35: letters share commits; read again from the beginning, none of them is written a second time."""
    clients = [fresh(post) for _ in range(20)]
    for ago in range(1000):
        put(clients[ago % 20], ago)
    door, marks = door_of(post, MaildirMailbox(box, post.addresses, post.dispatcher.store.clock)), [""]
    assert 60 >= commits(post.dispatcher.store, lambda: marks.append(door.read(marks[-1])))
    assert 1000 == waiting(post)
    assert 0 == commits(post.dispatcher.store, lambda: marks.append(door.read(marks[-1])))
    assert 1000 // AT_ONCE == commits(post.dispatcher.store, lambda: door.read("")), "the mark, each hundred"
    assert 1000 == waiting(post)


@dataclass
class CutOff:
    """A mailbox whose connection breaks as soon as it has handed over a hundred letters."""

    mailbox: Mailbox
    name: str = BOX

    def read(self, mark: str, seen: Seen) -> str:
        """Read until a hundred have been handed over."""

        def once(letters: Sequence[Letter], to: str) -> None:
            seen(letters, to)
            if len(letters) == AT_ONCE:
                raise MailboxError("It broke off.")

        return self.mailbox.read(mark, once)

    def show(self, key: str) -> str:
        """Show nothing: nobody asks here."""
        raise MailboxError(key)


def test_a_box_that_always_breaks_off_is_read_to_its_end(post: Post, box: Path, put: Put) -> None:
    """Invariant 4: each look goes on where the last was cut off; the door is unread until one comes to the end."""
    client = fresh(post)
    for ago in range(230):
        put(client, ago)
    store = post.dispatcher.store
    every = Doors(store, [door_of(post, CutOff(MaildirMailbox(box, post.addresses, store.clock)))])
    found, marks = [], []
    for _ in range(3):
        asyncio.run(every.read())
        (row,) = every.rows()
        found.append((waiting(post), row.trouble, row.read_up_to is not None))
        marks.append(row.mark)
    assert [(100, "It broke off.", False), (200, "It broke off.", False), (230, None, True)] == found
    assert 3 == len(set(marks))
    asyncio.run(every.read())
    assert (marks[-1], 230) == (every.rows()[0].mark, waiting(post))


def test_a_letter_that_cannot_be_kept_loses_no_other(post: Post) -> None:
    """E-13: the noes beside it are on record, the error is heard, and the mark stays before it."""
    clients = [fresh(post) for _ in range(3)]
    noes = [post.letter(LetterKind.STOP, post.reply_token(each)) for each in clients]
    unkept = replace(post.letter(LetterKind.OTHER, post.reply_token(fresh(post))), key="7:\udcff")

    @dataclass
    class Held:
        name: str = BOX

        def read(self, mark: str, seen: Seen) -> str:
            seen([noes[0]], "1")
            seen([noes[1], unkept, noes[2]], "4")
            return mark

        def show(self, key: str) -> str:
            return key

    with pytest.raises(UnicodeEncodeError):
        door_of(post, Held()).read("")
    assert [OBJECTION] * 3 == [post.verdict(each) for each in clients]
    with post.dispatcher.store.reading() as connection:
        assert "1" == doors.read(connection, [BOX])[BOX].mark
