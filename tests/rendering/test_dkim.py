"""Every email signed, and verified by a program that is not ours; whatever is changed on the way is noticed."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from dkim.canonicalization import Relaxed
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.errors import RenderingError, SettingsError
from dispatcher.rendering import CampaignRenderer, Templates
from dispatcher.rendering.dkim import (
    OVERSIGNED,
    SIGNED,
    SIGNED_WHERE_PRESENT,
    Algorithm,
    Signer,
    SigningKey,
    new_key,
    relaxed_body,
    relaxed_field,
)
from dispatcher.rendering.mime import Envelope
from dispatcher.rendering.pictures import Picture
from dispatcher.rendering.service import Confirmation, ServiceRenderer
from dispatcher.rules.campaign import Campaign, Language
from dispatcher.rules.message import Recipient
from dispatcher.rules.studio import Studio
from tests.rendering.signatures import DOMAIN, ED25519_KEY, RSA_KEY, SIGNER, verdicts, zone_of

MOMENT = datetime(2026, 3, 17, 8, 0, tzinfo=UTC)
E_42 = (
    "from:to:subject:date:message-id:mime-version:content-type:content-transfer-encoding:reply-to:list-id:"
    "list-unsubscribe:list-unsubscribe-post"
)
OVER = "from:subject:to:list-unsubscribe:list-unsubscribe-post"
SHORT_KEY = """-----BEGIN PRIVATE KEY-----
MIIB5gIBADANBgkqhkiG9w0BAQEFAASCAdAwggHMAgEAAmEAyVMBHUXB56d7bBOq
iz0AQVQqbbDo/1KOvrA2NK9kI+hnIqPhwvkv1BUlvGH4NHT3+CpzfKFR+y5RDoVa
Qmyf3qK5lAXd6xjzHM7+2mNo+BFIwlOVzuDwQKfMPp6eNjPnAgMBAAECYQCK1ENb
dUQuw+63a6RaWhl381tCwxEZKEwpMQhgMmaC4Htmhs5jDkUuIdsg2go32kP/hKLP
4XpldGZR5WufAk9kOvz6n/O7KjRQwcz0+CaUHZBkPF4qj0MArerZgxmsgMkCMQDv
NaLnvAmwDMVVh5M8Y4dHPt4yUlBOAZFtImh82rqWnN8qn4AQLNU4ldD7WHrHzjUC
MQDXdJssQ2XnFvz+7vv31bRgP66CSNX73EB4IdWyY5BLZWAyN8u54WtOCLpsZL+y
bSsCMQDHTsxeAsmbmvhsjBq8bT0QuqwOB5GLfTj7Unj21pQy26AB9oWQdJpvnDxU
v+MFSaUCMQCw0gDbdcC2w7YEHuvo/JjY+MpmIBKFbb/3F4WCrpVoWx10eTgYJ/jh
hOZCOPjeHRsCMBeuUEL790qJOIhqMavVJ9b/6r3KY2bcczB1YeHncWugTdJSe1mx
Romj9dZM60YmzA==
-----END PRIVATE KEY-----
"""


@pytest.fixture(scope="module")
def offer(campaign: Campaign, templates: Templates, studio: Studio, zone: ZoneInfo) -> bytes:
    """Give the signed sample offer of one client, as it would be handed over."""
    renderer = CampaignRenderer(campaign, templates, studio, zone, signer=SIGNER)
    return _sent(renderer)


def _sent(renderer: CampaignRenderer, language: Language = Language.FI, *, is_trial: bool = False) -> bytes:
    reader = Recipient("Päivi", language, "3.1.2026")
    link = "https://m.revontuli.example/u/" + "a" * 37
    return renderer.email(reader, "paivi@posti.example", link, "m1", MOMENT, is_trial=is_trial).content


def _tags(content: bytes, number: int = 0) -> dict[str, str]:
    """Return the tags of a signature, whitespace removed."""
    field = re.findall(rb"^DKIM-Signature:((?:[^\r]|\r\n[ \t])+)\r\n", content, re.MULTILINE)[number]
    bare = re.sub(r"\s", "", field.decode("ascii"))
    return dict(tag.split("=", 1) for tag in bare.split(";"))


def _replaced(content: bytes, name: str, change: Callable[[bytes], bytes]) -> bytes:
    """Return an email with one header changed."""
    head, gap, body = content.partition(b"\r\n\r\n")
    pattern = re.compile(rb"^" + name.encode() + rb":(?:[^\r]|\r\n[ \t])*", re.MULTILINE | re.IGNORECASE)
    changed, count = pattern.subn(lambda found: change(found[0]), head)
    assert count == 1, name
    return changed + gap + body


def test_both_signatures_verify(offer: bytes) -> None:
    """E-04, E-41: the RSA signature on top and the Ed25519 one beneath it verify, made by different selectors."""
    assert [True, True] == verdicts(offer)
    assert ("rsa-sha256", "s1") == (_tags(offer)["a"], _tags(offer)["s"])
    assert ("ed25519-sha256", "e1") == (_tags(offer, 1)["a"], _tags(offer, 1)["s"])


def test_what_a_signature_says(offer: bytes) -> None:
    """E-40, E-41: relaxed/relaxed, the sender's domain, the moment; no length and no end of its own."""
    for number in (0, 1):
        tags = _tags(offer, number)
        assert {"v", "a", "c", "d", "s", "t", "bh", "h", "b"} == set(tags)
        assert ("1", "relaxed/relaxed", DOMAIN) == (tags["v"], tags["c"], tags["d"])
        assert str(int(MOMENT.timestamp())) == tags["t"]


