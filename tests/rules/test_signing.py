"""What the doctor says of how mails are signed, and what selectors and domains may be called."""

from dataclasses import replace

import pytest

from dispatcher.rules import signing
from dispatcher.rules.doctor import Concern, Level
from dispatcher.rules.signing import Record, Signing

RECORD = Record("s1", "studio.example", "v=DKIM1; k=rsa; p=MIIB")
SIGNED = Signing("studio.example", "studio.example", sends_mail=True, records=(RECORD,), rsa_bits=2048)


def found(about: Signing) -> list[tuple[Level, str]]:
    """Return level and sentence of each finding, and see that whatever is not in order says what to do."""
    findings = signing.signing(about)
    assert {Concern.SIGNING} == {each.concern for each in findings}
    assert all((each.fix is None) == (each.level is Level.OK) for each in findings)
    return [(each.level, each.says) for each in findings]


def test_what_to_publish_is_told() -> None:
    """E-40: where mails are signed, each record is told by its name in DNS and its text."""
    second = Record("e1", "studio.example", "v=DKIM1; k=ed25519; p=abc")
    told = found(replace(SIGNED, records=(RECORD, second)))
    assert [Level.OK, Level.OK] == [level for level, _ in told]
    assert "s1._domainkey.studio.example TXT v=DKIM1; k=rsa; p=MIIB" in told[0][1]
    assert "e1._domainkey.studio.example TXT v=DKIM1; k=ed25519; p=abc" in told[1][1]


def test_mails_that_nobody_signs_here_are_warned_about() -> None:
    """E-04: without a key the mail server has to sign, the list headers too; files need no signature."""
    unsigned = replace(SIGNED, records=(), rsa_bits=0)
    [(level, says)] = found(unsigned)
    assert (Level.WARNING, True) == (level, "List-Unsubscribe-Post" in says)
    assert [Level.OK] == [level for level, _ in found(replace(unsigned, sends_mail=False))]


@pytest.mark.parametrize("sends", [True, False])
def test_a_key_that_cannot_sign_is_an_error(sends: bool) -> None:  # noqa: FBT001 - a case of the table
    """E-04: what stands in the way is told, its remedy apart, wherever mails go."""
    [finding] = signing.signing(
        replace(SIGNED, sends_mail=sends, trouble="Others may read k.pem (mode 0644): run `chmod 600 k.pem`.")
    )
    assert (Level.ERROR, "Run `chmod 600 k.pem`.") == (finding.level, finding.fix)


@pytest.mark.parametrize(
    ("domain", "sender", "is_aligned"),
    [
        ("studio.example", "studio.example", True),
        ("studio.example", "m.studio.example", True),
        ("m.studio.example", "studio.example", True),
        ("other.example", "studio.example", False),
        ("xstudio.example", "studio.example", False),
    ],
)
def test_the_signing_domain_is_the_senders(domain: str, sender: str, is_aligned: bool) -> None:  # noqa: FBT001
    """E-40: the domain that signs is the sender's, above it or under it; another is an error once mails leave."""
    about = replace(SIGNED, domain=domain, sender=sender)
    assert is_aligned == (Level.ERROR not in [level for level, _ in found(about)])
    levels = [level for level, _ in found(replace(about, sends_mail=False))]
    assert (is_aligned, True) == (Level.WARNING not in levels, Level.ERROR not in levels)


def test_a_short_key_is_warned_about() -> None:
    """E-41: under 2048 bits a key still signs, and a new one is advised."""
    assert [Level.WARNING, Level.OK] == [level for level, _ in found(replace(SIGNED, rsa_bits=1024))]


@pytest.mark.parametrize("text", ["s1", "2027-03", "a.b", "a" * 63])
def test_selectors(text: str) -> None:
    """A selector is a part of a name in DNS, and of a file."""
    assert text == signing.selector(text)
    assert f"dkim-{text}.pem" == signing.file_of(text)


@pytest.mark.parametrize("text", ["", "S1", "a/b", "../x", "-a", "a-", "a..b", ".a", "a_b", "ä", "a\n", "a" * 64])
def test_no_selectors(text: str) -> None:
    """What is no part of a name, or leads to another folder, is no selector."""
    with pytest.raises(ValueError, match="a selector is"):
        signing.selector(text)


@pytest.mark.parametrize("text", ["example", "", "studio..example", "a b.example", "studio.example.", "ä.example"])
def test_no_domains(text: str) -> None:
    """A domain has two parts at least, in letters that stand in DNS."""
    with pytest.raises(ValueError, match="write a domain"):
        signing.domain(text)
    assert "studio.example" == signing.domain("Studio.Example")
