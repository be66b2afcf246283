"""What has to be in order before anything is sent, judged from values alone; nothing here asks the network."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from enum import StrEnum

from dispatcher.rules.campaign import Language
from dispatcher.rules.places import EEA, LOOPBACK
from dispatcher.rules.processing import Processing
from dispatcher.rules.sms_sender import is_number

OLD_KEY = timedelta(days=730)
"""A key that has been the current one for longer than this is worth a new one."""
LEAST_FREE = 64 * 2**20
"""Bytes that must be free: with less, what is to be kept may not find room."""
_CLOCKS_DIFFER = timedelta(minutes=2)
"""How far the clocks of two machines on one database may lie apart."""
_FREE_MAIL = frozenset(
    [
        "gmail.com",
        "googlemail.com",
        "outlook.com",
        "hotmail.com",
        "live.com",
        "msn.com",
        "yahoo.com",
        "icloud.com",
        "me.com",
        "aol.com",
        "gmx.net",
        "gmx.de",
        "proton.me",
        "protonmail.com",
        "luukku.com",
        "suomi24.fi",
        "elisanet.fi",
        "kolumbus.fi",
        "saunalahti.fi",
    ]
)
"""Mailboxes of everybody: mail from there that another server sends fails its checks (E-40)."""
_FACT = re.compile(r"\d+|\b[A-Z]{2}\b")
"""Numbers, and countries by their two letters."""
_SET_CLOCK = (
    "Set this machine's clock (`timedatectl set-ntp true`); had it run ahead, record anything, then look again."
)
_REMEDY = re.compile(r"(?P<says>.+?)[:.] (?P<fix>(?:[Rr]un|[Pp]ut back|[Ii]nstall|[Cc]heck) .+)", re.DOTALL)


class Level(StrEnum):
    """How a concern stands; an error stands in the way of sending."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


class Concern(StrEnum):
    """What is looked at."""

    SETTINGS = "settings"
    NOTICE = "notice"
    SENDER = "sender"
    SIGNING = "signing"
    MAILBOX = "mailbox"
    PROCESSORS = "processors"
    HOSTS = "hosts"
    KEYS = "keys"
    MIGRATIONS = "migrations"
    DURABILITY = "durability"
    CLOCK = "clock"
    JOURNAL = "journal"
    DISK = "disk"
    IMPORT = "import"
    DOORS = "doors"


