"""A ledger of any size: a year of twelve campaigns to clients who all said yes, as the program would have written it.

It is written past the flows, which would take an hour for what is read in ten seconds; digests, groups, heads and the
tables beside it are those that the flows would have left.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, insert, text

from benchmarks.installation import OWNER, STUDIO, STUDIO_SETTINGS
from dispatcher import wiring
from dispatcher.rules.actor import Actor, ActorKind, duty
from dispatcher.rules.campaign import Campaign, Channel, Kind, Language
from dispatcher.rules.consent import Answer, Place, Reply
from dispatcher.rules.decision import Coverage
from dispatcher.rules.ledger import Entry, EntryKind, answer_entry, stamp
from dispatcher.rules.message import MessageState
from dispatcher.rules.terms import terms_body
from dispatcher.storage import campaigns, slots
from dispatcher.storage.ledger import LedgerDraft
from dispatcher.storage.tables import OutboxTable
from dispatcher.storage.wordings import keep_wordings
from dispatcher.wiring import Dispatcher
from tests.clock import FixedClock

CAMPAIGNS = 12
A_CLIENT = 2 + 3 * CAMPAIGNS
"""How many entries a client brings: came in, said yes, and three for each message."""
BEGINNING = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
AFTERWARDS = datetime(2027, 1, 4, 9, 0, tzinfo=UTC)
YEAR = 2026
_GROUP = 128
_QUESTION = "Saako lähettää tarjouksia sähköpostitse?"
_PERSON, _DELIVERY, _SERVER = Actor(ActorKind.PERSON, "1"), duty("delivery"), Actor(ActorKind.PROVIDER, "smtp")
_SETTINGS = (
    STUDIO_SETTINGS
    + """
[email]
sender = "{studio.sender}"

[database]
url = "{database}"
journal = "{journal}"
"""
)


def write(
    directory: Path, entries: int, database: str = "sqlite:///dispatcher.db", journal: str = "dispatcher.journal"
) -> int:
    """Begin an installation whose ledger holds about so many entries, and return how many clients they are of."""
    clock = FixedClock(BEGINNING)
    directory.mkdir()
    settings = _SETTINGS.format(studio=STUDIO, database=database, journal=journal)
    (directory / "dispatcher.toml").write_text(settings, encoding="utf-8")
    wiring.found(directory, OWNER, clock)
    clients = entries // A_CLIENT
    with wiring.opened(directory, clock) as dispatcher, dispatcher.store.database.writing() as connection:
        [wording] = keep_wordings(connection, [_QUESTION], BEGINNING).values()
        answers = dict(_people(connection, clients, wording))
        for number in range(1, CAMPAIGNS + 1):
            _campaign(connection, dispatcher, number, answers)
    return clients


def _people(connection: Connection, clients: int, wording: str) -> Iterator[tuple[int, int]]:
    """Write that clients came in and said yes; yield each with the entry of their yes."""
    for first in range(1, clients + 1, _GROUP):
        draft = LedgerDraft(connection, BEGINNING)
        numbers = range(first, min(first + _GROUP, clients + 1))
        draft.append(
            *(
                Entry(EntryKind.CLIENT, _PERSON, client=each, body={"event": "created", "addresses": {"email": each}})
                for each in numbers
            )
        )
        yes = Answer(0, Reply.GRANTED, Channel.EMAIL, BEGINNING, BEGINNING, BEGINNING, Place.ONLINE, wording)
        said = draft.append(*(answer_entry(yes, each, _PERSON) for each in numbers))
        draft.close()
        yield from zip(numbers, said, strict=True)


def _campaign(connection: Connection, dispatcher: Dispatcher, number: int, answers: dict[int, int]) -> None:
    """Write one campaign from its slot to the outcome of its last message."""
    at = BEGINNING + timedelta(days=28 * number)
    day, name = at.date().isoformat(), f"c{number:02}"
    campaign = Campaign(
        name=name,
        title=f"Kampanja {name}",
        kind=Kind.OFFER,
        send_at=at,
        channels=(Channel.EMAIL, Channel.SMS),
        subject={Language.FI: "Tarjous"},
        template="offer",
    )
    row = campaigns.add(connection, campaign, {}, at)
    slots.put(connection, row, at.date(), campaign.title)
    slots.spend(connection, row, at.date())
    over = text("UPDATE campaign SET state = 'finished', begun_at = scheduled_at, finished_at = scheduled_at")
    connection.execute(over)
    draft = LedgerDraft(connection, at)
    about = {"name": name, "title": campaign.title, "kind": campaign.kind.value, "send_at": stamp(at)}
    terms = terms_body(dispatcher.policy.facts(campaign, Coverage()))
    told = [
        (EntryKind.CAMPAIGN, {"event": "scheduled", **about}),
        (EntryKind.SLOT, {"event": "taken", "day": day}),
        (EntryKind.SLOT, {"event": "spent", "day": day}),
        (EntryKind.CAMPAIGN, {"event": "begun"}),
        (EntryKind.TERMS, terms),
        (EntryKind.CAMPAIGN, {"event": "finished"}),
    ]
    numbers = draft.append(*(Entry(kind, _DELIVERY, campaign=row, body=body) for kind, body in told))
    draft.close()
    everybody = list(answers)
    for first in range(0, len(everybody), _GROUP):
        _messages(
            connection, at, row, numbers[4], [(each, answers[each]) for each in everybody[first : first + _GROUP]]
        )


def _messages(connection: Connection, at: datetime, campaign: int, terms: int, whose: list[tuple[int, int]]) -> None:
    """Write the messages of a batch: planned, handed over and accepted, a commit each."""
    names = [f"{campaign:08x}{client:024x}" for client, _ in whose]
    day = at.date().isoformat()
    planned = [{"message": name, "address": client} for name, (client, _) in zip(names, whose, strict=True)]
    sent = [
        {
            "message": name,
            "answer": answer,
            "address": client,
            "attempt": 1,
            "day": day,
            "client_messages": campaign - 1,
            "address_messages": campaign - 1,
            "valid_for_days": 365,
            "policy": "0" * 16,
            "terms": terms,
        }
        for name, (client, answer) in zip(names, whose, strict=True)
    ]
    accepted = [
        {"message": name, "outcome": "accepted", "code": "250", "status": "2.0.0", "blame": "message"} for name in names
    ]
    for kind, actor, bodies in (
        (EntryKind.PLANNED, duty("planning"), planned),
        (EntryKind.SEND, _DELIVERY, sent),
        (EntryKind.OUTCOME, _SERVER, accepted),
    ):
        draft = LedgerDraft(connection, at)
        draft.append(
            *(
                Entry(kind, actor, client=client, campaign=campaign, channel=Channel.EMAIL, body=body)
                for (client, _), body in zip(whose, bodies, strict=True)
            )
        )
        draft.close()
    rows = [
        {
            "campaign": campaign,
            "client": client,
            "address": client,
            "channel": Channel.EMAIL.value,
            "state": MessageState.ACCEPTED.value,
            "message_id": name,
            "attempts": 1,
            "planned_at": at,
            "not_before": at,
            "day": at.date(),
        }
        for name, (client, _) in zip(names, whose, strict=True)
    ]
    connection.execute(insert(OutboxTable), rows)
