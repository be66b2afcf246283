"""The settings: every fault is named with what to write, the environment stands above the file, no secret is shown."""

from collections.abc import Callable
from pathlib import Path

import pytest

from dispatcher.errors import SettingsError
from dispatcher.rules.campaign import Language
from dispatcher.rules.pace import Pace
from dispatcher.settings import FILE, Settings, read_settings, workspace
from tests.settings_files import PREVIEW, STUDIO

SMTP = """
[email]
provider = "smtp"
host = "smtp.provider.example"
sender = "tarjoukset@tunturituuli.fi"
country = "FI"
dpa_signed = 2026-01-15
"""
TWILIO = """
[sms]
provider = "twilio"
sender = "Tunturi"
account_sid = "AC1"
api_key = "SK1"
dpa_signed = 2026-01-15
accepted_transfer_note = "Only support, only on our request."
"""
Read = Callable[[str], Settings]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Give a way to read settings from a text."""

    def reading(text: str) -> Settings:
        (tmp_path / FILE).write_text(text, encoding="utf-8")
        return read_settings(tmp_path)

    return reading


PROXY = "[web]\nproxies = {}\n"


def test_the_web_servers_to_be_believed(read: Read) -> None:
    """Addresses and networks of web servers are taken; none is believed unless somebody names it."""
    assert () == read(STUDIO + PREVIEW).web.proxies
    assert ("127.0.0.1", "fd00::/64") == read(STUDIO + PREVIEW + PROXY.format('["127.0.0.1", "fd00::/64"]')).web.proxies
    assert "such as 127.0.0.1 or 10.0.0.0/24" in refused(read, STUDIO + PREVIEW + PROXY.format('["*"]'))
    assert "this is everybody" in refused(read, STUDIO + PREVIEW + PROXY.format('["0.0.0.0/0"]'))


def refused(read: Read, text: str) -> str:
    """Return why these settings are refused."""
    with pytest.raises(SettingsError) as error:
        read(text)
    return str(error.value)


def test_the_least_settings_are_enough(read: Read) -> None:
    """Who the studio is and the sender are enough: messages become files until a provider is named."""
    settings = read(STUDIO + PREVIEW)
    assert ("preview", "preview") == (settings.email.provider, settings.sms.provider)
    assert "https://viestit.tunturituuli.example" == settings.studio.public_url
    assert {Language.FI: "https://tunturituuli.example/tietosuoja"} == settings.studio.notice


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("foo = 1\n", f"{FILE}: foo: there is no such setting"),
        ('eu_only = "maybe"\n', f"{FILE}: eu_only: write true or false."),
        ("[web]\nport = 'x'\n", f"{FILE}: [web] port: write a whole number."),
        ("[web]\nport = 70000\n", f"{FILE}: [web] port: Input should be less than or equal to 65535."),
        ("[consent]\nvalid_days = 366\n", f"{FILE}: [consent] valid_days: Input should be less than or equal to 365."),
        ("[sending]\nzone = 'Helsinki'\n", f"{FILE}: [sending] zone: this is no time zone; write for example Europe/"),
        ("[sending.sms]\nopens = '9'\ncloses = '20:00'\n", f"{FILE}: [sending.sms] opens: write an hour of the day as"),
        ("[sending.sms]\nopens = '09:00+02:00'\ncloses = '20:00'\n", f"{FILE}: [sending.sms] opens: write an hour"),
        ("[sending.sms]\nopens = '21:00'\ncloses = '20:00'\n", f"{FILE}: [sending] sms: opens must come before closes"),
        ("[sending.sms]\nopens = '9:00'\n", f"{FILE}: [sending.sms] closes: this is missing."),
        ("[sms]\nprovider = 'pigeon'\n", f"{FILE}: [sms] provider: Input should be 'preview' or 'twilio'."),
        ("[sms]\npart_price = 'cheap'\n", f"{FILE}: [sms] part_price: write an amount in euros, as 0.08."),
        ("[sms]\ndpa_signed = 'yes'\n", f"{FILE}: [sms] dpa_signed: write a day as 2026-05-04."),
        ("[register]\nregion = 'fi'\n", f'{FILE}: [register] region: write two capital letters, such as "FI".'),
        ("[[register.answers]]\ncolumn = 5\n", f"{FILE}: [[register.answers]] number 1, column: write a text between"),
        ("[[register.answers]]\nx = 1\n", f"{FILE}: [[register.answers]] number 1, x: there is no such setting"),
        ("[database]\nurl = 'postgresql://u@h/d'\n", "journal is the URL of a second database"),
        ("[studio]\n", f"{FILE} cannot be read: "),
        ("x = [", f"{FILE} cannot be read: "),
        ("[email]\nx = 1", f"{FILE} cannot be read: "),
    ],
)
def test_every_fault_is_named_with_what_to_write(read: Read, text: str, sentence: str) -> None:
    """A wrong key or value is named by its table and key, with what to write there."""
    assert sentence in refused(read, text.partition("[")[0] + STUDIO + PREVIEW + "".join(text.partition("[")[1:]))


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            "https://tunturituuli.example/varaa",
            "tunturituuli.example",
            "[studio] booking_url: write a web address that",
        ),
        ("https://viestit.", "http://viestit.", "[studio] public_url: write a web address that begins with https://"),
        ("hei@", "hei", "[studio] email: this is no email address"),
        ("fi = ", "sv = ", "[studio] notice: Value error|the Finnish privacy notice"),
        ("fi = ", "de = ", "[studio.notice] de: Input should be 'fi', 'sv' or 'en'."),
        ('name = "Tunturituuli"\n', "", "[studio] name: this is missing."),
    ],
)
def test_the_studio_is_asked_for_whole(read: Read, old: str, new: str, sentence: str) -> None:
    """L-20: what every message says of its sender must be there, and be of its kind."""
    told = refused(read, (STUDIO + PREVIEW).replace(old, new))
    assert any(part in told for part in sentence.split("|"))


def test_all_faults_are_told_at_once(read: Read) -> None:
    """Each fault has a line of its own, so that one look corrects them all."""
    told = refused(read, STUDIO.replace("name =", "nmae =") + PREVIEW + "port = 'x'\n").splitlines()
    assert 3 == len(told)
    assert all(line.startswith(f"{FILE}: ") and line.endswith(".") for line in told)


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ('host = "smtp.provider.example"\n', "host"),
        ('country = "FI"\n', "country"),
        ("dpa_signed = 2026-01-15\n", "dpa_signed"),
    ],
)
def test_a_mail_server_is_declared(read: Read, line: str, key: str) -> None:
    """L-39, L-42: a mail server without host, country or contract is refused."""
    assert "smtp" == read(STUDIO + SMTP).email.provider
    assert f"[email] {key}" in refused(read, STUDIO + SMTP.replace(line, ""))


@pytest.mark.parametrize("country", ["US", "GB", "CH"])
def test_mail_stays_in_the_eea(read: Read, country: str) -> None:
    """L-42: while `eu_only`, a mail server's company outside the EU and EEA is refused; without it, it is not."""
    text = STUDIO + SMTP.replace('"FI"', f'"{country}"')
    assert "[email] country must name the EU or EEA country" in refused(read, text)
    assert country == read("eu_only = false\n" + text).email.country
    assert "NO" == read(STUDIO + SMTP.replace('"FI"', '"NO"')).email.country


