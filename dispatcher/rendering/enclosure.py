"""How a mail carries its picture: a part of its own that the page names by its Content-ID (RFC 2387, RFC 2392)."""

from base64 import encodebytes

from dispatcher.rendering import headers
from dispatcher.rendering.pictures import Picture

_BOUNDARY = "=_with_picture"
"""Neither quoted-printable nor base64 ever writes "=_", so this cannot collide (RFC 2045, sections 6.7 and 6.8)."""


def url_of(picture: Picture, domain: str) -> str:
    """Return what a page writes as the source of this picture."""
    return f"cid:{picture.key}@{domain}"


def part_of(picture: Picture, domain: str) -> bytes:
    """Return the part of a mail that holds a picture, its headers included: the same bytes in every mail (E-20)."""
    return b"".join(
        (
            headers.token("Content-Type", f"image/{picture.subtype}"),
            headers.token("Content-Transfer-Encoding", "base64"),
            headers.token("Content-ID", f"<{picture.key}@{domain}>"),
            headers.token("Content-Disposition", f'inline; filename="{picture.name}"'),
            b"\r\n",
            encodebytes(picture.content).replace(b"\n", b"\r\n"),
        )
    )


def related(page: bytes, picture: bytes) -> bytes:
    """Return a page and the picture it shows as one part; both are given as parts, with their headers."""
    head = headers.token("Content-Type", f'multipart/related; type="text/html"; boundary="{_BOUNDARY}"')
    between, end = f"\r\n--{_BOUNDARY}\r\n".encode("ascii"), f"\r\n--{_BOUNDARY}--\r\n".encode("ascii")
    return head + between + page + between + picture + end
