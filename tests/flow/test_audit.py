"""The audit of a year against real installations: what adds up, and what does not."""

import asyncio
import csv
import io
import json
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from dispatcher.flow.audit import Audit
from dispatcher.flow.audit_formats import to_csv, to_text
from dispatcher.flow.audit_tables import tables
from dispatcher.flow.audit_words import sentences
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.consent import Reply
from dispatcher.rules.ledger import Entry, EntryKind
from dispatcher.rules.processing import Processing
from dispatcher.rules.rights import IdentityCheck, RequestKind
from dispatcher.storage import handoffs
from dispatcher.storage.store import Store
from dispatcher.storage.writer import Transaction
from tests.clock import FixedClock
from tests.flow.conftest import Tamper
from tests.flow.two_campaigns import FIRST, ROWS, a_year
from tests.receipts import AT_HOME, PROCESSING
from tests.stores import OWNER, POLICY, say
from tests.workshop import OWNER as OWNER_NAME
from tests.workshop import Doubles, Workshop

REACH = "data from outside the EU. Why that was accepted:"


def test_a_year_adds_up(workshop: Workshop) -> None:
    """Invariant 9: what was sent, withheld and answered is recounted from the ledger, and fits every table."""
    heard: list[tuple[int, int]] = []
    with workshop.opened() as dispatcher:
        a_year(workshop, dispatcher)
        found = dispatcher.audit.year(2026, lambda done, total: heard.append((done, total)))
        other = dispatcher.audit.year(2025)
    assert () == found.findings
    assert ("2026 is still running: 2 campaigns so far, 6 to 12 are promised.",) == found.remarks
    told = json.loads(json.dumps(found.as_json()))
    one, two = told["campaigns"]
    none = {"planned": 0, "accepted": 0, "refused": 0, "unknown": 0}
    assert {
        "number": 1,
        "name": "one",
        "title": "Kampanja one",
        "kind": "offer",
        "day": "2026-11-24",
        "state": "finished",
        "planned": 3,
        "accepted": 3,
        "refused": 0,
        "unknown": 0,
        "open": 0,
        "withheld": {"channel_consent_missing": 1},
        "channels": {"email": none | {"planned": 2, "accepted": 2}, "sms": none | {"planned": 1, "accepted": 1}},
        "opted_out_after": 1,
        "complained": 0,
        "sms_parts": 1,
        "sms_cost": "0.08",
        "may_have_arrived": 0,
        "later": {},
        "delivered": 0,
        "bounced": 0,
    } == one
    assert (2, {"channel_consent_missing": 1, "objection": 1}, 0) == (
        two["accepted"],
        two["withheld"],
        two["opted_out_after"],
    )
    assert {
        "spent": 2,
        "declared": 0,
        "taken": 0,
        "floor": 6,
        "ceiling": 12,
        "most_in_365_days": 2,
        "days": ["2026-11-24", "2026-12-08"],
    } == told["slots"]
    assert {
        "accepted": 5,
        "unknown": 0,
        "restored": 0,
        "clients": 3,
        "most_per_client": 2,
        "most_per_address": 2,
        "by_channel": {"email": 3, "sms": 2},
        "spread": {"1": 1, "2": 2},
        "agreed": 5,
        "oldest_yes_days": 325,
        "ages": {"0-30": 0, "31-90": 0, "91-180": 0, "181-365": 5, "over 365": 0},
        "places": {"online": 5},
        "sms_parts": 2,
        "sms_cost": "0.16",
        "sms_without_price": 0,
    } == told["messages"]
    assert {"day": "2026-11-23", "visited": 3, "asked": 3, "percent": 100} == told["asked"]
    assert {
        "clients": 1,
        "withdrawn": 1,
        "declined": 0,
        "places": {"desk": 1},
        "median_seconds": 0,
        "longest_seconds": 0,
        "within": {"minute": 1, "hour": 0, "day": 0, "week": 0, "longer": 0},
        "untimed": 0,
        "withheld": 0,
        "in_hand": 0,
        "in_hand_left": 0,
        "left_after": 0,
    } == told["noes"]
    assert ([], [], {}, 0) == (told["requests"], told["letters"], told["held"], told["restores"])
    assert (True, True, []) == (told["ok"], told["chain"]["ok"], told["chain"]["breaks"])
    assert heard[-1] == (found.chain.entries, found.chain.entries)
    assert (0, 2, ()) == (other.slots.spent, other.slots.most_in_365_days, other.campaigns)


