"""A test goes to who works here, says that it is one, counts towards nothing, and opts nobody out."""

import email
import email.policy
import re
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest
from sqlalchemy import func, select

from dispatcher.errors import ChannelError, NotFoundError, RefusedError
from dispatcher.flow.freezing import POLICY_FILE, content_hash, freeze
from dispatcher.flow.trial import channels_tested
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.consent import Place
from dispatcher.rules.ledger import EntryKind
from dispatcher.rules.message import OutcomeKind
from dispatcher.storage import ledger
from dispatcher.storage.tables import OutboxTable, SlotTable
from dispatcher.wiring import Dispatcher
from tests.flow.clicking import leave_by_link, look_by_link
from tests.workshop import OWNER, Doubles, Workshop

MOMENT = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)


def begin(
    dispatcher: Dispatcher, *, email_: str | None = "aino@studio.example", phone: str | None = "0401234567"
) -> None:
    """Tell where the owner is reached."""
    dispatcher.persons.reach(OWNER, dispatcher.persons.acting(None), "FI", email=email_, phone=phone)


def parsed(content: bytes) -> EmailMessage:
    """Return a mail as a mail program reads it."""
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def test_a_test_arrives_and_says_so(workshop: Workshop, doubles: Doubles) -> None:
    """The owner gets a mail and a text message, both marked, by the real servers; no client gets anything."""
    with workshop.opened() as dispatcher:
        begin(dispatcher)
        report = dispatcher.trial.run(workshop.campaign("a", MOMENT), dispatcher.persons.acting(None))
    assert ([OutcomeKind.ACCEPTED] * 2, (), True) == ([each.outcome for each in report.sent], report.missing, report.ok)
    assert (["aino@studio.example"], ["+358401234567"]) == (doubles.mailed(), doubles.texted())
    mail = parsed(doubles.smtp.received[0].content)
    assert "[TESTI] Kampanja a" == mail["Subject"]
    for subtype in ("plain", "html"):
        part = mail.get_body((subtype,))
        assert part is not None
        assert "TESTI: Tämä on testi." in part.get_content()
    assert doubles.twilio.received[0].text.startswith("TESTI Mainos, Tunturituuli: ")


def test_a_test_is_not_kept_into_the_night(workshop: Workshop, doubles: Doubles) -> None:
    """S-15: its text message ends with the hours as a client's does."""
    with workshop.opened() as dispatcher:
        begin(dispatcher)
        workshop.clock.set(datetime(2026, 11, 24, 17, 0, tzinfo=UTC))
        dispatcher.trial.run(workshop.campaign("a", MOMENT), dispatcher.persons.acting(None))
    assert ["3540"] == [each.form["ValidityPeriod"] for each in doubles.twilio.received]


def test_a_test_counts_towards_nothing(workshop: Workshop) -> None:
    """No slot, no message of a campaign: the ledger has a service message with its content hash, and no address."""
    with workshop.opened() as dispatcher:
        begin(dispatcher)
        path = workshop.campaign("a", MOMENT)
        report = dispatcher.trial.run(path, dispatcher.persons.acting(None))
        with dispatcher.store.reading() as connection:
            for table in (OutboxTable, SlotTable):
                assert 0 == connection.scalar(select(func.count()).select_from(table))
            told = [each.data() for each in ledger.entries(connection, [EntryKind.SERVICE.value])]
        assert ["asked", "sent", "outcome"] * 2 == [each["event"] for each in told]
        assert {("test", report.content, 1)} == {(each["purpose"], each["content"], each["person"]) for each in told}
        assert not any("aino@" in str(each) or "4567" in str(each["name"]) for each in told)


def test_only_the_present_content_was_tested(workshop: Workshop) -> None:
    """Another word in the file or in a template is another content; the settings are none of it."""
    with workshop.opened() as dispatcher:
        begin(dispatcher)
        path, templates = workshop.campaign("a", MOMENT), workshop.directory / "templates"

        def tested() -> bool:
            hashed = freeze(path, templates, dispatcher.policy).content_hash
            with dispatcher.store.reading() as connection:
                return {Channel.EMAIL, Channel.SMS} == channels_tested(connection, hashed)

        assert not tested()
        dispatcher.trial.run(path, dispatcher.persons.acting(None))
        assert tested()
        layout = templates / "layouts" / "email.txt.j2"
        kept = layout.read_text(encoding="utf-8")
        layout.write_text(f"{kept}\n.", encoding="utf-8")
        assert not tested()
        layout.write_text(kept, encoding="utf-8")
        path.write_text(path.read_text(encoding="utf-8").replace("49", "59", 1), encoding="utf-8")
        assert not tested()
        files = freeze(path, templates, dispatcher.policy).files
        assert content_hash(files) == content_hash({**files, POLICY_FILE: b"{}"})


