"""`dispatcher inbox`: what waits is listed masked, released or withdrawn by a person, and asked about before."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from dispatcher.flow.incoming import Incoming
from dispatcher.flow.letters import MailDoor
from dispatcher.flow.texts_in import TextIn
from dispatcher.rules.campaign import Channel
from dispatcher.rules.incoming import Arrived, Class
from dispatcher.storage import access_log
from dispatcher.wiring import opened, system_clock
from tests.cli.told import Run
from tests.mailbox.post import written

Put = Callable[..., int]


@pytest.fixture
def put(register: Path, run: Run) -> Put:
    """Give a way to have a letter of Maija's, or a text message, wait."""
    assert run("client", "import", register).code == 0

    def waits(key: str = "7:1", channel: Channel = Channel.EMAIL, ago: timedelta = timedelta(0)) -> int:
        with opened(Path()) as dispatcher:
            maija = dispatcher.register.find("maija@posti.example")
            came = Arrived(maija, channel, dispatcher.store.clock() - ago, Class.OTHER, "maildir", key)
            number = Incoming(dispatcher.store).put(came)
        assert number is not None
        return number

    return waits


def state(run: Run) -> str:
    """Return what any campaign would be told about Maija."""
    (row,) = run("client", "list", "maija", "--json").json()["clients"]
    return str(row.get("reason") or row["verdict"])


def test_what_waits_is_listed_masked(put: Put, run: Run) -> None:
    """E-35: number, time, channel, class and client; the address with its edges only."""
    empty = run("inbox", "list")
    assert "Nothing waits to be read." in empty.out
    assert "No letter box is configured: what clients mail back is not read. Fill in [mailbox]" in empty.err
    number = put()
    told = run("inbox", "list")
    assert 0 == told.code
    assert "m***@p***.example" in told.out
    assert "maija@" not in told.out
    (row,) = run("inbox", "list", "--json").json()["inbox"]
    assert (number, "email", "other", "maildir", None) == tuple(
        row[key] for key in ("number", "channel", "class", "box", "settled")
    )


def test_a_release_lets_messages_go_again(put: Put, run: Run) -> None:
    """Until then nothing goes to that client; what is settled stays in the list of all."""
    first, second = put("7:1", ago=timedelta(hours=1)), put("7:2")
    assert "suspended" == state(run)
    asked = run("inbox", "release", first)
    assert (1, True) == (asked.code, "--yes" in asked.err)
    assert "something else of client" in run("inbox", "release", first, "--yes").out
    assert "suspended" == state(run)
    assert run("inbox", "release", second, "--yes", "--json").json()["still_suspended"] is False
    assert "suspended" != state(run)
    assert [] == run("inbox", "list", "--json").json()["inbox"]
    assert ["released", "released"] == [
        row["settled"] for row in run("inbox", "list", "--all", "--json").json()["inbox"]
    ]
    again = run("inbox", "withdraw", first)
    assert (1, True) == (again.code, "settled already (released)" in again.err)


def test_a_withdrawal_is_a_no(put: Put, run: Run) -> None:
    """L-01: everything stops, and whoever takes it needs no more than a name."""
    number = put()
    assert run("person", "add", "Tarkka Tilintarkastaja", "--role", "auditor").code == 0
    asked = run("inbox", "withdraw", number)
    assert (1, True) == (asked.code, "wants no more messages at all" in asked.err)
    told = run("--as", "Tarkka Tilintarkastaja", "inbox", "withdraw", number, "--yes")
    assert (0, True) == (told.code, "gets no more messages" in told.out)
    assert "objection" == state(run)


def test_an_auditor_reads_and_releases_nothing(put: Put, run: Run) -> None:
    """X-20: what a client wrote is for owner and staff, and so is letting messages go again."""
    number = put()
    run("person", "add", "Tarkka Tilintarkastaja", "--role", "auditor")
    for act in (("show", number), ("release", number, "--yes")):
        told = run("--as", "Tarkka Tilintarkastaja", "inbox", *act)
        assert 1 == told.code, act
    assert "suspended" == state(run)
    with opened(Path()) as dispatcher, dispatcher.store.reading() as connection:
        assert "inbox show" not in {look.act for look in access_log.looks(connection)}


