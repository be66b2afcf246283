"""A date that is kept, a draft that is revised, and what becomes of both."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from dispatcher.errors import CampaignFileError, NoSlotError, NotFoundError, RefusedError
from dispatcher.flow.freezing import Frozen
from dispatcher.rules.actor import Actor, duty
from dispatcher.rules.budget import Slot
from dispatcher.rules.campaign import Campaign, Channel, Kind, State
from dispatcher.rules.ledger import EntryKind, stamp
from dispatcher.storage import ledger, slots
from dispatcher.wiring import Dispatcher
from tests.workshop import ZONE, Workshop

MOMENT = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)
DAY = date(2026, 12, 1)


def bare(name: str, moment: datetime = MOMENT, kind: Kind = Kind.OFFER) -> Campaign:
    """Return a campaign of nothing but a name and a moment."""
    return Campaign(name, f"Kampanja {name}", kind, moment, (Channel.EMAIL,), {}, "offer")


def owner(dispatcher: Dispatcher) -> Actor:
    """Return the installation's owner."""
    return dispatcher.persons.acting(None)


def near(dispatcher: Dispatcher) -> list[Slot]:
    """Return the slots that count around the day."""
    with dispatcher.store.reading() as connection:
        return slots.near(connection, DAY)


def told(dispatcher: Dispatcher, number: int) -> list[tuple[str, object, str]]:
    """Return what the ledger tells of a campaign: kind, event and actor."""
    with dispatcher.store.reading() as connection:
        kept = [entry for entry in ledger.entries(connection) if entry.campaign == number]
    return [(entry.kind, entry.data().get("event"), entry.actor) for entry in kept]


def test_a_reservation_holds_a_slot_without_content(workshop: Workshop) -> None:
    """A date is kept under the year's check; who kept it and when is in the ledger, and nothing of it is ever due."""
    with workshop.opened() as dispatcher:
        taken = dispatcher.schedule.reserve(DAY, Kind.OFFER, "Joulun tarjous", owner(dispatcher))
        assert (f"reservation-{taken.id}", DAY, 1) == (taken.name, taken.day, taken.in_year)
        assert [Slot(DAY, "Joulun tarjous")] == near(dispatcher)
        by = "person:1"
        assert [("campaign", "reserved", by), ("slot", "taken", by)] == told(dispatcher, taken.id)
        workshop.clock.set(MOMENT)
        assert [] == dispatcher.lifecycle.due(duty("planning"))
        assert () == dispatcher.audit.year(2026).findings


def test_a_reservation_is_the_thirteenth_too(workshop: Workshop) -> None:
    """L-23: twelve reservations are twelve; the next is refused with the first free date, and nothing is left of it."""
    with workshop.opened() as dispatcher:
        for each in range(12):
            dispatcher.schedule.reserve(DAY + timedelta(days=each), Kind.OFFER, f"R{each}", owner(dispatcher))
        with pytest.raises(NoSlotError, match="The first free date is 2027-12-01"):
            dispatcher.schedule.reserve(DAY + timedelta(days=20), Kind.OFFER, "R12", owner(dispatcher))
        assert 12 == len(dispatcher.lifecycle.all()) == len(near(dispatcher))


@pytest.mark.parametrize(
    ("day", "title", "why"),
    [
        (date(2026, 11, 22), "Eilen", "2026-11-22 is over"),
        (DAY, "  ", "1 to 200 characters"),
        (DAY, "x" * 201, "1 to 200 characters"),
        (DAY, "a\u202eb", "hidden character"),
    ],
)
def test_what_cannot_be_reserved(workshop: Workshop, day: date, title: str, why: str) -> None:
    """A date that is over, and a title nobody can read, are refused with what to do; today can be kept."""
    with workshop.opened() as dispatcher:
        with pytest.raises(RefusedError, match=why):
            dispatcher.schedule.reserve(day, Kind.OFFER, title, owner(dispatcher))
        assert [] == dispatcher.lifecycle.all()
        assert 1 == dispatcher.schedule.reserve(date(2026, 11, 23), Kind.OFFER, "Tänään", owner(dispatcher)).in_year


