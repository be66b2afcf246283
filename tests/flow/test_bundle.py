"""A year's bundle: whole it checks out, broken it does not, by the program and by a checker that shares no code."""

import hashlib
import json
import runpy
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from dispatcher.errors import NotFoundError, RefusedError
from dispatcher.flow.audit_bundle import check_bundle
from dispatcher.keys import Key, KeyKind, new_ring, public_of, read_ring, signed
from dispatcher.rules import bundle
from dispatcher.rules.actor import duty
from dispatcher.rules.ledger import canonical
from dispatcher.rules.seal import SealReason
from tests.clock import FixedClock
from tests.flow.two_campaigns import a_run
from tests.stores import ROOT
from tests.workshop import Workshop, build

YEAR = 2026
Members = dict[str, bytes]
Change = Callable[[Members], None]
_CHECKER = ROOT / "docs" / "check_bundle.py"


def quiet(_done: int, _all: int) -> None:
    """Tell nobody."""


def made(workshop: Workshop, path: Path) -> Path:
    """Live through two campaigns, seal twice, and write the bundle of the year."""
    with workshop.opened() as dispatcher:
        dispatcher.auditing.sealing.set(SealReason.DAY, duty("test"))
        a_run(workshop, dispatcher)
        dispatcher.auditing.sealing.set(SealReason.CAMPAIGN, duty("test"))
        assert () == dispatcher.audit.verify().findings
        assert () == dispatcher.auditing.bundling.write(YEAR, path, quiet).findings
    return path


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the bundle of an installation on SQLite, made once: nothing of these tests changes it."""
    place = tmp_path_factory.mktemp("bundle")
    workshop = build(
        place / "studio",
        FixedClock(datetime(2026, 11, 23, 10, 0, tzinfo=UTC)),
        "sqlite:///dispatcher.db",
        "dispatcher.journal",
    )
    return made(workshop, place / "audit-2026.zip")


def by_another_program(path: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Return what the checker in the documentation says of a file, and its exit code."""
    code = runpy.run_path(str(_CHECKER))["main"](str(path))
    return int(code), capsys.readouterr().out


def rewritten(whole: Path, target: Path, change: Change, key: Key | None = None) -> Path:
    """Return a copy of a bundle with its members changed, signed anew where somebody has a key."""
    with zipfile.ZipFile(whole) as packed:
        members = {name: packed.read(name) for name in packed.namelist()}
    change(members)
    if key is not None:
        _sign_anew(members, key)
    with zipfile.ZipFile(target, "w") as packed:
        for name, content in members.items():
            packed.writestr(name, content)
    return target


def _sign_anew(members: Members, key: Key) -> None:
    manifest = json.loads(members[bundle.MANIFEST])
    beside = {bundle.MANIFEST, bundle.SIGNATURE}
    manifest["files"] = {n: hashlib.sha256(each).hexdigest() for n, each in members.items() if n not in beside}
    members[bundle.MANIFEST] = canonical(manifest).encode()
    told = {"key": "1", "public": public_of(key), "signature": signed(key, members[bundle.MANIFEST])}
    members[bundle.SIGNATURE] = json.dumps(told).encode()


