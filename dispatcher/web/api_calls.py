"""A call as it was sent -> a call as the flow takes it: addresses canonical, what cannot be read left out and said."""

import json
from collections.abc import Sequence
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from dispatcher.errors import FieldError
from dispatcher.flow.answering import Said
from dispatcher.flow.calls import NOES, Call, Called, Told
from dispatcher.rules.address import AddressError, canonical
from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import Place, Reply
from dispatcher.web.api_models import AnswerIn, ClientIn

_Model = TypeVar("_Model", bound=BaseModel)
_NAMES = ("customer_number", "email", "phone")
_FIELDS = ((Channel.EMAIL, "email", "email address"), (Channel.SMS, "phone", "phone number"))


def call_of(
    client: ClientIn,
    told: Sequence[AnswerIn],
    body: str,
    idempotency_key: str,
    region: str,
    faults: Sequence[tuple[str, str]] = (),
) -> Call:
    """Return the call, or with `faults` what is left of it: `body` is all that was sent.

    An address that cannot be read is left out with a warning, as the import does; it is a fault of the call where there
    is a yes about it. Raises FieldError where nothing is left to know the client by, and for a fault of a call without
    a no.
    """
    addresses: dict[Channel, str] = {}
    warnings: list[tuple[str, str]] = []
    flaws = list(faults)
    for channel, field, what in _FIELDS:
        written = (getattr(client, field) or "").strip()
        if not written:
            continue
        try:
            addresses[channel] = canonical(channel, written, region)
        except AddressError as error:
            # What is wrong with an email address is told in words that repeat parts of it.
            why = "this is not an email address" if channel is Channel.EMAIL else str(error)
            if any(each.reply is Reply.GRANTED and each.channel is channel for each in told):
                flaws.append((f"client.{field}", f"The {what} cannot be used for a yes: {why}."))
            warnings.append((f"client.{field}", f"The {what} was left out: {why}."))
    nameless = not addresses and not client.customer_number
    if nameless or (flaws and not any(each.reply in NOES for each in told)):
        raise FieldError(*(flaws or warnings)[0])
    called = Called(
        client.customer_number or None, addresses, client.first_name or "", client.last_name or "", client.language
    )
    return Call(idempotency_key, body, called, [_told(each) for each in told], warnings, flaws)


def clear_noes(sent: object) -> tuple[ClientIn, list[AnswerIn]] | None:
    """Return the noes of a body that cannot be taken as a whole, with what names the client; None where either lacks.

    A no needs nothing but itself (invariant 4): without a channel it is one to everything, and without a place that can
    be read it was said where bookings are made.
    """
    whole = sent if isinstance(sent, dict) else {}
    client, told = whole.get("client"), whole.get("answers")
    fields = [name for name in _NAMES if isinstance(client, dict) and _read(ClientIn, {name: client.get(name)})]
    noes = [no for each in told if (no := _clear_no(each))] if isinstance(told, list) else []
    named = _read(ClientIn, {name: client[name] for name in fields}) if isinstance(client, dict) else None
    return (named, list(dict.fromkeys(noes))) if named and noes else None


def _clear_no(sent: object) -> AnswerIn | None:
    if not isinstance(sent, dict) or sent.get("reply") not in list(NOES):
        return None
    bare = {"channel": sent.get("channel"), "reply": sent["reply"]}
    tries = (sent, {**bare, "place": sent.get("place")}, {**bare, "place": Place.ONLINE})
    return next((no for each in tries if (no := _read(AnswerIn, each))), None)


def _read(model: type[_Model], sent: object) -> _Model | None:
    try:
        return model.model_validate_json(json.dumps(sent))
    except ValidationError:
        return None


def _told(sent: AnswerIn) -> Told:
    said = Said(
        sent.reply,
        sent.channel,
        Place(sent.place),
        sent.wording or None,
        sent.asked_at or sent.not_before,
        sent.asked_at or sent.not_after,
        sent.booking or None,
    )
    return Told(said, sent.wording_sha256)
