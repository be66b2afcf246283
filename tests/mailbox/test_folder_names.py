"""Folders are named on the wire as IMAP wants it."""

import pytest

from dispatcher.mailbox.folder_names import encoded


@pytest.mark.parametrize(
    ("name", "wire"),
    [
        ("INBOX", "INBOX"),
        ("INBOX.Dispatcher", "INBOX.Dispatcher"),
        ("Tom & Jerry", "Tom &- Jerry"),
        ("Lähetetyt", "L&AOQ-hetetyt"),
        ("Päivää/ö", "P&AOQ-iv&AOQA5A-/&APY-"),
        ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
        ("\N{SPARKLES}\N{DOG FACE}", "&JyjYPdw2-"),
    ],
)
def test_names_are_written_in_utf_7_of_imap(name: str, wire: str) -> None:
    """RFC 3501, 5.1.3: the samples of the standard, and names that Finnish and Swedish inboxes have."""
    assert wire == encoded(name)
