"""Where and why a campaign file is refused, and what to write instead."""

import pytest

from dispatcher.campaign_files import parse_campaign
from dispatcher.errors import CampaignFileError
from tests.campaign_files.written import GOOD, HELSINKI, changed, faults

_MISSING = "this key is missing: write it above the first [table]."
_NOT_EMPTY = "the list is empty: name at least one, or leave the key out where it may be."
_ONE_LINE = "write it on one line, without tabs or other control characters."
_DATE = "write a date without an hour, as 2026-04-30."
_HEALTH = (
    "an audience is divided by languages, visited_since and visited_until only, never by treatment or health: "
    "the privacy notice promises it."
)
_PLAIN = 'write a text, a number, a date, a time, or a text per language: { fi = "...", sv = "...", en = "..." }.'
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
            "3: discount: there is no such key: write channels, keep_signs, kind, most_parts, "
            "open_on_holidays, send_at, template, title, valid_until, [subject], [audience] or [offer]; "
            "texts and numbers of the offer itself stand under [offer]."
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
    "a time on the second": (
        "price = 49",
        "start = 10:00:30",
        "16: offer.start: nobody comes on the second: write 10:00:00.",
    ),
    "hours that end before they begin": (
        "price = 49",
        "hours = [17:00:00, 10:00:00]",
        "16: offer.hours: write two times, the earlier first, as [10:00:00, 17:00:00].",
    ),
    "one hour only": (
        "price = 49",
        "hours = [17:00:00]",
        "16: offer.hours: write two times, the earlier first, as [10:00:00, 17:00:00].",
    ),
    "an empty list": ("price = 49", "hours = []", f"16: offer.hours: {_PLAIN}"),
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
    assert [f"kevat.toml:{error}"] == faults(changed(old, new))


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
        (changed("price = 49", "price = 49 €"), ["16: price: Expected newline or end of document after a statement; "]),
        (changed("price = 49", "price = 49\nprice = 50"), ["17: price: this is written twice: keep one of them."]),
        (changed("[audience]", "[subject]"), ["12: [subject]: this table is written twice: keep one of them."]),
        (changed('"Kevät tulee"', '"Kevät'), ["8: fi: a text must not hold"]),
        (changed("2026-04-30", "2026-02-30"), ["5: valid_until: there is no such day or hour."]),
        (changed("price = 49", f"price = {'9' * 5000}"), ["16: price: this number is too long; "]),
        ("# a\na" + ".'b'" * 60_000 + " = 1", ["2: file: this key has too many parts: a campaign's has three."]),
        (f"# a\n\n[[ a{' . a' * 40} ]]", ["3: file: this key has too many parts: a campaign's has three."]),
        ("a = " + "[" * 20_000, ["1: file: lists or tables stand too deep inside each other"]),
        ("subject = 1\naudience = 'a'\n[[offer]]\na = 1\n", ["1: channels: ", "1: kind: ", "1: send_at: "]),
    ],
)
def test_what_is_no_campaign_at_all_is_refused_in_words(text: str | bytes, errors: list[str]) -> None:
    """Encodings, marks, NUL, emptiness and syntax: tomllib's own line, the key on it, and what to do."""
    found = faults(text)
    assert all(error.startswith(f"kevat.toml:{wanted}") for wanted, error in zip(errors, found, strict=False))
    assert len(found) >= len(errors)
    assert all(error.endswith(".") for error in found)


def test_a_table_that_is_none_is_named() -> None:
    """A value where a table must stand, and a list of tables, each say how a table is written."""
    found = faults("subject = 1\naudience = 'a'\n[[offer]]\na = 1\n")
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
    found = [error.split(": ")[:2] for error in faults(text, "Kevät")]
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
    (error,) = faults(GOOD, name)
    assert error.startswith(f"kevat.toml:1: file name: {name!a} cannot name a campaign: use lower-case letters, digits")


def test_an_error_names_the_file_by_its_label() -> None:
    """Frozen bytes are no file any more, and are called what they are."""
    with pytest.raises(CampaignFileError, match=r"^kevat\.toml \(frozen\):1: file: "):
        parse_campaign(b"\xff", "kevat", "kevat.toml (frozen)", HELSINKI)
