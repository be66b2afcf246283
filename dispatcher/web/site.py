"""The whole public application of an open installation, as `dispatcher web` serves it."""

from contextlib import suppress

from starlette.requests import Request
from starlette.types import ASGIApp

from dispatcher.errors import StorageError
from dispatcher.web.api import create_api
from dispatcher.web.page import Pages, View, environment
from dispatcher.web.public import create_app
from dispatcher.web.request_log import RequestLog
from dispatcher.web.watch import WatchDoor
from dispatcher.web.webhooks import TwilioDoor
from dispatcher.wiring import Dispatcher


def site_of(dispatcher: Dispatcher) -> ASGIApp:
    """Return the application with every door that the settings open."""
    clock, studio = dispatcher.store.clock, dispatcher.studio
    api = create_api(
        dispatcher.bookings,
        dispatcher.verdicts,
        dispatcher.api_keys,
        clock,
        public_url=studio.public_url,
        region=dispatcher.settings.register_.region,
    )
    secrets = dispatcher.callback_secrets
    app = create_app(
        dispatcher.preferences,
        studio,
        clock,
        renewing=dispatcher.renewing,
        sign_up=dispatcher.public_sign_up,
        api=api,
        twilio=TwilioDoor(dispatcher.returns, studio.public_url, secrets, dispatcher.texts_in) if secrets else None,
        watch=WatchDoor(dispatcher.watching, dispatcher.metrics_token),
    )
    _warm_up(dispatcher)
    return RequestLog(app) if dispatcher.settings.web.request_log else app


def _warm_up(dispatcher: Dispatcher) -> None:
    """Make what first use makes before anybody waits for it: templates, statements, a connection."""
    for name in environment().list_templates(["html"]):
        environment().get_template(name)
    with suppress(StorageError):
        nobody = Request({"type": "http", "query_string": b"", "headers": []})
        for concern in dispatcher.preferences.rehearse():
            Pages(dispatcher.studio).answer(View.QUESTION, nobody, concern, with_button=True)
