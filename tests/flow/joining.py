"""What tests of sign-ups and receipts do again and again, on a workshop."""

import asyncio
import email
import email.policy
import re
from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy import select

from dispatcher.flow.answering import Newcomer, Said
from dispatcher.flow.coverage import coverage
from dispatcher.rules.calendar import local_date
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.consent import Place, Reply
from dispatcher.rules.decision import Send, decide
from dispatcher.rules.ledger import EntryKind
from dispatcher.storage import ledger
from dispatcher.storage.facts import gather
from dispatcher.storage.store import Store
from dispatcher.storage.tables import ServiceTable
from dispatcher.wiring import Dispatcher
from tests.workshop import Workshop

MAIJA = "maija@posti.example"
NUMBER = "+358401234567"


def enable_sign_up(workshop: Workshop, *channels: str) -> None:
    """Let the workshop have the public page, for email or for these channels."""
    settings = workshop.directory / "dispatcher.toml"
    named = ", ".join(f'"{each}"' for each in channels or ("email",))
    more = f"\n[sign_up]\nenabled = true\nchannels = [{named}]\n"
    settings.write_text(settings.read_text(encoding="utf-8") + more, encoding="utf-8")


def serve(dispatcher: Dispatcher) -> str | None:
    """Hand over what service messages are due, as the sender's duty does."""
    return asyncio.run(dispatcher.services.once())


def join(
    dispatcher: Dispatcher, address: str = MAIJA, language: Language = Language.FI, first_name: str = "Maija"
) -> None:
    """Sign up by the page's form with this address."""
    channel = Channel.EMAIL if "@" in address else Channel.SMS
    asked = next(each for each in dispatcher.sign_up.questions(language) if each.channel is channel)
    dispatcher.sign_up.ask(asked, dispatcher.sign_up.read_address(channel, address), first_name, language)


def plain(content: bytes) -> str:
    """Return the text part of a mail."""
    message = email.message_from_bytes(content, policy=email.policy.default)
    body = message.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def token(words: str, path: str = "join") -> str:
    """Return the token of the link below this path, in the words of a message."""
    found = re.search(rf"/{path}/([a-z2-7]+)", words)
    assert found, words
    return found[1]


def enlist(dispatcher: Dispatcher, addresses: dict[Channel, str], *yes: Channel, place: Place = Place.PHONE) -> int:
    """Have the owner type a new client at the desk, with a yes for these channels."""
    return dispatcher.answering.enlist(
        Newcomer("Maija", "Meikäläinen", Language.FI, addresses),
        [said(channel, place) for channel in yes],
        dispatcher.persons.acting(None),
    )


def said(channel: Channel, place: Place = Place.PHONE) -> Said:
    """Return a yes for a channel, to words that name it."""
    words = {Channel.EMAIL: "Saako lähettää sähköpostia?", Channel.SMS: "Saako lähettää tekstiviestejä?"}
    return Said(Reply.GRANTED, channel, place, words[channel])


def standing(store: Store) -> list[tuple[str, str, str | None]]:
    """Return purpose, state and reason of each service message, in the order in which they were asked for."""
    columns = (ServiceTable.purpose, ServiceTable.state, ServiceTable.reason)
    with store.reading() as connection:
        return [tuple(row) for row in connection.execute(select(*columns).order_by(ServiceTable.id))]  # type: ignore[misc]


def events(store: Store) -> list[tuple[str, object, int | None]]:
    """Return event, outcome or reason, and client of each entry about service messages."""
    with store.reading() as connection:
        entries = list(ledger.entries(connection, [EntryKind.SERVICE.value]))
    return [
        (str(each.data()["event"]), each.data().get("outcome") or each.data().get("reason"), each.client)
        for each in entries
    ]


def recipients(received: Iterable[object]) -> list[str]:
    """Return who got what, in order."""
    return [each.recipient for each in received]  # type: ignore[attr-defined]


def next_day(workshop: Workshop) -> None:
    """Let a day pass."""
    workshop.clock.advance(timedelta(days=1))


def may_write(dispatcher: Dispatcher, number: int) -> bool:
    """Say whether a campaign by every channel might be sent to a client now."""
    now = dispatcher.store.clock()
    with dispatcher.store.reading() as connection:
        facts = dispatcher.policy.any_campaign(coverage(connection, dispatcher.policy))
        known = gather(connection, dispatcher.store.ring, [number], None, local_date(now, dispatcher.policy.zone), now)
    return isinstance(decide(known[number].facts, facts, now), Send)