def test_a_file_of_that_date_and_kind_takes_the_reservation(workshop: Workshop) -> None:
    """Content follows: the file's campaign is the reserved one from then on, with one slot, and the answer says so."""
    with workshop.opened() as dispatcher:
        kept = dispatcher.schedule.reserve(DAY, Kind.OFFER, "Joulu", owner(dispatcher))
        taken = dispatcher.schedule.run(workshop.campaign("joulu", MOMENT), owner(dispatcher))
        assert (kept.id, kept.name, None) == (taken.id, taken.reservation, taken.moved_from)
        found = dispatcher.lifecycle.named("joulu")
        assert (State.SCHEDULED, "Kampanja joulu", MOMENT) == (found.state, found.title, found.send_at)
        assert [Slot(DAY, "Kampanja joulu")] == near(dispatcher)
        assert () == dispatcher.audit.year(2026).findings
        with pytest.raises(NotFoundError):
            dispatcher.lifecycle.named(kept.name)


def test_another_kind_or_date_takes_a_slot_of_its_own(workshop: Workshop) -> None:
    """Nothing is guessed: only the very date and kind is what was reserved."""
    with workshop.opened() as dispatcher:
        dispatcher.schedule.reserve(DAY, Kind.OFFER, "Joulu", owner(dispatcher))
        other = dispatcher.schedule.take(bare("a", kind=Kind.TREATMENT_DAY), {}, owner(dispatcher))
        later = dispatcher.schedule.take(bare("b", MOMENT + timedelta(days=1)), {}, owner(dispatcher))
        assert (None, None, 3) == (other.reservation, later.reservation, len(near(dispatcher)))


def test_of_two_reservations_one_is_named(workshop: Workshop) -> None:
    """Where two fit, the refusal names both and what to type; `--for` takes a name or a number, on any date."""
    with workshop.opened() as dispatcher:
        one, two = (dispatcher.schedule.reserve(DAY, Kind.OFFER, title, owner(dispatcher)) for title in ("A", "B"))
        with pytest.raises(RefusedError, match=rf"{one.name} \(A\), {two.name} \(B\).*--for {one.name}"):
            dispatcher.schedule.take(bare("a"), {}, owner(dispatcher))
        taken = dispatcher.schedule.take(bare("a"), {}, owner(dispatcher), uses=two.name)
        assert (two.id, two.name) == (taken.id, taken.reservation)
        moved = dispatcher.schedule.take(
            bare("b", MOMENT + timedelta(days=9), Kind.TREATMENT_DAY), {}, owner(dispatcher), uses=str(one.id)
        )
        assert (one.id, DAY) == (moved.id, moved.moved_from)
        assert [DAY, DAY + timedelta(days=9)] == [slot.date for slot in near(dispatcher)]
        for name, why in (("a", "not a reservation"), ("reservation-99", "no reservation")):
            with pytest.raises((RefusedError, NotFoundError), match=why):
                dispatcher.schedule.take(bare("c"), {}, owner(dispatcher), uses=name)


def test_a_scheduled_file_does_not_take_a_second_slot(workshop: Workshop) -> None:
    """`--for` with a file that has a slot of its own is refused: one campaign, one slot."""
    with workshop.opened() as dispatcher:
        dispatcher.schedule.take(bare("a", MOMENT + timedelta(days=1)), {}, owner(dispatcher))
        kept = dispatcher.schedule.reserve(DAY, Kind.OFFER, "A", owner(dispatcher))
        with pytest.raises(RefusedError, match="has a slot of its own"):
            dispatcher.schedule.take(bare("a"), {}, owner(dispatcher), uses=kept.name)


@pytest.mark.parametrize("is_draft", [False, True])
def test_what_is_empty_when_its_date_ends_lapses(workshop: Workshop, *, is_draft: bool) -> None:
    """A slot comes back when its local date has ended with nothing scheduled, not a minute before."""
    with workshop.opened() as dispatcher:
        if is_draft:
            number = dispatcher.schedule.take(bare("a"), {}, owner(dispatcher)).id
            dispatcher.lifecycle.revise("a", owner(dispatcher))
        else:
            number = dispatcher.schedule.reserve(DAY, Kind.OFFER, "A", owner(dispatcher)).id
        name = dispatcher.lifecycle.all()[0].name
        midnight = datetime(2026, 12, 2, tzinfo=ZONE)
        workshop.clock.set(midnight - timedelta(seconds=1))
        assert [] == dispatcher.lifecycle.lapse()
        workshop.clock.set(midnight)
        dispatcher.lifecycle.due(duty("planning"))
        found = dispatcher.lifecycle.named(name)
        assert (State.CANCELLED, "lapsed", []) == (found.state, found.held_reason, near(dispatcher))
        by = "duty:planning"
        assert [("campaign", "lapsed", by), ("slot", "returned", by)] == told(dispatcher, number)[-2:]
        assert [] == dispatcher.lifecycle.lapse()
        assert () == dispatcher.audit.year(2026).findings


