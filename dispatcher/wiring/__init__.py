"""Builds every real thing once and hands it down: the only place where parts, flows, settings and the clock meet."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dispatcher.flow.access import Access
from dispatcher.flow.answering import Answering
from dispatcher.flow.audit import Audit
from dispatcher.flow.check import Check
from dispatcher.flow.correcting import Correcting
from dispatcher.flow.deliver import Deliver
from dispatcher.flow.duties import Duties
from dispatcher.flow.enrol import Enrol
from dispatcher.flow.keyring import Keyring
from dispatcher.flow.lifecycle import Lifecycle
from dispatcher.flow.notices import Notices
from dispatcher.flow.papers import Papers
from dispatcher.flow.persons import Persons
from dispatcher.flow.plan import Plan
from dispatcher.flow.policy import Policy
from dispatcher.flow.preferences import Preferences
from dispatcher.flow.preparing import Press
from dispatcher.flow.receipts import Receipts
from dispatcher.flow.register import Register
from dispatcher.flow.requests import Requests
from dispatcher.flow.ropa import Ropa
from dispatcher.flow.rounds import Rounds
from dispatcher.flow.safekeeping import Safekeeping
from dispatcher.flow.schedule import Schedule
from dispatcher.links import OptOutLinks
from dispatcher.rules.studio import Studio
from dispatcher.settings import Settings, read_secrets, read_settings
from dispatcher.storage.store import Store
from dispatcher.wiring.choices import carriers_of, policy_of, register_map_of, studio_of
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
    check: Check
    schedule: Schedule
    plan: Plan
    deliver: Deliver
    lifecycle: Lifecycle
    rounds: Rounds
    duties: Duties
    answering: Answering
    requests: Requests
    receipts: Receipts
    access: Access
    correcting: Correcting
    notices: Notices
    ropa: Ropa
    preferences: Preferences
    audit: Audit
    safekeeping: Safekeeping
    keyring: Keyring
    links: OptOutLinks

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
    press = Press(studio, links, policy)
    templates = directory / "templates"
    processing = processing_of(settings, studio)
    papers = Papers(processing, policy.zone)
    answering, requests = Answering(store), Requests(store, policy)
    check = Check(store, policy, press, templates)
    plan, lifecycle = Plan(store, policy, press), Lifecycle(store, policy)
    deliver = Deliver(store, policy, press, carriers_of(directory, settings, store.ring))
    return Dispatcher(
        directory=directory,
        settings=settings,
        studio=studio,
        policy=policy,
        store=store,
        persons=Persons(store),
        register=Register(store, policy),
        enrol=Enrol(store, policy, register_map_of(settings.register_, policy.zone)),
        check=check,
        schedule=Schedule(store, policy, check, templates),
        plan=plan,
        deliver=deliver,
        lifecycle=lifecycle,
        rounds=Rounds(store, lifecycle, plan, deliver),
        duties=Duties(store.clock, ()),
        answering=answering,
        requests=requests,
        receipts=Receipts(store, policy, processing, links),
        access=Access(store, policy, press, processing),
        correcting=Correcting(store, answering, requests, settings.register_.region),
        notices=Notices(store, papers),
        ropa=Ropa(store, papers),
        preferences=Preferences(store, links),
        audit=Audit(store, policy),
        safekeeping=Safekeeping(store),
        keyring=Keyring(store),
        links=links,
    )
