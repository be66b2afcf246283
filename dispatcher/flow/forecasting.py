"""The register -> how many yeses end in each of the next months."""

from collections.abc import Iterator
from datetime import datetime

from dispatcher.flow import audience
from dispatcher.flow.policy import Policy
from dispatcher.rules.calendar import local_date
from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import ConsentState, fold
from dispatcher.rules.forecast import MonthForecast, forecast
from dispatcher.storage.store import Store


class Forecasting:
    """Looks ahead: when the yeses that stand now will end if nobody renews them."""

    def __init__(self, store: Store, policy: Policy) -> None:
        self._store = store
        self._policy = policy

    def run(self) -> list[MonthForecast]:
        """Return the running month and the twelve after it.

        A yes counts where the client has an address of its channel: without one it opens nothing, and nothing ends.
        """
        now, zone = self._store.clock(), self._policy.zone
        return forecast(self._ends(now), local_date(now, zone), zone)

    def _ends(self, now: datetime) -> Iterator[tuple[Channel, datetime]]:
        with self._store.reading() as connection:
            for chunk in audience.chunks(connection, self._store, self._policy, None, now):
                for known in chunk:
                    for channel in known.facts.addresses:
                        consent = fold(known.facts.answers, channel, now, self._policy.valid_for)
                        if consent.state is ConsentState.GRANTED and consent.ends_at is not None:
                            yield channel, consent.ends_at
