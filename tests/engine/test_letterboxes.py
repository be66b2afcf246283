"""A no that came while the program was down wins over a campaign that is due; a closed box stops everything."""

import asyncio
import email.policy
from collections.abc import Callable, Coroutine
from datetime import timedelta
from pathlib import Path

import pytest

from dispatcher.engine.embedded import run_sender
from dispatcher.engine.watch import Watch
from dispatcher.keys import KeyKind, KeyRing, read_ring, write_ring
from dispatcher.rules.campaign import State
from dispatcher.rules.consent import Place
from dispatcher.rules.decision import Reason
from dispatcher.wiring import Dispatcher
from tests.clock import FixedClock
from tests.engine.test_embedded import MOMENT, begin, until
from tests.flow.test_texts_door import OURS, listening
from tests.letterbox import LetterBox, opt_out, reply
from tests.mailbox.imap_server import PASSWORD, USER, ImapServer
from tests.workshop import Doubles, Workshop

WEEK = timedelta(days=7)
_THREE = (
    "1;Maija;Meikäläinen;maija@posti.example;;fi;3.11.2026;kyllä;;3.11.2026",
    "2;Ánte;Ovdamearka;;040 123 4568;fi;3.11.2026;;kyllä;3.11.2026",
    "3;Elli;Esimerkki;;040 123 4569;fi;3.11.2026;;kyllä;3.11.2026",
)


@pytest.fixture
def box(workshop: Workshop) -> LetterBox:
    """Give the letter box of the installation."""
    return LetterBox(workshop)


def run(dispatcher: Dispatcher, doing: Callable[[], Coroutine[object, object, None]]) -> None:
    """Run a sender while this goes on beside it."""

    async def both() -> None:
        stop = asyncio.Event()
        watch = Watch(dispatcher.store.clock, lambda: 0.0, lambda: 0.0)
        sender = asyncio.create_task(run_sender(dispatcher, stop, look_every=0.01, after_trouble=0.02, watch=watch))
        try:
            await doing()
        finally:
            stop.set()
            await sender

    asyncio.run(both())


def finished(dispatcher: Dispatcher, name: str) -> Callable[[], Coroutine[object, object, None]]:
    """Return what waits for a campaign to be over."""

    async def wait() -> None:
        await until(lambda: dispatcher.lifecycle.named(name).state is State.FINISHED)

    return wait


def test_a_no_mailed_while_the_program_was_down_wins(workshop: Workshop, box: LetterBox, doubles: Doubles) -> None:
    """Invariant 4: stop the program, mail a no, start it with a campaign due: they do not get it, everybody else does.

    One says it by the button of a mail program, one in a reply, one writes about something else (E-13, E-35).
    """
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher, "a")
        run(dispatcher, finished(dispatcher, "a"))
    assert 5 == len(doubles.smtp.received)
    first = {mail.recipient: mail for mail in doubles.smtp.received}
    workshop.clock.set(MOMENT + timedelta(days=1))
    box.deliver(opt_out(first["client1@posti.example"]))
    box.deliver(reply(first["client2@posti.example"], "Lopeta, kiitos."))
    box.deliver(reply(first["client3@posti.example"], "Onko teillä aikoja perjantaina?"))
    with workshop.opened() as dispatcher:
        owner = dispatcher.persons.acting(None)
        dispatcher.schedule.run(workshop.campaign("b", MOMENT + WEEK, channels=("email",)), owner)
        workshop.clock.set(MOMENT + WEEK)
        run(dispatcher, finished(dispatcher, "b"))
        withheld = dispatcher.lifecycle.standing(dispatcher.lifecycle.named("b").id).withheld
        (waiting,) = dispatcher.inbox.listed()
        assert "Onko teillä aikoja perjantaina?" in dispatcher.inbox.words(waiting.waiting.id, owner)
        assert dispatcher.audit.year(2026).ok
    assert ["client4@posti.example", "client5@posti.example"] == sorted(m.recipient for m in doubles.smtp.received[5:])
    assert {Reason.OBJECTION.value: 2, Reason.SUSPENDED.value: 1} == dict(withheld)


