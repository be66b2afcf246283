"""Finds which client a row of a register is, and what the row changes about them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from dispatcher.flow.fitting import Fitting, Row, addresses_of
from dispatcher.flow.recording import CUSTOMER, identity
from dispatcher.keys import KeyedHash, KeyRing
from dispatcher.register_files import RegisterRow, RejectedRow, RowAnswer
from dispatcher.rules.address import masked
from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import Answer, Reply
from dispatcher.rules.retention import Periods, is_past
from dispatcher.rules.wording import opens, wording_hash
from dispatcher.storage import answers, clients, erasure
from dispatcher.storage.clients import Client, HeldAddress
from dispatcher.storage.database import Connection
from dispatcher.storage.returning import Mark
from dispatcher.texts import format_date

NEW_CLIENT = 0
"""What a person says of a row that is none of the clients it fits; no client has this number."""


@dataclass(frozen=True, slots=True)
class Change:
    """What one row changes about one client; an empty change leaves the client as they are.

    `joins` are the addresses to join, each with whether it takes the place of another; `typed` says that a person typed
    them, so that a receipt goes there before any offer (L-05). `vouched` are the channels whose typed address the
    register names as well. `identity` are the marks by which the client of the row can be recognised.
    `chosen_among` says how many clients the row fitted where a person chose this one. `is_blocked`: only what a legal
    block keeps is left of the client, so that nothing changes but by a no.
    """

    number: int
    is_new: bool = False
    external: KeyedHash | None = None
    values: dict[str, str | date] = field(default_factory=dict)
    joins: tuple[tuple[Channel, str, bool], ...] = ()
    answers: tuple[Answer, ...] = ()
    identity: tuple[Mark, ...] = ()
    typed: bool = False
    vouched: tuple[Channel, ...] = ()
    chosen_among: int = 0
    is_blocked: bool = False

    @property
    def is_empty(self) -> bool:
        """Say whether nothing changes."""
        return not (self.is_new or self.external or self.values or self.joins or self.answers or self.vouched)


@dataclass(frozen=True, slots=True)
class MaskedClient:
    """A client as a report of an import shows them: addresses masked, and without a name to guess by.

    `is_missing`: they came after the copy that was restored, and only the number they had is known.
    """

    number: int
    addresses: tuple[str, ...]
    last_visit: date | None
    is_missing: bool = False

    def __str__(self) -> str:
        if self.is_missing:
            return f"{self.number} (known before the restore)"
        visit = f", last visit {format_date(self.last_visit)}" if self.last_visit else ""
        return f"{self.number} ({'/'.join(self.addresses) or 'no address'}{visit})"

    @classmethod
    def of(cls, client: Client) -> "MaskedClient":
        """Mask a client."""
        shown = tuple(masked(address.canonical) for address in client.addresses.values())
        return cls(client.number, shown, client.last_visit)


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why a row cannot be taken until a person says who it is; a no in it is kept all the same, for whoever it fits."""

    row: RegisterRow
    reason: str
    candidates: tuple[MaskedClient, ...]
    noes: tuple[Change, ...] = ()

    def __str__(self) -> str:
        """Return the row as a person is shown it: its number and its masked addresses."""
        shown = "/".join(masked(canonical) for _, canonical in addresses_of(self.row))
        return f"Row {self.row.row} ({shown})"


