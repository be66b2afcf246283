"""What every link a client can click has in common: the methods it answers, and the token in its path."""

import re

from starlette.requests import Request
from starlette.responses import Response

METHODS = ("GET", "HEAD", "OPTIONS", "POST")
_END_OF_TOKEN = re.compile(r"[/?&#]")


def token_in(request: Request) -> str:
    """Return the token of a path, without what programs hang on to a link, even percent-encoded (X-03)."""
    return _END_OF_TOKEN.split(request.path_params["token"], maxsplit=1)[0]


def methods_allowed() -> Response:
    """Return the answer to OPTIONS, which does nothing else."""
    return Response(status_code=204, headers={"Allow": ", ".join(METHODS)})
