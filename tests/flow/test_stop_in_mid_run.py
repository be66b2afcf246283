"""A STOP by text while a campaign of text messages goes out, and one that is told twice and late."""

import asyncio
from pathlib import Path

from starlette.testclient import TestClient

from dispatcher.demo.smtp_double import SmtpDouble
from dispatcher.demo.twilio_double import TwilioDouble
from dispatcher.flow.texts_in import INBOUND_PATH
from dispatcher.rules.consent import Place
from tests.clock import FixedClock
from tests.faults.twilio_double import texted
from tests.flow.carried import MOMENT, look
from tests.web.conftest import site
from tests.workshop import ACCOUNT, API_KEY, API_SECRET, Doubles, build

CLIENTS = 40
AT = 5
"""After so many messages some of those who still wait say no."""


def test_who_stops_while_it_goes_out_gets_nothing_more(
    tmp_path: Path, clock: FixedClock, database_url: str, journal_url: str
) -> None:
    """S-36, S-35: whoever texts a stop word during a running campaign gets no message a second after it.

    The real application takes the calls, the real sender goes on, and the audit finds the year in order.
    """
    numbers = [f"+3584012345{n:02}" for n in range(CLIENTS)]
    stopped: list[str] = []
    seen: list[str] = []
    seconds = [0.0]

    def script(recipient: str) -> None:
        seen.append(recipient)
        if len(seen) != AT:
            return
        for number in [each for each in numbers if each not in seen][::3]:
            call = texted(f"{dispatcher.studio.public_url}{INBOUND_PATH}", number, "Lopeta!", sid=f"SM{number[1:]}")
            for _ in range(2):
                answer = caller.post(INBOUND_PATH, content=call.body, headers=dict(call.headers))
                assert answer.status_code == 200
            stopped.append(number)
        seconds[0] += 1

    with SmtpDouble() as smtp, TwilioDouble(ACCOUNT, API_KEY, API_SECRET, script) as sms:
        workshop = build(tmp_path / "studio", clock, database_url, journal_url, Doubles(smtp, sms))
        settings = workshop.directory / "dispatcher.toml"
        words = settings.read_text("utf-8").replace("[sms]", "[sms]\nsessions = 1\nstop_confirmation = false")
        settings.write_text(words, "utf-8")
        with workshop.opened() as dispatcher, TestClient(site(dispatcher)) as caller:
            actor = dispatcher.persons.acting(None)
            rows = [f"{n};N;N;;{number};fi;3.1.2026;;kyllä;3.1.2026" for n, number in enumerate(numbers)]
            dispatcher.enrol.run(workshop.register(*rows), actor)
            dispatcher.schedule.run(workshop.campaign("a", MOMENT, channels=["sms"]), actor)
            workshop.clock.set(MOMENT)
            dispatcher.deliver._ticks = lambda: seconds[0]
            look(dispatcher)
            assert (CLIENTS - AT + 2) // 3 == len(stopped)
            assert sorted(set(numbers) - set(stopped)) == sorted(each.recipient for each in sms.received)
            assert asyncio.run(dispatcher.services.once()) is None
            report = dispatcher.audit.year(2026)
            assert () == report.findings
            with dispatcher.store.reading() as connection:
                entries = connection.exec_driver_sql("SELECT body FROM ledger_entry WHERE kind = 'answer'").scalars()
                assert len(stopped) == sum(Place.SMS_REPLY.value in body for body in entries)
