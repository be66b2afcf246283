"""The story: a register comes in, a campaign goes out, five clients leave, the next campaign is silent to them.

Everything is real but the people and the time: the files are imported, the campaigns planned and handed over, the links
opened over HTTP and the year audited by the same code as ever, on a mail server, an SMS service and a web server that
live in this process and reach no further than this machine.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from dispatcher.demo.account import Account
from dispatcher.demo.auditing import audit_the_year, write_audit
from dispatcher.demo.clock import ZONE, StoryClock
from dispatcher.demo.inbox import write_inbox
from dispatcher.demo.leaving import check_silence, let_five_leave
from dispatcher.demo.people import Role
from dispatcher.demo.places import Places, choose, make_room
from dispatcher.demo.registering import take_in_february, take_in_march
from dispatcher.demo.sample import CAMPAIGNS, OWNER, OWNER_EMAIL, Sample, sample, settings_text
from dispatcher.demo.scene import Scene, Taken, Teller
from dispatcher.demo.sending import send_out
from dispatcher.demo.stage import Doubles, MailTroubles, SmsTroubles, Stage
from dispatcher.demo.summary import write_summary
from dispatcher.errors import RefusedError
from dispatcher.keys import KeyKind, KeyRing, read_ring, write_ring
from dispatcher.web.public import create_app
from dispatcher.wiring import Dispatcher, copy_starters, found, opened
from dispatcher.wiring.choices import tariff_of

_BEGINNING = datetime(2026, 2, 1, 12, tzinfo=ZONE)


@contextmanager
def performed(
    output: Path, teller: Teller, *, port: int | None = None, doubles: Doubles | None = None
) -> Iterator[Account]:
    """Play the whole story into `output` and give its account; opt-out page and inbox stay up while the block runs.

    `port` is where they answer, by default 8026 or, where that is taken, any free one. Raises RefusedError for a
    folder that holds something else, for a port that is taken, and where the environment overrides the settings.
    """
    places, people, clock = choose(output), sample(), StoryClock(_BEGINNING)
    stage = _stage(places, people, clock, port, doubles)
    with stage.up():
        make_room(places)
        _found_workspace(places, stage, clock)
        with opened(places.workspace, clock) as dispatcher:
            _refuse_to_leave(dispatcher, stage)
            account = Account(dispatcher.studio.name)
            owner = dispatcher.persons.acting(None)
            scene = Scene(dispatcher, stage, people, clock, places, account, teller, owner)
            public = create_app(
                dispatcher.preferences,
                dispatcher.studio,
                clock,
                renewing=dispatcher.renewing,
                sign_up=dispatcher.public_sign_up,
            )
            with stage.open_to_public(public):
                _play(scene)
                yield account


def _stage(places: Places, people: Sample, clock: StoryClock, port: int | None, doubles: Doubles | None) -> Stage:
    mail = MailTroubles(gone=people.played(Role.GONE).email, busy=people.played(Role.BUSY).email)
    sms = SmsTroubles(lost=people.played(Role.LOST).mobile, blocked=people.played(Role.BLOCKED).mobile)
    return Stage(places, mail, sms, clock, port, doubles)


def _found_workspace(places: Places, stage: Stage, clock: StoryClock) -> None:
    """Begin the studio's installation as `dispatcher init` would, with the doubles in its settings."""
    text = settings_text(
        public_url=stage.public_url,
        web_port=stage.web_port,
        smtp_port=stage.mail.port,
        twilio_url=stage.texts.base_url,
    )
    (places.workspace / "dispatcher.toml").write_text(text, encoding="utf-8")
    copy_starters(places.workspace)
    found(places.workspace, OWNER, clock, email=OWNER_EMAIL)
    secrets = places.workspace / "secrets.toml"
    ring = read_ring(secrets)
    keys = {kind: ring.all(kind) for kind in KeyKind}
    write_ring(secrets, KeyRing(keys, {"twilio_api_secret": stage.api_secret}))


def _refuse_to_leave(dispatcher: Dispatcher, stage: Stage) -> None:
    """Raise RefusedError unless mail and text messages go to the doubles of this run and nowhere else."""
    email, sms = dispatcher.settings.email, dispatcher.settings.sms
    goes_to = (email.host, email.port, sms.base_url, dispatcher.studio.public_url)
    if goes_to != (stage.mail.host, stage.mail.port, stage.texts.base_url, stage.public_url):
        raise RefusedError(
            "Variables in the environment (DISPATCHER_...) override the demo's settings, and its mail would go "
            "elsewhere. Nothing was sent: run the demo without them."
        )


def _play(scene: Scene) -> None:
    studio = scene.dispatcher.studio
    scene.say(
        f"{studio.name} is an invented studio, {studio.postal_address}; its clients are invented too.",
        "Its mail server and its SMS service live inside this program. Nothing leaves this machine.",
    )
    take_in_february(scene)
    _schedule_the_year(scene)
    first = send_out(scene, CAMPAIGNS[0], "2. The first campaign goes out", scene.sample.first_campaign())
    let_five_leave(scene, first)
    take_in_march(scene)
    second = send_out(scene, CAMPAIGNS[1], "5. The second campaign goes out", scene.sample.second_campaign())
    check_silence(scene, first, second)
    _check_troubles(scene, first)
    audit_the_year(scene)
    write_audit(scene)
    received = {CAMPAIGNS[0]: first, CAMPAIGNS[1]: second}
    write_inbox(scene.places, scene.account, scene.sample.people, received, tariff_of(scene.dispatcher.settings))
    write_summary(scene.account, scene.places, scene.stage.public_url)
    places = scene.places
    scene.account.files |= {"output": str(places.output), "inbox": str(places.inbox), "url": scene.stage.public_url}
    scene.account.files |= {"audit": str(places.audit("txt")), "workspace": str(places.workspace)}


def _schedule_the_year(scene: Scene) -> None:
    """Give every campaign of the sample year its slot; two of them are sent."""
    files = sorted((scene.places.workspace / "campaigns").glob("*.toml"))
    with scene.teller.progress("campaigns") as tell:
        for done, file in enumerate(files, start=1):
            taken = scene.dispatcher.schedule.run(file, scene.owner)
            tell(done, len(files))
    tests = sum(mail.recipient == OWNER_EMAIL for mail in scene.stage.mail.received)
    scene.account.check("the owner got a test of each campaign before it took its slot", len(files), tests)
    scene.say(
        f"  The year's {len(files)} campaigns are checked for every client and take their slots: {taken.in_year} of 12."
    )


def _check_troubles(scene: Scene, first: Taken) -> None:
    """Check what became of the clients whom the doubles gave trouble with."""
    check, played = scene.account.check, scene.sample.played
    mail, sms = scene.stage.mail_troubles.tries, scene.stage.sms_troubles.tries
    gone, busy, lost, blocked = (played(role) for role in (Role.GONE, Role.BUSY, Role.LOST, Role.BLOCKED))
    check("an address that is gone is tried once, and never again", 1, mail[gone.email or ""])
    check("a busy mail server is tried again in each campaign that needs it", 3, mail[busy.email or ""])
    check("a text without a receipt is not sent twice", 1, first.messages_for(None, lost.mobile))
    check("a blocked number is tried once, and never again", 1, sms[blocked.mobile or ""])