def test_which_headers_are_signed(offer: bytes) -> None:
    """E-04, E-42: every header that E-42 names, what else is constant, and once more what must not come twice."""
    assert f"{E_42}:feedback-id:precedence:{OVER}" == _tags(offer)["h"] == _tags(offer, 1)["h"]


def test_a_signature_is_folded_as_a_header_may_be(offer: bytes) -> None:
    """No line of a signature is longer than 78 characters, and each further one begins with a blank (RFC 5322)."""
    head = offer[: offer.index(b"\r\nFrom:")]
    lines = head.split(b"\r\n")
    assert all(len(line) <= 78 for line in lines)
    assert 2 == sum(line.startswith(b"DKIM-Signature: ") for line in lines)
    assert all(line.startswith((b"DKIM-Signature: ", b" ")) and line.strip() for line in lines)


def test_the_rest_is_untouched(offer: bytes, renderer: CampaignRenderer) -> None:
    """Signing puts headers on top and changes no byte beneath them."""
    assert offer.endswith(b"\r\n" + _sent(renderer))
    assert re.match(rb"(DKIM-Signature:(?:[^\r]|\r\n )+\r\n){2}From:", offer)


_PRESENT = sorted({*SIGNED, *SIGNED_WHERE_PRESENT} - {b"content-transfer-encoding", b"auto-submitted"})


@pytest.mark.parametrize("name", [each.decode() for each in _PRESENT])
def test_a_signed_header_cannot_be_changed(offer: bytes, name: str) -> None:
    """E-04, E-42: one letter more in any signed header, or the header taken away, breaks both signatures."""
    assert [False, False] == verdicts(_replaced(offer, name, lambda field: field + b"x"))
    assert [False, False] == verdicts(_replaced(offer, name, lambda _: b"X-Gone: 1"))


def test_a_signed_header_that_is_not_there_cannot_be_added(offer: bytes) -> None:
    """E-42: a Content-Transfer-Encoding over all parts, which an offer does not have, breaks both signatures."""
    assert [False, False] == verdicts(b"Content-Transfer-Encoding: base64\r\n" + offer)


@pytest.mark.parametrize("name", [each.decode() for each in OVERSIGNED])
@pytest.mark.parametrize("where", ["above", "below"])
def test_a_header_cannot_come_twice(offer: bytes, name: str, where: str) -> None:
    """E-42: a second From, Subject, To, List-Unsubscribe or List-Unsubscribe-Post breaks it, wherever it stands."""
    second = name.encode() + b": evil@evil.example"
    if where == "above":
        added = second + b"\r\n" + offer
    else:
        added = offer.replace(b"\r\n\r\n", b"\r\n" + second + b"\r\n\r\n", 1)
    assert [False, False] == verdicts(added)


def test_a_body_cannot_be_changed(offer: bytes) -> None:
    """E-41: one byte changed, or a line added at the end, breaks both signatures: the whole body is signed."""
    at = offer.index(b"\r\n\r\n") + 200
    assert [False, False] == verdicts(offer[:at] + bytes([offer[at] ^ 1]) + offer[at + 1 :])
    assert [False, False] == verdicts(offer + b"Added by a list.\r\n")


