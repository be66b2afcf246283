"""How other systems export the people who have left them: which column is which, and who of the rows has left."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from dispatcher.errors import RegisterFileError
from dispatcher.register_files.cells import quoted
from dispatcher.register_files.mapping import DEFAULT_COLUMNS, Field, header_key
from dispatcher.rules.campaign import Channel


class System(StrEnum):
    """A system whose export of people who have left can be read as it comes."""

    MAILCHIMP = "mailchimp"
    BREVO = "brevo"
    LISTMONK = "listmonk"


@dataclass(frozen=True, slots=True)
class LeaverColumns:
    """Where in a row the addresses stand, and the cells that say whether somebody has left."""

    addresses: tuple[tuple[int, Channel], ...]
    status: tuple[int, ...]


_STATUS: Mapping[System, tuple[str, ...]] = {
    System.MAILCHIMP: ("unsub_time",),
    System.BREVO: ("email_marketing", "sms_marketing"),
    System.LISTMONK: ("status",),
}
_MARKS: Mapping[System, frozenset[str]] = {
    System.MAILCHIMP: frozenset(
        {"unsub_time", "clean_time", "member_rating", "optin_time", "confirm_time", "leid", "euid"}
    ),
    System.BREVO: frozenset({"contact id", "contact_id", "email_marketing", "sms_marketing"}),
    System.LISTMONK: frozenset({"uuid", "attributes"}),
}
"""Columns that stand in the exports of one system and of no other."""
_LEFT = frozenset({"unsubscribed", "blocklisted", "blacklisted"})
_STAYED = frozenset({"subscribed", "enabled", "disabled"})
"""A contact that an administrator has switched off has said nothing."""
_EXPORT: Mapping[System, str] = {
    System.MAILCHIMP: (
        "it has no column UNSUB_TIME. Export the audience, and import the file of the archive whose name begins with "
        "`unsubscribed`"
    ),
    System.BREVO: "it has no column EMAIL or SMS. Filter the contacts by `blocklisted`, then export them",
    System.LISTMONK: "it has no columns email and status. Export the subscribers, blocklisted ones included",
}


def columns_of(name: str, header: Sequence[str], system: System) -> LeaverColumns:
    """Return where this system's export has what, from its first row. Raises RegisterFileError for another file."""
    keys = [header_key(cell) for cell in header]
    whose = max(System, key=lambda each: (len(_MARKS[each].intersection(keys)), each is system))
    if whose is not system and _MARKS[whose].intersection(keys):
        raise RegisterFileError(
            f"{name} has the columns of {whose.value.capitalize()}, not of {system.value.capitalize()}: "
            f"give --from {whose.value}, or the other file."
        )
    status = tuple(keys.index(key) for key in _STATUS[system] if key in keys)
    addresses = tuple(_addresses(keys, system))
    if system is System.MAILCHIMP and not status and "clean_time" in keys:
        raise RegisterFileError(
            f"{name} lists the addresses that Mailchimp has cleaned because mail to them bounced: nobody there said "
            "no. Import the file of the archive whose name begins with `unsubscribed`."
        )
    if not addresses or (not status and system is not System.BREVO):
        raise RegisterFileError(f"{name} does not say who has left {system.value.capitalize()}: {_EXPORT[system]}.")
    return LeaverColumns(addresses, status)


def has_left(cells: Sequence[str], columns: LeaverColumns, system: System) -> bool | str:
    """Say whether the one in this row has left, or return a sentence about a status that nobody explained.

    Mailchimp gives the time at which they left. Where Brevo's export has no status, everybody in it counts: it holds
    whom it was filtered by.
    """
    words = [header_key(cells[index]) for index in columns.status if index < len(cells)]
    if system is System.MAILCHIMP:
        return any(words)
    said = {word for word in words if word}
    if said & _LEFT or not columns.status:
        return True
    unknown = said - _STAYED
    if unknown or not said:
        return f"The status {quoted(min(unknown, default=''))} is not known: add the address by hand if it means a no."
    return False


def _addresses(keys: Sequence[str], system: System) -> list[tuple[int, Channel]]:
    found = []
    for index, key in enumerate(keys):
        if DEFAULT_COLUMNS.get(key) is Field.EMAIL:
            found.append((index, Channel.EMAIL))
        elif system is System.BREVO and key == "sms":
            found.append((index, Channel.SMS))
    return found
