"""The notice says what the settings do, in three languages, in versions; without it no text leaves the EU (L-42)."""

import re
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from dispatcher.errors import NotFoundError, RefusedError
from dispatcher.flow.answering import Said
from dispatcher.flow.papers import Form, written
from dispatcher.flow.standing import standing
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.consent import Place, Reply
from dispatcher.rules.decision import Reason, Send, Verdict, Withhold
from dispatcher.rules.ledger import EntryKind
from dispatcher.rules.wording import wording_hash
from dispatcher.storage import ledger
from dispatcher.wiring import Dispatcher
from tests.workshop import Workshop

MOMENT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
ANTE = "3;Ánte;Ovdamearka;;040 123 4568;fi;3.1.2026;;kyllä;3.1.2026"
MAIJA = "1;Maija;Meikäläinen;;040 123 4567;fi;3.1.2026;;kyllä;3.1.2026"
BOTH = "4;Erik;Exempel;erik@posti.example;040 123 4569;sv;3.1.2026;kyllä;kyllä;3.1.2026"
WORDS = "Saako lähettää tarjouksia tekstiviestillä?"
COMPANY = 'country = "FI"\ndpa_signed = 2026-01-15\n'


def change(workshop: Workshop, *changes: tuple[str, str]) -> None:
    """Change the settings: each pattern is replaced once."""
    path = workshop.directory / "dispatcher.toml"
    text = path.read_text(encoding="utf-8")
    for pattern, new in changes:
        text, count = re.subn(pattern, new, text, count=1, flags=re.MULTILINE)
        assert 1 == count, pattern
    path.write_text(text, encoding="utf-8")


def go_live(workshop: Workshop) -> None:
    """Let text messages go through Twilio itself, as an owner would who accepts what that means."""
    accepted = 'dpa_signed = 2026-01-15\naccepted_transfer_note = "Ei terveystietoja viesteissä."'
    change(workshop, (r'^base_url = ".*"$', accepted))


def verdict(dispatcher: Dispatcher, words: str) -> Verdict:
    """Return the verdict on the one client these words fit."""
    return standing(dispatcher.store, dispatcher.policy, dispatcher.register.find(words)).verdict


def text_of(dispatcher: Dispatcher, language: Language = Language.FI) -> str:
    """Return the text of today's notice."""
    return written(dispatcher.notices.today(language), Form.TEXT).decode()


def test_no_text_leaves_the_eu_unannounced(workshop: Workshop) -> None:
    """L-42: with live Twilio and no notice a yes to text messages counts for nothing; email is not concerned."""
    go_live(workshop)
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        report = dispatcher.enrol.run(workshop.register(ANTE, MAIJA, BOTH), actor)
        assert report.may_write is not None
        assert ({"email": 1}, {"notice_does_not_cover": 2}) == (
            dict(report.may_write.send),
            dict(report.may_write.withhold),
        )
        dispatcher.schedule.run(workshop.campaign("a", MOMENT, channels=["sms"]), actor)
        workshop.clock.set(MOMENT)
        dispatcher.plan.run(dispatcher.lifecycle.named("a"))
        held = dispatcher.lifecycle.standing(dispatcher.lifecycle.named("a").id)
    assert {"notice_does_not_cover": 3} == dict(held.withheld)


def test_a_yes_counts_from_the_notice_on(workshop: Workshop) -> None:
    """L-42: once a version says so, a yes given after it opens text messages, and one given before does not."""
    go_live(workshop)
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        dispatcher.enrol.run(workshop.register(ANTE, MAIJA), actor)
        workshop.clock.advance(timedelta(minutes=1))
        assert dispatcher.notices.covers_transfer()
        assert 1 == dispatcher.notices.publish(actor)
        workshop.clock.advance(timedelta(minutes=1))
        said = [Said(Reply.GRANTED, Channel.SMS, Place.PHONE, WORDS)]
        dispatcher.answering.record(dispatcher.register.find("Ánte"), said, actor)
        sms, old = verdict(dispatcher, "Ánte"), verdict(dispatcher, "Maija")
        assert isinstance(sms, Send)
        assert Channel.SMS is sms.channel
        assert Withhold(Reason.NOTICE_DOES_NOT_COVER) == old
        dispatcher.schedule.run(workshop.campaign("a", MOMENT, channels=["sms"]), actor)
        workshop.clock.set(MOMENT)
        dispatcher.plan.run(dispatcher.lifecycle.named("a"))
        held = dispatcher.lifecycle.standing(dispatcher.lifecycle.named("a").id)
        with dispatcher.store.reading() as connection:
            planned = [entry.client for entry in ledger.entries(connection, [EntryKind.PLANNED.value])]
        assert [dispatcher.register.find("Ánte")] == planned
    assert {"notice_does_not_cover": 1} == dict(held.withheld)


