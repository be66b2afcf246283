"""May this client be written to now: the one decision function, asked by a booking system."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from dispatcher.flow.coverage import coverage
from dispatcher.flow.meant import meant
from dispatcher.flow.policy import Policy
from dispatcher.rules.calendar import local_date
from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import fold
from dispatcher.rules.decision import Reason, Send, Verdict, Wait, Withhold, consent_for, decide
from dispatcher.storage import answers
from dispatcher.storage.database import Connection
from dispatcher.storage.facts import gather
from dispatcher.storage.store import Store


@dataclass(frozen=True, slots=True)
class Standing:
    """A verdict, and until when it holds where that is known: a Send until its yes ends, a Wait until its hour."""

    verdict: Verdict
    until: datetime | None = None


class Verdicts:
    """Answers for any campaign, by every channel, in an open hour."""

    def __init__(self, store: Store, policy: Policy) -> None:
        self._store = store
        self._policy = policy

    def of(self, customer_number: str | None, addresses: Mapping[Channel, str]) -> Standing:
        """Return the verdict about whoever goes by this customer number or these canonical addresses.

        Where several clients share an address, the strictest verdict among them is the answer. Somebody whom nobody
        knows is withheld like a client who never said yes, or like one who objected where a suppression stands.
        """
        now = self._store.clock()
        with self._store.reading() as connection:
            facts = self._policy.any_campaign(coverage(connection, self._policy))
            numbers = meant(connection, self._store.ring, customer_number, addresses)
            known = gather(connection, self._store.ring, numbers, None, local_date(now, self._policy.zone), now)
            if not known:
                return Standing(Withhold(self._about_nobody(connection, addresses, now)))
            # Who is to come back after a restore is written to no sooner than that, whoever shares their address.
            missing = numbers - known.keys()
            found = [Standing(Withhold(self._about_nobody(connection, addresses, now))) for _ in missing]
        for each in known.values():
            verdict = decide(each.facts, facts, now)
            until = None
            if isinstance(verdict, Send):
                until = consent_for(each.facts, facts, verdict.channel, now).ends_at
            elif isinstance(verdict, Wait):
                until = verdict.until
            found.append(Standing(verdict, until))
        return max(found, key=_strictness)

    def _about_nobody(self, connection: Connection, addresses: Mapping[Channel, str], now: datetime) -> Reason:
        rows = {pair: row for row, pair in enumerate(addresses.items())}
        said = answers.suppressed(connection, self._store.ring, rows, now)
        objected = any(fold(noes, channel, now).objected for noes in said.values() for channel in Channel)
        return Reason.OBJECTION if objected else Reason.CHANNEL_CONSENT_MISSING


def _strictness(standing: Standing) -> int:
    return (Send, Wait, Withhold).index(type(standing.verdict))
