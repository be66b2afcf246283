"""The doctor on a real installation: well, then with exactly one thing broken."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfoNotFoundError

import pytest
from sqlalchemy import event, text

from dispatcher.errors import RefusedError
from dispatcher.flow.dkim_keys import Algorithm, make_key
from dispatcher.flow.doctor import Doctor
from dispatcher.flow.doubts import Guidance
from dispatcher.keys import KeyKind, KeyRing, read_ring, write_ring
from dispatcher.rules.doctor import Concern, Finding, Level
from dispatcher.wiring import Dispatcher, examined
from dispatcher.wiring.grounds import grounds_of
from dispatcher.wiring.mailboxes import letterbox_of
from dispatcher.wiring.records import processing_of
from dispatcher.wiring.signing import signatures_of
from tests.stores import raw
from tests.workshop import ACCOUNT, Doubles, Workshop

MOMENT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
MAIJA = "1;Maija;Meikäläinen;maija@posti.example;040 123 4567;fi;20.11.2026;kyllä;kyllä;20.11.2026"


@pytest.fixture
def well(workshop: Workshop) -> Workshop:
    """Give an installation in which everything is in order: a register read, a notice published, mails signed."""
    made = make_key(workshop.directory, "s1", "tunturituuli.example", Algorithm.RSA)
    assert "dkim-s1.pem" == made.file
    edit(workshop, "[sms]", '[email.dkim]\nselector = "s1"\n\n[sms]')
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        dispatcher.enrol.run(workshop.register(MAIJA), actor, guidance=Guidance(is_whole=True))
    publish(workshop)
    return workshop


def publish(workshop: Workshop) -> None:
    """Publish the notice that the settings make."""
    with workshop.opened() as dispatcher:
        dispatcher.notices.publish(dispatcher.persons.acting(None))


def edit(workshop: Workshop, old: str, new: str) -> None:
    """Change the settings."""
    path = workshop.directory / "dispatcher.toml"
    source = path.read_text(encoding="utf-8")
    assert old in source
    path.write_text(source.replace(old, new, 1), encoding="utf-8")


def look(workshop: Workshop) -> dict[Concern, Level]:
    """Return what is not in order, each concern with its gravest level."""
    return ill(examined(workshop.directory, workshop.clock))


def ill(findings: list[Finding]) -> dict[Concern, Level]:
    """Return the concerns that are not in order, and see that every one was looked at and says what to do."""
    assert set(Concern) == {each.concern for each in findings}
    assert all((each.fix is None) == (each.level is Level.OK) for each in findings), findings
    return {each.concern: each.level for each in findings if each.level is not Level.OK}


def damage(workshop: Workshop, *statements: str) -> None:
    """Change the database past the program."""
    with workshop.opened() as dispatcher:
        url = dispatcher.store.database.url.render_as_string(hide_password=False)
    engine = raw(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def with_free(workshop: Workshop, dispatcher: Dispatcher, free: Callable[[Path], int]) -> Doctor:
    """Return the installation's doctor on a disk with so much room."""
    processing = processing_of(dispatcher.settings, dispatcher.studio)
    signing = signatures_of(workshop.directory, dispatcher.settings, dispatcher.store.ring).about
    letterbox = letterbox_of(workshop.directory, dispatcher.settings, dispatcher.store.ring)
    grounds = grounds_of(workshop.directory, dispatcher.settings, processing, signing, letterbox)
    return Doctor(dispatcher.store, dispatcher.policy, dispatcher.keyring, dispatcher.notices, grounds, free)


def test_a_well_installation_is_well(well: Workshop) -> None:
    """Every concern is looked at and none says anything; it can be done again."""
    assert {} == look(well) == look(well)


def test_a_new_installation_may_send(workshop: Workshop) -> None:
    """Without a register and a published notice there are warnings, and no error stands in the way."""
    warned = (Concern.NOTICE, Concern.SIGNING, Concern.IMPORT)
    assert dict.fromkeys(warned, Level.WARNING) == look(workshop)