def test_a_later_notice_that_is_silent_ends_it(workshop: Workshop) -> None:
    """L-42: when the version in force no longer tells of it, text messages stop, until one tells of it again."""
    go_live(workshop)
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        dispatcher.notices.publish(actor)
        workshop.clock.advance(timedelta(minutes=1))
        dispatcher.enrol.run(workshop.register(ANTE), actor)
        said = [Said(Reply.GRANTED, Channel.SMS, Place.PHONE, WORDS)]
        dispatcher.answering.record(dispatcher.register.find("Ánte"), said, actor)
        assert isinstance(verdict(dispatcher, "Ánte"), Send)
    change(workshop, (r'^provider = "twilio"$', 'provider = "preview"'))
    with workshop.opened() as dispatcher:
        workshop.clock.advance(timedelta(minutes=1))
        assert not dispatcher.notices.covers_transfer()
        assert 2 == dispatcher.notices.publish(dispatcher.persons.acting(None))
        assert isinstance(verdict(dispatcher, "Ánte"), Send)
    change(workshop, (r'^\[sms\]\nprovider = "preview"$', '[sms]\nprovider = "twilio"'))
    with workshop.opened() as dispatcher:
        assert Withhold(Reason.NOTICE_DOES_NOT_COVER) == verdict(dispatcher, "Ánte")


def test_a_double_on_this_machine_needs_no_notice(workshop: Workshop) -> None:
    """What stays on this machine is no transfer: nothing is asked of the notice, and it tells of none."""
    with workshop.opened() as dispatcher:
        dispatcher.enrol.run(workshop.register(ANTE), dispatcher.persons.acting(None))
        assert isinstance(verdict(dispatcher, "Ánte"), Send)
        assert not dispatcher.notices.covers_transfer()
        assert "Twilio" not in text_of(dispatcher)


def test_a_version_is_frozen_and_told(workshop: Workshop) -> None:
    """A published version keeps its text, its hashes are in the ledger, and the same again is no new version."""
    with workshop.opened() as dispatcher:
        actor = dispatcher.persons.acting(None)
        assert 1 == dispatcher.notices.publish(actor)
        with pytest.raises(RefusedError, match="Version 1 says the same"):
            dispatcher.notices.publish(actor)
        [version] = dispatcher.notices.published()
        assert {language: text_of(dispatcher, language) for language in Language} == dict(version.texts)
        with dispatcher.store.reading() as connection:
            [entry] = ledger.entries(connection, [EntryKind.NOTICE.value])
    hashes = {language.value: wording_hash(text) for language, text in version.texts.items()}
    assert {"event": "published", "version": 1, "hashes": hashes, "covers_transfer": False} == entry.data()
    assert str(actor) == entry.actor


def test_the_difference_is_told(workshop: Workshop) -> None:
    """A changed setting shows line by line against the version in force; what only looks different does not."""
    with workshop.opened() as dispatcher:
        with pytest.raises(NotFoundError, match="dispatcher notice publish"):
            dispatcher.notices.difference(Language.FI)
        dispatcher.notices.publish(dispatcher.persons.acting(None))
        assert [] == dispatcher.notices.difference(Language.FI)
        spaced = text_of(dispatcher).replace("\n", "\r\n\r\n")
        assert [] == dispatcher.notices.difference(Language.FI, spaced)
        assert "-toinen" in dispatcher.notices.difference(Language.FI, f"{text_of(dispatcher)}\ntoinen\n")
    change(workshop, (r"^\[database\]$", "[retention]\nclient_days = 180\n\n[database]"))
    with workshop.opened() as dispatcher:
        changed = [line for line in dispatcher.notices.difference(Language.SV) if re.match(r"[-+][^-+]", line)]
    assert ["365", "180"] == [found[0] for line in changed for found in [re.findall(r"\d+", line)]]


