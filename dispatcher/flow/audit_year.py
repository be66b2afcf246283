"""The audit of one year as values: what every format is made from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from dispatcher.flow.audit_damage import Verification
from dispatcher.flow.audit_figures import AskedFigures, LetterFigures, NoFigures, RequestFigures
from dispatcher.rules.audit import Recount
from dispatcher.rules.audit_counts import reach
from dispatcher.rules.audit_records import CampaignRecord
from dispatcher.rules.budget import CEILING, FLOOR, most_in_any_window
from dispatcher.rules.campaign import Channel
from dispatcher.rules.later import FINAL, Later
from dispatcher.rules.ledger import Json, stamp
from dispatcher.rules.message import MessageState
from dispatcher.rules.seal import Seal, key_words

_STILL_OPEN = (MessageState.WAITING, MessageState.ATTEMPTING, MessageState.DEFERRED)
_AGES = ((30, "0-30"), (90, "31-90"), (180, "91-180"), (365, "181-365"))


@dataclass(frozen=True, slots=True)
class ChannelFigures:
    """The messages of a campaign by one channel; `planned` is by the channel planned, the rest by the one taken."""

    planned: int
    accepted: int
    refused: int
    unknown: int

    def as_json(self) -> dict[str, Json]:
        """Return the counts with stable keys."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@dataclass(frozen=True, slots=True)
class CampaignFigures:
    """A campaign of the year, whole: also its messages that went on a day of the next.

    `planned` messages went into the outbox: each was accepted, refused, is unknown or `open` (waiting, deferred or
    being handed over), or was withheld later. `withheld` counts clients by reason, at planning and later. `day` is its
    slot's local date. `opted_out_after`: see CampaignRecord. `sms_cost` is what its text messages cost, in euros.
    `may_have_arrived` are those of the unknown of which nobody will tell any more, `later` what was told of the others
    after they had been taken: `delivered`, or that they did not arrive (`bounced`). `complained` are those of the
    `opted_out_after` who complained to their mail service.
    """

    number: int
    name: str
    title: str
    kind: str
    day: date | None
    state: str
    planned: int
    accepted: int
    refused: int
    unknown: int
    open: int
    withheld: Mapping[str, int]
    channels: Mapping[str, ChannelFigures]
    opted_out_after: int
    complained: int
    sms_parts: int
    sms_cost: str
    may_have_arrived: int = 0
    later: Mapping[str, int] = field(default_factory=dict)

    @property
    def delivered(self) -> int:
        """Return of how many it was told that they arrived."""
        return self.later.get(Later.DELIVERED, 0)

    @property
    def bounced(self) -> int:
        """Return of how many it was told, after they had been taken, that they did not arrive."""
        return sum(self.later.get(word, 0) for word in FINAL - {Later.DELIVERED})

    def as_json(self) -> dict[str, Json]:
        """Return the figures with stable keys."""
        figures: dict[str, Json] = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {
            **figures,
            "day": self.day.isoformat() if self.day else None,
            "withheld": dict(self.withheld),
            "delivered": self.delivered,
            "bounced": self.bounced,
            "later": dict(self.later),
            "channels": {name: channel.as_json() for name, channel in self.channels.items()},
        }


@dataclass(frozen=True, slots=True)
class DeclaredFigures:
    """What a person declared to have been sent in the year beside or before the program: nobody can recount it.

    `by` is who declared it, and `declared_on` the local date on which they did.
    """

    day: date
    title: str
    kind: str
    channels: tuple[str, ...]
    messages: int
    by: str
    declared_on: date

    def as_json(self) -> dict[str, Json]:
        """Return the figures with stable keys."""
        figures: dict[str, Json] = {name: getattr(self, name) for name in self.__dataclass_fields__}
        days = {"day": self.day.isoformat(), "declared_on": self.declared_on.isoformat()}
        return {**figures, **days, "channels": list(self.channels)}


@dataclass(frozen=True, slots=True)
class SlotFigures:
    """The year's slots: spent, and taken by campaigns to come; the most spent in any 365 dates that touch the year.

    `declared` says how many of the spent ones a person declared.
    """

    spent: int
    declared: int
    taken: int
    most_in_365_days: int
    days: tuple[date, ...]

    def as_json(self) -> dict[str, Json]:
        """Return the figures with stable keys, floor and ceiling beside them."""
        return {
            "spent": self.spent,
            "declared": self.declared,
            "taken": self.taken,
            "floor": FLOOR,
            "ceiling": CEILING,
            "most_in_365_days": self.most_in_365_days,
            "days": [day.isoformat() for day in self.days],
        }


