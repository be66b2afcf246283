"""The tables. Every time is aware UTC, every day a local date, every hash and token beside the id of its key."""

from dispatcher.storage.tables.base import Moment, Table
from dispatcher.storage.tables.campaigns import CampaignFileTable, CampaignTable, FrozenTable, OutboxTable, SlotTable
from dispatcher.storage.tables.delivery import PaceHourTable, PaceTable, ProgressTable, SoftBounceTable
from dispatcher.storage.tables.evidence import NoticeTable, RegisterReadTable, SourceTable
from dispatcher.storage.tables.incoming import DoorTable, IncomingTable, TextInTable
from dispatcher.storage.tables.installation import (
    AccessLogTable,
    IdempotencyTable,
    InstallationTable,
    JournalMarkTable,
    PersonTable,
)
from dispatcher.storage.tables.ledger import (
    LedgerDestroyedTable,
    LedgerEntryTable,
    LedgerGroupTable,
    LedgerHeadTable,
)
from dispatcher.storage.tables.register import (
    AddressTable,
    ClientAddressTable,
    ClientTable,
    ReplacedTable,
    ReturningTable,
    SuppressionTable,
    WordingTable,
)
from dispatcher.storage.tables.rights import DeletionTable, LegalBlockTable, RequestTable
from dispatcher.storage.tables.running import AlertMailTable, AlertTable, HeartbeatTable
from dispatcher.storage.tables.services import ApiKeyTable, ServiceTable, SignUpTable

__all__ = [
    "AccessLogTable",
    "AddressTable",
    "AlertMailTable",
    "AlertTable",
    "ApiKeyTable",
    "CampaignFileTable",
    "CampaignTable",
    "ClientAddressTable",
    "ClientTable",
    "DeletionTable",
    "DoorTable",
    "FrozenTable",
    "HeartbeatTable",
    "IdempotencyTable",
    "IncomingTable",
    "InstallationTable",
    "JournalMarkTable",
    "LedgerDestroyedTable",
    "LedgerEntryTable",
    "LedgerGroupTable",
    "LedgerHeadTable",
    "LegalBlockTable",
    "Moment",
    "NoticeTable",
    "OutboxTable",
    "PaceHourTable",
    "PaceTable",
    "PersonTable",
    "ProgressTable",
    "RegisterReadTable",
    "ReplacedTable",
    "RequestTable",
    "ReturningTable",
    "ServiceTable",
    "SignUpTable",
    "SlotTable",
    "SoftBounceTable",
    "SourceTable",
    "SuppressionTable",
    "Table",
    "TextInTable",
    "WordingTable",
]
