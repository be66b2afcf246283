"""The 500 clients of the invented studio: who they are, what they answered, and what each ought to get because of it.

What ought to happen is written down here by hand, group by group, and never computed by the program on trial: the demo
compares it with what the mail server and the SMS service received.
"""

import random
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from dispatcher.demo.names import FIRST_NAMES, LAST_NAMES, SAMI
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.decision import Reason

Fate = Channel | Reason
"""What a campaign does to a client: a message by this channel, or none for this reason."""
Days = tuple[date, date]

_DOMAINS = ("posti.example", "kirje.example", "tunturi.example", "lappi.example", "brev.example", "mail.example")
_MOBILE = ("40", "41", "44", "45", "46", "50")
_NOT_LETTERS = str.maketrans({"đ": "d", "ŋ": "n", "ŧ": "t", "'": None, " ": "."})
_PEOPLE = (
    (Language.FI.value, Language.FI, 76),
    (Language.SV.value, Language.SV, 11),
    (SAMI, Language.FI, 7),
    (Language.EN.value, Language.EN, 6),
)
"""Whose names, which language they read, and how many in a hundred."""


class Said(StrEnum):
    """What stands in a column of answers, whatever the word for it."""

    YES = "yes"
    NO = "no"
    NOTHING = "nothing"
    TAKEN_BACK = "taken back"


class Has(StrEnum):
    """Where a client can be reached."""

    EITHER = "email, and a number for most"
    BOTH = "email and mobile"
    EMAIL = "email only"
    MOBILE = "mobile only"
    MOBILE_AND_BROKEN_EMAIL = "mobile, and an email address that cannot be read"


_THIS_YEAR = (date(2025, 4, 1), date(2026, 1, 28))
_LONG_AGO = (date(2024, 5, 2), date(2025, 1, 20))
_ABOUT_TO_EXPIRE = (date(2025, 2, 17), date(2025, 3, 10))
_IN_FEBRUARY = (date(2026, 2, 14), date(2026, 2, 27))


@dataclass(frozen=True, slots=True)
class Group:
    """Clients who answered alike: what they said, and what February's and March's campaign must make of it.

    `by_march` are the answer about email and its day where the March export says something new.
    """

    name: str
    size: int
    fate: Fate
    then: Fate
    mail: Said = Said.NOTHING
    sms: Said = Said.NOTHING
    has: Has = Has.EITHER
    days: Days | None = _THIS_YEAR
    has_place: bool = True
    is_banned: bool = False
    by_march: tuple[Said, Days] | None = None
    moves: bool = False
    """Whether the March export has another mobile number."""


_MISSING = Reason.CHANNEL_CONSENT_MISSING
GROUPS = (
    Group("said yes to email", 172, Channel.EMAIL, Channel.EMAIL, Said.YES, has=Has.EITHER),
    Group("said yes to both", 110, Channel.EMAIL, Channel.EMAIL, Said.YES, Said.YES, Has.BOTH),
    Group("yes runs out in between", 5, Channel.EMAIL, Reason.CONSENT_EXPIRED, Said.YES, days=_ABOUT_TO_EXPIRE),
    Group(
        *("told the booking system no", 6, Channel.EMAIL, Reason.OBJECTION, Said.YES),
        by_march=(Said.TAKEN_BACK, _IN_FEBRUARY),
    ),
    Group("yes to SMS, no email address", 31, Channel.SMS, Channel.SMS, sms=Said.YES, has=Has.MOBILE),
    Group("got a new number", 2, Channel.SMS, _MISSING, sms=Said.YES, has=Has.MOBILE, moves=True),
    Group("no to email, yes to SMS", 18, Channel.SMS, Channel.SMS, Said.NO, Said.YES, Has.BOTH),
    Group("email broken, SMS will do", 5, Channel.SMS, Channel.SMS, Said.YES, Said.YES, Has.MOBILE_AND_BROKEN_EMAIL),
    Group("never asked", 28, _MISSING, _MISSING),
    Group("asked in February", 12, _MISSING, Channel.EMAIL, by_march=(Said.YES, _IN_FEBRUARY)),
    Group("said no", 36, Reason.LATEST_ANSWER_NO, Reason.LATEST_ANSWER_NO, Said.NO, Said.NO),
    Group("yes is too old", 19, Reason.CONSENT_EXPIRED, Reason.CONSENT_EXPIRED, Said.YES, days=_LONG_AGO),
    Group(
        *("yes was renewed", 5, Reason.CONSENT_EXPIRED, Channel.EMAIL, Said.YES),
        days=_LONG_AGO,
        by_march=(Said.YES, _IN_FEBRUARY),
    ),
    Group("yes without a time", 12, Reason.CONSENT_TIME_UNKNOWN, Reason.CONSENT_TIME_UNKNOWN, Said.YES, days=None),
    Group(
        *("nobody knows where asked", 8, Reason.CONSENT_INCOMPLETE_EVIDENCE, Reason.CONSENT_INCOMPLETE_EVIDENCE),
        mail=Said.YES,
        has_place=False,
    ),
    Group("objected", 8, Reason.OBJECTION, Reason.OBJECTION, is_banned=True),
    Group("objected beside an old yes", 6, Reason.OBJECTION, Reason.OBJECTION, Said.YES, Said.YES, is_banned=True),
)
SHARING = Group("shares an inbox", 2, Channel.EMAIL, Channel.EMAIL, Said.YES, has=Has.EMAIL)
OBJECTOR = Group("objected for a shared inbox", 1, Reason.OBJECTION, Reason.OBJECTION, has=Has.EMAIL, is_banned=True)
PARTNER = Group(
    *("shares an inbox with an objector", 1, Reason.SHARED_ADDRESS_OBJECTION, Reason.SHARED_ADDRESS_OBJECTION),
    mail=Said.YES,
    has=Has.EMAIL,
)


