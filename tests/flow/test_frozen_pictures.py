"""A campaign's picture from its file to a client: checked, frozen with the campaign, the same for everybody."""

import asyncio
import email
import email.policy
import html
import re
from base64 import b64encode
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest
from PIL import Image

from dispatcher.errors import CampaignFileError, RenderingError
from dispatcher.flow.freezing import freeze
from dispatcher.rendering.pictures import LARGEST, prepared
from dispatcher.rules.actor import Actor
from dispatcher.storage import campaigns
from dispatcher.wiring import Dispatcher
from tests.flow.conftest import Tamper
from tests.photos import SECRETS, arrow, noise, tags, written
from tests.workshop import OWNER, Doubles, Workshop

MOMENT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
ROWS = (
    "1;Tuulikki;Meikäläinen;tuulikki@posti.example;040 123 4567;fi;3.1.2026;kyllä;kyllä;3.1.2026",
    "2;Sven;Svensson;sven@post.example;040 123 4568;sv;3.1.2026;kyllä;kyllä;3.1.2026",
)
NAMED = """
image = "kuva.jpg"
image_alt = { fi = "Lumi", sv = "Snö", en = "Snow" }
"""


def photo() -> bytes:
    """Return a photo with all that a telephone writes into one."""
    return written(noise(1500, 1000), exif=tags(6), comment=b"a word of the owner")


def pictured(workshop: Workshop, content: bytes | None) -> Path:
    """Write a campaign by email that names a picture, and the picture where there is one."""
    path = workshop.campaign("a", MOMENT, channels=("email",))
    path.write_text(path.read_text(encoding="utf-8") + NAMED, encoding="utf-8")
    picture = path.parent / "pictures" / "kuva.jpg"
    picture.unlink(missing_ok=True)
    if content is not None:
        picture.write_bytes(content)
    return path


def image_of(mail: bytes) -> bytes:
    """Return the part of a mail that holds its picture, as it came over the wire."""
    found = re.search(rb"\r\n--=_with_picture\r\n(Content-Type: image/.*?)\r\n--=_with_picture--\r\n", mail, re.DOTALL)
    assert found is not None
    return found[1]


def picture_of(mail: bytes) -> bytes:
    """Return the picture in a mail, as a mail program reads it."""
    message = email.message_from_bytes(mail, policy=email.policy.default)
    [image] = [part for part in message.walk() if part.get_content_maintype() == "image"]
    assert isinstance(image, EmailMessage)
    content = image.get_content()
    assert isinstance(content, bytes)
    return content


def begin(workshop: Workshop, dispatcher: Dispatcher) -> Actor:
    """Import two clients, and return who acts."""
    actor = dispatcher.persons.acting(None)
    dispatcher.enrol.run(workshop.register(*ROWS), actor)
    return actor


def sent(workshop: Workshop, dispatcher: Dispatcher, doubles: Doubles) -> list[bytes]:
    """Let the campaign's moment come, and return the mails that arrive."""
    workshop.clock.set(MOMENT)
    asyncio.run(dispatcher.rounds.once())
    return [mail.content for mail in doubles.smtp.received]


def test_what_was_frozen_goes_to_everybody(workshop: Workshop, doubles: Doubles) -> None:
    """L-40, L-41: a file changed or deleted after scheduling changes nothing; both clients get the same bytes."""
    with workshop.opened() as dispatcher:
        actor, path = begin(workshop, dispatcher), pictured(workshop, photo())
        taken = dispatcher.schedule.run(path, actor)
        (path.parent / "pictures" / "kuva.jpg").unlink()
        mails = sent(workshop, dispatcher, doubles)
        with dispatcher.store.reading() as connection:
            frozen = campaigns.frozen(connection, taken.id)
    expected = prepared(photo(), "kuva.jpg").content
    assert [expected] * 2 == [picture_of(mail) for mail in mails]
    assert 1 == len({image_of(mail) for mail in mails})
    assert expected == frozen["pictures/kuva.jpg"]
    assert len(expected) < LARGEST
    assert [] == [secret for secret in SECRETS for kept in frozen.values() if secret in kept]


