"""An installation whose inbox is read: its mails are answered at their own addresses, and what comes there is known."""

import asyncio
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from email.utils import parseaddr
from pathlib import Path

import pytest

from dispatcher.demo.smtp_double import ReceivedMail
from dispatcher.flow.doubts import Guidance
from dispatcher.links import Bounce, OptOut, ReplyTo
from dispatcher.mailbox.imap import ImapMailbox
from dispatcher.mailbox.maildir import MaildirMailbox
from dispatcher.rules.campaign import Channel
from dispatcher.rules.doctor import Concern, Level
from dispatcher.rules.letter import Letter, LetterKind
from dispatcher.wiring import Dispatcher, examined
from tests.clock import FixedClock
from tests.flow.joining import enable_sign_up, join, serve
from tests.workshop import Doubles, Workshop, build

MAIJA = "1;Maija;Meikäläinen;maija@posti.example;;fi;20.11.2026;kyllä;;20.11.2026"
MAILDIR = '\n[mailbox]\nprovider = "maildir"\npath = "inbox"\n'
IMAP = '\n[mailbox]\nprovider = "imap"\nhost = "127.0.0.1"\n'


@pytest.fixture
def studio(tmp_path: Path, clock: FixedClock, doubles: Doubles) -> Workshop:
    """Give an installation on SQLite that hands over to the doubles."""
    workshop = build(tmp_path / "studio", clock, "sqlite:///dispatcher.db", "dispatcher.journal", doubles)
    enable_sign_up(workshop)
    return workshop


@pytest.fixture
def inbox(studio: Workshop) -> Path:
    """Give its inbox: a Maildir in the workspace, named in the settings."""
    path = studio.directory / "inbox"
    for folder in ("new", "cur", "tmp"):
        (path / folder).mkdir(parents=True)
    configured(studio, MAILDIR)
    return path


def configured(workshop: Workshop, text: str) -> None:
    """Add these lines to the settings."""
    path = workshop.directory / "dispatcher.toml"
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


def sent(workshop: Workshop, dispatcher: Dispatcher, doubles: Doubles) -> ReceivedMail:
    """Send a campaign to one client and return the mail as the server got it."""
    actor = dispatcher.persons.acting(None)
    dispatcher.enrol.run(workshop.register(MAIJA), actor, guidance=Guidance(is_whole=True))
    path = workshop.campaign("talvi", workshop.clock() + timedelta(hours=1), channels=("email",))
    dispatcher.schedule.run(path, actor)
    workshop.clock.set(workshop.clock() + timedelta(hours=1))
    assert [None] == [each.trouble for each in asyncio.run(dispatcher.rounds.once())]
    [mail] = doubles.smtp.received
    return mail


def parsed(mail: ReceivedMail) -> EmailMessage:
    """Return a mail as its reader's program sees it."""
    return message_from_bytes(mail.content, policy=default)


def deliver(inbox: Path, clock: FixedClock, name: str, to: str, body: str, **headers: str) -> None:
    """Put a letter into the inbox."""
    letter = EmailMessage()
    for key, value in {"From": "maija@posti.example", "To": to, **headers}.items():
        letter[key.replace("_", "-")] = value
    letter.set_content(body)
    (inbox / "new" / f"{int(clock().timestamp())}.{name}.mx").write_bytes(letter.as_bytes())


def read(dispatcher: Dispatcher) -> list[Letter]:
    """Return what is in the inbox for us."""
    found: list[Letter] = []
    assert dispatcher.mailbox is not None
    dispatcher.mailbox.read("", lambda letters, _: found.extend(letters))
    return found


def test_mails_are_answered_at_their_own_addresses(studio: Workshop, inbox: Path, doubles: Doubles) -> None:
    """E-01, E-13, E-35, E-60: what the mail server got leads reply, opt-out and bounce back to client and message."""
    with studio.opened() as dispatcher:
        mail = sent(studio, dispatcher, doubles)
        client = dispatcher.register.find("maija@posti.example")
        url = dispatcher.links.url(OptOut(client, Channel.EMAIL))
        head = parsed(mail)
        reply_to = parseaddr(str(head["Reply-To"]))[1]
        link, opt_out = str(head["List-Unsubscribe"]).split(", ")
        assert f"<{url}>" == link
        deliver(inbox, studio.clock, "1", reply_to, "Lopeta")
        deliver(inbox, studio.clock, "2", opt_out.removeprefix("<mailto:").rstrip(">"), "")
        deliver(inbox, studio.clock, "3", mail.sender, "Olen lomalla", Auto_Submitted="auto-replied")
        letters = read(dispatcher)
        assert [LetterKind.STOP, LetterKind.STOP, LetterKind.AUTOMATIC] == [each.kind for each in letters]
        addresses = dispatcher.mailbox._reader.addresses if isinstance(dispatcher.mailbox, MaildirMailbox) else None
        assert addresses is not None
        message = str(head["Message-ID"]).strip("<>").partition("@")[0]
        expected = [ReplyTo(client, Channel.EMAIL), OptOut(client, Channel.EMAIL), Bounce(message)]
        assert expected == [addresses.read(each.token) for each in letters]


