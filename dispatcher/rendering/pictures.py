"""A picture as somebody saved it -> the picture a mail carries: small, upright, and with nothing in it but its colours.

A photo tells where and when it was taken and by which telephone. Nothing of that passes: what is written is a new
picture, of the pixels alone (L-41).
"""

import hashlib
import io
import struct
import unicodedata
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath

from PIL import Image, ImageCms, UnidentifiedImageError

from dispatcher.errors import RenderingError

LARGEST = 150_000
"""Bytes of the picture a mail carries: on a bad line it takes seconds to come."""
WIDEST = 1200
"""Pixels of its longer side: twice what is shown, for screens that draw two pixels for one."""
_SHOWN = 600
"""Pixels of its longer side as a mail shows it."""
_MOST_PIXELS = 60_000_000
"""Pixels of what is opened: phones take up to fifty million. Unpacked, one takes up to four bytes of memory."""
_FORMATS = ("JPEG", "PNG", "WEBP")
_MOVING = frozenset({"PNG", "WEBP"})
"""Formats whose frames are shown in turn; those that some telephones put into a JPEG are views of one picture."""
_QUALITIES = (85, 78, 71, 64, 57)
_SIDES = (WIDEST, 1020, 840, 660, 480, 300)
_ORIENTATION = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""How the orientation of a camera is undone (EXIF 2.3, tag 274)."""
_BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    LookupError,
    TypeError,
    ArithmeticError,
    EOFError,
    struct.error,
    zlib.error,
)
"""What Pillow raises for bytes that begin like a picture and are none."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture a mail carries: its bytes, what they are (`jpeg`, `png`), and the pixels it is shown with.

    `name` is what a reader who saves it finds it called, in ASCII.
    """

    content: bytes
    subtype: str
    name: str
    width: int
    height: int

    @property
    def key(self) -> str:
        """Return what names these very bytes: the same for all clients, and in every run."""
        return hashlib.sha256(self.content).hexdigest()[:32]


def prepared(content: bytes, name: str) -> Picture:
    """Return the picture that a mail carries, made from a file's bytes: the same bytes give the same picture.

    Upright, without transparency, 1200 pixels at most, under 150 kB. Raises RenderingError with a clause that says
    what is wrong with the file `name`.
    """
    small = _read(content, name)
    for written in _attempts(small, lossless=content.startswith(b"\x89PNG")):
        if len(written) < LARGEST:
            return carried(written, name)
    raise AssertionError("the smallest attempt has 300 pixels a side, and at most a byte for each")


def carried(content: bytes, name: str) -> Picture:
    """Return a picture that has been prepared already, from its bytes alone. Raises RenderingError for others."""
    try:
        with Image.open(io.BytesIO(content), formats=("JPEG", "PNG")) as image:
            subtype, (width, height) = str(image.format).lower(), _within(image.size, _SHOWN)
    except _BROKEN:
        raise RenderingError(f"{name} was kept, and is no picture any more: revise the campaign") from None
    return Picture(content, subtype, f"{_plain(name)}.{subtype.replace('jpeg', 'jpg')}", width, height)


def _read(content: bytes, name: str) -> Image.Image:
    """Return the pixels of a file, upright, on white, in the colours of a screen, none more than a mail needs."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # about tags, none of which is used
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=_FORMATS) as image:
                _refuse(image, name)
                image.draft("RGB", (WIDEST, WIDEST))
                return _on_white(_scaled(_of_screen(_upright(image)), WIDEST))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_large(name) from None
    except UnidentifiedImageError:
        raise RenderingError(f"{name} is not a picture that can be read: save it as JPEG, PNG or WebP") from None
    except _BROKEN as error:
        why = "is cut short" if "truncated" in str(error) else "is damaged"
        raise RenderingError(f"{name} {why}: save the picture again") from None


def _refuse(image: Image.Image, name: str) -> None:
    """Refuse what its first bytes tell: nothing has been unpacked yet."""
    if image.width * image.height > _MOST_PIXELS:
        raise _too_large(name)
    if image.format in _MOVING and getattr(image, "n_frames", 1) > 1:
        raise RenderingError(f"{name} moves: save one view of it as a picture that stands still")


def _too_large(name: str) -> RenderingError:
    most = _MOST_PIXELS // 1_000_000
    return RenderingError(f"{name} has more than {most} million pixels: save it smaller, 1200 pixels wide are enough")


def _upright(image: Image.Image) -> Image.Image:
    image.load()
    try:
        turn = _UPRIGHT.get(image.getexif().get(_ORIENTATION, 1))
    except _BROKEN:  # whoever wrote the tags: the pixels are good
        return image
    return image if turn is None else image.transpose(turn)


def _of_screen(image: Image.Image) -> Image.Image:
    """Return a picture in RGB, or RGBA where it can be seen through.

    Its colours are converted, not only relabelled: the profile goes, and a telephone's reds would pale without it.
    """
    profile, has_alpha = image.info.get("icc_profile"), image.has_transparency_data
    if image.mode.startswith("I"):  # sixteen bits of grey, which Pillow would cut off rather than scale
        return image.convert("I").point(lambda grey: grey / 256).convert("L").convert("RGB")
    plain = image if image.mode in {"RGB", "RGBA", "CMYK", "L"} else image.convert("RGBA" if has_alpha else "RGB")
    wanted = "RGBA" if has_alpha else "RGB"
    if profile and plain.mode in {"RGB", "RGBA", "CMYK"}:
        try:
            given, screen = ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
            turned = ImageCms.profileToProfile(plain, given, screen, outputMode=wanted)
        except (ImageCms.PyCMSError, *_BROKEN):
            turned = None  # a profile that cannot be read, or of another kind of picture
        if turned is not None:
            return turned
    return plain.convert(wanted)


def _scaled(image: Image.Image, longest: int) -> Image.Image:
    """Return a picture whose longer side has so many pixels at most."""
    size = _within(image.size, longest)
    return image if size == image.size else image.resize(size, Image.Resampling.LANCZOS)


def _within(size: tuple[int, int], longest: int) -> tuple[int, int]:
    by = min(1.0, longest / max(size))
    return max(1, round(size[0] * by)), max(1, round(size[1] * by))


def _on_white(image: Image.Image) -> Image.Image:
    """Return the pixels alone, in a picture of their own: no tag, comment, profile or transparency is left."""
    clean = Image.new("RGB", image.size, "white")
    clean.paste(image, mask=image.getchannel("A") if image.mode == "RGBA" else None)
    return clean


def _attempts(image: Image.Image, *, lossless: bool) -> Iterator[bytes]:
    """Yield the picture in ever fewer bytes: worse first, then smaller.

    Drawings and writing are kept as PNG where that is smaller than the best JPEG.
    """
    for longest in _SIDES:
        scaled = _scaled(image, longest)
        for quality in _QUALITIES:
            written = _written(scaled, "JPEG", quality=quality, optimize=True, progressive=True)
            drawn = _written(scaled, "PNG", optimize=True) if lossless and quality == _QUALITIES[0] else written
            yield min(drawn, written, key=len)


def _written(image: Image.Image, kind: str, **how: int) -> bytes:
    written = io.BytesIO()
    image.save(written, kind, **how)
    return written.getvalue()


def _plain(name: str) -> str:
    """Return the stem of a file's name in lower-case ASCII."""
    bare = unicodedata.normalize("NFKD", PurePath(name).stem).encode("ascii", "ignore").decode("ascii").lower()
    kept = "".join(char if char.isalnum() else "-" for char in bare).strip("-")
    return kept[:30] or "picture"