def test_a_server_on_this_machine_needs_no_contract(read: Read) -> None:
    """What never leaves the machine is asked for neither country nor contract."""
    here = '[email]\nprovider = "smtp"\nhost = "127.0.0.1"\ntls = "none"\nsender = "a@b.example"\n'
    assert read(STUDIO + here).email.stays_here


def test_the_sample_sender_sends_nothing(read: Read) -> None:
    """A real mail server with the sample's sender is refused: the address must be the studio's own."""
    text = STUDIO + SMTP.replace("tunturituuli.fi", "tunturituuli.example")
    assert "[email] sender is still tarjoukset@tunturituuli.example" in refused(read, text)


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('accepted_transfer_note = "Only support, only on our request."\n', "", "accepted_transfer_note"),
        ("dpa_signed = 2026-01-15\n", "", "dpa_signed"),
        ("[sms]\n", '[sms]\nregion = "us1"\nedge = "ashburn"\n', "region"),
        ("[sms]\n", '[sms]\nregion = "ie1"\nedge = "ashburn"\n', "region"),
        ("[sms]\n", '[sms]\nregion = ""\nedge = ""\n', "region"),
    ],
)
def test_twilio_stays_in_the_eu(read: Read, old: str, new: str, key: str) -> None:
    """S-20, L-39, L-42: Twilio is refused outside Ireland, without a contract, and without an accepted transfer."""
    assert ("ie1", "dublin") == (read(STUDIO + PREVIEW + TWILIO).sms.region, read(STUDIO + PREVIEW + TWILIO).sms.edge)
    assert f"[sms] {key}" in refused(read, STUDIO + PREVIEW + TWILIO.replace(old, new))


