"""A picture a mail carries is small, upright, the same in every run, and holds its pixels alone."""

import hashlib
import struct
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms, PngImagePlugin

from dispatcher.errors import RenderingError
from dispatcher.rendering.pictures import LARGEST, WIDEST, carried, prepared
from tests.photos import SECRETS, arrow, noise, opened, tags, written

RED, BLUE, WHITE = (255, 0, 0), (0, 0, 255), (255, 255, 255)
SAMPLES = Path(__file__).parents[2] / "campaigns" / "pictures"


def near(found: object, wanted: tuple[int, int, int]) -> bool:
    """Say whether a colour is what was wanted, as far as JPEG keeps it."""
    assert isinstance(found, tuple)
    return all(abs(one - other) < 24 for one, other in zip(found, wanted, strict=True))


def photo(kind: str) -> bytes:
    """Return a file of this kind with everything in it that programs write beside the pixels."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    how: dict[str, object] = {"exif": tags(), "icc_profile": profile}
    if kind == "PNG":
        how["pnginfo"] = words = PngImagePlugin.PngInfo()
        words.add_text("Comment", "a word of the owner")
    elif kind == "JPEG":
        how |= {"comment": b"a word of the owner", "xmp": b"http://ns.adobe.com/xap/1.0/ here"}
    else:
        how["xmp"] = b"http://ns.adobe.com/xap/1.0/ here"
    return written(arrow(), kind, **how)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_nothing_of_the_camera_is_left(kind: str) -> None:
    """L-41: place, hour, telephone, profile and comments are gone from every byte; the pixels are there."""
    before = photo(kind)
    assert any(secret in before for secret in SECRETS)
    after = prepared(before, "kevat.jpg")
    assert [] == [secret for secret in SECRETS if secret in after.content]
    image = opened(after.content)
    assert {} == dict(image.getexif())
    assert not {"icc_profile", "comment", "exif", "xmp", "Comment"} & set(image.info)
    assert near(image.convert("RGB").getpixel((10, 10)), RED)


@pytest.mark.parametrize(
    ("orientation", "red"),
    [(1, (0, 0)), (2, (1, 0)), (3, (1, 1)), (4, (0, 1)), (5, (0, 0)), (6, (1, 0)), (7, (1, 1)), (8, (0, 1))],
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_picture_stands_upright(kind: str, orientation: int, red: tuple[int, int]) -> None:
    """However the telephone was held, the picture is shown as its owner saw it."""
    after = prepared(written(arrow(), kind, exif=tags(orientation)), "a.jpg")
    image = opened(after.content).convert("RGB")
    assert ((80, 40) if orientation < 5 else (40, 80)) == image.size == (after.width, after.height)
    corners = {
        (x, y): image.getpixel((x * (image.width - 6) + 3, y * (image.height - 6) + 3)) for x in (0, 1) for y in (0, 1)
    }
    assert [red] == [place for place, colour in corners.items() if near(colour, RED)]


@pytest.mark.parametrize(
    ("size", "kept", "shown"),
    [
        ((2400, 1200), (1200, 600), (600, 300)),
        ((1000, 500), (1000, 500), (600, 300)),
        ((300, 200), (300, 200), (300, 200)),
        ((900, 2400), (450, 1200), (225, 600)),
        ((5000, 1), (1200, 1), (600, 1)),
    ],
)
def test_a_picture_is_scaled_and_never_blown_up(
    size: tuple[int, int], kept: tuple[int, int], shown: tuple[int, int]
) -> None:
    """The longer side has 1200 pixels at most and is shown by 600 at most; a small picture stays as small as it is."""
    after = prepared(written(Image.new("RGB", size, "red")), "a.jpg")
    assert (kept, shown) == (opened(after.content).size, (after.width, after.height))


def test_twelve_megapixels_of_noise_become_small() -> None:
    """Whatever it shows, a picture has less than 150 kB, and the same photo gives the same bytes."""
    before = written(noise(4000, 3000), quality=80)
    after = prepared(before, "a.jpg")
    assert len(after.content) < LARGEST == 150_000 < len(before)
    assert max(opened(after.content).size) <= WIDEST
    assert after == prepared(before, "a.jpg")


def test_writing_stays_a_png_and_a_photo_does_not() -> None:
    """A drawing saved as PNG is kept as one where that is smaller than JPEG; a photo saved as PNG is not."""
    drawing, photograph = written(arrow(600, 300), "PNG"), written(noise(600, 300), "PNG")
    assert ("png", "kuva.png") == (prepared(drawing, "kuva.png").subtype, prepared(drawing, "kuva.png").name)
    assert ("jpeg", "kuva.jpg") == (prepared(photograph, "kuva.png").subtype, prepared(photograph, "kuva.png").name)
    assert len(prepared(photograph, "kuva.png").content) < LARGEST


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_what_can_be_seen_through_is_white(mode: str, kind: str) -> None:
    """A transparent ground becomes white, on dark screens as on light ones; nothing transparent is left."""
    image = Image.new("RGBA", (60, 40), (255, 0, 0, 0))
    image.paste((0, 0, 0, 255), (0, 0, 20, 40))
    before = written(image.convert(mode), kind)
    after = opened(prepared(before, "a.png").content)
    assert "RGB" == after.mode
    assert near(after.getpixel((5, 20)), (0, 0, 0))
    assert near(after.getpixel((50, 20)), WHITE)


@pytest.mark.parametrize(
    ("image", "colour"),
    [
        (Image.new("CMYK", (20, 20), (0, 255, 255, 0)), RED),
        (Image.new("L", (20, 20), 128), (128, 128, 128)),
        (Image.new("1", (20, 20), 1), WHITE),
        (Image.new("I;16", (20, 20), 128 * 257), (128, 128, 128)),
    ],
    ids=["of print", "of grey", "of black and white", "of sixteen bits"],
)
def test_every_kind_of_colour_is_read(image: Image.Image, colour: tuple[int, int, int]) -> None:
    """Colours of print and of grey, with more bits or fewer, become those of a screen."""
    before = written(image, "JPEG" if image.mode == "CMYK" else "PNG")
    assert near(opened(prepared(before, "a").content).convert("RGB").getpixel((9, 9)), colour)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_the_colours_of_a_profile_are_kept(kind: str) -> None:
    """The profile goes, and the colours it stood for stay; one that cannot be read goes alone."""
    usual = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = usual.replace(b"rXYZ", b"----").replace(b"gXYZ", b"rXYZ").replace(b"----", b"gXYZ")
    red = Image.new("RGB", (20, 20), "red")
    for profile, colour in ((usual, RED), (swapped, (0, 255, 0)), (b"no profile", RED)):
        after = prepared(written(red, kind, icc_profile=profile), "a")
        assert near(opened(after.content).convert("RGB").getpixel((9, 9)), colour)


def test_the_views_of_a_telephone_are_one_picture() -> None:
    """Some telephones put a second view into a JPEG: the first is the picture, and it does not move."""
    before = written(arrow(), "MPO", save_all=True, append_images=[Image.new("RGB", (80, 40), "blue")])
    assert near(opened(prepared(before, "a.jpg").content).getpixel((10, 10)), RED)


def _huge(width: int, height: int) -> bytes:
    """Return a PNG of a few bytes that says it has so many pixels."""
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = b"IDAT" + zlib.compress(bytes(1000))
    chunks = b"".join(
        struct.pack(">I", len(each) - 4) + each + struct.pack(">I", zlib.crc32(each)) for each in (head, body, b"IEND")
    )
    return b"\x89PNG\r\n\x1a\n" + chunks


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "not a picture that can be read: save it as JPEG, PNG or WebP"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "not a picture that can be read"),
        (written(arrow(), "GIF"), "not a picture that can be read"),
        (written(arrow(), "TIFF"), "not a picture that can be read"),
        (written(arrow(400, 400))[:900], "is cut short: save the picture again"),
        (written(noise(90, 90), "PNG")[:900], "is cut short"),
        (_huge(8_000, 8_000), "more than 60 million pixels: save it smaller"),
        (_huge(9_500, 9_500), "more than 60 million pixels"),
        (_huge(60_000, 60_000), "more than 60 million pixels"),
        (written(arrow(), "PNG", save_all=True, append_images=[noise(80, 40)]), "moves: save one view of it"),
        (written(arrow(), "WEBP", save_all=True, append_images=[noise(80, 40)]), "moves"),
    ],
    ids=["nothing", "svg", "gif", "tiff", "half", "half png", "64 MP", "90 MP", "bomb", "moving png", "moving webp"],
)
def test_what_is_no_picture_is_told_apart(content: bytes, told: str) -> None:
    """What cannot be shown is refused with what to do, before its pixels are unpacked."""
    with pytest.raises(RenderingError, match=rf"^kevat\.jpg .*{told}"):
        prepared(content, "kevat.jpg")


@given(st.sampled_from(["JPEG", "PNG", "WEBP"]), st.integers(0, 400), st.binary(min_size=1, max_size=40))
def test_a_damaged_file_never_ends_the_program(kind: str, at: int, put: bytes) -> None:
    """Bytes changed anywhere give a picture without them or an error that says so, and nothing else."""
    content = photo(kind)
    hurt = content[:at] + put + content[at + len(put) :]
    try:
        told, size = ": save", len(prepared(hurt, "a").content)
    except RenderingError as error:
        told, size = str(error), 0
    assert ": save" in told
    assert size < LARGEST


@pytest.mark.parametrize(
    ("file", "name"),
    [("Kevät kuva.JPEG", "kevat-kuva"), ('a";x=y.jpg', "a--x-y"), ("🎁.jpg", "picture"), ("ä" * 70 + ".jpg", "a" * 30)],
)
def test_a_reader_saves_it_under_a_plain_name(file: str, name: str) -> None:
    """E-20: the name that travels along is short ASCII, whatever the owner called the file."""
    assert f"{name}.jpg" == prepared(written(noise(90, 90)), file).name


def test_what_was_kept_is_read_as_it_was_prepared() -> None:
    """A prepared picture is known by its bytes alone, and anything else is no picture that was kept."""
    made = prepared(written(arrow(900, 700)), "a.jpg")
    assert made == carried(made.content, "a.jpg")
    assert hashlib.sha256(made.content).hexdigest().startswith(made.key)
    with pytest.raises(RenderingError, match="revise the campaign"):
        carried(b"", "a.jpg")


def test_the_samples_are_light() -> None:
    """The pictures the program comes with have 1200 by 600 pixels and less than 90 kB, in the file and in the mail."""
    files = sorted(SAMPLES.iterdir())
    assert 4 == len(files)
    for file in files:
        content = file.read_bytes()
        after = prepared(content, file.name)
        assert ((1200, 600), (600, 300)) == (opened(content).size, (after.width, after.height))
        assert max(len(content), len(after.content)) < 90_000
        assert [] == [secret for secret in SECRETS if secret in content]
