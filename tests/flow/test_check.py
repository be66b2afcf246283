"""A campaign is rendered for its whole audience before anything is sent, and what is wrong is said once."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from dispatcher.errors import CampaignFileError, Finding, Severity
from dispatcher.storage import ledger
from dispatcher.wiring import Dispatcher
from tests.flow.conftest import Tamper
from tests.workshop import Doubles, Workshop

MOMENT = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)
_ABROAD = 'tls = "starttls"\nsender = "tarjoukset@tunturituuli.fi"\ncountry = "US"\ndpa_signed = 2026-01-15'
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
        assert "a.toml:3: error: kind" in str(report.errors[0])
        [error] = dispatcher.check.run(workshop.directory / "campaigns" / "missing.toml").errors
        assert "missing.toml" in str(error)


def test_a_template_error_is_found_once(workshop: Workshop, doubles: Doubles) -> None:
    """A name that a template misspells is found before anything is sent, and told once, not for every client."""
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher)
        amend(workshop.directory / "templates" / "sms" / "offer.txt.j2", "{{", "{{ nonsense.of.it }}{{")
        report = dispatcher.check.run(workshop.campaign("a", MOMENT))
        assert not report.ok
        assert 1 == sum("nonsense" in str(error) for error in report.errors)
        assert ("templates/sms/offer.txt.j2", 1) == (report.errors[0].file, report.errors[0].line)
        workshop.clock.set(MOMENT + timedelta(minutes=1))
    assert ([], []) == (doubles.mailed(), doubles.texted())


def test_a_long_text_message_is_counted_in_parts(workshop: Workshop) -> None:
    """Text messages are counted by their parts, so that the owner sees what they cost."""
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher)
        path = amend(workshop.campaign("a", MOMENT), 'en = "Care 49 e"', f'en = "{"Care 49 e. " * 14}"')
        assert {2: 1} == dict(dispatcher.check.run(path).segments)


def settings(workshop: Workshop, table: str, more: str) -> None:
    """Add keys to a table of the settings."""
    amend(workshop.directory / "dispatcher.toml", f"[{table}]\n", f"[{table}]\n{more}\n")


def one(findings: list[Finding], words: str) -> Finding:
    """Return the one finding that says this."""
    [found] = [each for each in findings if words in each.what]
    return found


def test_a_finding_names_file_line_and_fix(workshop: Workshop) -> None:
    """Every fault of every template is told at once, each with its file, its line and what mends it."""
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher)
        layouts = workshop.directory / "templates" / "layouts"
        amend(layouts / "email.html.j2", "<h1>", '<img src="https://x.example/p.gif">\n<h1>')
        amend(layouts / "email.txt.j2", "{{ opt_out_url }}", "")
        report = dispatcher.check.run(workshop.campaign("a", MOMENT))
        loads, missing = one(report.errors, "would load something"), one(report.errors, "opt-out link")
        line = (layouts / "email.html.j2").read_text(encoding="utf-8").partition('<img src="https')[0].count("\n") + 1
        assert ("templates/layouts/email.html.j2", line, Severity.ERROR) == (loads.file, loads.line, loads.severity)
        assert ("templates/email/offer/body.txt.j2", 1) == (missing.file, missing.line)
        assert "{{ opt_out_url }}" in missing.fix
        assert ["file", "line", "severity", "what", "fix"] == list(loads.as_json())
        one(report.errors, "no words for who does not see it")


def test_a_fault_of_the_offer_is_found_in_the_campaign(workshop: Workshop) -> None:
    """What the campaign file itself wrote into a message is found on its line there; other languages have no fault."""
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher)
        path = amend(workshop.campaign("a", MOMENT), 'sv = "Vård 49 e"', 'sv = "Vård http://x.example/ 49 e"')
        found = one(dispatcher.check.run(path).errors, "not encrypted")
        line = path.read_text(encoding="utf-8").split("http://")[0].count("\n") + 1
        assert (str(path), line, True) == (found.file, found.line, found.what.endswith("in sv"))


def test_a_campaign_above_its_ceiling_is_refused(workshop: Workshop) -> None:
    """S-05: text messages that cost more than a campaign may are an error on the line of the channels."""
    settings(workshop, "sms", 'part_price = 0.5\ncampaign_ceiling = "0.49"')
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher)
        path = workshop.campaign("a", MOMENT)
        report = dispatcher.check.run(path)
        found = one(report.errors, "cost 0.50 €, and a campaign may cost 0.49 €")
        assert (str(path), 5, False, Decimal("0.50")) == (found.file, found.line, report.ok, report.cost)
        with pytest.raises(CampaignFileError, match=r"campaign may cost 0\.49"):
            report.raise_for_errors()


@pytest.mark.parametrize(("day", "is_counted"), [("2025-12-31", False), ("2026-01-01", True)])
def test_a_year_above_its_ceiling_is_refused(workshop: Workshop, tamper: Tamper, day: str, *, is_counted: bool) -> None:
    """S-05: what the calendar year has cost so far counts, by the parts that left; other years do not."""
    settings(workshop, "sms", 'part_price = 0.5\nyear_ceiling = "2.00"')
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher)
        taken = dispatcher.schedule.run(workshop.campaign("a", MOMENT), dispatcher.persons.acting(None))
        row = (
            "INSERT INTO outbox (campaign, client, channel, state, message_id, attempts, planned_at, not_before, fence,"
            " day, segments) VALUES (:campaign, 901, 'sms', 'accepted', 'x', 1, :at, :at, 0, :day, 4)"
        )
        tamper(dispatcher.store, row, campaign=taken.id, at=MOMENT.replace(tzinfo=None), day=date.fromisoformat(day))
        report = dispatcher.check.run(workshop.campaign("b", MOMENT))
        assert is_counted is not report.ok
        if is_counted:
            one(report.errors, "2026 has cost 2.00 € so far, and a year may cost 2.00 €")


def test_too_many_parts_are_refused(workshop: Workshop) -> None:
    """S-05: a text message of more parts than are allowed blocks scheduling, on the line of its words."""
    settings(workshop, "sms", "most_parts = 1")
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher)
        path = amend(workshop.campaign("a", MOMENT), 'en = "Care 49 e"', f'en = "{"Care 49 e. " * 14}"')
        found = one(dispatcher.check.run(path).errors, "takes 2 parts, and 1 may be the most (S-05), in en")
        assert path.read_text(encoding="utf-8").splitlines()[found.line - 1].startswith("sms =")


def test_a_sign_that_halves_the_parts_is_warned_of(workshop: Workshop) -> None:
    """S-04: a sign of the studio's own that no part's alphabet holds is a warning; one client's name is none."""
    with workshop.opened() as dispatcher:
        rows = [ROWS[2], ROWS[2].replace("3;Ánte", "4;Maija").replace("4568", "4569")]
        dispatcher.enrol.run(workshop.register(*rows), dispatcher.persons.acting(None))
        assert [] == dispatcher.check.run(workshop.campaign("a", MOMENT)).warnings
        path = amend(workshop.campaign("a", MOMENT), 'en = "Care 49 e"', 'en = "Care š 49 e"')
        report = dispatcher.check.run(path)
        assert report.ok
        assert "'š'" in one(report.warnings, "text message in en").what


