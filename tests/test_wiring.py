"""Every real thing is built once: what an installation begins with, what opening it refuses, what settings become."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from dispatcher import wiring
from dispatcher.channels.preview import PreviewCarrier
from dispatcher.channels.smtp import SmtpCarrier
from dispatcher.channels.twilio import TwilioCarrier
from dispatcher.errors import ChannelError, JournalError, RefusedError, SettingsError, StorageError
from dispatcher.flow.returns import SHA1, SHA256, STATUS_PATH
from dispatcher.keys import KeyKind, KeyRing, read_ring, write_ring
from dispatcher.register_files import RegisterMap
from dispatcher.rules.campaign import Channel
from dispatcher.settings import FILE, SECRETS, AnswerSection, RegisterSection
from dispatcher.wiring.choices import register_map_of
from dispatcher.wiring.texting import is_told
from tests.clock import FixedClock
from tests.workshop import OWNER, Doubles, Workshop, build

HELSINKI = ZoneInfo("Europe/Helsinki")


def amend(workshop: Workshop, old: str, new: str) -> None:
    """Change the settings of a workspace."""
    path = workshop.directory / FILE
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture
def plain(tmp_path: Path, clock: FixedClock) -> Workshop:
    """Give an installation on SQLite that writes previews."""
    return build(tmp_path / "studio", clock, "sqlite:///dispatcher.db", "dispatcher.journal")


@pytest.fixture
def carried(tmp_path: Path, clock: FixedClock, doubles: Doubles) -> Workshop:
    """Give an installation on SQLite that hands over to the doubles."""
    return build(tmp_path / "studio", clock, "sqlite:///dispatcher.db", "dispatcher.journal", doubles)


def test_an_installation_begins_with_its_owner(workshop: Workshop) -> None:
    """A new installation has one person, its owner, and its clock is the one it was given."""
    with workshop.opened() as dispatcher:
        [owner] = dispatcher.persons.everyone()
        assert (OWNER, "owner", workshop.clock()) == (owner.name, owner.role.value, owner.added_at)
        assert workshop.clock() == dispatcher.store.clock()


def test_an_installation_begins_once(workshop: Workshop) -> None:
    """Beginning again where there are keys is refused, and the keys stay as they are."""
    before = (workshop.directory / SECRETS).read_bytes()
    with pytest.raises(RefusedError, match="has been begun before"):
        wiring.found(workshop.directory, "Somebody Else", workshop.clock)
    assert before == (workshop.directory / SECRETS).read_bytes()


def test_data_without_keys_is_not_begun_over(workshop: Workshop) -> None:
    """Where the database holds an installation whose keys are away, none is begun and no new keys stay behind."""
    away = workshop.directory / "away.toml"
    (workshop.directory / SECRETS).rename(away)
    assert wiring.holds_data(workshop.directory)
    with pytest.raises(StorageError, match="holds an installation already"):
        wiring.found(workshop.directory, OWNER, workshop.clock)
    assert not (workshop.directory / SECRETS).exists()
    away.rename(workshop.directory / SECRETS)
    with workshop.opened() as dispatcher:
        assert [OWNER] == [person.name for person in dispatcher.persons.everyone()]


def test_a_beginning_that_failed_can_be_repeated(plain: Workshop, tmp_path: Path) -> None:
    """What stood in the way once removed, the same beginning succeeds."""
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    (fresh / FILE).write_bytes((plain.directory / FILE).read_bytes())
    (fresh / "dispatcher.journal").write_text("", encoding="utf-8")
    with pytest.raises(JournalError, match="a journal already"):
        wiring.found(fresh, OWNER, plain.clock)
    assert not (fresh / SECRETS).exists()
    (fresh / "dispatcher.journal").unlink()
    wiring.found(fresh, OWNER, plain.clock)
    with wiring.opened(fresh, plain.clock) as dispatcher:
        assert 1 == len(dispatcher.persons.everyone())


def test_an_empty_workspace_holds_no_data(plain: Workshop, tmp_path: Path) -> None:
    """A workspace with settings alone holds no data, and looking does not make any."""
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    (fresh / FILE).write_bytes((plain.directory / FILE).read_bytes())
    assert not wiring.holds_data(fresh)
    assert [FILE] == [path.name for path in fresh.iterdir()]


def test_a_relative_database_lies_in_the_workspace(plain: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever a command is given, a relative path in [database] is of the workspace."""
    monkeypatch.chdir("/")
    with plain.opened() as dispatcher:
        assert str(plain.directory / "dispatcher.db") == dispatcher.store.database.url.database
    assert (plain.directory / "dispatcher.journal").is_file()