def test_a_no_in_an_inbox_on_a_server_wins(
    workshop: Workshop, doubles: Doubles, dovecot: ImapServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Invariant 4, E-13: the same over IMAP and TLS, from an inbox that nobody emptied: one gets nothing, others do."""
    monkeypatch.setenv("SSL_CERT_FILE", str(dovecot.certificate.file))
    _read_over_imap(workshop, dovecot)
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher, "a")
        run(dispatcher, finished(dispatcher, "a"))
    (first,) = (mail for mail in doubles.smtp.received if mail.recipient == "client2@posti.example")
    came = MOMENT + timedelta(days=1)
    dovecot.deliver(reply(first, "Lopeta, kiitos.").as_bytes(policy=email.policy.SMTP), at=came)
    flags = dovecot.flags()
    with workshop.opened() as dispatcher:
        owner = dispatcher.persons.acting(None)
        dispatcher.schedule.run(workshop.campaign("b", MOMENT + WEEK, channels=("email",)), owner)
        workshop.clock.set(MOMENT + WEEK)
        run(dispatcher, finished(dispatcher, "b"))
        assert ["imap"] == [row.name for row in dispatcher.doors.rows()]
        told = dispatcher.register.history(dispatcher.register.find("client2@posti.example"))[-1]
        assert (Place.MAILTO, came) == (told.answer.place, told.answer.not_after)
    others = [f"client{number}@posti.example" for number in (1, 3, 4, 5)]
    assert others == sorted(mail.recipient for mail in doubles.smtp.received[5:])
    assert flags == dovecot.flags()


def _read_over_imap(workshop: Workshop, server: ImapServer) -> None:
    """Write into settings and secrets that the inbox is on this server."""
    settings, secrets = workshop.directory / "dispatcher.toml", workshop.directory / "secrets.toml"
    more = f'[mailbox]\nprovider = "imap"\nhost = "localhost"\nport = {server.encrypted}\nusername = "{USER}"\n'
    settings.write_text(f"{settings.read_text(encoding='utf-8')}\n{more}", encoding="utf-8")
    ring = read_ring(secrets)
    known = {kind: ring.all(kind) for kind in KeyKind}
    write_ring(secrets, KeyRing(known, {**ring.credentials, "mailbox_password": PASSWORD}))


def test_a_box_that_cannot_be_read_stops_everything(
    workshop: Workshop, box: LetterBox, doubles: Doubles, caplog: pytest.LogCaptureFixture
) -> None:
    """Invariant 10: nothing leaves, everybody says why, and it goes on by itself once the box can be read."""

    def says() -> str:
        last = dispatcher.heart.last()
        return (last.trouble if last else None) or ""

    async def wait_closed() -> None:
        with box.closed():
            await until(lambda: "maildir" in says())
            await until(lambda: bool(dispatcher.doors.unread()))
            assert [] == doubles.mailed()
            assert State.SCHEDULED is dispatcher.lifecycle.named("a").state
            assert dispatcher.status.of("a").unread
            assert "maildir" in dispatcher.today.look().lines[-1].said
            assert ["warning"] == [each.level.value for each in dispatcher.doctor.examine() if each.concern == "doors"]
        await finished(dispatcher, "a")()
        await until(lambda: not says())

    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher, "a")
        run(dispatcher, wait_closed)
        assert [] == dispatcher.doors.unread()
    assert 5 == len(doubles.mailed())
    told = [record.getMessage() for record in caplog.records if "Nothing is sent until" in record.getMessage()]
    assert 1 == sum(each.startswith("nothing is sent") for each in told), "it is said once, not at every look"


def test_a_no_by_text_and_one_by_mail_win(
    tmp_path: Path, clock: FixedClock, database_url: str, journal_url: str
) -> None:
    """Invariant 4, S-36: stop the program, text LOPETA and mail a no, start it with a campaign due: neither gets it."""
    with listening(tmp_path / "studio", clock, database_url, journal_url) as (workshop, twilio):
        box = LetterBox(workshop)
        with workshop.opened() as dispatcher:
            owner = dispatcher.persons.acting(None)
            clock.set(MOMENT - timedelta(hours=1))
            dispatcher.enrol.run(workshop.register(*_THREE), owner)
            dispatcher.schedule.run(workshop.campaign("a", MOMENT), owner)
            clock.set(MOMENT)
            run(dispatcher, finished(dispatcher, "a"))
            dispatcher.schedule.run(workshop.campaign("b", MOMENT + WEEK), owner)
        (mail,) = (each for each in twilio.mails.received if each.recipient == "maija@posti.example")
        texted = len(twilio.sms.received)
        clock.set(MOMENT + timedelta(days=1))
        box.deliver(reply(mail, "Ei enää viestejä, kiitos."))
        twilio.sms.text_in("+358401234568", OURS, "LOPETA")
        clock.set(MOMENT + WEEK)
        with workshop.opened() as dispatcher:
            run(dispatcher, finished(dispatcher, "b"))
            withheld = dispatcher.lifecycle.standing(dispatcher.lifecycle.named("b").id).withheld
            assert {"maildir", "twilio"} == {row.name for row in dispatcher.doors.rows()}
            assert dispatcher.audit.year(2026).ok
        offers = [each.recipient for each in twilio.sms.received[texted:]]
        assert ["+358401234569"] == offers
        assert 1 == len(twilio.mails.received), "the one mail of the first campaign, and none of the second"
        assert {Reason.OBJECTION.value: 2} == dict(withheld)
