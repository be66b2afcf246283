"""Any campaign can be written and read again, and nothing else makes more than an error."""

from datetime import UTC, date, datetime, time
from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from dispatcher.campaign_files.lines import key_lines
from dispatcher.errors import CampaignFileError
from dispatcher.rules.campaign import Audience, Campaign, Channel, Kind, Language
from tests.campaign_files.written import GOOD, HELSINKI, read

_visible = st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"])
_lines = st.text(_visible, min_size=1, max_size=150).filter(str.strip)
_texts = st.text(st.one_of(_visible, st.sampled_from("\n\t\"'\\#[]{}=")), max_size=80)
_dates = st.dates(date(2000, 1, 1), date(2199, 12, 31))
_moments = st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1)).map(  # noqa: DTZ001 - wall-clock times
    lambda moment: moment.replace(hour=max(moment.hour, 5), second=0, microsecond=0)
)
_names = st.from_regex(r"[a-zäö][a-z0-9_åÄ]{0,12}", fullmatch=True)
_numbers = st.one_of(st.integers(-1_000_000, 1_000_000), st.floats(-1_000_000, 1_000_000))
_times = st.times().map(lambda each: each.replace(second=0, microsecond=0))
_hours = st.tuples(_times, _times).filter(lambda pair: pair[0] < pair[1])
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
    plain = draw(st.dictionaries(_names, st.one_of(_texts, _numbers, _dates, _times, _hours), max_size=4))
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
        if isinstance(value, tuple):
            return f"[{', '.join(map(written, value))}]"
        return value.isoformat() if isinstance(value, date | time) else repr(value)

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
    assert campaign == read(text)


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
        read(content)
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
