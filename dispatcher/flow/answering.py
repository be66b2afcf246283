"""Desk, page, booking system -> answers: what a client said, checked against what can be shown for it later."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from dispatcher.errors import RefusedError
from dispatcher.flow.applying import apply
from dispatcher.flow.known import unknown
from dispatcher.flow.matching import Change
from dispatcher.flow.meant import meant
from dispatcher.flow.recording import BOOKING, CUSTOMER, identity, record_answers, record_no
from dispatcher.keys import KeyedHash
from dispatcher.rules.actor import Actor, ActorKind
from dispatcher.rules.address import masked
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.consent import Answer, Place, Reply
from dispatcher.rules.wording import channels_named, normal, opens, wording_hash
from dispatcher.storage import answers, clients
from dispatcher.storage.clients import Client
from dispatcher.storage.database import Connection
from dispatcher.storage.locks import Lock, LockKind
from dispatcher.storage.store import Store
from dispatcher.storage.wordings import keep_wordings
from dispatcher.storage.writer import Transaction

_SAME_PRESS = timedelta(minutes=1)
"""How long a press of a button and its repetition by an impatient hand are one."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a client said about one channel; with `channel` None a no that closes every one (L-01).

    `wording` is the exact text of the question. The time is a span of aware UTC, now where it is left out. `booking`
    is the booking system's reference of the booking in which the question was asked; only its keyed hash is kept.
    """

    reply: Reply
    channel: Channel | None
    place: Place
    wording: str | None = None
    not_before: datetime | None = None
    not_after: datetime | None = None
    booking: str | None = None


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Somebody the register does not know yet: one address at least, canonical.

    The next import of the register joins them by customer number or address.
    """

    first_name: str
    last_name: str
    language: Language
    addresses: Mapping[Channel, str]
    customer_number: str | None = None


OnYes = Callable[[Transaction, Client, Said, Actor], None]
"""Told of every yes in its own transaction: the client, what was said, and who recorded it."""


@dataclass(frozen=True, slots=True)
class Answering:
    """Takes in what clients say to a person, a page or a booking system."""

    store: Store
    on_yes: Sequence[OnYes] = field(default=())

    def record(self, client: int, said: Sequence[Said], actor: Actor, *, once: bool = False) -> list[int]:
        """Put these answers of a client on record, and return the number of each one's entry, in order.

        `once` leaves out what this actor has just put on record in the same words: a button pressed twice. Raises
        NotFoundError for a number nobody has, and RefusedError for an answer that could not be shown later: a time in
        the future, a yes without its words, a yes to words that do not name its channel, a yes of a child.
        """

        def work(transaction: Transaction) -> list[int]:
            connection, now = transaction.connection, transaction.now
            new = [each for each in said if not (once and has_just_said(connection, client, each, actor, now))]
            return self.record_in(transaction, client, new, actor)

        return self.store.write(work, wanted=self._locks(client), urgent=True)

    def record_in(self, transaction: Transaction, client: int, said: Sequence[Said], actor: Actor) -> list[int]:
        """Do what `record` does within a transaction that holds the client's locks."""
        known = clients.read(transaction.connection, [client]).get(client)
        if known is None:
            raise unknown(client)
        is_child = clients.is_child(transaction.connection, client)
        for each in said:
            _check(each, transaction.now, is_child=is_child)
        keep_wordings(transaction.connection, {_words(each) for each in said if each.wording}, transaction.now)
        addresses = {channel: held.canonical for channel, held in known.addresses.items()}
        numbers = []
        for each in said:
            numbers.append(self._keep(transaction, client, each, actor, addresses))
            if each.reply is Reply.GRANTED:
                for told in self.on_yes:
                    told(transaction, known, each, actor)
        return numbers

    def enlist(self, newcomer: Newcomer, said: Sequence[Said], actor: Actor) -> int:
        """Write a client whom no register has named yet, with their first answers, and return their number.

        Raises RefusedError where somebody has one of the addresses already, and for what `record` refuses.
        """
        lock = Lock(LockKind.REGISTER, 0)
        return self.store.write(
            lambda transaction: self.enlist_in(transaction, newcomer, said, actor), wanted=[lock], urgent=True
        )

    def enlist_in(
        self,
        transaction: Transaction,
        newcomer: Newcomer,
        said: Sequence[Said],
        actor: Actor,
        *,
        confirmed: bool = False,
    ) -> int:
        """Do what `enlist` does within a transaction that holds the register's lock.

        `confirmed`: the newcomer has shown to own the addresses, so that they may have them although others do.
        """
        if not newcomer.addresses:
            raise RefusedError("A new client needs an email address or a mobile number.")
        taken = {} if confirmed else clients.by_address(transaction.connection, newcomer.addresses.items())
        if newcomer.customer_number:
            # Two customers may share an address: whoever goes by another customer number is somebody else.
            sharers = clients.read(transaction.connection, frozenset().union(*taken.values()))
            taken = {
                pair: frozenset(each for each in numbers if sharers[each].external_hash is None)
                for pair, numbers in taken.items()
            }
        if any(taken.values()):
            known = ", ".join(masked(canonical) for (_, canonical), numbers in taken.items() if numbers)
            raise RefusedError(f"{known} belongs to a client already: look them up and record the answer there.")
        change = Change(
            self._number_before(transaction, newcomer, confirmed=confirmed) or clients.new_number(),
            is_new=True,
            external=self.store.ring.hashed(CUSTOMER, newcomer.customer_number) if newcomer.customer_number else None,
            values={
                "first_name": newcomer.first_name,
                "last_name": newcomer.last_name,
                "language": newcomer.language.value,
            },
            joins=tuple((channel, canonical, False) for channel, canonical in newcomer.addresses.items()),
            identity=identity(self.store.ring, newcomer.customer_number, newcomer.addresses.items()),
            typed=actor.kind is ActorKind.PERSON and not confirmed,
        )
        apply(transaction, self.store, [change], actor)
        if said:
            self.record_in(transaction, change.number, said, actor)
        return change.number

    def _keep(
        self, transaction: Transaction, client: int, said: Said, actor: Actor, addresses: Mapping[Channel, str]
    ) -> int:
        """Write an answer and return its entry; every no goes to the journal too, since no file will tell it again.

        Were only those kept that overturn a yes, an older yes could arrive after a restore with nothing to refuse it.
        """
        ring, answer, booking = self.store.ring, _answer(said, transaction.now), self._reference(said)
        if said.reply in {Reply.DECLINED, Reply.WITHDRAWN}:
            return record_no(transaction, ring, client, answer, actor, addresses.items(), booking)
        entries = record_answers(transaction, ring, client, [answer], (), actor, addresses.items(), booking)
        return transaction.ledger.append(*entries)[0]

    def _number_before(self, transaction: Transaction, newcomer: Newcomer, *, confirmed: bool) -> int | None:
        """Return the number somebody had before a restore forgot them: their links carry it.

        Raises RefusedError where several fit, unless the addresses are theirs: then they are one more who has them.
        """
        connection = transaction.connection
        fits = meant(connection, self.store.ring, newcomer.customer_number, newcomer.addresses)
        if len(fits) > 1 and not confirmed:
            raise RefusedError(
                "Several clients had this address before the restore: import the register first, and say there who is "
                "who. For a no, run `dispatcher consent withdraw` with the address. Nothing was recorded."
            )
        return next(iter(fits)) if len(fits) == 1 and not clients.read(connection, fits) else None

    def _locks(self, client: int) -> list[Lock]:
        with self.store.reading() as connection:
            ids = clients.address_ids(connection, [client]).get(client, [])
        return [Lock(LockKind.ADDRESS, address) for address in ids] + [Lock(LockKind.CLIENT, client)]

    def _reference(self, said: Said) -> KeyedHash | None:
        return self.store.ring.hashed(BOOKING, said.booking) if said.booking else None


