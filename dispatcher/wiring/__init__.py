"""Builds every real thing once and hands it down: the only place where parts, flows, settings and the clock meet."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

from dispatcher.flow.access import Access
from dispatcher.flow.answering import Answering
from dispatcher.flow.api_keys import ApiKeys
from dispatcher.flow.audit import Audit
from dispatcher.flow.blocks import Blocks
from dispatcher.flow.bookings import Bookings
from dispatcher.flow.check import Check
from dispatcher.flow.consent_receipts import ConsentReceipts
from dispatcher.flow.correcting import Correcting
from dispatcher.flow.declaring import Declaring
from dispatcher.flow.deletions import Deletions
from dispatcher.flow.deliver import Deliver
from dispatcher.flow.desk import Desk
from dispatcher.flow.duties import Duties, Duty, in_thread
from dispatcher.flow.enrol import Enrol
from dispatcher.flow.erasing import Erasing
from dispatcher.flow.forecasting import Forecasting
from dispatcher.flow.keyring import Keyring
from dispatcher.flow.lifecycle import Lifecycle
from dispatcher.flow.marks import Marks
from dispatcher.flow.no_list import NoLists
from dispatcher.flow.notices import Notices
from dispatcher.flow.papers import Papers
from dispatcher.flow.persons import Persons
from dispatcher.flow.plan import Plan
from dispatcher.flow.policy import Policy
from dispatcher.flow.posters import Posters
from dispatcher.flow.preferences import Preferences
from dispatcher.flow.preparing import Press
from dispatcher.flow.questioning import Asking
from dispatcher.flow.receipts import Receipts
from dispatcher.flow.register import Register
from dispatcher.flow.renewing import Renewing
from dispatcher.flow.requests import Requests
from dispatcher.flow.retention import Retention
from dispatcher.flow.ropa import Ropa
from dispatcher.flow.rounds import Rounds
from dispatcher.flow.safekeeping import Safekeeping
from dispatcher.flow.schedule import Schedule
from dispatcher.flow.service_gate import ServiceGate
from dispatcher.flow.services import Services
from dispatcher.flow.sign_up import SignUp
from dispatcher.flow.sources import Sources
from dispatcher.flow.verdicts import Verdicts
from dispatcher.flow.voiding import Voiding
from dispatcher.flow.wordings import Wordings
from dispatcher.links import ConfirmLinks, OptOutLinks, RenewalLinks
from dispatcher.rendering.service import ServiceRenderer
from dispatcher.rules.actor import duty
from dispatcher.rules.studio import Studio
from dispatcher.settings import Settings, read_secrets, read_settings
from dispatcher.storage.store import Store
from dispatcher.wiring.choices import (
    carriers_of,
    forgetting_of,
    periods_of,
    policy_of,
    previews_of,
    receipts_of,
    register_map_of,
    studio_of,
)
from dispatcher.wiring.founding import (
    Clock,
    copy_starters,
    found,
    holds_data,
    open_store,
    starter,
    system_clock,
    upgrade_database,
)
from dispatcher.wiring.records import processing_of

__all__ = [
    "Clock",
    "Dispatcher",
    "copy_starters",
    "found",
    "holds_data",
    "open_store",
    "opened",
    "starter",
    "system_clock",
    "upgrade_database",
]


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
    schedule: Schedule
    plan: Plan
    deliver: Deliver
    lifecycle: Lifecycle
    declaring: Declaring
    rounds: Rounds
    duties: Duties
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
    audit: Audit
    safekeeping: Safekeeping
    keyring: Keyring
    links: OptOutLinks

    @property
    def public_sign_up(self) -> SignUp | None:
        """Return the sign-up page's flow where the settings say that there is such a page."""
        return self.sign_up if self.settings.sign_up.enabled else None

    @property
    def is_alone(self) -> bool:
        """Say whether no other workspace can be sending from this database: SQLite, whose file lies in this one."""
        return self.store.database.is_sqlite


@contextmanager
def opened(directory: Path, clock: Clock = system_clock, *, check_tables: bool = True) -> Iterator[Dispatcher]:
    """Open the installation in a workspace and close it again.

    Raises SettingsError, and StorageError where the database would lose commits or is of another version.
    """
    settings = read_settings(directory)
    store = open_store(directory, settings, read_secrets(directory), clock)
    try:
        store.database.check_durable()
        if check_tables:
            store.database.check_current()
        yield _assembled(directory, settings, store)
    finally:
        store.close()


