"""Booking system -> answers: a call is taken in once, whoever sends it again, and changes no address on record."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from dispatcher.errors import FieldError, NotFoundError, RefusedError, StorageError
from dispatcher.flow.answering import Answering, Newcomer, Said
from dispatcher.flow.api_keys import actor_of
from dispatcher.flow.applying import apply
from dispatcher.flow.calls import NAME_FIELD, NOES, Call, Called, Receipt, Told, remember, seen
from dispatcher.flow.matching import Change
from dispatcher.flow.meant import meant
from dispatcher.flow.policy import Policy
from dispatcher.flow.recording import CUSTOMER, identity, suppress_stranger
from dispatcher.rules.actor import Actor
from dispatcher.rules.calendar import local_date
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.consent import Answer, Reply, fold
from dispatcher.rules.ledger import Json, stamp
from dispatcher.storage import clients, erasure
from dispatcher.storage.api_keys import ApiKey
from dispatcher.storage.database import Connection
from dispatcher.storage.facts import gather
from dispatcher.storage.locks import Lock, LockKind
from dispatcher.storage.store import Store
from dispatcher.storage.wordings import wording_texts
from dispatcher.storage.writer import Transaction

_CLOCKS_DIFFER = timedelta(minutes=1)
"""By how much a booking system's clock may be ahead of ours: an answer from there is taken as given now."""
_ATTEMPTS = 5
_ADDRESS = {Channel.EMAIL: "email address", Channel.SMS: "mobile number"}
_BLOCKED = "This client is kept for a legal block only: nothing is recorded but a no."
_FIELD = {Channel.EMAIL: "email", Channel.SMS: "phone"}
"""What a call names the address of each channel."""


class _MovedError(Exception):
    """Between the look and the lock somebody else became the client who is meant."""


