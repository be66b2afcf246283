"""The demo replaces what an earlier demo wrote, and nothing else."""

from pathlib import Path

import pytest

from dispatcher.demo.places import MARKER, choose, make_room
from dispatcher.errors import RefusedError


def test_a_demo_replaces_an_earlier_one(tmp_path: Path) -> None:
    """What the earlier run wrote is gone; a file that somebody put beside it stays."""
    output = tmp_path / "demo-output"
    places = choose(output)
    make_room(places)
    (places.mail / "0001.eml").write_text("old", encoding="utf-8")
    places.inbox.write_text("old", encoding="utf-8")
    (output / "mine.txt").write_text("mine", encoding="utf-8")
    make_room(choose(output))
    assert ["mine.txt"] == [path.name for path in output.iterdir() if path.is_file() and path.name != MARKER]
    assert [] == list(places.mail.iterdir())


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    """A folder without the marker is not touched, and the message says what to type."""
    (tmp_path / "thesis.txt").write_text("years of work", encoding="utf-8")
    with pytest.raises(RefusedError, match="holds something else than a demo: name a new folder with --output DIR"):
        choose(tmp_path)
    assert ["thesis.txt"] == [path.name for path in tmp_path.iterdir()]


def test_an_empty_folder_will_do(tmp_path: Path) -> None:
    """An empty folder holds nothing that could be lost."""
    make_room(choose(tmp_path))
    assert (tmp_path / MARKER).is_file()


def test_a_file_is_refused(tmp_path: Path) -> None:
    """A file cannot be the folder of a demo."""
    (tmp_path / "notes").touch()
    with pytest.raises(RefusedError, match="is not a folder"):
        choose(tmp_path / "notes")


def test_a_link_is_taken_away_and_not_followed(tmp_path: Path) -> None:
    """Where somebody made `mail` a link to their own folder, the link goes and the folder stays."""
    own = tmp_path / "own"
    own.mkdir()
    (own / "letter.txt").touch()
    places = choose(tmp_path / "demo")
    make_room(places)
    places.mail.rmdir()
    places.mail.symlink_to(own)
    make_room(places)
    assert (own / "letter.txt").exists()
    assert not places.mail.is_symlink()


def test_a_place_that_cannot_be_written_is_refused() -> None:
    """Trouble with the disk is a sentence, not a traceback."""
    with pytest.raises(RefusedError, match="cannot write to"):
        make_room(choose(Path("/proc/demo-output")))
