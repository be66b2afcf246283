"""The public links against whatever anybody may send: no 500, and no 200 to a POST unless the no is on disk."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from dispatcher.links import OptOut, OptOutLinks
from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import Reply
from dispatcher.storage.journal import JournalKind
from tests.web.conftest import Office, site

FEW = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=150,
    suppress_health_check=list(HealthCheck),  # one installation serves them all
)
METHODS = st.sampled_from(["GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE", "PURGE", "get"])
BODIES = st.one_of(
    st.binary(max_size=200),
    st.sampled_from(
        [
            b"List-Unsubscribe=One-Click",
            b"less=pause",
            b"less=email&less=sms",
            b"more=email",
            b"only=offer",
            b"x" * 20_000,
            b'--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n',
            b'--b\r\nContent-Disposition: form-data; name="',
        ]
    ),
)
VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=60)
HEADERS = st.dictionaries(
    st.sampled_from(
        ["accept-language", "content-type", "origin", "cookie", "x-forwarded-for", "authorization", "accept", "te"]
    ),
    VALUES,
    max_size=4,
)
PATHS = st.sampled_from(["/u/", "/U/", "/r/", "/join/", "/JOIN/", "/metrics", "/health/", "/static/", "/"])
GARBAGE = st.text(max_size=60).map(lambda text: "".join(f"%{byte:02x}" for byte in text.encode("utf-8", "replace")))


@dataclass(frozen=True, slots=True)
class Target:
    """An installation, who calls it, and how many clients have been made up for it."""

    office: Office
    links: OptOutLinks

    def noes(self, number: int) -> int:
        """Return how many noes of a client are in the ledger, each of which is in the journal as well."""
        kept = [each for each in self.office.entries() if each.client == number]
        records = [
            record
            for record in self.office.dispatcher.store.journal.records()
            if record.kind is JournalKind.NO and record.body["client"] == number
        ]
        noes = sum(each.data()["reply"] == Reply.WITHDRAWN.value for each in kept)
        assert noes == len(records)
        return noes


@pytest.fixture
def target(office: Office) -> Iterator[Target]:
    """Give the whole public application, with nobody counting broken links."""
    app = site(office.dispatcher, broken_per_minute=1_000_000)
    with TestClient(app, base_url=office.dispatcher.studio.public_url, follow_redirects=False) as caller:
        yield Target(Office(office.dispatcher, caller, office.key), office.dispatcher.links)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_any_request_to_any_link(target: Target) -> None:
    """E-15: whatever path, method, header and body, the answer is one of ours, and nothing is put on record."""
    before = len(target.office.entries())

    @FEW
    @given(PATHS, GARBAGE, METHODS, BODIES, HEADERS)
    @example("/u/", "%00", "POST", b"", {})
    def ask(path: str, rest: str, method: str, body: bytes, headers: dict[str, str]) -> None:
        told = {name.encode(): value.encode("latin-1") for name, value in headers.items()}
        answer = target.office.caller.request(method, path + rest, content=body, headers=told)
        assert answer.status_code in {200, 204, 404, 405}
        assert not (answer.status_code == 200 and method == "POST" and path.lower() == "/u/")
        assert "set-cookie" not in answer.headers

    ask()
    assert before == len(target.office.entries())


def test_a_no_is_kept_whatever_comes_with_it(target: Target) -> None:
    """E-06, E-11: with any body and headers, 200 to a POST means that the no is in ledger and journal; no 500 ever."""
    number = iter(range(1, 10_000))

    @settings(FEW, max_examples=40)
    @given(st.sampled_from(Channel), BODIES.filter(lambda body: b"less=" not in body and b"more=" not in body), HEADERS)
    def leave(channel: Channel, body: bytes, headers: dict[str, str]) -> None:
        client = next(number)
        told = {name.encode(): value.encode("latin-1") for name, value in headers.items()}
        path = f"/u/{target.links.token(OptOut(client, channel))}"
        answer = target.office.caller.post(path, content=body, headers=told)
        assert (200, 1) == (answer.status_code, target.noes(client))

    leave()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_token_that_was_altered_leaves_nobody(target: Target) -> None:
    """E-15: a token with any characters changed, lost or doubled is a stranger's, or still the same client's."""
    whole = target.links.token(OptOut(77, Channel.EMAIL))

    @FEW
    @given(st.integers(0, len(whole)), st.integers(0, 4), st.text("abcdefghijklmnopqrstuvwxyz234567", max_size=4))
    def alter(place: int, lost: int, put: str) -> None:
        token = whole[:place] + put + whole[place + lost :]
        answer = target.office.caller.post(f"/u/{token}")
        assert answer.status_code == (200 if token == whole else 404)

    alter()
    assert {77} >= {each.client for each in target.office.entries() if each.client is not None}
