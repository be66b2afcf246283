"""The copy of a client's data holds everything that is kept of them, and nothing of anybody else (L-30)."""

import asyncio
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from dispatcher.errors import NotFoundError
from dispatcher.flow.correcting import Correction
from dispatcher.flow.incoming import Incoming
from dispatcher.flow.papers import Form, json_bytes, written
from dispatcher.flow.texts_in import SEAL, TextIn
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.incoming import Arrived, Class
from dispatcher.rules.message import Blame
from dispatcher.rules.rights import IdentityCheck, RequestKind
from dispatcher.storage import clients, soft_bounces
from dispatcher.storage.tables import LegalBlockTable, ServiceTable
from dispatcher.storage.writer import Transaction
from dispatcher.wiring import Dispatcher
from tests.workshop import OWNER, Doubles, Workshop

MOMENT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
MAIJA = "1;Maija;Meikäläinen;maija@posti.example;040 123 4567;fi;3.1.2026;kyllä;kyllä;3.1.2026"
ERIK = "2;Erik;Exempel;erik@posti.example;;sv;3.1.2026;kyllä;;3.1.2026"
ANTE = "3;Ánte;Ovdamearka;;040 123 4568;fi;3.1.2026;;kyllä;3.1.2026"
KEYS = (
    "format made_at language controller client addresses consent answers messages service_messages suppressions "
    "requests blocks received texts purposes profiling automated_decisions sources recipients periods rights authority "
    "privacy_notice zone"
)


def tell(workshop: Workshop, dispatcher: Dispatcher) -> int:
    """Let a campaign go out to three clients, one of whom leaves before it, and return the number of Maija."""
    actor = dispatcher.persons.acting(None)
    dispatcher.enrol.run(workshop.register(MAIJA, ERIK, ANTE), actor)
    dispatcher.schedule.run(workshop.campaign("a", MOMENT), actor)
    dispatcher.preferences.withdraw(dispatcher.register.find("Erik"), actor)
    workshop.clock.set(MOMENT)
    asyncio.run(dispatcher.rounds.once())
    return dispatcher.register.find("Maija")


def copied(dispatcher: Dispatcher, client: int) -> dict[str, Any]:
    """Return a client's copy as it would be read from its file."""
    copy = dispatcher.access.copy(client, dispatcher.persons.acting(None))
    return cast("dict[str, Any]", json.loads(json_bytes(dispatcher.access.as_json(copy))))


def test_a_copy_has_stable_keys(workshop: Workshop) -> None:
    """The keys are those that docs/rights.md names, also of a client of whom little is kept."""
    with workshop.opened() as dispatcher:
        client = tell(workshop, dispatcher)
        assert KEYS.split() == list(copied(dispatcher, client))
        assert KEYS.split() == list(copied(dispatcher, dispatcher.register.find("Ánte")))


def test_a_message_is_told_as_it_was(workshop: Workshop, doubles: Doubles) -> None:
    """The words of a message are made from its frozen bytes: subject and text are those the mail server got."""
    with workshop.opened() as dispatcher:
        client = tell(workshop, dispatcher)
        [told] = copied(dispatcher, client)["messages"]
        [texted] = copied(dispatcher, dispatcher.register.find("Ánte"))["messages"]
    import email
    import email.policy

    [mail] = [email.message_from_bytes(each.content, policy=email.policy.default) for each in doubles.smtp.received]
    body = mail.get_body(("plain",))
    assert body is not None
    assert (mail["Subject"], body.get_content().replace("\r\n", "\n")) == (
        told["subject"],
        told["text"].replace("\r\n", "\n"),
    )
    assert ("Kampanja a", "email", "accepted", "maija@posti.example") == tuple(
        told[each] for each in ("title", "channel", "state", "address")
    )
    assert (None, doubles.twilio.received[0].text) == (texted["subject"], texted["text"])


def test_what_was_withheld_is_told_with_its_reason(workshop: Workshop) -> None:
    """A message that did not go is there without words, with the reason in a sentence of the client's language."""
    with workshop.opened() as dispatcher:
        tell(workshop, dispatcher)
        copy = dispatcher.access.copy(dispatcher.register.find("Erik"), dispatcher.persons.acting(None))
        found = cast("Any", dispatcher.access.as_json(copy))["messages"]
        text = written(dispatcher.access.paper(copy), Form.TEXT).decode()
    assert [("withheld", "objection", None)] == [(each["state"], each["reason"], each["text"]) for each in found]
    assert "Kunden har förbjudit direktmarknadsföring." in text