def test_a_campaign_half_way_adds_up_too(workshop: Workshop) -> None:
    """Messages that wait, and those given over to another channel meanwhile, are open on both sides."""
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        dispatcher.enrol.run(workshop.register(*ROWS), actor)
        dispatcher.schedule.run(workshop.campaign("one", FIRST), actor)
        workshop.clock.set(FIRST)
        dispatcher.plan.run(dispatcher.lifecycle.named("one"))
        dispatcher.preferences.withdraw(dispatcher.register.find("maija@posti.example"), actor, Channel.EMAIL)
        [planned] = dispatcher.audit.year(2026).campaigns
        # What a worker does before its hand-off: Erik gets his intent, Maija's message goes over to SMS.
        number = dispatcher.lifecycle.named("one").id
        claimed = dispatcher.store.write(
            lambda each: handoffs.claim(each.connection, number, each.now, each.now, 9, Channel.EMAIL)
        )
        asyncio.run(dispatcher.deliver._gate.decide(dispatcher.lifecycle.named("one"), claimed, FIRST.date()))
        found = dispatcher.audit.year(2026)
        [half] = found.campaigns
    assert () == found.findings
    assert (3, 3, 2) == (planned.planned, planned.open, planned.channels["email"].planned)
    assert ("sending", 3, 3, 0) == (half.state, half.planned, half.open, half.accepted)
    assert (1, 0) == (found.messages.most_per_client, found.messages.accepted)


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        (
            "UPDATE outbox SET state = 'refused' WHERE campaign = 1 AND channel = 'sms'",
            (
                "Campaign one (1): the ledger counts 1 accepted by sms, the outbox 0.",
                "Campaign one (1): the ledger counts 0 refused by sms, the outbox 1.",
            ),
        ),
        (
            "DELETE FROM outbox WHERE campaign = 2 AND reason = 'objection'",
            ("Campaign two (2): the ledger counts 1 withheld for objection, the outbox 0.",),
        ),
        (
            "UPDATE campaign SET title = 'Toinen' WHERE id = 2",
            ("Campaign two (2): its title is Kampanja two by the ledger and Toinen by its table.",),
        ),
        (
            "UPDATE slot SET day = '2026-12-09' WHERE campaign = 2",
            (
                "The ledger tells a slot on 2026-12-08 that is spent for campaign 2; the table of slots does not.",
                "The table of slots holds one on 2026-12-09 that is spent for campaign 2; the ledger does not tell it.",
            ),
        ),
    ],
)
def test_a_table_that_differs_from_the_ledger_is_a_finding(
    workshop: Workshop, statement: str, says: tuple[str, ...]
) -> None:
    """Invariant 9: the screens' tables are held against the ledger, and every difference is said."""
    with workshop.opened() as dispatcher:
        a_year(workshop, dispatcher)
        with dispatcher.store.database.writing() as connection:
            connection.execute(text(statement))
        found = dispatcher.audit.year(2026)
    assert not found.ok
    assert sorted(says) == sorted(found.findings)


def test_a_campaign_that_the_ledger_does_not_know_is_a_finding(workshop: Workshop) -> None:
    """Invariant 9: a campaign can neither be put into its table nor taken out of it unseen."""
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        dispatcher.schedule.run(workshop.campaign("one", FIRST), actor)
        with dispatcher.store.database.writing() as connection:
            connection.execute(text("UPDATE slot SET campaign = NULL"))
            connection.execute(text("DELETE FROM campaign_file"))
            connection.execute(text("UPDATE campaign SET id = 9"))
        findings = dispatcher.audit.year(2026).findings
    assert "Campaign one (9) is in its table; the ledger knows nothing of it." == findings[0]
    assert "Campaign one (1) is in the ledger; its table knows nothing of it." == findings[1]