def test_an_offer_that_ends_too_soon_is_warned_of(workshop: Workshop) -> None:
    """An offer that ends the day after it is sent is a warning, and so is whoever would get it as late as that."""
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher)
        path = workshop.campaign("a", MOMENT, more="valid_until = 2026-12-02")
        report = dispatcher.check.run(path)
        found = one(report.warnings, "ends the day after it is sent")
        assert (True, True) == (report.ok, "valid_until" in path.read_text("utf-8").splitlines()[found.line - 1])
        night = datetime(2026, 12, 1, 20, 0, tzinfo=UTC)
        late = dispatcher.check.run(workshop.campaign("b", night, more="valid_until = 2026-12-02"))
        one(late.warnings, "3 clients would get the offer on its last day")


def test_a_past_moment_blocks_and_a_long_subject_is_warned_of(workshop: Workshop) -> None:
    """A moment that has passed blocks scheduling, a subject too long for a list of mails does not."""
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher)
        path = amend(workshop.campaign("a", workshop.clock() - timedelta(days=1)), 'fi = "K', f'fi = "{"x" * 75}K')
        report = dispatcher.check.run(path)
        lines = path.read_text(encoding="utf-8").splitlines()
        assert lines[one(report.errors, "has passed").line - 1].startswith("send_at")
        assert lines[one(report.warnings, "mail programs show 75").line - 1].startswith("fi = ")


