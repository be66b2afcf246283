"""The question as it is asked today: the newest wording a person added, else the house's own."""

from dispatcher.rules.campaign import Channel, Language
from dispatcher.storage import wordings
from dispatcher.storage.database import Connection
from dispatcher.texts import text


def question(connection: Connection, channel: Channel, language: Language) -> str:
    """Return the exact words of the question for a channel and language; an answer to them names their SHA-256."""
    own = wordings.current(connection, channel, language)
    return own.text if own is not None else text(f"question_{channel}", language)