def has_just_said(connection: Connection, client: int, said: Said, actor: Actor, now: datetime) -> bool:
    """Say whether this very answer is the client's last one about its channel, recorded by this actor a moment ago."""
    about = [told for told in answers.of_client(connection, client) if told[0].channel in {None, said.channel}]
    if not about:
        return False
    last, by = about[-1]
    new = _answer(said, now)
    is_same = (last.reply, last.channel, last.place, last.wording) == (new.reply, new.channel, new.place, new.wording)
    return is_same and by == str(actor) and now - last.recorded_at < _SAME_PRESS


def _check(said: Said, now: datetime, *, is_child: bool) -> None:
    """Raise RefusedError for an answer that could not be shown later (L-04, L-11)."""
    if said.not_before is not None and said.not_before > now:
        raise RefusedError("The answer lies in the future: correct its time. Nothing was recorded.")
    if said.not_before is not None and said.not_after is not None and said.not_after < said.not_before:
        raise RefusedError("The answer's time ends before it begins: correct it. Nothing was recorded.")
    if said.reply is not Reply.GRANTED:
        return
    if is_child:
        raise RefusedError("The client is marked as a child: no yes is taken from a child. Nothing was recorded.")
    if said.channel is None or not said.wording:
        raise RefusedError("A yes needs its channel and the words of the question. Nothing was recorded.")
    if not opens(normal(said.wording), said.channel):
        named = " and ".join(sorted(channels_named(said.wording))) or "no channel"
        raise RefusedError(
            f"The question names {named}, so a yes to it does not open {said.channel}: ask in words that name it. "
            "Nothing was recorded."
        )


def _words(said: Said) -> str:
    return normal(said.wording or "")


def _answer(said: Said, now: datetime) -> Answer:
    if said.reply is Reply.NOT_ASKED:
        return Answer(0, said.reply, said.channel, None, None, now)
    return Answer(
        0,
        said.reply,
        said.channel,
        said.not_before or said.not_after or now,
        said.not_after or said.not_before or now,
        now,
        said.place,
        wording_hash(_words(said)) if said.wording else None,
    )
