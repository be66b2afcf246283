"""A campaign is rendered for its whole audience before anything is sent, and what is wrong is said once."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from dispatcher.storage import ledger
from dispatcher.wiring import Dispatcher
from tests.workshop import Doubles, Workshop

MOMENT = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)
ROWS = (
    "1;Maija;Meikäläinen;maija@posti.example;040 123 4567;fi;3.1.2026;kyllä;kyllä;3.1.2026",
    "2;Erik;Exempel;erik@posti.example;;sv;3.1.2026;kyllä;;3.1.2026",
    "3;Ánte;Ovdamearka;;040 123 4568;en;3.1.2026;;kyllä;3.1.2026",
    "4;Never;Asked;never@posti.example;;fi;3.1.2026;;;",
)


def begin(workshop: Workshop, dispatcher: Dispatcher) -> None:
    """Import four clients, three of whom may be written to."""
    dispatcher.enrol.run(workshop.register(*ROWS), dispatcher.persons.acting(None))


def amend(path: Path, old: str, new: str) -> Path:
    """Change a campaign file or a template."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path


def test_every_message_is_rendered_and_none_sent(workshop: Workshop, doubles: Doubles) -> None:
    """A check counts who would get what and who not, by reason, and leaves no trace."""
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher)
        with dispatcher.store.reading() as connection:
            before = sum(1 for _ in ledger.entries(connection))
        seen: list[tuple[int, int]] = []
        report = dispatcher.check.run(workshop.campaign("a", MOMENT), lambda done, total: seen.append((done, total)))
        assert (True, [], 3) == (report.ok, report.errors, report.rendered)
        assert ({"email": 2, "sms": 1}, {1: 1}) == (dict(report.counts.send), dict(report.segments))
        assert {"channel_consent_missing": 1} == dict(report.counts.withhold)
        assert (4, 4) == seen[-1]
        with dispatcher.store.reading() as connection:
            assert before == sum(1 for _ in ledger.entries(connection))
    assert ([], []) == (doubles.mailed(), doubles.texted())


def test_only_the_audience_is_counted(workshop: Workshop) -> None:
    """Who is outside the campaign's languages or visits is neither sent to nor withheld."""
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher)
        path = workshop.campaign("a", MOMENT, audience='[audience]\nlanguages = ["sv"]\n')
        counts = dispatcher.check.run(path).counts
        assert ({"email": 1}, {}) == (dict(counts.send), dict(counts.withhold))
        later = workshop.campaign("b", MOMENT, audience="[audience]\nvisited_since = 2026-06-01\n")
        counts = dispatcher.check.run(later).counts
        assert ({}, {}) == (dict(counts.send), dict(counts.withhold))


def test_the_moment_decides(workshop: Workshop) -> None:
    """A check asks as at the campaign's moment: a yes that will have run out by then is withheld."""
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher)
        report = dispatcher.check.run(workshop.campaign("a", datetime(2027, 1, 12, 8, 0, tzinfo=UTC)))
        assert {"consent_expired": 3, "channel_consent_missing": 1} == dict(report.counts.withhold)


def test_a_faulty_file_is_told_and_nothing_rendered(workshop: Workshop) -> None:
    """A fault of the file is a line with file, line and key; a file that is not there is told as well."""
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher)
        path = amend(workshop.campaign("a", MOMENT), 'kind = "offer"', 'kind = "advert"')
        report = dispatcher.check.run(path)
        assert (False, 0, "a") == (report.ok, report.rendered, report.name)
        assert "a.toml:3: kind" in report.errors[0]
        [error] = dispatcher.check.run(workshop.directory / "campaigns" / "missing.toml").errors
        assert "missing.toml" in error


def test_a_template_error_is_found_once(workshop: Workshop, doubles: Doubles) -> None:
    """A name that a template misspells is found before anything is sent, and told once, not for every client."""
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher)
        amend(workshop.directory / "templates" / "sms" / "offer.txt.j2", "{{", "{{ nonsense.of.it }}{{")
        report = dispatcher.check.run(workshop.campaign("a", MOMENT))
        assert not report.ok
        assert 1 == sum("nonsense" in error for error in report.errors)
        assert "offer.txt.j2" in report.errors[0]
        workshop.clock.set(MOMENT + timedelta(minutes=1))
    assert ([], []) == (doubles.mailed(), doubles.texted())


def test_a_long_text_message_is_counted_in_parts(workshop: Workshop) -> None:
    """Text messages are counted by their parts, so that the owner sees what they cost."""
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher)
        path = amend(workshop.campaign("a", MOMENT), 'en = "Care 49 e"', f'en = "{"Care 49 e. " * 14}"')
        assert {2: 1} == dict(dispatcher.check.run(path).segments)
