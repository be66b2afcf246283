"""Writes what changes about clients, wherever it came from: a register, the desk, a page, a booking system."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from dispatcher.flow.marks import restore_flags
from dispatcher.flow.matching import Change
from dispatcher.flow.recording import OBJECTION, note_clients, record_answers, suppress_addresses
from dispatcher.flow.service_entries import no_receipt_awaited
from dispatcher.flow.wishes import restore_limits
from dispatcher.rules.actor import Actor
from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import Answer, fold
from dispatcher.rules.ledger import Entry, EntryKind, Json
from dispatcher.storage import answers, clients, erasure, returning
from dispatcher.storage.answers import Suppression, suppress
from dispatcher.storage.clients import Client
from dispatcher.storage.store import Store
from dispatcher.storage.writer import Transaction


def apply(transaction: Transaction, store: Store, changes: Sequence[Change], actor: Actor) -> None:
    """Write the changes of a chunk: addresses first, then clients, then what the ledger keeps of both."""
    connection, now = transaction.connection, transaction.now
    rows = clients.address_rows(
        connection, {(channel, text) for change in changes for channel, text, _ in change.joins}, now
    )
    new = [change for change in changes if change.is_new]
    clients.insert_clients(connection, [_client_row(change, now) for change in new])
    returned = returning.have_returned(connection, [change.number for change in new])
    restore_flags(transaction, returned)
    restore_limits(transaction, returned)
    note_clients(
        transaction,
        {change.number: change.identity for change in changes if change.identity},
        [(change.number, channel) for change in changes for channel, _, replaces in change.joins if replaces],
    )
    clients.insert_links(
        connection,
        [(change.number, channel, rows[channel, text]) for change in new for channel, text, _ in change.joins],
    )
    held = clients.read(connection, [change.number for change in changes])
    given = answers.of_clients(connection, [change.number for change in changes if not change.is_new])
    _await_receipts(transaction, new)
    left = erasure.addresses_left(connection, [change.number for change in changes if not change.is_new])
    entries = []
    for change in changes:
        before = given.get(change.number, [])
        if not change.is_new:
            _leave_objections(transaction, store, change, held[change.number], before)
            _update(transaction, change, rows)
        if change.is_new or change.joins:
            entries.append(_client_entry(change, rows, actor))
        entries += [no_receipt_awaited(change.number, channel, "vouched", actor) for channel in change.vouched]
        if change.chosen_among:
            chosen: dict[str, Json] = {"event": "matched", "candidates": change.chosen_among}
            entries.append(Entry(EntryKind.CLIENT, actor, client=change.number, body=chosen))
        # A no reaches the address its client had, and the one that joins them in the same row.
        addresses = [(channel, address.canonical) for channel, address in held[change.number].addresses.items()]
        addresses += [(channel, text) for channel, text, _ in change.joins if (channel, text) not in addresses]
        entries += record_answers(
            transaction,
            store.ring,
            change.number,
            change.answers,
            before,
            actor,
            addresses,
            left=left.get(change.number, ()),
        )
        given[change.number] = [*before, *change.answers]
    transaction.ledger.append(*entries)


def _client_row(change: Change, now: datetime) -> dict[str, object]:
    return {
        "number": change.number,
        "external_hash": change.external.digest if change.external else None,
        "external_key": change.external.key_id if change.external else None,
        "last_visit": None,
        "created_at": now,
        "updated_at": now,
        "restricted": False,
        "child": False,
        "suspended": False,
        **change.values,
    }


def _leave_objections(
    transaction: Transaction, store: Store, change: Change, client: Client, given: Sequence[Answer]
) -> None:
    """Keep the objection of a client who moves for the address they leave: it silences whoever comes there next.

    One that was kept for that address alone follows the client to the next, dated as it was (L-31). `given` is what
    they had answered before; a no that comes with the move is one as well.
    """
    moves = {channel: canonical for channel, canonical, replaces in change.joins if replaces}
    if moves:
        _take_along(transaction, store, client, moves)
    left = {channel: client.addresses[channel].canonical for channel, _, replaces in change.joins if replaces}
    for channel, address in left.items():
        if any(fold(said, channel, transaction.now).objected for said in (given, [*given, *change.answers])):
            suppress_addresses(transaction, store.ring, channel, {channel: address})


def _take_along(transaction: Transaction, store: Store, client: Client, moves: Mapping[Channel, str]) -> None:
    held = {(channel, client.addresses[channel].canonical): client.addresses[channel].id for channel in moves}
    kept = answers.suppressed(transaction.connection, store.ring, held, transaction.now)
    for (channel, _), row in held.items():
        keyed = store.ring.hashed(answers.hash_label(channel), moves[channel])
        along = (Suppression(keyed, each.channel, OBJECTION, each.latest()) for each in kept.get(row, ()))
        suppress(transaction.connection, along, transaction.suppressed_for)


def _update(transaction: Transaction, change: Change, rows: dict[tuple[Channel, str], int]) -> None:
    connection, now = transaction.connection, transaction.now
    if change.values:
        clients.update_client(connection, change.number, {**change.values, "updated_at": now})
    if change.external:
        clients.adopt_external(connection, change.number, change.external)
    for channel, text, replaces in change.joins:
        changed_at = now if replaces else None
        clients.join_address(connection, change.number, channel, rows[channel, text], changed_at=changed_at)
    for channel in change.vouched:
        clients.set_awaits_receipt(connection, change.number, channel, awaits=False)
    _await_receipts(transaction, [change])


def _await_receipts(transaction: Transaction, changes: Sequence[Change]) -> None:
    """Let a receipt go first to every address that a person typed (L-05)."""
    for change in changes:
        for channel, _, _ in change.joins if change.typed else ():
            clients.set_awaits_receipt(transaction.connection, change.number, channel, awaits=True)


def _client_entry(change: Change, rows: dict[tuple[Channel, str], int], actor: Actor) -> Entry:
    addresses = {channel.value: rows[channel, text] for channel, text, _ in change.joins}
    body: dict[str, Json] = {"event": "created" if change.is_new else "addresses_changed", "addresses": addresses}
    if change.typed and addresses:
        body["awaits_receipt"] = sorted(addresses)
    return Entry(EntryKind.CLIENT, actor, client=change.number, body=body)