_LOOK = "Mend it, then run `dispatcher doctor` again."
_USUAL_FIX = {
    Concern.SETTINGS: "Correct dispatcher.toml; docs/settings.md explains every key.",
    Concern.KEYS: "Run `dispatcher keys check`.",
    Concern.MIGRATIONS: "See that the database runs where [database] url says, then run `dispatcher db upgrade`.",
    Concern.DURABILITY: "Set it back where the database itself is configured.",
    Concern.JOURNAL: "Put the newest copy of the journal back to where [database] journal says.",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of a concern, in one sentence, and what to type where it is not in order."""

    concern: Concern
    level: Level
    says: str
    fix: str | None = None


@dataclass(frozen=True, slots=True)
class Sender:
    """Who messages come from, by what the settings say; `domains` are the studio's own, by its addresses and pages.

    `sends_mail` and `sends_sms`: a provider is configured, so that messages leave. `sms` is a name or number; `listens`
    says that what is texted to a number is taken in, `is_told` that calls of the SMS service would be believed, None
    where it makes none.
    """

    email: str
    bounces: str
    domains: frozenset[str]
    sends_mail: bool
    sms: str
    sms_authorised_on: date | None
    sends_sms: bool
    listens: bool = True
    is_told: bool | None = None


@dataclass(frozen=True, slots=True)
class Host:
    """A machine that the settings have the program speak to; `country` is that of its company, as declared."""

    name: str
    what: str
    country: str | None

    @property
    def is_here(self) -> bool:
        """Say whether it is this machine: loopback, or a socket in a directory."""
        return self.name in LOOPBACK or self.name.startswith("/")


def broken(concern: Concern, sentence: str) -> Finding:
    """Return the error that a sentence of the program tells, its remedy apart from what is wrong."""
    found = _REMEDY.fullmatch(sentence.strip())
    if found is None:
        return Finding(concern, Level.ERROR, sentence.strip(), _USUAL_FIX.get(concern, _LOOK))
    fix = found["fix"].rstrip(".")
    return Finding(concern, Level.ERROR, f"{found['says']}.", f"{fix[0].upper()}{fix[1:]}.")


def unseen(concern: Concern, first: Concern) -> Finding:
    """Return that a concern was not looked at before another one is in order."""
    return Finding(concern, Level.WARNING, f"Not looked at: {first.value} comes first.", f"Mend {first.value} first.")


def notice(
    in_force: Mapping[Language, str] | None, today: Mapping[Language, str], names: Sequence[str]
) -> list[Finding]:
    """Hold the notice in force against what the settings make it say today: every number, country and company in it.

    Other words with the same facts are a warning; a fact that clients were not told is an error.
    """
    if in_force is None:
        return [
            Finding(
                Concern.NOTICE,
                Level.WARNING,
                "No privacy notice was published, so nothing says what clients were told.",
                "Read it with `dispatcher notice`, then run `dispatcher notice publish`.",
            )
        ]
    remedy = "Put the settings back, or run `dispatcher notice diff`, then `dispatcher notice publish`."
    unsaid = list(
        dict.fromkeys(fact for each, text in today.items() for fact in _unsaid(text, in_force.get(each, ""), names))
    )
    if unsaid:
        told = ", ".join(unsaid)
        return [
            Finding(
                Concern.NOTICE, Level.ERROR, f"The notice in force does not say what the settings do: {told}.", remedy
            )
        ]
    if dict(in_force) != dict(today):
        return [Finding(Concern.NOTICE, Level.WARNING, "The notice in force is worded otherwise than today's.", remedy)]
    return [Finding(Concern.NOTICE, Level.OK, "The notice in force says what the settings do.")]


def _unsaid(today: str, in_force: str, names: Sequence[str]) -> list[str]:
    facts = Counter(_FACT.findall(today)) - Counter(_FACT.findall(in_force))
    return [*facts, *(name for name in names if name in today and name not in in_force)]


def sender(about: Sender) -> list[Finding]:
    """Judge whom messages come from: a domain of the studio (E-40), a name that Finland has been told (S-11)."""
    grave = Level.ERROR if about.sends_mail else Level.WARNING
    found = []
    domain = about.email.rpartition("@")[2]
    own = 'write an address of your own domain into [email] sender, as "tarjoukset@…"'
    if domain in _FREE_MAIL:
        says = f"Mail from {domain} that another server sends is taken for forged."
        found.append(Finding(Concern.SENDER, grave, says, f"{own.capitalize()}."))
    elif not any(is_akin(domain, each) for each in about.domains):
        named = ", ".join(sorted(about.domains))
        says = f"The sender's domain {domain} is none of the studio's ({named})."
        found.append(Finding(Concern.SENDER, grave, says, f"{own.capitalize()}, or correct [studio]."))
    bounces = about.bounces.rpartition("@")[2]
    if not is_akin(bounces, domain):
        says = f"Bounces go to {bounces}, mails come from {domain}: the checks of receivers want one domain."
        found.append(
            Finding(Concern.SENDER, Level.WARNING, says, f"Write an address at {domain} into [email] bounces.")
        )
    if about.sends_sms:
        found += _sms_sender(about)
    return found or [
        Finding(Concern.SENDER, Level.OK, f"Messages come from {about.email}, of the studio's own domain.")
    ]


def _sms_sender(about: Sender) -> Iterable[Finding]:
    if about.sms_authorised_on is None:
        yield Finding(
            Concern.SENDER,
            Level.ERROR,
            f"The SMS sender {about.sms!r} has not been authorised in Finland.",
            "Have it authorised through your SMS provider, then write the day into [sms] sender_authorised_on; or set "
            '[sms] provider = "preview".',
        )
    if is_number(about.sms) and not about.listens:
        yield Finding(
            Concern.SENDER,
            Level.ERROR,
            f"Clients can answer {about.sms}, and nobody would hear a STOP.",
            "Take inbound = false out of [sms], or send from a name.",
        )
    if about.is_told is False:
        unheard = ", and a STOP is heard of a minute late" if is_number(about.sms) else ""
        yield Finding(
            Concern.SENDER,
            Level.WARNING,
            f"Nothing tells what became of text messages{unheard}: Twilio's calls could not be told from anybody's.",
            "Write Twilio's auth token into secrets.toml as twilio_auth_token, under [credentials].",
        )


def is_akin(domain: str, own: str) -> bool:
    """Say whether two domains are one, or one lies under the other."""
    one, other = domain.lower().rstrip("."), own.lower().rstrip(".")
    return one == other or one.endswith(f".{other}") or other.endswith(f".{one}")


def processors(about: Processing, today: date, *, eu_only: bool) -> list[Finding]:
    """Judge the companies that handle data: where they are, and whether they signed for it (L-39, L-42)."""
    grave = Level.ERROR if eu_only else Level.WARNING
    found = []
    for each in about.processors:
        if each.country is None or not each.is_inside:
            where = f"is in {each.country}, outside the EU and EEA" if each.country else "names no country"
            fix = "Take a company in the EU or EEA and write its country beside it; the notice promises that."
            found.append(Finding(Concern.PROCESSORS, grave, f"{each.name} {where}.", fix))
        if each.contract is None or each.contract > today:
            day = f"begins on {each.contract.isoformat()} only" if each.contract else "is missing"
            fix = "Sign it, and write its date into dpa_signed of its table in dispatcher.toml."
            found.append(Finding(Concern.PROCESSORS, Level.ERROR, f"The contract with {each.name} {day}.", fix))
        if each.reaches_outside and each.is_inside and not about.transfer_note:
            fix = "Write why you accept that into accepted_transfer_note, or take another company."
            says = f"The people of {each.name} may reach data from outside the EU, and nobody has accepted it."
            found.append(Finding(Concern.PROCESSORS, Level.ERROR, says, fix))
    names = ", ".join(f"{each.name} ({each.country})" for each in about.processors) or "none, all stays here"
    return found or [Finding(Concern.PROCESSORS, Level.OK, f"Companies that handle data: {names}.")]


def hosts(spoken_to: Sequence[Host], *, eu_only: bool) -> list[Finding]:
    """Judge every machine the program would speak to; this machine itself is exempt (L-42)."""
    away = [host for host in spoken_to if not host.is_here]
    outside = [host for host in away if host.country not in EEA]
    if not outside:
        named = ", ".join(f"{host.name} ({host.country})" for host in away) or "none but this machine"
        return [Finding(Concern.HOSTS, Level.OK, f"Machines spoken to: {named}.")]
    fix = "Name one in the EU or EEA in dispatcher.toml, with its country."
    grave = Level.ERROR if eu_only else Level.WARNING
    return [
        Finding(Concern.HOSTS, grave, f"The {host.what} {host.name} is in {host.country or 'an unknown country'}.", fix)
        for host in outside
    ]


def old_keys(current_since: Mapping[str, datetime], now: datetime) -> list[Finding]:
    """Judge the age of the key that makes new things, kind by kind."""
    return [
        Finding(
            Concern.KEYS,
            Level.WARNING,
            f"The {kind} key is {(now - since).days} days old.",
            f"Run `dispatcher keys rotate {kind}`, then `dispatcher keys backup FILE`.",
        )
        for kind, since in sorted(current_since.items())
        if now - since > OLD_KEY
    ]


def clock(now: datetime, newest: datetime | None, zone: str, *, zone_known: bool) -> list[Finding]:
    """Judge the clock against the newest entry of the ledger, and whether the business zone's rules are there."""
    found = []
    if newest is not None and newest - now > _CLOCKS_DIFFER:
        says = f"The clock says {now:%Y-%m-%d %H:%M} UTC, before the ledger's newest entry of {newest:%Y-%m-%d %H:%M}."
        found.append(Finding(Concern.CLOCK, Level.ERROR, says, _SET_CLOCK))
    if not zone_known:
        says = f"The rules of the time zone {zone} are not on this machine."
        found.append(Finding(Concern.CLOCK, Level.ERROR, says, "Run `pip install --upgrade tzdata`."))
    return found or [Finding(Concern.CLOCK, Level.OK, f"The clock follows the ledger; the zone {zone} is known.")]


def disk(free: int, used: int, age: timedelta) -> list[Finding]:
    """Judge the free space, in bytes, against what the data would grow by in a year at the pace so far."""
    # Of the first month nobody can tell a pace, and a database has a size before it has data.
    growth = used * 365 // max(age.days, 30)
    room = f"{_mebibytes(free)} MiB are free"
    fix = "Make room on the disk of the workspace."
    if free < LEAST_FREE:
        return [Finding(Concern.DISK, Level.ERROR, f"Only {room}: what must be kept may not find room.", fix)]
    if free < growth:
        says = f"{room}, a year may take {_mebibytes(growth)}."
        return [Finding(Concern.DISK, Level.WARNING, says, fix)]
    return [Finding(Concern.DISK, Level.OK, f"{room}; a year takes about {_mebibytes(growth)}.")]


def _mebibytes(size: int) -> int:
    return -(-size // 2**20)


def imported(last: datetime | None, now: datetime, within: timedelta) -> list[Finding]:
    """Judge how long ago a whole register was read."""
    fix = "Run `dispatcher client import FILE` with a new export of the booking system."
    if last is None:
        return [Finding(Concern.IMPORT, Level.WARNING, "No whole register has been read.", fix)]
    days = (now - last).days
    if now - last > within:
        says = f"The register was read {days} days ago: what clients said at bookings since is not known here."
        return [Finding(Concern.IMPORT, Level.WARNING, says, fix)]
    return [Finding(Concern.IMPORT, Level.OK, f"The register was read {days} days ago.")]


def doors(every: Sequence[tuple[str, datetime | None, str | None]], zone: tzinfo) -> list[Finding]:
    """Judge every letter box: its name, up to when it has been read, and what kept it from being read the last time.

    One that cannot be read refuses nothing here: before anything leaves it is read once more, and that decides.
    """
    fix = "Put that right; sending goes on by itself once it has been read."
    found = []
    for name, read_up_to, trouble in every:
        if trouble is not None:
            found.append(Finding(Concern.DOORS, Level.WARNING, f"{name} cannot be read: {trouble}", fix))
        elif read_up_to is None:
            says = f"{name} has not been read yet."
            found.append(Finding(Concern.DOORS, Level.WARNING, says, "Run `dispatcher run`: it is read at the start."))
    read = ", ".join(f"{name} up to {at.astimezone(zone):%-d.%-m.%Y %H:%M}" for name, at, _ in every if at is not None)
    well = f"Letter boxes read: {read}." if every else "No letter box is read: only a link, or a person, takes a no."
    return found or [Finding(Concern.DOORS, Level.OK, well)]


def worst(findings: Iterable[Finding]) -> Level:
    """Return the gravest level there is."""
    levels = {finding.level for finding in findings}
    return next((level for level in (Level.ERROR, Level.WARNING) if level in levels), Level.OK)
