"""What text messages cost, from the price table to the audit, and which of them leave a name out."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from dispatcher.errors import Severity
from dispatcher.flow.deliver import DeliverReport
from dispatcher.rules.cost import Priced
from dispatcher.rules.ledger import EntryKind
from dispatcher.rules.sms import measure
from dispatcher.storage import ledger
from dispatcher.wiring import Dispatcher
from tests.workshop import Doubles, Workshop

MOMENT = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)
PRICES = "part_price = 0.12\nyear_ceiling = 1000\n"
ROWS = (
    "1;Maija;Meikäläinen;;040 123 4567;fi;3.1.2026;;kyllä;3.1.2026",
    "2;Ánte;Ovdamearka;;040 123 4568;fi;3.1.2026;;kyllä;3.1.2026",
    "3;Erik;Exempel;;+46 70 123 45 67;fi;3.1.2026;;kyllä;3.1.2026",
)
_TEMPLATE = (
    "{% if client.first_name %}{{ client.first_name }}! {% endif %}"
    '{{ t("sms_marker") }}, {{ studio.name }}: {{ offer.sms }} {{ opt_out_url }}'
)


@pytest.fixture
def priced(workshop: Workshop) -> Workshop:
    """Give a studio whose text messages greet by name, with a price for Finland, one for Sweden, one for the rest."""
    path = workshop.directory / "dispatcher.toml"
    text = path.read_text(encoding="utf-8").replace("[database]", "[sms.prices]\nFI = 0.08\nSE = 0.07\n\n[database]")
    path.write_text(text.replace("[sms]\n", f"[sms]\n{PRICES}"), encoding="utf-8")
    (workshop.directory / "templates" / "sms" / "offer.txt.j2").write_text(_TEMPLATE, encoding="utf-8")
    return workshop


@contextmanager
def begun(workshop: Workshop) -> Iterator[Dispatcher]:
    """Open the studio with its three clients."""
    with workshop.opened() as dispatcher:
        dispatcher.enrol.run(workshop.register(*ROWS), dispatcher.persons.acting(None))
        yield dispatcher


def send(workshop: Workshop, dispatcher: Dispatcher) -> DeliverReport:
    """Schedule a campaign by text message and let it go out."""
    actor = dispatcher.persons.acting(None)
    dispatcher.schedule.run(workshop.campaign("a", MOMENT, channels=("sms",)), actor)
    workshop.clock.set(MOMENT + timedelta(minutes=1))
    [worked] = asyncio.run(dispatcher.rounds.once())
    assert worked.delivered is not None
    return worked.delivered


def test_each_message_is_priced_by_its_country(priced: Workshop) -> None:
    """S-05: a check counts for each client, the parts of their own message at the price of their country."""
    with begun(priced) as dispatcher:
        report = dispatcher.check.run(priced.campaign("a", MOMENT, channels=("sms",)))
        wanted = {Priced(1, Decimal("0.08")): 1, Priced(2, Decimal("0.08")): 1, Priced(1, Decimal("0.07")): 1}
        assert (wanted, Decimal("0.31")) == (dict(report.texts), report.cost)


def test_what_was_paid_is_on_record(priced: Workshop) -> None:
    """S-05: the Send entry tells parts and price; audit and ceiling add up what was paid, not today's prices."""
    with begun(priced) as dispatcher:
        assert {"accepted": 3} == dict(send(priced, dispatcher).outcomes)
        with dispatcher.store.reading() as connection:
            sends = [each.data() for each in ledger.entries(connection) if each.kind == EntryKind.SEND.value]
        assert [(1, "0.07"), (1, "0.08"), (2, "0.08")] == sorted((each["parts"], each["part_price"]) for each in sends)
        audit = dispatcher.audit.year(2026)
        assert (4, "0.31", 0) == (audit.messages.sms_parts, audit.messages.sms_cost, audit.messages.sms_without_price)
        assert [(4, "0.31")] == [(each.sms_parts, each.sms_cost) for each in audit.campaigns]
        assert () == audit.findings
    path = priced.directory / "dispatcher.toml"
    path.write_text(path.read_text("utf-8").replace("FI = 0.08", "FI = 0.50"), encoding="utf-8")
    with priced.opened() as dispatcher:
        assert "0.31" == dispatcher.audit.year(2026).messages.sms_cost
        later = MOMENT + timedelta(days=14)
        assert Decimal("0.31") == dispatcher.check.run(priced.campaign("b", later, channels=("sms",))).spent


