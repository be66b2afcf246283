"""A new key breaks no link: neither those that are out, nor those that another process makes with it just now."""

import pytest
from starlette.testclient import TestClient

from dispatcher.keys import KeyKind, read_ring, write_ring
from dispatcher.links import OptOut, OptOutLinks
from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import ConsentState
from dispatcher.settings import SECRETS
from dispatcher.web.site import site_of
from dispatcher.wiring import Dispatcher
from tests.workshop import Workshop

ROW = "1;Maija;Meikäläinen;maija@posti.example;040 123 4567;sv;3.1.2026;kyllä;kyllä;3.1.2026"


def rotate(workshop: Workshop) -> OptOutLinks:
    """Rotate the key of links as `dispatcher keys rotate token` does, and return what makes them from now on."""
    path = workshop.directory / SECRETS
    write_ring(path, read_ring(path).with_new(KeyKind.TOKEN))
    return OptOutLinks(read_ring(path), "https://m.tunturituuli.example")


def is_out(dispatcher: Dispatcher) -> bool:
    """Say whether the one client has left every channel."""
    return {ConsentState.WITHDRAWN} == {each.state for each in dispatcher.register.listed()[0].consents.values()}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("is_new", [False, True])
def test_a_rotation_breaks_no_link(workshop: Workshop, *, is_new: bool) -> None:
    """E-10: a link made before the rotation works after a restart, and one made after it works without any."""
    with workshop.opened() as dispatcher:
        dispatcher.enrol.run(workshop.register(ROW), dispatcher.persons.acting(None))
        link = OptOut(dispatcher.register.find("maija@posti.example"), Channel.EMAIL)
        old = dispatcher.links.token(link)
        new = rotate(workshop).token(link)
        assert old != new
        assert old == dispatcher.links.token(link)
        if is_new:
            with TestClient(site_of(dispatcher)) as visitor:
                assert 200 == visitor.post(f"/u/{new}").status_code
            assert is_out(dispatcher)
    if not is_new:
        with workshop.opened() as dispatcher, TestClient(site_of(dispatcher)) as visitor:
            assert new == dispatcher.links.token(link)
            assert 200 == visitor.post(f"/u/{old}").status_code
            assert is_out(dispatcher)