@pytest.mark.parametrize("language", Language)
def test_the_notice_prints_every_period(workshop: Workshop, language: Language) -> None:
    """Each retention period of the settings, the suppression's and the yes's stand in the notice of each language."""
    periods = "client_days = 301\ngone_days = 17\nbackup_days = 43\nledger_years = 7\n"
    more = "\n[consent]\nvalid_days = 333\n\n[sign_up]\nenabled = true\nconfirm_within_days = 11\n\n[database]"
    change(workshop, (r"^\[database\]$", f"[retention]\n{periods}{more}"))
    with workshop.opened() as dispatcher:
        text = text_of(dispatcher, language)
    for period in (301, 17, 43, 7, 333, 11, 333 + 43):
        assert re.search(rf"\b{period}\b", text), period


@pytest.mark.parametrize("language", Language)
def test_the_notice_tells_of_confirmations_without_a_page_of_our_own(workshop: Workshop, language: Language) -> None:
    """L-36: who wants more by a message's link is asked to confirm as well, and what was asked is kept for so long."""
    change(workshop, (r"^\[database\]$", "[sign_up]\nconfirm_within_days = 11\n\n[database]"))
    with workshop.opened() as dispatcher:
        assert re.search(r"\b11\b", text_of(dispatcher, language))


def test_the_notice_keeps_each_promise(workshop: Workshop) -> None:
    """Every row of the promise is in the Finnish notice: how often, asked where, what never enters, rights."""
    with workshop.opened() as dispatcher:
        text = text_of(dispatcher)
    for words in (
        "6–12 kertaa vuodessa",  # noqa: RUF001 - as it is printed
        "verkossa, puhelimessa, sähköpostitse tai paikan päällä",
        "milloin tahansa, maksutta ja perustelematta",
        "Hoitoja, muistiinpanoja ja terveystietoja ei koskaan käytetä suoramarkkinointiin",
        "Varmistamme ensin, että pyynnön tekijä olet sinä",
        "lasku on auki, saatava on perinnässä tai laki velvoittaa",
        "ei siirretä Euroopan unionin eikä Euroopan talousalueen ulkopuolelle",
        "henkilökuntamme, jota sitoo vaitiolovelvollisuus",
        "salatun tunnisteen",
        "Tietosuojavaltuutetun toimisto",
        "Tunturituuli",
        "0000000-0",
    ):
        assert words in text, words


@pytest.mark.parametrize("inbox", [True, False])
def test_what_comes_in_is_told(workshop: Workshop, *, inbox: bool) -> None:
    """L-31, S-33, E-64: notice and record say how long a text is kept and where a letter stays, if any come."""
    if inbox:
        (workshop.directory / "posti" / "new").mkdir(parents=True)
        (workshop.directory / "posti" / "cur").mkdir()
        settings = workshop.directory / "dispatcher.toml"
        told = settings.read_text("utf-8").replace('"Tunturi"', '"+358401110000"')
        settings.write_text(f'{told}\n[mailbox]\nprovider = "maildir"\npath = "posti"\n', "utf-8")
    with workshop.opened() as dispatcher:
        notices = [text_of(dispatcher, language) for language in Language]
        papers = [dispatcher.ropa.paper(language).text() for language in Language]
        record = dispatcher.ropa.as_json()
    words = (("14 päivän ajan", "postilaatikkoomme"), ("14 dagar", "vår brevlåda"), ("14 days", "our inbox"))
    for (days, box), notice, paper in zip(words, notices, papers, strict=True):
        assert [inbox] * 3 == [days in notice, box in notice, days in paper]
    assert inbox is ("answers_to_messages" in cast("list[str]", record["data"]))


def test_companies_stand_with_their_countries(workshop: Workshop) -> None:
    """L-42: a mail server and Twilio are named, and the reach from outside is said, in every language."""
    go_live(workshop)
    change(workshop, (r'^host = "127.0.0.1"$', f'host = "smtp.posti.example"\n{COMPANY}'), (r'^tls = "none"$', ""))
    change(workshop, (r'^sender = "tarjoukset@tunturituuli.example"$', 'sender = "tarjoukset@tunturituuli.fi"'))
    with workshop.opened() as dispatcher:
        texts = [text_of(dispatcher, language) for language in Language]
    for text, outside in zip(
        texts, ("EU:n ja ETA:n ulkopuolelta", "utanför EU och EES", "outside the EU"), strict=True
    ):
        assert "smtp.posti.example" in text
        assert "Twilio" in text
        assert outside in text