def test_a_lapsed_slot_is_free_though_no_sender_ran(workshop: Workshop) -> None:
    """Whoever counts slots lets lapse first: the thirteenth fits where one of the twelve was never written."""
    with workshop.opened() as dispatcher:
        dispatcher.schedule.reserve(DAY, Kind.OFFER, "Tyhjä", owner(dispatcher))
        for each in range(1, 12):
            dispatcher.schedule.reserve(DAY + timedelta(days=each), Kind.OFFER, f"R{each}", owner(dispatcher))
        with pytest.raises(NoSlotError):
            dispatcher.schedule.reserve(DAY + timedelta(days=20), Kind.OFFER, "R12", owner(dispatcher))
        workshop.clock.set(datetime(2026, 12, 2, tzinfo=ZONE))
        assert 12 == dispatcher.schedule.reserve(DAY + timedelta(days=20), Kind.OFFER, "R12", owner(dispatcher)).in_year
        assert () == dispatcher.audit.year(2026).findings


def test_a_draft_keeps_its_slot_and_moves_with_its_file(workshop: Workshop) -> None:
    """Revised and scheduled again for another date, a campaign is the same one, with its new words and one slot."""
    with workshop.opened() as dispatcher:
        first = dispatcher.schedule.run(workshop.campaign("a", MOMENT), owner(dispatcher))
        dispatcher.lifecycle.revise("a", owner(dispatcher))
        assert (State.DRAFT, [Slot(DAY, "Kampanja a")]) == (dispatcher.lifecycle.named("a").state, near(dispatcher))
        workshop.clock.advance(timedelta(hours=1))
        later = MOMENT + timedelta(days=14)
        path = workshop.campaign("a", later, more="valid_until = 2026-12-31")
        second = dispatcher.schedule.run(path, owner(dispatcher))
        assert (first.id, DAY, 1) == (second.id, second.moved_from, second.in_year)
        assert [Slot(date(2026, 12, 15), "Kampanja a")] == near(dispatcher)
        with dispatcher.store.reading() as connection:
            prepared = dispatcher.plan._press.frozen(connection, dispatcher.lifecycle.named("a"))
        assert date(2026, 12, 31) == prepared.campaign.valid_until
        assert ["scheduled", "taken", "revised", "scheduled", "taken"] == [
            at for _, at, _ in told(dispatcher, first.id)
        ]
        assert () == dispatcher.audit.year(2026).findings


def test_a_sender_never_sends_the_words_of_before(workshop: Workshop) -> None:
    """What a running sender has compiled is let go when a campaign gets new content, and its old moment with it."""
    with workshop.opened() as dispatcher:
        dispatcher.schedule.run(workshop.campaign("a", MOMENT), owner(dispatcher))
        found = dispatcher.lifecycle.named("a")
        with dispatcher.store.reading() as connection:
            old = dispatcher.plan._press.frozen(connection, found).campaign
        dispatcher.lifecycle.revise("a", owner(dispatcher))
        workshop.clock.advance(timedelta(minutes=1))
        later = MOMENT + timedelta(days=3)
        dispatcher.schedule.run(workshop.campaign("a", later, channels=["sms"]), owner(dispatcher))
        workshop.clock.set(MOMENT)
        dispatcher.plan.run(found)  # found due before it was revised
        assert State.SCHEDULED is dispatcher.lifecycle.named("a").state
        with dispatcher.store.reading() as connection:
            new = dispatcher.plan._press.frozen(connection, found).campaign
        assert ((Channel.EMAIL, Channel.SMS), (Channel.SMS,)) == (old.channels, new.channels)


