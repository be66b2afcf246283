"""Whether a machine wrote a letter: an out-of-office, a receipt (RFC 3834, E-30)."""

import re
from email.header import decode_header
from email.message import Message

_PRECEDENCES = frozenset({"bulk", "junk", "auto_reply"})
"""Not `list`: an inbox behind a group of addresses gets everything with it, what people write as well."""
_OF_MACHINES = (
    "X-Autoreply",
    "X-Autorespond",
    "X-Auto-Reply",
    "X-Autoresponse",
    "X-Mail-Autoreply",
    "X-AutoReply-From",
)
"""Headers that programs write when they answer by themselves, and that no way through a group or a rule adds."""
_AWAY = re.compile(
    r"(?:automaattinen (?:vastaus|poissaolo)|automaattivastaus|poissaolo|poissa toimistolta|olen poissa|lomalla|"
    r"loma-?ajan"
    r"|automatiskt svar|autosvar|frånvaro|ej på plats|på semester|är på semester"
    r"|automatic reply|auto(?:matic)?[ -]?(?:reply|response)|out of (?:the )?office|ooo:|on (?:vacation|holiday|leave)"
    r"|abwesenheit|réponse automatique)",
    re.IGNORECASE,
)


def is_automatic(letter: Message) -> bool:
    """Say whether the headers of a letter tell that a machine wrote it."""
    submitted = _value(letter, "Auto-Submitted")
    return (
        submitted not in {"", "no"}
        or _value(letter, "Precedence") in _PRECEDENCES
        or _value(letter, "Return-Path") == "<>"
        or any(letter.get(name) is not None for name in _OF_MACHINES)
    )


def says_away(letter: Message) -> bool:
    """Say whether the subject is that of an out-of-office, for those who do not tell it in a header."""
    return _AWAY.match(subject_of(letter).strip()) is not None


def subject_of(letter: Message) -> str:
    """Return the subject as it reads, whatever was made of its encoded words."""
    raw = str(letter.get("Subject", ""))[:1000]
    try:
        parts = [
            piece.decode(charset or "utf-8", "replace") if isinstance(piece, bytes) else piece
            for piece, charset in decode_header(raw)
        ]
    except (ValueError, LookupError):
        return raw
    return " ".join("".join(parts).split())


def _value(letter: Message, name: str) -> str:
    """Return a header's first word in small letters, "" where it is not there."""
    words = re.split(r"[;\s]", str(letter.get(name, "")).strip().lower(), maxsplit=1)
    return words[0]
