"""Messages drawn from a year, the same by anybody, each with the answer it relied on and the form's picture."""

import asyncio
import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from dispatcher.demo.smtp_double import SmtpDouble
from dispatcher.demo.twilio_double import TwilioDouble
from dispatcher.storage import access_log
from tests.clock import FixedClock
from tests.flow.test_sources import MAIJA, PNG, WORDS, add, enrol
from tests.flow.two_campaigns import FIRST, a_year
from tests.workshop import ACCOUNT, API_KEY, API_SECRET, Doubles, Workshop, build


def test_the_same_seed_draws_the_same_messages(workshop: Workshop) -> None:
    """What is drawn depends on the seed and on nothing else: an independent draw comes to the same."""
    with workshop.opened() as dispatcher:
        a_year(workshop, dispatcher)
        actor = dispatcher.persons.acting(None)
        every = dispatcher.sampling.draw(2026, 100, "x", actor)
        drawn = {seed: dispatcher.sampling.draw(2026, 3, seed, actor) for seed in ("x", "y", "z", "w")}
        again = dispatcher.sampling.draw(2026, 3, "x", actor)
        none = dispatcher.sampling.draw(2025, 3, "x", actor)
    assert (5, 5) == (every.left, len(every.messages))
    assert again == drawn["x"]
    names = [each.message for each in every.messages]
    for seed, found in drawn.items():
        smallest = sorted(names, key=lambda name: hashlib.sha256(f"{seed}/{name}".encode()).hexdigest())[:3]
        assert set(smallest) == {each.message for each in found.messages}
    assert (0, ()) == (none.left, none.messages)


def test_a_message_belongs_to_the_year_in_which_it_left(
    tmp_path: Path, clock: FixedClock, database_url: str, journal_url: str
) -> None:
    """What was tried in vain on the last day of a year and left in the next is drawn from the next alone."""
    eve = datetime(2026, 12, 31, 18, 0, tzinfo=UTC)
    replies = iter(["451 4.3.0 come back later"])
    with (
        SmtpDouble(lambda _: next(replies, None)) as smtp,
        TwilioDouble(ACCOUNT, API_KEY, API_SECRET) as twilio,
    ):
        workshop = build(tmp_path / "studio", clock, database_url, journal_url, Doubles(smtp, twilio))
        with workshop.opened() as dispatcher:
            actor = dispatcher.persons.acting(None)
            dispatcher.enrol.run(
                workshop.register("1;Maija;Meikäläinen;maija@posti.example;;fi;3.10.2026;kyllä;;3.10.2026"), actor
            )
            dispatcher.schedule.run(workshop.campaign("one", eve), actor)
            for hours in range(14):
                workshop.clock.set(eve + timedelta(hours=hours))
                asyncio.run(dispatcher.rounds.once())
            drawn = {year: dispatcher.sampling.draw(year, 3, "x", actor) for year in (2026, 2027)}
    assert [("2027-01-01", "accepted")] == [(f"{each.day}", each.state) for each in drawn[2027].messages]
    assert (0, ()) == (drawn[2026].left, drawn[2026].messages)


def test_each_message_is_drawn_with_its_answer_and_its_words(workshop: Workshop) -> None:
    """The answer is that of the client the message went to, a yes to its channel, with words and who recorded it."""
    with workshop.opened() as dispatcher:
        a_year(workshop, dispatcher)
        drawn = dispatcher.sampling.draw(2026, 10, "x", dispatcher.persons.acting(None))
        with dispatcher.store.reading() as connection:
            look = access_log.looks(connection)[-1]
    for each in drawn.messages:
        assert each.relied is not None
        assert ("granted", each.channel, each.client) == (
            each.relied.answer.reply.value,
            each.relied.answer.channel,
            each.relied.client,
        )
        assert each.relied.wording
        assert "accepted" == each.state
    assert json.loads(json.dumps(drawn.as_json()))["messages"][0]["answer"]["wording"]
    assert ("audit sample", 3) == (look.act, look.clients)


def test_the_picture_of_the_form_comes_with_it(workshop: Workshop, tmp_path: Path) -> None:
    """D-01: an answer that came off a form leads to the picture of that form."""
    picture = tmp_path / "form.png"
    picture.write_bytes(PNG)
    with workshop.opened() as dispatcher:
        add(dispatcher, picture=picture)
        enrol(workshop, dispatcher, MAIJA)
        actor = dispatcher.persons.acting(None)
        dispatcher.schedule.run(workshop.campaign("one", FIRST), actor)
        workshop.clock.set(FIRST)
        asyncio.run(dispatcher.rounds.once())
        [drawn] = dispatcher.sampling.draw(2026, 3, "x", actor).messages
        assert drawn.relied is not None
        assert ("Slotti", WORDS) == (drawn.relied.source, drawn.relied.wording)
        assert hashlib.sha256(PNG).hexdigest() == drawn.relied.picture
        assert PNG == dispatcher.sampling.picture(drawn.relied.picture or "")
        assert dispatcher.sampling.picture("0" * 64) is None
