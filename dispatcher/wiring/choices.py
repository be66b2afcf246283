"""Turns what the settings say into the values and the carriers that flows are given."""

import hashlib
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from dispatcher.channels import AskingCarrier, Carrier, ForgettingCarrier, replies, twilio_answers
from dispatcher.channels.closed import ClosedCarrier
from dispatcher.channels.preview import PreviewCarrier
from dispatcher.channels.smtp import SmtpCarrier, SmtpSettings, Tls
from dispatcher.channels.twilio import TwilioCarrier, TwilioSettings
from dispatcher.errors import ChannelError, SettingsError
from dispatcher.flow.policy import Policy
from dispatcher.flow.returns import SHA1, SHA256, STATUS_PATH
from dispatcher.keys import KeyRing
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
from dispatcher.rules.calendar import LocalTimeError, Window, Windows, day_span, to_utc
from dispatcher.rules.campaign import Channel
from dispatcher.rules.cost import Tariff
from dispatcher.rules.ledger import canonical
from dispatcher.rules.message import Blame
from dispatcher.rules.noted_days import OwnDay
from dispatcher.rules.pace import Pace
from dispatcher.rules.retention import Periods
from dispatcher.rules.studio import Studio
from dispatcher.settings import (
    EU_TWILIO,
    FILE,
    AnswerSection,
    EmailProvider,
    RegisterSection,
    Settings,
    SmsProvider,
    WindowSection,
    YearSection,
)
from dispatcher.settings.sections import NotedDaySection


def carriers_of(
    directory: Path, settings: Settings, ring: KeyRing, unsigned: str | None = None
) -> Mapping[Channel, Carrier]:
    """Build what carries each channel; preview, which writes files, until a provider is configured.

    `unsigned` says why mails cannot be signed that should be: then none is carried (E-04).
    """
    email, sms, preview = settings.email, settings.sms, directory / "preview"
    secrets = settings.credentials
    found: dict[Channel, Carrier] = {
        Channel.EMAIL: PreviewCarrier(preview / "email"),
        Channel.SMS: PreviewCarrier(preview / "sms"),
    }
    if email.provider is EmailProvider.SMTP:
        found[Channel.EMAIL] = SmtpCarrier(
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
        found[Channel.SMS] = _twilio(settings, ring, sms.sender)
    if unsigned is not None:
        found[Channel.EMAIL] = ClosedCarrier(found[Channel.EMAIL].name, unsigned)
    return found


def _twilio(settings: Settings, ring: KeyRing, sender: str) -> TwilioCarrier:
    sms = settings.sms
    return TwilioCarrier(
        TwilioSettings(
            account_sid=sms.account_sid,
            api_key=sms.api_key,
            api_secret=_twilio_secret(settings, ring),
            sender=sender,
            region=sms.region,
            edge=sms.edge,
            status_callback=_status_callback(settings, ring),
            base_url=sms.base_url,
            sessions=sms.sessions,
        )
    )


def _twilio_secret(settings: Settings, ring: KeyRing) -> str:
    return settings.credentials.twilio_api_secret.get_secret_value() or ring.credentials.get("twilio_api_secret", "")


def metrics_token_of(settings: Settings, ring: KeyRing) -> str:
    """Return what a monitor shows to read the figures; empty where nobody may."""
    return settings.credentials.metrics_token.get_secret_value() or ring.credentials.get("metrics_token", "")


def callback_secrets_of(settings: Settings, ring: KeyRing) -> Mapping[str, str]:
    """Return by which secret a call of Twilio's is known, for each algorithm that is accepted (S-21, S-32).

    What is not here is accepted by nobody: without the auth token no call that is signed the old way, without the
    shared key none of the new way.
    """
    given = settings.credentials
    found = {
        SHA1: given.twilio_auth_token.get_secret_value() or ring.credentials.get("twilio_auth_token", ""),
        SHA256: given.twilio_shared_key.get_secret_value() or ring.credentials.get("twilio_shared_key", ""),
    }
    return {algorithm: secret for algorithm, secret in found.items() if secret}


def _status_callback(settings: Settings, ring: KeyRing) -> str:
    """Return where Twilio tells what became of a message; nowhere, where nobody could know that it is Twilio."""
    is_wanted = settings.sms.status_callbacks and callback_secrets_of(settings, ring)
    return f"{settings.studio.public_url}{STATUS_PATH}" if is_wanted else ""


def receipts_of(settings: Settings) -> frozenset[Channel]:
    """Return the channels by which an address typed at the desk gets a receipt before any offer (L-05)."""
    wanted = {Channel.EMAIL: settings.consent.receipt_email, Channel.SMS: settings.consent.receipt_sms}
    return frozenset(channel for channel, sends in wanted.items() if sends)


def forgetting_of(settings: Settings, ring: KeyRing) -> Mapping[str, ForgettingCarrier]:
    """Return, by name, those who keep what they were given until they are asked to delete it.

    Also one that carries no messages any more, as long as its keys are there: what it holds of erased clients has to go
    all the same (S-28). Outside the EU it is not asked where nothing may go there (L-42).
    """
    sms = settings.sms
    has_keys = bool(sms.account_sid and sms.api_key and _twilio_secret(settings, ring))
    is_allowed = bool(sms.base_url) or not settings.eu_only or (sms.region, sms.edge) == EU_TWILIO
    if sms.provider is SmsProvider.TWILIO:
        return {TwilioCarrier.name: _twilio(settings, ring, sms.sender)}
    if not has_keys or not is_allowed:
        return {}
    try:
        # A deletion names no sender, and the settings need none any more.
        return {TwilioCarrier.name: _twilio(settings, ring, sms.sender or "-")}
    except ChannelError:
        return {}  # what does not send may be set up wrongly: nothing else stands still for it


def asking_of(carriers: Mapping[Channel, Carrier]) -> Mapping[Channel, AskingCarrier]:
    """Return who of these can be asked what became of a message whose reply was lost (S-26)."""
    return {channel: each for channel, each in carriers.items() if isinstance(each, TwilioCarrier)}


def blame_of(code: str) -> Blame:
    """Return whom an error concerns that is told after a message was taken: Twilio's number or a mail server's code."""
    return replies.blame_of(code) if "." in code or len(code) == len("550") else twilio_answers.blame_of(code)


def previews_of(directory: Path) -> tuple[PreviewCarrier, ...]:
    """Return the folders in which previews may lie, also those written before a provider was configured."""
    return tuple(PreviewCarrier(directory / "preview" / channel.value) for channel in Channel)


def studio_of(settings: Settings) -> Studio:
    """Return who sends."""
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
        bounces=settings.bounce_address,
        notice=section.notice,
        sms_sender=settings.sms.sender,
        sms_url=section.sms_url or "",
    )