def test_tables_of_another_version_are_refused(plain: Workshop) -> None:
    """A database without the tables of this version is not opened, unless to put a copy in its place."""
    (plain.directory / "dispatcher.db").rename(plain.directory / "away.db")
    with pytest.raises(StorageError, match="dispatcher db upgrade"), plain.opened():
        pass
    with wiring.opened(plain.directory, plain.clock, check_tables=False) as dispatcher:
        assert plain.directory == dispatcher.directory
    wiring.upgrade_database(plain.directory)
    with plain.opened() as dispatcher:
        assert [] == dispatcher.persons.everyone()


def test_starters_are_copied_and_changes_kept(plain: Workshop) -> None:
    """The starter campaigns and templates are copied whole; a file that is there already is not touched."""
    campaigns, templates = plain.directory / "campaigns", plain.directory / "templates"
    copied = {path.name for path in campaigns.iterdir()}
    assert {path.name for path in wiring.starter("campaigns").iterdir()} == copied
    own = templates / "sms" / "offer.txt.j2"
    own.write_text("mine", encoding="utf-8")
    (campaigns / "2026-03-kevat.toml").unlink()
    wiring.copy_starters(plain.directory)
    assert "mine" == own.read_text(encoding="utf-8")
    assert (campaigns / "2026-03-kevat.toml").is_file()


def test_the_clock_is_aware() -> None:
    """The program's one clock says aware UTC."""
    assert timedelta(0) == wiring.system_clock().utcoffset()


def test_preview_is_what_carries_by_default(plain: Workshop) -> None:
    """Until a provider is named, both channels write files."""
    with plain.opened() as dispatcher:
        assert {PreviewCarrier} == {type(carrier) for carrier in dispatcher.deliver._carriers.values()}


def test_named_providers_carry(carried: Workshop, doubles: Doubles) -> None:
    """A named mail server and Twilio carry, each told what the settings say and the secrets hold."""
    with carried.opened() as dispatcher:
        email = dispatcher.deliver._carriers[Channel.EMAIL]
        sms = dispatcher.deliver._carriers[Channel.SMS]
        assert isinstance(email, SmtpCarrier)
        assert isinstance(sms, TwilioCarrier)
        assert (doubles.smtp.port, "secret-of-the-double") == (email._settings.port, sms._settings.api_secret)


