"""Turns what the settings say of DKIM into who signs every email, or into why none can be signed."""

from dataclasses import dataclass, replace
from pathlib import Path

from dispatcher.errors import SettingsError
from dispatcher.keys import KeyRing, read_private
from dispatcher.rendering.dkim import Algorithm, Signer, SigningKey
from dispatcher.rules.signing import Record, Signing, file_of
from dispatcher.settings import EmailProvider, Settings

_NEW = "run `dispatcher keys dkim create --selector NEW` for another, and write its selector into [email.dkim]"


@dataclass(frozen=True, slots=True)
class Signatures:
    """Who signs, None where nobody does, and what is to be told about it."""

    signer: Signer | None
    about: Signing


def signatures_of(directory: Path, settings: Settings, ring: KeyRing) -> Signatures:
    """Read the keys that mail is signed by: from files, the environment, or the secrets file.

    Never raises: a key that is configured and cannot be used is told in `about.trouble`, and nobody signs.
    """
    email, dkim, secrets = settings.email, settings.email.dkim, settings.credentials
    domain = dkim_domain(settings)
    about = Signing(email.sender.rpartition("@")[2], domain, email.provider is EmailProvider.SMTP)
    given = secrets.dkim_key.get_secret_value(), secrets.dkim_ed25519_key.get_secret_value()
    places = (
        _Place(Algorithm.RSA, dkim.selector, dkim.key_file, "dkim_key", given[0]),
        _Place(Algorithm.ED25519, dkim.ed25519_selector, dkim.ed25519_key_file, "dkim_ed25519_key", given[1]),
    )
    try:
        keys = [place.key(directory, ring) for place in places if place.selector]
    except SettingsError as error:
        return Signatures(None, replace(about, trouble=str(error)))
    if not keys:
        return Signatures(None, about)
    records = tuple(Record(key.selector, domain, key.record) for key in keys)
    return Signatures(Signer(domain, keys), replace(about, records=records, rsa_bits=keys[0].bits))


def dkim_domain(settings: Settings) -> str:
    """Return the domain that signs: the one named, else that which mails come from (E-40)."""
    return settings.email.dkim.domain or settings.email.sender.rpartition("@")[2]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where one key may stand: in a file, else among the credentials, which the environment or the secrets file has."""

    algorithm: Algorithm
    selector: str
    file: str
    credential: str
    in_environment: str

    def key(self, directory: Path, ring: KeyRing) -> SigningKey:
        """Return the key. Raises SettingsError that names its place and says what to type."""
        name = self.file or file_of(self.selector)
        # One line of an environment file has no line ends: they are written as \n there.
        given = (self.in_environment or ring.credentials.get(self.credential, "")).replace("\\n", "\n")
        try:
            if given and (self.file or (directory / name).exists()):
                raise SettingsError(
                    f"There are two DKIM keys for the selector {self.selector}, {name} and the credential "
                    f"{self.credential}. Put back one of them, and take the other away."
                )
            pem = given or read_private(directory / name, name)
        except OSError as error:
            raise SettingsError(
                f"The DKIM key {name} cannot be read ({error.strerror}). Put back the file, or {_NEW}."
            ) from None
        except UnicodeDecodeError:
            pem = ""
        source = f"credential {self.credential}" if given else name
        try:
            key = SigningKey.from_pem(self.selector, pem)
        except SettingsError as error:
            raise SettingsError(f"The DKIM key {source} cannot sign: {error}. R{_NEW[1:]}.") from None
        if key.algorithm is not self.algorithm:
            raise SettingsError(
                f"The DKIM key {source} signs by {key.algorithm}, and {self.algorithm} is wanted there. R{_NEW[1:]}."
            )
        return key