class Role(StrEnum):
    """The clients who have a part of their own in the story."""

    LINK = "leaves by the link in the mail"
    ONE_CLICK = "leaves by the button of the mail program"
    DESK = "leaves at the desk"
    GONE = "has an address that no longer exists"
    BUSY = "has a mail server that is busy at first"
    LOST = "gets a text message whose receipt is lost"
    BLOCKED = "has told the phone company to let nothing through"
    TEXT = "leaves by answering a text message"
    LETTER = "leaves by answering the mail"


_ROLES: dict[Role, tuple[Group, str, str, Language]] = {
    Role.LINK: (
        Group(Role.LINK, 1, Channel.EMAIL, Reason.OBJECTION, Said.YES, Said.YES, Has.BOTH),
        *("Máret", "Čáhcesuolu", Language.FI),
    ),
    Role.ONE_CLICK: (
        Group(Role.ONE_CLICK, 1, Channel.EMAIL, Reason.OBJECTION, Said.YES, Said.YES, Has.BOTH),
        *("Björn", "Söderholm", Language.SV),
    ),
    Role.DESK: (
        Group(Role.DESK, 1, Channel.SMS, Reason.OBJECTION, sms=Said.YES, has=Has.MOBILE),
        *("Emily", "Hartwell", Language.EN),
    ),
    Role.GONE: (
        Group(Role.GONE, 1, Channel.EMAIL, Reason.ADDRESS_DEAD, Said.YES, has=Has.EMAIL),
        *("Tauno", "Lehtovirta", Language.FI),
    ),
    Role.BUSY: (
        Group(Role.BUSY, 1, Channel.EMAIL, Channel.EMAIL, Said.YES, has=Has.EMAIL),
        *("Aino", "Kivijänkä", Language.FI),
    ),
    Role.LOST: (
        Group(Role.LOST, 1, Channel.SMS, Channel.SMS, sms=Said.YES, has=Has.MOBILE),
        *("Onni", "Petäjälampi", Language.FI),
    ),
    Role.BLOCKED: (
        Group(Role.BLOCKED, 1, Channel.SMS, Reason.OBJECTION, sms=Said.YES, has=Has.MOBILE),
        *("Helmi", "Suopursu", Language.FI),
    ),
    Role.TEXT: (
        Group(Role.TEXT, 1, Channel.SMS, Reason.OBJECTION, sms=Said.YES, has=Has.MOBILE),
        *("Veikko", "Rantakivi", Language.FI),
    ),
    Role.LETTER: (
        Group(Role.LETTER, 1, Channel.EMAIL, Reason.OBJECTION, Said.YES, Said.YES, Has.BOTH),
        *("Lempi", "Harjukorpi", Language.FI),
    ),
}
LEAVERS = (Role.LINK, Role.ONE_CLICK, Role.DESK, Role.TEXT, Role.LETTER)