def test_a_draft_moves_only_where_there_is_room(workshop: Workshop) -> None:
    """Invariant 3: a new date takes the slot again; refused, the draft keeps the one it had."""
    with workshop.opened() as dispatcher:
        dispatcher.schedule.take(bare("a"), {}, owner(dispatcher))
        dispatcher.lifecycle.revise("a", owner(dispatcher))
        for each in range(12):
            dispatcher.schedule.reserve(date(2028, 3, 1 + each), Kind.OFFER, f"R{each}", owner(dispatcher))
        with pytest.raises(NoSlotError):
            dispatcher.schedule.take(bare("a", MOMENT.replace(year=2028)), {}, owner(dispatcher))
        assert State.DRAFT is dispatcher.lifecycle.named("a").state
        assert DAY in [slot.date for slot in near(dispatcher)]


def test_a_held_campaign_can_be_revised(workshop: Workshop) -> None:
    """What is held and has not begun goes back to a draft as well, and its reason is gone with it."""
    with workshop.opened() as dispatcher:
        dispatcher.schedule.take(bare("a"), {}, owner(dispatcher))
        dispatcher.lifecycle.hold("a", owner(dispatcher))
        dispatcher.lifecycle.revise("a", owner(dispatcher))
        found = dispatcher.lifecycle.named("a")
        assert (State.DRAFT, None) == (found.state, found.held_reason)


def test_now_is_in_ten_minutes(workshop: Workshop) -> None:
    """`schedule --now` shows its moment; until then nothing is due, and revise or cancel undoes it."""
    with workshop.opened() as dispatcher:
        path = workshop.campaign("a", MOMENT)
        for undo in (dispatcher.lifecycle.revise, dispatcher.lifecycle.cancel):
            taken = dispatcher.schedule.run(path, owner(dispatcher), now=True)
            assert workshop.clock() + timedelta(minutes=10) == taken.send_at
            workshop.clock.advance(timedelta(minutes=10, seconds=-1))
            assert [] == dispatcher.lifecycle.due(duty("planning"))
            undo("a", owner(dispatcher))
            workshop.clock.advance(timedelta(minutes=1))
            assert [] == dispatcher.lifecycle.due(duty("planning"))
        taken = dispatcher.schedule.run(path, owner(dispatcher), now=True)
        workshop.clock.set(taken.send_at)
        assert ["a"] == [each.name for each in dispatcher.lifecycle.due(duty("planning"))]
        with dispatcher.store.reading() as connection:
            entry = list(ledger.entries(connection, [EntryKind.CAMPAIGN.value]))[-1]
        assert stamp(taken.send_at) == entry.data()["send_at"]


class Seen:
    """A proof that has seen one content."""

    def __init__(self) -> None:
        self.known = ""
        self.asked: list[str] = []

    def require(self, path: Path, frozen: Frozen, actor: Actor) -> list[str]:
        """Refuse every other content."""
        del path, actor
        self.asked.append(frozen.content_hash)
        if frozen.content_hash != self.known:
            raise RefusedError("Nobody has seen it.")
        return ["seen"]


def test_only_tested_content_is_scheduled(workshop: Workshop) -> None:
    """A test send of the present content comes first: one byte more, and it has to be tested anew."""
    with workshop.opened() as dispatcher:
        proof = Seen()
        dispatcher.schedule._proof = proof
        path = workshop.campaign("a", MOMENT)
        with pytest.raises(RefusedError, match="Nobody has seen it"):
            dispatcher.schedule.run(path, owner(dispatcher))
        assert [] == near(dispatcher)
        [proof.known] = proof.asked
        taken = dispatcher.schedule.run(path, owner(dispatcher))
        assert (1, "seen") == (taken.in_year, taken.remarks[-1])
        dispatcher.lifecycle.cancel("a", owner(dispatcher))
        path.write_text(path.read_text(encoding="utf-8") + "# \n", encoding="utf-8")
        with pytest.raises(RefusedError, match="Nobody has seen it"):
            dispatcher.schedule.run(path, owner(dispatcher))


def test_no_test_goes_out_of_what_is_refused_anyway(workshop: Workshop) -> None:
    """Whoever gets no slot is not shown what would have gone into it, and nothing of the try stays."""
    with workshop.opened() as dispatcher:
        proof = Seen()
        dispatcher.schedule._proof = proof
        late = workshop.campaign("late", MOMENT - timedelta(days=400))
        with pytest.raises(CampaignFileError, match="has passed"):
            dispatcher.schedule.run(late, owner(dispatcher))
        assert ([], []) == (proof.asked, near(dispatcher))
