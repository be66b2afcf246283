"""Turns what the settings say of the inbox into what makes its addresses, what reads it, and what the doctor judges."""

from pathlib import Path

from dispatcher.flow.letters import Letters, MailDoor
from dispatcher.flow.returns import Returns
from dispatcher.keys import KeyRing
from dispatcher.links import TOKEN_LENGTH, MailAddresses, OptOutLinks, PlusAddress
from dispatcher.mailbox import Mailbox
from dispatcher.mailbox.imap import ImapMailbox, ImapSettings, Tls
from dispatcher.mailbox.maildir import MaildirMailbox, is_maildir
from dispatcher.rules.letterbox import Letterbox
from dispatcher.settings import SECRETS, MailboxProvider, Settings
from dispatcher.storage.store import Store
from dispatcher.wiring.founding import Clock


def addresses_of(settings: Settings, ring: KeyRing, links: OptOutLinks) -> MailAddresses | None:
    """Return what makes and reads the addresses that answer a mail, None where no inbox is read."""
    if not settings.mailbox.is_read:
        return None
    separator = settings.mailbox.separator
    own, bounces = (PlusAddress.of(each, separator) for each in (settings.inbox_address, settings.bounce_address))
    return MailAddresses(ring, links, own, bounces)


def mailbox_of(
    directory: Path, settings: Settings, ring: KeyRing, addresses: MailAddresses | None, clock: Clock
) -> Mailbox | None:
    """Return what reads the inbox, None where none is configured. Nothing is opened before it is read."""
    box = settings.mailbox
    if addresses is None:
        return None
    if box.provider is MailboxProvider.MAILDIR:
        return MaildirMailbox(directory / box.path, addresses, clock, takes_all=box.own_folder)
    return ImapMailbox(
        ImapSettings(
            host=box.host,
            port=box.asked_port,
            tls=Tls(box.tls),
            username=box.username or settings.inbox_address,
            password=_password(settings, ring),
            folder=box.folder,
            takes_all=box.own_folder,
        ),
        addresses,
    )


def mail_doors_of(
    store: Store, mailbox: Mailbox | None, addresses: MailAddresses | None, returns: Returns
) -> tuple[MailDoor, ...]:
    """Return the door that is the inbox, none where none is configured."""
    if mailbox is None or addresses is None:
        return ()
    return (MailDoor(store, mailbox, Letters(store, addresses, returns)),)


def letterbox_of(directory: Path, settings: Settings, ring: KeyRing) -> Letterbox:
    """Return what the doctor judges of the inbox."""
    box, address = settings.mailbox, settings.inbox_address
    length = len(f"mailto:{PlusAddress.of(address, box.separator).with_token('x' * TOKEN_LENGTH)}")
    trouble = fix = ""
    if box.provider is MailboxProvider.IMAP and not _password(settings, ring):
        trouble = f"The password of {box.username or address} at {box.host} is missing."
        fix = f'Write mailbox_password = "..." into {SECRETS}, under [credentials].'
    if box.provider is MailboxProvider.MAILDIR and not is_maildir(directory / box.path):
        trouble = f"There is no Maildir at {directory / box.path}: it holds the folders new, cur and tmp."
        fix = "Correct [mailbox] path in dispatcher.toml."
    return Letterbox(address, box.is_read, length, trouble, fix)


def _password(settings: Settings, ring: KeyRing) -> str:
    return settings.credentials.mailbox_password.get_secret_value() or ring.credentials.get("mailbox_password", "")
