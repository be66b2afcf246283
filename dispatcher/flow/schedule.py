"""Campaign file -> slot in the year and frozen bytes; a date kept for a file that is still to be written."""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Protocol

from dispatcher.errors import NotFoundError, RefusedError
from dispatcher.flow import acts
from dispatcher.flow.freezing import POLICY_FILE, Frozen, content_hash, freeze
from dispatcher.flow.policy import Policy
from dispatcher.flow.timing import closed, holidays_body
from dispatcher.rules.actor import Actor
from dispatcher.rules.calendar import local_date
from dispatcher.rules.campaign import Campaign, Kind, State
from dispatcher.rules.ledger import Entry, EntryKind, Json, stamp
from dispatcher.rules.life import Act
from dispatcher.storage import campaigns, ledger, slots
from dispatcher.storage.campaigns import Scheduled
from dispatcher.storage.database import Connection
from dispatcher.storage.locks import Lock, LockKind
from dispatcher.storage.store import Store
from dispatcher.storage.writer import Transaction

SOON = timedelta(minutes=10)
"""How long after `schedule --now` a campaign begins: until then it can be revised or cancelled."""

Precheck = Callable[[Path, datetime | None], Sequence[str]]
"""Returns what to know of a campaign file, at another moment than its own where one is given.

Raises the DispatcherError that keeps it from being scheduled.
"""


class Proof(Protocol):
    """Shows content to a person before it goes to clients."""

    def require(self, path: Path, frozen: Frozen, actor: Actor) -> Sequence[str]:
        """Send a test of this very content unless one has been taken over, and say so. Raises RefusedError."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A campaign that has got its slot: its number, its local date, and how many the year then holds.

    `reservation` is the name of the reservation it took, `moved_from` the date its slot lay on before. `remarks` are
    what to know of it: warnings, when its messages leave, and to whom a test of it went.
    """

    id: int
    name: str
    day: date
    in_year: int
    send_at: datetime
    reservation: str | None = None
    moved_from: date | None = None
    remarks: tuple[str, ...] = ()


class _RehearsedError(Exception):
    """Ends a rehearsal: everything could be done, and nothing is kept of it."""


