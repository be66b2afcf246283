"""Keys to sign mail by, made under a selector."""

import stat
from pathlib import Path

import pytest

from dispatcher.errors import RefusedError, SettingsError
from dispatcher.flow.dkim_keys import Algorithm, make_key
from dispatcher.keys import read_private
from dispatcher.rendering.dkim import SigningKey


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_a_key_is_made_with_its_record(tmp_path: Path, algorithm: Algorithm) -> None:
    """E-41: the file is its owner's alone, the key signs as asked, and the record is that of this key."""
    made = make_key(tmp_path, "s2", "studio.example", algorithm)
    path = tmp_path / made.file
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)
    key = SigningKey.from_pem("s2", read_private(path, path.name))
    assert (algorithm, made.record.text) == (key.algorithm, key.record)
    assert "s2._domainkey.studio.example" == made.record.name


def test_no_key_is_written_over(tmp_path: Path) -> None:
    """A selector that has a key keeps it: mail under way is verified by it."""
    make_key(tmp_path, "s1", "studio.example", Algorithm.ED25519)
    before = (tmp_path / "dkim-s1.pem").read_bytes()
    with pytest.raises(RefusedError, match="name a new selector"):
        make_key(tmp_path, "s1", "studio.example", Algorithm.RSA)
    assert before == (tmp_path / "dkim-s1.pem").read_bytes()


def test_what_is_no_selector_makes_no_file(tmp_path: Path) -> None:
    """A selector cannot lead out of the workspace; nothing is written then, nor where there is no folder."""
    with pytest.raises(RefusedError, match="is no selector"):
        make_key(tmp_path, "../s1", "studio.example", Algorithm.ED25519)
    with pytest.raises(SettingsError, match="cannot be written"):
        make_key(tmp_path / "gone", "s1", "studio.example", Algorithm.ED25519)
    assert [] == list(tmp_path.iterdir())
