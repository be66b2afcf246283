"""A link outlives a restore: who was forgotten comes back under the number their links carry."""

from datetime import timedelta
from pathlib import Path

from dispatcher.flow.concern import Concern
from dispatcher.links import OptOut
from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import ConsentState, Place
from tests.flow.clicking import leave_by_link, look_by_link
from tests.workshop import Workshop

ERIK = "2;Erik;Exempel;erik@posti.example;;sv;3.1.2026;kyllä;;3.1.2026"
MAIJA = "1;Maija;Meikäläinen;maija@posti.example;040 123 4567;fi;3.1.2026;kyllä;kyllä;3.1.2026"


def test_a_link_from_before_the_restore_still_stops_its_client(workshop: Workshop, tmp_path: Path) -> None:
    """Invariant 4: a link clicked after a restore that forgot the client silences them when they come back."""
    copy = tmp_path / "copy"
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        dispatcher.enrol.run(workshop.register(ERIK), actor)
        dispatcher.safekeeping.backup(copy)
        workshop.clock.advance(timedelta(hours=1))
        dispatcher.enrol.run(workshop.register(ERIK, MAIJA), actor)
        number = dispatcher.register.find("maija@posti.example")
        token = dispatcher.links.token(OptOut(number, Channel.EMAIL))
        dispatcher.safekeeping.restore(copy)
    with workshop.opened() as dispatcher:
        report = dispatcher.safekeeping.replay(actor)
        assert report.clients == 1
        assert Concern(None, None) == look_by_link(dispatcher.preferences, token)
        workshop.clock.advance(timedelta(hours=1))
        leave_by_link(dispatcher.preferences, token, Place.ONE_CLICK)
        workshop.clock.advance(timedelta(hours=1))
        dispatcher.enrol.run(workshop.register(ERIK, MAIJA), actor)
        assert dispatcher.register.find("maija@posti.example") == number
        consents = dispatcher.register.listed("maija@posti.example")[0].consents
        assert {consent.state for consent in consents.values()} == {ConsentState.WITHDRAWN}


def test_a_restore_of_the_newest_copy_brings_nobody_back(workshop: Workshop, tmp_path: Path) -> None:
    """Where the copy knows every client, the journal has nobody to remember."""
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        dispatcher.enrol.run(workshop.register(ERIK, MAIJA), actor)
        dispatcher.safekeeping.backup(tmp_path / "copy")
        dispatcher.safekeeping.restore(tmp_path / "copy")
    with workshop.opened() as dispatcher:
        assert dispatcher.safekeeping.replay(actor).clients == 0
