"""The picture a campaign file names: its keys, and the file beside it."""

import os
from pathlib import Path

import pytest

from dispatcher.campaign_files import fault_of_key, read_picture
from dispatcher.errors import CampaignFileError
from dispatcher.rules.campaign import Language, NamedPicture
from tests.campaign_files.written import GOOD, faults, read

ALT = 'image_alt = { fi = "Lumi", sv = "Snö", en = "Snow" }\n'
NAME = 'write the name of a JPEG, PNG or WebP file in pictures/ beside this file, as "kevat.jpg", without a folder'


def test_a_file_names_its_picture() -> None:
    """The picture's name and words are read, and are no field of the offer."""
    campaign = read(f'{GOOD}image = "Kevät 2.JPG"\n{ALT}')
    words = {Language.FI: "Lumi", Language.SV: "Snö", Language.EN: "Snow"}
    assert NamedPicture("Kevät 2.JPG", words) == campaign.picture
    assert ["headline", "price"] == sorted(campaign.fields)
    assert read(GOOD).picture is None


def test_a_text_message_has_no_picture() -> None:
    """A campaign by text message alone needs no file beside it."""
    source = GOOD.replace('"email", "sms"', '"sms"')
    assert read(f'{source}image = "kevat.jpg"\n{ALT}').picture is None


@pytest.mark.parametrize(
    ("added", "told"),
    [
        *(
            (f"image = {name}\n{ALT}", f"18: offer.image: {NAME}.")
            for name in (
                '"../kevat.jpg"',
                '"/etc/kevat.jpg"',
                '"a/kevat.jpg"',
                "'a\\kevat.jpg'",
                '"C:kevat.jpg"',
                '"kevat.gif"',
                '".kevat.jpg"',
                '"..jpg"',
                '".jpg"',
                f'"{"a" * 90}.jpg"',
                '"https://x.example/kevat.jpg"',
            )
        ),
        (
            f'image = "a\\u0000.jpg"\n{ALT}',
            "18: offer.image: write it on one line, without tabs or other control characters.",
        ),
        (f"image = 3\n{ALT}", f"18: offer.image: {NAME}."),
        (
            'image = "a.jpg"\n',
            (
                "18: offer.image: nothing says what it shows to who does not see it: write image_alt = "
                '{ fi = "...", sv = "...", en = "..." } below it.'
            ),
        ),
        (
            ALT,
            (
                '15: offer.image: image_alt is there and no picture is named: write image = "NAME.jpg", or take '
                "image_alt out."
            ),
        ),
        (
            'image = "a.jpg"\nimage_alt = { fi = "Lumi", en = "Snow" }\n',
            (
                "19: offer.image_alt.sv: this language is "
                'missing: write sv = "..." under image_alt, or name other languages under [audience].'
            ),
        ),
        (
            'image = "a.jpg"\nimage_alt = { fi = "", sv = "Snö", en = "Snow" }\n',
            "19: offer.image_alt.fi: write something between the quotes.",
        ),
        (
            'image = "a.jpg"\nimage_alt = "Lumi"\n',
            '19: offer.image_alt: write it in each language: { fi = "...", sv = "...", en = "..." }.',
        ),
        (
            f'image = "a.jpg"\n{ALT.replace("}", ", de = 1 }")}',
            "19: offer.image_alt.de: a text is given per language, and the languages are fi, sv and en.",
        ),
    ],
)
def test_a_picture_that_cannot_be_meant_is_refused(added: str, told: str) -> None:
    """L-45: a name that leads elsewhere, or no words for who does not see it, is told on its line."""
    assert [f"kevat.toml:{told}"] == faults(GOOD + added)


def test_only_the_languages_of_the_audience_need_words() -> None:
    """Nobody reads the words of a language that is not written to."""
    source = GOOD.replace("[audience]", '[audience]\nlanguages = ["fi"]')
    campaign = read(f'{source}image = "a.jpg"\nimage_alt = {{ fi = "Lumi" }}\n')
    assert campaign.picture is not None
    assert {Language.FI: "Lumi"} == campaign.picture.alt


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where a campaign file would be, with a folder of pictures beside it."""
    (tmp_path / "campaigns" / "pictures").mkdir(parents=True)
    return tmp_path / "campaigns" / "a.toml"


def test_a_picture_is_read_from_the_folder_beside(path: Path) -> None:
    """The owner puts the file into pictures/ beside the campaigns, and nowhere else."""
    (path.parent / "pictures" / "kevat.jpg").write_bytes(b"pixels")
    assert b"pixels" == read_picture(path, "kevat.jpg")


def test_what_is_not_there_or_no_file_is_told(path: Path, tmp_path: Path) -> None:
    """A missing file, a folder, a pipe, a link out or to nowhere: each says what to do, and none is waited for."""
    folder = path.parent / "pictures"
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    (folder / "folder.jpg").mkdir()
    os.mkfifo(folder / "pipe.jpg")
    (folder / "out.jpg").symlink_to(tmp_path / "secret.jpg")
    (folder / "round.jpg").symlink_to(folder / "round.jpg")
    told = {
        "gone.jpg": "there is no .*pictures/gone.jpg: put it there",
        "folder.jpg": "is not a file: put the picture there",
        "pipe.jpg": "is not a file",
        "out.jpg": "leads out of its folder: put the picture itself there",
        "round.jpg": "cannot be read",
    }
    for name, words in told.items():
        with pytest.raises(CampaignFileError, match=words):
            read_picture(path, name)


def test_a_file_that_is_far_too_large_is_not_read(path: Path) -> None:
    """No camera writes more than 30 MB: such a file is told before it fills the memory."""
    with (path.parent / "pictures" / "a.jpg").open("wb") as file:
        file.truncate(40_000_000)
    with pytest.raises(CampaignFileError, match="more than 30 MB: save it smaller"):
        read_picture(path, "a.jpg")


def test_a_fault_stands_on_the_line_of_its_key() -> None:
    """What is found in the file of the picture is told on the line that names it."""
    error = fault_of_key(f'{GOOD}image = "a.jpg"\n{ALT}'.encode(), "a.toml", ("offer", "image"), "a.jpg moves: save it")
    assert "a.toml:18: offer.image: a.jpg moves: save it." == str(error)
    assert [("a.toml", 18, "offer.image: a.jpg moves", "save it")] == [
        (each.file, each.line, each.what, each.fix) for each in error.findings
    ]