def test_settings_that_cannot_be_read(well: Workshop) -> None:
    """Settings with a fault are the one error, and everything else waits for them."""
    edit(well, "[studio]", "[studio]\nshoe_size = 38")
    found = look(well)
    assert Level.ERROR == found.pop(Concern.SETTINGS)
    assert {Level.WARNING} == set(found.values())


def test_settings_that_no_carrier_takes(well: Workshop) -> None:
    """An SMS provider without its account is a fault of the settings, not of the database."""
    edit(well, f'account_sid = "{ACCOUNT}"', 'account_sid = ""')
    found = look(well)
    assert Level.ERROR == found.pop(Concern.SETTINGS)
    assert {Level.WARNING} == set(found.values())


def test_a_notice_that_says_otherwise(well: Workshop) -> None:
    """A retention period that clients were not told is an error, until the notice is published anew."""
    edit(well, "[studio]", "[retention]\nclient_days = 200\n\n[studio]")
    assert {Concern.NOTICE: Level.ERROR} == look(well)
    publish(well)
    assert {} == look(well)


def test_a_notice_in_other_words(well: Workshop) -> None:
    """A notice whose facts hold and whose words are others is a warning."""
    edit(well, 'name = "Tunturituuli"', 'name = "Tunturituulonen"')
    assert {Concern.NOTICE: Level.WARNING} == look(well)


def test_a_sender_elsewhere(well: Workshop) -> None:
    """E-40: mail from a domain that is not the studio's is an error."""
    edit(well, 'sender = "tarjoukset@tunturituuli.example"', 'sender = "tarjoukset@other.example"')
    assert {Concern.SENDER: Level.ERROR} == look(well)


def test_an_sms_sender_without_authorisation(well: Workshop) -> None:
    """S-11: the doctor refuses where `sender_authorised_on` is missing."""
    edit(well, "sender_authorised_on = 2026-05-04\n", "")
    assert {Concern.SENDER: Level.ERROR} == look(well)


def abroad(workshop: Workshop, country: str, signed: str) -> None:
    """Take a mail server away from this machine, and publish the notice that names its company."""
    away = f'host = "smtp.provider.fi"\ncountry = "{country}"\ndpa_signed = {signed}'
    edit(workshop, 'host = "127.0.0.1"', away)
    edit(workshop, 'tls = "none"', 'tls = "starttls"')
    edit(workshop, "tarjoukset@tunturituuli.example", "tarjoukset@tunturituuli.fi")
    edit(workshop, "hei@tunturituuli.example", "hei@tunturituuli.fi")
    publish(workshop)


def test_companies_are_looked_at_without_asking_the_network(well: Workshop) -> None:
    """L-39: a company in the EU that has signed is in order; its machine is not called, nor even looked up."""
    abroad(well, "FI", "2026-01-15")
    assert {} == look(well)


def test_a_contract_to_come(well: Workshop) -> None:
    """L-39: a contract that is not in force yet is an error."""
    abroad(well, "FI", "2026-12-24")
    assert {Concern.PROCESSORS: Level.ERROR} == look(well)


def test_a_machine_outside_the_eu(well: Workshop) -> None:
    """L-42: who gave up `eu_only` is warned of the company and of its machine."""
    edit(well, "[studio]", "eu_only = false\n[studio]")
    abroad(well, "US", "2026-01-15")
    assert {Concern.PROCESSORS: Level.WARNING, Concern.HOSTS: Level.WARNING} == look(well)


def test_keys_that_others_may_read(well: Workshop) -> None:
    """A secrets file that others may read is an error; nothing that needs its keys is looked at."""
    (well.directory / "secrets.toml").chmod(0o644)
    found = look(well)
    assert Level.ERROR == found.pop(Concern.KEYS)
    assert Concern.SENDER not in found
    assert {Level.WARNING} == set(found.values())


