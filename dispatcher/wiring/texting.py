"""Turns what the settings say of texts that come in into what takes them in, and what reads the provider's list."""

from collections.abc import Mapping

from dispatcher.channels import Carrier
from dispatcher.channels.twilio import TwilioCarrier
from dispatcher.flow.service_gate import ServiceGate
from dispatcher.flow.texts_door import TextsDoor
from dispatcher.flow.texts_in import TextsIn
from dispatcher.keys import KeyRing
from dispatcher.rules.campaign import Channel
from dispatcher.rules.sms_sender import is_number
from dispatcher.settings import Settings, SmsProvider
from dispatcher.storage.store import Store
from dispatcher.wiring.choices import callback_secrets_of


def texts_in_of(settings: Settings, store: Store, gate: ServiceGate) -> TextsIn | None:
    """Return what takes in the text messages of clients, where the settings want them."""
    if not settings.sms.inbound:
        return None
    return TextsIn(store, gate, settings.register_.region, settings.sms.stop_confirmation)


def texts_come_in(settings: Settings) -> bool:
    """Say whether clients can text back: a name can be answered by nobody (S-10)."""
    return settings.sms.inbound and settings.sms.provider is SmsProvider.TWILIO and is_number(settings.sms.sender)


def is_told(settings: Settings, ring: KeyRing) -> bool | None:
    """Say whether Twilio's calls can be told from anybody's; None where it makes none, or only to this machine."""
    if settings.sms.provider is not SmsProvider.TWILIO or settings.sms.stays_here:
        return None
    return bool(callback_secrets_of(settings, ring))


def text_doors_of(
    settings: Settings, carriers: Mapping[Channel, Carrier], texts_in: TextsIn | None
) -> tuple[TextsDoor, ...]:
    """Return what reads from Twilio's list what was texted to our number; a name can be answered by nobody (S-10)."""
    carrier = carriers[Channel.SMS]
    if texts_in is None or not isinstance(carrier, TwilioCarrier) or not is_number(settings.sms.sender):
        return ()
    return (TextsDoor(texts_in, carrier.came_in, texts_in.store.clock),)
