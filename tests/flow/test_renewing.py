"""Keeping a yes alive: who is asked, what the link does, and when it does nothing (L-09)."""

import asyncio
import quopri
import re
from datetime import UTC, datetime, timedelta

import pytest

from dispatcher.flow.renewing import Prospect
from dispatcher.links import OptOut, Renewal
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.consent import Place, Reply
from dispatcher.storage import clients
from dispatcher.texts import text
from dispatcher.wiring import Dispatcher
from tests.flow.clicking import leave_by_link
from tests.workshop import ZONE, Doubles, Workshop

ASKED = datetime(2026, 12, 3, 8, 0, tzinfo=UTC)
"""When the campaigns of these tests go out: 10 o'clock in Helsinki."""
YEAR, MAIJA = timedelta(days=365), "maija@posti.example"
_LINK = re.compile(r"/r/([a-z2-7]+)")


def said(workshop: Workshop, dispatcher: Dispatcher, day: str, *rows: str) -> None:
    """Import Maija with a yes of this day, and whoever else."""
    row = f"1;Maija;M;{MAIJA};;fi;3.1.2026;kyllä;;{day}"
    dispatcher.enrol.run(workshop.register(row, *rows), dispatcher.persons.acting(None))


def mails(workshop: Workshop, dispatcher: Dispatcher, doubles: Doubles, at: datetime = ASKED) -> list[str]:
    """Send a campaign at this moment and return the mails that arrived, decoded, in order of address."""
    before = len(doubles.smtp.received)
    workshop.clock.set(at - timedelta(hours=1))
    path = workshop.campaign(f"c{at:%y%m%d}", at, channels=("email",))
    dispatcher.schedule.run(path, dispatcher.persons.acting(None))
    workshop.clock.set(at)
    asyncio.run(dispatcher.rounds.once())
    arrived = sorted(doubles.smtp.received[before:], key=lambda mail: mail.recipient)
    return [quopri.decodestring(mail.content).decode("utf-8") for mail in arrived]


def asked(workshop: Workshop, dispatcher: Dispatcher, doubles: Doubles) -> str:
    """Let Maija be asked in a campaign, and return the token of her link."""
    workshop.clock.set(ASKED - timedelta(days=1))
    said(workshop, dispatcher, "10.12.2025")
    [mail] = mails(workshop, dispatcher, doubles)
    return str(_LINK.findall(mail)[0])


def standing(dispatcher: Dispatcher) -> list[tuple[Reply, Place | None]]:
    """Return what Maija has said, in order."""
    told = dispatcher.register.history(dispatcher.register.find(MAIJA))
    spoken = [each.answer for each in told if each.answer.reply is not Reply.NOT_ASKED]
    return [(answer.reply, answer.place) for answer in spoken]


@pytest.mark.parametrize(
    ("day", "ends_on"),
    [
        ("1.2.2026", "1.2.2027"),
        ("2.2.2026", ""),
        ("1.6.2026", ""),
        ("1.1.2026", "1.1.2027"),
        ("4.12.2025", "4.12.2026"),
    ],
)
def test_only_who_ends_soon_is_asked(workshop: Workshop, doubles: Doubles, day: str, ends_on: str) -> None:
    """The last sixty days of the yes the message relies on bring the question, with the day of its end."""
    with workshop.opened() as dispatcher:
        said(workshop, dispatcher, day)
        [mail] = mails(workshop, dispatcher, doubles)
    assert bool(ends_on) == bool(_LINK.search(mail))
    assert (text("renew_ends", Language.FI, date=ends_on) in mail) == bool(ends_on)


@pytest.mark.parametrize(("minutes", "is_asked"), [(-1, False), (0, True)])
def test_the_sixty_days_begin_to_the_minute(
    workshop: Workshop, doubles: Doubles, *, minutes: int, is_asked: bool
) -> None:
    """Sixty days before its end to the minute, and not one earlier, a yes is asked for anew."""
    with workshop.opened() as dispatcher:
        given = ASKED - YEAR + timedelta(days=60) - timedelta(minutes=minutes)
        said(workshop, dispatcher, f"{given.astimezone(ZONE):%d.%m.%Y %H:%M}")
        [mail] = mails(workshop, dispatcher, doubles)
    assert is_asked == bool(_LINK.search(mail))