def _assembled(directory: Path, settings: Settings, store: Store) -> Dispatcher:
    studio = studio_of(settings)
    policy = policy_of(settings)
    links = OptOutLinks(store.ring, studio.public_url)
    renewals = RenewalLinks(store.ring, studio.public_url)
    press = Press(studio, links, renewals, policy)
    templates = directory / "templates"
    processing = processing_of(settings, studio)
    papers = Papers(processing, policy.zone)
    check = Check(store, policy, press, templates)
    plan, lifecycle = Plan(store, policy, press), Lifecycle(store, policy)
    lead = timedelta(days=settings.consent.booking_lead_days)
    sources = Sources(store, register_map_of(settings.register_, policy.zone), lead)
    carriers = carriers_of(directory, settings, store.ring)
    deliver = Deliver(store, policy, press, carriers)
    confirm_links = ConfirmLinks(store.ring, studio.public_url)
    gate = ServiceGate(store, policy, ServiceRenderer(studio, policy.zone), links, confirm_links)
    services = Services(store, gate, carriers)
    answering = Answering(store, (Receipts(receipts_of(settings), policy.zone).on_yes,))
    sign_up = SignUp(
        store,
        answering,
        gate,
        confirm_links,
        settings.sign_up.channels,
        timedelta(days=settings.sign_up.confirm_within_days),
        settings.register_.region,
    )
    requests = Requests(store, policy)
    deletions = Deletions(store, periods_of(settings), forgetting_of(carriers), previews_of(directory))
    erasing = Erasing(store, policy, periods_of(settings), requests, deletions)
    blocks, retention = Blocks(erasing), Retention(erasing)
    preferences, marks = Preferences(store, links), Marks(store)
    asking = Asking(store, policy, settings.consent.renew_days)
    return Dispatcher(
        directory=directory,
        settings=settings,
        studio=studio,
        policy=policy,
        store=store,
        persons=Persons(store),
        register=Register(store, policy),
        enrol=Enrol(store, policy, sources.register_map, periods_of(settings)),
        no_lists=NoLists(store, settings.register_.region),
        check=check,
        schedule=Schedule(store, policy, templates, (lambda path: check.run(path).raise_for_errors(),)),
        plan=plan,
        deliver=deliver,
        lifecycle=lifecycle,
        declaring=Declaring(store, policy),
        rounds=Rounds(store, lifecycle, plan, deliver),
        duties=Duties(store.clock, _duties(services, sign_up, deletions, blocks, retention)),
        answering=answering,
        requests=requests,
        wordings=Wordings(store),
        sources=sources,
        voiding=Voiding(store, policy, sources),
        api_keys=ApiKeys(store, policy),
        bookings=Bookings(store, policy, answering),
        verdicts=Verdicts(store, policy),
        erasing=erasing,
        blocks=blocks,
        retention=retention,
        services=services,
        sign_up=sign_up,
        renewing=Renewing(store, renewals, policy, answering),
        forecasting=Forecasting(store, policy),
        asking=asking,
        marks=marks,
        posters=Posters(asking, studio, settings.sign_up.channels if settings.sign_up.enabled else (), policy.zone),
        desk=Desk(store, asking, answering, preferences, marks),
        preferences=preferences,
        receipts=ConsentReceipts(store, policy, processing, links),
        access=Access(store, policy, press, processing),
        correcting=Correcting(store, answering, requests, settings.register_.region),
        notices=Notices(store, papers),
        ropa=Ropa(store, papers),
        audit=Audit(store, policy),
        safekeeping=Safekeeping(store, erasing),
        keyring=Keyring(store),
        links=links,
    )


def _duties(
    services: Services, sign_up: SignUp, deletions: Deletions, blocks: Blocks, retention: Retention
) -> tuple[Duty, ...]:
    """Return what the program does by itself beside campaigns."""
    hour, day = timedelta(hours=1), timedelta(days=1)
    return (
        Duty("service messages", timedelta(seconds=1), services.once),
        Duty("sign-ups", hour, in_thread(sign_up.purge)),
        Duty("old service messages", day, in_thread(services.purge)),
        Duty("legal blocks", day, in_thread(partial(_let_go, blocks))),
        Duty("retention", day, in_thread(partial(retention.work, duty("retention")))),
        Duty("deletions", hour, deletions.work),
    )


def _let_go(blocks: Blocks) -> str | None:
    ended = blocks.let_go(duty("legal_blocks"))
    return f"{ended} legal blocks have ended" if ended else None
