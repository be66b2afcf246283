"""The record of processing comes from the settings, and a breach is told by whom it concerns (L-39)."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast

import pytest

from dispatcher.errors import RefusedError
from dispatcher.flow.breach import Place, Scope, scope
from dispatcher.flow.papers import Form, written
from dispatcher.flow.standing import in_words, standing, verdict_json
from dispatcher.rules.actor import Actor, ActorKind
from dispatcher.rules.blocks import Block, BlockReason, Field
from dispatcher.rules.campaign import Language
from dispatcher.rules.ledger import Entry, EntryKind
from dispatcher.rules.retention import EraseReason
from dispatcher.rules.rights import IdentityCheck, RequestKind
from dispatcher.storage.tables import ClientTable
from dispatcher.wiring import Dispatcher
from tests.workshop import Workshop

MOMENT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
DAY = date(2026, 11, 24)
MAIJA = "1;Maija;Meikäläinen;maija@posti.example;040 123 4567;fi;3.1.2026;kyllä;kyllä;3.1.2026"
ERIK = "2;Erik;;erik@posti.example;;sv;;ei;;3.1.2026"
ANTE = "3;Ánte;Ovdamearka;;040 123 4568;fi;3.1.2026;;kyllä;3.1.2026"


def send(workshop: Workshop, dispatcher: Dispatcher) -> None:
    """Import three clients and let a campaign go out to the two who said yes, on 24 November."""
    actor = dispatcher.persons.acting(None)
    dispatcher.enrol.run(workshop.register(MAIJA, ERIK, ANTE), actor)
    dispatcher.schedule.run(workshop.campaign("a", MOMENT), actor)
    workshop.clock.set(MOMENT)
    asyncio.run(dispatcher.rounds.once())


def told(dispatcher: Dispatcher, place: Place, since: date | None = None, until: date | None = None) -> Scope:
    """Return whom a breach of this place concerns."""
    return scope(dispatcher.store, dispatcher.policy, place, since, until)


def names(found: Scope) -> list[str]:
    """Return the first names of those a breach concerns."""
    return sorted(each.client.first_name for each in found.affected)


def test_a_breach_of_the_database_concerns_everybody(workshop: Workshop) -> None:
    """Everybody who was in the register by then is affected, each with the kinds of data that are kept of them."""
    with workshop.opened() as dispatcher:
        send(workshop, dispatcher)
        found = told(dispatcher, Place.DATABASE)
        assert ["Erik", "Maija", "Ánte"] == names(found)
        assert {"first_name": 3, "last_name": 2, "email": 2, "phone_number": 2, "last_visit": 2} == {
            kind: count for kind, count in found.kinds.items() if kind not in {"language", "answers", "messages"}
        }
        assert [] == names(told(dispatcher, Place.DATABASE, until=DAY - timedelta(days=2)))


def test_a_breach_of_a_provider_concerns_whom_it_carried_to(workshop: Workshop) -> None:
    """The mail server knows those who got mail, the SMS service those who got texts, in the days that are named."""
    with workshop.opened() as dispatcher:
        send(workshop, dispatcher)
        smtp, twilio = told(dispatcher, Place.SMTP, DAY, DAY), told(dispatcher, Place.TWILIO, DAY, DAY)
        assert (["Maija"], ["Ánte"]) == (names(smtp), names(twilio))
        assert {"first_name": 1, "phone_number": 1, "messages": 1} == twilio.kinds
        for since, until in ((DAY + timedelta(days=1), None), (None, DAY - timedelta(days=1))):
            assert [] == names(told(dispatcher, Place.SMTP, since, until))


def test_an_intent_without_an_outcome_counts(workshop: Workshop) -> None:
    """Who may have got a message is affected: what nobody knows is not left out."""
    with workshop.opened() as dispatcher:
        send(workshop, dispatcher)
        from sqlalchemy import update

        from dispatcher.storage.tables import OutboxTable

        dispatcher.store.write(lambda each: each.connection.execute(update(OutboxTable).values(provider=None)))
        assert ["Maija"] == names(told(dispatcher, Place.SMTP, DAY, DAY))


def test_the_removed_are_counted(workshop: Workshop) -> None:
    """Who has been removed since cannot be notified by this program; the count says so, for each place."""
    with workshop.opened() as dispatcher:
        send(workshop, dispatcher)
        number = dispatcher.register.find("Maija")
        from sqlalchemy import delete

        def erase(transaction: Any) -> None:
            transaction.connection.execute(delete(ClientTable).where(ClientTable.number == number))
            transaction.ledger.append(Entry(EntryKind.ERASED, Actor(ActorKind.DUTY, "retention"), client=number))

        with dispatcher.store.database.writing() as connection:
            from dispatcher.storage.tables import ClientAddressTable

            connection.execute(delete(ClientAddressTable).where(ClientAddressTable.client == number))
        dispatcher.store.write(erase)
        assert (["Erik", "Ánte"], 1) == (
            names(told(dispatcher, Place.DATABASE)),
            told(dispatcher, Place.DATABASE, DAY).gone,
        )
        assert 0 == told(dispatcher, Place.DATABASE, DAY + timedelta(days=1)).gone
        assert ([], 1) == (names(told(dispatcher, Place.SMTP)), told(dispatcher, Place.SMTP).gone)


def test_who_is_kept_for_a_block_is_counted_once(workshop: Workshop) -> None:
    """L-35: erased but for what a legal block keeps, a client is among the affected, and not removed as well."""
    with workshop.opened() as dispatcher:
        send(workshop, dispatcher)
        owner, number = dispatcher.persons.acting(None), dispatcher.register.find("Maija")
        until = workshop.clock().date() + timedelta(days=90)
        invoice = Block(BlockReason.OPEN_INVOICE, frozenset({Field.NAME}), until)
        dispatcher.blocks.add(number, invoice, owner)
        request = dispatcher.requests.begin(number, RequestKind.ERASURE, IdentityCheck.KNOWN, owner)
        dispatcher.erasing.erase(number, EraseReason.REQUEST, owner, request)
        found = told(dispatcher, Place.DATABASE, DAY)
    assert (["Erik", "Maija", "Ánte"], 0) == (names(found), found.gone)


def test_the_list_is_masked_unless_somebody_has_to_write(workshop: Workshop) -> None:
    """L-46: the list holds numbers and masked addresses; in full it holds what a notification needs."""
    with workshop.opened() as dispatcher:
        send(workshop, dispatcher)
        found = told(dispatcher, Place.SMTP)
        full = cast("Any", found.to_notify(dispatcher.store, dispatcher.persons.acting(None)))["clients"][0]
    assert "maija@posti.example" not in str(found.as_json())
    assert "Maija" not in str(found.as_json())
    assert ("Maija Meikäläinen", "maija@posti.example") == (full["name"], full["addresses"]["email"])


def test_days_must_be_in_order(workshop: Workshop) -> None:
    """A span that ends before it begins is refused."""
    with workshop.opened() as dispatcher, pytest.raises(RefusedError, match="turn them round"):
        told(dispatcher, Place.DATABASE, DAY, DAY - timedelta(days=1))


def test_the_record_has_what_the_article_lists(workshop: Workshop) -> None:
    """Article 30: controller, purposes, people, recipients, transfers, periods and measures, from the settings."""
    with workshop.opened() as dispatcher:
        send(workshop, dispatcher)
        found = cast("Any", dispatcher.ropa.as_json())
        papers = [dispatcher.ropa.paper(language) for language in Language]
    assert (3, [], [], False) == tuple(
        found[name] for name in ("clients", "transfers", "special_categories", "notice_covers_transfer")
    )
    assert ["Tunturituuli", "Tietosuojavaltuutetun toimisto"] == [each["party_name"] for each in found["parties"]]
    assert (365, 30, 90, 2) == tuple(
        found["periods"][name] for name in ("client_days", "gone_days", "backup_days", "ledger_years")
    )
    for paper in papers:
        assert "Tunturituuli" in written(paper, Form.HTML).decode()
        assert 8 == sum(block.kind.value == "heading" for block in paper.blocks)


def test_one_client_stands_as_the_gate_sees_them(workshop: Workshop) -> None:
    """What `client show` tells is the gate's verdict, with the messages of the last 365 days, over both channels."""
    with workshop.opened() as dispatcher:
        send(workshop, dispatcher)
        found = standing(dispatcher.store, dispatcher.policy, dispatcher.register.find("Maija"))
        assert (1, "May be written to by email.") == (found.messages, in_words(found.verdict))
        said = verdict_json(found.verdict)
        assert ("send", "email", None, None) == tuple(said[key] for key in ("verdict", "channel", "reason", "until"))
        erik = standing(dispatcher.store, dispatcher.policy, dispatcher.register.find("Erik"))
        no = verdict_json(erik.verdict)
        assert ("withhold", "latest_answer_no") == (no["verdict"], no["reason"])
        workshop.clock.advance(timedelta(days=365))
        later = standing(dispatcher.store, dispatcher.policy, dispatcher.register.find("Maija"))
        assert (0, "The client's yes has expired.") == (later.messages, in_words(later.verdict))