def test_nobody_is_asked_when_the_owner_wants_none(workshop: Workshop, doubles: Doubles) -> None:
    """With renew_days = 0 no message ever asks."""
    settings = workshop.directory / "dispatcher.toml"
    settings.write_text(settings.read_text("utf-8") + "\n[consent]\nrenew_days = 0\n", "utf-8")
    with workshop.opened() as dispatcher:
        said(workshop, dispatcher, "4.12.2025")
        [mail] = mails(workshop, dispatcher, doubles)
    assert not _LINK.search(mail)


def test_an_ended_yes_gets_no_message_at_all(workshop: Workshop, doubles: Doubles) -> None:
    """L-09: after the end nobody is asked whether they would still like to hear from the studio."""
    with workshop.opened() as dispatcher:
        said(workshop, dispatcher, "3.12.2025 10:00")
        assert [] == mails(workshop, dispatcher, doubles)


@pytest.mark.parametrize("language", Language)
def test_a_renewal_is_an_answer_like_any_other(workshop: Workshop, doubles: Doubles, language: Language) -> None:
    """D-01, L-04: place `renewal`, now, by the client, with the exact words of the page in the language it was read."""
    with workshop.opened() as dispatcher:
        token = asked(workshop, dispatcher, doubles)
        workshop.clock.advance(timedelta(hours=5))
        done = dispatcher.renewing.renew(token, language)
        answer = dispatcher.register.history(dispatcher.register.find(MAIJA))[-1]
        assert (Prospect.DONE, workshop.clock() + YEAR) == (done.prospect, done.ends_at)
        assert (Reply.GRANTED, Channel.EMAIL, Place.RENEWAL) == (
            answer.answer.reply,
            answer.answer.channel,
            answer.answer.place,
        )
        assert {workshop.clock()} == {answer.answer.not_before, answer.answer.not_after, answer.answer.recorded_at}
        assert text("renewal_question_email", language) == answer.wording
        assert dispatcher.audit.verify().ok


def test_who_renewed_gets_mail_for_another_year(workshop: Workshop, doubles: Doubles) -> None:
    """A renewed yes carries the messages after the old one has ended, and is asked for again a year later only."""
    with workshop.opened() as dispatcher:
        dispatcher.renewing.renew(asked(workshop, dispatcher, doubles), Language.FI)
        [soon] = mails(workshop, dispatcher, doubles, ASKED + timedelta(days=60))
        [late] = mails(workshop, dispatcher, doubles, ASKED + timedelta(days=330))
        assert [] == mails(workshop, dispatcher, doubles, ASKED + timedelta(days=366))
    assert (False, True) == (bool(_LINK.search(soon)), bool(_LINK.search(late)))


def test_a_link_works_once(workshop: Workshop, doubles: Doubles) -> None:
    """Single use: the second press finds another yes in the place of the one it names, and adds nothing."""
    with workshop.opened() as dispatcher:
        token = asked(workshop, dispatcher, doubles)
        prospects = [dispatcher.renewing.renew(token, Language.FI).prospect for _ in range(3)]
        assert [Prospect.DONE, Prospect.ALREADY, Prospect.ALREADY] == prospects
        assert [Place.ONLINE, Place.RENEWAL] == [place for _, place in standing(dispatcher)]