def test_the_link_of_a_test_opts_nobody_out(workshop: Workshop, doubles: Doubles) -> None:
    """The opt-out link shows that it is a test, and pressing it records nothing."""
    with workshop.opened() as dispatcher:
        begin(dispatcher)
        dispatcher.trial.run(workshop.campaign("a", MOMENT), dispatcher.persons.acting(None))
        header = str(parsed(doubles.smtp.received[0].content)["List-Unsubscribe"])
        token = header.strip("<>").rpartition("/")[2]
        sms = re.search(r"/u/([a-z2-7]+)", doubles.twilio.received[0].text)
        assert sms is not None
        with dispatcher.store.reading() as connection:
            before = sum(1 for _ in ledger.entries(connection))
        for each in (token, sms[1]):
            assert look_by_link(dispatcher.preferences, each).is_test
            leave_by_link(dispatcher.preferences, each, Place.ONE_CLICK)
        with dispatcher.store.reading() as connection:
            assert before == sum(1 for _ in ledger.entries(connection))


def test_a_test_goes_to_nobody_else(workshop: Workshop, doubles: Doubles) -> None:
    """A name nobody here has, a person who left, and a person without an address are refused."""
    with workshop.opened() as dispatcher:
        path, owner = workshop.campaign("a", MOMENT), dispatcher.persons.acting(None)
        with pytest.raises(RefusedError, match="person reach"):
            dispatcher.trial.run(path, owner)
        begin(dispatcher)
        with pytest.raises(NotFoundError, match=OWNER):
            dispatcher.trial.run(path, owner, "Maija Meikäläinen")
        fi = workshop.campaign("b", MOMENT, audience='[audience]\nlanguages = ["fi"]\n')
        with pytest.raises(RefusedError, match="no messages in sv"):
            dispatcher.trial.run(fi, owner, language=Language.SV)
    assert ([], []) == (doubles.mailed(), doubles.texted())


def test_a_channel_without_an_address_is_told(workshop: Workshop, doubles: Doubles) -> None:
    """Who has no number gets the mail, and is told that the text message was not tested; a language can be chosen."""
    with workshop.opened() as dispatcher:
        begin(dispatcher, phone=None)
        actor = dispatcher.persons.acting(None)
        report = dispatcher.trial.run(workshop.campaign("a", MOMENT), actor, OWNER.lower(), Language.SV)
    assert ((Channel.SMS,), Language.SV, []) == (report.missing, report.language, doubles.texted())
    assert str(parsed(doubles.smtp.received[0].content)["Subject"]).startswith("[TEST] ")


def test_a_server_that_is_away_is_told(workshop: Workshop, doubles: Doubles) -> None:
    """Where no mail server answers, nothing was tested and nothing waits to be sent later."""
    settings = workshop.directory / "dispatcher.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace(f"port = {doubles.smtp.port}", "port = 1"), encoding="utf-8")
    with workshop.opened() as dispatcher:
        begin(dispatcher, phone=None)
        path = workshop.campaign("a", MOMENT)
        with pytest.raises(ChannelError):
            dispatcher.trial.run(path, dispatcher.persons.acting(None))
        with dispatcher.store.reading() as connection:
            assert [] == list(ledger.entries(connection, [EntryKind.SERVICE.value]))
            assert not channels_tested(
                connection, freeze(path, workshop.directory / "templates", dispatcher.policy).content_hash
            )


def required(workshop: Workshop, dispatcher: Dispatcher, path: Path) -> list[str]:
    """Return what is said of the test of a campaign before it gets its slot."""
    frozen = freeze(path, workshop.directory / "templates", dispatcher.policy)
    return dispatcher.trial.require(path, frozen, dispatcher.persons.acting(None))


def test_what_one_channel_did_not_take_was_not_tested(workshop: Workshop, doubles: Doubles) -> None:
    """A mail that arrived is no test of a text message that was refused, however often it is tried."""
    with workshop.opened() as dispatcher:
        begin(dispatcher)
        path = workshop.campaign("a", MOMENT)
        doubles.twilio._script = lambda number: 21610 if number == "+358401234567" else None
        for _ in range(2):
            with pytest.raises(RefusedError, match=r"was not taken over: .*sms"):
                required(workshop, dispatcher, path)
        begin(dispatcher, phone="0401234568")
        assert 2 == len(required(workshop, dispatcher, path))
        assert [] == required(workshop, dispatcher, path)


def test_a_channel_nobody_could_look_at_is_named(workshop: Workshop, doubles: Doubles) -> None:
    """Who has no number on record hears each time that the text message went untested, and gets one mail only."""
    with workshop.opened() as dispatcher:
        begin(dispatcher, phone=None)
        path = workshop.campaign("a", MOMENT)
        first, second = required(workshop, dispatcher, path), required(workshop, dispatcher, path)
        assert "a test went to Aino Esimerkki by email" in first[0]
        assert "no test went by sms" in first[1]
        assert "--phone NUMBER" in first[1]
        assert first[1:] == second
        assert 1 == len(doubles.mailed())
        begin(dispatcher)
        assert "by sms at" in required(workshop, dispatcher, path)[1]
