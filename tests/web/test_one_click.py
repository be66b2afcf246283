"""How the button of a mail program is told from the button on our page."""

import pytest

from dispatcher.web.one_click import is_one_click

PART = b'Content-Disposition: form-data; name="List-Unsubscribe"'


@pytest.mark.parametrize(
    "body",
    [
        b"List-Unsubscribe=One-Click",
        b"List-Unsubscribe=One-Click\r\n",
        b"list-unsubscribe=one-click",
        b"List%2DUnsubscribe=One%2DClick",
        b"utm=1&List-Unsubscribe=One-Click&x=",
        b"--b\r\n" + PART + b"\r\n\r\nOne-Click\r\n--b--\r\n",
        b"--b\n" + PART + b"\n\nOne-Click\n--b--\n",
        b"--b\r\n" + PART.replace(b'"', b"") + b"\r\nContent-Type: text/plain\r\n\r\nOne-Click\r\n--b--\r\n",
        b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n1\r\n--b\r\n' + PART + b"\r\n\r\nOne-Click\r\n--b--",
    ],
)
def test_a_mail_programs_button(body: bytes) -> None:
    """E-06: the field is found urlencoded and multipart, with and without what should stand around it."""
    assert is_one_click(body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"lang=sv",
        b"One-Click",
        b"List-Unsubscribe",
        b"List-Unsubscribe=",
        b"List-Unsubscribe=Two-Clicks",
        b"--b\r\n" + PART,
        b"--b\r\n" + PART + b"\r\n\r\nTwo-Clicks\r\n--b--\r\n",
        b"\xff\x00\r\n\r\nOne-Click",
    ],
)
def test_anything_else(body: bytes) -> None:
    """Anything else is the button on our page."""
    assert not is_one_click(body)