def test_a_key_that_is_missing(well: Workshop) -> None:
    """A kind without a key is an error of the keys alone."""
    path = well.directory / "secrets.toml"
    ring = read_ring(path)
    kept = {kind: () if kind is KeyKind.SEAL else ring.all(kind) for kind in KeyKind}
    write_ring(path, KeyRing(kept, ring.credentials))
    assert {Concern.KEYS: Level.ERROR} == look(well)


def test_a_key_that_has_grown_old(well: Workshop) -> None:
    """Keys of two years are warned about, kind by kind, until they are rotated."""
    well.clock.advance(timedelta(days=731))
    assert {Concern.KEYS: Level.WARNING, Concern.IMPORT: Level.WARNING} == look(well)
    with well.opened() as dispatcher:
        for kind in KeyKind:
            dispatcher.keyring.record_rotation(kind, "1", dispatcher.persons.acting(None))
    assert {Concern.IMPORT: Level.WARNING} == look(well)


def test_tables_of_another_version(well: Workshop) -> None:
    """Tables that are not this version's are an error, and what is in them is not looked at."""
    damage(well, "UPDATE alembic_version SET version_num = '0001'")
    found = look(well)
    assert Level.ERROR == found.pop(Concern.MIGRATIONS)
    assert {Level.WARNING} == set(found.values())
    assert Concern.DURABILITY not in found


def test_a_database_that_forgets(well: Workshop) -> None:
    """A database that answers before a commit is on disk is an error: the setting is read back, not believed."""
    weak = "PRAGMA synchronous=OFF", "SET synchronous_commit TO off"
    with well.opened() as dispatcher:
        database = dispatcher.store.database
        database.close()

        def weaken(connection: object, _record: object) -> None:
            cursor = connection.cursor()  # type: ignore[attr-defined]
            cursor.execute(weak[0] if database.is_sqlite else weak[1])
            cursor.close()
            if not database.is_sqlite:
                connection.commit()  # type: ignore[attr-defined]

        event.listen(database.engine, "connect", weaken)
        assert {Concern.DURABILITY: Level.ERROR} == ill(dispatcher.doctor.examine())


def test_a_clock_set_back(well: Workshop) -> None:
    """A clock before the newest entry of the ledger is an error."""
    well.clock.advance(timedelta(days=-1))
    assert {Concern.CLOCK: Level.ERROR} == look(well)


def test_a_clock_that_had_run_ahead(well: Workshop) -> None:
    """An entry from the future is not the last word: once something is recorded at the right time, all is well."""
    well.clock.advance(timedelta(days=1))
    with well.opened() as dispatcher:
        dispatcher.keyring.record_rotation(KeyKind.SEAL, "1", dispatcher.persons.acting(None))
    well.clock.advance(timedelta(days=-1))
    assert {Concern.CLOCK: Level.ERROR} == look(well)
    with well.opened() as dispatcher:
        dispatcher.keyring.record_rotation(KeyKind.SEAL, "1", dispatcher.persons.acting(None))
    assert {} == look(well)


class _NoZones:
    """What a machine without tzdata has in place of zones."""

    @staticmethod
    def no_cache(key: str) -> None:
        """Find nothing."""
        raise ZoneInfoNotFoundError(key)


