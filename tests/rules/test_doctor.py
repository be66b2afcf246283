"""What the doctor judges from values: each thing in order, and each broken alone."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.rules import doctor
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.doctor import LEAST_FREE, OLD_KEY, Concern, Finding, Host, Level, Sender, broken, worst
from dispatcher.rules.processing import Periods, Processing, Processor
from dispatcher.rules.studio import Studio

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
TODAY = date(2026, 11, 23)
SENDER = Sender(
    email="tarjoukset@tunturituuli.example",
    bounces="palautus@tunturituuli.example",
    domains=frozenset({"tunturituuli.example", "viestit.tunturituuli.example"}),
    sends_mail=True,
    sms="Tunturi",
    sms_authorised_on=date(2026, 5, 4),
    sends_sms=True,
)
STUDIO = Studio("Tunturituuli", "0", "K 1", "e@t.example", "1", "u", "u", "s@t.example", "b@t.example", {})
MAIL = Processor("P1", "smtp.provider.example", Channel.EMAIL, "FI", date(2026, 1, 15))
SMS = Processor("P2", "Twilio", Channel.SMS, "IE", date(2026, 1, 15), reaches_outside=True)
PERIODS = Periods(365, 30, 90, 2, 365, 455, 7)
FI, SV = Language.FI, Language.SV


def found(findings: list[Finding]) -> list[tuple[Level, str]]:
    """Return level and sentence of each, and see that whatever is not in order says what to do."""
    assert all((each.fix is None) == (each.level is Level.OK) for each in findings)
    return [(each.level, each.says) for each in findings]


def levels(findings: list[Finding]) -> list[Level]:
    """Return the level of each."""
    return [level for level, _ in found(findings)]


def test_messages_of_the_studio_are_in_order() -> None:
    """E-40: a sender at the studio's domain, under it or above it, is the studio's own."""
    assert [Level.OK] == levels(doctor.sender(SENDER))
    for email in ("a@viestit.tunturituuli.example", "a@uutiset.tunturituuli.example", "a@TUNTURITUULI.example"):
        assert [Level.OK] == levels(doctor.sender(replace(SENDER, email=email, bounces=email)))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"email": "a@other.example", "bounces": "a@other.example"}, "none of the studio's"),
        ({"email": "a@xtunturituuli.example", "bounces": "a@xtunturituuli.example"}, "none of the studio's"),
        ({"email": "a@gmail.com", "bounces": "a@gmail.com", "domains": frozenset({"gmail.com"})}, "taken for forged"),
        ({"sms_authorised_on": None}, "has not been authorised"),
    ],
)
def test_a_sender_that_is_not_the_studio_is_an_error(change: dict[str, object], says: str) -> None:
    """E-40, S-11: a foreign domain, everybody's domain, an SMS sender that is not authorised."""
    [(level, sentence)] = found(doctor.sender(replace(SENDER, **change)))  # type: ignore[arg-type]
    assert (level, True) == (Level.ERROR, says in sentence)


def test_a_sender_that_sends_nothing_yet_is_warned_about() -> None:
    """Where mails are only written to files, a foreign domain is a warning, and text messages are not asked about."""
    preview = replace(SENDER, email="a@other.example", bounces="a@other.example", sends_mail=False, sends_sms=False)
    assert [Level.WARNING] == levels(doctor.sender(replace(preview, sms="", sms_authorised_on=None)))
    assert [Level.OK] == levels(doctor.sender(replace(SENDER, sms="+358401234567")))
    assert [Level.WARNING] == levels(doctor.sender(replace(SENDER, bounces="a@relay.example")))


@pytest.mark.parametrize(
    ("change", "level", "says"),
    [
        ({"sms": "+358401234567", "listens": False}, Level.ERROR, "nobody would hear a STOP"),
        ({"sms": "+358401234567", "is_told": False}, Level.WARNING, "a STOP is heard of a minute late"),
        ({"is_told": False}, Level.WARNING, "Nothing tells what became of text messages: Twilio's"),
        ({"listens": False}, Level.OK, "the studio's own domain"),
        ({"sms": "+358401234567", "is_told": True}, Level.OK, "the studio's own domain"),
        ({"sms": "+358401234567", "listens": False, "sends_sms": False}, Level.OK, "the studio's own domain"),
    ],
)
def test_who_sends_texts_hears_what_comes_back(change: dict[str, object], level: Level, says: str) -> None:
    """S-30, S-33: a number that clients answer unheard is an error, and calls that nobody believes are a warning."""
    [(found_level, sentence)] = found(doctor.sender(replace(SENDER, **change)))  # type: ignore[arg-type]
    assert (found_level, True) == (level, says in sentence)


