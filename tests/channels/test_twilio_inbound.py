"""Asking Twilio what came in: every page, only by its EU host, and never an empty list for an answer that failed."""

import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.channels import CameIn
from dispatcher.channels.twilio import TwilioCarrier, TwilioSettings
from dispatcher.channels.twilio_answers import Answer, came_in_of
from dispatcher.demo.twilio_double import TwilioDouble
from dispatcher.errors import ChannelError

OURS, NUMBER = "+358401110000", "+358401234567"
SETTINGS = TwilioSettings("AC1", "SK1", "hunter2", OURS, timeout_seconds=5)
DAY = date(2026, 5, 4)
NOON = datetime(2026, 5, 4, 9, tzinfo=UTC)
ROW = {
    "sid": "SM1",
    "from": NUMBER,
    "body": "STOP",
    "direction": "inbound",
    "date_created": "Mon, 04 May 2026 09:00:00 +0000",
}


@pytest.fixture(scope="module")
def twilio() -> Iterator[TwilioDouble]:
    """Give one double for the tests of this file."""
    with TwilioDouble("AC1", "SK1", "hunter2") as double:
        yield double


def carrier(twilio: TwilioDouble, **changes: str) -> TwilioCarrier:
    """Return a carrier that asks the double."""
    return TwilioCarrier(replace(SETTINGS, base_url=twilio.base_url, **changes))  # type: ignore[arg-type] # words only


def test_every_page_is_read_oldest_first(twilio: TwilioDouble) -> None:
    """S-35: more than one page of texts, of that day and since, comes in the order in which they were sent."""
    sids = [twilio.text_in(NUMBER, OURS, f"hei {n}", at=NOON + timedelta(seconds=n)) for n in range(502)]
    twilio.text_in(NUMBER, OURS, "eilen", at=NOON - timedelta(days=1))
    twilio.text_in(NUMBER, "+358409999999", "muille", at=NOON)
    found = carrier(twilio).came_in(DAY)
    assert sids == [each.provider_id for each in found]
    assert CameIn(sids[0], NUMBER, NOON, "hei 0") == found[0]
    assert NUMBER not in repr(found[0])
    assert () == carrier(twilio).came_in(DAY + timedelta(days=1))


def test_a_list_is_asked_of_the_host_in_the_eu() -> None:
    """S-20: the list is asked of the same European host as everything else."""
    assert TwilioCarrier(SETTINGS).host == "api.dublin.ie1.twilio.com"


@pytest.mark.parametrize(
    ("status", "says"),
    [(401, "check account_sid"), (404, "check account_sid"), (429, "asked too often"), (500, "answered 500")],
)
def test_what_is_refused_is_no_empty_list(twilio: TwilioDouble, status: int, says: str) -> None:
    """Invariant 10: a refusal says what to do, and nobody takes it for nothing having come in."""
    twilio._on_list = lambda _: status
    try:
        with pytest.raises(ChannelError, match=says):
            carrier(twilio).came_in(DAY)
    finally:
        twilio._on_list = lambda _: None


def test_keys_that_are_wrong_say_so(twilio: TwilioDouble) -> None:
    """S-21: keys of another region or account are refused, and the error names what to check."""
    with pytest.raises(ChannelError, match="twilio_api_secret"):
        carrier(twilio, api_secret="wrong").came_in(DAY)


def test_nobody_there_is_no_empty_list() -> None:
    """Invariant 10: without an answer the error says so."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(ChannelError, match="did not answer"):
        TwilioCarrier(replace(SETTINGS, base_url=f"http://127.0.0.1:{port}")).came_in(DAY)


def test_silence_ends_by_our_own_timeout() -> None:
    """S-25: a server that takes the question and says nothing is left after the settings' own time."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings = replace(SETTINGS, base_url=f"http://127.0.0.1:{silent.getsockname()[1]}", timeout_seconds=0.3)
        with pytest.raises(ChannelError, match="did not answer"):
            TwilioCarrier(settings).came_in(DAY)


@pytest.mark.parametrize(
    "row",
    [
        ROW | {"sid": None},
        ROW | {"sid": "SM 1"},
        ROW | {"from": None},
        ROW | {"date_created": "yesterday"},
        ROW | {"body": 7},
        "a row",
    ],
)
def test_a_row_that_is_none_makes_no_list(row: object) -> None:
    """Invariant 10: of a list that is not understood nothing is believed."""
    with pytest.raises(ChannelError, match="is not understood"):
        came_in_of([Answer(200, {}, {"messages": [ROW, row]})])


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(list(ROW)), inner, max_size=4),
)


@given(rows=ANYTHING, status=st.sampled_from([200, 200, 200, 204, 302, 400, 503]))
def test_whatever_comes_is_a_list_or_an_error(rows: object, status: int) -> None:
    """Invariant 10: any JSON at all is read as texts that have a name, a number and a moment, or refused whole."""
    try:
        found = came_in_of([Answer(status, {}, {"messages": rows})])
    except ChannelError:
        return
    assert status == 200
    assert all(each.provider_id and each.at.tzinfo for each in found)


def test_a_picture_without_words_came_in_too() -> None:
    """S-33: what has no words is a text all the same; what we sent is none."""
    rows = [ROW | {"body": None}, ROW | {"sid": "SM2", "direction": "outbound-api", "from": None}]
    assert (CameIn("SM1", NUMBER, NOON, ""),) == came_in_of([Answer(200, {}, {"messages": rows})])


def test_a_row_that_comes_twice_came_in_once() -> None:
    """S-35: a page that was turned while another text came in repeats a row."""
    page = Answer(200, {}, {"messages": [ROW]})
    assert 1 == len(came_in_of([page, page]))
