"""From the sign-up page to a campaign: whoever presses the button in the mail is written to, and nobody else."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

from dispatcher.demo.loopback import ServerThread, listen
from dispatcher.engine.embedded import run_sender
from dispatcher.rules.campaign import Language
from dispatcher.web.public import create_app
from tests.clock import FixedClock
from tests.flow.joining import enable_sign_up, plain, token
from tests.story.test_story import ask
from tests.workshop import Doubles, build

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
MOMENT = datetime(2026, 3, 17, 8, 0, tzinfo=UTC)


def test_who_presses_is_written_to(
    tmp_path: Path, clock: FixedClock, database_url: str, journal_url: str, doubles: Doubles
) -> None:
    """Two sign up by the page and get a mail; one presses its button, one only looks: the campaign reaches the one."""
    clock.set(datetime(2026, 3, 1, 9, 0, tzinfo=UTC))
    with listen() as socket:
        port = socket.getsockname()[1]
    base = f"http://127.0.0.1:{port}"
    workshop = build(tmp_path / "studio", clock, database_url, journal_url, doubles, public_url=base)
    enable_sign_up(workshop)
    with workshop.opened() as dispatcher:
        app = create_app(dispatcher.preferences, dispatcher.studio, clock=clock, sign_up=dispatcher.public_sign_up)
        with ServerThread(app, port):
            (question,) = dispatcher.sign_up.questions(Language.FI)
            for address in ("maija@posti.example", "erik@posti.example"):
                fields = {"email": address, "yes_email": "1", "wording_email": question.digest}
                assert 200 == ask("POST", f"{base}/join", urlencode(fields).encode(), FORM)[0]
            assert asyncio.run(run_sender(dispatcher, asyncio.Event(), once=True))
            assert ["erik@posti.example", "maija@posti.example"] == doubles.mailed()
            mails = {mail.recipient: token(plain(mail.content)) for mail in doubles.smtp.received}
            for recipient in mails:
                assert 200 == ask("GET", f"{base}/join/{mails[recipient]}")[0]
            assert 200 == ask("POST", f"{base}/join/{mails['maija@posti.example']}", b"yes=1", FORM)[0]

        actor = dispatcher.persons.acting(None)
        dispatcher.schedule.run(workshop.campaign("a", MOMENT, channels=("email",)), actor)
        clock.set(MOMENT)
        assert asyncio.run(run_sender(dispatcher, asyncio.Event(), once=True))
        assert ["maija@posti.example"] == [mail.recipient for mail in doubles.smtp.received[2:]]
        audit = dispatcher.audit.year(2026)
        assert audit.findings == ()
        assert [1] == [campaign.accepted for campaign in audit.campaigns]
