"""The bytes of a campaign file -> Campaign, or every fault in them at once."""

import codecs
import re
import tomllib
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import NamedTuple
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from dispatcher.campaign_files.form import CampaignForm, needs_of
from dispatcher.campaign_files.lines import key_lines, line_of
from dispatcher.errors import CampaignFileError, Finding, Severity
from dispatcher.rules.campaign import Campaign

LARGEST = 256 * 1024
"""Bytes of a campaign file; the samples have two thousand."""
_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_PLACE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)")
_KEY_OF_LINE = re.compile(r"""\s*([A-Za-z0-9_.-]+|"[^"]*"|'[^']*')\s*=|\s*(\[[^\]]*\]?)""")
_LONG_KEY = re.compile(
    r"""^[ \t]*\[{0,2}[ \t]*(?:(?:[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*')[ \t]*\.[ \t]*){32}""", re.MULTILINE
)
"""tomllib takes memory with the square of the parts of a dotted key: thousands of them would end the program."""
_SYNTAX = {
    "Cannot overwrite a value": "this is written twice: keep one of them",
    "Cannot declare": "this table is written twice: keep one of them",
    "Unterminated string": "the quotation mark that closes the text is missing",
    "Illegal character": "a text must not hold this character, a line end outside triple quotes among them",
    "Invalid date or datetime": "there is no such day or hour",
}
_WRITING = 'texts stand between quotes, dates are written 2026-04-30, numbers 49 or 49.50, lists ["email", "sms"]'
_TABLES = frozenset({"subject", "audience", "offer"})
_HEALTH = (
    "an audience is divided by languages, visited_since and visited_until only, never by treatment or health: "
    "the privacy notice promises it"
)


class _Fault(NamedTuple):
    line: int
    key: str
    sentence: str


def parse_campaign(content: bytes, name: str, label: str, zone: ZoneInfo) -> Campaign:
    """Return the campaign these bytes describe; `label` is what errors call the file.

    Raises CampaignFileError with every fault found, one a line: `label:line: key: what is allowed`.
    """
    faults = [] if _NAME.fullmatch(name) else [_Fault(1, "file name", _name_fault(name))]
    try:
        source = _decoded(content)
        raw = tomllib.loads(source)
    except _FileFaultError as error:
        raise _error(label, [*faults, error.fault]) from None
    except (ValueError, RecursionError) as error:
        raise _error(label, [*faults, _syntax_fault(source, error)]) from None
    try:
        form = CampaignForm.model_validate(raw, context={"zone": zone, "needs": needs_of(raw)})
    except ValidationError as error:
        raise _error(label, [*faults, *_form_faults(error, source)]) from None
    if faults:
        raise _error(label, faults)
    return form.campaign(name)


def fault_of_key(content: bytes, label: str, path: Sequence[str], why: str) -> CampaignFileError:
    """Return the error about a key of a campaign file that has been parsed: `label:line: key: why`."""
    line = line_of(path, key_lines(content.decode("utf-8")))
    return _error(label, [_Fault(line, ".".join(path), why)])


class _FileFaultError(Exception):
    """The bytes are no text that TOML could be read from."""

    def __init__(self, line: int, sentence: str) -> None:
        super().__init__(sentence)
        self.fault = _Fault(line, "file", sentence)


def _error(label: str, faults: Iterable[_Fault]) -> CampaignFileError:
    found = sorted(set(faults))
    return CampaignFileError(
        "\n".join(f"{label}:{line}: {key}: {why}." for line, key, why in found),
        [_finding(label, *fault) for fault in found],
    )


def _finding(label: str, line: int, key: str, why: str) -> Finding:
    """Return a fault as a finding: what is wrong stands before the first colon, what to write behind it."""
    what, _, fix = ("this cannot be used", "", why) if why.startswith("write ") else why.partition(": ")
    if why == _HEALTH:
        what, fix = why, f"take {key} out"
    return Finding(label, line, Severity.ERROR, f"{key}: {what}", fix or f"change {key}")


def _name_fault(name: str) -> str:
    return f"{name!a} cannot name a campaign: use lower-case letters, digits and single hyphens, as in 2026-03-kevat"


