"""What waits is shown to a person: a letter from its box, a text message from where its words are sealed."""

import asyncio
from datetime import timedelta

import pytest

from dispatcher.errors import MailboxError, RefusedError
from dispatcher.flow.incoming import Incoming
from dispatcher.flow.matters import Matters
from dispatcher.flow.texts_in import SEAL
from dispatcher.flow.today import Today
from dispatcher.rules.alerts import AlertKind, Matter
from dispatcher.rules.campaign import Channel
from dispatcher.rules.incoming import READ_AGAIN, Arrived, Class
from dispatcher.storage import access_log
from dispatcher.wiring import Dispatcher
from tests.clock import FixedClock
from tests.flow.test_doors import ListDoor, with_doors
from tests.stores import OWNER
from tests.workshop import Workshop

MAIJA = "2;Maija;Meikäläinen;maija@posti.example;040 123 4567;fi;3.11.2026;kyllä;kyllä;3.11.2026"


def text_of_maija(dispatcher: Dispatcher, words: str) -> int:
    """Have a text message of Maija's wait, and return its number."""
    store = dispatcher.store
    maija = dispatcher.register.find("maija@posti.example")
    sealed = store.ring.seal(SEAL, words, f"{maija}:SM1")
    number = Incoming(store).put(Arrived(maija, Channel.SMS, store.clock(), Class.OTHER, "twilio", "SM1", sealed))
    assert number is not None
    return number


def test_the_words_of_a_text_are_read_for_an_hour(workshop: Workshop, clock: FixedClock) -> None:
    """S-33: who looks is on record; an hour later the words are gone, and somebody is told what to do then."""
    with workshop.opened() as dispatcher:
        dispatcher.enrol.run(workshop.register(MAIJA), OWNER)
        number = text_of_maija(dispatcher, "Onko aikoja perjantaina?")
        assert "Onko aikoja perjantaina?" == dispatcher.inbox.words(number, OWNER)
        clock.advance(READ_AGAIN - timedelta(minutes=1))
        assert "Onko aikoja perjantaina?" == dispatcher.inbox.words(number, OWNER)
        clock.advance(timedelta(minutes=1))
        with pytest.raises(RefusedError, match="not kept any more: ask the client"):
            dispatcher.inbox.words(number, OWNER)
        with dispatcher.store.reading() as connection:
            looks = [(look.act, look.actor) for look in access_log.looks(connection)]
    assert [("inbox show", str(OWNER))] * 3 == looks


def test_nothing_written_can_command_a_terminal(workshop: Workshop) -> None:
    """What a stranger wrote is shown without its control signs, and read in its own direction."""
    with workshop.opened() as dispatcher:
        dispatcher.enrol.run(workshop.register(MAIJA), OWNER)
        number = text_of_maija(dispatcher, "Hei\x1b[2J\x07 \u202eappo\tkiitos\nMaija\u00a0M")
        assert "Hei[2J appo\tkiitos\nMaija\u00a0M" == dispatcher.inbox.words(number, OWNER)


def test_the_owners_hear_of_what_waits_and_of_a_closed_box(workshop: Workshop, clock: FixedClock) -> None:
    """A client waiting suspended is somebody's duty; a box is told of once it has failed for a quarter of an hour."""
    with workshop.opened() as opened:
        opened.enrol.run(workshop.register(MAIJA), OWNER)
        dispatcher = with_doors(opened, ListDoor(trouble=MailboxError("It is closed.")))
        press = dispatcher.deliver._press
        matters = Matters(
            dispatcher.store,
            dispatcher.policy,
            press,
            dispatcher.retention,
            dispatcher.auditing.years,
            dispatcher.doors,
        )
        asyncio.run(dispatcher.doors.read())
        assert [] == matters.unread()
        number = text_of_maija(dispatcher, "Onko aikoja?")
        clock.advance(timedelta(minutes=15))
        waiting = Matter(AlertKind.INCOMING, str(number), {"count": 1, "date": "2026-11-23"})
        closed = Matter(AlertKind.DOOR_UNREAD, "maildir", {"door": "maildir", "date": "2026-11-23", "time": "12:00"})
        assert [waiting, closed] == matters.unread()
        today = Today(dispatcher.store, dispatcher.policy, matters, dispatcher.retention, dispatcher.heart)
        report = today.look()
        due = next(line for line in report.lines if line.key == "due")
        assert "Waiting: 1 message of clients to be read, the oldest of 23.11.2026" in due.said
        assert "nothing leaves until maildir can be read, which failed on 23.11.2026 at 12:00" in due.said
        dispatcher.inbox.release(number, OWNER)
        assert [closed] == matters.unread()
