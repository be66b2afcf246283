"""Where the keys to sign mails by are found, and that nothing leaves unsigned where one cannot be used."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from dispatcher.demo.smtp_double import ReceivedMail
from dispatcher.errors import ChannelError, RefusedError, SettingsError
from dispatcher.flow.dkim_keys import Algorithm, make_key
from dispatcher.flow.doubts import Guidance
from dispatcher.keys import KeyKind, KeyRing, read_private, read_ring, write_ring
from dispatcher.rendering.dkim import SigningKey
from dispatcher.rules.doctor import Concern, Level
from dispatcher.settings import FILE, SECRETS, read_settings
from dispatcher.wiring import Dispatcher, examined
from tests.clock import FixedClock
from tests.flow.joining import enable_sign_up, join, serve
from tests.rendering.signatures import verdicts, zone_of
from tests.workshop import OWNER, Doubles, Workshop, build

DOMAIN = "tunturituuli.example"
MAIJA = "1;Maija;Meikäläinen;maija@posti.example;;fi;20.11.2026;kyllä;;20.11.2026"


@pytest.fixture
def studio(tmp_path: Path, clock: FixedClock, doubles: Doubles) -> Workshop:
    """Give an installation on SQLite that hands over to the doubles and has a sign-up page."""
    workshop = build(tmp_path / "studio", clock, "sqlite:///dispatcher.db", "dispatcher.journal", doubles)
    enable_sign_up(workshop)
    return workshop


def configured(workshop: Workshop, *lines: str) -> None:
    """Write these lines as [email.dkim], in the place of those that were there."""
    path = workshop.directory / FILE
    rest = path.read_text(encoding="utf-8").partition("\n[email.dkim]")[0]
    path.write_text("\n".join([rest, "[email.dkim]", *lines, ""]), encoding="utf-8")


def made(workshop: Workshop, selector: str, algorithm: Algorithm = Algorithm.RSA) -> SigningKey:
    """Make a key in its file and return it."""
    path = workshop.directory / make_key(workshop.directory, selector, DOMAIN, algorithm).file
    return SigningKey.from_pem(selector, read_private(path, path.name))


def pem_of(workshop: Workshop, selector: str) -> str:
    """Take the file of a key away and return what stood in it."""
    path = workshop.directory / f"dkim-{selector}.pem"
    pem = path.read_text(encoding="utf-8")
    path.unlink()
    return pem


def sent(workshop: Workshop, doubles: Doubles, address: str = "maija@posti.example") -> ReceivedMail:
    """Have one service message sent, and return what the mail server got."""
    with workshop.opened() as dispatcher:
        join(dispatcher, address)
        serve(dispatcher)
    return doubles.smtp.received[-1]


def trouble(workshop: Workshop) -> str:
    """Return the error that the doctor finds in how mails are signed, and what it says to type."""
    found = [each for each in examined(workshop.directory, workshop.clock) if each.concern is Concern.SIGNING]
    assert [Level.ERROR] == [each.level for each in found]
    return f"{found[0].says} {found[0].fix}"


def test_a_key_in_a_file_signs_what_the_server_gets(studio: Workshop, doubles: Doubles) -> None:
    """E-04, E-41: two selectors are named, and what arrives at the mail server verifies twice, byte for byte."""
    keys = [made(studio, "s1"), made(studio, "e1", Algorithm.ED25519)]
    configured(studio, 'selector = "s1"', 'ed25519_selector = "e1"')
    assert [True, True] == verdicts(sent(studio, doubles).content, zone_of(*keys, domain=DOMAIN))


def test_campaigns_and_their_tests_are_signed(studio: Workshop, doubles: Doubles) -> None:
    """E-04: an offer, the test of it, and the preview of it carry the same signature."""
    key = made(studio, "s1")
    configured(studio, 'selector = "s1"')
    path = studio.campaign("tarjous", studio.clock() + timedelta(hours=1), channels=["email"])
    with studio.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        dispatcher.enrol.run(studio.register(MAIJA), actor, guidance=Guidance(is_whole=True))
        dispatcher.persons.reach(OWNER, actor, "FI", email="aino@tunturituuli.example")
        assert dispatcher.trial.run(path, actor).ok
        assert "DKIM-Signature: v=1; a=rsa-sha256" in dispatcher.preview.invented(path)
        dispatcher.schedule.run(path, actor)
        studio.clock.advance(timedelta(hours=1))
        asyncio.run(dispatcher.rounds.once())
    assert ["aino@tunturituuli.example", "maija@posti.example"] == [mail.recipient for mail in doubles.smtp.received]
    zone = zone_of(key, domain=DOMAIN)
    assert [[True], [True]] == [verdicts(mail.content, zone) for mail in doubles.smtp.received]


def test_a_key_from_the_environment_or_the_secrets_signs(
    studio: Workshop, doubles: Doubles, monkeypatch: pytest.MonkeyPatch
) -> None:
    """E-41: among the credentials a key signs as from a file, the environment's before the secrets file's."""
    first, second = made(studio, "s1"), made(studio, "s2")
    in_secrets, in_environment = pem_of(studio, "s1"), pem_of(studio, "s2")
    ring = read_ring(studio.directory / SECRETS)
    kept = KeyRing({kind: ring.all(kind) for kind in KeyKind}, {**ring.credentials, "dkim_key": in_secrets})
    write_ring(studio.directory / SECRETS, kept)
    configured(studio, 'selector = "s1"')
    assert [True] == verdicts(sent(studio, doubles).content, zone_of(first, domain=DOMAIN))
    monkeypatch.setenv("DISPATCHER_CREDENTIALS__DKIM_KEY", in_environment.replace("\n", "\\n"))
    monkeypatch.setenv("DISPATCHER_EMAIL__DKIM__SELECTOR", "s2")
    assert [True] == verdicts(sent(studio, doubles, "anna@posti.example").content, zone_of(second, domain=DOMAIN))


def test_the_setting_names_the_key_that_signs(studio: Workshop, doubles: Doubles) -> None:
    """A new key signs nothing until its selector is named; then the old one does no longer, and both verify."""
    old = made(studio, "s1")
    configured(studio, 'selector = "s1"')
    new = made(studio, "s2")
    zone = zone_of(old, new, domain=DOMAIN)
    before = sent(studio, doubles).content
    configured(studio, 'selector = "s2"')
    after = sent(studio, doubles, "anna@posti.example").content
    assert (True, True) == (b" s=s1;" in before, b" s=s2;" in after)
    assert [True] == verdicts(before, zone) == verdicts(after, zone)


def test_the_domain_can_be_named(studio: Workshop, doubles: Doubles) -> None:
    """E-40: a domain above the sender's signs; one that is not the sender's at all is an error."""
    key = made(studio, "s1")
    configured(studio, 'selector = "s1"', 'key_file = "dkim-s1.pem"', f'domain = "m.{DOMAIN}"')
    assert [True] == verdicts(sent(studio, doubles).content, zone_of(key, domain=f"m.{DOMAIN}"))
    configured(studio, 'selector = "s1"', 'domain = "other.example"')
    found = [each for each in examined(studio.directory, studio.clock) if each.concern is Concern.SIGNING]
    assert [Level.ERROR, Level.OK] == [each.level for each in found]


def _nobody_can_sign(dispatcher: Dispatcher, workshop: Workshop) -> str:
    """See that by no way anything is sent, and return the reason that is given."""
    actor = dispatcher.persons.acting(None)
    path = workshop.campaign("tarjous", workshop.clock() + timedelta(hours=1), channels=["email"])
    with pytest.raises(RefusedError, match="signing"):
        dispatcher.schedule.run(path, actor)
    dispatcher.persons.reach(OWNER, actor, "FI", email="aino@tunturituuli.example")
    with pytest.raises(ChannelError):
        dispatcher.trial.run(path, actor)
    join(dispatcher)
    with pytest.raises(ChannelError) as refused:
        serve(dispatcher)
    return str(refused.value)


@pytest.mark.parametrize(
    ("mode", "content", "says"),
    [
        (0o640, None, "chmod 600 dkim-s1.pem"),
        (0o600, "", "cannot sign: it is no private key"),
        (None, None, "cannot be read (No such file or directory)"),
    ],
    ids=["others may read", "empty", "gone"],
)
def test_nothing_leaves_unsigned(
    studio: Workshop, doubles: Doubles, mode: int | None, content: str | None, says: str
) -> None:
    """E-04: where a key that is configured cannot be used, no mail of any kind is sent, and the reason is given."""
    made(studio, "s1")
    configured(studio, 'selector = "s1"')
    path = studio.directory / "dkim-s1.pem"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    if mode is None:
        path.unlink()
    else:
        path.chmod(mode)
    with studio.opened() as dispatcher:
        assert says in _nobody_can_sign(dispatcher, studio)
    assert says.partition(":")[0] in trouble(studio)
    assert [] == doubles.smtp.received
    if mode is not None:
        return
    made(studio, "s1")
    studio.clock.advance(timedelta(minutes=2))
    with studio.opened() as dispatcher:
        assert "1 accepted" == serve(dispatcher)


def test_two_keys_for_one_selector_are_none(studio: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key in the environment beside one in the file: which of them the record is of cannot be known."""
    made(studio, "s1")
    configured(studio, 'selector = "s1"')
    monkeypatch.setenv("DISPATCHER_CREDENTIALS__DKIM_KEY", "another")
    assert "There are two DKIM keys" in trouble(studio)


def test_each_key_signs_in_its_own_place(studio: Workshop) -> None:
    """E-41: an Ed25519 key never stands alone: where RSA is wanted it is refused."""
    made(studio, "s1", Algorithm.ED25519)
    configured(studio, 'selector = "s1"')
    assert "signs by ed25519-sha256, and rsa-sha256 is wanted" in trouble(studio)


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (['ed25519_selector = "e1"'], "selector is missing"),
        (['key_file = "k.pem"'], "selector is missing"),
        (['selector = "s1"', 'ed25519_selector = "s1"'], "are the same"),
        (['selector = "s1"', 'ed25519_key_file = "k.pem"'], "ed25519_selector is missing"),
        (['selector = "S 1"'], "a selector is small letters"),
        (['selector = "s1"', 'domain = "studio"'], "write a domain as"),
    ],
)
def test_settings_that_cannot_be_meant(studio: Workshop, lines: list[str], says: str) -> None:
    """E-41: half a pair, one name for two keys, or what is no name at all is refused when the settings are read."""
    configured(studio, *lines)
    with pytest.raises(SettingsError, match=says):
        read_settings(studio.directory)
