"""The invented studio: the same one every time, messy in every way that was promised, and nobody's real data."""

import csv
import io
import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import phonenumbers
import pytest

from dispatcher.demo.export import BROKEN, COLUMNS, DUPLICATES, PHONE_STYLES, UNREAD
from dispatcher.demo.people import LEAVERS, Role
from dispatcher.demo.sample import Sample, sample, settings_text
from dispatcher.register_files import (
    DEFAULT_COLUMNS,
    AnswerColumn,
    RegisterMap,
    RegisterRow,
    RejectedRow,
    open_register,
)
from dispatcher.rules.address import canonical_number
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.consent import Reply
from dispatcher.settings import Settings, read_settings

ZONE = ZoneInfo("Europe/Helsinki")
IMPORTED = datetime(2026, 2, 1, 10, tzinfo=UTC)


@pytest.fixture(name="studio", scope="module")
def make_sample() -> Sample:
    """Give the sample."""
    return sample()


@pytest.fixture(name="february", scope="module")
def february_cells(studio: Sample) -> list[dict[str, str]]:
    """Give the cells of February's export as they stand in the file."""
    return list(csv.DictReader(io.StringIO(studio.february.decode("cp1252"), newline=""), delimiter=";"))


@pytest.fixture(name="read", scope="module")
def read_february(studio: Sample, tmp_path_factory: pytest.TempPathFactory) -> list[RegisterRow | RejectedRow]:
    """Give February's rows as the program reads them."""
    path = tmp_path_factory.mktemp("sample") / "february.csv"
    path.write_bytes(studio.february)
    answers = tuple(
        AnswerColumn(column, (channel,), None, "?", "lupa annettu", place_column="lupa kysytty")
        for column, channel in (("markkinointilupa", Channel.EMAIL), ("tekstiviestilupa", Channel.SMS))
    )
    return list(open_register(path, RegisterMap(DEFAULT_COLUMNS, answers, ZONE), IMPORTED).rows())


def test_the_sample_is_the_same_every_time(studio: Sample) -> None:
    """Every run has the same people and the same bytes, so that every run has the same figures."""
    assert studio == sample()


def test_there_are_500_clients(studio: Sample, february: list[dict[str, str]]) -> None:
    """The export has a row for each of 500 people, and besides them repeated and broken ones."""
    assert 500 == len(studio.people)
    assert 500 + DUPLICATES + BROKEN == len(february)


def test_what_must_happen_covers_everybody(studio: Sample) -> None:
    """Each of the 500 either is to get a message or has a reason, in both campaigns, for more than six reasons."""
    for expected in (studio.first_campaign(), studio.second_campaign()):
        assert 500 == expected.planned + expected.withheld.total()
        assert len(expected.withheld) >= 8
    first = studio.first_campaign()
    assert (300, 60, 140) == (len(first.emails), len(first.numbers), first.withheld.total())


def test_the_two_exports_are_encoded_unlike(studio: Sample) -> None:
    """February's export is Windows-1252, which has no letter č, and March's is UTF-8 with a mark, which has."""
    with pytest.raises(UnicodeDecodeError):
        studio.february.decode("utf-8")
    assert "?áhcesuolu" in studio.february.decode("cp1252")
    assert "Čáhcesuolu" in studio.march.decode("utf-8-sig")
    assert b"\xef\xbb\xbf" == studio.march[:3]


def test_every_way_to_write_a_number_is_in_the_export(studio: Sample, february: list[dict[str, str]]) -> None:
    """A number is written in eleven ways, with lost zeros and as an amount; landlines and none at all occur too."""
    cells = {row["puhelin"] for row in february}
    mobiles = [person.mobile.removeprefix("+358") for person in studio.people if person.mobile]
    unused = [name for name, style in PHONE_STYLES.items() if not cells & {style(mobile) for mobile in mobiles}]
    assert [] == unused
    assert {"", "-", "016 555 0123"} <= cells


def test_a_number_means_the_same_in_every_style(studio: Sample, read: list[RegisterRow | RejectedRow]) -> None:
    """S-08: however a mobile number is written, the program reads the number the person has."""
    numbers = {row.phone for row in read if isinstance(row, RegisterRow) and row.phone}
    assert {person.mobile for person in studio.people if person.mobile} == numbers


def test_the_export_has_each_kind_of_answer(read: list[RegisterRow | RejectedRow]) -> None:
    """There is a yes, a no, nothing, a yes without a time, a yes without a place, and a yes older than 365 days."""
    answers = [answer for row in read if isinstance(row, RegisterRow) for answer in row.answers]
    yeses = [answer for answer in answers if answer.reply is Reply.GRANTED]
    assert {Reply.GRANTED, Reply.DECLINED, Reply.NOT_ASKED} == {answer.reply for answer in answers}
    assert any(answer.not_before is None for answer in yeses)
    assert any(answer.place is None for answer in yeses)
    assert any(answer.not_before and (IMPORTED - answer.not_before).days > 365 for answer in yeses)


