"""What has to be heard of -> mail to the owners, once for each occasion, without any client in it."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress

from dispatcher.errors import SealError
from dispatcher.flow.matters import Matters
from dispatcher.flow.policy import Policy
from dispatcher.flow.sealing import Sealing, last_words
from dispatcher.flow.service_entries import ask
from dispatcher.rules.actor import Actor, Role, duty
from dispatcher.rules.alerts import NEEDS_SOMEBODY, AlertKind, Matter, is_due
from dispatcher.rules.calendar import local_date
from dispatcher.rules.campaign import Channel
from dispatcher.rules.ledger import Json
from dispatcher.rules.message import ServicePurpose
from dispatcher.rules.retention import Periods
from dispatcher.storage import alerts, persons
from dispatcher.storage.alerts import Standing
from dispatcher.storage.database import Connection
from dispatcher.storage.locks import Lock, LockKind
from dispatcher.storage.persons import Person
from dispatcher.storage.services import Asked
from dispatcher.storage.store import Store
from dispatcher.storage.writer import Transaction

_ACTOR = duty("alerts")
_ALONE = Lock(LockKind.SERVICE, 1)
"""Held while matters are compared with what was told: two senders must not both find the same one new."""
_OF_CAMPAIGNS = frozenset(
    {AlertKind.HELD, AlertKind.FINISHED, AlertKind.SLOT_EVE, AlertKind.SLOT_WEEK, AlertKind.YEAR_CLOSED}
)
_SEALED = frozenset({AlertKind.FINISHED, AlertKind.YEAR_CLOSED})
_OVERDUE = frozenset(AlertKind) - _OF_CAMPAIGNS


class Alerts:
    """Tells the owners what needs them."""

    def __init__(self, store: Store, policy: Policy, matters: Matters, sealing: Sealing) -> None:
        self._store = store
        self._policy = policy
        self._matters = matters
        self._sealing = sealing

    def of_campaigns(self) -> str | None:
        """Ask for mail about campaigns that come up, are held or gone out, and closed years; say how many mails."""
        matters = [*self._matters.of_campaigns(), *self._matters.of_years()]
        # After they were looked at, so that the seal in a mail covers the campaign it tells of.
        with suppress(SealError):  # the duty of the seals says it, and what needs somebody is told all the same
            self._sealing.when_due()
        return self._tell(matters, _OF_CAMPAIGNS)

    def overdue(self) -> str | None:
        """Ask for mail about what should have been done by now; say how many mails."""
        return self._tell(self._matters.overdue(), _OVERDUE)

    def see(self, actor: Actor) -> int:
        """Write that a person has seen everything that needs somebody: it is not told again. Return how much was new.

        What nobody was told of yet is seen as well.
        """
        matters = [*self._matters.of_campaigns(), *self._matters.overdue()]

        def work(transaction: Transaction) -> int:
            known = {(each.kind, each.subject) for each in alerts.standing(transaction.connection, NEEDS_SOMEBODY)}
            for matter in matters:
                if matter.kind in NEEDS_SOMEBODY and (matter.kind, matter.subject) not in known:
                    alerts.open_new(transaction.connection, matter.kind, matter.subject, transaction.now)
            return alerts.see(transaction.connection, NEEDS_SOMEBODY, str(actor), transaction.now)

        return self._store.write(work, wanted=[_ALONE])

    def purge(self, periods: Periods) -> None:
        """Let go of what has been over for a client's time."""
        self._store.write(lambda tx: alerts.purge(tx.connection, tx.now - periods.client))

    def _tell(self, matters: Sequence[Matter], kinds: Collection[AlertKind]) -> str | None:
        counts = self._counts(matters)

        def work(transaction: Transaction) -> int:
            known = {(each.kind, each.subject): each for each in alerts.standing(transaction.connection, kinds)}
            now_standing = {(matter.kind, matter.subject) for matter in matters}
            over = [each.id for which, each in known.items() if which not in now_standing]
            alerts.end(transaction.connection, over, transaction.now)
            told = 0
            for matter in matters:
                row = known.get((matter.kind, matter.subject)) or alerts.open_new(
                    transaction.connection, matter.kind, matter.subject, transaction.now
                )
                told += self._ask(transaction, matter, row, counts.get(matter.subject, {}))
            return told

        mails = self._store.write(work, wanted=[_ALONE])
        return f"{mails} mail{'s' if mails > 1 else ''} to owners" if mails else None

    def _counts(self, matters: Sequence[Matter]) -> dict[str, Mapping[str, Json]]:
        """Return whom the campaigns of tomorrow would reach, for those that somebody is yet to be told of."""
        eves = [matter for matter in matters if matter.kind is AlertKind.SLOT_EVE]
        if not eves:
            return {}
        with self._store.reading() as connection:
            told = {
                each.subject
                for each in alerts.standing(connection, [AlertKind.SLOT_EVE])
                if all(alerts.mailed_on(connection, each.id, owner.id) for owner in _owners(connection))
            }
        found: dict[str, Mapping[str, Json]] = {}
        for matter in eves:
            if matter.subject not in told:
                found[matter.subject] = self._matters.counts(str(matter.details["name"]))
        return found

    def _ask(self, transaction: Transaction, matter: Matter, row: Standing, counts: Mapping[str, Json]) -> int:
        connection, now = transaction.connection, transaction.now
        today = local_date(now, self._policy.zone)
        told = 0
        for owner in _owners(connection):
            days = alerts.mailed_on(connection, row.id, owner.id)
            if not is_due(
                matter.kind,
                told_before=bool(days),
                told_today=today in days,
                seen=row.seen_at is not None,
                is_open=self._policy.windows.is_open(Channel.EMAIL, now),
            ):
                continue
            alerts.note_mail(connection, row.id, owner.id, today)
            details = {"alert": row.id, "alert_kind": matter.kind.value, **matter.details, **counts}
            if matter.kind in _SEALED:
                details |= last_words(connection)
            report = ServicePurpose.REPORT
            asked = Asked(report, Channel.EMAIL, owner.email or "", owner.language, details, person=owner.id)
            ask(transaction, asked, _ACTOR)
            told += 1
        return told


def _owners(connection: Connection) -> list[Person]:
    """Return the owners who work here and have said where they get alerts."""
    return [
        person
        for person in persons.everyone(connection)
        if person.role is Role.OWNER and person.ended_at is None and person.email
    ]
