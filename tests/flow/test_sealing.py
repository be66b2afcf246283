"""The seals: after every day and campaign, kept beside the database, and hard to get past (D-03)."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest

from dispatcher.errors import SealError
from dispatcher.flow.audit_formats import to_text
from dispatcher.flow.audit_words import sealed
from dispatcher.keys import KeyKind, is_signed_by, public_of, write_ring
from dispatcher.rules.actor import duty
from dispatcher.rules.campaign import Language
from dispatcher.rules.ledger import EntryKind, canonical
from dispatcher.rules.seal import Seal, SealReason, key_words
from dispatcher.storage import ledger
from dispatcher.wiring import Dispatcher
from tests.clock import FixedClock
from tests.workshop import OWNER, Doubles, Workshop

MOMENT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
MAIJA = "1;Maija;Meikäläinen;maija@posti.example;;fi;3.1.2026;kyllä;;3.1.2026"
_ACTOR = duty("test")


def seals(dispatcher: Dispatcher) -> list[Seal]:
    """Return the seals that the ledger tells of."""
    return dispatcher.auditing.sealing.known()[0]


def test_every_day_and_every_campaign_is_sealed_once(workshop: Workshop) -> None:
    """A seal at the first look, one after a campaign, one the next day; each names the one before and the heads."""
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        dispatcher.enrol.run(workshop.register(MAIJA), actor)
        dispatcher.schedule.run(workshop.campaign("one", MOMENT), actor)
        workshop.clock.set(MOMENT - timedelta(hours=1))
        assert [None, "seal 1 was set"] == sorted((dispatcher.auditing.sealing.when_due() for _ in range(2)), key=str)
        workshop.clock.set(MOMENT)
        asyncio.run(dispatcher.rounds.once())
        for minutes in (1, 2):
            workshop.clock.set(MOMENT + timedelta(minutes=minutes))
            dispatcher.auditing.sealing.when_due()
        for hours in (24, 25):
            workshop.clock.set(MOMENT + timedelta(hours=hours))
            dispatcher.auditing.sealing.when_due()
        found, kept = dispatcher.auditing.sealing.known()
        assert () == dispatcher.audit.verify().findings
    assert [SealReason.DAY, SealReason.CAMPAIGN, SealReason.DAY] == [seal.reason for seal in found]
    assert [1, 2, 3] == [seal.number for seal in found]
    assert found == list(kept.seals)
    assert [found[0].hash(), found[1].hash()] == [seal.previous for seal in found[1:]]
    assert all(is_signed_by(seal.public, seal.signature, seal.content()) for seal in found)


def test_the_owners_report_mail_carries_the_seal(workshop: Workshop, doubles: Doubles) -> None:
    """What a campaign came to is told with a seal set after it, so that a rewritten history contradicts the mail."""
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        dispatcher.persons.reach(OWNER, actor, "FI", email="aino@tunturituuli.example")
        dispatcher.enrol.run(workshop.register(MAIJA), actor)
        dispatcher.schedule.run(workshop.campaign("one", MOMENT), actor)
        workshop.clock.set(MOMENT)
        asyncio.run(dispatcher.rounds.once())
        workshop.clock.set(MOMENT + timedelta(minutes=1))
        dispatcher.alerts.of_campaigns()
        asyncio.run(dispatcher.services.once())
        [seal] = seals(dispatcher)
        with dispatcher.store.reading() as connection:
            ended = [each.id for each in ledger.entries(connection, [EntryKind.CAMPAIGN.value])][-1]
    mails = [mail.content.decode() for mail in doubles.smtp.received if mail.recipient == "aino@tunturituuli.example"]
    assert ended < seal.entries + 1
    assert [True] == [seal.words() in mail for mail in mails if f"Sinetti {seal.number}:" in mail]


@pytest.mark.parametrize("language", Language)
def test_the_audit_of_a_year_prints_the_last_seal(workshop: Workshop, language: Language) -> None:
    """The number, the words and the key stand on page one, in the paper's language and in JSON."""
    with workshop.opened() as dispatcher:
        none = dispatcher.audit.year(2026)
        dispatcher.auditing.sealing.set(SealReason.DAY, _ACTOR)
        found = dispatcher.audit.year(2026)
        [seal] = seals(dispatcher)
    says = sealed(found, language)
    assert seal.words() in says
    assert key_words(seal.public) in says
    assert (None, seal.words()) == (none.as_json()["seal"], found.as_json()["seal"]["words"])  # type: ignore[index,call-overload]
    assert seal.words() in " ".join(to_text(found).split())


