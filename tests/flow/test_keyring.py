"""The keys' safekeeping: a copy that nobody else may read, and plain words about what a lost key takes with it."""

import stat
from pathlib import Path

import pytest

from dispatcher.errors import SettingsError
from dispatcher.flow.keyring import Keyring, backup_keys, check_keys
from dispatcher.keys import KeyedHash, KeyKind, KeyRing, new_ring, read_ring, write_ring
from dispatcher.rules.ledger import EntryKind
from dispatcher.storage import answers, clients, ledger
from dispatcher.storage.answers import Suppression
from tests.clock import FixedClock
from tests.stores import OWNER, add_client, add_note, begin, open_store

WHOLE = new_ring()


def without(ring: KeyRing, kind: KeyKind) -> KeyRing:
    """Return a ring without the keys of one kind."""
    return KeyRing({other: ring.all(other) for other in KeyKind if other is not kind})


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    """Give a secrets file."""
    path = tmp_path / "secrets.toml"
    write_ring(path, WHOLE)
    return path


def test_a_copy_of_the_keys_is_whole_and_private(secrets: Path, tmp_path: Path) -> None:
    """L-35: the copy holds every key, byte for byte, and nobody else may read it."""
    copy = tmp_path / "copy.toml"
    backup_keys(secrets, copy)
    assert secrets.read_bytes() == copy.read_bytes()
    assert 0o600 == stat.S_IMODE(copy.stat().st_mode)
    assert all(WHOLE.all(kind) == read_ring(copy).all(kind) for kind in KeyKind)


def test_a_copy_of_the_keys_overwrites_nothing(secrets: Path, tmp_path: Path) -> None:
    """A file that is there stays as it is, also through a link; a place that is not there is named."""
    (tmp_path / "copy.toml").write_text("mine", encoding="utf-8")
    (tmp_path / "link.toml").symlink_to(tmp_path / "copy.toml")
    for name in ("copy.toml", "link.toml"):
        with pytest.raises(SettingsError, match=r"already: give the copy another name. Nothing was written"):
            backup_keys(secrets, tmp_path / name)
    assert "mine" == (tmp_path / "copy.toml").read_text(encoding="utf-8")
    with pytest.raises(SettingsError, match=r"cannot be written \(No such file or directory\)"):
        backup_keys(secrets, tmp_path / "nowhere" / "copy.toml")
    with pytest.raises(SettingsError, match="already"):
        backup_keys(secrets, secrets)


def test_a_damaged_secrets_file_is_not_copied(secrets: Path, tmp_path: Path) -> None:
    """A copy is made of keys that can be read, so that nobody relies on one that cannot."""
    secrets.write_text(secrets.read_text(encoding="utf-8")[:200], encoding="utf-8")
    with pytest.raises(SettingsError, match=r"secrets.toml is damaged"):
        backup_keys(secrets, tmp_path / "copy.toml")
    assert not (tmp_path / "copy.toml").exists()


def test_a_place_that_is_full_keeps_no_half_of_a_copy(secrets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the copy does not come back as it was written, none is left to be relied on."""
    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", lambda _descriptor: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        with pytest.raises(SettingsError, match=r"could not be written .No space left on device.. Nothing was kept"):
            backup_keys(secrets, secrets.with_name("copy.toml"))
    assert not secrets.with_name("copy.toml").exists()


def test_whole_keys_have_no_findings(secrets: Path, database_url: str, journal_url: str, clock: FixedClock) -> None:
    """Where every key that anything rests on is there, and the file is private, there is nothing to say."""
    store = open_store(database_url, journal_url, clock, keys=WHOLE)
    begin(store)
    store.write(add_note())
    assert [] == Keyring(store).check(secrets)
    secrets.chmod(0o640)
    assert ["secrets.toml has mode 0640: run `chmod 600 secrets.toml`."] == Keyring(store).check(secrets)
    store.close()


@pytest.mark.parametrize("kind", list(KeyKind))
def test_a_missing_kind_is_named(database_url: str, journal_url: str, clock: FixedClock, kind: KeyKind) -> None:
    """Every kind of key is asked for, and the finding says how to make one."""
    store = open_store(database_url, journal_url, clock, keys=WHOLE)
    begin(store)
    findings = check_keys(without(WHOLE, kind), store)
    assert f"There is no {kind.value} key: run `dispatcher keys rotate {kind.value}`." == findings[0]
    assert (2 if kind is KeyKind.JOURNAL else 1) == len(findings)
    store.close()


def test_a_lost_hash_key_is_said_plainly(database_url: str, journal_url: str, clock: FixedClock) -> None:
    """L-35: a lost hash key is lost suppressions: the finding counts them and names the only remedy."""
    store = open_store(database_url, journal_url, clock, keys=WHOLE)
    begin(store)
    add_client(store, 1)
    objections = [Suppression(KeyedHash("2", digest * 64), None, "objection", clock()) for digest in "ab"]
    store.write(lambda t: answers.suppress(t.connection, objections, t.suppressed_for))
    store.write(lambda t: clients.adopt_external(t.connection, 1, KeyedHash("3", "c" * 64)))
    lost, unknown = check_keys(WHOLE, store)
    assert lost.startswith("Hash key '2' is lost, and 2 suppressions with it: whoever said no there is no longer")
    assert "`dispatcher keys backup` made; nothing else brings them back" in lost
    assert "Hash key '3' is lost: 1 clients are no longer known by their customer number" in unknown
    store.close()


def test_a_lost_journal_key_is_said_plainly(database_url: str, journal_url: str, clock: FixedClock) -> None:
    """L-34: a journal that nobody can read brings nothing back; keys made anew under the old ids are told apart."""
    store = open_store(database_url, journal_url, clock, keys=WHOLE)
    begin(store)
    lost = check_keys(KeyRing({**{kind: WHOLE.all(kind) for kind in KeyKind}, KeyKind.JOURNAL: ()}), store)
    assert "Journal key '1' is lost: the journal cannot be read" in lost[-1]
    store.close()
    made_anew = open_store(database_url, journal_url, clock, keys=new_ring())
    assert ["The journal is damaged at record 1"] == [
        finding.partition(":")[0] for finding in check_keys(made_anew.ring, made_anew)
    ]
    made_anew.close()


def test_a_rotation_is_an_entry(database_url: str, journal_url: str, clock: FixedClock) -> None:
    """Who made which key the current one, and when, is in the ledger; the key itself is not."""
    store = open_store(database_url, journal_url, clock, keys=WHOLE)
    begin(store)
    Keyring(store).record_rotation(KeyKind.TOKEN, "2", OWNER)
    with store.reading() as connection:
        entry = next(ledger.entries(connection, [EntryKind.KEYS.value]))
    assert ("person:1", {"event": "rotated", "kind": "token", "key": "2"}) == (entry.actor, entry.data())
    store.close()