def test_what_a_relay_may_do_is_borne(offer: bytes) -> None:
    """Relaxed: headers folded anew, blanks doubled, empty lines at the end, and foreign headers leave it valid."""
    refolded = _replaced(
        offer, "Subject", lambda field: field.replace(b" ", b"\r\n\t", 1).replace(b"Subject", b"SUBJECT")
    )
    assert [True, True] == verdicts(b"Received: from a by b\r\n" + refolded + b"\r\n\r\n")


def test_a_signature_can_be_changed_in_nothing(offer: bytes) -> None:
    """E-41: the signature covers itself: another moment, another list of headers, and it fails."""
    assert [False, True] == verdicts(offer.replace(b" t=", b" t=1", 1))
    assert [False, True] == verdicts(offer.replace(b"from:to:subject:", b"from:from:subject:", 1))


def test_every_sample_is_signed(
    samples: dict[str, Campaign],
    templates: Templates,
    studio: Studio,
    zone: ZoneInfo,
    picture_of: Callable[[Campaign], Picture | None],
) -> None:
    """E-04: each campaign of the sample year, with its picture, in each language, and its test, verifies."""
    for campaign in samples.values():
        picture = picture_of(campaign)
        renderer = CampaignRenderer(campaign, templates, studio, zone, picture=picture, signer=SIGNER)
        for language in Language:
            assert [True, True] == verdicts(_sent(renderer, language))
        assert [True, True] == verdicts(_sent(renderer, is_trial=True))


def test_service_messages_are_signed(studio: Studio, zone: ZoneInfo) -> None:
    """E-04: a confirmation is signed as an offer is; without a list header nobody can add one."""
    letter = Confirmation(Language.SV, "Får vi skriva?", "https://m.revontuli.example/c/abc", date(2026, 3, 24))
    content = (
        ServiceRenderer(studio, zone, signer=SIGNER).email(letter, Envelope("a@posti.example", "m2", MOMENT)).content
    )
    assert [True, True] == verdicts(content)
    assert f"{E_42}:auto-submitted:{OVER}" == _tags(content)["h"]
    assert [False, False] == verdicts(b"List-Unsubscribe: <https://evil.example/>\r\n" + content)


def test_a_key_is_rotated_by_its_selector(renderer: CampaignRenderer) -> None:
    """A new selector signs with a new key, and mail under way still verifies while both records are published."""
    plain = _sent(renderer)
    newer = SigningKey.from_pem("s2", new_key(Algorithm.RSA))
    before, after = (Signer(DOMAIN, [key]).sign(plain, MOMENT) for key in (RSA_KEY, newer))
    assert ("s1", "s2") == (_tags(before)["s"], _tags(after)["s"])
    both = zone_of(RSA_KEY, newer)
    assert [True] == verdicts(before, both) == verdicts(after, both)
    assert [False] == verdicts(after, zone_of(RSA_KEY))
    assert [False] == verdicts(after, zone_of(replace(RSA_KEY, selector="s2")))


def test_one_key_signs_once(renderer: CampaignRenderer) -> None:
    """E-41: without an Ed25519 key there is the RSA signature alone."""
    assert [True] == verdicts(Signer(DOMAIN, [RSA_KEY]).sign(_sent(renderer), MOMENT))


def test_a_key_never_shows() -> None:
    """Printing a key or its record shows nothing of the private half."""
    for key in (RSA_KEY, ED25519_KEY):
        assert key.selector in repr(key)
        assert "private" not in repr(key)
    assert ED25519_KEY.record.startswith("v=DKIM1; k=ed25519; p=")
    assert (2048, 256) == (RSA_KEY.bits, ED25519_KEY.bits)


def test_a_key_longer_than_receivers_take_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """E-41: a key above what every receiver verifies is refused; the bound is lowered here."""
    monkeypatch.setattr("dispatcher.rendering.dkim.MOST_BITS", 2047)
    with pytest.raises(SettingsError, match="2048 bits"):
        SigningKey.from_pem("s1", new_key(Algorithm.RSA))


def _pem(private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, locked: KeySerializationEncryption) -> str:
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked).decode()