def database(url: str, journal: str, more: str = "") -> str:
    """Return settings with these two databases."""
    return STUDIO + PREVIEW + f'[database]\nurl = "{url}"\njournal = "{journal}"\n{more}'


@pytest.mark.parametrize(
    ("url", "journal"),
    [
        ("postgresql://u@localhost/d", "postgresql://u@localhost/d"),
        ("postgresql://u@localhost/d", "postgresql+psycopg://other@LOCALHOST.:5432/d"),
        ("postgresql://u@localhost/d", "postgresql://[::1]/d?connect_timeout=5"),
        ("postgresql://u@localhost/d", "postgresql://u@elsewhere/x?host=127.0.0.1&dbname=d"),
        ("postgresql:///d?host=/run/a", "postgresql://u@/d?host=/run/a/"),
        ("postgresql://u@localhost", "postgresql://v@localhost/u"),
        ("postgresql://u@localhost/d", "postgresql:///d"),
        ("postgresql://u@/d?host=localhost:5433", "postgresql://u@localhost:5433/d"),
        ("sqlite:///one.db", "sqlite:///one.db"),
    ],
)
def test_the_journal_is_another_database(read: Read, url: str, journal: str) -> None:
    """L-34: the journal is kept apart, so it cannot be the database itself under another driver, user or spelling."""
    assert f"{FILE}: database: url and journal name one database" in refused(read, database(url, journal))


@pytest.mark.parametrize(
    ("url", "journal"),
    [
        ("postgresql://u@localhost/d", "postgresql://u@localhost/j"),
        ("postgresql://u@localhost/d", "postgresql://u@localhost:5433/d"),
        ("postgresql://u@/d?host=/run/a", "postgresql://u@/d?host=/run/b"),
        ("postgresql:///d", "postgresql:///j"),
        ("postgresql://u@[::1]:5432/d", "postgresql://u@/j?host=127.0.0.1,localhost"),
        ("sqlite:///dispatcher.db", "postgresql://localhost/j"),
    ],
)
def test_a_database_on_this_machine_needs_no_contract(read: Read, url: str, journal: str) -> None:
    """Two databases that never leave the machine are asked for neither country nor contract."""
    assert read(database(url, journal)).database.stays_here


@pytest.mark.parametrize(
    ("url", "journal"),
    [
        ("postgresql://u@db.example/d", "postgresql://u@localhost/j"),
        ("postgresql://u@localhost/d", "postgresql://u@db.example/j"),
        ("postgresql://u@localhost/d", "postgresql://u@localhost/j?host=db.example"),
        ("postgresql://u@localhost/d", "postgresql://u@/j?host=localhost,db.example"),
        ("postgresql://u@localhost/d", "postgresql://u@localhost/j?hostaddr=192.0.2.1"),
        ("postgresql://u@localhost/d", "postgresql:///j?service=far"),
        ("postgresql://u@localhost/d", "postgresql://localhost@db.example/j"),
        ("postgresql://u@localhost/d", "postgresql://u@localhost.example/j"),
        ("sqlite:///dispatcher.db", "postgresql://u@db.example/j"),
    ],
)
def test_a_database_elsewhere_is_declared(read: Read, url: str, journal: str) -> None:
    """L-39, L-42: a PostgreSQL server that is not on this machine needs its country, in the EEA, and a contract."""
    country, signed = 'country = "FI"\n', "dpa_signed = 2026-01-15\n"
    assert "FI" == read(database(url, journal, country + signed)).database.country
    assert "[database] country must name" in refused(read, database(url, journal, signed))
    assert "[database] country must name" in refused(read, database(url, journal, 'country = "US"\n' + signed))
    assert "[database] dpa_signed is missing" in refused(read, database(url, journal, country))
    assert read("eu_only = false\n" + database(url, journal, signed)).database.country is None


