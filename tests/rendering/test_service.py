"""Service messages as they are written: neutral, short, in three languages."""

import email
import email.policy
import re
from datetime import UTC, date, datetime
from email.message import EmailMessage
from zoneinfo import ZoneInfo

import pytest

from dispatcher.errors import RenderingError
from dispatcher.rendering.mime import Envelope
from dispatcher.rendering.service import Confirmation, Letter, Receipt, ServiceRenderer
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.consent import Place
from dispatcher.rules.sms import Encoding, measure
from dispatcher.rules.studio import Studio
from dispatcher.texts import text

NOW = datetime(2026, 2, 3, 10, 0, tzinfo=UTC)
CONFIRM = "https://m.revontuli.example/join/" + "a" * 37
LEAVE = "https://m.revontuli.example/u/" + "a" * 37


def letters(language: Language, channel: Channel = Channel.EMAIL) -> list[Letter]:
    """Return one letter of each kind."""
    question = text(f"question_{channel}", language)
    short = len("a" * 6) if channel is Channel.SMS else 0
    return [
        Confirmation(language, question, CONFIRM[: len(CONFIRM) - short], date(2026, 2, 10)),
        Receipt(language, question, LEAVE[: len(LEAVE) - short], date(2026, 2, 3), Place.PHONE),
    ]


@pytest.fixture
def renderer(studio: Studio, zone: ZoneInfo) -> ServiceRenderer:
    """Give what writes the studio's service messages."""
    return ServiceRenderer(studio, zone)


def parsed(renderer: ServiceRenderer, letter: Letter) -> tuple[EmailMessage, str, str]:
    """Return a letter as a mail program reads it, and its two parts."""
    mail = renderer.email(letter, Envelope("maija@posti.example", "m1", NOW))
    message = email.message_from_bytes(mail.content, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    parts = [message.get_body((kind,)) for kind in ("plain", "html")]
    plain, page = (part.get_content() for part in parts if part is not None)
    return message, plain, page


@pytest.mark.parametrize("language", Language)
def test_both_parts_hold_question_link_and_sender(
    renderer: ServiceRenderer, studio: Studio, language: Language
) -> None:
    """L-05, L-20: text and HTML show the exact question, the link, who sends, and that it is no advertisement."""
    for letter in letters(language):
        _, plain, page = parsed(renderer, letter)
        for part in (plain, page):
            for shown in (
                letter.question,
                letter.link,
                studio.name,
                studio.business_id,
                studio.postal_address,
                studio.notice_in(language),
                text("service_not_an_offer", language),
            ):
                assert shown in part
            assert text("marker", language) not in part.split(text("service_not_an_offer", language))[0]
            assert studio.booking_url not in part


@pytest.mark.parametrize("language", Language)
def test_the_receipt_says_when_and_how(renderer: ServiceRenderer, language: Language) -> None:
    """L-05: the receipt says on which day and by which way the yes was given, and what to press otherwise."""
    _, plain, page = parsed(renderer, letters(language)[1])
    expected = text("service_receipt_phone", language, date="3 February 2026" if language == "en" else "3.2.2026")
    assert expected in plain
    assert expected in page
    assert text("service_receipt_button", language) in page


def test_the_headers_are_those_of_a_machine(renderer: ServiceRenderer) -> None:
    """RFC 3834: answering machines stay silent, and nothing in the headers looks like a campaign."""
    message, _, _ = parsed(renderer, letters(Language.FI)[0])
    assert "auto-generated" == message["Auto-Submitted"]
    assert "<m1@m.revontuli.example>" == message["Message-ID"]
    assert "OOF, AutoReply" == message["X-Auto-Response-Suppress"]
    marketing = {"List-Unsubscribe", "List-Unsubscribe-Post", "List-Id", "Precedence", "Feedback-ID"}
    assert set() == marketing & set(message.keys())


@pytest.mark.parametrize("language", Language)
def test_a_mail_fits_and_loads_nothing(renderer: ServiceRenderer, language: Language) -> None:
    """E-32, L-40: nothing is loaded when the mail is opened, and it is small."""
    for letter in letters(language):
        _, _, page = parsed(renderer, letter)
        assert "src=" not in page
        assert "url(" not in page
        assert len(page) < 20_000


@pytest.mark.parametrize("language", Language)
def test_a_text_message_is_one_part(renderer: ServiceRenderer, language: Language) -> None:
    """S-05: in every language each fits one part in the short alphabet, with a studio's name of usual length."""
    for letter in letters(language, Channel.SMS):
        sms = renderer.sms(letter, "+358401234567")
        assert (1, Encoding.GSM7) == (sms.segments, measure(sms.text).encoding)
        assert letter.link in sms.text


def test_a_question_is_printed_and_not_run(renderer: ServiceRenderer) -> None:
    """What a person wrote as the question is words in the page, whatever signs it holds."""
    letter = Confirmation(Language.FI, "<b>Saako</b> & {{ 7 * 7 }}?", CONFIRM, date(2026, 2, 10))
    _, plain, page = parsed(renderer, letter)
    assert "<b>Saako</b> & {{ 7 * 7 }}?" in plain
    assert "&lt;b&gt;Saako&lt;/b&gt; &amp; {{ 7 * 7 }}?" in page


def test_an_address_that_cannot_stand_in_a_header_is_refused(renderer: ServiceRenderer) -> None:
    """E-25: no address can begin a header of its own."""
    with pytest.raises(RenderingError):
        renderer.email(letters(Language.FI)[0], Envelope("a@b.example\r\nBcc: c@d.example", "m1", NOW))


@pytest.mark.parametrize("language", Language)
def test_a_service_message_advertises_nothing(renderer: ServiceRenderer, studio: Studio, language: Language) -> None:
    """E-34: no word of an offer, no price, no link to book, and no header of a mailing, in either part or by SMS."""
    for letter in letters(language):
        raw = renderer.email(letter, Envelope("maija@posti.example", "m1", NOW)).content
        _, plain, page = parsed(renderer, letter)
        sms = renderer.sms(letters(language, Channel.SMS)[0], "+358401234567").text
        for part in (plain, page, sms):
            own = part.replace(letter.question, "")
            forbidden = (text("book_button", language), text("book_online", language), studio.booking_url, "€")
            assert [] == [each for each in forbidden if each in own]
        assert text("marker", language) not in plain
        assert not re.search(rb"^(List-|Precedence|Feedback-ID)", raw, re.MULTILINE)
        assert b"\r\nAuto-Submitted: auto-generated\r\n" in raw
