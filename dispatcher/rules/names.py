"""What a name or another line typed by somebody may hold, whichever door it comes in by."""

import re
import unicodedata

NAME_LENGTH = 100
"""Characters of the longest name and of the longest customer number."""
_ENCODED_WORD = re.compile(r"=\?.*\?=")
_FORMULA = tuple("=+-@")


class BadNameError(ValueError):
    """The text is not a name; the message says why in one sentence."""


class HiddenCharacterError(ValueError):
    """The text holds a character that nobody can see, such as a control character or a mark of text direction."""

    def __init__(self, character: str) -> None:
        self.code = f"U+{ord(character):04X}"
        super().__init__(f"There is a hidden character ({self.code}).")


def readable(text: str) -> str:
    """Return the text in NFC, spaces trimmed and folded.

    Raises HiddenCharacterError for control and other hidden characters, marks of text direction among them: they are
    refused, never stripped (E-25).
    """
    text = unicodedata.normalize("NFC", text)
    if not text.isprintable():
        hidden = next((char for char in text if not char.isprintable() and unicodedata.category(char) != "Zs"), None)
        if hidden is not None:
            raise HiddenCharacterError(hidden)
    return " ".join(text.split())


def checked_name(text: str) -> str:
    """Return a readable name as it is.

    Raises BadNameError for more than 100 characters, encoded words (E-25), web addresses (E-36) and what a spreadsheet
    would take for a formula; look-alikes of these signs count as the signs.
    """
    shape = unicodedata.normalize("NFKC", text).casefold()
    if len(text) > NAME_LENGTH:
        raise BadNameError(f"The name is longer than {NAME_LENGTH} characters: shorten it.")
    if shape.startswith(_FORMULA):
        raise BadNameError("A name cannot begin with = + - or @, which a spreadsheet takes for a formula.")
    if _ENCODED_WORD.search(shape):
        raise BadNameError("The name is an encoded word of a mail header (=?...?=): type the name itself.")
    if "://" in shape or "www." in shape:
        raise BadNameError("A name cannot hold a web address: correct the name.")
    return text