@dataclass(frozen=True, slots=True)
class MessageFigures:
    """The messages that went on a local date of the year, and what anyone got in any 365 dates that touch it.

    `agreed` is how many of the accepted and the unknown relied on a yes that stood; `ages` counts those by the age of
    the yes in days, `places` by where it was asked, `oldest_yes_days` is the oldest. `by_channel` counts those that
    left, `spread` the clients by how many messages each got in the year itself. `restored` are apart: a restore took
    their Send entry away, so they count as unknown with their campaign, and nobody can say more. `sms_cost` is what the
    text messages cost, in euros, at the prices of their days, without those of which no price is known.
    """

    accepted: int
    unknown: int
    restored: int
    clients: int
    most_per_client: int
    most_per_address: int
    by_channel: Mapping[str, int]
    spread: Mapping[int, int]
    agreed: int
    oldest_yes_days: int | None
    ages: Mapping[str, int]
    places: Mapping[str, int]
    sms_parts: int
    sms_cost: str
    sms_without_price: int

    def as_json(self) -> dict[str, Json]:
        """Return the figures with stable keys."""
        figures: dict[str, Json] = {name: getattr(self, name) for name in self.__dataclass_fields__}
        mapped = ("by_channel", "ages", "places")
        spread = {str(many): clients for many, clients in self.spread.items()}
        return {**figures, **{name: dict(getattr(self, name)) for name in mapped}, "spread": spread}

    @property
    def left(self) -> int:
        """Return how many left or may have: the accepted and the unknown."""
        return self.accepted + self.unknown


@dataclass(frozen=True, slots=True)
class DestroyedFigures:
    """A year whose messages were destroyed: on which local date, and under which seal it had been closed.

    `entries` is how many entries went. The rest is what the year came to when it was closed.
    """

    day: date
    seal: int
    entries: int
    campaigns: Json
    messages: Json
    clients: Json

    def as_json(self) -> dict[str, Json]:
        """Return the figures with stable keys."""
        return {**{name: getattr(self, name) for name in self.__dataclass_fields__}, "day": self.day.isoformat()}


@dataclass(frozen=True, slots=True)
class YearAudit:
    """A year recomputed from the ledger alone.

    `findings` are broken promises and differences, `remarks` what else a reader should know, both in plain sentences
    that name entries. `asked`, `noes`, `requests` and `letters`: see flow.audit_figures. `held` counts how often a
    campaign was held, by why, and `restores` how often a copy of the database was put back, both in the year. `seal` is
    the last one set. `destroyed` is there where the messages of the year were destroyed: no figure here counts them.
    """

    year: int
    campaigns: tuple[CampaignFigures, ...]
    declared: tuple[DeclaredFigures, ...]
    slots: SlotFigures
    messages: MessageFigures
    asked: AskedFigures | None
    noes: NoFigures
    requests: tuple[RequestFigures, ...]
    letters: tuple[LetterFigures, ...]
    held: Mapping[str, int]
    restores: int
    chain: Verification
    findings: tuple[str, ...]
    remarks: tuple[str, ...]
    seal: Seal | None = None
    destroyed: DestroyedFigures | None = None

    @property
    def ok(self) -> bool:
        """Say whether every promise held."""
        return not self.findings

    @property
    def is_gone(self) -> bool:
        """Say whether no message of the year is left: a nought in what counts them says nothing then."""
        return self.destroyed is not None and not self.messages.left

    def as_json(self) -> dict[str, Json]:
        """Return everything with stable keys."""
        return {
            "year": self.year,
            "ok": self.ok,
            "campaigns": [campaign.as_json() for campaign in self.campaigns],
            "declared": [each.as_json() for each in self.declared],
            "slots": self.slots.as_json(),
            "messages": self.messages.as_json(),
            "asked": self.asked.as_json() if self.asked else None,
            "noes": self.noes.as_json(),
            "requests": [each.as_json() for each in self.requests],
            "letters": [each.as_json() for each in self.letters],
            "held": dict(self.held),
            "restores": self.restores,
            "chain": self.chain.as_json(),
            "findings": list(self.findings),
            "remarks": list(self.remarks),
            "seal": _seal_json(self.seal) if self.seal else None,
            "destroyed": self.destroyed.as_json() if self.destroyed else None,
        }


