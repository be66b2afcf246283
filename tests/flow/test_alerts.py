"""What the owners are told by mail: once for each occasion, daily while it needs them, and nothing about a client."""

import asyncio
import email
import email.policy
from datetime import UTC, date, datetime, time, timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from dispatcher.engine.embedded import run_sender
from dispatcher.flow.doubts import Guidance
from dispatcher.rules.actor import Role
from dispatcher.rules.campaign import Kind, Language, State
from dispatcher.rules.ledger import EntryKind
from dispatcher.rules.rights import RequestKind
from dispatcher.storage import alerts, ledger
from dispatcher.wiring import Dispatcher
from tests.stores import HELSINKI
from tests.workshop import OWNER, Doubles, Workshop

DAY = date(2026, 12, 10)
MINE = "aino@tunturituuli.example"
MAIJA = "1;Maija;Meikäläinen;maija@posti.example;;fi;3.6.2026;kyllä;;3.6.2026"
ERIK = "2;Erik;Exempel;erik@posti.example;;sv;3.6.2026;ei;;3.6.2026"
_DAY = timedelta(days=1)
WHOLE = Guidance(is_whole=True)


def at(day: date, hour: int, minute: int = 0) -> datetime:
    """Return the instant of a wall-clock time in Helsinki."""
    return datetime.combine(day, time(hour, minute), HELSINKI).astimezone(UTC)


def begin(workshop: Workshop, dispatcher: Dispatcher) -> None:
    """Take in two clients, schedule a campaign for the day of this module, and tell the owner's address."""
    actor = dispatcher.persons.acting(None)
    workshop.clock.set(at(DAY - 20 * _DAY, 12))
    dispatcher.enrol.run(workshop.register(MAIJA, ERIK), actor, guidance=WHOLE)
    dispatcher.schedule.run(workshop.campaign("joulu", at(DAY, 10), channels=("email",)), actor)
    dispatcher.persons.reach(OWNER, actor, "FI", email=MINE)


def tell(dispatcher: Dispatcher) -> None:
    """Do what the sender's duties do about alerts, and hand over what they asked for."""
    dispatcher.alerts.of_campaigns()
    dispatcher.alerts.overdue()
    asyncio.run(dispatcher.services.once())


def told(doubles: Doubles) -> list[str]:
    """Return the subjects of the mails to the owner, in order."""
    mails = [mail for mail in doubles.smtp.received if mail.recipient.endswith("tunturituuli.example")]
    return [str(email.message_from_bytes(mail.content, policy=email.policy.default)["Subject"]) for mail in mails]


def test_a_campaign_is_announced_and_reported(workshop: Workshop, doubles: Doubles) -> None:
    """A week before, the day before with its counts, and when it has gone out: one mail each, in open hours."""
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher)
        tell(dispatcher)
        assert [] == told(doubles)
        workshop.clock.set(at(DAY - 7 * _DAY, 3))
        tell(dispatcher)
        assert [] == told(doubles), "nobody is woken for what can wait until morning"
        for hour in (7, 8, 20):
            workshop.clock.set(at(DAY - 7 * _DAY, hour))
            tell(dispatcher)
        assert ["Tulossa 10.12.2026: Kampanja joulu"] == told(doubles)
        for day in (5, 1):
            workshop.clock.set(at(DAY - day * _DAY, 9))
            tell(dispatcher)
            tell(dispatcher)
        assert ["Huomenna klo\N{NO-BREAK SPACE}10.00: Kampanja joulu"] == told(doubles)[1:]
        body = doubles.smtp.received[-1].content.decode()
        assert "=C3=A4hk=C3=B6postitse 1" in body or "postitse 1" in body
        workshop.clock.set(at(DAY, 10))
        asyncio.run(dispatcher.rounds.once())
        tell(dispatcher)
        workshop.clock.advance(_DAY)
        tell(dispatcher)
        assert ["Lähetetty: Kampanja joulu"] == told(doubles)[2:]
        assert dispatcher.audit.year(2026).ok


def test_what_is_held_is_told_daily_until_seen(workshop: Workshop, doubles: Doubles) -> None:
    """A held campaign is told at once, then each morning, until somebody says that they have seen it."""
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher)
        workshop.clock.set(at(DAY, 23))
        dispatcher.lifecycle.due(dispatcher.persons.acting(None))
        assert State.HELD is dispatcher.lifecycle.named("joulu").state
        tell(dispatcher)
        assert ["Pysäytetty: Kampanja joulu"] == told(doubles), "at once, whatever the hour"
        for hour in (3, 8, 12):
            workshop.clock.set(at(DAY + _DAY, hour))
            tell(dispatcher)
        assert 2 == len(told(doubles))
        assert 1 == dispatcher.alerts.see(dispatcher.persons.acting(None))
        assert 0 == dispatcher.alerts.see(dispatcher.persons.acting(None))
        workshop.clock.set(at(DAY + 2 * _DAY, 8))
        tell(dispatcher)
        assert 2 == len(told(doubles))
        # Released and held again, it is another matter.
        dispatcher.lifecycle.release("joulu", dispatcher.persons.acting(None))
        tell(dispatcher)
        dispatcher.lifecycle.hold("joulu", dispatcher.persons.acting(None))
        tell(dispatcher)
        assert 3 == len(told(doubles))


