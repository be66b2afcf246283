"""Finds which client a row of a register is, and what the row changes about them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from dispatcher.flow.recording import CUSTOMER, identity
from dispatcher.keys import KeyedHash, KeyRing
from dispatcher.register_files import RegisterRow, RejectedRow, RowAnswer
from dispatcher.rules.address import masked
from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import Answer, Reply
from dispatcher.rules.wording import opens, wording_hash
from dispatcher.storage import answers, clients
from dispatcher.storage.clients import Client, HeldAddress
from dispatcher.storage.database import Connection


@dataclass(frozen=True, slots=True)
class Change:
    """What one row changes about one client; an empty change leaves the client as they are.

    `joins` are the addresses to join, each with whether it takes the place of another; `typed` says that a person typed
    them, so that a receipt goes there before any offer (L-05). `vouched` are the channels whose typed address the
    register names as well. `identity` are the keyed hashes by which the client of the row can be recognised.
    """

    number: int
    is_new: bool = False
    external: KeyedHash | None = None
    values: dict[str, str | date] = field(default_factory=dict)
    joins: tuple[tuple[Channel, str, bool], ...] = ()
    answers: tuple[Answer, ...] = ()
    identity: tuple[KeyedHash, ...] = ()
    typed: bool = False
    vouched: tuple[Channel, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Say whether nothing changes."""
        return not (self.is_new or self.external or self.values or self.joins or self.answers or self.vouched)


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why a row cannot be taken; a no in it is kept all the same, for whoever it fits."""

    reason: str
    noes: tuple[Change, ...] = ()


class Matcher:
    """Matches rows by the register's customer number, else by email, else by phone.

    It remembers what this file has brought so far, so that a dry run sees duplicates as the real run does.
    """

    def __init__(self, ring: KeyRing, now: datetime) -> None:
        self._ring = ring
        self._now = now
        self._first_row: dict[int, int] = {}
        self._clients: dict[int, Client] = {}
        self._answers: dict[int, list[Answer]] = defaultdict(list)
        self._by_external: dict[str, int] = {}
        self._by_address: dict[tuple[Channel, str], set[int]] = defaultdict(set)
        self._returning: dict[str, frozenset[int]] = {}

    def load(self, connection: Connection, rows: Sequence[RegisterRow | RejectedRow]) -> None:
        """Look up, in a few queries, every client these rows may be."""
        by_external, by_address = self._look_up(connection, rows)
        numbers = set(by_external.values()).union(*by_address.values()) - self._clients.keys()
        self._clients |= clients.read(connection, numbers)
        for number, given in answers.of_clients(connection, sorted(numbers)).items():
            self._answers[number] += given
        self._by_external |= by_external
        marks = (keyed.digest for row in rows for keyed in self._recognised_by(row))
        self._returning = clients.returning(connection, marks)
        for pair, found in by_address.items():
            self._by_address[pair] |= found

    def known(self, connection: Connection, rows: Sequence[RegisterRow | RejectedRow]) -> set[int]:
        """Return the clients of the register whom these rows may concern: what must be locked before they change."""
        by_external, by_address = self._look_up(connection, rows)
        return set(by_external.values()).union(*by_address.values())

    def _look_up(
        self, connection: Connection, rows: Sequence[RegisterRow | RejectedRow]
    ) -> tuple[dict[str, int], dict[tuple[Channel, str], frozenset[int]]]:
        hashes = [keyed.digest for row in rows for keyed in self._hashes(row)]
        wanted = [pair for row in rows for pair in _addresses(row)]
        return clients.by_external(connection, hashes), clients.by_address(connection, wanted)

    def forget(self) -> None:
        """Let go of what the database knows by now, so that memory does not grow with the file."""
        self._clients.clear()
        self._answers.clear()
        self._by_external.clear()
        self._by_address.clear()

    def noes(self, row: RejectedRow) -> tuple[Change, ...]:
        """Return the noes of a row that was rejected, for every client it fits: a no needs no evidence."""
        return tuple(self._noes(number, row.noes) for number in sorted(self._fits(row))) if row.noes else ()

    def is_stranger(self, row: RejectedRow) -> bool:
        """Say whether a rejected row concerns nobody in the register."""
        return not self._fits(row)

    def change(self, row: RegisterRow) -> Change | Doubt:
        """Return what a row changes, or why it cannot be taken."""
        fits = self._fits(row)
        if len(fits) > 1:
            return Doubt(
                f"it fits {len(fits)} clients, {self._named(fits)}; give each their customer number in the register",
                tuple(self._noes(number, row.answers) for number in sorted(fits)),
            )
        if not fits:
            return self._new(row)
        number = next(iter(fits))
        change = self._difference(number, row)
        earlier = self._first_row.get(number)
        if earlier is not None and (change.values or change.joins):
            return Doubt(
                f"it is the same client as row {earlier}, {self._named({number})}, but says something else about "
                f"{_what(change)}; correct one of them in the register",
                (self._noes(number, row.answers),),
            )
        self._first_row.setdefault(number, row.row)
        self._take_in(number, change)
        return change

    def _hashes(self, row: RegisterRow | RejectedRow) -> tuple[KeyedHash, ...]:
        return self._ring.every_hash(CUSTOMER, row.external_id) if row.external_id else ()

    def _fits(self, row: RegisterRow | RejectedRow) -> set[int]:
        for keyed in self._hashes(row):
            if keyed.digest in self._by_external:
                return {self._by_external[keyed.digest]}
        found = [self._unclaimed(self._by_address.get(pair, set()), row) for pair in _addresses(row)]
        found = [numbers for numbers in found if numbers]
        if not found:
            return set()
        common = set.intersection(*found)
        return common or set.union(*found)

    def _unclaimed(self, numbers: set[int], row: RegisterRow | RejectedRow) -> set[int]:
        """Leave out clients who go by another customer number: two customers may share an address."""
        if row.external_id is None:
            return set(numbers)
        return {number for number in numbers if self._clients[number].external_hash is None}

    def _named(self, numbers: Iterable[int]) -> str:
        names = []
        for number in sorted(numbers):
            held = self._clients[number].addresses.values()
            names.append("/".join(masked(address.canonical) for address in held))
        return " and ".join(names)

    def _new(self, row: RegisterRow) -> Change:
        hashes = self._identity(row)
        number = self._number_before(row) or clients.new_number()
        external = hashes[0] if row.external_id else None
        values: dict[str, str | date] = {
            "first_name": row.first_name,
            "last_name": row.last_name,
            "language": row.language.value,
        }
        if row.last_visit:
            values["last_visit"] = row.last_visit
        joins = tuple((channel, canonical, False) for channel, canonical in _addresses(row))
        given = tuple(dict.fromkeys(self._answer(answer) for answer in row.answers))
        self._first_row[number] = row.row
        self._clients[number] = Client(
            number, row.first_name, row.last_name, row.language, row.last_visit, external.digest if external else None
        )
        change = Change(
            number, is_new=True, external=external, values=values, joins=joins, answers=given, identity=hashes
        )
        self._take_in(number, change)
        return change

    def _identity(self, row: RegisterRow | RejectedRow) -> tuple[KeyedHash, ...]:
        return tuple(identity(self._ring, row.external_id, _addresses(row)))

    def _recognised_by(self, row: RegisterRow | RejectedRow) -> tuple[KeyedHash, ...]:
        """Return what a client of before a restore is known by, under every key: the customer number alone, if any."""
        if row.external_id:
            return self._hashes(row)
        return tuple(
            keyed
            for channel, canonical in _addresses(row)
            for keyed in self._ring.every_hash(answers.hash_label(channel), canonical)
        )

    def _number_before(self, row: RegisterRow) -> int | None:
        """Return the number this client had before a restore forgot them, where only one client can be meant."""
        for keyed in self._recognised_by(row):
            known = self._returning.get(keyed.digest, frozenset())
            fits = [number for number in known if number not in self._first_row]
            if len(fits) == 1:
                return fits[0]
        return None

    def _difference(self, number: int, row: RegisterRow) -> Change:
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
            for channel, canonical in _addresses(row)
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
                for channel, canonical in _addresses(row)
                if (held := client.addresses.get(channel)) and held.canonical == canonical and held.awaits_receipt
            ),
        )

    def _noes(self, number: int, said: Iterable[RowAnswer]) -> Change:
        noes = [answer for answer in said if answer.reply in {Reply.DECLINED, Reply.WITHDRAWN}]
        change = Change(number, answers=self._unheard(number, noes))
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
            self._by_address[channel, canonical].add(number)
        if change.external:
            self._by_external[change.external.digest] = number
        self._clients[number] = replace(
            client,
            addresses=addresses,
            external_hash=change.external.digest if change.external else client.external_hash,
            last_visit=_day(change.values.get("last_visit"), client.last_visit),
        )
        self._answers[number] += change.answers


def _addresses(row: RegisterRow | RejectedRow) -> list[tuple[Channel, str]]:
    found = ((Channel.EMAIL, row.email), (Channel.SMS, row.phone))
    return [(channel, canonical) for channel, canonical in found if canonical]


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


def _what(change: Change) -> str:
    names = {"first_name": "the first name", "last_name": "the last name", "language": "the language"}
    names |= {"last_visit": "the last visit"}
    said = [names[name] for name in change.values] + [f"the {channel.value} address" for channel, _, _ in change.joins]
    return ", ".join(said)


def _day(value: object, other: date | None) -> date | None:
    return value if isinstance(value, date) else other
