"""What a request for a link in a message is: its methods, and its token without what programs hang on to it (X-03)."""

import re

from starlette.requests import Request

METHODS = ("GET", "HEAD", "OPTIONS", "POST")
_END_OF_TOKEN = re.compile(r"[/?&#]")


def bare_token(request: Request) -> str:
    """Return the token of a link's path.

    What programs hang on to a link comes after one of a few signs, even percent-encoded; the link itself has none.
    """
    token: str = _END_OF_TOKEN.split(request.path_params["token"], maxsplit=1)[0]
    return token