def test_a_broken_ledger_is_a_finding_of_the_year(workshop: Workshop, tamper: Tamper) -> None:
    """Invariant 9: the year's audit verifies the chain first, and counts on over an entry that cannot be read."""
    with workshop.opened() as dispatcher:
        a_year(workshop, dispatcher)
        with dispatcher.store.reading() as connection:
            sends = "SELECT min(id) FROM ledger_entry WHERE kind = 'send'"
            number = connection.scalar(text(sends))
        tamper(dispatcher.store, "UPDATE ledger_entry SET body = substr(body, 2) WHERE id = :number", number=number)
        found = dispatcher.audit.year(2026)
    assert found.findings[0].startswith(f"Entry {number} (send, group ")
    assert f"Entry {number} (send) cannot be read." == found.findings[1]


def test_a_message_accepted_after_a_recorded_no_is_a_finding(store: Store, clock: FixedClock) -> None:
    """Invariant 1: however it came to be sent, the audit holds every message against the answers recorded before."""
    yes = say(store, 5, Reply.GRANTED, Channel.EMAIL, clock() - timedelta(days=9))
    no = say(store, 5, Reply.WITHDRAWN, None, clock() - timedelta(days=3))

    def send(transaction: Transaction) -> list[int]:
        about = {"client": 5, "campaign": 1, "channel": Channel.EMAIL}
        message = {"message": "a" * 32, "address": 1}
        sent = {**message, "answer": yes, "day": "2026-11-23"}
        done = {**message, "outcome": "accepted", "code": "250"}
        return transaction.ledger.append(
            Entry(EntryKind.SLOT, OWNER, campaign=1, body={"event": "spent", "day": "2026-11-23"}),
            *(
                Entry(kind, OWNER, body=body, **about)  # type: ignore[arg-type]
                for kind, body in (
                    (EntryKind.PLANNED, message),
                    (EntryKind.SEND, sent),
                    (EntryKind.OUTCOME, done),
                )
            ),
        )

    numbers = store.write(send)
    found = Audit(store, POLICY).year(2026)
    assert (
        f"Entry {numbers[2]} (send) relied on entry {yes}, but the answers of client 5 added up to withdrawn for email "
        f"at that moment (entry {no})."
    ) in found.findings
    assert (1, 0, True) == (found.messages.accepted, found.messages.agreed, found.chain.ok)


def test_the_campaigns_as_csv_open_safely(workshop: Workshop) -> None:
    """A title that begins as a formula does is put in as text; every count has its column."""
    with workshop.opened() as dispatcher:
        path = workshop.campaign("one", FIRST)
        path.write_text(
            path.read_text(encoding="utf-8").replace('"Kampanja one"', '"=1+1; \\"yksi\\""'), encoding="utf-8"
        )
        dispatcher.schedule.run(path, dispatcher.persons.acting(None))
        rows = list(csv.DictReader(io.StringIO(to_csv(dispatcher.audit.year(2026)))))
    [row] = rows
    assert ('\'=1+1; "yksi"', "one", "2026-11-24", "scheduled") == (row["title"], row["name"], row["day"], row["state"])
    counts = ("planned", "accepted", "open", "withheld", "email_planned", "sms_unknown", "opted_out_after")
    assert ["0"] * len(counts) == [row[count] for count in counts]


def test_the_audit_as_text_says_first_whether_every_promise_held(workshop: Workshop) -> None:
    """The verdict comes first, then the five questions; findings come before tables."""
    with workshop.opened() as dispatcher:
        a_year(workshop, dispatcher)
        whole = to_text(dispatcher.audit.year(2026)).splitlines()
        with dispatcher.store.database.writing() as connection:
            connection.execute(text("UPDATE campaign SET title = 'Toinen' WHERE id = 2"))
        broken = to_text(dispatcher.audit.year(2026)).splitlines()
        empty = to_text(dispatcher.audit.year(2020)).splitlines()
    assert "Marketing audit 2026. Every promise held." == whole[0]
    assert ["Marketing audit 2026. Not every promise held.", "", "How often?  2"] == broken[:3]
    assert "What went wrong?  1" in broken
    assert broken.index("What did not hold") < broken.index("Campaigns")
    assert "Campaigns: none." in empty
    assert {"Had each agreed?  5 of 5", "  The oldest yes was 325 days old."} <= set(whole)


