"""How a mail carries its picture: a part of its own that the page names by its Content-ID (RFC 2387, RFC 2392)."""

from base64 import encodebytes

from dispatcher.rendering import headers
from dispatcher.rendering.pictures import Picture

_BOUNDARY = "=_with_picture"
"""Neither quoted-printable nor base64 ever writes "=_", so this cannot collide (RFC 2045, sections 6.7 and 6.8)."""


_NEXT, _END = f"\r\n--{_BOUNDARY}\r\n".encode("ascii"), f"\r\n--{_BOUNDARY}--\r\n".encode("ascii")
BEFORE_PAGE = headers.token("Content-Type", f'multipart/related; type="text/html"; boundary="{_BOUNDARY}"') + _NEXT
"""What stands before the page that a picture is enclosed with."""


def url_of(picture: Picture, domain: str) -> str:
    """Return what a page writes as the source of this picture."""
    return f"cid:{picture.key}@{domain}"


def after_page(picture: Picture, domain: str) -> bytes:
    """Return what stands after that page: the picture with its headers, the same bytes in every mail (E-20)."""
    return b"".join(
        (
            _NEXT,
            headers.token("Content-Type", f"image/{picture.subtype}"),
            headers.token("Content-Transfer-Encoding", "base64"),
            headers.token("Content-ID", f"<{picture.key}@{domain}>"),
            headers.token("Content-Disposition", f'inline; filename="{picture.name}"'),
            b"\r\n",
            encodebytes(picture.content).replace(b"\n", b"\r\n"),
            _END,
        )
    )
