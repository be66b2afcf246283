"""What a mail says of its reader and of the yes it relies on is what the register and the ledger have of them."""

import asyncio
import quopri
from datetime import UTC, datetime

import pytest

from dispatcher.rules.campaign import Language
from dispatcher.rules.consent import Place
from dispatcher.texts import why_text
from tests.workshop import Doubles, Workshop

_MOMENT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
_MAIJA = "1;Maija;Meikäläinen;maija@posti.example;;fi;3.1.2026;kyllä;;{asked}"


@pytest.mark.parametrize(
    ("said", "asked", "told"),
    [
        ('place = "phone"\nasked_column = "lupa annettu"', "3.2.2026", (Place.PHONE, "3.2.2026")),
        ('place = "online"\nasked_column = "lupa annettu"', "1.2.2026 23:30", (Place.ONLINE, "1.2.2026")),
        ('place = "in_person"\nnot_before = 2026-02-01\nnot_after = 2026-03-31', "", (Place.IN_PERSON, "")),
    ],
)
def test_the_mail_tells_the_answer_itself(
    said: str, asked: str, told: tuple[Place, str], workshop: Workshop, doubles: Doubles
) -> None:
    """L-22: place and local day come from the answer; a yes given on one of several days is told without a day."""
    settings = workshop.directory / "dispatcher.toml"
    written = settings.read_text(encoding="utf-8")
    settings.write_text(
        written.replace('place = "online"\nasked_column = "lupa annettu"', said, 1),
        encoding="utf-8",
    )
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        dispatcher.enrol.run(workshop.register(_MAIJA.format(asked=asked)), actor)
        dispatcher.schedule.run(workshop.campaign("a", _MOMENT), actor)
        workshop.clock.set(_MOMENT)
        asyncio.run(dispatcher.rounds.once())
    (mail,) = doubles.smtp.received
    assert 2 == quopri.decodestring(mail.content).decode("utf-8").count(why_text(*told, Language.FI))


@pytest.mark.parametrize(
    ("column", "cell", "greeting"),
    [("etunimi", "Maija", "Hei Maija!"), ("nimi", "Maija Meikäläinen", "Hei!"), ("etunimi", "", "Hei!")],
)
def test_only_a_first_name_of_its_own_column_is_greeted_by(
    column: str, cell: str, greeting: str, workshop: Workshop, doubles: Doubles
) -> None:
    """Nobody guesses which part of a whole name is the first: without a column of its own the greeting does without."""
    header = f"asiakasnumero;{column};sähköposti;kieli;viimeisin käynti;markkinointilupa;tekstiviestilupa;lupa annettu"
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        row = f"1;{cell};maija@posti.example;fi;3.1.2026;kyllä;;3.1.2026"
        dispatcher.enrol.run(workshop.register(row, header=header), actor)
        dispatcher.schedule.run(workshop.campaign("a", _MOMENT), actor)
        workshop.clock.set(_MOMENT)
        asyncio.run(dispatcher.rounds.once())
    (mail,) = doubles.smtp.received
    words = quopri.decodestring(mail.content).decode("utf-8")
    assert (1, 1) == (words.count(f"\r\n{greeting}\r\n"), words.count(f">{greeting}<"))
