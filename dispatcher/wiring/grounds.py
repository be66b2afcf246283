"""Turns what the settings say into what the doctor judges."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from dispatcher.flow.doctor import Doctor, Grounds
from dispatcher.flow.schedule import Precheck
from dispatcher.rules.doctor import Host, Sender
from dispatcher.rules.letterbox import Letterbox
from dispatcher.rules.places import server
from dispatcher.rules.processing import Processing
from dispatcher.rules.signing import Signing
from dispatcher.settings import SECRETS, EmailProvider, MailboxProvider, Settings, SmsProvider

_TWILIO_IN_THE_EU = ("ie1", "dublin")


def grounds_of(
    directory: Path,
    settings: Settings,
    processing: Processing,
    signing: Signing | None = None,
    letterbox: Letterbox | None = None,
    *,
    is_told: bool | None = None,
) -> Grounds:
    """Return what the doctor judges of these settings; `is_told` is whether calls of the SMS service are believed."""
    studio, email, sms = settings.studio, settings.email, settings.sms
    pages = [studio.public_url, studio.sms_url or studio.public_url, *studio.notice.values()]
    domains = {studio.email.rpartition("@")[2], *(urlsplit(page).hostname or "" for page in pages)}
    return Grounds(
        processing=processing,
        sender=Sender(
            email=email.sender,
            bounces=settings.bounce_address,
            domains=frozenset(domains),
            sends_mail=email.provider is EmailProvider.SMTP,
            sms=sms.sender,
            sms_authorised_on=sms.sender_authorised_on,
            sends_sms=sms.provider is SmsProvider.TWILIO,
            listens=sms.inbound,
            is_told=is_told,
        ),
        hosts=_hosts(settings),
        register=timedelta(days=settings.retention.register_days),
        secrets=directory / SECRETS,
        directory=directory,
        eu_only=settings.eu_only,
        signing=signing,
        letterbox=letterbox,
    )


def well(doctor: Doctor) -> Precheck:
    """Return the doctor's part in what is asked before a campaign gets its slot."""

    def look(_path: Path, _at: datetime | None) -> Sequence[str]:
        doctor.refuse_unless_well()
        return ()

    return look


def _hosts(settings: Settings) -> tuple[Host, ...]:
    email, sms, database = settings.email, settings.sms, settings.database
    found = []
    if email.provider is EmailProvider.SMTP:
        found.append(Host(email.host, "mail server", email.country))
    if sms.provider is SmsProvider.TWILIO:
        place = (sms.region, sms.edge)
        spoken_to = urlsplit(sms.base_url).hostname or f"api.{sms.edge}.{sms.region}.twilio.com"
        # Only this one pair leads to a machine in the EU, whatever else is in the names of hosts (S-20).
        found.append(Host(spoken_to, "SMS service", "IE" if place == _TWILIO_IN_THE_EU else "US"))
    if settings.mailbox.provider is MailboxProvider.IMAP:
        found.append(Host(settings.mailbox.host, "IMAP server", settings.mailbox.country))
    for url, what in ((database.url, "database server"), (database.journal, "journal's server")):
        place_of = server(url)
        names = {name for name, _ in place_of.hosts} if place_of else set()
        found += [Host(name, what, database.country) for name in sorted(names)]
    return tuple(found)