class Matcher:
    """Matches rows by the register's customer number, else by email, else by phone.

    It remembers what this file has brought so far, so that a dry run sees duplicates as the real run does. `today` is
    the local day and `periods` how long clients are kept.
    """

    def __init__(self, ring: KeyRing, now: datetime, today: date, periods: Periods) -> None:
        self._ring = ring
        self._now = now
        self._today = today
        self._periods = periods
        self._blocked: set[int] = set()
        self._fitting = Fitting(ring)
        self._first_row: dict[int, int] = {}
        self._clients: dict[int, Client] = {}
        self._answers: dict[int, list[Answer]] = defaultdict(list)

    def load(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Look up, in a few queries, every client these rows may be."""
        numbers = self._fitting.look_up(connection, rows) - self._clients.keys()
        found = clients.read(connection, numbers)
        self._clients |= found
        self._blocked |= erasure.kept_in_part(connection, list(found))
        self._fitting.learn_numbered(number for number, client in found.items() if client.external_hash)
        for number, given in answers.of_clients(connection, sorted(numbers)).items():
            self._answers[number] += given

    def known(self, connection: Connection, rows: Sequence[Row]) -> set[int]:
        """Return the clients whom these rows may concern: what must be locked before they change."""
        return Fitting(self._ring).look_up(connection, rows)

    def forget(self) -> None:
        """Let go of what the database knows by now, so that memory does not grow with the file."""
        self._clients.clear()
        self._blocked.clear()
        self._answers.clear()
        self._fitting.forget()

    def noes(self, row: RejectedRow) -> tuple[Change, ...]:
        """Return the noes of a row that was rejected, for every client it fits: a no needs no evidence."""
        return tuple(self._noes(number, row.noes) for number in sorted(self.fits(row))) if row.noes else ()

    def fits(self, row: Row) -> set[int]:
        """Return every client of the register this row may be; none where it concerns nobody there."""
        return self._fitting.fits(row) & self._clients.keys()

    def change(self, row: RegisterRow, told: int | None = None) -> Change | Doubt | None:
        """Return what a row changes, or why it cannot be taken; None for somebody new whose year is over.

        Who comes back after a restore that forgot them is new, under the number they had, which their links carry.
        `told` is what a person said of a doubtful row: the number of one of the clients it fits, or NEW_CLIENT.
        """
        fits = self._fitting.fits(row)
        is_new = fits.isdisjoint(self._clients) or (told == NEW_CLIENT and self._fitting.by_number(row) is None)
        if is_new and is_past(row.last_visit, self._today, self._periods):
            return None
        if not fits:
            return self._new(row)
        if len(fits) > 1:
            said = f"it fits {len(fits)} clients, {self._named(fits)}"
            return self._as_told(row, fits, told) or self._doubt(row, fits, said, told)
        number = next(iter(fits))
        if number not in self._clients:
            return self._new(row, number)
        change = self._difference(number, row)
        earlier = self._first_row.get(number)
        if earlier is not None and (change.values or change.joins):
            said = (
                f"it is the same client as row {earlier}, {self._named({number})}, but says something else about "
                f"{_what(change)}"
            )
            return self._as_told(row, fits, told) or self._doubt(row, fits, said, told)
        return self._taken(row, change)

    def _as_told(self, row: RegisterRow, fits: set[int], told: int | None) -> Change | None:
        """Return what a doubtful row changes about the client whom a person named, or None where nobody could."""
        if told == NEW_CLIENT and self._fitting.by_number(row) is None:
            return replace(self._new(row), chosen_among=len(fits))
        if told not in fits:
            return None
        if told not in self._clients:
            return replace(self._new(row, told), chosen_among=len(fits))
        return self._taken(row, replace(self._difference(told, row), chosen_among=len(fits)))

    def _taken(self, row: RegisterRow, change: Change) -> Change:
        self._first_row.setdefault(change.number, row.row)
        self._take_in(change.number, change)
        return change

    def _doubt(self, row: RegisterRow, fits: set[int], said: str, told: int | None) -> Doubt:
        reason = (
            f"{said}{_why_not(told)}: say who it is with --match {row.row}=NUMBER or --match {row.row}=new, or correct "
            "the register and give each client their customer number there"
        )
        noes = tuple(self._noes(number, row.answers) for number in sorted(fits & self._clients.keys()))
        return Doubt(row, reason, tuple(self._masked(number) for number in sorted(fits)), noes)

    def _named(self, numbers: Iterable[int]) -> str:
        return " and ".join(str(self._masked(number)) for number in sorted(numbers))

    def _masked(self, number: int) -> MaskedClient:
        client = self._clients.get(number)
        return MaskedClient.of(client) if client else MaskedClient(number, (), None, is_missing=True)

    def _new(self, row: RegisterRow, before: int | None = None) -> Change:
        number = before or clients.new_number()
        external = self._ring.hashed(CUSTOMER, row.external_id) if row.external_id else None
        values: dict[str, str | date] = {
            "first_name": row.first_name,
            "last_name": row.last_name,
            "language": row.language.value,
        }
        if row.last_visit:
            values["last_visit"] = row.last_visit
        joins = tuple((channel, canonical, False) for channel, canonical in addresses_of(row))
        given = tuple(dict.fromkeys(self._answer(answer) for answer in row.answers))
        self._first_row[number] = row.row
        self._clients[number] = Client(
            number, row.first_name, row.last_name, row.language, row.last_visit, external.digest if external else None
        )
        change = Change(
            number,
            is_new=True,
            external=external,
            values=values,
            joins=joins,
            answers=given,
            identity=self._identity(row),
        )
        self._take_in(number, change)
        return change

    def _identity(self, row: Row) -> tuple[Mark, ...]:
        return identity(self._ring, row.external_id, addresses_of(row))

    def _difference(self, number: int, row: RegisterRow) -> Change:
        if number in self._blocked:
            return Change(number, answers=self._unheard(number, _noes_of(row.answers)), is_blocked=True)
        client = self._clients[number]
        values: dict[str, str | date] = {}
        for name in ("first_name", "last_name"):
            said = getattr(row, name)
            if said and said != getattr(client, name):
                values[name] = said
        if row.language is not client.language:
            values["language"] = row.language.value
        if row.last_visit and (client.last_visit is None or row.last_visit > client.last_visit):
            values["last_visit"] = row.last_visit
        joins = tuple(
            (channel, canonical, channel in client.addresses)
            for channel, canonical in addresses_of(row)
            if channel not in client.addresses or client.addresses[channel].canonical != canonical
        )
        external = None
        if row.external_id and client.external_hash is None:
            external = self._ring.hashed(CUSTOMER, row.external_id)
        return Change(
            number,
            external=external,
            values=values,
            joins=joins,
            answers=self._unheard(number, row.answers),
            identity=self._identity(row) if joins or external else (),
            vouched=tuple(
                channel
                for channel, canonical in addresses_of(row)
                if (held := client.addresses.get(channel)) and held.canonical == canonical and held.awaits_receipt
            ),
        )

    def _noes(self, number: int, said: Iterable[RowAnswer]) -> Change:
        change = Change(number, answers=self._unheard(number, _noes_of(said)))
        self._take_in(number, change)
        return change

    def _unheard(self, number: int, said: Iterable[RowAnswer]) -> tuple[Answer, ...]:
        new = (self._answer(answer) for answer in said)
        return tuple(dict.fromkeys(answer for answer in new if not _is_heard(answer, self._answers[number])))

    def _answer(self, said: RowAnswer) -> Answer:
        return Answer(
            entry=0,
            reply=said.reply,
            channel=said.channel,
            not_before=said.not_before,
            not_after=said.not_after,
            recorded_at=self._now,
            place=said.place,
            wording=wording_hash(said.wording) if said.wording else None,
            sound=said.sound and not (said.wording and said.channel and not opens(said.wording, said.channel)),
            source=said.source,
        )

    def _take_in(self, number: int, change: Change) -> None:
        client = self._clients[number]
        addresses = dict(client.addresses)
        for channel, canonical, _ in change.joins:
            addresses[channel] = HeldAddress(0, canonical)
        self._fitting.learn(number, change.external, [(channel, canonical) for channel, canonical, _ in change.joins])
        self._clients[number] = replace(
            client,
            addresses=addresses,
            external_hash=change.external.digest if change.external else client.external_hash,
            last_visit=_day(change.values.get("last_visit"), client.last_visit),
        )
        self._answers[number] += change.answers


def _noes_of(said: Iterable[RowAnswer]) -> list[RowAnswer]:
    return [answer for answer in said if answer.reply in {Reply.DECLINED, Reply.WITHDRAWN}]


def _essence(answer: Answer) -> tuple[object, ...]:
    """Return what makes two answers the same answer, told twice."""
    when = (answer.not_before, answer.not_after)
    # The same yes counts anew once it is known that nothing was ticked beforehand (L-03); a no counts either way.
    is_sound = answer.sound or answer.reply is not Reply.GRANTED
    return (answer.reply, answer.channel, *when, answer.place, answer.wording, is_sound)


def _is_heard(said: Answer, given: Sequence[Answer]) -> bool:
    """Say whether this answer is on record already.

    A no without a date is heard anew after every yes: nobody can tell it from one that was said since (L-07).
    """
    essence = _essence(said)
    last = max((place for place, each in enumerate(given) if _essence(each) == essence), default=None)
    if last is None:
        return False
    is_undated_no = said.reply in {Reply.DECLINED, Reply.WITHDRAWN} and said.not_after is None
    return not (is_undated_no and any(_is_yes_since(each, given[last]) for each in given[last + 1 :]))


def _is_yes_since(given: Answer, no: Answer) -> bool:
    """Say whether this is a yes against the no, learned of after it: not from the same row of the same file."""
    speaks_of_it = no.channel is None or given.channel is no.channel
    return given.reply is Reply.GRANTED and speaks_of_it and given.recorded_at > no.recorded_at


def _why_not(told: int | None) -> str:
    """Return why what a person said of a row was not done."""
    if told is None:
        return ""
    if told == NEW_CLIENT:
        return "; it cannot be a new client, because its customer number is taken"
    return f"; client {told}, whom --match names, is not among them"


def _what(change: Change) -> str:
    names = {"first_name": "the first name", "last_name": "the last name", "language": "the language"}
    names |= {"last_visit": "the last visit"}
    said = [names[name] for name in change.values] + [f"the {channel.value} address" for channel, _, _ in change.joins]
    return ", ".join(said)


def _day(value: object, other: date | None) -> date | None:
    return value if isinstance(value, date) else other
