"""What a killed sender had in its hands, and never came: the one thing that a ledger counts and no sink has."""

from collections.abc import Sequence
from datetime import datetime

from dispatcher.rules.campaign import Channel
from dispatcher.storage import later
from dispatcher.wiring import Dispatcher
from tests.story.independent import Taken


def never_came(house: Dispatcher, campaign: str, taken: Sequence[Taken]) -> list[Taken]:
    """Return, as if they had come, those messages of a campaign whose outcome is unknown and that no carrier filed.

    A mail is known by its id; a text message, which carries none, by its number: each gets a campaign once at most.
    """
    mine = [each for each in taken if each.campaign == campaign]
    mails = {each.message for each in mine if each.channel == Channel.EMAIL}
    texts = {each.address for each in mine if each.channel == Channel.SMS}
    found = []
    for row in house.reconciling.rows(house.lifecycle.named(campaign)):
        assert row.address is not None
        assert isinstance(row.intent_at, datetime)
        with house.store.reading() as connection:
            address = later.recipient(connection, row.address)
        assert address is not None
        came = row.message_id in mails if row.channel is Channel.EMAIL else address in texts
        if not came:
            found.append(Taken(row.intent_at, address, row.channel.value, campaign, row.message_id))
    return found
