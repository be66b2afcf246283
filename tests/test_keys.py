"""The secrets file: who may read it, what is in it, and that it is whole or not there."""

import os
import pickle
import resource
import stat
import tomllib
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.errors import SettingsError
from dispatcher.keys import KEY_IDS, Key, KeyKind, KeyRing, LiveRing, new_ring, parse_ring, read_ring, write_ring

_SECRET = b"s" * 32


@cache
def _ring() -> KeyRing:
    """Return a ring with a key of every kind and two credentials, made once: RSA keys take their time."""
    return KeyRing(
        {kind: new_ring().all(kind) for kind in KeyKind}, {"smtp_password": "salasana", "twilio_token": "a=b"}
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Give the path of a secrets file that is in order."""
    file = tmp_path / "secrets.toml"
    write_ring(file, _ring())
    return file


def _same(one: KeyRing, other: KeyRing) -> bool:
    return one.credentials == other.credentials and all(one.all(kind) == other.all(kind) for kind in KeyKind)


def _hash_keys(*ids: str) -> KeyRing:
    return KeyRing({KeyKind.HASH: tuple(Key(KeyKind.HASH, key, key.encode() * 32) for key in ids)})


# --- the file ---------------------------------------------------------------------------------------------------------


def test_what_is_written_is_read(path: Path) -> None:
    """Every key and every credential comes back as it was."""
    assert _same(_ring(), read_ring(path))


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_nobody_else_may_read_the_file(tmp_path: Path, mask: int) -> None:
    """L-35: mode 0600 from the first byte on, whatever the process lets others do."""
    before = os.umask(mask)
    try:
        write_ring(tmp_path / "secrets.toml", _hash_keys("1"))
    finally:
        os.umask(before)
    assert 0o600 == stat.S_IMODE((tmp_path / "secrets.toml").stat().st_mode)


def test_a_file_that_others_could_read_is_closed_by_writing_it(path: Path) -> None:
    """A new file takes the place of the old one, its mode included."""
    path.chmod(0o644)
    write_ring(path, _ring())
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
            write_ring(path, _hash_keys("1", "2", "3"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert before == path.read_bytes()
    assert [path] == list(path.parent.iterdir())
    write_ring(path, _hash_keys("1"))
    assert _same(_hash_keys("1"), read_ring(path))
    assert [path] == list(path.parent.iterdir())


def test_what_an_earlier_attempt_left_behind_is_taken_away(path: Path) -> None:
    """After a power cut in the middle, the next writing neither fails nor trusts the half file or its mode."""
    left = path.with_name("secrets.toml.new")
    left.write_text("[hash", encoding="utf-8")
    left.chmod(0o666)
    write_ring(path, _hash_keys("1"))
    assert (0o600, [path]) == (stat.S_IMODE(path.stat().st_mode), list(path.parent.iterdir()))


@pytest.mark.parametrize("name", ["nowhere/secrets.toml", "folder"])
def test_a_place_that_takes_no_file_is_an_error(tmp_path: Path, name: str) -> None:
    """A directory that is not there, or one in the file's place, is told in words and leaves no keys lying about."""
    (tmp_path / "folder").mkdir()
    with pytest.raises(SettingsError, match="cannot be written"):
        write_ring(tmp_path / name, _hash_keys("1"))
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
        write_ring(path, _hash_keys("1"))
        assert whole == head + reader.read()


@given(st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=12), st.text(st.characters(codec="utf-8"))))
def test_any_password_comes_back_as_it_was(credentials: dict[str, str]) -> None:
    """Quotation marks, control characters, DEL and emoji included: a password never costs the keys."""
    from dispatcher.keys import _as_text

    ring = KeyRing({KeyKind.HASH: (Key(KeyKind.HASH, "1", _SECRET),)}, credentials)
    assert _same(ring, parse_ring(_as_text(ring), "secrets.toml"))


