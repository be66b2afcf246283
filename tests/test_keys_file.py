"""The secrets file: who may read it, what is in it, that it is whole or not there, and that a live ring follows it."""

import os
import resource
import stat
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.errors import SettingsError
from dispatcher.keys import KEY_IDS, Key, KeyKind, KeyRing, LiveRing, parse_ring, read_ring, write_ring
from tests.key_rings import SECRET, full_ring, hash_keys


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Give the path of a secrets file that is in order."""
    file = tmp_path / "secrets.toml"
    write_ring(file, full_ring())
    return file


def _same(one: KeyRing, other: KeyRing) -> bool:
    return one.credentials == other.credentials and all(one.all(kind) == other.all(kind) for kind in KeyKind)


def test_what_is_written_is_read(path: Path) -> None:
    """Every key and every credential comes back as it was."""
    assert _same(full_ring(), read_ring(path))


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_nobody_else_may_read_the_file(tmp_path: Path, mask: int) -> None:
    """L-35: mode 0600 from the first byte on, whatever the process lets others do."""
    before = os.umask(mask)
    try:
        write_ring(tmp_path / "secrets.toml", hash_keys("1"))
    finally:
        os.umask(before)
    assert 0o600 == stat.S_IMODE((tmp_path / "secrets.toml").stat().st_mode)


def test_a_file_that_others_could_read_is_closed_by_writing_it(path: Path) -> None:
    """A new file takes the place of the old one, its mode included."""
    path.chmod(0o644)
    write_ring(path, full_ring())
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o610, 0o601, 0o777])
def test_a_file_that_others_may_read_is_refused(path: Path, mode: int) -> None:
    """L-35: the error says what to type, and shows no secret."""
    path.chmod(mode)
    with pytest.raises(SettingsError, match=r"Others may read secrets\.toml.*chmod 600 secrets\.toml"):
        read_ring(path)


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    """No traceback on the first day."""
    with pytest.raises(SettingsError, match=r"secrets\.toml cannot be read \(No such file.*dispatcher keys create"):
        read_ring(tmp_path / "secrets.toml")


def test_a_directory_in_its_place_is_an_error(tmp_path: Path) -> None:
    """Nothing but a file can hold the keys."""
    with pytest.raises(SettingsError, match="cannot be read"):
        read_ring(tmp_path)


def test_writing_fails_without_touching_what_is_there(path: Path) -> None:
    """A disk that fills up in the middle leaves the old file whole and nothing beside it; the next attempt succeeds."""
    before = path.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))  # Python ignores the signal, so writing more is an error
    try:
        with pytest.raises(SettingsError, match=r"secrets\.toml cannot be written \(File too large\): what it held"):
            write_ring(path, hash_keys("1", "2", "3"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert before == path.read_bytes()
    assert [path] == list(path.parent.iterdir())
    write_ring(path, hash_keys("1"))
    assert _same(hash_keys("1"), read_ring(path))
    assert [path] == list(path.parent.iterdir())


def test_what_an_earlier_attempt_left_behind_is_taken_away(path: Path) -> None:
    """After a power cut in the middle, the next writing neither fails nor trusts the half file or its mode."""
    left = path.with_name("secrets.toml.new")
    left.write_text("[hash", encoding="utf-8")
    left.chmod(0o666)
    write_ring(path, hash_keys("1"))
    assert (0o600, [path]) == (stat.S_IMODE(path.stat().st_mode), list(path.parent.iterdir()))


@pytest.mark.parametrize("name", ["nowhere/secrets.toml", "folder"])
def test_a_place_that_takes_no_file_is_an_error(tmp_path: Path, name: str) -> None:
    """A directory that is not there, or one in the file's place, is told in words and leaves no keys lying about."""
    (tmp_path / "folder").mkdir()
    with pytest.raises(SettingsError, match="cannot be written"):
        write_ring(tmp_path / name, hash_keys("1"))
    assert [tmp_path / "folder"] == list(tmp_path.iterdir())


def test_a_credential_that_cannot_be_written_leaves_the_file_as_it_was(path: Path) -> None:
    """Half a surrogate pair has no UTF-8: the error comes before anything is replaced."""
    before = path.read_bytes()
    with pytest.raises(UnicodeEncodeError):
        write_ring(path, KeyRing({}, {"smtp_password": "\ud800"}))
    assert before == path.read_bytes()
    assert [path] == list(path.parent.iterdir())


def test_a_reader_never_sees_half_a_file(path: Path) -> None:
    """Who has the old file open reads it to its end: the new one is another file of the same name."""
    whole = path.read_bytes()
    with path.open("rb") as reader:
        head = reader.read(40)
        write_ring(path, hash_keys("1"))
        assert whole == head + reader.read()


@given(st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=12), st.text(st.characters(codec="utf-8"))))
def test_any_password_comes_back_as_it_was(credentials: dict[str, str]) -> None:
    """Quotation marks, control characters, DEL and emoji included: a password never costs the keys."""
    from dispatcher.keys import _as_text

    ring = KeyRing({KeyKind.HASH: (Key(KeyKind.HASH, "1", SECRET),)}, credentials)
    assert _same(ring, parse_ring(_as_text(ring), "secrets.toml"))


_GOOD_SECRET = "c3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3M="