class Schedule:
    """Gives campaigns their slot in the year.

    `prechecks` are asked in their order before a slot is taken; with a `proof`, its content must have been tested.
    """

    def __init__(
        self,
        store: Store,
        policy: Policy,
        templates: Path,
        prechecks: Sequence[Precheck] = (),
        proof: Proof | None = None,
    ) -> None:
        self._store = store
        self._policy = policy
        self._templates = templates
        self._prechecks = prechecks
        self._proof = proof

    def run(self, path: Path, actor: Actor, *, uses: str | None = None, now: bool = False) -> Taken:
        """Freeze a campaign file with its templates and take its slot.

        A draft of that name is taken up again; `uses` names a reservation to take, else the one of its date and kind is
        taken. `now` sends it in ten minutes, whatever its file says.

        Raises CampaignFileError or RenderingError where the check finds fault, NoSlotError for a thirteenth, and
        RefusedError for a moment that has passed or a campaign that has been scheduled already.
        """
        soon = self._store.clock() + SOON if now else None
        remarks = [remark for check in self._prechecks for remark in check(path, soon)]
        frozen = freeze(path, self._templates, self._policy)
        campaign = frozen.campaign if soon is None else replace(frozen.campaign, send_at=soon)
        settings = json.dumps(self._policy.as_json(), indent=1, sort_keys=True).encode()
        files = {**frozen.files, POLICY_FILE: settings}
        if self._proof is not None:
            # No test goes out of what the year or the calendar refuses anyway.
            with suppress(_RehearsedError):
                self.take(campaign, files, actor, uses=uses, rehearsing=True)
            remarks += self._proof.require(path, frozen, actor)
        if now:
            # Rendering everything and sending a test took its time: the ten minutes are to undo it in.
            campaign = replace(campaign, send_at=self._store.clock() + SOON)
        return replace(self.take(campaign, files, actor, uses=uses), remarks=tuple(remarks))

    def take(
        self,
        campaign: Campaign,
        frozen: Mapping[str, bytes],
        actor: Actor,
        *,
        uses: str | None = None,
        rehearsing: bool = False,
    ) -> Taken:
        """Take a slot for a campaign under the year's lock; of many who try at once for the last, one gets it."""
        day = local_date(campaign.send_at, self._policy.zone)
        self._refuse_closed(campaign)
        with self._store.reading() as connection:
            found = self._own(connection, campaign, day, uses)
        days = [day, *([local_date(found.send_at, self._policy.zone)] if found else [])]
        campaign_lock = [Lock(LockKind.CAMPAIGN, found.id)] if found else []

        def work(transaction: Transaction) -> Taken:
            taken = self._take(transaction, campaign, frozen, actor, uses)
            if rehearsing:
                raise _RehearsedError
            return taken

        return self._store.write(work, wanted=[*acts.year_locks(*days), *campaign_lock])

    def reserve(self, day: date, kind: Kind, title: str, actor: Actor) -> Taken:
        """Keep a date for a campaign whose content follows; it lapses if that date ends without any.

        Raises NoSlotError for a thirteenth and RefusedError for a date that is over.
        """
        title = acts.titled(title)
        begins_at = datetime.combine(day, time.min, self._policy.zone).astimezone(UTC)

        def work(transaction: Transaction) -> Taken:
            if day < local_date(transaction.now, self._policy.zone):
                raise RefusedError(
                    f"{day.isoformat()} is over: reserve a date to come. What was sent on it beside this program is "
                    "told with `dispatcher campaign declare`."
                )
            connection = transaction.connection
            acts.allowed(None, Act.RESERVE, title)
            number = campaigns.add_reservation(connection, title, kind, begins_at, transaction.now)
            made = campaigns.by_id(connection, number)
            about: dict[str, Json] = {"name": made.name, "title": title, "kind": kind.value}
            body: dict[str, Json] = {"event": State.RESERVED.value, **about, "day": day.isoformat()}
            transaction.ledger.append(Entry(EntryKind.CAMPAIGN, actor, campaign=number, body=body))
            in_year = acts.take_slot(transaction, made, day, actor, self._policy.zone)
            return Taken(number, made.name, day, in_year, begins_at)

        return self._store.write(work, wanted=acts.year_locks(day))

    def _take(
        self,
        transaction: Transaction,
        campaign: Campaign,
        frozen: Mapping[str, bytes],
        actor: Actor,
        uses: str | None,
    ) -> Taken:
        connection, zone = transaction.connection, self._policy.zone
        day = local_date(campaign.send_at, zone)
        acts.lapse_over(transaction, zone)
        self._refuse_late(campaign, transaction.now)
        _refuse_forgotten(connection, campaign.name)
        found = self._own(connection, campaign, day, uses)
        if found is not None:
            found = campaigns.by_id(connection, found.id, for_update=True)
        acts.allowed(found, Act.SCHEDULE, campaign.name)
        was = slots.day_of(connection, found.id) if found else None
        if found is not None:
            number = found.id
            campaigns.set_content(connection, number, campaign, frozen, transaction.now)
        else:
            number = campaigns.add(connection, campaign, frozen, transaction.now)
        body: dict[str, Json] = {
            "event": State.SCHEDULED.value,
            "name": campaign.name,
            "title": campaign.title,
            "kind": campaign.kind.value,
            "send_at": stamp(campaign.send_at),
            "content": content_hash(frozen),
            **holidays_body(campaign),
        }
        transaction.ledger.append(Entry(EntryKind.CAMPAIGN, actor, campaign=number, body=body))
        taken = campaigns.by_id(connection, number)
        in_year = acts.take_slot(transaction, taken, day, actor, zone)
        reservation = found.name if found is not None and found.state is State.RESERVED else None
        moved = was if was != day else None
        return Taken(number, campaign.name, day, in_year, campaign.send_at, reservation, moved)

    def _own(self, connection: Connection, campaign: Campaign, day: date, uses: str | None) -> Scheduled | None:
        """Return the draft or reservation that a file takes up, or what already goes by its name; None if it is new.

        Raises RefusedError where several reservations are meant, or another than the one named.
        """
        known = campaigns.by_name(connection, campaign.name)
        if uses is not None:
            return self._reservation(connection, uses, known)
        if known is not None:
            return known
        kept = slots.reserved_on(connection, day, campaign.kind)
        if len(kept) > 1:
            named = ", ".join(f"{name} ({title})" for _, name, title in kept)
            raise RefusedError(
                f"{day.isoformat()} is reserved more than once for this kind: {named}. Say which one {campaign.name} "
                f"is for: `dispatcher campaign schedule FILE --for {kept[0][1]}`."
            )
        return campaigns.by_id(connection, kept[0][0]) if kept else None

    def _reservation(self, connection: Connection, uses: str, known: Scheduled | None) -> Scheduled:
        """Return the reservation of this name or number. Raises NotFoundError, and RefusedError for what is none."""
        name = f"{campaigns.RESERVATION}-{uses}" if uses.isdecimal() else uses
        found = campaigns.by_name(connection, name)
        if found is None:
            raise NotFoundError(f"There is no reservation {name}: run `dispatcher campaign list`.")
        if found.state is not State.RESERVED:
            raise RefusedError(f"{name} is {found.state.value}, not a reservation: leave `--for` out.")
        if known is not None and known.id != found.id:
            raise RefusedError(
                f"{known.name} has a slot of its own (it is {known.state.value}): leave `--for` out, or give that slot "
                f"back first with `dispatcher campaign cancel {known.name}`."
            )
        return found

    def _refuse_closed(self, campaign: Campaign) -> None:
        """Refuse a moment at which no channel of the campaign may be used (S-14)."""
        for why in closed(campaign, self._policy.windows_of(campaign)):
            raise RefusedError(why)

    def _refuse_late(self, campaign: Campaign, now: datetime) -> None:
        if campaign.send_at < now:
            local = campaign.send_at.astimezone(self._policy.zone)
            raise RefusedError(
                f"The moment of {campaign.name} has passed: {local:%d.%m.%Y %H:%M}. Write a later send_at in its file."
            )


def _refuse_forgotten(connection: Connection, name: str) -> None:
    """Refuse what was sent after the copy that is in place was made: nobody knows who has got it (invariant 2)."""
    for entry in ledger.entries_of_nobody(connection, EntryKind.SLOT.value):
        body = entry.data()
        if body.get("name") == name:
            raise RefusedError(
                f"{name} went out already, on {body['day']}: the copy that was put back is older, and nobody knows who "
                "got it. Give a new campaign a file of another name."
            )
