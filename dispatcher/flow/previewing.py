"""A campaign file -> one page to look at, made for an invented reader, or for a client where a person asks for it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from dispatcher.errors import NotFoundError, RefusedError
from dispatcher.flow.freezing import freeze
from dispatcher.flow.looking import note_look
from dispatcher.flow.persons import check_sees_whole
from dispatcher.flow.policy import Policy
from dispatcher.flow.preparing import Prepared, Press
from dispatcher.links import OptOutLinks
from dispatcher.rendering.preview import Sample, preview_page
from dispatcher.rules.actor import Actor
from dispatcher.rules.calendar import local_date
from dispatcher.rules.campaign import Campaign, Channel, Language
from dispatcher.rules.consent import Place
from dispatcher.rules.message import NO_MESSAGE, Recipient
from dispatcher.storage import clients
from dispatcher.storage.store import Store
from dispatcher.texts import format_date

_SINCE = timedelta(days=60)
"""How long ago the invented reader said yes."""
_NAMES = {Language.FI: "Maija", Language.SV: "Maja", Language.EN: "Mary"}
_INVENTED = {Channel.EMAIL: "maija.mallikas@posti.example", Channel.SMS: "+358400000000"}


@dataclass(frozen=True, slots=True)
class _Reader:
    """For whom the messages are made, by what addresses."""

    recipient: Recipient
    addresses: dict[Channel, str]


class Preview:
    """Makes the page; its opt-out links are those of a test, so that nobody can be opted out by looking."""

    def __init__(self, store: Store, policy: Policy, press: Press, templates: Path, links: OptOutLinks) -> None:
        self._store = store
        self._policy = policy
        self._press = press
        self._templates = templates
        self._links = links

    def invented(self, path: Path) -> str:
        """Return the page for an invented reader, in each language of the campaign.

        Raises CampaignFileError or RenderingError for a faulty campaign.
        """
        frozen = freeze(path, self._templates, self._policy)
        campaign = frozen.campaign
        languages = [each for each in Language if each in (campaign.audience.languages or set(Language))]
        agreed = local_date(self._moment(campaign) - _SINCE, self._policy.zone)
        invented = [
            Recipient(_NAMES[each], each, format_date(agreed, each), agreed_at=Place.ONLINE) for each in languages
        ]
        readers = [_Reader(each, _INVENTED) for each in invented]
        prepared = self._press.prepare(campaign, frozen.templates, frozen.picture)
        return self._page(prepared, "Made for an invented reader.", readers)

    def of_client(self, path: Path, client: int, actor: Actor) -> str:
        """Return the page for one client, address and all, once it is on disk that this person looks at them.

        Raises NotFoundError for a number no client has, RefusedError for one without an address for the campaign and
        for an auditor.
        """
        frozen = freeze(path, self._templates, self._policy)
        prepared = self._press.prepare(frozen.campaign, frozen.templates, frozen.picture)
        with self._store.reading() as connection:
            check_sees_whole(connection, actor, "preview --client")
            known = clients.read(connection, [client]).get(client)
        if known is None:
            raise NotFoundError(f"No client has the number {client}: run `dispatcher client list` to find it.")
        addresses = {channel: held.canonical for channel, held in known.addresses.items()}
        if not any(channel in addresses for channel in frozen.campaign.channels):
            raise RefusedError(f"Client {client} has no address for a channel of {frozen.campaign.name}.")
        note_look(self._store, actor, "campaign preview", 1, client)
        reader = _Reader(Recipient(known.first_name, known.language, ""), addresses)
        return self._page(prepared, f"Made for client {client}, whoever may be written to.", [reader])

    def _moment(self, campaign: Campaign) -> datetime:
        return max(self._store.clock(), campaign.send_at)

    def _page(self, prepared: Prepared, about: str, readers: list[_Reader]) -> str:
        campaign = prepared.campaign
        local = campaign.send_at.astimezone(self._policy.zone)
        moment = f"Its moment is {format_date(local)} at {local:%H:%M}."
        samples = [self._sample(prepared, reader) for reader in readers]
        return preview_page(campaign.title, about, moment, samples)

    def _sample(self, prepared: Prepared, reader: _Reader) -> Sample:
        renderer, channels, now = prepared.renderer, prepared.campaign.channels, self._moment(prepared.campaign)
        to = {channel: address for channel, address in reader.addresses.items() if channel in channels}
        link = self._links.test_url
        mail = (
            renderer.email(reader.recipient, to[Channel.EMAIL], link(Channel.EMAIL), NO_MESSAGE, now)
            if Channel.EMAIL in to
            else None
        )
        sms = renderer.sms(reader.recipient, to[Channel.SMS], link(Channel.SMS)) if Channel.SMS in to else None
        return Sample(reader.recipient.language, mail, sms)
