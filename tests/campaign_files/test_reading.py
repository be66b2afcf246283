"""What a campaign file says, the times it may name, and the files it may be."""

import os
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from dispatcher.campaign_files import list_campaign_files, read_campaign
from dispatcher.errors import CampaignFileError
from dispatcher.rules.campaign import Audience, Campaign, Channel, Kind, Language
from tests.campaign_files.written import GOOD, HELSINKI, SAMPLES, changed, faults, read


def test_a_campaign_file_becomes_a_campaign() -> None:
    """Each key stands where the rules look for it: instants in UTC, languages as keys, the template of its kind."""
    assert Campaign(
        name="kevat",
        title="Kevään hieronta",
        kind=Kind.OFFER,
        send_at=datetime(2026, 3, 17, 8, 0, tzinfo=UTC),
        channels=(Channel.EMAIL, Channel.SMS),
        subject={Language.FI: "Kevät tulee", Language.SV: "Våren är här", Language.EN: "Spring is here"},
        template="offer",
        audience=Audience(visited_since=date(2025, 6, 1)),
        valid_until=date(2026, 4, 30),
        fields={
            "price": 49,
            "headline": {Language.FI: "Oma tunti", Language.SV: "En timme", Language.EN: "An hour"},
        },
    ) == read(GOOD)


def test_the_keys_of_a_language_table_are_languages() -> None:
    """A template asks with a Language, so the keys are that and no plain text."""
    headline = read(GOOD).fields["headline"]
    assert isinstance(headline, dict)
    assert {Language} == {type(key) for key in headline}


def test_a_file_needs_no_more_than_this() -> None:
    """Template, end date, audience and offer may be left out; a text message has no subject."""
    text = 'title = "Hoitopäivä"\nkind = "treatment_day"\nsend_at = "2.6.2026 klo 9.30"\nchannels = ["sms"]\n'
    campaign = read(text)
    assert ("treatment_day", {}, {}, None) == (
        campaign.template,
        campaign.subject,
        campaign.fields,
        campaign.valid_until,
    )
    assert (Audience(), datetime(2026, 6, 2, 6, 30, tzinfo=UTC)) == (campaign.audience, campaign.send_at)


@pytest.mark.parametrize("path", list_campaign_files(SAMPLES), ids=lambda path: path.stem)
def test_every_sample_can_be_read(path: Path) -> None:
    """The campaigns that come with the program are campaigns."""
    campaign = read_campaign(path, HELSINKI)
    assert (path.stem, set(Language)) == (campaign.name, set(campaign.subject))


def test_an_audience_of_one_language_needs_texts_in_no_other() -> None:
    """Only Finnish is needed where only Finnish is spoken."""
    text = changed("visited_since = 2025-06-01", 'languages = ["fi"]')
    text = text.replace('sv = "Våren är här"\nen = "Spring is here"\n', "").replace(
        ', sv = "En timme", en = "An hour"', ""
    )
    campaign = read(text)
    assert (frozenset({Language.FI}), {Language.FI: "Kevät tulee"}, {Language.FI: "Oma tunti"}) == (
        campaign.audience.languages,
        campaign.subject,
        campaign.fields["headline"],
    )


def test_the_finnish_subject_is_needed_in_any_case() -> None:
    """Finnish is the default: a campaign for Swedish readers alone says it in Finnish too."""
    text = changed("visited_since = 2025-06-01", 'languages = ["sv"]')
    assert ['kevat.toml:7: subject.fi: this language is missing: write fi = "..." under [subject].'] == faults(
        text.replace('fi = "Kevät tulee"\n', "").replace('en = "Spring is here"\n', "")
    )


@pytest.mark.parametrize(
    ("written", "hour"),
    [
        ("2025-10-26T03:30:00+03:00", 0),
        ("2025-10-26T03:30:00+02:00", 1),
        ('"2025-10-26T03:30:00+02:00"', 1),
        ('"2025-10-26 02:30"', -1),
    ],
)
def test_an_offset_settles_the_hour_that_happens_twice(written: str, hour: int) -> None:
    """Either of the two like hours can be meant, and is taken as written."""
    expected = datetime(2025, 10, 26, 0, 30, tzinfo=UTC).timestamp() + hour * 3600
    assert expected == read(changed("2026-03-17T10:00:00", written)).send_at.timestamp()


@pytest.mark.parametrize(
    "written",
    [
        '"17.3.2026 10:00"',
        '"17.03.2026 klo 10.00"',
        '"2026-03-17T10:00"',
        '" 2026-03-17 10:00:00 "',
        "2026-03-17 10:00:00",
    ],
)
def test_a_time_may_be_written_as_finns_write_it(written: str) -> None:
    """The same moment in five ways."""
    assert datetime(2026, 3, 17, 8, 0, tzinfo=UTC) == read(changed("2026-03-17T10:00:00", written)).send_at


def test_an_offer_may_end_on_the_day_it_is_sent() -> None:
    """The local date counts: sent at half past midnight in Finland, it is still yesterday in Greenwich."""
    text = changed("2026-03-17T10:00:00", "2026-03-17T00:30:00").replace("2026-04-30", '"17.3.2026"')
    assert date(2026, 3, 17) == read(text).valid_until


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _circle(path: Path) -> None:
    path.symlink_to(path)


@pytest.mark.parametrize(
    ("name", "make", "error"),
    [
        ("a.toml", None, "there is no such file"),
        ("a.toml", Path.mkdir, "this is a directory"),
        ("a.toml", _pipe, "this is not a file"),
        ("a.toml", _circle, "the file cannot be read"),
        ("a.txt", Path.touch, "a campaign file's name ends in .toml"),
        ("a\0.toml", None, "the file cannot be read"),
        ("a" * 300 + ".toml", None, "the file cannot be read"),
    ],
)
def test_what_cannot_be_opened_says_so(
    tmp_path: Path, name: str, make: Callable[[Path], None] | None, error: str
) -> None:
    """Missing, a directory, a pipe nobody writes into, a link in a circle: an error with the path, never a wait."""
    path = tmp_path / name
    if make:
        make(path)
    with pytest.raises(CampaignFileError) as caught:
        read_campaign(path, HELSINKI)
    assert str(caught.value).startswith(f"{path}: {error}")


def test_a_file_is_read_from_its_path(tmp_path: Path) -> None:
    """The stem names the campaign, the path the errors; Windows line ends change nothing."""
    path = tmp_path / "2026-03-kevat.toml"
    path.write_bytes(GOOD.replace("\n", "\r\n").encode())
    assert "2026-03-kevat" == read_campaign(path, HELSINKI).name
    path.write_bytes(changed("price = 49", "price = true").replace("\n", "\r\n").encode())
    with pytest.raises(CampaignFileError) as caught:
        read_campaign(path, HELSINKI)
    assert str(caught.value).startswith(f"{path}:16: offer.price: ")


def test_a_directory_lists_its_campaign_files_in_order(tmp_path: Path) -> None:
    """Only *.toml, neither hidden files nor directories."""
    for name in ("b.toml", "a.toml", ".#a.toml", "a.toml~", "a.txt"):
        (tmp_path / name).touch()
    (tmp_path / "c.toml").mkdir()
    assert (tmp_path / "a.toml", tmp_path / "b.toml") == list_campaign_files(tmp_path)


def test_a_directory_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    """An owner in the wrong directory is told so, rather than that there are no campaigns."""
    with pytest.raises(CampaignFileError, match="there is no such directory"):
        list_campaign_files(tmp_path / "nowhere")
