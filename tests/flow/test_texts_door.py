"""What was texted while the program was down is read from Twilio's list before anything leaves."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from dispatcher.channels import CameIn
from dispatcher.demo.smtp_double import SmtpDouble
from dispatcher.demo.twilio_double import TwilioDouble
from dispatcher.errors import ChannelError, DoorsUnreadError
from dispatcher.flow.texts_door import FIRST, OVERLAP, TextsDoor
from dispatcher.flow.texts_in import TextIn
from dispatcher.rules.campaign import State
from dispatcher.rules.incoming import KEPT_AT_MOST, Class
from dispatcher.wiring import Dispatcher
from tests.clock import FixedClock
from tests.flow.carried import MOMENT, look
from tests.flow.joining import NUMBER, may_write
from tests.flow.test_texts_in import enlist, inbox, noes, text, waiting
from tests.stores import commits
from tests.workshop import ACCOUNT, API_KEY, API_SECRET, Doubles, Workshop, build

OURS = "+358401110000"


@dataclass
class Line:
    """The account at Twilio and the mail server, and the status with which it refuses to list what came in."""

    sms: TwilioDouble
    mails: SmtpDouble
    refuses: list[int] = field(default_factory=list)


@contextmanager
def listening(
    directory: Path, clock: FixedClock, database_url: str, journal_url: str
) -> Iterator[tuple[Workshop, Line]]:
    """Give an installation that sends from a number clients can answer, and its account at Twilio."""
    refuses: list[int] = []
    with (
        SmtpDouble() as smtp,
        TwilioDouble(
            ACCOUNT, API_KEY, API_SECRET, clock=clock, on_list=lambda _: refuses[0] if refuses else None
        ) as sms,
    ):
        workshop = build(directory, clock, database_url, journal_url, Doubles(smtp, sms))
        settings = workshop.directory / "dispatcher.toml"
        settings.write_text(settings.read_text("utf-8").replace('"Tunturi"', f'"{OURS}"'), "utf-8")
        yield workshop, Line(sms, smtp, refuses)


@pytest.fixture
def line(tmp_path: Path, clock: FixedClock, database_url: str, journal_url: str) -> Iterator[tuple[Workshop, Line]]:
    """Give an installation that sends from a number, and its account."""
    with listening(tmp_path / "studio", clock, database_url, journal_url) as found:
        yield found


def texts_door(dispatcher: Dispatcher) -> TextsDoor:
    """Return the door that reads Twilio's list."""
    (door,) = dispatcher.doors._doors.values()
    assert isinstance(door, TextsDoor)
    return door


def test_a_no_that_came_while_the_program_was_down(line: tuple[Workshop, Line]) -> None:
    """Invariant 4, S-35: two text while nothing runs; at the next start the due campaign reaches neither of them."""
    workshop, twilio = line
    with workshop.opened() as dispatcher:
        enlist(workshop, dispatcher, "maija")
        enlist(workshop, dispatcher, "pekka", phone="+358401234568")
        enlist(workshop, dispatcher, "eino", phone="+358401234569")
        campaign = workshop.campaign("a", MOMENT, channels=["sms"])
        dispatcher.schedule.run(campaign, dispatcher.persons.acting(None))
    workshop.clock.set(MOMENT - timedelta(minutes=1))
    twilio.sms.text_in(NUMBER, OURS, "LOPETA")
    twilio.sms.text_in("+358401234568", OURS, "Olenko vielä listalla?")
    workshop.clock.set(MOMENT)
    with workshop.opened() as dispatcher:
        look(dispatcher)
        offers = [each.recipient for each in twilio.sms.received]
        assert ["+358401234569"] == offers
        assert [Class.OTHER] == [kind for _, kind, _ in waiting(dispatcher)]
        assert () == dispatcher.audit.year(2026).findings


def test_while_the_list_cannot_be_read_nothing_leaves(line: tuple[Workshop, Line]) -> None:
    """Invariant 10: a Twilio that does not say what came in stops the campaign, and it goes on once it does."""
    workshop, twilio = line
    with workshop.opened() as dispatcher:
        enlist(workshop, dispatcher, "maija")
        dispatcher.schedule.run(workshop.campaign("a", MOMENT, channels=["sms"]), dispatcher.persons.acting(None))
        workshop.clock.set(MOMENT)
        twilio.refuses.append(503)
        with pytest.raises(DoorsUnreadError, match="it answered 503"):
            look(dispatcher)
        assert [] == twilio.sms.received
        (row,) = dispatcher.doors.rows()
        assert "Twilio could not tell what clients have texted (it answered 503)" in (row.trouble or "")
        twilio.refuses.clear()
        workshop.clock.advance(timedelta(minutes=1))
        look(dispatcher)
        assert ([NUMBER], State.FINISHED) == (
            [each.recipient for each in twilio.sms.received],
            dispatcher.lifecycle.named("a").state,
        )


