"""Choices that come at a bad moment: from a page of yesterday, or after a restore; nobody is told what is not so."""

from datetime import UTC, datetime, time, timedelta

import pytest
from starlette.testclient import TestClient

from dispatcher.links import OptOut, Renewal
from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import Place, Reply
from dispatcher.rules.wishes import Less
from dispatcher.texts import text
from dispatcher.web.public import create_app
from dispatcher.wiring import Dispatcher
from tests.flow.clicking import leave_by_link
from tests.flow.joining import MAIJA, enlist, may_write
from tests.web.conftest import everything
from tests.web.test_choices import FI, Page, page
from tests.workshop import Workshop

__all__ = ["page"]


def visitor_of(dispatcher: Dispatcher) -> TestClient:
    """Return somebody who opens links of this installation."""
    app = create_app(dispatcher.preferences, dispatcher.studio, dispatcher.store.clock, renewing=dispatcher.renewing)
    return TestClient(app, base_url=dispatcher.studio.public_url, follow_redirects=False)


@pytest.mark.parametrize("less", Less)
def test_a_choice_that_cannot_be_kept_is_not_called_kept(workshop: Workshop, less: Less) -> None:
    """E-11: of a client whom a restore forgot only a no can be kept; a choice is answered with 503 and that button."""
    copy = workshop.directory / "copy.db"
    with workshop.opened() as dispatcher:
        owner = dispatcher.persons.acting(None)
        dispatcher.safekeeping.backup(copy)
        link = OptOut(enlist(dispatcher, {Channel.EMAIL: MAIJA}, Channel.EMAIL), Channel.EMAIL)
        token = dispatcher.links.token(link)
        dispatcher.preferences.choose(link, Less.FEW)
        dispatcher.safekeeping.restore(copy)
    with workshop.opened() as dispatcher, visitor_of(dispatcher) as visitor:
        dispatcher.safekeeping.replay(owner)
        before = everything(dispatcher.store)
        answer = visitor.post(f"/u/{token}", data={"less": less.value})
        assert 503 == answer.status_code
        assert text("page_chosen_title", FI) not in answer.text
        assert text("page_button", FI) in answer.text
        assert before == everything(dispatcher.store)
        assert 200 == visitor.post(f"/u/{token}").status_code
        assert before != everything(dispatcher.store)


def test_the_last_channel_that_is_closed_closes_everything(page: Page) -> None:
    """E-11: "by email only" from a page of before email was closed says that nothing comes, not that email does."""
    page.choose(Less.SMS)
    answer = page.choose(Less.EMAIL)
    assert not may_write(page.dispatcher, page.client)
    assert text("page_chosen_email", FI) not in answer.text
    assert text("page_done", FI) in answer.text
    assert [Reply.WITHDRAWN, Reply.WITHDRAWN] == [each.reply for each in page.said()][-2:]


def test_the_page_promises_no_day_on_which_nothing_comes(page: Page) -> None:
    """L-08: "until" a day includes that day, so that the page names the last whole one on which the yes holds."""
    [shown] = page.dispatcher.preferences.look_closely_at([OptOut(page.client, Channel.EMAIL)])
    through = shown.agreed[0].ends_on
    assert through is not None
    zone = page.dispatcher.policy.zone
    page.workshop.clock.set(datetime.combine(through, time(23, 59, 59), zone).astimezone(UTC))
    assert may_write(page.dispatcher, page.client)
    page.workshop.clock.advance(timedelta(days=1))
    assert not may_write(page.dispatcher, page.client)


def test_a_renewal_waits_until_the_noes_are_back(workshop: Workshop) -> None:
    """L-09, L-34: a copy from before a no shows a yes that no longer stands; it is not given anew before the replay."""
    copy = workshop.directory / "copy.db"
    with workshop.opened() as dispatcher:
        number = enlist(dispatcher, {Channel.EMAIL: MAIJA}, Channel.EMAIL)
        [yes] = [each.answer for each in dispatcher.register.history(number)]
        renewal = dispatcher.renewing._links.token(Renewal(number, Channel.EMAIL, yes.entry))
        dispatcher.safekeeping.backup(copy)
        leave_by_link(dispatcher.preferences, dispatcher.links.token(OptOut(number, Channel.EMAIL)), Place.LINK)
        dispatcher.safekeeping.restore(copy)
    with workshop.opened() as dispatcher, visitor_of(dispatcher) as visitor:
        before = everything(dispatcher.store)
        answer = visitor.post(f"/r/{renewal}", data={"yes": "fi"})
        assert (503, True) == (answer.status_code, text("renewal_failed", FI) in answer.text)
        assert before == everything(dispatcher.store)