@dataclass(frozen=True, slots=True)
class Person:
    """One invented client; `email` and `mobile` in canonical form where they can be used, `days` of the answers."""

    first_name: str
    last_name: str
    language: Language
    email: str | None
    mobile: str | None
    group: Group
    answered: date | None
    answered_by_march: date | None
    new_mobile: str | None = None
    role: Role | None = None
    is_sami: bool = False

    @property
    def name(self) -> str:
        """Return the whole name."""
        return f"{self.first_name} {self.last_name}"


class Town:
    """Makes people up: the same ones for the same random numbers, no two with one address unless they share it."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._taken: set[str] = set()
        self._numbers = iter(rng.sample(range(1, 10_000), 2_000))

    def people(self) -> list[Person]:
        """Return all 500, in no order."""
        found = [self._played(role) for role in Role]
        found += [self._somebody(group) for group in GROUPS for _ in range(group.size)]
        found += self._couple(SHARING, SHARING) + self._couple(SHARING, SHARING)
        found += self._couple(OBJECTOR, PARTNER) + self._couple(OBJECTOR, PARTNER)
        self._rng.shuffle(found)
        return found

    def _played(self, role: Role) -> Person:
        group, first, last, language = _ROLES[role]
        return self._person(group, (first, last), language, role=role, is_sami=last.startswith("Č"))

    def _somebody(self, group: Group) -> Person:
        whose, language = self._origin()
        names = (self._rng.choice(FIRST_NAMES[whose]), self._rng.choice(LAST_NAMES[whose]))
        return self._person(group, names, language, is_sami=whose == SAMI)

    def _couple(self, one: Group, other: Group) -> list[Person]:
        """Return two customers of one household who read their mail in one inbox."""
        last = self._rng.choice(LAST_NAMES[Language.FI.value])
        inbox = self._email("perhe", last)
        firsts = self._rng.sample(FIRST_NAMES[Language.FI.value], 2)
        return [
            self._person(group, (first, last), Language.FI, inbox=inbox)
            for group, first in zip((one, other), firsts, strict=True)
        ]

    def _person(
        self,
        group: Group,
        names: tuple[str, str],
        language: Language,
        *,
        inbox: str | None = None,
        role: Role | None = None,
        is_sami: bool = False,
    ) -> Person:
        has_email = group.has not in {Has.MOBILE, Has.MOBILE_AND_BROKEN_EMAIL}
        has_mobile = group.has not in {Has.EMAIL, Has.EITHER} or (group.has is Has.EITHER and self._rng.random() < 0.8)
        return Person(
            *names,
            language,
            (inbox or self._email(*names)) if has_email else None,
            self._mobile(language) if has_mobile else None,
            group,
            self._day(group.days),
            self._day(group.by_march[1]) if group.by_march else None,
            self._mobile(language) if group.moves else None,
            role,
            is_sami,
        )

    def _origin(self) -> tuple[str, Language]:
        whose, language, _ = self._rng.choices(_PEOPLE, [share for _, _, share in _PEOPLE])[0]
        return whose, language

    def _email(self, first: str, last: str) -> str:
        stem, domain = _ascii(f"{first}.{last}"), self._rng.choice(_DOMAINS)
        candidates = (f"{stem}{number or ''}@{domain}" for number in _counting())
        email = next(candidate for candidate in candidates if candidate not in self._taken)
        self._taken.add(email)
        return email

    def _mobile(self, language: Language) -> str:
        """Return a number in E.164; for Swedes sometimes from the range that Sweden keeps for fiction."""
        if language is Language.SV and self._rng.random() < 0.3:
            number = next(n for n in _counting(605) if f"+4670174{n:04}" not in self._taken)
            found = f"+4670174{number:04}"
        else:
            found = f"+358{self._rng.choice(_MOBILE)}000{next(self._numbers):04}"
        self._taken.add(found)
        return found

    def _day(self, days: Days | None) -> date | None:
        if days is None:
            return None
        return days[0] + timedelta(days=self._rng.randrange((days[1] - days[0]).days + 1))


def _counting(start: int = 0) -> Iterator[int]:
    while True:
        yield start
        start += 1


def _ascii(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.casefold().translate(_NOT_LETTERS))
    return "".join(char for char in plain if char.isascii())