def processed(*companies: Processor, note: str = "only support") -> Processing:
    """Return what is done with the data, by these companies."""
    return Processing(STUDIO, "FI", companies, PERIODS, note)


def test_companies_in_the_eu_that_signed_are_in_order() -> None:
    """L-39, L-42: with a country in the EEA, a contract in force and an accepted transfer, nothing is said."""
    assert [Level.OK] == levels(doctor.processors(processed(MAIL, SMS), TODAY, eu_only=True))
    assert [(Level.OK, "Companies that handle data: none, all stays here.")] == found(
        doctor.processors(processed(), TODAY, eu_only=True)
    )


@pytest.mark.parametrize(
    ("company", "note", "says"),
    [
        (replace(MAIL, country="US", reaches_outside=True), "x", "is in US, outside the EU and EEA"),
        (replace(MAIL, country=None), "", "names no country"),
        (replace(MAIL, contract=None), "", "The contract with smtp.provider.example is missing"),
        (replace(MAIL, contract=TODAY + timedelta(days=1)), "", "begins on 2026-11-24 only"),
        (SMS, "", "may reach data from outside the EU, and nobody has accepted it"),
    ],
)
def test_a_company_that_may_not_have_data_is_an_error(company: Processor, note: str, says: str) -> None:
    """L-39, L-42: a country outside or unnamed, a contract missing or to come, a transfer nobody accepted."""
    [(level, sentence)] = found(doctor.processors(processed(company, note=note), TODAY, eu_only=True))
    assert (level, True) == (Level.ERROR, says in sentence)


def test_whoever_gave_up_the_eu_is_warned() -> None:
    """Where `eu_only` is off, a company or machine outside is the owner's choice: a warning, each time."""
    outside = replace(MAIL, country="US", reaches_outside=True)
    assert [Level.WARNING] == levels(doctor.processors(processed(outside), TODAY, eu_only=False))
    assert [Level.WARNING] == levels(doctor.hosts([Host("smtp.example", "mail server", "US")], eu_only=False))


@pytest.mark.parametrize(
    ("name", "country", "level"),
    [
        ("smtp.provider.example", "FI", Level.OK),
        ("smtp.provider.example", "NO", Level.OK),
        ("smtp.provider.example", "US", Level.ERROR),
        ("smtp.provider.example", None, Level.ERROR),
        ("127.0.0.1", None, Level.OK),
        ("localhost", "US", Level.OK),
        ("/run/postgresql", None, Level.OK),
    ],
)
def test_machines_outside_the_eu_are_an_error(name: str, country: str | None, level: Level) -> None:
    """L-42: every machine that is spoken to is in the EEA, or is this one."""
    assert [level] == levels(doctor.hosts([Host(name, "mail server", country)], eu_only=True))


def test_the_notice_in_force_says_what_is_done() -> None:
    """The same words are in order; other words with the same facts are a warning; none published is a warning."""
    today = {FI: "Säilytämme 365 päivää, Twilio.", SV: "365 dagar, Twilio."}
    names = ["Twilio"]
    assert [Level.OK] == levels(doctor.notice(dict(today), today, names))
    reworded = {FI: "Tietoja säilytetään 365 päivää (Twilio).", SV: today[SV]}
    assert [Level.WARNING] == levels(doctor.notice(reworded, today, names))
    assert [Level.WARNING] == levels(doctor.notice(None, today, names))
    more = {FI: "Säilytämme 365 päivää, Twilio ja Toinen.", SV: today[SV]}
    assert [Level.WARNING] == levels(doctor.notice(more, today, names))


@pytest.mark.parametrize(
    ("in_force", "missing"),
    [
        ({FI: "365 ja 30 päivää, Twilio, US", SV: "365 och 30, Twilio, IE"}, "IE"),
        ({FI: "180 ja 30 päivää, Twilio, IE", SV: "365 och 30, Twilio, IE"}, "365"),
        ({FI: "365 ja 365 päivää, Twilio, IE", SV: "365 och 30, Twilio, IE"}, "30"),
        ({FI: "365 ja 30 päivää, IE", SV: "365 och 30, Twilio, IE"}, "Twilio"),
        ({FI: "365 ja 30 päivää, Twilio, IE"}, "365, 30, IE, Twilio"),
    ],
)
def test_a_fact_that_clients_were_not_told_is_an_error(in_force: dict[Language, str], missing: str) -> None:
    """A period or a company that the notice in force does not name, in whatever language, stands in the way."""
    today = {FI: "365 ja 30 päivää, Twilio, IE", SV: "365 och 30, Twilio, IE"}
    [(level, says)] = found(doctor.notice(in_force, today, ["Twilio"]))
    assert (Level.ERROR, f"The notice in force does not say what the settings do: {missing}.") == (level, says)


