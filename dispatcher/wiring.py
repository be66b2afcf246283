"""Builds every real thing once and hands it down: the only place where parts, flows, settings and the clock meet."""

import hashlib
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from importlib.resources import files
from pathlib import Path
from zoneinfo import ZoneInfo

from dispatcher.channels import Carrier
from dispatcher.channels.preview import PreviewCarrier
from dispatcher.channels.smtp import SmtpCarrier, SmtpSettings, Tls
from dispatcher.channels.twilio import TwilioCarrier, TwilioSettings
from dispatcher.errors import DispatcherError, RefusedError, SettingsError
from dispatcher.flow.audit import Audit
from dispatcher.flow.check import Check
from dispatcher.flow.deliver import Deliver
from dispatcher.flow.enrol import Enrol
from dispatcher.flow.keyring import Keyring
from dispatcher.flow.lifecycle import Lifecycle
from dispatcher.flow.persons import Persons
from dispatcher.flow.plan import Plan
from dispatcher.flow.policy import Policy
from dispatcher.flow.preferences import Preferences
from dispatcher.flow.preparing import Press
from dispatcher.flow.register import Register
from dispatcher.flow.rounds import Rounds
from dispatcher.flow.safekeeping import Safekeeping
from dispatcher.flow.schedule import Schedule
from dispatcher.keys import KeyRing, new_ring, write_ring
from dispatcher.links import OptOutLinks
from dispatcher.register_files import (
    DEFAULT_COLUMNS,
    NO_WORDS,
    NOT_ASKED_WORDS,
    WITHDRAWN_WORDS,
    YES_WORDS,
    AnswerColumn,
    Field,
    RegisterMap,
    header_key,
)
from dispatcher.rules.actor import Actor, ActorKind, Role
from dispatcher.rules.calendar import LocalTimeError, Window, Windows, day_span, to_utc
from dispatcher.rules.campaign import Channel
from dispatcher.rules.ledger import Entry, EntryKind, Json, canonical
from dispatcher.rules.studio import Studio
from dispatcher.settings import (
    FILE,
    SECRETS,
    AnswerSection,
    EmailProvider,
    RegisterSection,
    Settings,
    SmsProvider,
    WindowSection,
    read_secrets,
    read_settings,
)
from dispatcher.storage import installation, persons
from dispatcher.storage.database import Database, upgrade
from dispatcher.storage.journal import DatabaseJournal, FileJournal
from dispatcher.storage.store import Store
from dispatcher.storage.writer import Transaction, Writer

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """Return the time of this machine, aware UTC."""
    return datetime.now(UTC)  # noqa: TID251 - the one clock


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


def open_store(directory: Path, settings: Settings, ring: KeyRing, clock: Clock) -> Store:
    """Open database and journal of a workspace."""
    database = Database(_in(directory, settings.database.url))
    where = settings.database.journal
    journal: FileJournal | DatabaseJournal

    def reload() -> KeyRing:
        return read_secrets(directory)

    if "://" in where:
        journal = DatabaseJournal(Database(_in(directory, where)), ring, reload)
    else:
        journal = FileJournal(directory / where, ring, reload)
    return Store(database, journal, Writer(database, journal, clock), ring, clock)


def upgrade_database(directory: Path) -> None:
    """Bring the tables of a workspace's database up to this version."""
    upgrade(_in(directory, read_settings(directory).database.url))


def found(directory: Path, owner: str, clock: Clock = system_clock) -> None:
    """Begin an installation in a workspace that has its settings: keys, tables, journal, the owner.

    Raises RefusedError where there are keys already, and nothing is changed then.
    """
    settings = read_settings(directory)
    if (directory / SECRETS).exists():
        raise RefusedError(f"There is a {SECRETS} in {directory} already: this workspace has been begun before.")
    upgrade(_in(directory, settings.database.url))
    store = open_store(directory, settings, new_ring(), clock)
    try:
        _begin(store, directory / SECRETS)

        def add_owner(transaction: Transaction) -> None:
            number = persons.add(transaction.connection, owner, Role.OWNER, transaction.now)
            actor = Actor(ActorKind.PERSON, str(number))
            body: dict[str, Json] = {"event": "added", "person": number, "role": Role.OWNER.value}
            transaction.ledger.append(Entry(EntryKind.PERSON, actor, body=body))

        store.write(add_owner)
    finally:
        store.close()