@pytest.mark.parametrize(
    ("pem", "says"),
    [
        (SHORT_KEY, "bits"),
        (_pem(ec.generate_private_key(ec.SECP256R1()), BestAvailableEncryption(b"x")), "without a password"),
        (_pem(ec.generate_private_key(ec.SECP256R1()), NoEncryption()), "neither"),
        ("-----BEGIN PRIVATE KEY-----\nnonsense\n-----END PRIVATE KEY-----\n", "PEM"),
        ("", "PEM"),
        ("ä", "PEM"),
    ],
    ids=["768 bits", "locked", "ECDSA", "nonsense", "empty", "letters"],
)
def test_a_key_that_cannot_sign_is_refused(pem: str, says: str) -> None:
    """E-41: RSA under 1024 bits, a locked key, another kind, or no key at all; the text of it is never told."""
    with pytest.raises(SettingsError, match=says) as refused:
        SigningKey.from_pem("s1", pem)
    assert "nonsense" not in str(refused.value)


def test_a_key_of_1024_bits_signs(renderer: CampaignRenderer) -> None:
    """E-41: 1024 bits is the least that is taken."""
    least = rsa.generate_private_key(65537, 1024)  # noqa: S505 - the point of the test
    key = SigningKey.from_pem("s1", _pem(least, NoEncryption()))
    assert [True] == verdicts(Signer(DOMAIN, [key]).sign(_sent(renderer), MOMENT), zone_of(key))


@pytest.mark.parametrize(
    "content",
    [
        b"From: a@b.example\n\nhei\n",
        b"From: a@b.example\r\n\r\nhei\n",
        b"From: a@b.example\r\n\r\nhei\rhei\r\n",
        "From: a@b.example\r\n\r\nähei\r\n".encode(),
        b"From: a@b.example\r\n",
        b"From: a@b.example\r\nfrom: c@d.example\r\n\r\nhei\r\n",
        b"From: a@b.example\r\nFROM : c@d.example\r\n\r\nhei\r\n",
    ],
    ids=["LF", "LF in the body", "CR", "8 bits", "no end", "twice", "twice, written otherwise"],
)
def test_what_is_not_finished_is_not_signed(content: bytes) -> None:
    """E-21, E-22: bytes that a relay would have to change are refused, never mended and signed."""
    with pytest.raises(RenderingError):
        SIGNER.sign(content, MOMENT)


_WORDS = st.text(st.sampled_from(" \t\tabcABC=:;äö"), max_size=30).map(lambda text: text.encode("ascii", "replace"))
_BODIES = st.lists(_WORDS, max_size=8).map(lambda lines: b"".join(line + b"\r\n" for line in lines))


@given(_BODIES)
def test_bodies_are_hashed_as_others_do(body: bytes) -> None:
    """Blanks and empty lines anywhere: the relaxed body is the one that dkimpy hashes (RFC 6376, 3.4.4)."""
    assert Relaxed.canonicalize_body(body) == relaxed_body(body)


@given(st.lists(_WORDS.filter(lambda word: bool(word.strip())), min_size=1, max_size=4))
def test_headers_are_hashed_as_others_do(words: list[bytes]) -> None:
    """Folded or not, blanks anywhere: the relaxed header is the one that dkimpy signs (RFC 6376, 3.4.2)."""
    value = b" " + b"\r\n ".join(words)
    [(name, theirs)] = Relaxed.canonicalize_headers([(b"Subject", value + b"\r\n")])
    assert name + b":" + theirs == relaxed_field(b"subject", value) + b"\r\n"


@given(
    _BODIES,
    st.lists(st.tuples(st.sampled_from([*SIGNED, b"x-other"]), _WORDS), max_size=6, unique_by=lambda each: each[0]),
)
def test_any_email_verifies(body: bytes, fields: list[tuple[bytes, bytes]]) -> None:
    """Whatever stands in it, what was signed verifies, and with a letter more in the body it does not."""
    others = [(name, value) for name, value in fields if name != b"from"]
    head = b"From: a@m.revontuli.example\r\n" + b"".join(
        name.title() + b": " + value + b"\r\n" for name, value in others
    )
    content = SIGNER.sign(head + b"\r\n" + body, MOMENT)
    assert [True, True] == verdicts(content)
    assert [False, False] == verdicts(content + b"x\r\n")