# --- damage -----------------------------------------------------------------------------------------------------------


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

    text = _as_text(_hash_keys("1", "2"))
    place = data.draw(st.integers(0, len(text) - 1))
    spoiled = text[:place] + data.draw(st.characters(codec="utf-8")) + text[place + 1 :]
    try:
        ring = parse_ring(spoiled, "secrets.toml")
    except SettingsError:
        ring = KeyRing({})
    assert all(32 == len(key.secret) for key in ring.all(KeyKind.HASH))
    assert all(key.id in set(KEY_IDS) for key in ring.all(KeyKind.HASH))


# --- the keys ---------------------------------------------------------------------------------------------------------


def test_a_new_ring_has_one_key_of_every_kind() -> None:
    """32 random bytes, and an Ed25519 seal; no two rings share any."""
    ring = _ring()
    assert [("1",)] * len(KeyKind) == [tuple(key.id for key in ring.all(kind)) for kind in KeyKind]
    assert {32} == {len(ring.current(kind).secret) for kind in (KeyKind.HASH, KeyKind.TOKEN, KeyKind.JOURNAL)}
    seal = ed25519.Ed25519PrivateKey.from_private_bytes(ring.current(KeyKind.SEAL).secret)
    assert 32 == len(seal.public_key().public_bytes_raw())
    assert len(KeyKind) == len({ring.current(kind).secret for kind in KeyKind})
    assert ring.current(KeyKind.HASH).secret != KeyRing({}).with_new(KeyKind.HASH).current(KeyKind.HASH).secret


def test_a_rotation_keeps_what_the_old_key_made_findable() -> None:
    """L-35: a suppression hashed last year is found under the new key's reign, the newest hash first."""
    old = _hash_keys("1")
    kept = old.hashed("address", "anna@posti.example")
    new = old.with_new(KeyKind.HASH)
    assert ("2", "1") == (new.current(KeyKind.HASH).id, kept.key_id)
    assert (new.hashed("address", "anna@posti.example"), kept) == new.every_hash("address", "anna@posti.example")
    assert kept != new.hashed("address", "anna@posti.example")
    assert (kept,) == old.every_hash("address", "anna@posti.example")


def test_a_rotation_keeps_everything_else() -> None:
    """Other keys and the credentials stay; the ring that was rotated stays as it was."""
    ring = _ring()
    new = ring.with_new(KeyKind.TOKEN)
    assert ring.credentials == new.credentials
    assert all(ring.all(kind) == new.all(kind) for kind in KeyKind if kind is not KeyKind.TOKEN)
    assert ring.all(KeyKind.TOKEN) == new.all(KeyKind.TOKEN)[:1]
    assert ("1",) == tuple(key.id for key in ring.all(KeyKind.TOKEN))


def test_an_id_is_never_given_twice() -> None:
    """A ring from which somebody took a key goes on after its last id, so that no old hash meets a new key."""
    assert "4" == _hash_keys("1", "3").with_new(KeyKind.HASH).current(KeyKind.HASH).id
    assert "5" == _hash_keys("4").with_new(KeyKind.HASH).current(KeyKind.HASH).id


def test_ids_run_out_with_an_error() -> None:
    """After the last id there is no other, and the ring says so."""
    ring = _hash_keys(*KEY_IDS)
    assert KEY_IDS[-1] == ring.current(KeyKind.HASH).id
    with pytest.raises(SettingsError, match="31 hash keys already"):
        ring.with_new(KeyKind.HASH)


def test_the_order_in_the_file_does_not_decide_which_key_is_current(path: Path) -> None:
    """An editor that sorts lines does not bring an old key back."""
    write_ring(path, _hash_keys("1", "9", "a"))
    lines = path.read_text(encoding="utf-8").split("\n")
    first = lines.index("[hash]") + 1
    lines[first : first + 3] = reversed(lines[first : first + 3])
    ring = parse_ring("\n".join(lines), "secrets.toml")
    assert ["1", "9", "a"] == [key.id for key in ring.all(KeyKind.HASH)]


def test_a_kind_without_a_key_says_how_to_make_one() -> None:
    """Nothing is hashed or signed with a key that is not there."""
    with pytest.raises(SettingsError, match=r"There is no hash key: run `dispatcher keys create`\."):
        KeyRing({}).hashed("address", "anna@posti.example")
    assert None is KeyRing({}).find(KeyKind.TOKEN, "1")


