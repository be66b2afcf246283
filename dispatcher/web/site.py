"""The whole public application of an open installation, as `dispatcher web` serves it."""

from fastapi import FastAPI

from dispatcher.web.api import create_api
from dispatcher.web.public import create_app
from dispatcher.web.webhooks import TwilioDoor
from dispatcher.wiring import Dispatcher


def site_of(dispatcher: Dispatcher) -> FastAPI:
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
    return create_app(
        dispatcher.preferences,
        studio,
        clock,
        renewing=dispatcher.renewing,
        sign_up=dispatcher.public_sign_up,
        api=api,
        twilio=TwilioDoor(dispatcher.returns, studio.public_url, secrets, dispatcher.texts_in) if secrets else None,
    )