def test_a_zone_that_is_not_there(well: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without the rules of the business zone is an error."""
    with well.opened() as dispatcher:
        monkeypatch.setattr("dispatcher.flow.doctor.ZoneInfo", _NoZones)
        assert {Concern.CLOCK: Level.ERROR} == ill(dispatcher.doctor.examine())


def test_a_journal_that_is_gone(well: Workshop, journal_url: str) -> None:
    """A journal that is not there is an error of the journal alone."""
    if "://" in journal_url:
        engine = raw(journal_url)
        with engine.begin() as connection:
            connection.execute(text("DROP TABLE journal"))
        engine.dispose()
    else:
        Path(journal_url).unlink()
    assert {Concern.JOURNAL: Level.ERROR} == look(well)


def test_a_journal_ahead_of_the_database(well: Workshop) -> None:
    """A database that does not know all of its journal is an older copy: an error."""
    damage(well, "DELETE FROM journal_mark")
    assert {Concern.JOURNAL: Level.ERROR} == look(well)


@pytest.mark.parametrize(("free", "level"), [(0, Level.ERROR), (65 * 2**20, Level.WARNING)])
def test_a_disk_that_fills_up(well: Workshop, free: int, level: Level, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk is an error; one with less room than a year takes at the pace so far is a warning."""
    monkeypatch.setattr("dispatcher.storage.health.size", lambda _connection: 2**27)
    with well.opened() as dispatcher:
        assert {Concern.DISK: level} == ill(with_free(well, dispatcher, lambda _directory: free).examine())


def test_the_size_is_that_of_the_database(well: Workshop) -> None:
    """What the data takes is asked of the database itself."""
    from dispatcher.storage import health

    with well.opened() as dispatcher, dispatcher.store.reading() as connection:
        assert 10**5 < health.size(connection) < 10**9


def test_a_register_read_long_ago(well: Workshop) -> None:
    """A register older than 31 days is a warning."""
    well.clock.advance(timedelta(days=32))
    assert {Concern.IMPORT: Level.WARNING} == look(well)


def test_an_error_refuses_a_slot(well: Workshop) -> None:
    """Whoever schedules with an error is told every error with its fix, and no slot is taken."""
    edit(well, 'sender = "tarjoukset@tunturituuli.example"', 'sender = "tarjoukset@other.example"')
    edit(well, "sender_authorised_on = 2026-05-04\n", "")
    with well.opened() as dispatcher:
        path = well.campaign("a", MOMENT)
        with pytest.raises(RefusedError) as refused:
            dispatcher.schedule.run(path, dispatcher.persons.acting(None))
        assert [] == dispatcher.lifecycle.all()
    told = str(refused.value)
    assert 2 == told.count("sender: ")
    for fix in ("[email] sender", "[sms] sender_authorised_on", "dispatcher doctor"):
        assert fix in told


def test_an_error_refuses_the_first_hand_off(well: Workshop, doubles: Doubles) -> None:
    """What breaks after scheduling keeps the campaign from beginning; mended within the grace it goes out."""
    with well.opened() as dispatcher:
        dispatcher.schedule.run(well.campaign("a", MOMENT), dispatcher.persons.acting(None))
    well.clock.set(MOMENT)
    edit(well, 'sender = "tarjoukset@tunturituuli.example"', 'sender = "tarjoukset@other.example"')
    with well.opened() as dispatcher:
        [worked] = asyncio.run(dispatcher.rounds.once())
        assert "none of the studio's" in str(worked.trouble)
        assert ("scheduled", None) == (worked.campaign.state.value, dispatcher.lifecycle.named("a").begun_at)
    assert [] == doubles.mailed()
    edit(well, 'sender = "tarjoukset@other.example"', 'sender = "tarjoukset@tunturituuli.example"')
    with well.opened() as dispatcher:
        asyncio.run(dispatcher.rounds.once())
    assert ["maija@posti.example"] == doubles.mailed()


def test_a_refusal_stands_for_a_minute(well: Workshop) -> None:
    """Who keeps the time asks every second: an error is looked at anew after a minute, a good answer each time."""
    asked: list[Path] = []
    room = [0]

    def free(directory: Path) -> int:
        asked.append(directory)
        return room[0]

    with well.opened() as dispatcher:
        doctor = with_free(well, dispatcher, free)
        for _ in range(2):
            with pytest.raises(RefusedError, match="may not find room"):
                doctor.refuse_unless_well()
        assert [well.directory] == asked
        room[0] = 2**40
        well.clock.advance(timedelta(minutes=1))
        doctor.refuse_unless_well()
        room[0] = 0
        with dispatcher.store.reading() as connection, pytest.raises(RefusedError):
            doctor.refuse_unless_well(connection)
    assert 3 == len(asked)


def test_findings_can_be_told(well: Workshop) -> None:
    """Nothing of the register is in what the doctor says."""
    told = json.dumps([each.says for each in examined(well.directory, well.clock)], ensure_ascii=False)
    assert "maija" not in told.lower()
