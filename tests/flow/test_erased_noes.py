"""What an erasure leaves: a keyed hash where somebody objected, which no older yes opens, and else nothing."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from dispatcher.errors import NotFoundError, RefusedError
from dispatcher.flow.answering import Said
from dispatcher.flow.concern import Concern
from dispatcher.flow.correcting import Correction
from dispatcher.links import OptOut
from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import Answer, ConsentState, Place, Reply, fold
from dispatcher.rules.ledger import answer_entry
from dispatcher.rules.rights import IdentityCheck
from dispatcher.storage.answers import hash_label
from dispatcher.storage.tables import SuppressionTable
from tests.byte_scan import found_in
from tests.flow.clicking import leave_by_link, look_by_link
from tests.flow.erasure import HASHED, MAIJA, READABLE, enrol, erase, standing, suppressions, unna
from tests.workshop import Workshop

NOON = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


def test_without_an_objection_nothing_stays_and_the_client_is_new(studio: Workshop) -> None:
    """L-33: who was erased without having objected comes back as somebody new, under a new number."""
    with studio.opened() as dispatcher:
        enrol(studio, dispatcher, unna())
        before = dispatcher.register.find("+358407654321")
        erase(dispatcher)
        assert [] == suppressions(dispatcher)
        with pytest.raises(NotFoundError):
            dispatcher.register.find(str(before))
        enrol(studio, dispatcher, unna("", ""))
        after = dispatcher.register.find("+358407654321")
        assert before != after
        assert dict.fromkeys(Channel, ConsentState.NEVER_ASKED) == standing(dispatcher, str(after))


@pytest.mark.parametrize("channel", [None, *Channel])
def test_an_objection_stays_as_a_keyed_hash(studio: Workshop, channel: Channel | None) -> None:
    """L-35: for an objection a keyed hash of each address stays, for the channel that was named."""
    with studio.opened() as dispatcher:
        enrol(studio, dispatcher, unna())
        actor = dispatcher.persons.acting(None)
        dispatcher.preferences.withdraw(dispatcher.register.find("+358407654321"), actor, channel)
        studio.clock.advance(timedelta(days=1))
        report = erase(dispatcher)
        ring = dispatcher.store.ring
        wanted = sorted((ring.hashed(hash_label(kind), address).digest, channel or "") for kind, address in HASHED[::2])
        assert wanted == suppressions(dispatcher)
        assert date(2028, 2, 21) == report.objections_until
        enrol(studio, dispatcher, unna())
        closed = {channel} if channel else set(Channel)
        assert {kind: ConsentState.WITHDRAWN if kind in closed else ConsentState.GRANTED for kind in Channel} == (
            standing(dispatcher, "+358407654321")
        )


def test_an_objection_yields_to_a_later_yes_or_its_own_end_and_to_nothing_else(studio: Workshop) -> None:
    """L-36: an import of the yes from before does not lift it, a yes given since does, and so does its last day."""
    with studio.opened() as dispatcher:
        enrol(studio, dispatcher, unna())
        actor = dispatcher.persons.acting(None)
        dispatcher.preferences.withdraw(dispatcher.register.find("+358407654321"), actor)
        erase(dispatcher)
        said = studio.clock()
        studio.clock.set(said + timedelta(days=10))
        enrol(studio, dispatcher, unna())
        assert ConsentState.WITHDRAWN is standing(dispatcher, "+358407654321")[Channel.EMAIL]
        later = unna().replace("3.10.2026", "1.12.2026")
        enrol(studio, dispatcher, later)
        assert dict.fromkeys(Channel, ConsentState.GRANTED) == standing(dispatcher, "+358407654321")
        studio.clock.set(said + timedelta(days=455))
        with pytest.raises(RefusedError):
            dispatcher.retention.run(actor)
        assert [] == suppressions(dispatcher)


@pytest.mark.parametrize(
    ("answers", "again", "is_kept"),
    [
        pytest.param(("ei", "ei"), ("", ""), False, id="never-a-yes"),
        pytest.param(("kyllä", "ei"), ("", ""), False, id="a-yes-that-stands"),
        pytest.param(("kyllä", "kyllä"), ("ei", "ei"), True, id="a-yes-taken-back"),
    ],
)
def test_a_no_at_a_booking_is_no_objection(
    studio: Workshop, answers: tuple[str, str], again: tuple[str, str], *, is_kept: bool
) -> None:
    """A no to the question leaves nothing; one that took back a yes has to keep an older export from reviving it."""
    with studio.opened() as dispatcher:
        enrol(studio, dispatcher, unna(*answers))
        studio.clock.advance(timedelta(days=1))
        enrol(studio, dispatcher, unna(*again).replace("3.10.2026", "20.11.2026"))
        erase(dispatcher)
        assert is_kept is bool(suppressions(dispatcher))
        enrol(studio, dispatcher, unna("kyllä", "kyllä"))
        found = set(standing(dispatcher, "+358407654321").values())
        assert {ConsentState.WITHDRAWN if is_kept else ConsentState.GRANTED} == found


ANSWERS = st.lists(
    st.tuples(st.sampled_from(list(Reply)), st.sampled_from([None, *Channel]), st.integers(min_value=0, max_value=30)),
    max_size=6,
)


@given(said=ANSWERS)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_suppression_stands_exactly_for_what_was_closed(
    studio: Workshop, said: list[tuple[Reply, Channel | None, int]]
) -> None:
    """Property: after an erasure nothing about the client is readable, and what a verdict said no to it still does."""
    studio.clock.set(NOON)
    with studio.opened() as dispatcher:
        enrol(studio, dispatcher, unna("", ""))
        number, now = dispatcher.register.find("+358407654321"), studio.clock()
        given_answers = [
            Answer(0, reply, channel, now - timedelta(days=day), now - timedelta(days=day), now, Place.DESK, "0" * 64)
            for reply, channel, day in said
            if channel is not None or reply is not Reply.GRANTED
        ]
        entries = [answer_entry(answer, number, dispatcher.persons.acting(None)) for answer in given_answers]
        dispatcher.store.write(lambda transaction: transaction.ledger.append(*entries))
        consents = {channel: fold(given_answers, channel, now) for channel in Channel}
        yeses = [answer for answer in given_answers if answer.reply is Reply.GRANTED]
        erase(dispatcher)
        kept = suppressions(dispatcher)
        for channel, consent in consents.items():
            was_yes = fold(yeses, channel, now).state is ConsentState.GRANTED
            is_closed = consent.objected or (consent.state is ConsentState.DECLINED and was_yes)
            assert is_closed is any(each in {"", channel.value} for _, each in kept)
        assert set() == found_in([studio.directory], READABLE)
        with dispatcher.store.database.writing() as connection:
            connection.execute(delete(SuppressionTable))


def test_a_no_for_a_corrected_address_keeps_the_yes_of_the_one_before_away(studio: Workshop) -> None:
    """An older export has the old address and its yes still: who said no since and was erased gets nothing there."""
    with studio.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        enrol(studio, dispatcher, unna())
        studio.clock.advance(timedelta(days=1))
        new, number = Correction(email="uusi.jaljeton@posti.example"), dispatcher.register.find("+358407654321")
        dispatcher.correcting.correct(number, new, IdentityCheck.KNOWN, actor, said=(Reply.DECLINED, Place.PHONE))
        studio.clock.advance(timedelta(days=1))
        erase(dispatcher)
        enrol(studio, dispatcher, unna())
        wanted = {Channel.EMAIL: ConsentState.WITHDRAWN, Channel.SMS: ConsentState.GRANTED}
        assert wanted == standing(dispatcher, "+358407654321")


def test_the_yes_of_a_child_does_not_come_back_with_an_export(studio: Workshop) -> None:
    """L-36: the mark goes with the child; what the register still says opens nothing, a yes given since does."""
    with studio.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        enrol(studio, dispatcher, unna())
        dispatcher.marks.mark_child(dispatcher.register.find("+358407654321"), actor)
        studio.clock.advance(timedelta(days=1))
        assert {"email", "sms"} == set(erase(dispatcher).as_json()["objections"])  # type: ignore[arg-type]
        enrol(studio, dispatcher, unna())
        assert dict.fromkeys(Channel, ConsentState.WITHDRAWN) == standing(dispatcher, "+358407654321")
        studio.clock.set(datetime(2026, 12, 2, 10, 0, tzinfo=UTC))
        enrol(studio, dispatcher, unna().replace("3.10.2026", "1.12.2026"))
        assert dict.fromkeys(Channel, ConsentState.GRANTED) == standing(dispatcher, "+358407654321")


def test_the_yes_of_a_child_stays_away_after_a_restore(studio: Workshop, tmp_path: Path) -> None:
    """L-34: a copy from before the erasure keeps what was left behind for the child, from the journal."""
    with studio.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        enrol(studio, dispatcher, unna(), MAIJA)
        dispatcher.marks.mark_child(dispatcher.register.find("+358407654321"), actor)
        dispatcher.safekeeping.backup(tmp_path / "copy")
        erase(dispatcher)
        kept = suppressions(dispatcher)
        dispatcher.safekeeping.restore(tmp_path / "copy")
    with studio.opened() as dispatcher:
        dispatcher.safekeeping.replay(dispatcher.persons.acting(None))
        assert kept == suppressions(dispatcher)
        enrol(studio, dispatcher, unna(), MAIJA)
        assert dict.fromkeys(Channel, ConsentState.WITHDRAWN) == standing(dispatcher, "+358407654321")


def test_a_child_without_a_yes_leaves_nothing(studio: Workshop) -> None:
    """L-33: where nothing could come back, nothing is kept of a child either."""
    with studio.opened() as dispatcher:
        enrol(studio, dispatcher, unna("", "ei"))
        dispatcher.marks.mark_child(dispatcher.register.find("+358407654321"), dispatcher.persons.acting(None))
        erase(dispatcher)
        assert [] == suppressions(dispatcher)


@pytest.mark.parametrize("reply", [Reply.DECLINED, Reply.WITHDRAWN])
def test_a_no_is_kept_for_the_addresses_from_before(studio: Workshop, reply: Reply) -> None:
    """L-31, L-36: without a phone to know the client by, an old export brings them back under the earlier address."""
    alone = unna("kyllä", "").replace("040 765 4321", "")
    with studio.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        enrol(studio, dispatcher, alone)
        number = dispatcher.register.find(READABLE[0])
        studio.clock.advance(timedelta(days=1))
        dispatcher.correcting.correct(number, Correction(email=READABLE[1]), IdentityCheck.KNOWN, actor)
        studio.clock.advance(timedelta(days=1))
        dispatcher.answering.record(number, [Said(reply, Channel.EMAIL, Place.PHONE)], actor)
        studio.clock.advance(timedelta(days=1))
        erase(dispatcher, str(number))
        enrol(studio, dispatcher, alone)
        assert ConsentState.WITHDRAWN is standing(dispatcher, READABLE[0])[Channel.EMAIL]


def test_no_byte_of_an_address_from_before_is_left(studio: Workshop, places: Callable[[], list[Path]]) -> None:
    """L-33, L-35: what is kept for an earlier address is its keyed hash; nothing readable stays."""
    with studio.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        enrol(studio, dispatcher, unna())
        number = dispatcher.register.find("+358407654321")
        dispatcher.correcting.correct(number, Correction(email=READABLE[1]), IdentityCheck.KNOWN, actor)
        dispatcher.preferences.withdraw(number, actor)
        assert erase(dispatcher).is_wiped
        ring = dispatcher.store.ring
        wanted = [(ring.hashed(hash_label(way), address).digest, "") for way, address in HASHED]
        assert sorted(wanted) == suppressions(dispatcher)
    assert set() == found_in(places(), READABLE)


def test_the_link_of_an_erased_client_stops_nothing_and_says_so(studio: Workshop) -> None:
    """L-33, L-35: nothing leads from the number of before to the new one, so that the old link has nobody behind it."""
    with studio.opened() as dispatcher:
        enrol(studio, dispatcher, unna())
        link = OptOut(dispatcher.register.find("+358407654321"), Channel.EMAIL)
        token = dispatcher.links.token(link)
        assert not look_by_link(dispatcher.preferences, token).is_gone
        erase(dispatcher)
        enrol(studio, dispatcher, unna())
        assert Concern(None, None, is_gone=True) == look_by_link(dispatcher.preferences, token)
        newest = dispatcher.links.token(OptOut(dispatcher.register.find("+358407654321"), Channel.EMAIL))
        leave_by_link(dispatcher.preferences, newest, Place.LINK)
        assert dict.fromkeys(Channel, ConsentState.WITHDRAWN) == standing(dispatcher, "+358407654321")
