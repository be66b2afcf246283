"""What the tests of the command line share: two clients, what a command told, and who acted."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from dispatcher.wiring import opened, system_clock

ASKED = (system_clock() - timedelta(days=30)).strftime("%d.%m.%Y")
MAIJA = f"1;Maija;Meikäläinen;maija@posti.example;040 123 4567;fi;{ASKED};kyllä;kyllä;{ASKED}"
ANTE = f"2;Ánte;Ovdamearka;;040 123 4568;fi;{ASKED};;kyllä;{ASKED}"


@dataclass(frozen=True, slots=True)
class Told:
    """What a command did: its exit code, its result, and what it said beside it."""

    code: int
    out: str
    err: str

    def json(self) -> dict[str, Any]:
        """Return the one JSON object that was printed, with nothing before or after it."""
        found = json.loads(self.out)
        assert isinstance(found, dict)
        return found


Run = Callable[..., Told]
"""Runs the program with exactly these arguments."""


def actors(home: Path) -> list[str]:
    """Return who acted, entry by entry of the ledger."""
    from dispatcher.storage import ledger

    with opened(home) as dispatcher, dispatcher.store.reading() as connection:
        return [kept.actor for kept in ledger.entries(connection)]