class Bookings:
    """Takes the calls of booking systems in."""

    def __init__(self, store: Store, policy: Policy, answering: Answering) -> None:
        self._store = store
        self._policy = policy
        self._answering = answering

    def take(self, call: Call, key: ApiKey) -> Receipt:
        """Put the answers of a call on record; on disk when this returns, in the database and every no in the journal.

        The same call again gets the same receipt and changes nothing. Where several clients fit, or a yes is about
        another address than the one on record, the noes are kept for all who fit and nothing else is (L-31). So it is
        where something in a call cannot be recorded: no no is lost to what else it holds (invariant 4). Raises
        FieldError for that in a call without a no, and for a name that another call has had; NotFoundError for a
        customer number nobody has beside no address.
        """
        try:
            return self._put(call, key)
        except FieldError as error:
            if error.field == NAME_FIELD or call.faults or not call.has_no:
                raise
            return self._put(replace(call, faults=[(error.field, str(error))]), key)

    def _put(self, call: Call, key: ApiKey) -> Receipt:
        for _ in range(_ATTEMPTS):
            with self._store.reading() as connection:
                fits = self._fits(connection, call.called)
                addresses = clients.address_ids(connection, sorted(fits))
            # The register's lock keeps two calls at once from making one new client, or one answer, twice.
            wanted = [Lock(LockKind.REGISTER, 0), *(Lock(LockKind.CLIENT, number) for number in fits)]
            wanted += [Lock(LockKind.ADDRESS, each) for ids in addresses.values() for each in ids]
            try:
                return self._store.write(partial(self._take, call, key, fits), wanted=wanted, urgent=True)
            except _MovedError:
                continue
        raise StorageError("The register is being changed: nothing was recorded. Send the same call again.")

    def _fits(self, connection: Connection, called: Called) -> frozenset[int]:
        return meant(connection, self._store.ring, called.customer_number, called.addresses)

    def _take(self, call: Call, key: ApiKey, expected: frozenset[int], transaction: Transaction) -> Receipt:
        connection = transaction.connection
        before = seen(connection, self._store.ring, call, key)
        if before is not None:
            return before
        fits = self._fits(connection, call.called)
        if fits != expected:
            raise _MovedError
        call = replace(call, told=self._completed(connection, call, transaction.now))
        actor, there = actor_of(key), sorted(clients.read(connection, fits))
        if call.faults:
            receipt = Receipt({"recorded": self._noes(transaction, there, call, actor)}, faults=call.faults)
        elif len(fits) > 1:
            why = f"{len(fits)} clients fit: give each their customer number in the register, and send it in the call."
            receipt = Receipt({"recorded": self._noes(transaction, there, call, actor)}, ("client", why))
        elif there:
            receipt = self._known(transaction, there[0], call, actor)
        else:
            receipt = self._unknown(transaction, call, actor)
        if receipt.recorded or not receipt.is_refusal:
            remember(transaction, self._store.ring, call, key, receipt)
        return receipt

    def _completed(self, connection: Connection, call: Call, now: datetime) -> list[Told]:
        """Return what was told with the words of each question, and no time after now.

        In a call with faults, a no whose own words or time cannot be taken is one without words, given now.
        """
        hashes = {each.wording_sha256 for each in call.told if each.wording_sha256}
        texts = wording_texts(connection, hashes)
        whole = []
        for index, each in enumerate(call.told):
            said = each.said
            if each.wording_sha256:
                if each.wording_sha256 not in texts and not call.faults:
                    raise FieldError(f"answers[{index}].wording_sha256", "No question on record has this SHA-256.")
                said = replace(said, wording=texts.get(each.wording_sha256))
            latest = max((time for time in (said.not_before, said.not_after) if time), default=now)
            if latest > now + _CLOCKS_DIFFER and not call.faults:
                why = "The answer lies in the future: correct its time. Nothing was recorded."
                raise FieldError(f"answers[{index}]", why)
            said = replace(said, not_before=_by(said.not_before, now), not_after=_by(said.not_after, now))
            whole.append(Told(said))
        return whole

    def _known(self, transaction: Transaction, number: int, call: Call, actor: Actor) -> Receipt:
        """Record the answers of a client of the register; an address they have none of is joined, none is replaced."""
        ring, called = self._store.ring, call.called
        if erasure.kept_in_part(transaction.connection, [number]):
            return Receipt({"recorded": self._noes(transaction, [number], call, actor)}, ("client", _BLOCKED))
        client = clients.read(transaction.connection, [number])[number]
        held = {channel: address.canonical for channel, address in client.addresses.items()}
        others = {way: text for way, text in called.addresses.items() if held.get(way, text) != text}
        for index, each in enumerate(call.told):
            channel = each.said.channel
            if each.said.reply is Reply.GRANTED and channel is not None and channel in others:
                why = (
                    f"The register holds another {_ADDRESS[channel]} of this client, and no yes counts for an address "
                    "it does not know: correct it in the register first."
                )
                recorded = self._noes(transaction, [number], call, actor)
                return Receipt({"recorded": recorded}, (f"answers[{index}]", why))
        joins = tuple((way, text, False) for way, text in called.addresses.items() if way not in held)
        external = None
        if called.customer_number and client.external_hash is None:
            external = ring.hashed(CUSTOMER, called.customer_number)
        marks = identity(ring, called.customer_number, called.addresses.items()) if joins or external else ()
        change = Change(number, external=external, joins=joins, identity=marks)
        if not change.is_empty:
            apply(transaction, self._store, [change], actor)
        recorded = self._record(transaction, number, call.told, {*held, *called.addresses}, actor)
        self._silence(transaction, call, others, actor)
        kept = [
            (f"client.{_FIELD[way]}", f"The register holds another {_ADDRESS[way]}: it was kept.") for way in others
        ]
        return self._receipt(transaction, number, recorded, [*call.warnings, *kept])

    def _noes(self, transaction: Transaction, numbers: Sequence[int], call: Call, actor: Actor) -> list[Json]:
        """Keep the noes of a call for everybody they may be from, and nothing else of it."""
        if not numbers:
            return self._silence(transaction, call, call.called.addresses, actor, whatever=True)
        recorded: list[Json] = []
        for number in numbers:
            recorded += self._record(transaction, number, call.told, set(), actor, only=NOES)
        known = clients.read(transaction.connection, numbers).values()
        held = {(way, address.canonical) for client in known for way, address in client.addresses.items()}
        others = {way: text for way, text in call.called.addresses.items() if (way, text) not in held}
        self._silence(transaction, call, others, actor)
        return recorded

    def _unknown(self, transaction: Transaction, call: Call, actor: Actor) -> Receipt:
        """Enlist somebody new; of one who says no and whom nothing but an address is known of, keep the no alone."""
        called = call.called
        if not called.addresses:
            raise NotFoundError(
                "Nobody in the register has this customer number, and the call names no address: add the email address "
                "or the mobile number."
            )
        has_yes = any(each.said.reply is Reply.GRANTED for each in call.told)
        if not (has_yes or called.customer_number or called.first_name or called.last_name):
            recorded = self._silence(transaction, call, called.addresses, actor, whatever=True)
            return self._receipt(transaction, None, recorded, call.warnings)
        newcomer = Newcomer(
            called.first_name,
            called.last_name,
            called.language or Language.FI,
            called.addresses,
            called.customer_number,
        )
        number = self._answering.enlist_in(transaction, newcomer, [], actor)
        recorded = self._record(transaction, number, call.told, set(called.addresses), actor)
        return self._receipt(transaction, number, recorded, call.warnings, is_new=True)

    def _record(
        self,
        transaction: Transaction,
        number: int,
        told: Sequence[Told],
        reached: set[Channel],
        actor: Actor,
        *,
        only: frozenset[Reply] = frozenset(Reply),
    ) -> list[Json]:
        """Record answers one by one, so that a refusal names its own; a yes needs the address that it opens."""
        recorded: list[Json] = []
        for index, each in enumerate(told):
            said = each.said
            if said.reply not in only:
                continue
            if said.reply is Reply.GRANTED and said.channel is not None and said.channel not in reached:
                why = f"A yes opens an address: name the client's {_ADDRESS[said.channel]}."
                raise FieldError(f"answers[{index}]", why)
            try:
                [entry] = self._answering.record_in(transaction, number, [said], actor)
            except RefusedError as error:
                raise FieldError(f"answers[{index}]", str(error)) from None
            recorded.append(_line(number, entry, said))
        return recorded

    def _silence(
        self,
        transaction: Transaction,
        call: Call,
        addresses: Mapping[Channel, str],
        actor: Actor,
        *,
        whatever: bool = False,
    ) -> list[Json]:
        """Keep the objections of a call for addresses that no client of it has.

        `whatever` takes every no for one: of a stranger nothing else could be kept.
        """
        kept: list[Json] = []
        for each in call.told if addresses else ():
            said = each.said
            if said.reply is Reply.WITHDRAWN or (whatever and said.reply is Reply.DECLINED):
                start, end = said.not_before or said.not_after, said.not_after or said.not_before
                now = transaction.now
                no = Answer(0, Reply.WITHDRAWN, said.channel, start or now, end or now, now, said.place)
                suppress_stranger(transaction, self._store.ring, no, actor, addresses)
                kept.append(_line(None, None, said))
        return kept

    def _receipt(
        self,
        transaction: Transaction,
        number: int | None,
        recorded: list[Json],
        warnings: Sequence[tuple[str, str]],
        *,
        is_new: bool = False,
    ) -> Receipt:
        told: list[Json] = [{"field": field, "detail": detail} for field, detail in warnings]
        states = self._consents(transaction, number)
        return Receipt(
            {"client": number, "created": is_new, "recorded": recorded, "channels": states, "warnings": told}
        )

    def _consents(self, transaction: Transaction, number: int | None) -> dict[str, Json]:
        """Return what a client's answers add up to now, by channel; nothing for who is not in the register."""
        connection, now = transaction.connection, transaction.now
        if number is None:
            return {}
        today = local_date(now, self._policy.zone)
        given = gather(connection, self._store.ring, [number], None, today, now)[number].facts.answers
        folded = {channel: fold(given, channel, now, self._policy.valid_for) for channel in Channel}
        return {
            channel.value: {
                "state": consent.state.value,
                "until": stamp(consent.ends_at) if consent.ends_at else None,
            }
            for channel, consent in folded.items()
        }


def _by(time: datetime | None, now: datetime) -> datetime | None:
    return min(time, now) if time else None


def _line(client: int | None, entry: int | None, said: Said) -> dict[str, Json]:
    channel = said.channel.value if said.channel else None
    return {"client": client, "entry": entry, "channel": channel, "reply": said.reply.value}
