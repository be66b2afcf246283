"""The invented studio: its settings, its clients, its register exports, and what ought to come of all that.

No real business stands behind it: the name, the village and the business id (whose check digit is wrong) are made up,
addresses end in `.example`, and mobile numbers begin with three zeros, or are of the range Sweden keeps for fiction.
"""

import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from string import Template

from dispatcher.demo.export import Exporter
from dispatcher.demo.people import Person, Role, Town
from dispatcher.rules.campaign import Channel
from dispatcher.rules.decision import Reason

OWNER = "Aino Esimerkki"
OWNER_EMAIL = "aino@kuukkelinpesa.example"
ACCOUNT_SID = "AC" + 32 * "0"
API_KEY = "SK" + 32 * "0"
SMS_SENDER = "+358450000000"
"""A number, so that clients can answer a text message; no client has it."""
MAILBOX = "postilaatikko"
"""The folder in the workspace that holds the letters."""
CAMPAIGNS = ("2026-02-ystavanpaiva", "2026-03-kevat")
"""The two campaigns that go out; the other starter campaigns only take their slots."""
FEBRUARY_FILE = "asiakkaat-2026-02-01.csv"
MARCH_FILE = "asiakkaat-2026-03-02.csv"
_SEED = 20260201

_SETTINGS = Template("""\
# The settings of an invented studio. Mail and text messages go to doubles on this machine and no further.

[studio]
name = "Hoitola Kuukkelinpesä"
business_id = "1234567-0"
postal_address = "Kuukkelipolku 3, 99999 Riekkosuvanto"
email = "hei@kuukkelinpesa.example"
phone = "016 555 0100"
booking_url = "https://varaa.kuukkelinpesa.example"
public_url = "$public_url"
notice = { fi = "https://kuukkelinpesa.example/tietosuoja", sv = "https://kuukkelinpesa.example/dataskydd" }

[email]
provider = "smtp"
sender = "tarjoukset@kuukkelinpesa.example"
bounces = "palautukset@kuukkelinpesa.example"
host = "127.0.0.1"
port = $smtp_port
tls = "none"

[sms]
provider = "twilio"
sender = "$sms_sender"
sender_authorised_on = 2026-01-12
account_sid = "$account_sid"
api_key = "$api_key"
base_url = "$twilio_url"

# The inbox that answers come to: a folder of letters beside this file.
[mailbox]
provider = "maildir"
path = "$mailbox"

[sending]
window = 64

[sign_up]
enabled = true

[web]
port = $web_port

# What the booking system's export does not say about its answers.
[[register.answers]]
column = "markkinointilupa"
channels = ["email"]
asked_column = "lupa annettu"
place_column = "lupa kysytty"
wording = "Saamme lähettää sinulle tarjouksia ja tietoa hoitopäivistä sähköpostitse 6-12 kertaa vuodessa."

[[register.answers]]
column = "tekstiviestilupa"
channels = ["sms"]
asked_column = "lupa annettu"
place_column = "lupa kysytty"
wording = "Saamme lähettää sinulle tarjouksia ja tietoa hoitopäivistä tekstiviestillä 6-12 kertaa vuodessa."

# A ban names no channel, so it closes every one.
[[register.answers]]
column = "suoramarkkinointikielto"
channels = ["email", "sms"]
closes_all = true
yes = []
no = []
withdrawn = ["x", "kyllä"]
not_asked = ["", "ei"]
""")


@dataclass(frozen=True, slots=True)
class Expected:
    """What one campaign must come to: who is to get a message where, and how many are left out for which reason."""

    emails: frozenset[str]
    numbers: frozenset[str]
    withheld: Counter[str]

    @property
    def planned(self) -> int:
        """Return how many messages that makes."""
        return len(self.emails) + len(self.numbers)


@dataclass(frozen=True, slots=True)
class Sample:
    """500 people and the two exports they stand in."""

    people: tuple[Person, ...]
    february: bytes
    march: bytes

    def played(self, role: Role) -> Person:
        """Return who plays this part."""
        return next(person for person in self.people if person.role is role)

    def first_campaign(self) -> Expected:
        """Return what February's campaign must come to."""
        return _expected((person, person.group.fate) for person in self.people)

    def second_campaign(self) -> Expected:
        """Return what March's campaign must come to, after all that has happened since."""
        return _expected((person, person.group.then) for person in self.people)


def sample() -> Sample:
    """Return the sample: the same one every time."""
    rng = random.Random(_SEED)  # noqa: S311 - invented people, no secret
    people = tuple(Town(rng).people())
    exporter = Exporter(rng, people)
    return Sample(people, exporter.february(), exporter.march())


def settings_text(*, public_url: str, web_port: int, smtp_port: int, twilio_url: str) -> str:
    """Return the studio's dispatcher.toml, with the doubles of this run in it."""
    return _SETTINGS.substitute(
        public_url=public_url,
        web_port=web_port,
        smtp_port=smtp_port,
        twilio_url=twilio_url,
        account_sid=ACCOUNT_SID,
        api_key=API_KEY,
        sms_sender=SMS_SENDER,
        mailbox=MAILBOX,
    )


def _expected(fates: Iterable[tuple[Person, Channel | Reason]]) -> Expected:
    emails: set[str] = set()
    numbers: set[str] = set()
    withheld: Counter[str] = Counter()
    for person, fate in fates:
        if isinstance(fate, Reason):
            withheld[fate.value] += 1
        elif fate is Channel.SMS and person.mobile:
            numbers.add(person.mobile)
        elif person.email in emails:
            # Two customers with one inbox: the message goes there once.
            withheld[Reason.ALREADY_SENT_OR_UNKNOWN.value] += 1
        elif person.email:
            emails.add(person.email)
    return Expected(frozenset(emails), frozenset(numbers), withheld)
