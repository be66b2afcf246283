"""Copies of the database, the way back from one, and what the journal then brings back (L-34)."""

from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from dispatcher.errors import JournalError, StorageError
from dispatcher.flow import acts
from dispatcher.flow.blocks import take_block
from dispatcher.flow.declaring import take_declaration
from dispatcher.flow.erasing import Erasing
from dispatcher.flow.incoming import take_incoming
from dispatcher.flow.marks import take_flag
from dispatcher.flow.recording import OBJECTION, STRANGER
from dispatcher.flow.redaction import erased_numbers
from dispatcher.flow.requests import take_request
from dispatcher.flow.service_entries import close_restored
from dispatcher.flow.voiding import take_voiding
from dispatcher.flow.wishes import take_limit
from dispatcher.keys import KeyedHash
from dispatcher.rules.actor import Actor
from dispatcher.rules.audit_consent import REPLACED
from dispatcher.rules.campaign import OVER, Channel, State
from dispatcher.rules.consent import Reply
from dispatcher.rules.ledger import Entry, EntryKind, Json, read_stamp, stamp
from dispatcher.rules.life import Act
from dispatcher.rules.message import Blame, OutcomeKind
from dispatcher.storage import answers, api_keys, backup, campaigns, installation, outbox, returning, slots
from dispatcher.storage.answers import Suppression
from dispatcher.storage.backup import BackupReport
from dispatcher.storage.campaigns import Scheduled
from dispatcher.storage.database import Connection
from dispatcher.storage.journal import JournalKind, Note, Record
from dispatcher.storage.locks import Lock, LockKind
from dispatcher.storage.returning import Mark
from dispatcher.storage.store import Store
from dispatcher.storage.writer import Transaction

_ALONE = Lock(LockKind.JOURNAL, 0)
"""Every writer takes this lock shared: who has it alone writes alone."""