def test_some_clients_object_beside_their_yes(february: list[dict[str, str]]) -> None:
    """A ban stands beside a yes in six rows at least, so that the order of answers matters."""
    banned = [row for row in february if row["suoramarkkinointikielto"] in {"x", "kyllä"}]
    yes = {"kyllä", "k", "x", "joo", "1"}
    assert 16 == len({(row["etunimi"], row["sukunimi"]) for row in banned}), "one of them may stand twice"
    assert sum(row["markkinointilupa"].casefold() in yes for row in banned) >= 6


def test_some_clients_share_an_inbox(studio: Sample) -> None:
    """Four inboxes are read by two customers each; everybody else has an address of their own."""
    counts = Counter(person.email for person in studio.people if person.email)
    assert [2, 2, 2, 2] == [count for count in counts.values() if count > 1]


def test_the_broken_rows_try_to_inject(february: list[dict[str, str]]) -> None:
    """E-25: a formula, a line end with a header, and an encoded word are among the names."""
    names = {row["etunimi"] for row in february}
    assert any(name.startswith("=HYPERLINK(") for name in names)
    assert any("\r\nBcc:" in name for name in names)
    assert any("=?utf-8?q?" in name for name in names)


def test_health_is_in_the_export_to_be_left_out(february: list[dict[str, str]]) -> None:
    """L-43: treatments and notes fill columns that the program knows no name for."""
    assert ("hoito", "hoitaja", "muistiinpanot", "saldo") == UNREAD
    assert not set(UNREAD) & DEFAULT_COLUMNS.keys()
    assert all(any(row[column] for row in february) for column in UNREAD)


def test_march_still_says_yes_for_those_who_left(studio: Sample) -> None:
    """The booking system does not know who left: its next export has an unchanged yes for all three."""
    rows = csv.DictReader(io.StringIO(studio.march.decode("utf-8-sig"), newline=""), delimiter=";")
    by_name = {f"{row['etunimi']} {row['sukunimi']}": row for row in rows}
    for role in LEAVERS:
        row = by_name[studio.played(role).name]
        assert {row["markkinointilupa"].casefold(), row["tekstiviestilupa"].casefold()} & {
            *("kyllä", "k", "x", "joo", "1"),
        }


def test_each_part_has_its_player(studio: Sample) -> None:
    """Every part of the story is played by one of the 500, and three languages leave."""
    assert sorted(Role) == sorted(person.role for person in studio.people if person.role)
    assert {*Language} == {studio.played(role).language for role in LEAVERS}


def test_nobody_is_real(studio: Sample) -> None:
    """Addresses end in .example; numbers begin with three zeros or are of the range that Sweden keeps for fiction."""
    text = studio.march.decode("utf-8-sig")
    domains = {domain.casefold() for domain in re.findall(r"@([\w.-]+)", text)}
    assert [] == [domain for domain in domains if not domain.endswith("example")]
    for person in studio.people:
        assert person.mobile is None or re.fullmatch(r"\+358\d\d000\d{4}|\+4670174(06|07)?\d+", person.mobile)
        assert person.mobile is None or person.mobile == canonical_number(person.mobile)


def test_the_settings_are_valid_and_stay_here(tmp_path: Path) -> None:
    """The studio's settings are read without fault, and neither mail nor text messages leave the machine by them."""
    text = settings_text(
        public_url="http://127.0.0.1:8026", web_port=8026, smtp_port=2525, twilio_url="http://127.0.0.1:2526"
    )
    (tmp_path / "dispatcher.toml").write_text(text, encoding="utf-8")
    settings: Settings = read_settings(tmp_path)
    assert settings.email.stays_here
    assert settings.sms.stays_here
    assert settings.studio.email.endswith(".example")


def test_the_business_id_is_nobodys() -> None:
    """The business id cannot have been given out: its check digit does not belong to its other digits."""
    text = settings_text(public_url="http://127.0.0.1:1", web_port=1, smtp_port=1, twilio_url="http://127.0.0.1:2")
    found = re.search(r'business_id = "(\d{7})-(\d)"', text)
    assert found
    remainder = sum(int(digit) * weight for digit, weight in zip(found[1], (7, 9, 10, 5, 8, 4, 2), strict=True)) % 11
    assert found[2] != str(11 - remainder if remainder > 1 else 0)


def test_the_columns_are_those_of_a_finnish_booking_system(february: list[dict[str, str]]) -> None:
    """The header has the names such systems use."""
    assert list(COLUMNS) == [column for column in february[0] if column]
    assert {"etunimi", "sukunimi", "sähköposti", "puhelin", "kieli", "viimeisin käynti", "markkinointilupa"} < {
        *COLUMNS
    }


def test_landlines_take_no_text_messages() -> None:
    """The landlines in the export are valid numbers of the plan, so that it is their kind that is refused."""
    number = phonenumbers.parse("016 555 0123", "FI")
    assert phonenumbers.is_valid_number(number)
    assert phonenumbers.PhoneNumberType.FIXED_LINE == phonenumbers.number_type(number)
