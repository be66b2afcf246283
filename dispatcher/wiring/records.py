"""Turns what the settings say of companies, countries and periods into what the notice and the records tell."""

from dataclasses import replace

from dispatcher.rules.campaign import Channel
from dispatcher.rules.incoming import KEPT_AT_MOST
from dispatcher.rules.places import EEA, server
from dispatcher.rules.processing import Periods, Processing, Processor
from dispatcher.rules.studio import Studio
from dispatcher.settings import Settings
from dispatcher.settings.sections import DatabaseSection
from dispatcher.wiring.texting import texts_come_in

_IN_THE_EU = "ie1"
"""Twilio's region in Ireland; its people may reach data from elsewhere all the same (L-42)."""


def processing_of(settings: Settings, studio: Studio) -> Processing:
    """Return what is done with the clients' data, by whom and for how long."""
    kept = settings.retention
    return Processing(
        studio=studio,
        country=settings.register_.region,
        processors=tuple(_processors(settings)),
        periods=Periods(
            client_days=kept.client_days,
            gone_days=kept.gone_days,
            backup_days=kept.backup_days,
            ledger_years=kept.ledger_years,
            valid_days=settings.consent.valid_days,
            suppression_days=settings.consent.valid_days + kept.backup_days,
            sign_up_days=settings.sign_up.confirm_within_days,
            text_days=KEPT_AT_MOST.days if texts_come_in(settings) else None,
        ),
        transfer_note=settings.sms.accepted_transfer_note,
        reads_inbox=settings.mailbox.is_read,
    )


def _processors(settings: Settings) -> list[Processor]:
    email, sms, database, box = settings.email, settings.sms, settings.database, settings.mailbox
    found = []
    if not email.stays_here:
        outside = _is_outside(email.country)
        found.append(Processor("", email.host, Channel.EMAIL, email.country, email.dpa_signed, reaches_outside=outside))
    if not box.stays_here:
        outside = _is_outside(box.country)
        found.append(
            Processor("", box.host, Channel.EMAIL, box.country, box.dpa_signed, reaches_outside=outside, is_inbox=True)
        )
    if not sms.stays_here:
        country = "IE" if sms.region == _IN_THE_EU else "US"
        found.append(Processor("", "Twilio", Channel.SMS, country, sms.dpa_signed, reaches_outside=True))
    if not database.stays_here:
        outside = _is_outside(database.country)
        found.append(
            Processor("", _host(database), None, database.country, database.dpa_signed, reaches_outside=outside)
        )
    return [replace(each, id=f"P{number}") for number, each in enumerate(found, start=1)]


def _host(database: DatabaseSection) -> str:
    places = (server(database.url), server(database.journal))
    away = [place for place in places if place is not None and not place.is_here]
    return ", ".join(sorted({host for place in away for host, _ in place.hosts}))


def _is_outside(country: str | None) -> bool:
    return country is not None and country not in EEA