def test_what_the_webhook_told_is_not_taken_twice(line: tuple[Workshop, Line]) -> None:
    """S-35: the list repeats what the webhook told, in whatever order, and nothing happens a second time."""
    workshop, twilio = line
    with workshop.opened() as dispatcher:
        (client,) = enlist(workshop, dispatcher, "maija")
        stop = twilio.sms.text_in(NUMBER, OURS, "STOP")
        asks = twilio.sms.text_in(NUMBER, OURS, "Milloin?")
        inbox(dispatcher).take(text("STOP", sid=stop))
        door = texts_door(dispatcher)
        mark = door.read(door.read(""))
        inbox(dispatcher).take(text("Milloin?", sid=asks))
        assert door.read(mark) == mark
        assert (1, 1) == (len(noes(dispatcher, client)), len(waiting(dispatcher)))


def test_a_thousand_texts_take_few_commits(line: tuple[Workshop, Line]) -> None:
    """S-35: texts share commits, in their order; read again, none of them is written a second time."""
    workshop, twilio = line
    with workshop.opened() as dispatcher:
        (client,) = enlist(workshop, dispatcher, "maija")
        for _ in range(999):
            twilio.sms.text_in(NUMBER, OURS, "Milloin?")
        twilio.sms.text_in(NUMBER, OURS, "LOPETA")
        door = texts_door(dispatcher)
        first = commits(dispatcher.store, lambda: door.read(""))
        assert (1, 999) == (len(noes(dispatcher, client)), len(waiting(dispatcher)))
        assert 0 == commits(dispatcher.store, lambda: door.read(""))
    assert 60 >= first


def test_what_we_sent_and_what_others_got_is_left_alone(line: tuple[Workshop, Line]) -> None:
    """S-33: only what came in, and to our number, is read: not our own texts, nor those to another number."""
    workshop, twilio = line
    with workshop.opened() as dispatcher:
        (client,) = enlist(workshop, dispatcher, "maija")
        twilio.sms.text_in(NUMBER, "+358409998877", "STOP")
        with twilio.sms._lock:
            for row in list(twilio.sms._resources.values()):
                twilio.sms._resources["SMout"] = row | {"sid": "SMout", "to": OURS, "direction": "outbound-api"}
        texts_door(dispatcher).read("")
        assert may_write(dispatcher, client)


@pytest.mark.parametrize(("age", "stops", "waits"), [(1, 1, 1), (13, 1, 1), (20, 1, 0), (300, 1, 0), (400, 0, 0)])
def test_how_far_back_the_first_reading_goes(line: tuple[Workshop, Line], age: int, stops: int, waits: int) -> None:
    """L-08, S-33: a year of noes is taken in, and of the rest what could still be kept in words."""
    workshop, twilio = line
    with workshop.opened() as dispatcher:
        (client,) = enlist(workshop, dispatcher, "maija")
        sent = workshop.clock() - timedelta(days=age)
        twilio.sms.text_in(NUMBER, OURS, "STOP", at=sent)
        twilio.sms.text_in(NUMBER, OURS, "Milloin?", at=sent)
        texts_door(dispatcher).read("")
        assert [(None, sent)] * stops == [(channel, at) for channel, _, at in noes(dispatcher, client)]
        assert waits == len(waiting(dispatcher))
        assert timedelta(days=365) < FIRST
        assert KEPT_AT_MOST < FIRST


def test_a_reading_begins_behind_its_mark(clock: FixedClock) -> None:
    """What came into the list late, or over midnight, or before a clock was set back, is asked for again."""
    asked: list[date] = []

    def came_in(since: date) -> tuple[CameIn, ...]:
        asked.append(since)
        return ()

    door = TextsDoor(_Nobody(), came_in, clock)  # type: ignore[arg-type] # the flow's place is taken
    mark = door.read("")
    clock.set(clock().replace(hour=1) + timedelta(days=1))
    door.read(mark)
    clock.advance(-timedelta(days=3))
    door.read(mark)
    today = datetime.fromisoformat(mark)
    assert [(today - FIRST).date(), (today - OVERLAP).date(), (clock() - OVERLAP).date()] == asked


class _Nobody:
    """Stands where the flow does, for an empty list."""

    def take_all(self, texts: list[TextIn]) -> None:
        """Take nothing."""
        assert [] == texts


def test_a_name_that_nobody_can_answer_has_no_list(workshop: Workshop) -> None:
    """S-10: where the sender is a name nothing can come in, and no list is asked for."""
    with workshop.opened() as dispatcher:
        assert () == tuple(dispatcher.doors._doors)


def test_a_list_that_breaks_off_is_no_list(line: tuple[Workshop, Line]) -> None:
    """Invariant 10: where a later page fails, the reading fails, though the first page was there."""
    workshop, twilio = line
    with workshop.opened() as dispatcher:
        enlist(workshop, dispatcher, "maija")
        for _ in range(501):
            twilio.sms.text_in(NUMBER, OURS, "START")
        twilio.sms._on_list = lambda page: 500 if page else None
        with pytest.raises(ChannelError, match="it answered 500"):
            texts_door(dispatcher).read("")
