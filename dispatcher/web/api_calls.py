"""A call as it was sent -> a call as the flow takes it: addresses canonical, what cannot be read left out and said."""

from dispatcher.errors import FieldError
from dispatcher.flow.answering import Said
from dispatcher.flow.calls import Call, Called, Told
from dispatcher.rules.address import AddressError, canonical
from dispatcher.rules.campaign import Channel
from dispatcher.rules.consent import Place, Reply
from dispatcher.web.api_models import AnswerIn, CallIn

_FIELDS = ((Channel.EMAIL, "email", "email address"), (Channel.SMS, "phone", "phone number"))


def call_of(sent: CallIn, idempotency_key: str, region: str) -> Call:
    """Return the call. An address that cannot be read is left out with a warning, as the import does.

    Raises FieldError where nothing is left to know the client by, and for a yes that such an address is about.
    """
    client = sent.client
    addresses: dict[Channel, str] = {}
    warnings: list[tuple[str, str]] = []
    for channel, field, what in _FIELDS:
        written = (getattr(client, field) or "").strip()
        if not written:
            continue
        try:
            addresses[channel] = canonical(channel, written, region)
        except AddressError as error:
            # What is wrong with an email address is told in words that repeat parts of it.
            why = "this is not an email address" if channel is Channel.EMAIL else str(error)
            if any(each.reply is Reply.GRANTED and each.channel is channel for each in sent.answers):
                raise FieldError(f"client.{field}", f"The {what} cannot be used for a yes: {why}.") from None
            warnings.append((f"client.{field}", f"The {what} was left out: {why}."))
    if not addresses and not client.customer_number:
        raise FieldError(*warnings[0])
    called = Called(
        client.customer_number or None, addresses, client.first_name or "", client.last_name or "", client.language
    )
    told = [_told(each) for each in sent.answers]
    # Read and written again: spaces, and what is left out or null, make no other call of it.
    return Call(idempotency_key, sent.model_dump_json(), called, told, warnings)


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
