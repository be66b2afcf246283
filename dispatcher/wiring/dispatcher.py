"""What an open installation consists of: its flows, and the values the doors need."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dispatcher.flow.access import Access
from dispatcher.flow.accounts import Accounts
from dispatcher.flow.alerts import Alerts
from dispatcher.flow.answering import Answering
from dispatcher.flow.api_keys import ApiKeys
from dispatcher.flow.audience import Audiences
from dispatcher.flow.audit import Audit
from dispatcher.flow.blocks import Blocks
from dispatcher.flow.bookings import Bookings
from dispatcher.flow.check import Check
from dispatcher.flow.consent_receipts import ConsentReceipts
from dispatcher.flow.correcting import Correcting
from dispatcher.flow.declaring import Declaring
from dispatcher.flow.deliver import Deliver
from dispatcher.flow.desk import Desk
from dispatcher.flow.doctor import Doctor
from dispatcher.flow.doors import Doors
from dispatcher.flow.duties import Duties
from dispatcher.flow.enrol import Enrol
from dispatcher.flow.erasing import Erasing
from dispatcher.flow.forecasting import Forecasting
from dispatcher.flow.from_logs import FromLogs
from dispatcher.flow.heart import Heart
from dispatcher.flow.inbox import Inbox
from dispatcher.flow.keyring import Keyring
from dispatcher.flow.lifecycle import Lifecycle
from dispatcher.flow.looking import Looking
from dispatcher.flow.marks import Marks
from dispatcher.flow.no_list import NoLists
from dispatcher.flow.notices import Notices
from dispatcher.flow.persons import Persons
from dispatcher.flow.plan import Plan
from dispatcher.flow.policy import Policy
from dispatcher.flow.posters import Posters
from dispatcher.flow.preferences import Preferences
from dispatcher.flow.previewing import Preview
from dispatcher.flow.questioning import Asking
from dispatcher.flow.reconciling import Reconciling
from dispatcher.flow.register import Register
from dispatcher.flow.renewing import Renewing
from dispatcher.flow.requests import Requests
from dispatcher.flow.retention import Retention
from dispatcher.flow.returns import Returns
from dispatcher.flow.ropa import Ropa
from dispatcher.flow.rounds import Rounds
from dispatcher.flow.safekeeping import Safekeeping
from dispatcher.flow.sampling import Sampling
from dispatcher.flow.schedule import Schedule
from dispatcher.flow.services import Services
from dispatcher.flow.sign_up import SignUp
from dispatcher.flow.sources import Sources
from dispatcher.flow.status import Status
from dispatcher.flow.texts_in import TextsIn
from dispatcher.flow.timing import Timing
from dispatcher.flow.today import Today
from dispatcher.flow.trial import Trial
from dispatcher.flow.verdicts import Verdicts
from dispatcher.flow.voiding import Voiding
from dispatcher.flow.watching import Watching
from dispatcher.flow.wordings import Wordings
from dispatcher.flow.year import Years
from dispatcher.links import OptOutLinks
from dispatcher.mailbox import Mailbox
from dispatcher.rules.studio import Studio
from dispatcher.settings import Settings
from dispatcher.storage.store import Store
from dispatcher.wiring.auditing import Auditing


@dataclass(frozen=True, slots=True)
class Dispatcher:
    """One open installation: its flows, and the values the doors need."""

    directory: Path
    settings: Settings
    studio: Studio
    policy: Policy
    store: Store
    persons: Persons
    register: Register
    enrol: Enrol
    no_lists: NoLists
    check: Check
    timing: Timing
    schedule: Schedule
    plan: Plan
    deliver: Deliver
    doors: Doors
    inbox: Inbox
    lifecycle: Lifecycle
    status: Status
    declaring: Declaring
    rounds: Rounds
    duties: Duties
    heart: Heart
    alerts: Alerts
    today: Today
    answering: Answering
    asking: Asking
    marks: Marks
    desk: Desk
    posters: Posters
    requests: Requests
    wordings: Wordings
    sources: Sources
    voiding: Voiding
    api_keys: ApiKeys
    bookings: Bookings
    verdicts: Verdicts
    erasing: Erasing
    blocks: Blocks
    retention: Retention
    receipts: ConsentReceipts
    access: Access
    correcting: Correcting
    notices: Notices
    ropa: Ropa
    preferences: Preferences
    services: Services
    sign_up: SignUp
    renewing: Renewing
    forecasting: Forecasting
    accounts: Accounts
    looking: Looking
    auditing: Auditing
    sampling: Sampling
    trial: Trial
    preview: Preview
    audiences: Audiences
    safekeeping: Safekeeping
    keyring: Keyring
    years: Years
    doctor: Doctor
    links: OptOutLinks
    returns: Returns
    texts_in: TextsIn | None
    reconciling: Reconciling
    from_logs: FromLogs
    watching: Watching
    callback_secrets: Mapping[str, str] = field(repr=False)
    metrics_token: str = field(repr=False)
    mailbox: Mailbox | None = None

    @property
    def audit(self) -> Audit:
        """Return what audits the ledger."""
        return self.auditing.audit

    @property
    def public_sign_up(self) -> SignUp | None:
        """Return the sign-up page's flow where the settings say that there is such a page."""
        return self.sign_up if self.settings.sign_up.enabled else None

    @property
    def is_alone(self) -> bool:
        """Say whether no other workspace can be sending from this database: SQLite, whose file lies in this one."""
        return self.store.database.is_sqlite
