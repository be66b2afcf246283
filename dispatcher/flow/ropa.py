"""The record of processing that Article 30 asks for, drawn from the settings (L-39)."""

from dispatcher.flow.papers import AUTHORITY, Papers
from dispatcher.rendering.document import Document
from dispatcher.rules import receipt
from dispatcher.rules.campaign import Language
from dispatcher.rules.ledger import Json, stamp
from dispatcher.storage import clients, notices
from dispatcher.storage.store import Store

_DATA = (
    "first_name",
    "last_name",
    "email",
    "phone_number",
    "language",
    "last_visit",
    "answers",
    "messages",
    "requests",
)
_MEASURES = (
    "named_persons_with_roles",
    "encrypted_transport",
    "masked_logs",
    "separate_journal_of_objections",
    "chained_ledger",
    "keyed_hashes",
    "no_tracking",
)


class Ropa:
    """Draws up the record of processing."""

    def __init__(self, store: Store, papers: Papers) -> None:
        self._store = store
        self._papers = papers

    def as_json(self) -> dict[str, Json]:
        """Return the record with stable keys."""
        about, now = self._papers.processing, self._store.clock()
        return {
            "made_at": stamp(now),
            "clients": self._count(),
            "parties": receipt.parties(about),
            "purposes": [
                {"purpose": "direct_marketing", "lawful_basis": "eu-gdpr:A6-1-a"},
                {"purpose": "evidence_of_consent", "lawful_basis": "eu-gdpr:A6-1-c"},
                {"purpose": "keeping_to_objections", "lawful_basis": "eu-gdpr:A6-1-f"},
            ],
            "data_subjects": ["clients", "persons_who_objected", "staff"],
            "data": [*_DATA, *(["answers_to_messages"] if about.takes_answers else [])],
            "special_categories": [],
            "recipients": [
                {
                    "id": each.id,
                    "name": each.name,
                    "channel": each.channel.value if each.channel else None,
                    "country": each.country,
                    "contract": each.contract.isoformat() if each.contract else None,
                    "reaches_outside": each.reaches_outside,
                }
                for each in about.processors
            ],
            "transfers": [each.id for each in about.transfers],
            "transfer_note": about.transfer_note or None,
            "notice_covers_transfer": self._is_covered(),
            "periods": {name: getattr(about.periods, name) for name in about.periods.__dataclass_fields__},
            "security": list(_MEASURES),
            "authority": dict(AUTHORITY),
        }

    def paper(self, language: Language) -> Document:
        """Return the record as a person reads it."""
        values = {"made_at": self._store.clock(), "clients": self._count(), "covered": self._is_covered()}
        return self._papers.write("ropa", language, values)

    def _count(self) -> int:
        with self._store.reading() as connection:
            return clients.count(connection)

    def _is_covered(self) -> bool:
        with self._store.reading() as connection:
            versions = notices.published(connection)
        return bool(versions) and versions[-1].covers_transfer
