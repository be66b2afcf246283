"""Mail of the real program through a real Postfix, OpenDKIM and SpamAssassin: signed, whole, and no spam."""

import asyncio
import email
import email.policy
import re
import smtplib
import subprocess
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest

from dispatcher.demo.loopback import HOST
from dispatcher.flow.dkim_keys import Algorithm, make_key
from dispatcher.flow.doubts import Guidance
from dispatcher.links import OptOut
from dispatcher.rules.campaign import Channel
from dispatcher.wiring import Dispatcher, system_clock
from tests.arrive.mail_route import POSTMASTER, MailRoute, mail_route, missing
from tests.clock import FixedClock
from tests.rendering.signatures import verdicts
from tests.workshop import ZONE, Workshop, build

SENDER, READERS = "tunturituuli.example", "posti.example"
LANGUAGES = ("fi", "sv", "en")
CAMPAIGNS = {"offer": "2026-03-kevat", "treatment_day": "2026-04-vappu"}
ROWS = [
    f"{number};Päivi;Esimerkki;{language}@{READERS};;{language};{{asked}};kyllä;;{{asked}}"
    for number, language in enumerate(LANGUAGES, 1)
]
MOST_POINTS = 1.0
# Mail would be believed for coming from this machine, and for looking like a list's; and nothing is learnt from tests.
_STRICT = ("score ALL_TRUSTED 0", "score MAILING_LIST_MULTI 0", "use_bayes 0", "use_auto_welcomelist 0")
_REPORT = re.compile(r"^X-Spam-Status: \w+, score=(-?[\d.]+) .*?tests=(\S*(?:\n\t\S+)*)", re.MULTILINE)


Place = tuple[MailRoute, Workshop, Mapping[str, str]]


class Arrivals:
    """What arrived of six mails: each campaign in each language, as it lies at the far end, and who was written to."""

    def __init__(self, mails: list[bytes], one_click: Mapping[str, str], zone: Mapping[bytes, bytes]) -> None:
        self.mails = [mail.replace(b"\n", b"\r\n") for mail in mails]
        self.one_click = one_click
        self.zone = zone

    @property
    def parsed(self) -> list[EmailMessage]:
        """Return the mails as a strict reader sees them."""
        return [email.message_from_bytes(mail, policy=email.policy.default) for mail in self.mails]


@pytest.fixture(scope="module")
def route_and_workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Give the mail route, an installation that signs with both keys and hands over to it, and the keys' records."""
    hindrance = missing()
    if hindrance:
        pytest.skip(hindrance)
    now = system_clock()
    workshop = build(
        tmp_path_factory.mktemp("arrive") / "studio",
        FixedClock(now - timedelta(minutes=30)),
        "sqlite:///dispatcher.db",
        "dispatcher.journal",
    )
    made = [
        make_key(workshop.directory, "s1", SENDER, Algorithm.RSA),
        make_key(workshop.directory, "e1", SENDER, Algorithm.ED25519),
    ]
    records = {each.record.name: each.record.text for each in made}
    with mail_route(READERS, records) as route:
        path = workshop.directory / "dispatcher.toml"
        source = path.read_text(encoding="utf-8").replace("port = 25", f"port = {route.port}")
        source = source.replace('[email]\nprovider = "preview"', '[email]\nprovider = "smtp"')
        signing = '[email.dkim]\nselector = "s1"\ned25519_selector = "e1"\n'
        at_any_hour = '[sending.email]\nopens = "00:00"\ncloses = "23:59"\n'
        path.write_text(f"{source}\n{signing}\n{at_any_hour}", encoding="utf-8")
        yield route, workshop, records


@pytest.fixture(scope="module")
def arrivals(route_and_workshop: Place) -> Arrivals:
    """Send an offer and a treatment day to a reader of each language, and give what arrived."""
    route, workshop, records = route_and_workshop
    now = workshop.clock() + timedelta(minutes=30)
    asked = (now - timedelta(days=30)).strftime("%d.%m.%Y")
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        rows = [row.format(asked=asked) for row in ROWS]
        dispatcher.enrol.run(workshop.register(*rows), actor, guidance=Guidance(is_whole=True))
        for name in CAMPAIGNS.values():
            path = workshop.directory / "campaigns" / f"{name}.toml"
            _move(path, now)
            dispatcher.schedule.run(path, actor)
        workshop.clock.set(now)
        worked = asyncio.run(dispatcher.rounds.once())
        assert [None, None] == [each.trouble for each in worked]
        one_click = dict(_links(dispatcher))
    zone = {f"{name}.".encode(): text.encode() for name, text in records.items()}
    return Arrivals(route.arrived(len(CAMPAIGNS) * len(LANGUAGES)), one_click, zone)