def test_a_revised_campaign_takes_another_picture(workshop: Workshop, doubles: Doubles) -> None:
    """A draft is frozen anew: the picture that lies there when it is scheduled again is the one that goes out."""
    red = written(Image.new("RGB", (600, 300), "red"))
    with workshop.opened() as dispatcher:
        actor, path = begin(workshop, dispatcher), pictured(workshop, photo())
        dispatcher.schedule.run(path, actor)
        dispatcher.lifecycle.revise("a", actor)
        dispatcher.schedule.run(pictured(workshop, red), actor)
        mails = sent(workshop, dispatcher, doubles)
    assert [prepared(red, "kuva.jpg").content] * 2 == [picture_of(mail) for mail in mails]


def test_a_picture_is_part_of_the_content(workshop: Workshop) -> None:
    """The hash by which a test is known: the same for the same file in every run, another for another picture."""
    with workshop.opened() as dispatcher:
        templates, policy = workshop.directory / "templates", dispatcher.policy
        first = freeze(pictured(workshop, photo()), templates, policy)
        again = freeze(pictured(workshop, photo()), templates, policy)
        other = freeze(pictured(workshop, written(arrow())), templates, policy)
        plain = freeze(workshop.campaign("a", MOMENT), templates, policy)
    assert first.content_hash == again.content_hash
    assert 3 == len({each.content_hash for each in (first, other, plain)})
    assert plain.picture is None


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "there is no "),
        (b"<svg/>", "kuva.jpg is not a picture that can be read"),
        (photo()[:2000], "kuva.jpg is cut short"),
        (written(arrow(), "PNG", save_all=True, append_images=[noise(80, 40)]), "kuva.jpg moves"),
    ],
    ids=["missing", "no picture", "half", "moving"],
)
def test_a_fault_of_the_picture_is_told_on_its_line(workshop: Workshop, content: bytes | None, told: str) -> None:
    """The check names campaign file, line and key, beside every other fault; nothing is scheduled, shown or tested."""
    with workshop.opened() as dispatcher:
        actor, path = begin(workshop, dispatcher), pictured(workshop, content)
        path.write_text(path.read_text("utf-8").replace("Tervetuloa.", "http://x.example"), encoding="utf-8")
        report = dispatcher.check.run(path)
        line = path.read_text("utf-8").split("image =")[0].count("\n") + 1
        faults = [each for each in report.errors if each.what.startswith(f"offer.image: {told}")]
        told_too = [each for each in report.errors if "not encrypted" in each.what]
        acts = (
            lambda: dispatcher.schedule.run(path, actor),
            lambda: dispatcher.preview.invented(path),
            lambda: dispatcher.trial.run(path, actor),
        )
        for act in acts:
            with pytest.raises(CampaignFileError, match="image"):
                act()
        assert [] == dispatcher.lifecycle.all()
    assert [(str(path), line)] == [(each.file, each.line) for each in faults]
    assert 1 == len(told_too)


def test_a_test_and_a_preview_show_the_picture(workshop: Workshop, doubles: Doubles) -> None:
    """Who looks before it goes out sees what clients will: carried by the test, written into the preview's frames."""
    with workshop.opened() as dispatcher:
        actor, path = begin(workshop, dispatcher), pictured(workshop, photo())
        dispatcher.persons.reach(OWNER, actor, "FI", email="aino@studio.example", phone=None)
        dispatcher.trial.run(path, actor)
        page = html.unescape(dispatcher.preview.invented(path))
    expected = prepared(photo(), "kuva.jpg").content
    assert [expected] == [picture_of(mail.content) for mail in doubles.smtp.received]
    frames = re.findall(r"<iframe .*?</iframe>", page, re.DOTALL)
    assert 6 == len(frames)
    assert all(f'src="data:image/jpeg;base64,{b64encode(expected).decode()}"' in frame for frame in frames)
    assert not any("cid:" in frame for frame in frames)


def test_a_frozen_picture_that_is_gone_stops_the_campaign(workshop: Workshop, tamper: Tamper) -> None:
    """No mail goes out without the picture it was tested with: what was kept and cannot be read is an error."""
    with workshop.opened() as dispatcher:
        actor, path = begin(workshop, dispatcher), pictured(workshop, photo())
        dispatcher.schedule.run(path, actor)
        tamper(dispatcher.store, "DELETE FROM campaign_file WHERE path = 'pictures/kuva.jpg'")
        with dispatcher.store.reading() as connection, pytest.raises(RenderingError, match="revise the campaign"):
            dispatcher.plan._press.frozen(connection, dispatcher.lifecycle.named("a"))
