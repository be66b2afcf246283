"""What a monitor asks: is this process alive, is everything in order, and how much is there of what.

Nothing here is of any person, and the figures are for whoever shows the token that the secrets file holds: without one
there is no such page. They are computed from the database when asked for, so that every process tells the same.
"""

import hmac
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from dispatcher.errors import StorageError
from dispatcher.flow.watching import Figures, Readiness, Watching
from dispatcher.web.together import Together

_NAME = "dispatcher"
_TEXT = "text/plain; version=0.0.4; charset=utf-8"


class WatchDoor:
    """Answers a monitor. `token` is what it shows to read the figures; empty where nobody may."""

    def __init__(self, watching: Watching, token: str = "") -> None:
        self._token = token.encode()
        self._ready: Together[None, Readiness] = Together("ready", lambda asked: [watching.readiness()] * len(asked))
        self._figures: Together[None, Figures] = Together("figures", lambda asked: [watching.figures()] * len(asked))

    def routes(self) -> list[Route]:
        """Return the addresses that a monitor asks."""
        found = [
            Route("/health/live", self.live, methods=["GET"]),
            Route("/health/ready", self.ready, methods=["GET"]),
        ]
        return [*found, Route("/metrics", self.metrics, methods=["GET"])] if self._token else found

    async def live(self, request: Request) -> Response:
        """Say that this process answers."""
        del request
        return PlainTextResponse("ok\n")

    async def ready(self, request: Request) -> Response:
        """Say whether database, journal and sender are in order: 200, or 503 where one is not."""
        del request
        found = await self._ready.ask(None)
        parts = {"database": found.database, "journal": found.journal, "sender": found.sender}
        return JSONResponse({"ready": found.is_ready, **parts}, 200 if found.is_ready else 503)

    async def metrics(self, request: Request) -> Response:
        """Return the figures in the words of Prometheus; to whoever shows no token this address is none of ours."""
        shown = request.headers.get("authorization", "").encode("utf-8", "replace")
        if not hmac.compare_digest(shown, b"Bearer " + self._token):
            raise HTTPException(404)
        try:
            figures = await self._figures.ask(None)
        except StorageError:
            return PlainTextResponse("", 503)
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Told(figures))
        return Response(generate_latest(registry), media_type=_TEXT)


class _Told(Collector):
    """Figures as Prometheus collects them."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    def collect(self) -> Iterator[Metric]:
        found, ready = self._figures, self._figures.readiness
        yield _gauge("journal_trusted", "Whether the database is the newest its journal knows.", float(ready.journal))
        yield _gauge("sender_beating", "Whether a sender is at work.", float(ready.sender))
        if found.sender_seen_at is not None:
            at = found.sender_seen_at.timestamp()
            yield _gauge("sender_seen_timestamp_seconds", "When a sender was seen last.", at)
        yield _gauge("clients", "Clients in the register.", found.clients)
        yield _gauge("ledger_entries", "Entries of the ledger.", found.entries)
        yield _gauge("database_bytes", "Bytes that the database takes.", found.bytes)
        campaigns = GaugeMetricFamily(f"{_NAME}_campaigns", "Campaigns by state.", labels=["state"])
        for state, count in sorted(found.campaigns.items()):
            campaigns.add_metric([state], count)
        yield campaigns
        messages = GaugeMetricFamily(
            f"{_NAME}_messages", "Messages of all campaigns by where they stand.", labels=["channel", "state"]
        )
        for (channel, state), count in sorted(found.messages.items()):
            messages.add_metric([channel or "none", state], count)
        yield messages


def _gauge(name: str, about: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"{_NAME}_{name}", about, value=value)