def test_a_whole_bundle_checks_out_on_both_databases(
    workshop: Workshop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With nothing but the file: by the program, and by a hundred lines of another."""
    path = made(workshop, tmp_path / "audit-2026.zip")
    found = check_bundle(path)
    assert ((), YEAR) == (found.verification.findings, found.year)
    assert found.verification.decided >= 6
    assert found.last_seal is not None
    assert 2 == found.last_seal.number
    code, told = by_another_program(path, capsys)
    assert (0, True) == (code, told.endswith("Everything holds.\n"))
    with zipfile.ZipFile(path) as packed:
        words = packed.read(bundle.README).decode()
        everything = b"".join(packed.read(name) for name in packed.namelist())
    assert found.last_seal.words() in words
    assert found.key in words
    for secret in (b"maija", b"Maija", b"posti.example", b"+358401234567"):
        assert secret not in everything


def test_its_members_are_what_the_schema_says(whole: Path) -> None:
    """The schema in the bundle describes every member another program reads."""
    with zipfile.ZipFile(whole) as packed:
        schema = json.loads(packed.read(bundle.SCHEMA))
        told: list[tuple[str, Any]] = [
            ("manifest", json.loads(packed.read(bundle.MANIFEST))),
            ("signature", json.loads(packed.read(bundle.SIGNATURE))),
            ("heads", json.loads(packed.read(bundle.HEADS))),
            ("keys", json.loads(packed.read(bundle.KEYS))),
            ("wordings", json.loads(packed.read(bundle.WORDINGS))),
            *(("entry", json.loads(line)) for line in packed.read(bundle.ENTRIES).splitlines()),
            *(("group", json.loads(line)) for line in packed.read(bundle.GROUPS).splitlines()),
            *(("seal", json.loads(line)) for line in packed.read(bundle.SEALS).splitlines()),
        ]
    for what, each in told:
        jsonschema.validate(each, {**schema, "$ref": f"#/$defs/{what}"})


def _lines(name: str, change: Callable[[list[bytes]], list[bytes]]) -> Change:
    def work(members: Members) -> None:
        members[name] = b"".join(change(members[name].splitlines(keepends=True)))

    return work


def _frozen(members: Members) -> None:
    name = next(each for each in members if each.endswith("campaign.toml"))
    members[name] = members[name].replace(b"49", b"48")


def _wording(members: Members) -> None:
    members[bundle.WORDINGS] = members[bundle.WORDINGS].replace(b"Saako", b"Saanko", 1)


def _figure(members: Members) -> None:
    page = json.loads(members[bundle.PAGE])
    page["messages"]["accepted"] += 1
    members[bundle.PAGE] = json.dumps(page).encode()


def _swapped(lines: list[bytes]) -> list[bytes]:
    """Swap the clients of two answers."""
    told = [json.loads(line) for line in lines]
    one, *others = [each for each in told if each[2] == "answer"]
    other = next(each for each in others if each[5] != one[5])
    one[5], other[5] = other[5], one[5]
    return [canonical(each).encode() + b"\n" for each in told]


def _each(lines: list[bytes], old: bytes, new: bytes) -> list[bytes]:
    return [line.replace(old, new) for line in lines]


def _lacks_its_entries(members: Members) -> None:
    del members[bundle.ENTRIES]


def _nested(members: Members) -> None:
    members[bundle.PAGE] = b"[" * 200_000


def _endless(members: Members) -> None:
    manifest = json.loads(members[bundle.MANIFEST])
    members[bundle.MANIFEST] = json.dumps({**manifest, "valid_for_days": 10**14}).encode()


CHANGES: dict[str, Change] = {
    "an entry is deleted": _lines(bundle.ENTRIES, lambda lines: lines[:5] + lines[6:]),
    "an entry is altered": _lines(bundle.ENTRIES, lambda lines: _each(lines, b"granted", b"decline")),
    "an entry is put in twice": _lines(bundle.ENTRIES, lambda lines: [*lines[:6], lines[5], *lines[6:]]),
    "two clients are swapped": _lines(bundle.ENTRIES, _swapped),
    "the end is cut off": _lines(bundle.GROUPS, lambda lines: lines[:-1]),
    "a seal is taken out": _lines(bundle.SEALS, lambda lines: lines[1:]),
    "a seal is forged": _lines(bundle.SEALS, lambda lines: _each(lines, b'"entries":', b'"entries":1')),
    "a wording is edited": _wording,
    "a campaign is edited": _frozen,
    "a figure is edited": _figure,
}


@pytest.mark.parametrize("signs", [False, True])
@pytest.mark.parametrize("what", CHANGES)
def test_a_broken_bundle_does_not_check_out(
    whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], what: str, *, signs: bool
) -> None:
    """D-03: whatever is done to it, even by somebody who signs it anew with a key of their own."""
    key = new_ring().current(KeyKind.SEAL) if signs else None
    broken = rewritten(whole, tmp_path / "broken.zip", CHANGES[what], key)
    found = check_bundle(broken)
    assert not found.ok
    assert found.verification.findings
    code, told = by_another_program(broken, capsys)
    assert (1, True) == (code, bool(told.strip()))


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("a campaign is edited", "Campaign one (1): its frozen files were altered after it was scheduled."),
        ("a wording is edited", "its text does not carry that hash."),
        ("a figure is edited", "The audit in the bundle tells other messages than its ledger."),
        ("an entry is altered", "was altered: it does not carry its own digest."),
        ("a seal is forged", "is forged: it does not carry the signature of its key."),
    ],
)
def test_whoever_has_the_installations_key_cannot_hide_a_change(
    whole: Path, tmp_path: Path, what: str, says: str
) -> None:
    """D-03: signed with the installation's own key, the change is still found, and nothing else is blamed for it."""
    key = read_ring(whole.parent / "studio" / "secrets.toml").current(KeyKind.SEAL)
    unchanged = rewritten(whole, tmp_path / "unchanged.zip", lambda _members: None, key)
    assert () == check_bundle(unchanged).verification.findings
    found = check_bundle(rewritten(whole, tmp_path / "broken.zip", CHANGES[what], key)).verification.findings
    assert [True] == [says in each for each in found][:1]
    assert not any("manifest" in each for each in found)


def _without_a_campaign(members: Members) -> None:
    for name in [each for each in members if each.startswith(f"{bundle.FROZEN}1/")]:
        del members[name]


def test_the_other_program_holds_a_campaigns_files_against_the_ledger(
    whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """D-03: edited or taken out, and signed with the installation's own key, the words that went are asked for."""
    key = read_ring(whole.parent / "studio" / "secrets.toml").current(KeyKind.SEAL)
    for change in (_frozen, _without_a_campaign):
        told = by_another_program(rewritten(whole, tmp_path / "broken.zip", change, key), capsys)
        assert (1, "the files of campaign 1 are not those it was scheduled with\n") == told


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_that_is_there_twice_is_named(whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Who unpacks the file may read the first of the two, who checks it the second."""
    twice = tmp_path / "twice.zip"
    twice.write_bytes(whole.read_bytes())
    with zipfile.ZipFile(twice, "a") as packed:
        packed.writestr(bundle.PAGE, packed.read(bundle.PAGE))
    assert any(f"{bundle.PAGE} is in the bundle twice" in each for each in check_bundle(twice).verification.findings)
    assert (1, f"{bundle.PAGE} is in the bundle twice\n") == by_another_program(twice, capsys)


def test_what_is_no_bundle_is_refused(tmp_path: Path, whole: Path) -> None:
    """A missing file, another, a torn one, one without a member, and one that holds the absurd, are refused by name."""
    with pytest.raises(NotFoundError, match="There is no file"):
        check_bundle(tmp_path / "none.zip")
    other = tmp_path / "other.zip"
    other.write_bytes(b"nothing")
    torn = tmp_path / "torn.zip"
    torn.write_bytes(whole.read_bytes()[:-100])
    changes = {"lacking": _lacks_its_entries, "nested": _nested, "endless": _endless}
    changed = [rewritten(whole, tmp_path / f"{name}.zip", change) for name, change in changes.items()]
    # Packed in another way, and garbled behind its header.
    repacked = tmp_path / "repacked.zip"
    with zipfile.ZipFile(repacked, "w", zipfile.ZIP_LZMA) as packed:
        packed.writestr(bundle.MANIFEST, "{}")
    listed = bytearray(repacked.read_bytes())
    start = 30 + len(bundle.MANIFEST) + 9
    listed[start : start + 3] = b"\xff" * 3
    repacked.write_bytes(listed)
    # Somewhere in the packed bytes of the first member: it cannot be unpacked any more.
    garbled = tmp_path / "garbled.zip"
    content = bytearray(whole.read_bytes())
    content[80:120] = b"\xff" * 40
    garbled.write_bytes(content)
    for path in (other, torn, garbled, repacked, *changed):
        with pytest.raises(RefusedError, match="is no bundle, or so damaged"):
            check_bundle(path)


def test_no_bundle_is_written_over_another(workshop: Workshop, tmp_path: Path) -> None:
    """What was handed out stays as it is, said before a long reading; what cannot be written leaves nothing behind."""
    path = tmp_path / "audit-2026.zip"
    path.write_bytes(b"handed out")
    heard: list[int] = []
    with workshop.opened() as dispatcher:
        with pytest.raises(RefusedError, match="There is a file"):
            dispatcher.auditing.bundling.write(YEAR, path, lambda done, _all: heard.append(done))
        with pytest.raises(RefusedError, match="cannot be written"):
            dispatcher.auditing.bundling.write(YEAR, tmp_path / "nowhere" / "audit.zip", quiet)
    assert [path] == [each for each in _files(tmp_path) if "audit" in each.name]
    assert b"handed out" == path.read_bytes()
    assert [] == heard


def _files(place: Path) -> Iterator[Path]:
    return (each for each in place.iterdir() if each.is_file())
