"""What every link a client can click has in common: the methods it answers, and the token in its path (X-03)."""

import re

from starlette.requests import Request
from starlette.responses import Response

METHODS = ("GET", "HEAD", "OPTIONS", "POST")
_END_OF_TOKEN = re.compile(r"[/?&#]")


def bare_token(request: Request) -> str:
    """Return the token of a link's path.

    What programs hang on to a link comes after one of a few signs, even percent-encoded; the link itself has none.
    """
    token: str = _END_OF_TOKEN.split(request.path_params["token"], maxsplit=1)[0]
    return token


def methods_allowed() -> Response:
    """Return the answer to OPTIONS, which does nothing else."""
    return Response(status_code=204, headers={"Allow": ", ".join(METHODS)})