def _move(path: Path, now: datetime) -> None:
    """Give a sample campaign a moment of its own, with nothing else changed but how long its offer stands."""
    moment = f"{now.astimezone(ZONE):%Y-%m-%dT%H:%M:%S}"
    until = f"{now.astimezone(ZONE) + timedelta(days=30):%Y-%m-%d}"
    source = re.sub(r"^send_at = .*$", f"send_at = {moment}", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    path.write_text(re.sub(r"^valid_until = .*$", f"valid_until = {until}", source, flags=re.MULTILINE), "utf-8")


def _links(dispatcher: Dispatcher) -> Iterator[tuple[str, str]]:
    for language in LANGUAGES:
        number = dispatcher.register.find(f"{language}@{READERS}")
        yield f"{language}@{READERS}", dispatcher.links.url(OptOut(number, Channel.EMAIL))


def test_every_mail_arrives(arrivals: Arrivals) -> None:
    """One of each campaign in each language lies in the mailbox, once."""
    expected = sorted(f"{language}@{READERS}" for language in LANGUAGES for _ in CAMPAIGNS)
    assert expected == sorted(str(mail["To"]) for mail in arrivals.parsed)
    assert 6 == len({str(mail["Subject"]) for mail in arrivals.parsed})


def test_open_dkim_verifies_both_signatures(arrivals: Arrivals) -> None:
    """E-04, E-40, E-41: OpenDKIM, which wants the list headers signed, passes both signatures of the sender."""
    for mail in arrivals.parsed:
        [result] = mail.get_all("Authentication-Results", [])
        told = re.findall(r"dkim=(\w+)[^;]*header\.d=(\S+) .*?header\.a=(\S+)", str(result))
        assert [("pass", SENDER, "rsa-sha256"), ("pass", SENDER, "ed25519-sha256")] == told
        assert str(result).startswith(POSTMASTER)


def test_dkimpy_verifies_what_arrived(arrivals: Arrivals) -> None:
    """E-42: after every hop the bytes are still those that were signed."""
    assert [[True, True]] * 6 == [verdicts(mail, arrivals.zone) for mail in arrivals.mails]


def test_one_click_headers_arrive_as_they_left(arrivals: Arrivals) -> None:
    """E-01, E-02, E-03: both headers are at the far end byte for byte, once each and on one line."""
    for raw, mail in zip(arrivals.mails, arrivals.parsed, strict=True):
        head = raw.partition(b"\r\n\r\n")[0] + b"\r\n"
        link = arrivals.one_click[str(mail["To"])].encode("ascii")
        found = re.findall(rb"^(?i:list-unsubscribe)[^:]*:.*\r\n(?:[ \t].*\r\n)*", head, re.MULTILINE)
        expected = [b"List-Unsubscribe: <" + link + b">\r\n", b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"]
        assert expected == found


def test_spam_assassin_finds_little(arrivals: Arrivals, tmp_path: Path) -> None:
    """Each mail scores under 1.0 by Debian's rules, those that ask the network left out, and tells which it met."""
    box = tmp_path / "box"
    separator = b"From a@b.example Mon Jan  1 00:00:00 2024\n"
    box.write_bytes(b"".join(separator + mail.replace(b"\r\n", b"\n") + b"\n" for mail in arrivals.mails))
    options = ["--local", "--nocreate-prefs", f"--prefspath={tmp_path / 'prefs'}", "--mbox"]
    command: list[str | Path] = ["spamassassin", *options, *(f"--cf={each}" for each in _STRICT), box]
    told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=100)
    points = [(float(score), re.sub(r"\s", "", tests)) for score, tests in _REPORT.findall(told.stdout)]
    assert 6 == len(points), told.stdout[:3000] + told.stderr
    assert [] == [each for each in points if each[0] >= MOST_POINTS]


def test_what_is_changed_on_the_way_is_noticed(arrivals: Arrivals, route_and_workshop: Place) -> None:
    """E-04: the same route fails a mail whose opt-out link somebody has changed, so that a pass means something."""
    route = route_and_workshop[0]
    signed = arrivals.mails[0][arrivals.mails[0].index(b"DKIM-Signature:") :]
    changed = re.sub(rb"(?m)^(List-Unsubscribe: <[^>]*).>", rb"\1x>", signed, count=1)
    assert changed != signed
    with smtplib.SMTP(HOST, route.port) as server:
        server.sendmail(f"a@{SENDER}", [f"fi@{READERS}"], changed)
    mails = route.arrived(7)
    [late] = [mail for mail in mails if mail.replace(b"\n", b"\r\n") not in arrivals.mails]
    result = str(email.message_from_bytes(late, policy=email.policy.default)["Authentication-Results"])
    assert ["fail", "fail"] == re.findall(r"dkim=(\w+)", result)
