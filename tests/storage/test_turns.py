"""A no goes first, from whichever process it comes, and nobody waits for ever."""

import threading
from pathlib import Path

import pytest

from dispatcher.storage.database import Database
from dispatcher.storage.turns import Turns


def test_nobody_begins_while_somebody_is_urgent(tmp_path: Path) -> None:
    """E-12: whoever is not urgent begins only once the urgent one has finished."""
    path, order = tmp_path / "d.db", []
    one, other = Turns(path, 30), Turns(path, 30)

    def begin() -> None:
        other.let_pass()
        order.append("other")

    thread = threading.Thread(target=begin)
    with one.urgent():
        thread.start()
        thread.join(0.05)
        order.append("urgent")
    thread.join(10)
    assert ["urgent", "other"] == order


def test_the_urgent_do_not_keep_each_other_waiting(tmp_path: Path) -> None:
    """Several may be urgent at the same time: the database itself puts them in order."""
    with Turns(tmp_path / "d.db", 30).urgent(), Turns(tmp_path / "d.db", 30).urgent():
        assert (tmp_path / "d.db-turn").stat().st_mode & 0o777 == 0o600


def test_patience_ends(tmp_path: Path) -> None:
    """A process that hangs with its turn keeps others no longer than their patience: then they ask the database."""
    with Turns(tmp_path / "d.db", 30).urgent():
        Turns(tmp_path / "d.db", 0.01).let_pass()


def test_without_a_file_everybody_asks_the_database(tmp_path: Path) -> None:
    """Where no file can be put beside the database, nothing is kept from anybody."""
    turns = Turns(tmp_path / "nowhere" / "d.db", 30)
    with turns.urgent():
        turns.let_pass()
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_an_urgent_transaction_goes_before_the_next_one(database_url: str) -> None:
    """A sender that writes without a break lets a no in after the transaction it is in."""
    order: list[str] = []
    sender, door = Database(database_url), Database(database_url)
    waits = threading.Event()

    def leave() -> None:
        assert door._turns is not None
        with door._turns.urgent():
            waits.set()
            with door.writing(urgent=True):
                order.append("no")

    thread = threading.Thread(target=leave)
    with sender.writing():
        thread.start()
        assert waits.wait(10)
    with sender.writing():
        order.append("campaign")
    thread.join(10)
    assert ["no", "campaign"] == order
    sender.close()
    door.close()
