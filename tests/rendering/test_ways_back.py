"""The addresses that answer a mail, where an inbox is read: in the headers, in the envelope, and nowhere else."""

import re
from collections.abc import Callable
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from email.utils import parseaddr

import pytest

from dispatcher.links import WaysBack
from dispatcher.rendering import CampaignRenderer
from dispatcher.rendering.dkim import OVERSIGNED, SIGNED, Algorithm, Signer, SigningKey, new_key, signed
from dispatcher.rules.campaign import Language
from dispatcher.rules.message import Email, Recipient
from tests.rendering.signatures import verdicts

_URL = f"https://m.revontuli.example/u/{'a' * 37}"
_BACK = WaysBack(
    f"hei+{'b' * 37}@revontuli.example", f"hei+{'a' * 37}@revontuli.example", f"hei+{'c' * 47}@revontuli.example"
)
Make = Callable[[WaysBack | None], Email]


@pytest.fixture
def make(renderer: CampaignRenderer, moment: datetime) -> Make:
    """Return what makes one client's mail with these ways back."""
    reader = Recipient("Aino", Language.FI, "3.2.2026")
    return lambda back: renderer.email(reader, "aino@posti.example", _URL, "0190-a", moment, back)


def _parsed(mail: Email) -> EmailMessage:
    return message_from_bytes(mail.content, policy=default)


def test_the_mail_address_stands_second(make: Make) -> None:
    """E-01, E-03: https first, a comma, the mailto: of at most 75 characters; one line, nothing folded or encoded."""
    line = f"List-Unsubscribe: <{_URL}>, <mailto:{_BACK.opt_out}>\r\n".encode()
    assert 1 == make(_BACK).content.count(line)
    assert len(f"mailto:{_BACK.opt_out}") <= 75
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in make(_BACK).content


def test_replies_and_bounces_have_addresses_of_their_own(make: Make) -> None:
    """E-35, E-60: Reply-To names the studio and the client's address, the envelope alone the message's."""
    mail = make(_BACK)
    assert ("Hoitola Revontuli", _BACK.reply_to) == parseaddr(str(_parsed(mail)["Reply-To"]))
    assert [1, 1] == [len(_parsed(mail).get_all(name, [])) for name in ("Reply-To", "From")]
    assert _BACK.bounce_to == mail.sender
    assert _BACK.bounce_to.encode() not in mail.content


def test_without_an_inbox_nothing_changes(make: Make) -> None:
    """A mail is the same but for these headers, and without an inbox it is what it always was."""
    plain, answered = make(None), make(_BACK)
    assert b"mailto:" not in plain.content.partition(b"\r\n\r\n")[0]
    undone = re.sub(rb", <mailto:[^>]*>", b"", answered.content)
    undone = undone.replace(b'"Hoitola Revontuli"\r\n <' + _BACK.reply_to.encode(), b'"Hoitola Revontuli" <hei@x')
    assert plain.content == undone.replace(b"<hei@x>", b"<hei@revontuli.example>")


def test_the_signature_covers_them(make: Make, moment: datetime) -> None:
    """E-42: Reply-To and List-Unsubscribe are in h=, and a changed mail address breaks the signature."""
    key = SigningKey.from_pem("s1", new_key(Algorithm.ED25519))
    zone = {b"s1._domainkey.m.revontuli.example.": key.record.encode()}
    mail = signed(make(_BACK), Signer("m.revontuli.example", [key]), moment)
    assert {b"reply-to", b"list-unsubscribe"} <= {*SIGNED}
    assert b"list-unsubscribe" in OVERSIGNED
    assert [True] == verdicts(mail.content, zone)
    for changed in (_BACK.reply_to.encode(), _BACK.opt_out.encode()):
        assert [False] == verdicts(mail.content.replace(changed, changed.replace(b"hei+", b"hex+")), zone)
