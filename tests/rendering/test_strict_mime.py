"""The judges are judged: what the strict parser and the decoder must refuse, they refuse."""

import pytest

from tests.rendering.rfc2047 import NotLegalError, decoded
from tests.rendering.strict_mime import NotStrictError, read

_MAIL = (
    b'From: "A" <a@b.example>\r\nTo: c@d.example\r\nSubject: Hei\r\nDate: Tue, 17 Mar 2026 10:00:00 +0200\r\n'
    b"Message-ID: <1@b.example>\r\nMIME-Version: 1.0\r\nList-Unsubscribe: <https://m.example/u/x>\r\n"
    b'Content-Type: multipart/alternative; boundary="=_b"\r\n\r\n'
    b'\r\n--=_b\r\nContent-Type: text/plain; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'
    b"Hyv=C3=A4=\r\n!\r\n\r\n--=_b\r\nContent-Type: text/html; charset=utf-8\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\nPHA+eDwvcD4=\r\n\r\n--=_b--\r\n"
)


def test_a_good_mail_is_read() -> None:
    """Quoted-printable and base64, soft line breaks and both spellings of a parameter."""
    mail = read(_MAIL)
    assert ["Hyvä!\r\n", "<p>x</p>"] == [leaf.text() for leaf in mail.leaves()]
    assert ("Hei", "multipart/alternative") == (mail.header("Subject"), mail.kind)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Subject: Hei\r\n", b"Subject: Hei\n"),
        (b"Subject: Hei\r\n", b"Subject: H\xc3\xa4\r\n"),
        (b"Subject: Hei\r\n", b"Subject: H\0\r\n"),
        (b"Subject: Hei\r\n", b"Subject: Hei \r\n"),
        (b"Subject: Hei\r\n", b"Subject: Hei\r\n \r\n"),
        (b"Subject: Hei\r\n", b"Subject:Hei\r\n"),
        (b"Subject: Hei\r\n", b"Subject: Hei\r\nsubject: Hei\r\n"),
        (b"Subject: Hei\r\n", b""),
        (b"Subject: Hei\r\n", b"Subject: " + b"x" * 990 + b"\r\n"),
        (b"Subject: Hei\r\n", b"Subject: " + b"x" * 70 + b"\r\n"),
        (b"Subject: Hei\r\n", b"Subject: =?utf-8?q?" + b"x" * 64 + b"?=\r\n"),
        (b"<https://m.example/u/x>", b"\r\n <https://m.example/u/x>"),
        (b"<https://m.example/u/x>", b"=?utf-8?q?x?="),
        (b"Hyv=C3=A4=\r\n", b"Hyv=c3=a4=\r\n"),
        (b"Hyv=C3=A4=\r\n", b"Hyv=C3=A4 \r\n"),
        (b"Hyv=C3=A4=\r\n", b"Hyv=\xc3=A4=\r\n"),
        (b"Hyv=C3=A4=\r\n", b"x" * 77 + b"\r\n"),
        (b"PHA+eDwvcD4=", b"PHA+eDwv cD4="),
        (b"Content-Transfer-Encoding: base64", b"Content-Transfer-Encoding: 8bit"),
        (b"charset=utf-8", b"charset=latin-1"),
        (b"--=_b--\r\n", b""),
        (b"--=_b--\r\n", b"--=_b--\r\nmore\r\n"),
        (b"!\r\n", b"!\r\n--=_bx\r\n"),
    ],
)
def test_a_bad_mail_is_refused(old: bytes, new: bytes) -> None:
    """E-20 to E-24, E-03: each fault alone is found."""
    assert old in _MAIL
    with pytest.raises((NotStrictError, NotLegalError)):
        read(_MAIL.replace(old, new, 1))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("plain  words", "plain  words"),
        ("=?utf-8?q?a?= =?utf-8?b?YsO2?=", "abö"),
        ("=?utf-8?q?a_?=  \t =?utf-8?q?b?=", "a b"),
        ("x =?utf-8?q?=C3=A4?= y", "x ä y"),
    ],
)
def test_encoded_words_are_read(value: str, expected: str) -> None:
    """E-26: blanks between two encoded words go, all others stay."""
    assert expected == decoded(value)


@pytest.mark.parametrize(
    "value", ["=?utf-8?q?a b?=", "a=?utf-8?q?b?=", "=?utf-8?q?=C3?=", "=?latin-1?q?a?=", "=?utf-8?b?!?="]
)
def test_what_is_no_encoded_word_is_refused(value: str) -> None:
    """E-26: blanks inside, glued to letters, half a letter, another alphabet, no base64."""
    with pytest.raises(NotLegalError):
        decoded(value)
