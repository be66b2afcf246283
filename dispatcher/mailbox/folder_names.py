"""Names of folders as IMAP writes them: UTF-7 of its own kind (RFC 3501, section 5.1.3)."""

import base64
import re

_NOT_PLAIN = re.compile(r"[^ -~]+")


def encoded(name: str) -> str:
    """Return a name as it goes over the wire: plain ASCII, what is not in modified base64 of its UTF-16."""
    return _NOT_PLAIN.sub(lambda found: _shifted(found[0]), name.replace("&", "&-"))


def _shifted(letters: str) -> str:
    written = base64.b64encode(letters.encode("utf-16-be", "surrogatepass")).decode("ascii")
    return f"&{written.rstrip('=').replace('/', ',')}-"