def test_mail_beside_the_campaigns_and_requests_are_told(workshop: Workshop, doubles: Doubles) -> None:
    """E-34: what left beside the campaigns is counted by purpose, and requests by how long the answer took."""
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        dispatcher.enrol.run(workshop.register(*ROWS), actor)
        dispatcher.persons.reach(OWNER_NAME, actor, "FI", email="aino@tunturituuli.example")
        dispatcher.trial.run(workshop.campaign("one", FIRST), actor)
        client = dispatcher.register.find("maija@posti.example")
        request = dispatcher.requests.begin(client, RequestKind.ACCESS, IdentityCheck.KNOWN, actor)
        workshop.clock.advance(timedelta(days=3))
        dispatcher.requests.close(request, "done", actor)
        late = dispatcher.requests.begin(client, RequestKind.ERASURE, IdentityCheck.KNOWN, actor)
        found = dispatcher.audit.year(2026)
        workshop.clock.advance(timedelta(days=40))
        overdue = dispatcher.audit.year(2026)
    assert [("test", "email", 1, 1)] == [
        (each.purpose, each.channel, each.asked, each.accepted) for each in found.letters
    ]
    access, erasure = found.requests
    assert (1, 1, 0, 3, 3) == (
        access.opened,
        access.answered,
        access.open,
        access.median_days,
        access.longest_days,
    )
    assert ("erasure", 1, 0, 1, None) == (
        erasure.kind,
        erasure.opened,
        erasure.answered,
        erasure.open,
        erasure.longest_days,
    )
    [email, sms] = next(table for table in tables(found) if table.name == "carriers").rows
    assert (("email", 0, len(doubles.mailed())), ("sms", 0, 0)) == (email[:3], sms[:3])
    assert () == found.findings
    assert late > request
    [finding] = overdue.findings
    assert "A request for erasure of client" in finding
    assert finding.endswith("has no answer; it was due on 2026-12-26.")


def test_entries_out_of_order_are_recounted_by_their_number(store: Store, clock: FixedClock, tamper: Tamper) -> None:
    """Two writers number their entries across each other's groups: the recount takes them in order of number."""
    say(store, 5, Reply.GRANTED, Channel.EMAIL, clock() - timedelta(days=9))
    say(store, 5, Reply.WITHDRAWN, None, clock() - timedelta(days=3))
    whole = Audit(store, POLICY).year(2026)
    with store.reading() as connection:
        first, second = connection.scalars(text("SELECT id FROM ledger_entry WHERE kind = 'answer' ORDER BY id"))
    of = "SELECT group_id FROM ledger_entry WHERE id = :second"
    swapped = f"UPDATE ledger_entry SET group_id = CASE WHEN id = :first THEN ({of}) ELSE :group END"  # noqa: S608 - ours
    with store.reading() as connection:
        group = connection.scalar(text("SELECT group_id FROM ledger_entry WHERE id = :first"), {"first": first})
    tamper(store, f"{swapped} WHERE id IN (:first, :second)", first=first, second=second, group=group)
    moved = Audit(store, POLICY).year(2026)
    assert (True, False) == (whole.chain.ok, moved.chain.ok)
    assert whole.noes == moved.noes
    assert 1 == moved.noes.clients


@pytest.mark.parametrize("processing", [PROCESSING, AT_HOME, replace(PROCESSING, transfer_note=""), None])
def test_why_texts_may_go_by_a_company_outside_is_told(store: Store, processing: Processing | None) -> None:
    """L-42: the owner's reason is in every format, in the reader's language, where a company carries text messages."""
    found = Audit(store, POLICY, processing=processing).year(2026)
    says = [each for each in found.remarks if "outside the EU" in each]
    if processing is not PROCESSING:
        assert [] == says
        return
    assert [f"Text messages go by Twilio, whose people may reach {REACH} {PROCESSING.transfer_note}"] == says
    assert PROCESSING.transfer_note in " ".join(to_text(found).split())
    assert says[0] in json.loads(json.dumps(found.as_json()))["remarks"]
    finnish = " ".join(sentences(found.remarks, Language.FI))
    assert f"EU:n ulkopuolelta. Miksi se on hyväksytty: {PROCESSING.transfer_note}" in finnish