def test_the_words_outlive_a_corrected_address(workshop: Workshop) -> None:
    """A message is told at the address it went to, after the client has moved to another."""
    with workshop.opened() as dispatcher:
        client, actor = tell(workshop, dispatcher), dispatcher.persons.acting(None)
        correction = Correction(email="uusi@posti.example")
        dispatcher.correcting.correct(client, correction, IdentityCheck.KNOWN, actor)
        found = copied(dispatcher, client)
    assert "uusi@posti.example" == found["addresses"]["email"]["address"]
    assert "maija@posti.example" == found["messages"][0]["address"]
    assert "Hei Maija!" in found["messages"][0]["text"]


def test_everything_else_is_told(workshop: Workshop) -> None:
    """Answers, service messages, kept objections, requests and legal blocks of the client are there."""
    with workshop.opened() as dispatcher:
        client, actor = tell(workshop, dispatcher), dispatcher.persons.acting(None)
        dispatcher.requests.begin(client, RequestKind.ACCESS, IdentityCheck.DOCUMENT, actor)
        keep(workshop, dispatcher, client)
        workshop.clock.advance(timedelta(minutes=1))
        dispatcher.preferences.withdraw(client, actor, Channel.SMS)
        workshop.clock.advance(timedelta(minutes=1))
        for phone in ("040 123 4569", "040 123 4567"):
            dispatcher.correcting.correct(client, Correction(phone=phone), IdentityCheck.KNOWN, actor)
        found = copied(dispatcher, client)
    assert ["granted", "granted", "withdrawn", "withdrawn"] == [each["reply"] for each in found["answers"]]
    assert ["person:1", "person:1", "person:1", "suppression"] == [each["recorded_by"] for each in found["answers"]]
    assert ["+358401234567"] == [each["address"] for each in found["suppressions"]]
    assert [("receipt", "maija@posti.example")] == [
        (each["purpose"], each["recipient"]) for each in found["service_messages"]
    ]
    assert ["access", "correction", "correction"] == sorted(each["kind"] for each in found["requests"])
    assert [("debt", "first_name,phone")] == [(each["reason"], each["keeps"]) for each in found["blocks"]]


def test_what_waits_to_be_read_is_told(workshop: Workshop) -> None:
    """L-30: what the client sent stands there with how it was settled, and the words of a text while they are kept."""
    with workshop.opened() as dispatcher:
        client = tell(workshop, dispatcher)
        store, waits = dispatcher.store, Incoming(dispatcher.store)
        sealed = store.ring.seal(SEAL, "Olenko listalla?", f"{client}:SM1")
        for came in (
            Arrived(client, Channel.EMAIL, store.clock() - timedelta(hours=1), Class.OTHER, "maildir", "7:1"),
            Arrived(client, Channel.SMS, store.clock(), Class.HELP, "twilio", "SM1", sealed),
        ):
            number = waits.put(came)
            if came.channel is Channel.EMAIL and number is not None:
                waits.release(number, dispatcher.persons.acting(None))
        found = copied(dispatcher, client)["received"]
    assert [("email", "released", None), ("sms", None, "Olenko listalla?")] == [
        (each["channel"], each["settled"], each["text"]) for each in found
    ]


def test_what_the_client_texted_is_told(workshop: Workshop) -> None:
    """L-30: each text that came in stands there with what it was taken for, in the file and on paper."""
    with workshop.opened() as dispatcher:
        client = tell(workshop, dispatcher)
        assert dispatcher.texts_in is not None
        for sid, body in (("SM1", "START"), ("SM2", "Olenko listalla?"), ("SM3", "LOPETA")):
            dispatcher.texts_in.take(TextIn(sid, "+358401234567", None, body))
            workshop.clock.advance(timedelta(hours=1))
        copy = dispatcher.access.copy(client, dispatcher.persons.acting(None), Language.EN)
        found = dispatcher.access.as_json(copy)["texts"]
        paper = dispatcher.access.paper(copy).text()
    assert [
        {"at": f"2026-11-24T{hour:02}:00:00.000000Z", "taken_for": said}
        for hour, said in ((8, "start"), (9, "other"), (10, "stop"))
    ] == found
    said = re.findall(r", (read|waits to be read|recorded as a no)$", paper, re.MULTILINE)
    assert ["read", "waits to be read", "recorded as a no"] == said


