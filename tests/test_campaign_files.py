"""What a campaign file may say, and where and why anything else is refused."""

import os
import tomllib
from collections.abc import Callable
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dispatcher.campaign_files import list_campaign_files, parse_campaign, read_campaign
from dispatcher.campaign_files.lines import key_lines, line_of
from dispatcher.errors import CampaignFileError
from dispatcher.rules.campaign import Audience, Campaign, Channel, Kind, Language

HELSINKI = ZoneInfo("Europe/Helsinki")
SAMPLES = Path(__file__).parents[1] / "campaigns"
GOOD = """\
title = "Kevään hieronta"
kind = "offer"
send_at = 2026-03-17T10:00:00
channels = ["email", "sms"]
valid_until = 2026-04-30

[subject]
fi = "Kevät tulee"
sv = "Våren är här"
en = "Spring is here"

[audience]
visited_since = 2025-06-01

[offer]
price = 49
headline = { fi = "Oma tunti", sv = "En timme", en = "An hour" }
"""


def _read(text: str | bytes, name: str = "kevat") -> Campaign:
    content = text.encode() if isinstance(text, str) else text
    return parse_campaign(content, name, "kevat.toml", HELSINKI)


def _faults(text: str | bytes, name: str = "kevat") -> list[str]:
    with pytest.raises(CampaignFileError) as caught:
        _read(text, name)
    return str(caught.value).split("\n")


def _with(old: str, new: str) -> str:
    assert 1 == GOOD.count(old)
    return GOOD.replace(old, new)


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
    ) == _read(GOOD)


def test_the_keys_of_a_language_table_are_languages() -> None:
    """A template asks with a Language, so the keys are that and no plain text."""
    headline = _read(GOOD).fields["headline"]
    assert isinstance(headline, dict)
    assert {Language} == {type(key) for key in headline}


def test_a_file_needs_no_more_than_this() -> None:
    """Template, end date, audience and offer may be left out; a text message has no subject."""
    text = 'title = "Hoitopäivä"\nkind = "treatment_day"\nsend_at = "2.6.2026 klo 9.30"\nchannels = ["sms"]\n'
    campaign = _read(text)
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


# --- what is refused --------------------------------------------------------------------------------------------------

_MISSING = "this key is missing: write it above the first [table]."
_NOT_EMPTY = "the list is empty: name at least one, or leave the key out where it may be."
_ONE_LINE = "write it on one line, without tabs or other control characters."
_DATE = "write a date without an hour, as 2026-04-30."
_HEALTH = (
    "an audience is divided by languages, visited_since and visited_until only, never by treatment or health: "
    "the privacy notice promises it."
)
_PLAIN = 'write a text, a number, a date, or a text per language: { fi = "...", sv = "...", en = "..." }.'
_NAME = "a template cannot name it so: write letters, digits and underscores, a letter first."
_PER_LANGUAGE = "a text is given per language, and the languages are fi, sv and en."
_NARROW = "name other languages under [audience]."