def test_without_an_inbox_mails_stay_as_they_were(studio: Workshop, doubles: Doubles) -> None:
    """E-01: nothing of all that is in a mail, or in its envelope, where no inbox is read."""
    with studio.opened() as dispatcher:
        assert dispatcher.mailbox is None
        mail = sent(studio, dispatcher, doubles)
        assert ("tarjoukset@tunturituuli.example", "hei@tunturituuli.example") == (
            mail.sender,
            parseaddr(str(parsed(mail)["Reply-To"]))[1],
        )
        assert "mailto:" not in str(parsed(mail)["List-Unsubscribe"])


def test_service_messages_come_back_as_well(studio: Workshop, inbox: Path, doubles: Doubles) -> None:
    """E-60: a confirmation that cannot be delivered comes back under its own id; a stranger's reply is the owner's."""
    with studio.opened() as dispatcher:
        join(dispatcher, "uusi@posti.example")
        serve(dispatcher)
        [mail] = doubles.smtp.received
        assert "hei@tunturituuli.example" == parseaddr(str(parsed(mail)["Reply-To"]))[1]
        deliver(inbox, studio.clock, "1", mail.sender, "x", Auto_Submitted="auto-replied")
        assert isinstance(dispatcher.mailbox, MaildirMailbox)
        [letter] = read(dispatcher)
        message = str(parsed(mail)["Message-ID"]).strip("<>").partition("@")[0]
        assert Bounce(message) == dispatcher.mailbox._reader.addresses.read(letter.token)


def found_by_doctor(workshop: Workshop) -> tuple[Level, str, str]:
    """Return what the doctor says of the inbox."""
    [found] = [each for each in examined(workshop.directory, workshop.clock) if each.concern is Concern.MAILBOX]
    return found.level, found.says, found.fix or ""


def test_the_doctor_sees_a_maildir_that_is_not_there(studio: Workshop) -> None:
    """What stands in the way of reading is told before anything is to be sent."""
    configured(studio, MAILDIR)
    level, says, fix = found_by_doctor(studio)
    assert (Level.ERROR, "Correct [mailbox] path in dispatcher.toml.") == (level, fix)
    assert "There is no Maildir at" in says
    for folder in ("new", "cur"):
        (studio.directory / "inbox" / folder).mkdir(parents=True)
    assert Level.OK is found_by_doctor(studio)[0]


def test_the_doctor_misses_a_password(studio: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """An IMAP inbox needs its secret, from the secrets file or the environment; it is shown nowhere."""
    configured(studio, IMAP)
    level, says, fix = found_by_doctor(studio)
    assert (Level.ERROR, "The password of hei@tunturituuli.example at 127.0.0.1 is missing.") == (level, says)
    assert "mailbox_password" in fix
    monkeypatch.setenv("DISPATCHER_CREDENTIALS__MAILBOX_PASSWORD", "salaisuus")
    assert Level.OK is found_by_doctor(studio)[0]
    with studio.opened() as dispatcher:
        assert isinstance(dispatcher.mailbox, ImapMailbox)
        assert "salaisuus" not in repr(dispatcher)


def test_an_inbox_elsewhere_is_a_company_that_handles_data(studio: Workshop) -> None:
    """L-39, L-42: notice and records name who keeps the inbox, and it is no carrier of messages."""
    configured(studio, IMAP.replace("127.0.0.1", "imap.provider.example") + 'country = "FI"\ndpa_signed = 2026-01-15\n')
    with studio.opened() as dispatcher:
        assert dispatcher.ropa is not None
    hosts = [each.says for each in examined(studio.directory, studio.clock) if each.concern is Concern.HOSTS]
    companies = [each.says for each in examined(studio.directory, studio.clock) if each.concern is Concern.PROCESSORS]
    assert "imap.provider.example (FI)" in hosts[0]
    assert "imap.provider.example (FI)" in companies[0]
