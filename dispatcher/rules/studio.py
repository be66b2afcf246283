"""Who sends: the business as its clients know it."""

from collections.abc import Mapping
from dataclasses import dataclass

from dispatcher.rules.campaign import Channel, Language


@dataclass(frozen=True, slots=True)
class Studio:
    """The identity every message and page shows (L-20): name, business id, postal address, and ways to reach it.

    `public_url` is where clients reach this installation, without a closing slash, `sms_url` the shorter host that the
    links of text messages are at; empty where they are at `public_url` as well. `sender` is the address mails come
    from, `bounces` the envelope sender, `domain` the domain of both; `sms_sender` is the name or number text messages
    come from, empty while none is chosen. `notice` is the privacy notice by
    language, Finnish at least. Web addresses are https, or http on loopback.
    """

    name: str
    business_id: str
    postal_address: str
    email: str
    phone: str
    booking_url: str
    public_url: str
    sender: str
    bounces: str
    notice: Mapping[Language, str]
    sms_sender: str = ""
    sms_url: str = ""

    def link_base(self, channel: Channel) -> str:
        """Return below which address the links in messages of a channel are."""
        return (self.sms_url if channel is Channel.SMS and self.sms_url else self.public_url).rstrip("/")

    @property
    def domain(self) -> str:
        """Return the domain mails come from."""
        return self.sender.rpartition("@")[2]

    def notice_in(self, language: Language) -> str:
        """Return the address of the privacy notice in this language, else in Finnish."""
        return self.notice.get(language) or self.notice[Language.FI]
