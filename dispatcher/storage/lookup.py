"""Finds clients by what somebody at the desk hears: part of a name, an email address or a number, as it was said."""

import re
import unicodedata
from itertools import islice

from sqlalchemy import Connection, select

from dispatcher.storage.tables import AddressTable, ClientAddressTable, ClientTable

_NUMBER = re.compile(r"[+0-9 ()./-]+")
_LEAST_DIGITS = 3
_PREFIX = re.compile(r"^(?:00|0)")


def heard(text: str) -> str:
    """Return a text as the ear takes it: without case and accents, so that "aijala" is Äijälä."""
    apart = unicodedata.normalize("NFKD", text).casefold()
    return "".join(char for char in apart if not unicodedata.combining(char))


def look_up(connection: Connection, words: str, limit: int) -> list[int]:
    """Return the clients whom these words fit, by name: every word somewhere in the name, or all of it in an address.

    A number may be said as it is dialled at home: its leading zero stands for the country.
    """
    parts = heard(words).split()
    if not parts:
        return []
    reached = _reached(connection, words)
    names = select(ClientTable.number, ClientTable.first_name, ClientTable.last_name)
    fitting = (
        row.number
        for row in connection.execute(names.order_by(ClientTable.last_name, ClientTable.first_name, ClientTable.number))
        if row.number in reached or _fits(parts, f"{row.first_name} {row.last_name}")
    )
    return list(islice(fitting, limit))


def _fits(parts: list[str], name: str) -> bool:
    said = heard(name)
    return all(part in said for part in parts)


def _reached(connection: Connection, words: str) -> set[int]:
    """Return who has an address that holds these words."""
    wanted = "".join(words.split()).lower()
    if _NUMBER.fullmatch(words.strip()):
        wanted = _PREFIX.sub("", re.sub(r"\D", "", words))
        if len(wanted) < _LEAST_DIGITS:
            return set()
    query = (
        select(ClientAddressTable.client)
        .join(AddressTable, AddressTable.id == ClientAddressTable.address)
        .where(AddressTable.canonical.contains(wanted, autoescape=True))
    )
    return set(connection.scalars(query))