def holds_data(directory: Path) -> bool:
    """Say whether the database that a workspace's settings name has been begun."""
    database = Database(_in(directory, read_settings(directory).database.url))
    try:
        if database.is_sqlite:
            return Path(str(database.url.database)).exists()
        with database.reading() as connection:
            return connection.dialect.has_table(connection, "installation")
    finally:
        database.close()


def _begin(store: Store, secrets: Path) -> None:
    """Begin keys, database and journal; the keys of an installation that did not come to be are removed again."""
    store.database.check_durable()
    write_ring(secrets, store.ring)
    try:
        with store.database.writing() as connection:
            installation.create(connection, store.journal, Actor(ActorKind.PERSON, "1"), store.clock())
    except DispatcherError:
        secrets.unlink()
        raise


def starter(name: str) -> Path:
    """Return the folder of starter campaigns or templates: inside the wheel, or at the top of a checkout."""
    inside = Path(str(files("dispatcher"))) / "starter" / name
    return inside if inside.is_dir() else Path(str(files("dispatcher"))).parent / name


def copy_starters(directory: Path) -> None:
    """Copy the starter campaigns and templates into a workspace; a file that is there already stays as it is."""
    for name in ("campaigns", "templates"):
        for source in sorted(starter(name).rglob("*")):
            target = directory / name / source.relative_to(starter(name))
            if source.is_file() and not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)


def _assembled(directory: Path, settings: Settings, store: Store) -> Dispatcher:
    studio = _studio(settings)
    policy = _policy(settings)
    links = OptOutLinks(store.ring, studio.public_url)
    press = Press(studio, links, policy)
    templates = directory / "templates"
    check = Check(store, policy, press, templates)
    plan, lifecycle = Plan(store, policy, press), Lifecycle(store, policy)
    deliver = Deliver(store, policy, press, _carriers(directory, settings, store.ring))
    return Dispatcher(
        directory=directory,
        settings=settings,
        studio=studio,
        policy=policy,
        store=store,
        persons=Persons(store),
        register=Register(store, policy),
        enrol=Enrol(store, policy, _register_map(settings.register_, policy.zone)),
        check=check,
        schedule=Schedule(store, policy, check, templates),
        plan=plan,
        deliver=deliver,
        lifecycle=lifecycle,
        rounds=Rounds(store, lifecycle, plan, deliver),
        preferences=Preferences(store, links),
        audit=Audit(store, policy),
        safekeeping=Safekeeping(store),
        keyring=Keyring(store),
        links=links,
    )


def _carriers(directory: Path, settings: Settings, ring: KeyRing) -> Mapping[Channel, Carrier]:
    """Build what carries each channel; preview, which writes files, until a provider is configured."""
    email, sms, preview = settings.email, settings.sms, directory / "preview"
    secrets = settings.credentials
    carriers: dict[Channel, Carrier] = {
        Channel.EMAIL: PreviewCarrier(preview / "email"),
        Channel.SMS: PreviewCarrier(preview / "sms"),
    }
    if email.provider is EmailProvider.SMTP:
        carriers[Channel.EMAIL] = SmtpCarrier(
            SmtpSettings(
                host=email.host,
                port=email.port,
                username=email.username,
                password=secrets.smtp_password.get_secret_value() or ring.credentials.get("smtp_password", ""),
                tls=Tls(email.tls),
                sessions=email.sessions,
                messages_per_connection=email.messages_per_connection,
                local_hostname=email.sender.rpartition("@")[2],
            )
        )
    if sms.provider is SmsProvider.TWILIO:
        carriers[Channel.SMS] = TwilioCarrier(
            TwilioSettings(
                account_sid=sms.account_sid,
                api_key=sms.api_key,
                api_secret=secrets.twilio_api_secret.get_secret_value()
                or ring.credentials.get("twilio_api_secret", ""),
                sender=sms.sender,
                region=sms.region,
                edge=sms.edge,
                base_url=sms.base_url,
                sessions=sms.sessions,
            )
        )
    return carriers