def test_many_presses_at_once_are_one(workshop: Workshop, doubles: Doubles) -> None:
    """Pressed from several places at one moment, a link gives one yes: it is decided in the writing transaction."""
    with workshop.opened() as dispatcher:
        token = asked(workshop, dispatcher, doubles)

        async def press() -> list[Prospect]:
            presses = (asyncio.to_thread(dispatcher.renewing.renew, token, Language.FI) for _ in range(6))
            return [found.prospect for found in await asyncio.gather(*presses)]

        assert [Prospect.ALREADY] * 5 + [Prospect.DONE] == sorted(asyncio.run(press()))
        assert 2 == len(standing(dispatcher))


def test_a_no_closes_the_link(workshop: Workshop, doubles: Doubles) -> None:
    """After a no the link of an earlier message changes nothing, however often it is pressed (L-07)."""
    with workshop.opened() as dispatcher:
        token = asked(workshop, dispatcher, doubles)
        number = dispatcher.register.find(MAIJA)
        leave_by_link(dispatcher.preferences, dispatcher.links.token(OptOut(number, Channel.EMAIL)), Place.LINK)
        before = standing(dispatcher)
        workshop.clock.advance(timedelta(hours=1))
        found = [dispatcher.renewing.look(token), dispatcher.renewing.renew(token, Language.FI)]
        assert [(Prospect.CLOSED, None, None)] * 2 == [(each.prospect, each.address, each.ends_at) for each in found]
        assert before == standing(dispatcher)


def test_the_end_closes_the_link(workshop: Workshop, doubles: Doubles) -> None:
    """L-09: up to the end, to the second, the link renews; from then on it says that the yes has ended."""
    with workshop.opened() as dispatcher:
        token = asked(workshop, dispatcher, doubles)
        ends_at = dispatcher.renewing.look(token).ends_at
        assert ends_at is not None
        workshop.clock.set(ends_at)
        assert Prospect.ENDED is dispatcher.renewing.renew(token, Language.FI).prospect
        workshop.clock.set(ends_at - timedelta(seconds=1))
        assert Prospect.DONE is dispatcher.renewing.renew(token, Language.FI).prospect


def test_a_link_to_a_former_address_closes(workshop: Workshop, doubles: Doubles) -> None:
    """L-31: who reads the old inbox cannot say yes for the new address."""
    with workshop.opened() as dispatcher:
        token = asked(workshop, dispatcher, doubles)
        workshop.clock.advance(timedelta(hours=1))
        moved = workshop.register("1;Maija;M;uusi@posti.example;;fi;3.1.2026;;;")
        dispatcher.enrol.run(moved, dispatcher.persons.acting(None))
        assert Prospect.CLOSED is dispatcher.renewing.renew(token, Language.FI).prospect


def test_an_unknown_client_closes_the_link(workshop: Workshop) -> None:
    """Once the register does not know the client any more, the link changes nothing and reveals nothing."""
    with workshop.opened() as dispatcher:
        links = dispatcher.renewing._links
        token = links.token(Renewal(7, Channel.EMAIL, 3))
        found = [dispatcher.renewing.look(token), dispatcher.renewing.renew(token, Language.FI)]
        assert [(Prospect.CLOSED, None, None)] * 2 == [(each.prospect, each.address, each.language) for each in found]


def test_a_client_marked_as_a_child_gives_no_yes(workshop: Workshop, doubles: Doubles) -> None:
    """L-11: marked at the desk since, the client cannot renew."""
    with workshop.opened() as dispatcher:
        token = asked(workshop, dispatcher, doubles)
        number = dispatcher.register.find(MAIJA)
        dispatcher.store.write(lambda work: clients.update_client(work.connection, number, {"child": True}))
        assert Prospect.CLOSED is dispatcher.renewing.renew(token, Language.FI).prospect
        assert 1 == len(standing(dispatcher))


def test_a_check_makes_the_message_that_asks(workshop: Workshop) -> None:
    """`campaign check` fills the message with the question for those who will be asked at its moment."""
    with workshop.opened() as dispatcher:
        said(workshop, dispatcher, "4.12.2025")
        report = dispatcher.check.run(workshop.campaign("a", ASKED, channels=("email",)))
        assert (True, 1) == (report.ok, report.rendered)