@dataclass(slots=True)
class ReplayReport:
    """What a replay brought back: records taken in, and what they came to.

    `clients` counts those the journal knows and the copy does not: the next import brings them back under the numbers
    that their links carry; `erased` those who were erased after the copy was made, and are so again. `campaigns` counts
    those the journal knows as begun that were open in the copy, `unknown` their open messages.
    """

    records: int = 0
    clients: int = 0
    answers: int = 0
    suppressions: int = 0
    erased: int = 0
    marks: int = 0
    requests: int = 0
    incoming: int = 0
    blocks: int = 0
    slots: int = 0
    campaigns: int = 0
    unknown: int = 0

    def as_json(self) -> dict[str, Json]:
        """Return the report with stable keys."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    def sentence(self) -> str:
        """Return the report in words."""
        return (
            f"The journal has been replayed: {self.records} records taken in, {self.answers} answers, "
            f"{self.suppressions} suppressions, {self.marks} marks, {self.requests} requests, "
            f"{self.incoming} letters and text messages that wait and {self.blocks} legal blocks brought back, "
            f"{self.erased} clients erased again, {self.clients} clients to come back with the next import, "
            f"{self.slots} slots spent, {self.campaigns} campaigns closed with {self.unknown} messages of which nobody "
            "knows what became."
        )


class Safekeeping:
    """Keeps copies, puts one back, and brings back what it had not heard of."""

    def __init__(self, store: Store, erasing: Erasing) -> None:
        self._store = store
        self._erasing = erasing

    def backup(self, path: Path) -> BackupReport:
        """Copy the database while it is in use, and open the copy to see that it is whole.

        Raises StorageError if the copy cannot be made, or a file of that name is there; none is left behind then.
        """
        return backup.write_copy(self._store.database, path)

    def restore(self, path: Path) -> Path | None:
        """Put a copy in the place of the database; return where the replaced one is kept (SQLite only).

        Nothing is sent until `replay`. Raises StorageError for a copy that is damaged, of another version or of another
        installation, and where another program has the database open; JournalError where the journal is missing or
        older than the copy. Nothing is changed then.
        """
        contents = backup.check_copy(self._store.database, path)
        journal = self._store.journal
        if contents.workspace != installation.workspace_of(journal):
            raise StorageError(f"{path.name} is a copy of another installation. Nothing was changed.")
        last = journal.last()
        if contents.taken_in > last:
            raise JournalError(
                f"{path.name} knows record {contents.taken_in} of the journal, which ends at {last}: put the newest "
                "copy of the journal back first. Nothing was changed."
            )
        return backup.put_back(self._store.database, path, contents, self._store.clock())

    def replay(self, actor: Actor) -> ReplayReport:
        """Take in every record of the journal that the database has missed, and trust the database again.

        A campaign the journal knows as begun is over: what is open of it may have gone out since the copy was made, so
        it becomes unknown, counts, and is never released. Twice is as once. Raises JournalError for a journal that is
        damaged, missing, older than the database, or of another installation.
        """
        report = self._store.write(lambda transaction: self._replay(transaction, actor), wanted=[_ALONE], urgent=True)
        self._erasing.deletions.here()
        return report

    def _replay(self, transaction: Transaction, actor: Actor) -> ReplayReport:
        connection, journal = transaction.connection, self._store.journal
        installation.check_same(connection, journal)
        missing = set(installation.missing_records(connection, journal))
        report = ReplayReport(records=len(missing))
        if not missing and not installation.needs_replay(connection):
            return report
        _hold_all(transaction, actor)
        close_restored(transaction, actor)
        records = list(journal.records())
        erased = erased_numbers(records)
        for record in records:
            if record.kind is JournalKind.SLOT_SPENT:
                _take_slot(transaction, record, actor, report, is_missing=record.number in missing)
            elif record.number in missing:
                self._take(transaction, record, actor, report, erased)
        installation.take_in(connection, sorted(missing))
        installation.set_needs_replay(connection, needs=False)
        transaction.ledger.append(Entry(EntryKind.RESTORE, actor, body={"event": "replayed", **report.as_json()}))
        transaction.notes.append(Note(JournalKind.RESTORED, {"actor": str(actor), **report.as_json()}))
        return report

    def _take(
        self, transaction: Transaction, record: Record, actor: Actor, report: ReplayReport, erased: frozenset[int]
    ) -> None:
        """Take in one record that the database has missed."""
        match record.kind:
            case JournalKind.NO:
                _take_no(transaction, record, report, erased)
            case JournalKind.FLAG | JournalKind.LIMIT | JournalKind.REQUEST | JournalKind.INCOMING | JournalKind.BLOCK:
                _take_standing(transaction, record, report, erased)
            case JournalKind.CLIENTS:
                report.clients += _take_clients(transaction, record, actor, erased)
            case JournalKind.KEY_REVOKED:
                _take_revoked_key(transaction, record, actor)
            case JournalKind.SOURCE_VOIDED:
                take_voiding(transaction, record, actor)
            case JournalKind.SLOT_DECLARED:
                report.slots += take_declaration(transaction, record)
            case JournalKind.ERASED:
                report.erased += self._erasing.erase_again(transaction, record, actor)
            case _:
                pass  # the journal's own beginning, or an earlier replay: nothing that the database has to know


@dataclass(frozen=True, slots=True)
class _No:
    """A no as the journal tells it; `left` are the hashes of addresses that the client had left by then."""

    client: int
    channel: Channel | None
    actor: Actor
    answer: dict[str, Json]
    hashes: list[KeyedHash] = field(default_factory=list)
    left: list[KeyedHash] = field(default_factory=list)

    @classmethod
    def read(cls, record: Record) -> "_No":
        body = record.body
        channel, answer, hashes = body["channel"], body["answer"], body["hashes"]
        if not isinstance(answer, dict) or not isinstance(hashes, list):
            raise JournalError(f"Record {record.number} of the journal does not hold a no as this version writes it.")
        return cls(
            client=int(str(body["client"])),
            channel=Channel(str(channel)) if channel else None,
            actor=Actor.read(str(body["actor"])),
            answer=answer,
            hashes=[_hash(each) for each in hashes if "left" not in each],
            left=[_hash(each) for each in hashes if "left" in each],
        )


def _hash(told: Any) -> KeyedHash:
    return KeyedHash(str(told["key"]), str(told["hash"]))


def _take_standing(transaction: Transaction, record: Record, report: ReplayReport, erased: frozenset[int]) -> None:
    """Take in what stands in a client's way or on their data."""
    match record.kind:
        case JournalKind.FLAG:
            take_flag(transaction, record)
            report.marks += 1
        case JournalKind.LIMIT:
            take_limit(transaction, record)
            report.marks += 1
        case JournalKind.REQUEST:
            report.requests += take_request(transaction, record)
        case JournalKind.INCOMING:
            report.incoming += take_incoming(transaction, record, erased)
        case _:
            report.blocks += take_block(transaction, record)


def _take_clients(transaction: Transaction, record: Record, actor: Actor, erased: frozenset[int]) -> int:
    """Keep who is to come back, and return how many; what anybody had said for an address they left opens nothing."""
    told: Any = record.body
    at = read_stamp(record.at) or transaction.now
    for number, channel in told.get("replaced", ()):
        if number not in erased:
            returning.replace(transaction.connection, number, Channel(channel), at)
            body: dict[str, Json] = {"event": REPLACED, "channel": channel, "at": stamp(at)}
            transaction.ledger.append(Entry(EntryKind.CLIENT, actor, client=number, body=body))
    marks = {
        # An earlier version did not write what each hash is of.
        number: [Mark("".join(what), KeyedHash(key, digest)) for key, digest, *what in mine]
        for number, mine in told["clients"]
        if number not in erased
    }
    return returning.keep(transaction.connection, marks)