def _studio(settings: Settings) -> Studio:
    section = settings.studio
    return Studio(
        name=section.name,
        business_id=section.business_id,
        postal_address=section.postal_address,
        email=section.email,
        phone=section.phone,
        booking_url=section.booking_url,
        public_url=section.public_url,
        sender=settings.email.sender,
        bounces=settings.email.bounces or settings.email.sender,
        notice=section.notice,
    )


def _policy(settings: Settings) -> Policy:
    sending = settings.sending
    zone = ZoneInfo(sending.zone)
    authorised = {Channel.EMAIL}
    if settings.sms.provider is SmsProvider.PREVIEW or settings.sms.sender_authorised_on is not None:
        authorised.add(Channel.SMS)
    policy = Policy(
        windows=Windows(zone, _window(sending.email), _window(sending.sms)),
        valid_for=timedelta(days=settings.consent.valid_days),
        authorised=frozenset(authorised),
        not_covered=frozenset(),
        grace=timedelta(minutes=sending.grace_minutes),
        batch=sending.batch,
        fingerprint="",
    )
    return policy.with_fingerprint(hashlib.sha256(canonical(policy.as_json()).encode()).hexdigest()[:16])


def _window(section: WindowSection) -> Window:
    return Window(
        opens=time.fromisoformat(section.opens),
        closes=time.fromisoformat(section.closes),
        weekdays=frozenset(day - 1 for day in section.weekdays),
        on_holidays=section.on_holidays,
    )


def _register_map(section: RegisterSection, zone: ZoneInfo) -> RegisterMap:
    own: dict[str, Field] = {}
    for name, meaning in section.columns.items():
        try:
            own[header_key(name)] = Field(meaning)
        except ValueError:
            allowed = ", ".join(sorted(field.value for field in Field))
            raise SettingsError(f"{FILE}: [register.columns] {name!r} = {meaning!r}: write one of {allowed}.") from None
    # Where the owner says which column means a field, no other column may claim it.
    columns = {name: field for name, field in DEFAULT_COLUMNS.items() if field not in own.values()} | own
    answers = tuple(_answer_column(answer, zone) for answer in section.answers)
    return RegisterMap(columns, answers, zone, section.region)


def _answer_column(section: AnswerSection, zone: ZoneInfo) -> AnswerColumn:
    return AnswerColumn(
        column=section.column,
        channels=section.channels,
        place=section.place,
        wording=section.wording,
        asked_column=section.asked_column,
        not_before=_bound(section.not_before, zone, first=True),
        not_after=_bound(section.not_after, zone, first=False),
        place_column=section.place_column,
        wording_column=section.wording_column,
        closes_all=section.closes_all,
        yes=section.yes if section.yes is not None else YES_WORDS,
        no=section.no if section.no is not None else NO_WORDS,
        withdrawn=section.withdrawn if section.withdrawn is not None else WITHDRAWN_WORDS,
        not_asked=section.not_asked if section.not_asked is not None else NOT_ASKED_WORDS,
    )


def _bound(value: datetime | date | None, zone: ZoneInfo, *, first: bool) -> datetime | None:
    if value is None:
        return None
    if isinstance(value, datetime):
        try:
            return to_utc(value, zone)
        except LocalTimeError as error:
            raise SettingsError(f"{FILE}: [[register.answers]]: {error}.") from None
    start, end = day_span(value, zone)
    return start if first else end


def _in(directory: Path, url: str) -> str:
    """Return a database URL whose relative SQLite path lies in the workspace."""
    prefix = "sqlite:///"
    if url.startswith(prefix) and not url.startswith(prefix + "/"):
        return f"{prefix}{directory / url.removeprefix(prefix)}"
    return url