def test_seals_of_an_old_key_still_hold_after_a_rotation(workshop: Workshop) -> None:
    """Rotation keeps the old public key: what it sealed is checked as before, and the next seal is the new key's."""
    with workshop.opened() as dispatcher:
        dispatcher.auditing.sealing.set(SealReason.DAY, _ACTOR)
        ring = dispatcher.store.ring.with_new(KeyKind.SEAL)
    write_ring(workshop.directory / "secrets.toml", ring)
    with workshop.opened() as dispatcher:
        dispatcher.auditing.sealing.set(SealReason.DAY, _ACTOR)
        old, new = seals(dispatcher)
        assert () == dispatcher.audit.verify().findings
    assert ("1", "2") == (old.key, new.key)
    assert [public_of(key) for key in ring.all(KeyKind.SEAL)] == [old.public, new.public]


def test_a_file_that_lacks_a_seal_gets_it_at_the_next_look(workshop: Workshop, clock: FixedClock) -> None:
    """A crash between the entry and the file leaves nothing out for good."""
    with workshop.opened() as dispatcher:
        dispatcher.auditing.sealing.set(SealReason.DAY, _ACTOR)
        dispatcher.auditing.sealing.file.path.unlink()
        missing = dispatcher.audit.verify()
        dispatcher.auditing.sealing.when_due()
        assert seals(dispatcher) == list(dispatcher.auditing.sealing.file.read().seals)
    assert () == missing.findings
    assert ("There is no file of seals here: only the seals that the ledger tells of were checked.",) == missing.remarks
    assert clock() is not None


def test_a_workspace_that_takes_no_file_says_so_and_goes_on(workshop: Workshop) -> None:
    """Where the file cannot be read no number is known to be free: nothing is sealed, and verify says why."""
    with workshop.opened() as dispatcher:
        dispatcher.auditing.sealing.file.path.mkdir()
        with pytest.raises(SealError, match=r"seals\.jsonl cannot be read"):
            dispatcher.auditing.sealing.set(SealReason.DAY, _ACTOR)
        findings = dispatcher.audit.verify().findings
    assert ("The seals in seals.jsonl cannot be read (Is a directory).",) == findings


@pytest.mark.parametrize("change", ["number", "at", "heads", "workspace", "signature", "public", "entries", "previous"])
def test_no_word_of_a_seal_can_be_changed(workshop: Workshop, change: str) -> None:
    """D-03: a forged seal is named, whatever of it was changed, in the file that everybody can write to."""
    with workshop.opened() as dispatcher:
        for _ in range(2):
            dispatcher.auditing.sealing.set(SealReason.DAY, _ACTOR)
        path = dispatcher.auditing.sealing.file.path
        first, second = path.read_text("ascii").splitlines()
        told = json.loads(second)
        told[change] = _other(told[change])
        path.write_text(f"{first}\n{canonical(told)}\n", "ascii")
        found = dispatcher.audit.verify()
    assert not found.ok
    assert any("is forged" in finding or "holds no seal" in finding for finding in found.findings)


def _other(value: object) -> object:
    if isinstance(value, int):
        return value + 1
    if isinstance(value, str):
        return value.replace("2026", "2025") if "2026" in value else ("1" if value[0] == "0" else "0") + value[1:]
    return [[0, 0, "0" * 64]]
