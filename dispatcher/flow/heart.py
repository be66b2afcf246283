"""A sender at work -> a sign of life that others can read, and whether it still gives one."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from dispatcher.storage import heartbeats
from dispatcher.storage.heartbeats import Heartbeat
from dispatcher.storage.store import Store

EVERY = timedelta(seconds=10)
"""How often a sender gives a sign of life."""
SILENT_AFTER = timedelta(minutes=1)
"""A sender that was not seen for longer has died, hangs, or its machine sleeps."""


@dataclass(frozen=True, slots=True)
class Heart:
    """Beats for the sender of one workspace."""

    store: Store
    process: str
    version: str

    def begin(self) -> None:
        """Write that this sender has started."""
        self.store.write(lambda tx: heartbeats.begin(tx.connection, self.process, self.version, tx.now))

    def beat(self, trouble: str | None) -> None:
        """Write that this sender is alive, and what stands in its way."""
        self._change(seen_at=None, trouble=trouble)

    def stepped(self, by: timedelta) -> None:
        """Write that the clock has jumped just now."""
        self._change(seen_at=None, stepped_at=None, stepped_by=round(by.total_seconds()))

    def end(self) -> None:
        """Write that this sender has stopped in order."""
        self._change(seen_at=None, stopped_at=None)

    def last(self) -> Heartbeat | None:
        """Return the sign of life of the sender that was seen last."""
        with self.store.reading() as connection:
            return heartbeats.newest(connection)

    def _change(self, **values: object) -> None:
        """Write these values, and the present moment where a time has none."""
        self.store.write(
            lambda tx: heartbeats.change(
                tx.connection,
                self.process,
                {name: tx.now if value is None and name.endswith("_at") else value for name, value in values.items()},
            )
        )


def is_beating(last: Heartbeat | None, now: datetime) -> bool:
    """Say whether a sender is at work: neither stopped nor silent. A clock set back is no silence."""
    return last is not None and last.stopped_at is None and now - last.seen_at <= SILENT_AFTER
