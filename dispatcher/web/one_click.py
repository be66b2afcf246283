"""Tells the button of a mail program from the button on our page, whatever the request calls its body (RFC 8058)."""

import asyncio
import re
from contextlib import suppress
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request

from dispatcher.rules.wishes import Less, More

READ_AT_MOST = 8 * 1024
"""How many bytes of a body are looked at; what follows is let go unread (E-06)."""
CUT_AT = 1024 * 1024
"""After how many bytes nothing more of a body is waited for."""
BODY_SECONDS = 5.0
"""How long a body may take to arrive. A no does not wait for it: the token in the path has said everything."""
_FIELD_OF_FORM = re.compile(rb'name="?list-unsubscribe"?[;\r\n]', re.IGNORECASE)
_FORMS: dict[str, type[Less | More]] = {"less": Less, "more": More}
"""The buttons of our own page beneath the one that stops everything, by the name they send."""
_BLANK_LINE = re.compile(rb"\r?\n\r?\n")


async def read_body(request: Request, at_most: int = READ_AT_MOST) -> bytes:
    """Return the first bytes of a body: as much as came in time, empty where none came. Never raises for what it got.

    The rest is taken off the wire and dropped, since a client whose upload is cut off may never read the answer; of an
    upload without an end only so much is.
    """
    kept, came = bytearray(), 0
    with suppress(ClientDisconnect, TimeoutError):
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                kept += chunk[: at_most - len(kept)]
                came += len(chunk)
                if came > CUT_AT:
                    break
    return bytes(kept)


def is_one_click(body: bytes) -> bool:
    """Say whether a body is `List-Unsubscribe=One-Click`, urlencoded or multipart, whatever it is called (E-06)."""
    pairs = parse_qsl(body.decode("latin-1"))
    if any(name.strip().lower() == "list-unsubscribe" and _is_value(value) for name, value in pairs):
        return True
    field = _FIELD_OF_FORM.search(body)
    if field is None:
        return False
    # From the last byte of the match, which may be the line end that the blank line begins with.
    _, *value = _BLANK_LINE.split(body[field.end() - 1 :], maxsplit=1)
    return bool(value) and _is_value(value[0].partition(b"\n")[0].decode("latin-1"))


def chosen(body: bytes) -> Less | More | None:
    """Return what one of our page's own forms asks for; whatever is not exactly one is a no to everything (E-06)."""
    pairs = parse_qsl(body.decode("latin-1"), keep_blank_values=True)
    if len(pairs) != 1:
        return None
    name, value = pairs[0]
    kind: type[Less | More] | None = _FORMS.get(name)
    return kind(value) if kind is not None and value in set(kind) else None


def _is_value(text: str) -> bool:
    return text.strip().lower() == "one-click"
