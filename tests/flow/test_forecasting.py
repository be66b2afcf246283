"""The forecast over a real register."""

from datetime import timedelta

import pytest

from dispatcher.flow import audience
from dispatcher.rules.campaign import Channel
from tests.workshop import Workshop

ROWS = (
    "1;Maija;M;maija@posti.example;0401234561;fi;3.1.2026;kyllä;kyllä;3.2.2026",
    "2;Eero;M;eero@posti.example;;fi;3.1.2026;kyllä;kyllä;28.2.2026",  # no number: his yes to texts opens nothing
    "3;Aili;M;aili@posti.example;;fi;3.1.2026;kyllä;;1.3.2026",
    "4;Otto;M;otto@posti.example;;fi;3.1.2026;kyllä;;1.11.2025",  # ended
    "5;Elli;M;elli@posti.example;;fi;3.1.2026;peruttu;;1.3.2026",
    "6;Tapio;M;tapio@posti.example;;fi;3.1.2026;;;",
    "7;Seija;M;seija@posti.example;;fi;3.1.2026;kyllä;;",  # a yes without its day
)


def ends(workshop: Workshop) -> dict[str, tuple[int, int]]:
    """Return the months in which a yes ends: how many by email and by text message."""
    with workshop.opened() as dispatcher:
        months = dispatcher.forecasting.run()
    return {f"{each.month:%Y-%m}": (each.ends[Channel.EMAIL], each.ends[Channel.SMS]) for each in months if each.total}


@pytest.mark.parametrize("chunk", [500, 2])
def test_only_yeses_that_stand_and_open_something_count(
    workshop: Workshop, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By channel and local month; an ended, withdrawn or undated yes does not count; chunks change nothing."""
    monkeypatch.setattr(audience, "CHUNK", chunk)
    with workshop.opened() as dispatcher:
        dispatcher.enrol.run(workshop.register(*ROWS), dispatcher.persons.acting(None))
    assert {"2027-02": (2, 1), "2027-03": (1, 0)} == ends(workshop)


def test_a_renewed_yes_moves_to_its_new_month(workshop: Workshop) -> None:
    """A later yes takes the place of the earlier one: each client counts once, where the last one ends."""
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        dispatcher.enrol.run(workshop.register(ROWS[2]), actor)
        workshop.clock.advance(timedelta(days=1))
        dispatcher.enrol.run(workshop.register(ROWS[2].replace("1.3.2026", "24.11.2026")), actor)
    assert {"2027-11": (1, 0)} == ends(workshop)
