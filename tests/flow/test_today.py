"""Five lines: what needs somebody now, and what to type."""

import json
from datetime import UTC, date, datetime, time, timedelta

import pytest

from dispatcher.flow.doubts import Guidance
from dispatcher.flow.today import Line, Report
from dispatcher.rules.campaign import Kind
from dispatcher.rules.rights import RequestKind
from dispatcher.storage import installation
from dispatcher.wiring import Dispatcher
from tests.stores import HELSINKI
from tests.workshop import Workshop

DAY = date(2026, 12, 10)
MAIJA = "1;Maija;Meikäläinen;maija@posti.example;;fi;3.6.2026;kyllä;;3.6.2026"
_DAY = timedelta(days=1)
WHOLE = Guidance(is_whole=True)
KEYS = ["next", "held", "due", "year", "sender"]


def at(day: date, hour: int, minute: int = 0) -> datetime:
    """Return the instant of a wall-clock time in Helsinki."""
    return datetime.combine(day, time(hour, minute), HELSINKI).astimezone(UTC)


def line(report: Report, key: str) -> Line:
    """Return one line of a report."""
    [found] = [each for each in report.lines if each.key == key]
    return found


def begin(workshop: Workshop, dispatcher: Dispatcher) -> None:
    """Take in a client and schedule a campaign for the day of this module, with a sender that runs."""
    actor = dispatcher.persons.acting(None)
    workshop.clock.set(at(DAY - 20 * _DAY, 12))
    dispatcher.enrol.run(workshop.register(MAIJA), actor, guidance=WHOLE)
    dispatcher.schedule.run(workshop.campaign("joulu", at(DAY, 10), channels=("email",)), actor)
    dispatcher.heart.begin()


def test_a_new_workspace_needs_nobody(workshop: Workshop) -> None:
    """With nothing scheduled and nobody in the register, five lines say so and what to type first."""
    with workshop.opened() as dispatcher:
        report = dispatcher.today.look()
    assert KEYS == [each.key for each in report.lines]
    assert not report.needs_somebody
    assert "dispatcher campaign schedule" in str(line(report, "next").command)
    assert "dispatcher client import" in str(line(report, "due").command)
    assert "2026: 0 of 12 spent, 0 planned, 12 left; 6 more would keep" in line(report, "year").said
    assert ("The sender has never run.", "dispatcher run") == (
        line(report, "sender").said,
        line(report, "sender").command,
    )


def test_what_is_in_order_is_said_with_dates_and_counts(workshop: Workshop) -> None:
    """The next campaign with its Finnish date and whom it reaches; the register, the year and the sender."""
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher)
        dispatcher.schedule.run(
            workshop.campaign("uusi", at(DAY + 9 * _DAY, 10), channels=("email",)), dispatcher.persons.acting(None)
        )
        report = dispatcher.today.look()
    assert not report.needs_somebody
    said = line(report, "next").said
    assert said.startswith("Next: Kampanja joulu on 10.12.2026 at 10:00: 1 by email, 0 by text message")
    assert "Only 9 days from Kampanja uusi on 19.12.2026" in said
    assert "Nothing is overdue: the register was read on 20.11.2026." == line(report, "due").said
    assert "2026: 0 of 12 spent, 2 planned, 10 left; 4 more" in line(report, "year").said
    assert "The sender runs since 20.11.2026 12:00. No owner gets alerts." == line(report, "sender").said


def test_what_needs_somebody_says_what_to_type(workshop: Workshop) -> None:
    """A held campaign, a request and a register that are overdue, a sender that died: each needs somebody."""
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher)
        actor = dispatcher.persons.acting(None)
        dispatcher.requests.open(dispatcher.register.find("maija@posti.example"), RequestKind.ACCESS, actor)
        workshop.clock.set(at(DAY + 30 * _DAY, 12))
        dispatcher.lifecycle.due(actor)
        report = dispatcher.today.look()
    needing = {each.key: each for each in report.lines if each.needs_somebody}
    assert {"held", "due", "sender"} == needing.keys()
    assert "Kampanja joulu: Its moment passed while the program was not running." in needing["held"].said
    assert "dispatcher campaign release joulu" in str(needing["held"].command)
    assert "request 1 (access) should have been answered by 20.12.2026" in needing["due"].said
    assert "the register was last read 50 days ago" in needing["due"].said
    assert "was last seen on 20.11.2026 12:00, and it did not stop in order" in needing["sender"].said
    told = json.loads(json.dumps(report.as_json()))
    assert ["day", "attention", *KEYS] == list(told)
    assert told["attention"]
    assert [{"campaign": "joulu", "reason": "late"}] == told["held"]["campaigns"]
    assert ["request_overdue", "import_stale"] == [each["what"] for each in told["due"]["overdue"]]


@pytest.mark.parametrize(("days", "needs"), [(20, False), (3, True)])
def test_a_stopped_sender_is_missed_once_something_is_near(workshop: Workshop, days: int, *, needs: bool) -> None:
    """Stopped in order, it needs somebody only when a campaign goes out within the week."""
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher)
        dispatcher.heart.end()
        workshop.clock.set(at(DAY - days * _DAY, 12))
        found = line(dispatcher.today.look(), "sender")
    assert needs is found.needs_somebody
    assert "was stopped on 20.11.2026 12:00" in found.said


def test_a_database_that_cannot_be_trusted_is_told(workshop: Workshop) -> None:
    """L-34: while nothing can be sent, the sender's line says why."""
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher)
        dispatcher.store.write(lambda tx: installation.set_needs_replay(tx.connection, needs=True))
        found = line(dispatcher.today.look(), "sender")
    assert found.needs_somebody
    assert "db restore --replay" in found.said


def test_a_slot_without_content_is_asked_for(workshop: Workshop) -> None:
    """A reservation or a draft of the coming week needs somebody, whatever goes out before it; later ones do not."""
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher)
        actor = dispatcher.persons.acting(None)
        dispatcher.schedule.reserve(DAY + 3 * _DAY, Kind.OFFER, "Tyhjä", actor)
        calm = line(dispatcher.today.look(), "next")
        assert (False, []) == (calm.needs_somebody, calm.values["without_content"])
        workshop.clock.set(at(DAY - 2 * _DAY, 12))
        found = line(dispatcher.today.look(), "next")
        assert "Next: Kampanja joulu on 10.12.2026 at 10:00: 1 by email" in found.said
        assert found.said.endswith("Tyhjä on 13.12.2026: its content is missing.")
        assert (True, ["reservation-2"]) == (found.needs_somebody, found.values["without_content"])
        assert "campaign schedule" in str(found.command)
        dispatcher.lifecycle.cancel("reservation-2", actor)
        dispatcher.lifecycle.revise("joulu", actor)
        found = line(dispatcher.today.look(), "next")
        assert found.said.startswith("Next: Kampanja joulu on 10.12.2026: a draft, to be scheduled again.")
        assert (True, None) == (found.needs_somebody, found.values["counts"])