def _seal_json(seal: Seal) -> dict[str, Json]:
    return {
        "number": seal.number,
        "at": stamp(seal.at),
        "words": seal.words(),
        "key": key_words(seal.public),
    }


def campaigns_of(recount: Recount) -> list[CampaignRecord]:
    """Return the campaigns of the year: whose slot lies in it, or of which a message went in it; earliest first."""
    found = [
        record
        for record in recount.campaigns.values()
        if record.touches or (record.slot != "returned" and record.day is not None and record.day.year == recount.year)
    ]
    return sorted(found, key=lambda record: (record.day or date.min, record.number))


def campaign_figures(record: CampaignRecord) -> CampaignFigures:
    """Return a campaign's figures from what the ledger tells of it."""
    by_state = {
        state: sum(count for (at, _), count in record.standing.items() if at is state) for state in MessageState
    }
    return CampaignFigures(
        number=record.number,
        name=record.name,
        title=record.title,
        kind=record.kind,
        day=record.day,
        state=record.state.value if record.state else "unknown",
        planned=record.planned.total(),
        accepted=by_state[MessageState.ACCEPTED],
        refused=by_state[MessageState.REFUSED],
        unknown=by_state[MessageState.UNKNOWN],
        open=sum(by_state[state] for state in _STILL_OPEN),
        withheld=dict(sorted(record.withheld.items())),
        channels={channel.value: _channel(record, channel) for channel in Channel},
        opted_out_after=record.opted_out_after,
        complained=record.complained,
        sms_parts=record.texts.parts,
        sms_cost=str(record.texts.cost),
        may_have_arrived=record.given_up,
        later={name: count for name, count in sorted(record.later.items()) if count},
    )


def declared_figures(recount: Recount) -> tuple[DeclaredFigures, ...]:
    """Return what was declared for the year and stands, earliest first."""
    standing = [each for each in recount.declared.values() if each.stands and each.day.year == recount.year]
    return tuple(
        DeclaredFigures(
            day=each.day,
            title=each.title,
            kind=each.kind,
            channels=each.channels,
            messages=each.messages,
            by=each.by,
            declared_on=recount.local(each.declared_at),
        )
        for each in sorted(standing, key=lambda each: (each.day, each.title))
    )


def slot_figures(recount: Recount) -> SlotFigures:
    """Return the year's slots."""
    spent = [slot.date for slot in recount.spent()]
    first, last = reach(recount.year)
    in_year = tuple(day for day in spent if day.year == recount.year)
    taken = sum(
        record.slot == "taken" and record.day is not None and record.day.year == recount.year
        for record in recount.campaigns.values()
    )
    declared = sum(each.stands and each.day.year == recount.year for each in recount.declared.values())
    return SlotFigures(
        len(in_year), declared, taken, most_in_any_window(day for day in spent if first <= day <= last), in_year
    )


def message_figures(recount: Recount) -> MessageFigures:
    """Return the year's messages against the answers they relied on."""
    agreement = recount.agreement
    ages = {name: 0 for _, name in _AGES} | {"over 365": 0}
    for age, count in agreement.by_age.items():
        ages[next((name for at_most, name in _AGES if age <= at_most), "over 365")] += count
    return MessageFigures(
        accepted=agreement.messages[MessageState.ACCEPTED],
        unknown=agreement.messages[MessageState.UNKNOWN],
        restored=agreement.restored,
        clients=recount.clients.reached(),
        most_per_client=recount.clients.most(),
        most_per_address=recount.addresses.most(),
        by_channel={channel.value: agreement.by_channel[channel] for channel in Channel},
        spread=dict(sorted(recount.clients.spread().items())),
        agreed=agreement.agreed,
        oldest_yes_days=max((age for age, count in agreement.by_age.items() if count), default=None),
        ages=ages,
        places={place: count for place, count in sorted(agreement.by_place.items()) if count},
        sms_parts=recount.texts.parts,
        sms_cost=str(recount.texts.cost),
        sms_without_price=recount.texts.unpriced,
    )


def _channel(record: CampaignRecord, channel: Channel) -> ChannelFigures:
    return ChannelFigures(
        planned=record.planned[channel],
        accepted=record.standing[MessageState.ACCEPTED, channel],
        refused=record.standing[MessageState.REFUSED, channel],
        unknown=record.standing[MessageState.UNKNOWN, channel],
    )