def test_what_is_overdue_is_told_without_a_client(workshop: Workshop, doubles: Doubles) -> None:
    """A request that waits too long and a register that is too old are told; no name or address is in any mail."""
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher)
        actor = dispatcher.persons.acting(None)
        dispatcher.requests.open(dispatcher.register.find("maija@posti.example"), RequestKind.ACCESS, actor)
        workshop.clock.advance(timedelta(days=45))
        dispatcher.lifecycle.due(actor)
        tell(dispatcher)
        subjects = told(doubles)
        for mail in doubles.smtp.received:
            message = email.message_from_bytes(mail.content, policy=email.policy.default)
            for part in message.walk():
                if part.get_content_maintype() == "text":
                    words = part.get_content()
                    assert not any(name in words for name in ("Maija", "Meik", "posti.example"))
    assert {
        "Pysäytetty: Kampanja joulu",
        "Asiakkaan pyyntö on myöhässä",
        "Asiakasrekisteri on vanhentunut",
    } == set(subjects)
    assert 3 == len(subjects)


def test_only_owners_who_said_where_are_told(workshop: Workshop, doubles: Doubles) -> None:
    """Staff, an owner without an address and one who has left get nothing; each owner reads their own language."""
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher)
        actor = dispatcher.persons.acting(None)
        people = (("Erik", Role.OWNER), ("Stina", Role.STAFF), ("Ending", Role.OWNER), ("Silent", Role.OWNER))
        for name, role in people:
            dispatcher.persons.add(name, role, actor)
            if name != "Silent":
                dispatcher.persons.reach(name, actor, "FI", email=f"{name}@tunturituuli.example", language=Language.EN)
        dispatcher.persons.end("Ending", actor)
        workshop.clock.set(at(DAY - 7 * _DAY, 9))
        tell(dispatcher)
        with dispatcher.store.reading() as connection:
            bodies = [entry.body for entry in ledger.entries(connection, [EntryKind.PERSON.value])]
        assert not any("@" in body for body in bodies)
    assert [MINE, "erik@tunturituuli.example"] == [mail.recipient for mail in doubles.smtp.received]
    assert ["Tulossa 10.12.2026: Kampanja joulu", "Coming up on 10 December 2026: Kampanja joulu"] == told(doubles)


def test_a_matter_that_is_over_is_not_told_any_more(workshop: Workshop, doubles: Doubles) -> None:
    """Mail that had to wait for its server is withheld where what it was about has been settled meanwhile."""
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher)
        actor = dispatcher.persons.acting(None)
        dispatcher.lifecycle.hold("joulu", actor)
        dispatcher.alerts.of_campaigns()
        dispatcher.lifecycle.release("joulu", actor)
        dispatcher.alerts.of_campaigns()
        asyncio.run(dispatcher.services.once())
    assert [] == told(doubles)


def test_a_person_is_told_of_a_matter_once_a_day_by_the_database(workshop: Workshop) -> None:
    """Two senders that both find a matter untold cannot both mail it: the key refuses the second."""
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher)
        dispatcher.lifecycle.hold("joulu", dispatcher.persons.acting(None))
        dispatcher.alerts.of_campaigns()
        with pytest.raises(IntegrityError):
            dispatcher.store.write(lambda tx: alerts.note_mail(tx.connection, 1, 1, at(DAY - 20 * _DAY, 12).date()))


def test_alerts_take_nothing_from_what_a_client_may_get(workshop: Workshop) -> None:
    """An owner who is a client as well gets their own receipts, however many alerts went to that address."""
    from dispatcher.rules.campaign import Channel
    from dispatcher.storage import services

    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher)
        dispatcher.lifecycle.hold("joulu", dispatcher.persons.acting(None))
        tell(dispatcher)
        with dispatcher.store.reading() as connection:
            assert () == services.days_of(connection, Channel.EMAIL, MINE, date(2026, 1, 1))


def test_the_sender_tells_by_itself(workshop: Workshop, doubles: Doubles) -> None:
    """Alerts are duties: `work` asks for them and hands them over."""
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher)
        workshop.clock.set(at(DAY - 7 * _DAY, 9))
        for _ in range(2):
            asyncio.run(run_sender(dispatcher, asyncio.Event(), once=True))
            workshop.clock.advance(timedelta(seconds=1))
    assert ["Tulossa 10.12.2026: Kampanja joulu"] == told(doubles)


def test_a_slot_without_content_is_told_as_such(workshop: Workshop, doubles: Doubles) -> None:
    """A reservation that comes up empty, and a campaign taken back to a draft, are told by what they lack."""
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher)
        actor = dispatcher.persons.acting(None)
        dispatcher.schedule.reserve(DAY, Kind.OFFER, "Tyhjä", actor)
        for days in (7, 6):
            workshop.clock.set(at(DAY - days * _DAY, 9))
            tell(dispatcher)
        assert {"Tulossa 10.12.2026: Kampanja joulu", "Sisältö puuttuu: Tyhjä, 10.12.2026"} == set(told(doubles))
        dispatcher.lifecycle.revise("joulu", actor)
        tell(dispatcher)
        assert ["Vielä luonnos: Kampanja joulu, 10.12.2026"] == told(doubles)[2:]
        workshop.clock.set(at(DAY - _DAY, 9))
        tell(dispatcher)
        assert {"Vielä luonnos: Kampanja joulu, 10.12.2026", "Sisältö puuttuu: Tyhjä, 10.12.2026"} == set(
            told(doubles)[3:]
        )