def test_another_count_of_the_provider_is_a_warning(
    priced: Workshop, doubles: Doubles, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S-07: where num_segments is not what was foreseen, the sender warns, and its count is the one that is paid."""
    monkeypatch.setattr("dispatcher.demo.twilio_double.measure", lambda text: replace(measure(text), segments=5))
    with begun(priced) as dispatcher:
        assert 3 == send(priced, dispatcher).miscounted
        audit = dispatcher.audit.year(2026)
        assert (15, "1.15") == (audit.messages.sms_parts, audit.messages.sms_cost)
        assert any("counted other parts than were foreseen of 3 text messages" in each for each in audit.remarks)
        assert audit.ok
    assert 3 == len(doubles.texted())


@pytest.mark.parametrize("most_parts", ["most_parts = 1", ""])
def test_who_is_not_called_by_name_is_told(priced: Workshop, doubles: Doubles, most_parts: str) -> None:
    """S-05: with one part at most, Ánte gets the message without the name; check and audience say so beforehand."""
    with begun(priced) as dispatcher:
        path = priced.campaign("a", MOMENT, channels=("sms",), more=most_parts)
        report, audience = dispatcher.check.run(path), dispatcher.audiences.run(path)
        expected = 1 if most_parts else 0
        assert (expected, expected, "") == (report.nameless, audience.nameless, audience.unmade)
        told = [each for each in report.remarks if "are not called by it" in each.what]
        assert (expected, True) == (len(told), report.ok)
        actor = dispatcher.persons.acting(None)
        dispatcher.schedule.run(path, actor)
        priced.clock.set(MOMENT + timedelta(minutes=1))
        asyncio.run(dispatcher.rounds.once())
    sent = {each.recipient: each for each in doubles.twilio.received}
    assert 3 == len(sent)
    assert bool(most_parts) is not sent["+358401234568"].text.startswith("Ánte! ")
    assert sent["+358401234567"].text.startswith("Maija! ")
    assert (1 if most_parts else 2) == max(each.segments for each in sent.values())


def test_a_lower_limit_after_scheduling_lets_nothing_out(priced: Workshop, doubles: Doubles) -> None:
    """S-05, invariant 10: where the settings allow fewer parts than a scheduled campaign needs, none of it leaves."""
    with begun(priced) as dispatcher:
        path = priced.campaign("a", MOMENT, channels=("sms",))
        path.write_text(path.read_text("utf-8").replace("Hoito 49 e", "Hoito 49 e. " * 14), encoding="utf-8")
        dispatcher.schedule.run(path, dispatcher.persons.acting(None))
    settings = priced.directory / "dispatcher.toml"
    settings.write_text(settings.read_text("utf-8").replace(PRICES, f"{PRICES}most_parts = 1\n"), encoding="utf-8")
    with priced.opened() as dispatcher:
        priced.clock.set(MOMENT + timedelta(minutes=1))
        [worked] = asyncio.run(dispatcher.rounds.once())
        assert worked.trouble is not None
        assert "takes 2 parts, and 1 may be the most" in worked.trouble
    assert [] == doubles.texted()


def test_a_campaign_that_asks_for_more_is_refused(priced: Workshop) -> None:
    """S-05: more parts than the settings allow are an error on the line that asks for them."""
    with begun(priced) as dispatcher:
        path = priced.campaign("a", MOMENT, channels=("sms",), more="most_parts = 4")
        [found] = dispatcher.check.run(path).errors
        assert (Severity.ERROR, True) == (found.severity, "most_parts is 4, and the settings allow 3" in found.what)
        assert path.read_text("utf-8").splitlines()[found.line - 1] == "most_parts = 4"


def test_an_audience_is_counted_without_templates_too(priced: Workshop) -> None:
    """A text message that cannot be made is said beside the counts, which are there all the same."""
    with begun(priced) as dispatcher:
        (priced.directory / "templates" / "sms" / "offer.txt.j2").write_text("x", encoding="utf-8")
        report = dispatcher.audiences.run(priced.campaign("a", MOMENT, channels=("sms",)))
        assert ({"sms": 3}, 0) == (dict(report.counts.send), report.nameless)
        assert "does not show" in report.unmade
