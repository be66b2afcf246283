"""Calls of a booking system to a studio with a small register, and what is on record after them."""

from collections.abc import Iterator, Mapping

import pytest
from sqlalchemy import func, select

from dispatcher.flow.answering import Said
from dispatcher.flow.api_keys import ApiKey
from dispatcher.flow.calls import Call, Called, Told
from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import Place, Reply
from dispatcher.rules.scope import Scope
from dispatcher.storage import answers, clients
from dispatcher.storage.tables import ClientTable
from dispatcher.wiring import Dispatcher
from tests.workshop import Workshop

EMAIL, SMS = Channel.EMAIL, Channel.SMS
MAIJA, ERIK, PHONE = "maija@posti.example", "erik@posti.example", "+358401234567"
WORDS = {EMAIL: "Saako lähettää tarjouksia sähköpostitse?", SMS: "Saako lähettää tarjouksia tekstiviestillä?"}
ROWS = (
    "1;Maija;Meikäläinen;maija@posti.example;;fi;3.1.2026;;;",
    "2;Erik;Exempel;perhe@posti.example;040 123 4568;sv;3.1.2026;;;",
    ";Eeva;Exempel;eeva@posti.example;;fi;3.1.2026;;;",
)


@pytest.fixture
def house(studio: Workshop) -> Iterator[Dispatcher]:
    """Give the installation, open, with a register of two customers, and a third person without a customer number."""
    with studio.opened() as dispatcher:
        dispatcher.enrol.run(studio.register(*ROWS), dispatcher.persons.acting(None))
        yield dispatcher


@pytest.fixture
def key(house: Dispatcher) -> ApiKey:
    """Give a booking system's key."""
    return house.api_keys.create("Ajanvaraus", set(Scope), house.persons.acting(None))[0]


def granted(channel: Channel = EMAIL) -> Told:
    """Return a yes in words that name its channel, given now."""
    return Told(Said(Reply.GRANTED, channel, Place.ONLINE, WORDS[channel]))


def no(reply: Reply = Reply.WITHDRAWN, channel: Channel | None = None) -> Told:
    """Return a no given now."""
    return Told(Said(reply, channel, Place.PHONE))


def call(*told: Told, number: str | None = None, name: str = "a", first_name: str = "", **addresses: str) -> Call:
    """Return a call under an idempotency key, about a customer number and addresses by channel."""
    by_channel = {Channel(channel): address for channel, address in addresses.items()}
    return Call(name, repr((told, number, addresses)), Called(number, by_channel, first_name), told)


def heard(house: Dispatcher, email: str) -> list[tuple[Reply, Channel | None]]:
    """Return what a client of the register has answered."""
    client = house.register.find(email)
    with house.store.reading() as connection:
        given = answers.of_clients(connection, [client]).get(client, [])
    return [(answer.reply, answer.channel) for answer in given if answer.reply is not Reply.NOT_ASKED]


def reason(house: Dispatcher, **addresses: str) -> str:
    """Return why a message would not go to who has this address, or "send"."""
    verdict = house.verdicts.of(None, {Channel(channel): address for channel, address in addresses.items()}).verdict
    return str(getattr(verdict, "reason", "send"))


def addresses_of(house: Dispatcher, client: int) -> Mapping[Channel, str]:
    """Return the addresses on record of a client."""
    with house.store.reading() as connection:
        held = clients.read(connection, [client])[client].addresses
    return {channel: address.canonical for channel, address in held.items()}


def population(house: Dispatcher) -> int:
    """Return how many clients there are."""
    with house.store.reading() as connection:
        return connection.scalar(select(func.count()).select_from(ClientTable)) or 0
