"""Pictures as cameras and programs write them, with all that they put in beside the pixels."""

import io
import random
from fractions import Fraction

from PIL import Image

SECRETS = (
    b"Exif",
    b"GPS",
    b"Tampere Phone 9",
    b"ICC_PROFILE",
    b"a word of the owner",
    b"http://ns.adobe.com/xap",
    b"iCCP",
)
"""What a photo holds of where, when and by what it was taken, as bytes."""


def written(image: Image.Image, kind: str = "JPEG", **how: object) -> bytes:
    """Return a picture as a file of this kind."""
    file = io.BytesIO()
    image.save(file, kind, **how)
    return file.getvalue()


def opened(content: bytes) -> Image.Image:
    """Return the pixels of a file."""
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


def noise(width: int, height: int) -> Image.Image:
    """Return a picture that cannot be made small: each pixel another colour, the same in every run."""
    return Image.frombytes("RGB", (width, height), random.Random(5).randbytes(3 * width * height))  # noqa: S311 - no secret


def arrow(width: int = 80, height: int = 40) -> Image.Image:
    """Return a picture whose upper left quarter is red and whose other quarters are blue."""
    image = Image.new("RGB", (width, height), "blue")
    image.paste("red", (0, 0, width // 2, height // 2))
    return image


def tags(orientation: int = 1) -> Image.Exif:
    """Return what a telephone writes beside a photo: its own name, how it was held, and the place."""
    exif = Image.Exif()
    exif[0x0110] = "Tampere Phone 9"
    exif[0x0112] = orientation
    place = exif.get_ifd(0x8825)
    place[1], place[2] = "N", (Fraction(67), Fraction(48), Fraction(0))
    place[3], place[4] = "E", (Fraction(24), Fraction(48), Fraction(0))
    place[29] = "2026:02:14 GPS"
    return exif
