"""What the ledger names by its hash: wordings, notices and frozen campaigns; is each kept still what it was?"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping

from dispatcher.flow.freezing import content_hash
from dispatcher.rules.audit_records import CampaignRecord
from dispatcher.rules.campaign import State
from dispatcher.rules.ledger import EntryKind
from dispatcher.rules.sayings import say
from dispatcher.rules.wording import wording_hash
from dispatcher.storage import campaigns, ledger, notices, wordings
from dispatcher.storage.database import Connection

_FROZEN = frozenset({State.SCHEDULED, State.SENDING, State.HELD, State.FINISHED})


def altered_words(texts: Mapping[str, str], used: Iterable[str]) -> Iterator[str]:
    """Yield a sentence for each wording that does not carry its hash, and for each that answers name and nobody has."""
    for digest, text in sorted(texts.items()):
        if wording_hash(text) != digest:
            yield say("wording_altered", digest=digest[:12])
    for digest in sorted(set(used) - texts.keys()):
        yield say("wording_missing", digest=digest[:12])


def altered_campaigns(records: Iterable[CampaignRecord], files: Callable[[int], Mapping[str, bytes]]) -> Iterator[str]:
    """Yield a sentence for each campaign whose kept bytes are not those it was scheduled with."""
    for record in records:
        if record.content is None or record.state not in _FROZEN:
            continue
        if content_hash(files(record.number)) != record.content:
            yield say("frozen_altered", name=record.name, number=record.number)


def altered(connection: Connection, records: Iterable[CampaignRecord], used: Iterable[str]) -> Iterator[str]:
    """Yield a sentence for everything kept that is not what the ledger says it was."""
    kept = {wording.sha256: wording.text for wording in wordings.every(connection)}
    yield from altered_words(kept, used)
    yield from altered_campaigns(records, lambda number: campaigns.frozen(connection, number))
    yield from _altered_notices(connection)


def _altered_notices(connection: Connection) -> Iterator[str]:
    told = {}
    for body in ledger.bodies_of_nobody(connection, EntryKind.NOTICE.value):
        try:
            published = json.loads(body)
            told[published["version"]] = published["hashes"]
        except (ValueError, KeyError, TypeError):
            continue  # whoever checks the entries says that it cannot be read
    for notice in notices.published(connection):
        hashes = {language.value: wording_hash(text) for language, text in notice.texts.items()}
        if told.get(notice.version) != hashes:
            yield say("notice_altered", version=notice.version)