def test_soft_bounces_are_told(workshop: Workshop) -> None:
    """L-30: with each address stands when messages ended there for reasons that may pass, and nobody else's."""
    with workshop.opened() as dispatcher:
        client = tell(workshop, dispatcher)

        def work(transaction: Transaction) -> None:
            for canonical, blame in (
                ("maija@posti.example", Blame.MAILBOX_FULL),
                ("erik@posti.example", Blame.NO_ROUTE),
            ):
                address = clients.address_id(transaction.connection, Channel.EMAIL, canonical) or 0
                soft_bounces.add(transaction.connection, address, blame, transaction.now)

        dispatcher.store.write(work)
        found = copied(dispatcher, client)["addresses"]
    assert [{"kind": "mailbox_full", "at": "2026-11-24T08:00:00.000000Z"}] == found["email"]["soft_bounces"]
    assert [] == found["sms"]["soft_bounces"]


def keep(workshop: Workshop, dispatcher: Dispatcher, client: int) -> None:
    """Write a service message to a client and a legal block on their data."""
    from sqlalchemy import insert

    now = workshop.clock()
    service = {
        "purpose": "receipt",
        "channel": "email",
        "recipient": "maija@posti.example",
        "client": client,
        "language": "fi",
        "details": "{}",
        "state": "accepted",
        "message_id": "m" * 32,
        "asked_at": now,
        "not_before": now,
        "due_at": now,
    }
    block = {
        "client": client,
        "reason": "debt",
        "keeps": "first_name,phone",
        "until": now.date(),
        "added_at": now,
        "added_by": "person:1",
    }
    dispatcher.store.write(lambda each: each.connection.execute(insert(ServiceTable).values(**service)))
    dispatcher.store.write(lambda each: each.connection.execute(insert(LegalBlockTable).values(**block)))


def test_a_copy_names_nobody_else(workshop: Workshop) -> None:
    """No other client's data and no name of staff is in a copy: a person who works here is a number."""
    with workshop.opened() as dispatcher:
        client = tell(workshop, dispatcher)
        copy = dispatcher.access.copy(client, dispatcher.persons.acting(None))
        everything = str(dispatcher.access.as_json(copy)) + written(dispatcher.access.paper(copy), Form.HTML).decode()
    for stranger in ("Erik", "erik@", "Ánte", "4568", OWNER, OWNER.split()[0]):
        assert stranger not in everything
    assert "henkilökunta, numero 1" in everything


@pytest.mark.parametrize("language", Language)
def test_a_person_can_read_it(workshop: Workshop, language: Language) -> None:
    """The paper says in each language what L-30 lists: data, messages, recipients, periods, rights, authority."""
    with workshop.opened() as dispatcher:
        client = tell(workshop, dispatcher)
        paper = dispatcher.access.paper(dispatcher.access.copy(client, dispatcher.persons.acting(None), language))
        page, pdf = written(paper, Form.HTML).decode(), written(paper, Form.PDF)
    headings = [block.lines[0] for block in paper.blocks if block.kind.value == "heading"]
    assert 12 == len(headings)
    for words in ("Maija", "maija@posti.example", "+358401234567", "Kampanja a", "Hei Maija!", "PL 800", "365", "455"):
        assert words in page
    assert pdf.startswith(b"%PDF-")
    assert "{" not in paper.text()


def test_a_hostile_name_stays_a_name(workshop: Workshop) -> None:
    """A name that is markup for a page or for a paper is shown letter for letter."""
    with workshop.opened() as dispatcher:
        row = MAIJA.replace("Maija", '# <b>Maija</b> :: "x"')
        dispatcher.enrol.run(workshop.register(row.replace('"x"', "x")), dispatcher.persons.acting(None))
        paper = dispatcher.access.paper(
            dispatcher.access.copy(dispatcher.register.find("Maija"), dispatcher.persons.acting(None))
        )
        page = written(paper, Form.HTML).decode()
    assert "<dd># &lt;b&gt;Maija&lt;/b&gt; :: x</dd>" in page
    assert written(paper, Form.PDF).startswith(b"%PDF-")


def test_nobody_has_no_copy(workshop: Workshop) -> None:
    """A number nobody has is said to be nobody's."""
    with workshop.opened() as dispatcher, pytest.raises(NotFoundError, match="No client has the number 5"):
        dispatcher.access.copy(5, dispatcher.persons.acting(None))
