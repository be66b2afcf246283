"""Builds every real thing once and hands it down: the only place where parts, flows, settings and the clock meet."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

from dispatcher.errors import DispatcherError
from dispatcher.flow.access import Access
from dispatcher.flow.accounts import Accounts
from dispatcher.flow.alerts import Alerts
from dispatcher.flow.answering import Answering
from dispatcher.flow.api_keys import ApiKeys
from dispatcher.flow.audience import Audiences
from dispatcher.flow.blocks import Blocks
from dispatcher.flow.bookings import Bookings
from dispatcher.flow.check import Check, CheckRules
from dispatcher.flow.consent_receipts import ConsentReceipts
from dispatcher.flow.correcting import Correcting
from dispatcher.flow.declaring import Declaring
from dispatcher.flow.deletions import Deletions
from dispatcher.flow.deliver import Deliver
from dispatcher.flow.desk import Desk
from dispatcher.flow.doctor import Doctor, from_settings, unopened
from dispatcher.flow.doors import Doors
from dispatcher.flow.duties import Duties
from dispatcher.flow.enrol import Enrol
from dispatcher.flow.erasing import Erasing
from dispatcher.flow.forecasting import Forecasting
from dispatcher.flow.from_logs import FromLogs
from dispatcher.flow.heart import Heart
from dispatcher.flow.inbox import Inbox
from dispatcher.flow.incoming import Incoming
from dispatcher.flow.keyring import Keyring
from dispatcher.flow.lifecycle import Lifecycle
from dispatcher.flow.looking import Looking
from dispatcher.flow.marks import Marks
from dispatcher.flow.matters import Matters
from dispatcher.flow.no_list import NoLists
from dispatcher.flow.notices import Notices
from dispatcher.flow.papers import Papers
from dispatcher.flow.persons import Persons
from dispatcher.flow.plan import Plan
from dispatcher.flow.posters import Posters
from dispatcher.flow.preferences import Preferences
from dispatcher.flow.preparing import Press
from dispatcher.flow.previewing import Preview
from dispatcher.flow.questioning import Asking
from dispatcher.flow.receipts import Receipts
from dispatcher.flow.reconciling import Reconciling
from dispatcher.flow.register import Register
from dispatcher.flow.renewing import Renewing
from dispatcher.flow.reopening import Reopening
from dispatcher.flow.requests import Requests
from dispatcher.flow.retention import Retention
from dispatcher.flow.returns import Returns
from dispatcher.flow.ropa import Ropa
from dispatcher.flow.rounds import Rounds
from dispatcher.flow.safekeeping import Safekeeping
from dispatcher.flow.sampling import Sampling
from dispatcher.flow.schedule import Schedule
from dispatcher.flow.service_gate import ServiceGate
from dispatcher.flow.services import Services
from dispatcher.flow.sign_up import SignUp
from dispatcher.flow.sources import Sources
from dispatcher.flow.status import Status
from dispatcher.flow.texts_in import unsealed
from dispatcher.flow.timing import Timing
from dispatcher.flow.today import Today
from dispatcher.flow.trial import Trial
from dispatcher.flow.verdicts import Verdicts
from dispatcher.flow.voiding import Voiding
from dispatcher.flow.watching import Watching
from dispatcher.flow.wordings import Wordings
from dispatcher.flow.year import Years
from dispatcher.keys import LiveRing
from dispatcher.links import ConfirmLinks, OptOutLinks, RenewalLinks
from dispatcher.rendering.service import ServiceRenderer
from dispatcher.rules.calendar import local_date
from dispatcher.rules.doctor import Concern, Finding, broken
from dispatcher.settings import FILE, SECRETS, Settings, read_secrets, read_settings
from dispatcher.storage.store import Store
from dispatcher.wiring.auditing import auditing_of
from dispatcher.wiring.choices import (
    asking_of,
    blame_of,
    callback_secrets_of,
    carriers_of,
    forgetting_of,
    metrics_token_of,
    own_days_of,
    periods_of,
    policy_of,
    previews_of,
    receipts_of,
    register_map_of,
    studio_of,
    tariff_of,
)
from dispatcher.wiring.dispatcher import Dispatcher
from dispatcher.wiring.duties import duties_of, reading, sealed, settling, telling
from dispatcher.wiring.founding import (
    VERSION,
    Clock,
    copy_starters,
    found,
    holds_data,
    open_store,
    sender_of,
    starter,
    system_clock,
    upgrade_database,
)
from dispatcher.wiring.grounds import grounds_of, well
from dispatcher.wiring.mailboxes import addresses_of, letterbox_of, mail_doors_of, mailbox_of
from dispatcher.wiring.records import processing_of
from dispatcher.wiring.signing import dkim_domain, signatures_of
from dispatcher.wiring.texting import is_told, text_doors_of, texts_in_of

__all__ = [
    "Clock",
    "Dispatcher",
    "copy_starters",
    "dkim_domain",
    "examined",
    "found",
    "holds_data",
    "open_store",
    "opened",
    "starter",
    "system_clock",
    "upgrade_database",
]


@contextmanager
def opened(directory: Path, clock: Clock = system_clock, *, check_tables: bool = True) -> Iterator[Dispatcher]:
    """Open the installation in a workspace and close it again.

    Raises SettingsError, and StorageError where the database would lose commits or is of another version.
    """
    settings = read_settings(directory)
    ring = LiveRing(directory / SECRETS)
    store = open_store(directory, settings, ring, clock, begins_missing=not check_tables)
    try:
        store.database.check_durable()
        if check_tables:
            store.database.check_current()
        yield _assembled(directory, settings, store)
    finally:
        store.close()


def examined(directory: Path, clock: Clock = system_clock) -> list[Finding]:
    """Return what the doctor finds in a workspace, one that cannot be opened included: then how far it came."""
    found: list[Finding] = []
    concern = Concern.SETTINGS
    try:
        settings = read_settings(directory)
        studio = studio_of(settings)
        grounds = grounds_of(directory, settings, processing_of(settings, studio))
        today = local_date(clock(), policy_of(settings).zone)
        found, concern = from_settings(grounds, today), Concern.KEYS
        ring = read_secrets(directory)
        concern = Concern.MIGRATIONS
        store = open_store(directory, settings, ring, clock)
        try:
            concern = Concern.SETTINGS  # what carries messages has more to ask of them
            doctor = _assembled(directory, settings, store).doctor
            concern = Concern.MIGRATIONS
            return doctor.examine()
        finally:
            store.close()
    except DispatcherError as error:
        others = [finding for finding in found if finding.concern is not concern]
        return unopened([*others, broken(concern, str(error))], concern)


def _assembled(directory: Path, settings: Settings, store: Store) -> Dispatcher:
    studio = studio_of(settings)
    policy = policy_of(settings)
    links = OptOutLinks(store.ring, studio.public_url, studio.sms_url)
    renewals = RenewalLinks(store.ring, studio.public_url)
    signatures = signatures_of(directory, settings, store.ring)
    addresses = addresses_of(settings, store.ring, links)
    press = Press(studio, links, renewals, policy, tariff_of(settings), signatures.signer, addresses)
    templates = directory / "templates"
    processing = processing_of(settings, studio)
    papers = Papers(processing, policy.zone)
    carriers = carriers_of(directory, settings, store.ring, signatures.about.trouble)
    confirm_links = ConfirmLinks(store.ring, studio.public_url, studio.sms_url)
    letters = ServiceRenderer(studio, policy.zone, signatures.signer)
    gate = ServiceGate(store, policy, letters, links, confirm_links, addresses)
    returns, incoming, texts_in = Returns(store, blame_of), Incoming(store), texts_in_of(settings, store, gate)
    mailbox = mailbox_of(directory, settings, store.ring, addresses, store.clock)
    mail_doors = mail_doors_of(store, mailbox, addresses, returns)
    doors = Doors(store, (*mail_doors, *text_doors_of(settings, carriers, texts_in)))
    keyring, notices = Keyring(store), Notices(store, papers)
    letterbox = letterbox_of(directory, settings, store.ring)
    told = is_told(settings, store.ring)
    grounds = grounds_of(directory, settings, processing, signatures.about, letterbox, is_told=told)
    doctor = Doctor(store, policy, keyring, notices, grounds, doors=doors.rows)
    check_rules = CheckRules(tariff_of(settings), processing, directory / FILE, settings.eu_only)
    timing = Timing(store, policy)
    check = Check(store, policy, press, templates, check_rules, timing)
    plan, lifecycle = Plan(store, policy, press, doctor.refuse_unless_well), Lifecycle(store, policy, press.hours)
    lead = timedelta(days=settings.consent.booking_lead_days)
    sources = Sources(store, register_map_of(settings.register_, policy.zone), lead)
    deliver = Deliver(store, policy, press, carriers, doors)
    trial = Trial(store, policy, press, templates, links, carriers)
    services = Services(store, gate, carriers)
    reconciling = Reconciling(store, returns, links, asking_of(carriers))
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
    register = Register(store, policy, settings.register_.region)
    deletions = Deletions(store, periods_of(settings), forgetting_of(settings, store.ring), previews_of(directory))
    erasing = Erasing(store, policy, periods_of(settings), requests, deletions)
    blocks, retention = Blocks(erasing), Retention(erasing)
    preferences, marks = Preferences(store, links, policy, Reopening(sign_up, policy)), Marks(store)
    asking = Asking(store, policy, settings.consent.renew_days)
    auditing = auditing_of(store, policy, processing, directory, deletions, settings.retention.ledger_years)
    matters = Matters(store, policy, press, retention, auditing.years, doors)
    alerts, heart = Alerts(store, policy, matters, auditing.sealing), Heart(store, sender_of(directory, store), VERSION)
    return Dispatcher(
        directory=directory,
        settings=settings,
        studio=studio,
        policy=policy,
        store=store,
        persons=Persons(store),
        register=register,
        enrol=Enrol(store, policy, sources.register_map, periods_of(settings)),
        no_lists=NoLists(store, settings.register_.region),
        check=check,
        timing=timing,
        schedule=Schedule(store, policy, templates, (well(doctor), check.require), trial),
        plan=plan,
        deliver=deliver,
        doors=doors,
        inbox=Inbox(store, incoming, (mailbox,) if mailbox else (), partial(unsealed, store.ring)),
        lifecycle=lifecycle,
        status=Status(store, policy, press, lifecycle, doors),
        declaring=Declaring(store, policy),
        rounds=Rounds(store, lifecycle, plan, deliver, doors),
        duties=Duties(
            store.clock,
            (
                *duties_of(store, services, sign_up, deletions, blocks, retention),
                *settling(store, reconciling),
                *reading(doors, incoming, texts_in, periods_of(settings)),
                *sealed(auditing.sealing, auditing.closing, auditing.destroying),
                *telling(alerts, periods_of(settings)),
            ),
        ),
        heart=heart,
        alerts=alerts,
        today=Today(store, policy, matters, retention, heart),
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
        desk=Desk(store, asking, answering, preferences, marks, settings.register_.region),
        preferences=preferences,
        receipts=ConsentReceipts(store, policy, processing, links),
        access=Access(store, policy, press, processing, requests, partial(unsealed, store.ring)),
        correcting=Correcting(store, answering, requests, settings.register_.region),
        notices=notices,
        ropa=Ropa(store, papers),
        looking=Looking(store),
        accounts=Accounts(store, register, settings.register_.region),
        sampling=Sampling(store),
        auditing=auditing,
        audiences=Audiences(store, policy, press, templates),
        preview=Preview(store, policy, press, templates, links),
        trial=trial,
        safekeeping=Safekeeping(store, erasing),
        keyring=keyring,
        doctor=doctor,
        years=Years(store, policy, own_days_of(settings.year), timedelta(days=settings.year.lead_days)),
        links=links,
        returns=returns,
        texts_in=texts_in,
        reconciling=reconciling,
        from_logs=FromLogs(store, returns),
        watching=Watching(store),
        callback_secrets=callback_secrets_of(settings, store.ring),
        metrics_token=metrics_token_of(settings, store.ring),
        mailbox=mailbox,
    )