@given(st.text(max_size=20), st.text(max_size=20), st.text(max_size=20), st.text(max_size=20))
def test_hashes_of_different_things_differ(label: str, value: str, label2: str, value2: str) -> None:
    """L-35: the label keeps kinds apart, and no part of a value can slip into it."""
    ring = _hash_keys("1")
    same = (label, value) == (label2, value2)
    assert same is (ring.hashed(label, value) == ring.hashed(label2, value2))


def test_a_hash_is_keyed() -> None:
    """L-35: the same number under another secret is another hash, so that a table of all numbers finds nothing."""
    one = KeyRing({KeyKind.HASH: (Key(KeyKind.HASH, "1", b"a" * 32),)}).hashed("address", "+358401234567")
    other = KeyRing({KeyKind.HASH: (Key(KeyKind.HASH, "1", b"b" * 32),)}).hashed("address", "+358401234567")
    assert (64, one.key_id) == (len(one.digest), other.key_id)
    assert one.digest != other.digest


@pytest.mark.parametrize("show", [repr, str, ascii])
def test_printing_shows_no_secret(show: Callable[[object], str]) -> None:
    """L-46: neither a key, a ring, nor an error that quotes one has a secret in it."""
    ring = _ring()
    things = [ring, *(key for kind in KeyKind for key in ring.all(kind)), [ring.current(KeyKind.HASH)]]
    shown = "\n".join(show(thing) for thing in things)
    for kind in KeyKind:
        secret = ring.current(kind).secret
        assert all(form not in shown for form in (repr(secret)[2:14], secret.hex()[:12]))
    assert "salasana" not in shown


def test_the_file_holds_what_it_says(path: Path) -> None:
    """The owner finds one table a kind, the credentials, and a word about keeping a copy elsewhere."""
    text = path.read_text(encoding="utf-8")
    assert [*KeyKind, "credentials"] == list(tomllib.loads(text))
    assert "dispatcher keys backup" in text.split("\n")[0]


def test_a_key_cannot_be_changed() -> None:
    """A key is a value; a copy of it is the same key."""
    key = Key(KeyKind.HASH, "1", _SECRET)
    assert key == pickle.loads(pickle.dumps(key))  # noqa: S301 - our own bytes
    with pytest.raises(AttributeError):
        key.secret = b""  # type: ignore[misc] # that is the point


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


# --- what is sealed ---------------------------------------------------------------------------------------------------


@given(text=st.text(), about=st.text(st.characters(exclude_categories=["Cs"])))
def test_what_is_sealed_opens_as_the_same_thing_only(text: str, about: str) -> None:
    """A sealed text opens under its own label and as what it is about, and nowhere else; two of one text differ."""
    ring = _ring()
    sealed = ring.seal("text", text, about)
    assert ring.unseal("text", sealed, about) == text
    assert ring.unseal("other", sealed, about) is None
    assert ring.unseal("text", sealed, f"{about}.") is None
    assert sealed != ring.seal("text", text, about)


@given(cut=st.integers(0, 40), flipped=st.integers(0, 32))
def test_what_was_changed_does_not_open(cut: int, flipped: int) -> None:
    """A sealed text of which a byte is missing or altered opens no more, and raises nothing."""
    sealed = _ring().seal("text", "salaisuus", "1:SM1")
    altered = bytearray(sealed)
    altered[flipped % len(altered)] ^= 1
    assert _ring().unseal("text", sealed[:cut], "1:SM1") is None or cut >= len(sealed)
    assert _ring().unseal("text", bytes(altered), "1:SM1") is None


def test_a_sealed_text_outlives_a_new_key() -> None:
    """After a rotation what the old key sealed is read still; without that key it is lost."""
    old = _hash_keys("1")
    sealed = old.seal("text", "Milloin olette auki?", "1:SM1")
    both = old.with_new(KeyKind.HASH)
    assert both.unseal("text", sealed, "1:SM1") == "Milloin olette auki?"
    assert _hash_keys("2").unseal("text", sealed, "1:SM1") is None