def _hold_all(transaction: Transaction, actor: Actor) -> None:
    """Hold what the copy knows as scheduled: since it was made, the owner may have cancelled it (invariant 6)."""
    for campaign in campaigns.all_scheduled(transaction.connection):
        if campaign.state is State.SCHEDULED:
            acts.do(transaction, campaign.id, Act.HOLD, actor, reason=outbox.RESTORED)


def _take_no(transaction: Transaction, record: Record, report: ReplayReport, erased: frozenset[int]) -> None:
    """Record the answer under the client's number, known or not, and an objection for the addresses.

    What outlives a client who was erased stands on the record of the erasure, and nothing else does (L-35).
    """
    connection, no = transaction.connection, _No.read(record)
    at = read_stamp(record.at) or transaction.now
    if no.client != STRANGER and not _is_recorded(connection, no, at):
        entry = Entry(EntryKind.ANSWER, no.actor, client=no.client, channel=no.channel, body=no.answer)
        transaction.ledger.append(entry)
        report.answers += 1
    if no.client not in erased:
        said = read_stamp(no.answer["not_after"]) or at
        silent = [*no.left, *(no.hashes if no.answer["reply"] == Reply.WITHDRAWN.value else ())]
        new = (Suppression(keyed, no.channel, OBJECTION, said) for keyed in silent)
        report.suppressions += answers.suppress(connection, new, transaction.suppressed_for)


def _take_revoked_key(transaction: Transaction, record: Record, actor: Actor) -> None:
    """Revoke a key again that the copy knew as working."""
    number = api_keys.revoke(transaction.connection, str(record.body["secret"]), transaction.now)
    if number is not None:
        body: dict[str, Json] = {"event": "revoked", "key": number}
        transaction.ledger.append(Entry(EntryKind.API_KEY, actor, body=body))


def _is_recorded(connection: Connection, no: _No, at: datetime) -> bool:
    """Say whether the ledger has this no: one like it from before is another, for it may have no date of its own."""
    told = answers.bodies_of_client(connection, no.client)
    return any((channel, body) == (no.channel, no.answer) and said >= at for said, channel, body in told)


def _take_slot(
    transaction: Transaction, record: Record, actor: Actor, report: ReplayReport, *, is_missing: bool
) -> None:
    """Spend the slot of a campaign that began, and close the campaign if the copy knew it as open.

    One that began before the copy was made is closed as well: its messages went on going out afterwards.
    """
    connection, body = transaction.connection, record.body
    day = date.fromisoformat(str(body["day"]))
    campaign = campaigns.known_as(connection, int(str(body["campaign"])), str(body["name"]))
    if is_missing:
        _spend(transaction, record, campaign, day, actor)
        report.slots += "was" not in body
    if campaign is not None and campaign.state not in OVER:
        _close(transaction, campaign, record, day, actor, report)


def _spend(transaction: Transaction, record: Record, campaign: Scheduled | None, day: date, actor: Actor) -> None:
    """Write that a slot is spent, or that the spent one was moved to the day of the first hand-off."""
    connection, body = transaction.connection, record.body
    event: dict[str, Json] = {"event": "moved" if "was" in body else "spent", "day": day.isoformat()}
    if campaign is not None:
        slots.spend(connection, campaign.id, day)
    else:
        was, title = body.get("was"), str(body["title"])
        if was is None or not slots.move_lost(connection, date.fromisoformat(str(was)), day, title):
            slots.add_spent(connection, day, title)
            event["event"] = "spent"
        event |= {"name": body["name"], "title": title, "kind": body["kind"], **({"was": was} if was else {})}
    number = campaign.id if campaign else None
    transaction.ledger.append(Entry(EntryKind.SLOT, actor, campaign=number, body=event))


def _close(
    transaction: Transaction, campaign: Scheduled, record: Record, day: date, actor: Actor, report: ReplayReport
) -> None:
    """End a campaign; whatever is open of it becomes unknown and counts."""
    begun_at = read_stamp(record.at) or transaction.now
    acts.allowed(campaign, Act.CLOSE, campaign.name)
    campaigns.set_over(transaction.connection, campaign.id, begun_at, transaction.now)
    closed = outbox.set_unknown(transaction.connection, campaign.id, day, transaction.now)
    events = ("finished",) if campaign.begun_at else ("begun", "finished")
    transaction.ledger.append(
        *(
            Entry(EntryKind.CAMPAIGN, actor, campaign=campaign.id, body={"event": event, "reason": outbox.RESTORED})
            for event in events
        ),
        *(
            Entry(
                EntryKind.OUTCOME,
                actor,
                client=row.client,
                campaign=campaign.id,
                channel=row.channel,
                body={
                    "message": row.message_id,
                    "outcome": OutcomeKind.UNKNOWN.value,
                    "code": outbox.RESTORED,
                    "status": "",
                    "blame": Blame.MESSAGE.value,
                    "day": row.day.isoformat(),
                },
            )
            for row in closed
        ),
    )
    report.campaigns += 1
    report.unknown += len(closed)
