"""A year is closed once, from 2 January on: verified, sealed, written, told (invariant 9)."""

import asyncio
import email
import email.policy
import json
from datetime import UTC, datetime

import pytest
from pypdf import PdfReader

from dispatcher.errors import RefusedError
from dispatcher.flow.audit_bundle import check_bundle
from dispatcher.flow.audit_words import sentences
from dispatcher.rules.campaign import Language
from dispatcher.rules.seal import SealReason
from dispatcher.wiring import Dispatcher
from tests.flow.conftest import Tamper
from tests.flow.translated import untranslated
from tests.flow.two_campaigns import a_run
from tests.workshop import OWNER, Doubles, Workshop

NEW_YEAR = datetime(2027, 1, 1, 9, 0, tzinfo=UTC)
SECOND = datetime(2027, 1, 2, 9, 0, tzinfo=UTC)
YEAR = 2026


def live(workshop: Workshop, dispatcher: Dispatcher) -> None:
    """Live through two campaigns of the year."""
    a_run(workshop, dispatcher)
    dispatcher.auditing.sealing.when_due()


def test_a_year_is_closed_by_itself_and_told_to_the_owner(workshop: Workshop, doubles: Doubles) -> None:
    """Not on New Year's Day, once on the next; page, figures and bundle lie in the workspace, the mail has the seal."""
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        dispatcher.persons.reach(OWNER, actor, "FI", email="aino@tunturituuli.example")
        live(workshop, dispatcher)
        workshop.clock.set(NEW_YEAR)
        assert dispatcher.auditing.closing.when_due() is None
        workshop.clock.set(SECOND)
        said = dispatcher.auditing.closing.when_due()
        assert dispatcher.auditing.closing.when_due() is None
        dispatcher.alerts.of_campaigns()
        dispatcher.alerts.overdue()
        dispatcher.today.look()
        asyncio.run(dispatcher.services.once())
        seal = next(each for each in dispatcher.auditing.sealing.known()[0] if each.reason is SealReason.YEAR)
        assert () == dispatcher.audit.verify().findings
        with pytest.raises(RefusedError, match=f"2026 was closed already, under seal {seal.number}"):
            dispatcher.auditing.closing.close(YEAR, actor)
    assert f"the year 2026 was closed under seal {seal.number}: nothing to find" == said
    assert YEAR == seal.about
    folder = workshop.directory / "audits" / "2026"
    assert {"audit-2026.zip", "audit-2026.txt", "audit-2026.json"} <= {path.name for path in folder.iterdir()}
    assert {0o600} == {path.stat().st_mode & 0o777 for path in folder.iterdir()}
    found = check_bundle(folder / "audit-2026.zip")
    assert ((), seal) == (found.verification.findings, found.last_seal)
    assert seal.words() in " ".join((folder / "audit-2026.txt").read_text("utf-8").split())
    mails = [
        email.message_from_bytes(mail.content, policy=email.policy.default)
        for mail in doubles.smtp.received
        if mail.recipient == "aino@tunturituuli.example"
    ]
    [told] = [mail for mail in mails if mail["Subject"] == "Vuosi 2026 on päätetty"]
    plain = told.get_body(("plain",))
    assert plain is not None
    assert seal.words() in " ".join(plain.get_content().split())


def test_a_year_that_is_not_over_and_one_before_the_beginning_are_not_closed(workshop: Workshop) -> None:
    """The error says from when on it can be closed, or that there is nothing to close."""
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        with pytest.raises(RefusedError, match="2026 can be closed from 2027-01-02 on"):
            dispatcher.auditing.closing.close(YEAR, actor)
        with pytest.raises(RefusedError, match="began after 2025"):
            dispatcher.auditing.closing.close(2025, actor)
    assert not (workshop.directory / "audits").exists()


def test_a_broken_year_is_closed_with_what_does_not_hold(workshop: Workshop, tamper: Tamper) -> None:
    """What somebody touched is told in the closing, on its pages and in the bundle's check; the paper is Finnish."""
    with workshop.opened() as dispatcher:
        live(workshop, dispatcher)
        touched = "UPDATE ledger_entry SET actor = 'person:9' WHERE id = 7"
        tamper(dispatcher.store, touched, "UPDATE wording SET text = 'Saako myydä tietosi?'")
        workshop.clock.set(SECOND)
        closed = dispatcher.auditing.closing.close(YEAR, dispatcher.persons.acting(None))
        again = dispatcher.audit.verify()
    assert any("Entry 7" in finding for finding in closed.findings)
    assert any("does not carry that hash" in finding for finding in closed.findings)
    assert not again.ok
    packed, plain, data, printed = closed.files
    assert not check_bundle(packed).ok
    assert [] == untranslated(closed.findings)
    assert list(closed.findings) == json.loads(data.read_text("utf-8"))["findings"]
    in_text = " ".join(plain.read_text("utf-8").split())
    on_paper = _bare("".join(page.extract_text() for page in PdfReader(printed).pages))
    for english, finnish in zip(closed.findings, sentences(closed.findings, Language.FI), strict=True):
        assert english in in_text
        assert _bare(finnish) in on_paper


def _bare(words: str) -> str:
    """Return words without white space and hyphens, which a page breaks lines at."""
    return "".join(each for each in words if each.isalnum())