@pytest.mark.parametrize(
    "text",
    [
        "[hash",
        "hash = 5",
        "[hash]\n1 = 5",
        '[hash]\n"1" = "%%%"',
        '[hash]\n"1" = "äö"',
        '[hash]\n"1" = "c2hvcnQ="',
        f'[hash]\n"0" = "{_GOOD_SECRET}"',
        f'[hash]\n"12" = "{_GOOD_SECRET}"',
        f'[hash]\n"" = "{_GOOD_SECRET}"',
        f'[hash]\n"1" = "{_GOOD_SECRET}"\n"1" = "{_GOOD_SECRET}"',
        f'[hash]\n"1" = "{_GOOD_SECRET}"\n[token]\n"1" = "{_GOOD_SECRET[:-8]}"',
        '[seal]\n"1" = "c2hvcnQ="',
        "credentials = 5",
        "a = " + "[" * 20_000,
        "\0",
    ],
    ids=[
        "torn table",
        "no table",
        "number",
        "signs",
        "letters",
        "short",
        "unknown id",
        "long id",
        "empty id",
        "same id",
        "second table",
        "short seal",
        "credentials",
        "deep",
        "nul",
    ],
)
def test_a_damaged_file_is_refused_without_its_secrets(text: str) -> None:
    """Whatever is broken, the error names the file and the remedy, and nothing of what is in it."""
    with pytest.raises(SettingsError) as caught:
        parse_ring(text, "secrets.toml")
    wanted = "secrets.toml is damaged: restore the copy that `dispatcher keys backup` made. Nothing was changed."
    assert (wanted, None) == (str(caught.value), caught.value.__cause__)


def test_a_table_of_an_older_version_is_left_out() -> None:
    """Keys to sign mail by stood in this file once; they are files of their own now, and the others still read."""
    ring = parse_ring(f'[hash]\n"1" = "{_GOOD_SECRET}"\n[dkim]\n"1" = "{_GOOD_SECRET}"', "secrets.toml")
    assert ["1"] == [key.id for kind in KeyKind for key in ring.all(kind)]


def test_a_file_that_is_no_text_is_damaged(path: Path) -> None:
    """A byte that no UTF-8 has is damage like any other."""
    path.write_bytes(path.read_bytes() + b"\xff")
    with pytest.raises(SettingsError, match=r"secrets\.toml is damaged"):
        read_ring(path)


@given(st.data())
def test_a_changed_byte_is_damage_or_changes_no_key_in_silence(data: st.DataObject) -> None:
    """No damage makes anything but the error; what still reads has keys of the right form."""
    from dispatcher.keys import _as_text

    text = _as_text(hash_keys("1", "2"))
    place = data.draw(st.integers(0, len(text) - 1))
    spoiled = text[:place] + data.draw(st.characters(codec="utf-8")) + text[place + 1 :]
    try:
        ring = parse_ring(spoiled, "secrets.toml")
    except SettingsError:
        ring = KeyRing({})
    assert all(32 == len(key.secret) for key in ring.all(KeyKind.HASH))
    assert all(key.id in set(KEY_IDS) for key in ring.all(KeyKind.HASH))


def test_the_order_in_the_file_does_not_decide_which_key_is_current(path: Path) -> None:
    """An editor that sorts lines does not bring an old key back."""
    write_ring(path, hash_keys("1", "9", "a"))
    lines = path.read_text(encoding="utf-8").split("\n")
    first = lines.index("[hash]") + 1
    lines[first : first + 3] = reversed(lines[first : first + 3])
    ring = parse_ring("\n".join(lines), "secrets.toml")
    assert ["1", "9", "a"] == [key.id for key in ring.all(KeyKind.HASH)]


def test_the_file_holds_what_it_says(path: Path) -> None:
    """The owner finds one table a kind, the credentials, and a word about keeping a copy elsewhere."""
    text = path.read_text(encoding="utf-8")
    assert [*KeyKind, "credentials"] == list(tomllib.loads(text))
    assert "dispatcher keys backup" in text.split("\n")[0]


def test_a_live_ring_finds_what_came_later(path: Path) -> None:
    """A key that another process has added is found; what makes things goes on with the key it began with."""
    ring = LiveRing(path)
    first = ring.current(KeyKind.TOKEN)
    assert ring.find(KeyKind.TOKEN, "2") is None
    write_ring(path, read_ring(path).with_new(KeyKind.TOKEN))
    later = ring.find(KeyKind.TOKEN, "2")
    assert later == read_ring(path).current(KeyKind.TOKEN)
    assert (first, first) == (ring.current(KeyKind.TOKEN), ring.find(KeyKind.TOKEN, first.id))


def test_a_live_ring_reads_its_file_once_for_each_change(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Links with a key that nobody has cost no reading of the file each, however many somebody makes up."""
    ring, read = LiveRing(path), list[Path]()

    def counted(asked: Path) -> KeyRing:
        read.append(asked)
        return read_ring(asked)

    monkeypatch.setattr("dispatcher.keys.read_ring", counted)
    write_ring(path, read_ring(path).with_new(KeyKind.TOKEN))
    assert [None] * 3 == [ring.find(KeyKind.TOKEN, each) for each in "345"]
    assert read == [path]


def test_a_live_ring_outlives_its_file(path: Path) -> None:
    """Where the file is gone or damaged, what was read goes on, and nothing else is found."""
    ring = LiveRing(path)
    path.write_text("no keys")
    path.chmod(0o600)
    assert ring.find(KeyKind.TOKEN, "2") is None
    path.unlink()
    assert ring.find(KeyKind.TOKEN, "2") is None
    assert ring.find(KeyKind.TOKEN, "1") == ring.current(KeyKind.TOKEN)