def test_the_environment_has_the_last_word_on_passwords(plain: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A password comes from the secrets file, and from the environment where that names one."""
    amend(plain, 'provider = "preview"\nhost', 'provider = "smtp"\nhost')
    secrets = plain.directory / SECRETS
    ring = read_ring(secrets)
    write_ring(secrets, KeyRing({kind: ring.all(kind) for kind in KeyKind}, {"smtp_password": "from the file"}))

    def password() -> str:
        with plain.opened() as dispatcher:
            carrier = dispatcher.deliver._carriers[Channel.EMAIL]
            assert isinstance(carrier, SmtpCarrier)
            assert "from the" not in repr(carrier._settings)
            return carrier._settings.password

    assert "from the file" == password()
    monkeypatch.setenv("DISPATCHER_CREDENTIALS__SMTP_PASSWORD", "from the environment")
    assert "from the environment" == password()


def test_a_missing_twilio_secret_is_found_at_start(carried: Workshop) -> None:
    """A provider without its secret stops the start, not the first message."""
    secrets = carried.directory / SECRETS
    ring = read_ring(secrets)
    write_ring(secrets, KeyRing({kind: ring.all(kind) for kind in KeyKind}))
    with pytest.raises(ChannelError, match="api_secret is missing"), carried.opened():
        pass


@pytest.mark.parametrize(
    ("secrets", "more", "asked", "accepted"),
    [
        ({}, "", "", set()),
        ({"twilio_auth_token": "auth-secret"}, "", f"https://viestit.tunturituuli.example{STATUS_PATH}", {SHA1}),
        ({"twilio_shared_key": "shared-secret"}, "", f"https://viestit.tunturituuli.example{STATUS_PATH}", {SHA256}),
        ({"twilio_auth_token": "auth-secret"}, "status_callbacks = false", "", {SHA1}),
        (
            {"twilio_auth_token": "auth-secret", "twilio_shared_key": "shared-secret"},
            "",
            f"https://viestit.tunturituuli.example{STATUS_PATH}",
            {SHA1, SHA256},
        ),
    ],
)
def test_twilio_is_asked_to_call_where_it_would_be_known(
    carried: Workshop, secrets: dict[str, str], more: str, asked: str, accepted: set[str]
) -> None:
    """S-26, S-32: callbacks go to our own address, and only where a secret tells that a call is Twilio's."""
    path = carried.directory / SECRETS
    ring = read_ring(path)
    write_ring(path, KeyRing({kind: ring.all(kind) for kind in KeyKind}, {**ring.credentials, **secrets}))
    amend(carried, "[sms]\n", f"[sms]\n{more}\n")
    with carried.opened() as dispatcher:
        carrier = dispatcher.deliver._carriers[Channel.SMS]
        assert isinstance(carrier, TwilioCarrier)
        assert asked == carrier._settings.status_callback
        assert accepted == set(dispatcher.callback_secrets)
        ring, given = dispatcher.store.ring, dispatcher.settings
        abroad = given.model_copy(update={"sms": given.sms.model_copy(update={"base_url": ""})})
        assert (None, bool(secrets)) == (is_told(given, ring), is_told(abroad, ring))
        assert not any(secret in repr(dispatcher) for secret in secrets.values())


def test_the_environment_knows_twilios_secrets(carried: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """S-21: the secrets of the calls may come from the environment, which has the last word."""
    monkeypatch.setenv("DISPATCHER_CREDENTIALS__TWILIO_AUTH_TOKEN", "from outside")
    with carried.opened() as dispatcher:
        assert {SHA1: "from outside"} == dispatcher.callback_secrets


def test_a_sender_must_be_authorised(carried: Workshop) -> None:
    """S-11: with a provider and without the day its sender was authorised, no text message may leave."""
    with carried.opened() as dispatcher:
        assert {Channel.EMAIL, Channel.SMS} == dispatcher.policy.authorised
    amend(carried, "sender_authorised_on = 2026-05-04", "")
    with carried.opened() as dispatcher:
        assert {Channel.EMAIL} == dispatcher.policy.authorised


def test_hours_come_from_the_settings(plain: Workshop) -> None:
    """S-14: SMS leave Monday to Saturday from 9 to 20 and on no public holiday, unless the settings say otherwise."""
    windows = {}
    for name in ("default", "own"):
        with plain.opened() as dispatcher:
            windows[name] = dispatcher.policy.windows
        amend(plain, "[studio]", '[sending.sms]\nopens = "00:00"\ncloses = "23:59"\nweekdays = [7]\n[studio]')
    sunday, monday = datetime(2026, 11, 22, 10, 0, tzinfo=UTC), datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
    assert monday.replace(hour=7) == windows["default"].next_opening(Channel.SMS, sunday)
    assert windows["own"].is_open(Channel.SMS, sunday)
    assert windows["own"].next_opening(Channel.SMS, monday) > monday + timedelta(days=5)


def test_the_fingerprint_names_what_decides(plain: Workshop) -> None:
    """What a verdict may rest on changes the fingerprint of the settings; where the page listens does not."""

    def fingerprint() -> str:
        with plain.opened() as dispatcher:
            return dispatcher.policy.fingerprint

    first = fingerprint()
    amend(plain, "[studio]", "[web]\nport = 9999\n[studio]")
    assert first == fingerprint()
    amend(plain, "[studio]", "[consent]\nvalid_days = 200\n[studio]")
    assert first != fingerprint()


def register_map(**section: object) -> RegisterMap:
    """Return what the settings of the register become."""
    return register_map_of(RegisterSection.model_validate(section), HELSINKI)


def test_a_column_means_a_known_field() -> None:
    """A column that the settings give an unknown meaning is named, with the meanings there are."""
    with pytest.raises(SettingsError, match=r"\[register\.columns\] 'hoito' = 'treatment': write one of email, "):
        register_map(columns={"hoito": "treatment"})


def test_an_own_column_takes_the_place_of_the_usual_ones() -> None:
    """Where the owner says which column is the phone number, no usual name is taken for it any more."""
    meant = register_map(columns={"Matkapuhelin 2": "phone"}).columns
    assert ["matkapuhelin 2"] == [name for name, field in meant.items() if field.value == "phone"]
    assert [name for name, field in meant.items() if field.value == "email"]


def test_a_day_as_bound_is_the_whole_day() -> None:
    """Bounds written as days reach from the first instant of the one to the last of the other, in the business zone."""
    section = AnswerSection(
        column="lupa", channels=(Channel.EMAIL,), not_before=date(2026, 3, 28), not_after=date(2026, 3, 29)
    )
    [answer] = register_map(answers=[section]).answers
    assert datetime(2026, 3, 27, 22, 0, tzinfo=UTC) == answer.not_before
    assert answer.not_after is not None
    assert datetime(2026, 3, 29, 21, 0, tzinfo=UTC) - answer.not_after <= timedelta(seconds=1)


def test_an_hour_that_never_was_is_refused() -> None:
    """A bound inside the hour that summer time skips is a fault of the settings, named."""
    section = AnswerSection(column="lupa", channels=(Channel.EMAIL,), not_before=datetime(2026, 3, 29, 3, 30))  # noqa: DTZ001 - as TOML gives it
    with pytest.raises(SettingsError, match=r"\[\[register\.answers\]\]"):
        register_map(answers=[section])
