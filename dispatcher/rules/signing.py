"""How mail is signed: what selectors and records are called, and whether it is in order (E-04, E-40 to E-42)."""

import re
from dataclasses import dataclass

from dispatcher.rules.doctor import Concern, Finding, Level, broken, is_akin

ADVISED_BITS = 2048
"""The size of RSA keys to make; what has less still signs (RFC 8301, section 3.2)."""
_LABEL = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_SELECTOR = re.compile(rf"(?=.{{1,63}}$){_LABEL}(?:\.{_LABEL})*")
_DOMAIN = re.compile(rf"(?=.{{1,200}}$){_LABEL}(?:\.{_LABEL})+")


def selector(text: str) -> str:
    """Return a selector as it is. Raises ValueError for what cannot be a part of a name in DNS."""
    if not _SELECTOR.fullmatch(text):
        raise ValueError('a selector is small letters, digits and hyphens, as "s1" or "2027-03"')
    return text


def domain(text: str) -> str:
    """Return a domain in small letters. Raises ValueError for what is none."""
    if not _DOMAIN.fullmatch(text.lower()):
        raise ValueError('write a domain as "studio.example"')
    return text.lower()


def file_of(of_selector: str) -> str:
    """Return the name of the file in which a selector's key is looked for where the settings name none."""
    return f"dkim-{of_selector}.pem"


@dataclass(frozen=True, slots=True)
class Record:
    """A record to publish in DNS, of type TXT: under which name, and which text."""

    selector: str
    domain: str
    text: str

    @property
    def name(self) -> str:
        """Return the name under which receivers look (RFC 6376, section 3.6.2.1)."""
        return f"{self.selector}._domainkey.{self.domain}"


@dataclass(frozen=True, slots=True)
class Signing:
    """How the mails of an installation are signed.

    `sender` is the domain that mails come from, `records` what the keys need in DNS, the RSA key of `rsa_bits` first;
    none where no key is configured. `trouble` is a sentence that says why one that is configured cannot sign.
    """

    sender: str
    domain: str
    sends_mail: bool
    records: tuple[Record, ...] = ()
    rsa_bits: int = 0
    trouble: str | None = None


def signing(about: Signing) -> list[Finding]:
    """Judge how mails are signed, and tell what to publish; DNS is not asked.

    A key that cannot sign is an error wherever mails go: nothing leaves unsigned by mistake.
    """
    if about.trouble is not None:
        return [broken(Concern.SIGNING, about.trouble)]
    if not about.records:
        return [_unsigned(about)]
    found = []
    if not is_akin(about.domain, about.sender):
        grave = Level.ERROR if about.sends_mail else Level.WARNING
        says = f"Mails are signed for {about.domain} and come from {about.sender}: receivers want one domain."
        fix = f'Write domain = "{about.sender}" into [email.dkim], or take it out.'
        found.append(Finding(Concern.SIGNING, grave, says, fix))
    if about.rsa_bits < ADVISED_BITS:
        says = f"The DKIM key has {about.rsa_bits} bits; receivers advise {ADVISED_BITS}."
        fix = "Run `dispatcher keys dkim create --selector NEW` and follow what it says."
        found.append(Finding(Concern.SIGNING, Level.WARNING, says, fix))
    return found + [
        Finding(Concern.SIGNING, Level.OK, f"Mails are signed. In DNS there must be {each.name} TXT {each.text}")
        for each in about.records
    ]


def _unsigned(about: Signing) -> Finding:
    if not about.sends_mail:
        return Finding(Concern.SIGNING, Level.OK, "Mails are written to files, and not signed.")
    return Finding(
        Concern.SIGNING,
        Level.WARNING,
        "Mails are not signed here: your mail server has to, List-Unsubscribe and List-Unsubscribe-Post included.",
        "Run `dispatcher keys dkim create --selector s1` and follow what it says; or send a test and see that its "
        "DKIM-Signature names both in h=.",
    )