REFUSED: dict[str, tuple[str, str, str]] = {
    # what: the line of GOOD that is replaced, by what, and the whole error
    "no title": ('title = "Kevään hieronta"\n', "", f"1: title: {_MISSING}"),
    "an empty title": ('"Kevään hieronta"', '" "', "1: title: write something between the quotes."),
    "a title of two lines": ('"Kevään hieronta"', '"a\\nb"', f"1: title: {_ONE_LINE}"),
    "a title that is a number": ('"Kevään hieronta"', "5", "1: title: write a text between quotes."),
    "a long title": (
        '"Kevään hieronta"',
        f'"{"a" * 151}"',
        "1: title: 151 characters are too many: write 150 at most.",
    ),
    "another kind": ('"offer"', '"newsletter"', '2: kind: write "offer" or "treatment_day".'),
    "another channel": ('"sms"', '"fax"', '4: channels: write "email" or "sms".'),
    "a channel further down": ('"email", "sms"', '\n"email",\n"fax"\n', '6: channels: write "email" or "sms".'),
    "a channel twice": ('"email", "sms"', '"sms", "sms"', "4: channels: name each of them once."),
    "no channel": ('["email", "sms"]', "[]", f"4: channels: {_NOT_EMPTY}"),
    "channels without a list": (
        '["email", "sms"]',
        '"email"',
        '4: channels: write a list in square brackets, as ["email", "sms"] or ["fi", "sv"].',
    ),
    "an hour that does not exist": (
        "2026-03-17T10:00:00",
        "2026-03-29T03:30:00",
        "3: send_at: 2026-03-29 03:30 does not exist: the clocks go forward that night. Write 04:00 or later.",
    ),
    "an hour that happens twice": (
        "2026-03-17T10:00:00\n",
        "2025-10-26T03:30:00\n",
        (
            "3: send_at: 2025-10-26 03:30 happens twice: the clocks go back that night. "
            "Write 2025-10-26T03:30:00+03:00 or 2025-10-26T03:30:00+02:00."
        ),
    ),
    "an offset nobody needs": (
        "2026-03-17T10:00:00",
        "2026-03-17T08:00:00Z",
        (
            "3: send_at: write the local time without an offset, 2026-03-17T08:00:00: "
            "an offset only tells apart the hour that happens twice in autumn."
        ),
    ),
    "an offset of another country": (
        "2026-03-17T10:00:00",
        "2025-10-26T03:30:00+05:00",
        (
            "3: send_at: 2025-10-26 03:30 happens twice: the clocks go back that night. "
            "Write 2025-10-26T03:30:00+03:00 or 2025-10-26T03:30:00+02:00."
        ),
    ),
    "a day without an hour": (
        "2026-03-17T10:00:00",
        "2026-03-17",
        '3: send_at: write the local day and hour, as 2026-03-17T10:00:00 or "17.3.2026 10:00".',
    ),
    "words for a time": (
        "2026-03-17T10:00:00",
        '"ensi tiistaina"',
        '3: send_at: write the local day and hour, as 2026-03-17T10:00:00 or "17.3.2026 10:00".',
    ),
    "a day that does not exist": (
        "2026-03-17T10:00:00",
        '"31.2.2026 10:00"',
        "3: send_at: there is no such day or hour (day is out of range for month).",
    ),
    "the beginning of time": (
        "2026-03-17T10:00:00",
        "0001-01-01T00:00:00",
        "3: send_at: the year 1 cannot be meant: write one from 2000 to 2199.",
    ),
    "an end before the sending": (
        "2026-04-30",
        "2026-03-16",
        "5: valid_until: the offer would end before it is sent: write 2026-03-17 or a later date.",
    ),
    "holidays without a reason": (
        'kind = "offer"\n',
        'kind = "offer"\nopen_on_holidays = true\n',
        '3: open_on_holidays: write why, between quotes, as in "Open doors on Epiphany".',
    ),
    "an end with an hour": ("2026-04-30", "2026-04-30T12:00:00", f"5: valid_until: {_DATE}"),
    "a template elsewhere": (
        'kind = "offer"\n',
        'kind = "offer"\ntemplate = "../secret"\n',
        "3: template: write the name of a template: lower-case letters, digits, hyphens and underscores.",
    ),
    "a misspelt key": (
        "valid_until",
        "valid_untill",
        "5: valid_untill: there is no such key: did you mean valid_until.",
    ),
    "a key nobody knows": (
        'kind = "offer"\n',
        'kind = "offer"\ndiscount = 5\n',
        (
            "3: discount: there is no such key: write channels, kind, open_on_holidays, send_at, template, title, "
            "valid_until, [subject], [audience] or [offer]; texts and numbers of the offer itself stand under [offer]."
        ),
    ),
    "a key in the wrong table": (
        'en = "Spring is here"\n',
        'en = "Spring is here"\ntemplate = "offer"\n',
        "11: subject.template: this key belongs above the first [table], not into [subject].",
    ),
    "no Finnish subject": (
        'fi = "Kevät tulee"\n',
        "",
        '7: subject.fi: this language is missing: write fi = "..." under [subject].',
    ),
    "no Swedish subject": (
        'sv = "Våren är här"\n',
        "",
        f'7: subject.sv: this language is missing: write sv = "..." under [subject], or {_NARROW}',
    ),
    "an empty subject": ('"Våren är här"', '""', "9: subject.sv: write something between the quotes."),
    "a subject of two lines": ('"Våren är här"', '"a\\r\\nBcc: x"', f"9: subject.sv: {_ONE_LINE}"),
    "a subject with a hidden line end": ('"Våren är här"', '"a\\u2028b"', f"9: subject.sv: {_ONE_LINE}"),
    "a subject in Norwegian": ('sv = "V', 'nb = "x"\nsv = "V', f"9: subject.nb: {_PER_LANGUAGE}"),
    "an audience by treatment": ("visited_since", "treatment", f"13: audience.treatment: {_HEALTH}"),
    "an audience by service": ("visited_since = 2025-06-01", 'service = "lymfa"', f"13: audience.service: {_HEALTH}"),
    "an audience by notes": ("visited_since = 2025-06-01", "notes.back = 1", f"13: audience.notes: {_HEALTH}"),
    "an audience in German": (
        "visited_since = 2025-06-01",
        'languages = ["de"]',
        '13: audience.languages: write "fi" or "sv" or "en".',
    ),
    "an audience in no language": (
        "visited_since = 2025-06-01",
        "languages = []",
        f"13: audience.languages: {_NOT_EMPTY}",
    ),
    "an audience that visited backwards": (
        "visited_since = 2025-06-01\n",
        "visited_since = 2025-06-01\nvisited_until = 2025-05-31\n",
        (
            "14: audience.visited_until: nobody visited since 2025-06-01 and until 2025-05-31: "
            "write a date not before 2025-06-01."
        ),
    ),
    "a field no template can name": ("price = 49", '"1 price" = 49', f"16: offer.1 price: {_NAME}"),
    "a field with a hyphen": ("price = 49", "old-price = 49", f"16: offer.old-price: {_NAME}"),
    "a field that hides": ("price = 49", "__class__ = 49", f"16: offer.__class__: {_NAME}"),
    "a field of yes or no": ("price = 49", "price = true", f"16: offer.price: {_PLAIN}"),
    "a list": ("price = 49", "price = [49]", f"16: offer.price: {_PLAIN}"),
    "a day with an hour": ("price = 49", "day = 2026-04-25T10:00:00", f"16: offer.day: {_PLAIN}"),
    "no number": (
        "price = 49",
        "price = nan",
        "16: offer.price: write a number up to 1000000, or a text between quotes.",
    ),
    "a vast number": (
        "price = 49",
        f"price = {'9' * 400}",
        "16: offer.price: write a number up to 1000000, or a text between quotes.",
    ),
    "a bell in a text": (
        "price = 49",
        'price = "a\\u0007"',
        "16: offer.price: it holds the invisible character U+0007: take it out.",
    ),
    "a field in German": ('sv = "En timme"', 'sv = "En timme", de = "x"', f"17: offer.headline.de: {_PER_LANGUAGE}"),
    "a field without Swedish": (
        ', sv = "En timme"',
        "",
        f'17: offer.headline.sv: this language is missing: write sv = "...", or {_NARROW}',
    ),
    "a number for a language": ('"En timme"', "1", "17: offer.headline.sv: write a text between quotes."),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_says_where_and_what_is_allowed(case: str) -> None:
    """Each fault is one line: file, line, key, and a sentence that says what to write."""
    old, new, error = REFUSED[case]
    assert [f"kevat.toml:{error}"] == _faults(_with(old, new))


@pytest.mark.parametrize(
    ("text", "errors"),
    [
        ("", ["1: file: the file is empty: copy another campaign's and change it."]),
        (" \n\t\r\n", ["1: file: the file is empty: copy another campaign's and change it."]),
        (b"\xef\xbb\xbf" + GOOD.encode(), ["1: file: the file begins with a byte order mark"]),
        (GOOD.encode("utf-16"), ["1: file: the file begins with a byte order mark"]),
        (GOOD.encode("utf-16-le"), ["1: file: there is a NUL byte here, so this is no text: save the file as UTF-8."]),
        (GOOD.encode() + b"a = 1\0", ["18: file: there is a NUL byte here"]),
        (GOOD.encode("cp1252"), ["1: file: this is not UTF-8: save the file in that encoding."]),
        (b"# " + b"x" * 300_000, ["1: file: the file is larger than 256 kB, which no campaign needs."]),
        (GOOD + 'title = "a', ["18: title: the quotation mark that closes the text is missing."]),
        (_with("price = 49", "price = 49 €"), ["16: price: Expected newline or end of document after a statement; "]),
        (_with("price = 49", "price = 49\nprice = 50"), ["17: price: this is written twice: keep one of them."]),
        (_with("[audience]", "[subject]"), ["12: [subject]: this table is written twice: keep one of them."]),
        (_with('"Kevät tulee"', '"Kevät'), ["8: fi: a text must not hold"]),
        (_with("2026-04-30", "2026-02-30"), ["5: valid_until: there is no such day or hour."]),
        (_with("price = 49", f"price = {'9' * 5000}"), ["16: price: this number is too long; "]),
        ("# a\na" + ".'b'" * 60_000 + " = 1", ["2: file: this key has too many parts: a campaign's has three."]),
        (f"# a\n\n[[ a{' . a' * 40} ]]", ["3: file: this key has too many parts: a campaign's has three."]),
        ("a = " + "[" * 20_000, ["1: file: lists or tables stand too deep inside each other"]),
        ("subject = 1\naudience = 'a'\n[[offer]]\na = 1\n", ["1: channels: ", "1: kind: ", "1: send_at: "]),
    ],
)
def test_what_is_no_campaign_at_all_is_refused_in_words(text: str | bytes, errors: list[str]) -> None:
    """Encodings, marks, NUL, emptiness and syntax: tomllib's own line, the key on it, and what to do."""
    found = _faults(text)
    assert all(error.startswith(f"kevat.toml:{wanted}") for wanted, error in zip(errors, found, strict=False))
    assert len(found) >= len(errors)
    assert all(error.endswith(".") for error in found)


def test_a_table_that_is_none_is_named() -> None:
    """A value where a table must stand, and a list of tables, each say how a table is written."""
    found = _faults("subject = 1\naudience = 'a'\n[[offer]]\na = 1\n")
    for line, key in ((1, "subject"), (2, "audience"), (3, "offer")):
        wanted = f"kevat.toml:{line}: {key}: write a table: [{key}] on a line of its own, its keys below it."
        assert wanted in found


def test_every_fault_of_a_file_is_reported_at_once_in_its_order() -> None:
    """The owner corrects a file once: nothing wrong hides behind something else."""
    text = """\
kind = "ofer"
send_at = 2026-03-17T10:00:00
channels = ["email"]
valid_until = 2026-03-01
[subject]
fi = "a\\tb"
[audience]
notes = "selkä"
[offer]
"a b" = 1
text = \"\"\"
rivi
toinen\"\"\"
headline = { fi = "x", de = "y" }
"""
    found = [error.split(": ")[:2] for error in _faults(text, "Kevät")]
    assert [
        ["kevat.toml:1", "file name"],
        ["kevat.toml:1", "kind"],
        ["kevat.toml:1", "title"],
        ["kevat.toml:4", "valid_until"],
        ["kevat.toml:5", "subject.en"],
        ["kevat.toml:5", "subject.sv"],
        ["kevat.toml:6", "subject.fi"],
        ["kevat.toml:8", "audience.notes"],
        ["kevat.toml:10", "offer.a b"],
        ["kevat.toml:14", "offer.headline.de"],
        ["kevat.toml:14", "offer.headline.en"],
        ["kevat.toml:14", "offer.headline.sv"],
    ] == found


@pytest.mark.parametrize("name", ["Kevat", "kevät", "a b", "a_b", "", "-a", "a-", "a--b", "a.b", "../a", "a\n"])
def test_a_file_is_named_in_plain_letters(name: str) -> None:
    """The name of a campaign is its file's: lower-case letters, digits and hyphens."""
    (error,) = _faults(GOOD, name)
    assert error.startswith(f"kevat.toml:1: file name: {name!a} cannot name a campaign: use lower-case letters, digits")


def test_an_error_names_the_file_by_its_label() -> None:
    """Frozen bytes are no file any more, and are called what they are."""
    with pytest.raises(CampaignFileError, match=r"^kevat\.toml \(frozen\):1: file: "):
        parse_campaign(b"\xff", "kevat", "kevat.toml (frozen)", HELSINKI)


# --- languages and times ----------------------------------------------------------------------------------------------


def test_an_audience_of_one_language_needs_texts_in_no_other() -> None:
    """Only Finnish is needed where only Finnish is spoken."""
    text = _with("visited_since = 2025-06-01", 'languages = ["fi"]')
    text = text.replace('sv = "Våren är här"\nen = "Spring is here"\n', "").replace(
        ', sv = "En timme", en = "An hour"', ""
    )
    campaign = _read(text)
    assert (frozenset({Language.FI}), {Language.FI: "Kevät tulee"}, {Language.FI: "Oma tunti"}) == (
        campaign.audience.languages,
        campaign.subject,
        campaign.fields["headline"],
    )


def test_the_finnish_subject_is_needed_in_any_case() -> None:
    """Finnish is the default: a campaign for Swedish readers alone says it in Finnish too."""
    text = _with("visited_since = 2025-06-01", 'languages = ["sv"]')
    assert ['kevat.toml:7: subject.fi: this language is missing: write fi = "..." under [subject].'] == _faults(
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
    assert expected == _read(_with("2026-03-17T10:00:00", written)).send_at.timestamp()


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
    assert datetime(2026, 3, 17, 8, 0, tzinfo=UTC) == _read(_with("2026-03-17T10:00:00", written)).send_at


def test_an_offer_may_end_on_the_day_it_is_sent() -> None:
    """The local date counts: sent at half past midnight in Finland, it is still yesterday in Greenwich."""
    text = _with("2026-03-17T10:00:00", "2026-03-17T00:30:00").replace("2026-04-30", '"17.3.2026"')
    assert date(2026, 3, 17) == _read(text).valid_until


# --- files ------------------------------------------------------------------------------------------------------------


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
    path.write_bytes(_with("price = 49", "price = true").replace("\n", "\r\n").encode())
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


# --- lines ------------------------------------------------------------------------------------------------------------

WINDING = '''\
# [not.a.table]
title = "a # b" # c
text = """
[fake]
fake = 1 ""\\"""" # and a last quotation mark inside

'single \\' = 1
"quoted.key" . 'x y'.z = { a = 1, "b c" = [ { d = 1 }, # ] }
  2 ], e . f = {} } # inline
list = [
  "]", # [
  \'\'\'
]
\'\'\',
  [ 1,
    2 ]
]
[ table . "sub table" ]
k = 1979-05-27 07:32:00
"ke\\u0079" = 1
[[many]]
x = 1
[[many]]
y = \'\'\'a\'\'\'
'''


def test_every_way_to_write_a_key_is_found_on_its_line() -> None:
    """Strings of four kinds, comments, dotted and quoted keys, lists and inline tables over several lines."""
    lines = key_lines(WINDING)
    assert tomllib.loads(WINDING)
    assert {
        ("title",): 2,
        ("text",): 3,
        ("single \\",): 7,
        ("quoted.key",): 8,
        ("quoted.key", "x y"): 8,
        ("quoted.key", "x y", "z"): 8,
        ("quoted.key", "x y", "z", "a"): 8,
        ("quoted.key", "x y", "z", "b c"): 8,
        ("quoted.key", "x y", "z", "e"): 9,
        ("list",): 10,
        ("list", 0): 11,
        ("list", 1): 12,
        ("list", 2): 15,
        ("list", 2, 0): 15,
        ("list", 2, 1): 16,
        ("table",): 18,
        ("table", "sub table"): 18,
        ("table", "sub table", "k"): 19,
        ("table", "sub table", "key"): 20,
        ("many",): 21,
        ("many", "x"): 22,
        ("many", "y"): 24,
    } == dict(lines)


def test_what_is_not_written_is_found_by_what_holds_it() -> None:
    """A missing key is reported at its table, and at the top where there is none."""
    lines: dict[tuple[str | int, ...], int] = {("a",): 3, ("a", "b"): 5}
    assert [5, 3, 1] == [line_of(path, lines) for path in (("a", "b", "c"), ("a", "x"), ("z",))]


# --- anything at all --------------------------------------------------------------------------------------------------

_visible = st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"])
_lines = st.text(_visible, min_size=1, max_size=150).filter(str.strip)
_texts = st.text(st.one_of(_visible, st.sampled_from("\n\t\"'\\#[]{}=")), max_size=80)
_dates = st.dates(date(2000, 1, 1), date(2199, 12, 31))
_moments = st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1)).map(  # noqa: DTZ001 - wall-clock times
    lambda moment: moment.replace(hour=max(moment.hour, 5), second=0, microsecond=0)
)
_names = st.from_regex(r"[a-zäö][a-z0-9_åÄ]{0,12}", fullmatch=True)
_numbers = st.one_of(st.integers(-1_000_000, 1_000_000), st.floats(-1_000_000, 1_000_000))
_languages = st.sampled_from([(), ("fi",), ("sv",), ("sv", "en"), ("en", "fi", "sv")])


