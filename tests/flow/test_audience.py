"""Whom a campaign would reach is known before it is sent, and why not whom not; who looked is on record."""

from datetime import UTC, datetime, timedelta

import pytest

from dispatcher.errors import CampaignFileError
from dispatcher.flow.looking import KEPT, purge_looks
from dispatcher.storage import access_log
from dispatcher.wiring import Dispatcher
from tests.workshop import Doubles, Workshop

MOMENT = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)
ROWS = (
    "1;Maija;Meikäläinen;maija@posti.example;040 123 4567;fi;3.1.2026;kyllä;kyllä;3.1.2026",
    "2;Erik;Exempel;erik@posti.example;;sv;3.2.2026;kyllä;;3.1.2026",
    "3;Ánte;Ovdamearka;;040 123 4568;en;3.10.2026;;kyllä;3.1.2026",
    "4;Never;Asked;never@posti.example;;fi;3.1.2026;;;",
    "5;Mauno;Meikäläinen;maija@posti.example;;fi;3.1.2026;kyllä;;3.1.2026",
)


def begin(workshop: Workshop, dispatcher: Dispatcher) -> None:
    """Import five clients, two of whom share an inbox."""
    dispatcher.enrol.run(workshop.register(*ROWS), dispatcher.persons.acting(None))


def test_who_is_reached_and_who_not(workshop: Workshop) -> None:
    """By channel how many, and each reason why not with its count; one inbox gets one message."""
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher)
        report = dispatcher.audiences.run(workshop.campaign("a", MOMENT))
        assert ({"email": 2, "sms": 1}, {}) == (dict(report.counts.send), dict(report.outside))
        assert {"channel_consent_missing": 1, "already_sent_or_unknown": 1} == dict(report.counts.withhold)
        assert (MOMENT, 5) == (report.at, len(report.members))
        check = dispatcher.check.run(workshop.campaign("a", MOMENT))
        assert (report.counts.send, report.counts.withhold) == (check.counts.send, check.counts.withhold)


@pytest.mark.parametrize(
    ("order", "expected"), [(("email", "sms"), {"email": 2, "sms": 1}), (("sms", "email"), {"email": 2, "sms": 2})]
)
def test_one_person_gets_one_message_in_the_files_order(
    workshop: Workshop, doubles: Doubles, order: tuple[str, str], expected: dict[str, int]
) -> None:
    """L-24: who said yes to both channels gets one message, by the first of the file, as foreseen."""
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher)
        path = workshop.campaign("a", MOMENT, channels=order)
        assert expected == dict(dispatcher.audiences.run(path).counts.send)
        dispatcher.schedule.run(path, dispatcher.persons.acting(None))
        workshop.clock.set(MOMENT + timedelta(minutes=1))
        [due] = dispatcher.lifecycle.due(dispatcher.persons.acting(None))
        dispatcher.plan.run(due)
        planned = dispatcher.lifecycle.standing(due.id).messages
        assert expected == {channel: sum(counts.values()) for channel, counts in planned.items()}
    assert ([], []) == (doubles.mailed(), doubles.texted())


def test_who_is_not_addressed_is_counted_apart(workshop: Workshop) -> None:
    """L-43: language and last visit divide; who is left out by them is neither reached nor withheld."""
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher)
        audience = '[audience]\nlanguages = ["sv", "en"]\nvisited_since = 2026-10-01\n'
        report = dispatcher.audiences.run(workshop.campaign("a", MOMENT, audience=audience))
        assert {"language": 3, "last_visit": 1} == dict(report.outside)
        assert ({"sms": 1}, {}) == (dict(report.counts.send), dict(report.counts.withhold))


@pytest.mark.parametrize("key", ["treatment", "topics", "health"])
def test_nothing_else_divides(workshop: Workshop, key: str) -> None:
    """L-43: an audience by treatment or anything else is refused with the sentence that says why."""
    with workshop.opened() as dispatcher:
        path = workshop.campaign("a", MOMENT, audience=f'[audience]\n{key} = ["massage"]\n')
        with pytest.raises(CampaignFileError, match="never by treatment or health: the privacy notice promises it"):
            dispatcher.audiences.run(path)


def test_who_looked_is_on_record(workshop: Workshop) -> None:
    """A list of clients is masked, and on record by person, act and number of clients, for a year."""
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher)
        path, owner, store = workshop.campaign("a", MOMENT), dispatcher.persons.acting(None), dispatcher.store
        dispatcher.audiences.run(path)
        members = dispatcher.audiences.shown(path, owner, lambda _done, _all: None).members
        assert {"m***@p***.example", "e***@p***.example", "n***@p***.example", "+358*****68"} == {
            each.address for each in members
        }
        assert {"number", "language", "address", "verdict", "channel", "reason"} == set(members[0].as_json())
        with store.reading() as connection:
            [look] = access_log.looks(connection)
        assert (str(owner), "campaign audience", None, 5) == (look.actor, look.act, look.client, look.clients)
        purge_looks(store)
        workshop.clock.set(workshop.clock() + KEPT + timedelta(seconds=1))
        with store.reading() as connection:
            assert 1 == len(access_log.looks(connection))
        purge_looks(store)
        with store.reading() as connection:
            assert [] == access_log.looks(connection)
