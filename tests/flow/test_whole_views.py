"""Who sees clients whole: owner and staff do; an auditor sees masked addresses by every door (GDPR 32)."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from dispatcher.errors import RefusedError
from dispatcher.flow import breach
from dispatcher.flow.standing import standing
from dispatcher.rules.actor import Actor, Role, duty
from dispatcher.rules.campaign import Channel
from dispatcher.rules.rights import IdentityCheck
from dispatcher.wiring import Dispatcher
from tests.workshop import Workshop

MAIJA = "1;Maija;Meikäläinen;maija@posti.example;040 123 4567;fi;1.5.2026;kyllä;kyllä;1.5.2026"

Look = Callable[[Dispatcher, int, Actor], object]


def notified(dispatcher: Dispatcher, actor: Actor) -> object:
    """Return whom to notify after somebody has seen the database, whole."""
    found = breach.scope(dispatcher.store, dispatcher.policy, breach.Place.DATABASE, None, None)
    return found.to_notify(dispatcher.store, actor)


LOOKS: dict[str, Look] = {
    "copy": lambda each, client, actor: each.access.copy(client, actor),
    "asked": lambda each, client, actor: each.access.asked(client, IdentityCheck.KNOWN, actor),
    "receipt": lambda each, client, actor: each.receipts.make(client, tuple(Channel), actor),
    "ask list": lambda each, _, actor: each.asking.ask_list(actor),
    "breach": lambda each, _, actor: notified(each, actor),
    "show": lambda each, client, actor: standing(each.store, each.policy, client, actor).addresses,
}


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_only_owner_and_staff_see_a_client_whole(workshop: Workshop, look: Look) -> None:
    """Each whole view is for owner and staff; not for an auditor, for who works here no longer, or for a duty."""
    workshop.clock.set(datetime(2026, 5, 20, 9, tzinfo=UTC))
    with workshop.opened() as dispatcher:
        owner = dispatcher.persons.acting(None)
        dispatcher.enrol.run(workshop.register(MAIJA), owner)
        client = dispatcher.register.find("Maija")
        auditor = dispatcher.persons.add("Tarkka Tilintarkastaja", Role.AUDITOR, owner)
        gone = dispatcher.persons.add("Entinen Esimerkki", Role.STAFF, owner)
        dispatcher.persons.end(gone.name, owner)
        staff = dispatcher.persons.add("Saara Esimerkki", Role.STAFF, owner)
        for nobody in (auditor.actor, gone.actor, duty("retention")):
            with pytest.raises(RefusedError, match=r"An auditor sees masked addresses: .*--as NAME"):
                look(dispatcher, client, nobody)
        assert [] == dispatcher.requests.listed(only_open=False)
        assert look(dispatcher, client, staff.actor)
        assert look(dispatcher, client, owner)