def _basic(text: str) -> str:
    return '"' + "".join(c if c.isalnum() else f"\\U{ord(c):08X}" for c in text) + '"'


def _tall(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"""\n{escaped}"""'


_quotings = st.sampled_from([_basic, _tall])


@st.composite
def _campaigns(draw: st.DrawFn) -> tuple[str, Campaign]:
    """Draw a campaign together with one of the many ways to write it down."""
    languages = draw(_languages)
    spoken = {Language(language) for language in languages or Language}
    subject = {language: draw(_lines) for language in sorted(spoken | {Language.FI})}
    plain = draw(st.dictionaries(_names, st.one_of(_texts, _numbers, _dates), max_size=4))
    worded = {
        name: {language: draw(_texts) for language in sorted(spoken)}
        for name in draw(st.lists(_names, max_size=3))
        if name not in plain
    }
    local = draw(_moments)
    valid_until = draw(st.none() | st.dates(local.date(), date(2031, 1, 1)))
    title, kind = draw(_lines), draw(st.sampled_from(Kind))
    channels = draw(st.sampled_from([(Channel.EMAIL,), (Channel.SMS, Channel.EMAIL)]))
    quoted = draw(_quotings)

    def written(value: object) -> str:
        if isinstance(value, str):
            return quoted(value)
        return value.isoformat() if isinstance(value, date) else repr(value)

    top = [
        f"title = {_basic(title)}",
        f"kind = '{kind}'",
        f"send_at = {local.isoformat()}",
        f"channels = [{', '.join(_basic(channel) for channel in channels)},]",
        *([f"valid_until = {valid_until}"] if valid_until else []),
    ]
    tables = [
        ["[subject]", *(f"{language} = {_basic(text)}" for language, text in subject.items())],
        ["['audience'] # whom", f"languages = {list(map(str, languages))}" if languages else "# everybody"],
        [
            "[offer]",
            *(f"{_basic(name)} = {written(value)}" for name, value in plain.items()),
            *(
                f"{_basic(name)} . {key} = {quoted(text)}"
                for name, texts in worded.items()
                for key, text in texts.items()
            ),
        ],
    ]
    parts = [*draw(st.permutations(top)), *(line for table in draw(st.permutations(tables)) for line in table)]
    campaign = Campaign(
        name="kevat",
        title=title,
        kind=kind,
        send_at=local.replace(tzinfo=HELSINKI).astimezone(UTC),
        channels=channels,
        subject=subject,
        template=kind.value,
        audience=Audience(frozenset(Language(language) for language in languages)),
        valid_until=valid_until,
        fields={**plain, **worded},
    )
    return "\n".join(parts) + "\n", campaign


@given(_campaigns())
def test_a_campaign_written_down_reads_the_same(drawn: tuple[str, Campaign]) -> None:
    """However it is quoted, ordered and spaced, a campaign is what was written."""
    text, campaign = drawn
    assert campaign == _read(text)


@given(_campaigns())
def test_every_key_of_a_campaign_is_found_on_its_own_line(drawn: tuple[str, Campaign]) -> None:
    """Each key of the file, however it is written, has a line, and the keys of one table stand in their order."""
    text, campaign = drawn
    lines = key_lines(text)
    rows = text.split("\n")
    for name, value in campaign.fields.items():
        paths = [("offer", name, key.value) for key in value] if isinstance(value, dict) else [("offer", name)]
        found = [lines[path] for path in paths]
        assert all(before < after for before, after in pairwise(found))
        assert all(rows[line - 1].startswith(_basic(name)) for line in found)
    for key in ("title", "kind", "send_at", "channels"):
        assert rows[lines[key,] - 1].startswith(f"{key} = ")


def _faults_in(content: bytes) -> list[str]:
    """Return what is wrong with any bytes, one fault a line; nothing may be raised but the error."""
    try:
        _read(content)
    except CampaignFileError as error:
        return str(error).split("\n")
    return []


def _never_more_than_an_error(content: bytes) -> None:
    faults, last = _faults_in(content), content.count(b"\n") + 1
    assert all(fault.startswith("kevat.toml:") for fault in faults)
    assert all(1 <= int(fault.split(":")[1]) <= last for fault in faults)


_BITS = [
    b"\n",
    b"=",
    b"[",
    b"]",
    b"{",
    b"}",
    b'"',
    b"'''",
    b'"""',
    b"#",
    b",",
    b".",
    b"\\",
    b"nan",
    b"\xe4",
    b"1",
    b"\r\n",
]


@given(st.one_of(st.binary(max_size=200), st.lists(st.sampled_from(_BITS), max_size=60).map(b"".join)))
@example(b"a=" + b"{a=" * 3000)
@example(b"offer=" + b"[" * 300 + b"]" * 300)
@example(b"offer.a" + b".a" * 5000 + b"=1")
@example(b"send_at = 9999-12-31T23:59:59.999999-23:59")
@example(b'"\\uD800" = 1')
def test_garbage_never_raises_anything_but_the_error(content: bytes) -> None:
    """No bytes whatever make a traceback, and every error names the file and a line that it has."""
    _never_more_than_an_error(content)


@given(st.data())
def test_a_damaged_campaign_never_raises_anything_but_the_error(data: st.DataObject) -> None:
    """Bytes cut out of a good file, and others put in, make an error in words or another good file."""
    content = data.draw(_campaigns())[0].encode()
    start = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(start, min(len(content), start + 20)))
    middle = data.draw(st.one_of(st.binary(max_size=6), st.sampled_from(_BITS)))
    _never_more_than_an_error(content[:start] + middle + content[end:])


@given(st.data())
def test_a_key_of_any_other_type_is_an_error_of_that_key(data: st.DataObject) -> None:
    """Whatever stands in place of a value, the error, if there is one, names its line."""
    row = data.draw(st.sampled_from([row for row in GOOD.split("\n") if " = " in row]))
    value = data.draw(
        st.sampled_from(
            ["1", "1.5", "true", "[]", "{}", "[[1]]", "{a = 1}", "2026-01-01", "10:00:00", "inf", "''", "[{}]"]
        )
    )
    text = GOOD.replace(row, f"{row.partition(' = ')[0]} = {value}")
    number = GOOD.split("\n").index(row) + 1
    assert {fault.split(":")[1] for fault in _faults_in(text.encode())} <= {str(number)}