def _decoded(content: bytes) -> str:
    """Return the text of a file. Raises _FileFaultError for what is no text in UTF-8."""
    if len(content) > LARGEST:
        raise _FileFaultError(1, f"the file is larger than {LARGEST // 1024} kB, which no campaign needs")
    if content.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise _FileFaultError(1, "the file begins with a byte order mark: save it as UTF-8 without one (without BOM)")
    if b"\0" in content:
        line = content.count(b"\n", 0, content.index(b"\0")) + 1
        raise _FileFaultError(line, "there is a NUL byte here, so this is no text: save the file as UTF-8")
    try:
        source = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _FileFaultError(line, "this is not UTF-8: save the file in that encoding") from None
    if not source.strip():
        raise _FileFaultError(1, "the file is empty: copy another campaign's and change it")
    if long := _LONG_KEY.search(source):
        line = source.count("\n", 0, long.start()) + 1
        raise _FileFaultError(line, "this key has too many parts: a campaign's has three")
    return source


def _syntax_fault(source: str, error: Exception) -> _Fault:
    """Return what tomllib could not read, on its own line."""
    if isinstance(error, RecursionError):
        return _Fault(1, "file", "lists or tables stand too deep inside each other: a campaign nests three deep")
    found = _PLACE.search(str(error))
    rows = source.replace("\r\n", "\n").split("\n")
    line = int(found[1]) if found and found[1] else len(rows)
    if found is None:
        # The one thing it refuses without a place is a number of thousands of digits.
        line = rows.index(max(rows, key=len)) + 1
    key = _KEY_OF_LINE.match(rows[min(line, len(rows)) - 1])
    words = str(error)[: found.start()] if found else "this number is too long"
    sentence = next((ours for theirs, ours in _SYNTAX.items() if words.startswith(theirs)), f"{words}; {_WRITING}")
    return _Fault(line, (key[1] or key[2]) if key else "file", sentence)


def _form_faults(error: ValidationError, source: str) -> list[_Fault]:
    try:
        lines = key_lines(source)
    except RecursionError:
        lines = {}  # What nests too deeply to be walked is wrong anyway, and is named by its key.
    found = []
    for detail in error.errors():
        path = _written_path(detail["loc"])
        key = ".".join(str(part) for part in path if not isinstance(part, int))
        sentence = _sentence(detail["type"], detail["msg"], path)
        found.append(_Fault(line_of(path, lines), _printable(key), sentence))
    return found


def _written_path(place: Sequence[str | int]) -> tuple[str | int, ...]:
    """Return the keys as the file has them: below [offer], pydantic names the kind of value, or `[key]`, as well."""
    return (*place[:2], *place[3:]) if place[0] == "offer" and place[1:2] != ("image_alt",) else tuple(place)


def _sentence(kind: str, message: str, path: tuple[str | int, ...]) -> str:
    if kind == "missing":
        return "this key is missing: write it above the first [table]"
    if kind == "extra_forbidden":
        return _unknown([str(part) for part in path])
    if kind == "model_type" and len(path) > 1:
        return 'write it in each language: { fi = "...", sv = "...", en = "..." }'
    if kind in {"model_type", "dict_type"}:
        return f"write a table: [{path[0]}] on a line of its own, its keys below it"
    if kind == "tuple_type":
        return 'write a list in square brackets, as ["email", "sms"] or ["fi", "sv"]'
    return message.removeprefix("Value error, ")


def _unknown(path: Sequence[str]) -> str:
    """Return what to write instead of a key nobody knows."""
    key, holder = path[-1], path[0]
    known = set(CampaignForm.model_fields)
    if len(path) > 1 and key in known:
        return f"this key belongs above the first [table], not into [{holder}]"
    if holder == "audience":
        return _HEALTH
    if len(path) > 1:
        return "a text is given per language, and the languages are fi, sv and en"
    near = get_close_matches(key, known, n=1)
    if near:
        return f"there is no such key: did you mean {near[0]}"
    return (
        f"there is no such key: write {', '.join(sorted(known - _TABLES))}, [subject], [audience] or [offer]; "
        "texts and numbers of the offer itself stand under [offer]"
    )


def _printable(key: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in key)