def test_a_text_is_shown_as_it_was_written(register: Path, run: Run) -> None:
    """S-33: what a client texted is unsealed for owner and staff, and cannot command their terminal."""
    assert run("client", "import", register).code == 0
    with opened(Path()) as dispatcher:
        assert dispatcher.texts_in is not None
        dispatcher.texts_in.take(TextIn("SM1", "+358401234567", None, "Voinko \x1b[2Jsiirtää ajan?"))
    assert "suspended" == state(run)
    ((number, box),) = ((row["number"], row["box"]) for row in run("inbox", "list", "--json").json()["inbox"])
    told = run("inbox", "show", number)
    assert (0, "twilio", "Voinko [2Jsiirtää ajan?\n") == (told.code, box, told.out)
    assert f"dispatcher inbox withdraw {number}" in told.err
    assert run("inbox", "release", number, "--yes").code == 0
    gone = run("inbox", "show", number)
    assert (1, True) == (gone.code, "not kept any more" in gone.err)


def test_a_letter_is_read_from_a_maildir_and_shown(home: Path, register: Path, run: Run, campaign: Path) -> None:
    """E-35: a reply in the inbox waits, is shown live from there, and lies there as it lay; gone, it is told."""
    assert run("client", "import", register).code == 0
    with (home / "dispatcher.toml").open("a", encoding="utf-8") as settings:
        settings.write('\n[mailbox]\nprovider = "maildir"\npath = "posti"\n')
    with opened(Path()) as dispatcher:
        asyncio.run(dispatcher.doors.read())
    why = "Nothing leaves until it can be read: maildir cannot be read: There is no Maildir at"
    assert why in run("campaign", "preview", campaign).err
    closed = run("inbox", "list").err
    assert "and cannot be read now" in closed
    assert "No letter box" not in closed
    (home / "posti" / "cur").mkdir(parents=True)
    (home / "posti" / "new").mkdir()
    lies = home / "posti" / "new" / f"{int(system_clock().timestamp())}.M1.host"
    with opened(Path()) as dispatcher:
        door, maija = dispatcher.doors._doors["maildir"], dispatcher.register.find("maija@posti.example")
        assert isinstance(door, MailDoor)
        to = door._letters._addresses.of_service(maija, "0" * 32).reply_to
        lies.write_bytes(written(to, "Voinko siirtää aikaa?"))
        asyncio.run(dispatcher.doors.read())
        assert [] == dispatcher.doors.unread()
    assert "" == run("campaign", "preview", campaign).err
    (row,) = run("inbox", "list", "--json").json()["inbox"]
    shown = run("inbox", "show", row["number"])
    assert (0, True) == (shown.code, "Voinko siirtää aikaa?" in shown.out)
    assert lies.exists()
    lies.unlink()
    assert "moved or deleted there" in run("inbox", "show", row["number"]).err


def test_a_box_that_is_gone_says_what_to_do(put: Put, run: Run) -> None:
    """What lies in an inbox that is read no more is looked up by hand; that somebody wanted to see it is on record."""
    number = put()
    told = run("inbox", "show", number)
    assert (1, True) == (told.code, "maildir, which is not read any more" in told.err)
    assert 1 == run("inbox", "show", 99).code
    with opened(Path()) as dispatcher, dispatcher.store.reading() as connection:
        assert ["inbox show"] == [look.act for look in access_log.looks(connection) if look.client is not None]


def test_today_says_that_something_waits(put: Put, run: Run) -> None:
    """A client waiting suspended is a person's duty: told until it is settled, with what to type."""
    number = put()
    told = run("today")
    assert 1 == told.code
    assert "1 message of clients to be read" in told.out
    assert "dispatcher inbox list" in told.out
    assert ["incoming"] == [each["what"] for each in run("today", "--json").json()["due"]["unread"]]
    run("inbox", "release", number, "--yes")
    assert [] == run("today", "--json").json()["due"]["unread"]


def test_what_is_done_about_a_letter_is_in_the_access_log(put: Put, run: Run) -> None:
    """Who released a letter, and who took it for a no, is on record with the client who wrote it."""
    first, second = put("7:1"), put("7:2")
    client = run("client", "show", "maija@posti.example", "--json").json()["number"]
    assert 0 == run("inbox", "release", first, "--yes").code
    assert 0 == run("inbox", "withdraw", second, "--yes").code
    looks = run("audit", "looks", "--json").json()["looks"][-2:]
    assert [("inbox release", client), ("inbox withdraw", client)] == [(each["act"], each["client"]) for each in looks]