def test_old_keys_are_warned_about() -> None:
    """The age of a kind's current key counts, day by day."""
    since = {"token": NOW - OLD_KEY, "seal": NOW - OLD_KEY - timedelta(days=1)}
    [(level, says)] = found(doctor.old_keys(since, NOW))
    assert (Level.WARNING, "The seal key is 731 days old.") == (level, says)


@pytest.mark.parametrize(
    ("ahead", "known", "wanted"),
    [
        (timedelta(days=-3), True, [Level.OK]),
        (timedelta(seconds=90), True, [Level.OK]),
        (timedelta(minutes=3), True, [Level.ERROR]),
        (timedelta(), False, [Level.ERROR]),
        (timedelta(days=1), False, [Level.ERROR, Level.ERROR]),
    ],
)
def test_a_clock_that_cannot_be_is_an_error(ahead: timedelta, known: bool, wanted: list[Level]) -> None:  # noqa: FBT001
    """A clock before the newest entry of the ledger, or a zone nobody knows, stands in the way."""
    assert wanted == levels(doctor.clock(NOW, NOW + ahead, "Europe/Helsinki", zone_known=known))
    assert [Level.OK] == levels(doctor.clock(NOW, None, "Europe/Helsinki", zone_known=True))


@given(
    st.integers(min_value=0, max_value=2**40),
    st.integers(min_value=0, max_value=2**36),
    st.integers(min_value=0, max_value=5000),
)
def test_the_disk_lasts_a_year(free: int, used: int, days: int) -> None:
    """Less than 64 MiB is an error; less than a year takes at the pace so far is a warning."""
    [level] = levels(doctor.disk(free, used, timedelta(days=days)))
    growth = used * 365 // max(days, 30)
    expected = Level.ERROR if free < LEAST_FREE else Level.WARNING if free < growth else Level.OK
    assert expected == level


def test_the_register_is_fresh() -> None:
    """A register read within 31 days is in order; an older one, or none, is warned about."""
    within = timedelta(days=31)
    assert [Level.OK] == levels(doctor.imported(NOW - within, NOW, within))
    assert [Level.WARNING] == levels(doctor.imported(NOW - within - timedelta(seconds=1), NOW, within))
    assert [Level.WARNING] == levels(doctor.imported(None, NOW, within))


@pytest.mark.parametrize(
    ("sentence", "says", "fix"),
    [
        ("There is no seal key: run `dispatcher keys rotate seal`.", "There is no seal key.", "Run `dispatcher keys rotate seal`."),  # noqa: E501
        ("Hash key 'a' is lost. Put back the copy that you made; nothing else helps.", "Hash key 'a' is lost.", "Put back the copy that you made; nothing else helps."),  # noqa: E501
        ("It is broken.", "It is broken.", "Run `dispatcher keys check`."),
    ],
)  # fmt: skip
def test_a_sentence_is_parted_from_its_remedy(sentence: str, says: str, fix: str) -> None:
    """What is wrong and what to type stand apart, wherever the program has said both in one."""
    assert Finding(Concern.KEYS, Level.ERROR, says, fix) == broken(Concern.KEYS, sentence)


def test_letter_boxes_are_read() -> None:
    """One that cannot be read, or never was, is warned about with what to do; none at all is in order, and said."""
    at, zone = datetime(2026, 11, 23, 10, 0, tzinfo=UTC), ZoneInfo("Europe/Helsinki")
    (well,) = doctor.doors([("imap", at, None)], zone)
    assert (Level.OK, "Letter boxes read: imap up to 23.11.2026 12:00.") == (well.level, well.says)
    closed, new = doctor.doors([("imap", at, "The password is wrong."), ("twilio", None, None)], zone)
    assert "imap cannot be read: The password is wrong." == closed.says
    assert "twilio has not been read yet." == new.says
    assert [Level.WARNING] * 2 == [closed.level, new.level]
    assert [Level.OK] == [each.level for each in doctor.doors([], zone)]


def test_the_gravest_counts() -> None:
    """One error is an error, and nothing found is in order."""
    levels_of = [Finding(Concern.DISK, level, "x") for level in (Level.OK, Level.ERROR, Level.WARNING)]
    assert [Level.OK, Level.WARNING, Level.ERROR] == [worst([]), worst(levels_of[2:]), worst(levels_of)]