def test_a_closed_hour_blocks(workshop: Workshop) -> None:
    """S-14: what would be refused when it is scheduled is an error beforehand, on the line of its moment."""
    with workshop.opened() as dispatcher:
        path = workshop.campaign("a", datetime(2026, 12, 6, 8, 0, tzinfo=UTC), channels=("sms",))
        found = one(dispatcher.check.run(path).errors, "nothing of it may leave")
        assert "send_at" in path.read_text("utf-8").splitlines()[found.line - 1]


def test_what_waits_for_its_hours_is_foretold(workshop: Workshop) -> None:
    """S-15: on a Sunday mails leave and text messages wait; beforehand it is said until when."""
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher)
        report = dispatcher.check.run(workshop.campaign("a", datetime(2026, 12, 13, 8, 0, tzinfo=UTC)))
        assert (
            "2 by email: from 10:00 on, as fast as they are taken",
            "1 by text message: from 14.12.2026 09:00 on, as fast as they are taken",
        ) == report.plan


def test_another_moment_is_checked_than_the_file_says(workshop: Workshop) -> None:
    """`schedule --now`: the plan, the past and the end of the offer are told by the moment it really goes out."""
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher)
        workshop.clock.set(soon := datetime(2026, 11, 24, 8, 0, tzinfo=UTC))
        soon += timedelta(minutes=10)
        path = workshop.campaign("a", datetime(2026, 11, 20, 8, 0, tzinfo=UTC), more="valid_until = 2026-11-23")
        report = dispatcher.check.run(path, at=soon)
        one(report.errors, "the offer ends before it is sent")
        assert 1 == len(report.errors)
        amend(path, "valid_until = 2026-11-23", "valid_until = 2026-12-23")
        report = dispatcher.check.run(path, at=soon)
        assert ([], ["from 10:10 on"]) == (report.errors, [each[12:25] for each in report.plan if "email" in each])
        taken = dispatcher.schedule.run(path, dispatcher.persons.acting(None), now=True)
        assert any("from 10:10 on" in each for each in taken.remarks)
        assert not any("has passed" in each for each in taken.remarks)


def test_a_company_outside_the_eu_is_named(workshop: Workshop) -> None:
    """L-42: who would carry the mails from outside the EU stands among the findings, on its line of the settings."""
    path = amend(workshop.directory / "dispatcher.toml", "[studio]", "eu_only = false\n\n[studio]")
    amend(path, 'provider = "smtp"\nhost = "127.0.0.1"', 'provider = "smtp"\nhost = "mail.abroad.example"')
    amend(path, 'tls = "none"\nsender = "tarjoukset@tunturituuli.example"', _ABROAD)
    with workshop.opened() as dispatcher:
        found = one(dispatcher.check.run(workshop.campaign("a", MOMENT)).warnings, "outside the EU")
        line = path.read_text(encoding="utf-8").splitlines()[found.line - 1]
        assert (str(path), "[email]") == (found.file, line)
        assert "mail.abroad.example (US)" in found.what