def test_a_password_does_not_hide_the_host(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    """L-42: a password with slashes and signs in it neither hides the host nor is repeated."""
    monkeypatch.setenv("DISPATCHER_DATABASE__JOURNAL", "postgresql://localhost:5432/hunter2?#@db.example/j")
    told = refused(read, database("postgresql://localhost/d", "postgresql://localhost/j"))
    assert "[database] country must name" in told
    assert "hunter2" not in told


def test_passwords_are_not_in_the_file(read: Read) -> None:
    """Credentials in dispatcher.toml are refused, and so is a password inside a database URL; neither is repeated."""
    told = refused(read, STUDIO + PREVIEW + '[credentials]\nsmtp_password = "hunter2"\n')
    assert "move them to secrets.toml" in told
    url = "[database]\nurl = 'postgresql://u:hunter2@h/d'\njournal = 'postgresql://u@h/j'\n"
    hidden = refused(read, STUDIO + PREVIEW + url)
    assert "[database] url" in hidden
    assert "hunter2" not in told + hidden


def test_the_environment_stands_above_the_file(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable overrides one key and leaves its neighbours, in every section, whatever its letters' case."""
    monkeypatch.setenv("DISPATCHER_EMAIL__PORT", "2525")
    monkeypatch.setenv("DISPATCHER_EU_ONLY", "false")
    monkeypatch.setenv("DISPATCHER_SENDING__SMS__OPENS", "10:00")
    monkeypatch.setenv("DISPATCHER_REGISTER__REGION", "SE")
    monkeypatch.setenv("dispatcher_web__port", "8099")
    settings = read(STUDIO + PREVIEW + "port = 25\n[sending.sms]\nopens = '08:00'\ncloses = '19:00'\n")
    assert (2525, "tarjoukset@tunturituuli.example") == (settings.email.port, settings.email.sender)
    assert (False, 8099, "SE") == (settings.eu_only, settings.web.port, settings.register_.region)
    assert ("10:00", "19:00") == (settings.sending.sms.opens, settings.sending.sms.closes)


def test_foreign_variables_are_not_ours(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only variables with the program's own prefix are settings."""
    for name in ("REGISTER", "REGISTER__REGION", "EMAIL__PORT", "WEB"):
        monkeypatch.setenv(name, "17")
    settings = read(STUDIO + PREVIEW)
    assert (587, "FI") == (settings.email.port, settings.register_.region)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("DISPATCHER_EMAIL__PORT", "x", "DISPATCHER_EMAIL__PORT: write a whole number."),
        ("DISPATCHER_EMAIL__HOTS", "x", "DISPATCHER_EMAIL__HOTS: there is no such setting"),
        ("DISPATCHER_EMIAL__HOST", "x", "DISPATCHER_EMIAL__HOST: there is no [emial]."),
        ("DISPATCHER_EMAIL", "{", "In the environment: "),
    ],
)
def test_a_faulty_variable_is_named(
    read: Read, monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
) -> None:
    """A fault in the environment is told by the variable's name, not as one of the file."""
    monkeypatch.setenv(name, value)
    told = refused(read, STUDIO + PREVIEW)
    assert sentence in told
    assert FILE not in told


def test_no_secret_is_shown(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither what the settings print as nor the error of a neighbour shows a password."""
    monkeypatch.setenv("DISPATCHER_CREDENTIALS__SMTP_PASSWORD", "hunter2")
    monkeypatch.setenv("DISPATCHER_CREDENTIALS__TWILIO_API_SECRET", "hunter3")
    monkeypatch.setenv("DISPATCHER_DATABASE__URL", "postgresql://u:hunter4@localhost/d")
    monkeypatch.setenv("DISPATCHER_DATABASE__JOURNAL", "postgresql://u:hunter5@localhost/j")
    settings = read(STUDIO + PREVIEW)
    assert "hunter2" == settings.credentials.smtp_password.get_secret_value()
    monkeypatch.setenv("DISPATCHER_CREDENTIALS__SMTP_PASWORD", "hunter6")
    shown = f"{settings!r} {settings} {settings.database!r} {refused(read, STUDIO + PREVIEW)}"
    assert "smtp_password" in shown
    assert "hunter" not in shown


def test_no_value_is_repeated_in_an_error(read: Read) -> None:
    """An error names the key and never the value: what stands in the wrong place may be a secret."""
    assert "hunter2" not in refused(
        read, STUDIO + PREVIEW + 'port = "hunter2"\npassword = "hunter2"\ntls = "hunter2"\n'
    )


def test_a_file_from_another_editor_is_read(tmp_path: Path) -> None:
    """A byte order mark does no harm; another encoding than UTF-8 is refused in a sentence."""
    (tmp_path / FILE).write_text(STUDIO + PREVIEW, encoding="utf-8-sig")
    assert "Tunturituuli" == read_settings(tmp_path).studio.name
    (tmp_path / FILE).write_text(STUDIO + PREVIEW, encoding="cp1252")
    with pytest.raises(SettingsError, match=rf"{FILE} cannot be read"):
        read_settings(tmp_path)


def test_the_workspace_is_named_or_current(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The workspace is the folder named, else the environment's, else the current one; without a file it is refused."""
    monkeypatch.chdir(tmp_path)
    assert tmp_path == workspace(None)
    monkeypatch.setenv("DISPATCHER_WORKSPACE", str(tmp_path / "a"))
    assert (tmp_path / "a", tmp_path / "b") == (workspace(None), workspace("b"))
    with pytest.raises(SettingsError, match="dispatcher init DIR"):
        read_settings(tmp_path)


def test_a_provider_has_the_pace_of_a_small_one_and_this_machine_has_none(read: Read) -> None:
    """E-55: 200 mails an hour and ten text messages a second unless set; preview files are not slowed."""
    usual, here = read(STUDIO + SMTP + TWILIO), read(STUDIO + PREVIEW)
    assert (Pace(200), Pace(36_000)) == (usual.email.pace, usual.sms.pace)
    assert (None, None) == (here.email.pace, here.sms.pace)
    own = read(STUDIO + SMTP + "per_hour = 500\n" + TWILIO + "per_second = 0.5\n")
    assert (Pace(500), Pace(1800)) == (own.email.pace, own.sms.pace)
    daily = read(STUDIO + SMTP + "per_day = 1000\n" + TWILIO + "per_minute = 30\nper_day = 400\n")
    assert (Pace(200, 1000), Pace(1800, 400)) == (daily.email.pace, daily.sms.pace)


@pytest.mark.parametrize(
    ("day", "wanted"),
    [
        ('name = "X1"\n', "write either on or week"),
        ('name = "X1"\non = "02-14"\nweek = 7\n', "write either on or week"),
        ('name = "X1"\non = "30-02"\n', 'write a day as 2026-09-05, or as "09-05" for every year'),
    ],
)
def test_a_noted_day_is_one_day(read: Read, day: str, wanted: str) -> None:
    """A day of the year is told by a date, by month and day, or by a week: one of them, and one that can be."""
    assert wanted in refused(read, f"{STUDIO}{PREVIEW}[[year.days]]\n{day}")
    assert "02-29" == read(f'{STUDIO}{PREVIEW}[[year.days]]\nname = "X1"\non = "02-29"\n').year.days[0].on