def policy_of(settings: Settings) -> Policy:
    """Return the standing choices that every verdict uses, under the hash of the settings they came from."""
    sending = settings.sending
    zone = ZoneInfo(sending.zone)
    authorised = {Channel.EMAIL}
    if settings.sms.provider is SmsProvider.PREVIEW or settings.sms.sender_authorised_on is not None:
        authorised.add(Channel.SMS)
    policy = Policy(
        windows=Windows(zone, _window(sending.email), _window(sending.sms)),
        valid_for=timedelta(days=settings.consent.valid_days),
        renew_for=timedelta(days=settings.consent.renew_days),
        authorised=frozenset(authorised),
        needs_notice=frozenset() if settings.sms.stays_here else frozenset({Channel.SMS}),
        grace=timedelta(minutes=sending.grace_minutes),
        window=sending.window,
        fingerprint="",
        paces=_paces(settings),
    )
    return policy.with_fingerprint(hashlib.sha256(canonical(policy.as_json()).encode()).hexdigest()[:16])


def _paces(settings: Settings) -> Mapping[Channel, Pace]:
    wanted = {Channel.EMAIL: settings.email.pace, Channel.SMS: settings.sms.pace}
    return {channel: pace for channel, pace in wanted.items() if pace is not None}


def tariff_of(settings: Settings) -> Tariff:
    """Return what text messages cost and may cost."""
    section = settings.sms
    return Tariff(
        section.part_price, section.most_parts, section.campaign_ceiling, section.year_ceiling, dict(section.prices)
    )


def periods_of(settings: Settings) -> Periods:
    """Return how long what is kept."""
    section = settings.retention
    return Periods(
        client=timedelta(days=section.client_days),
        gone=timedelta(days=section.gone_days),
        register=timedelta(days=section.register_days),
        backups=timedelta(days=section.backup_days),
        valid_for=timedelta(days=settings.consent.valid_days),
    )


def own_days_of(section: YearSection) -> tuple[OwnDay, ...]:
    """Return the days of the year that the owner has noted."""
    return tuple(_own_day(each) for each in section.days)


def _own_day(section: NotedDaySection) -> OwnDay:
    if isinstance(section.on, str):
        month, day = section.on.split("-")
        return OwnDay(section.name, month_day=(int(month), int(day)))
    return OwnDay(section.name, on=section.on, week=section.week)


def _window(section: WindowSection) -> Window:
    return Window(
        opens=time.fromisoformat(section.opens),
        closes=time.fromisoformat(section.closes),
        weekdays=frozenset(day - 1 for day in section.weekdays),
        on_holidays=section.on_holidays,
    )


def register_map_of(section: RegisterSection, zone: ZoneInfo) -> RegisterMap:
    """Return what the columns of the register mean. Raises SettingsError for a meaning that no column can have."""
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
