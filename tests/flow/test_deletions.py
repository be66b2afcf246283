"""What a provider holds of an erased client: asked for until the provider confirms that it is gone (S-28)."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import select, update

from dispatcher.demo.smtp_double import SmtpDouble
from dispatcher.demo.twilio_double import TwilioDouble
from dispatcher.rules.ledger import EntryKind
from dispatcher.rules.retention import EraseReason
from dispatcher.storage import ledger
from dispatcher.storage.tables import DeletionTable, OutboxTable
from dispatcher.storage.writer import Transaction
from dispatcher.wiring import Dispatcher
from tests.clock import FixedClock
from tests.workshop import ACCOUNT, API_KEY, API_SECRET, Doubles, Workshop, build

MOMENT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
ANTE = "3;Ánte;Ovdamearka;;040 123 4568;fi;3.10.2026;;kyllä;3.10.2026"
MAIJA = "1;Maija;Meikäläinen;maija@posti.example;;fi;3.10.2026;kyllä;;3.10.2026"


def text_to_ante(workshop: Workshop, dispatcher: Dispatcher) -> int:
    """Send Ánte a text message and return the client's number."""
    actor = dispatcher.persons.acting(None)
    dispatcher.enrol.run(workshop.register(ANTE, MAIJA), actor)
    dispatcher.schedule.run(workshop.campaign("kampanja", MOMENT), actor)
    workshop.clock.set(MOMENT)
    asyncio.run(dispatcher.rounds.once())
    return dispatcher.register.find("Ánte")


def erase(dispatcher: Dispatcher, number: int) -> dict[str, int]:
    """Erase a client and return what is still to be deleted."""
    report = dispatcher.erasing.erase(number, EraseReason.REQUEST, dispatcher.persons.acting(None))
    return dict(report.open)


def confirmed(dispatcher: Dispatcher) -> list[tuple[object, object]]:
    """Return provider and answer of every deletion that the ledger knows, but for those on this machine."""
    with dispatcher.store.reading() as connection:
        told = [entry.data() for entry in ledger.entries(connection, [EntryKind.DELETED.value])]
    return [(body["provider"], body["answer"]) for body in told if body["provider"] != "traces"]


def test_the_duty_stays_open_until_the_provider_confirms(
    tmp_path: Path, clock: FixedClock, database_url: str, journal_url: str
) -> None:
    """S-28: trouble and a busy provider leave it open, later each time; a 204 closes it."""
    answers: list[int | None] = [503, 429, None]
    with SmtpDouble() as smtp, TwilioDouble(ACCOUNT, API_KEY, API_SECRET, on_delete=lambda _: answers.pop(0)) as twilio:
        workshop = build(tmp_path / "studio", clock, database_url, journal_url, Doubles(smtp, twilio))
        with workshop.opened() as dispatcher:
            number = text_to_ante(workshop, dispatcher)
            assert {"twilio": 1} == erase(dispatcher, number)
            deletions = dispatcher.erasing.deletions
            waits = []
            for left in (2, 1):
                asyncio.run(deletions.work())
                [still] = deletions.open(number)
                assert (left, 1) == (len(answers), len(twilio.held))
                waits.append(still.not_before - clock())
                # Asked before its time, nobody is asked.
                asyncio.run(deletions.work())
                assert left == len(answers)
                clock.advance(waits[-1])
            assert [timedelta(hours=1), timedelta(hours=2)] == waits
            asyncio.run(deletions.work())
            assert ([], []) == (deletions.open(number), twilio.held)
            assert [("twilio", "204")] == confirmed(dispatcher)
            with dispatcher.store.reading() as connection:
                assert {""} == set(connection.scalars(select(DeletionTable.provider_id)))
                assert {None} == set(
                    connection.scalars(select(OutboxTable.provider_id).where(OutboxTable.client == number))
                )


def test_the_duty_outlives_the_provider_s_place_in_the_settings(workshop: Workshop, doubles: Doubles) -> None:
    """S-28: who carries no messages any more has to delete those it has: told what to do, asked once keys are back."""
    settings = workshop.directory / "dispatcher.toml"
    whole = settings.read_text(encoding="utf-8")
    without = whole.replace('provider = "twilio"', 'provider = "preview"')
    assert without != whole
    with workshop.opened() as dispatcher:
        number = text_to_ante(workshop, dispatcher)
    settings.write_text(without.replace(f'api_key = "{API_KEY}"', ""), encoding="utf-8")
    with workshop.opened() as dispatcher:
        report = dispatcher.erasing.erase(number, EraseReason.REQUEST, dispatcher.persons.acting(None))
        assert ({"twilio": 1}, ("twilio",)) == (report.open, report.out_of_reach)
        said = asyncio.run(dispatcher.erasing.deletions.work())
        assert said is not None
        assert "still to be deleted: 1. Nobody can ask twilio while its keys are missing" in said
        shown = dispatcher.retention.show()
        assert (1, ("twilio",)) == (shown.to_be_deleted["twilio"], shown.out_of_reach)
        assert 1 == len(doubles.twilio.held)
    settings.write_text(without, encoding="utf-8")
    with workshop.opened() as dispatcher:
        assert () == dispatcher.retention.show().out_of_reach
        asyncio.run(dispatcher.erasing.deletions.work())
        assert ([], [], [("twilio", "204")]) == (
            dispatcher.erasing.deletions.open(number),
            doubles.twilio.held,
            confirmed(dispatcher),
        )


def test_a_message_that_is_gone_already_is_confirmed(workshop: Workshop, doubles: Doubles) -> None:
    """A provider that knows no such message any more has nothing left to delete."""
    with workshop.opened() as dispatcher:
        number = text_to_ante(workshop, dispatcher)
        erase(dispatcher, number)

        def rename(transaction: Transaction) -> None:
            mine = DeletionTable.provider == "twilio"
            transaction.connection.execute(update(DeletionTable).where(mine).values(provider_id="SM" + "0" * 32))

        dispatcher.store.write(rename)
        asyncio.run(dispatcher.erasing.deletions.work())
        assert [("twilio", "404")] == confirmed(dispatcher)
        assert 1 == len(doubles.twilio.held)


def test_an_outcome_that_comes_after_the_erasure_is_found(workshop: Workshop, doubles: Doubles) -> None:
    """A message that was being handed over while its client was erased is deleted at the provider as well."""
    with workshop.opened() as dispatcher:
        number = text_to_ante(workshop, dispatcher)
        mine = OutboxTable.client == number
        with dispatcher.store.reading() as connection:
            sid = connection.scalar(select(OutboxTable.provider_id).where(mine))
        dispatcher.store.write(
            lambda transaction: transaction.connection.execute(
                update(OutboxTable).where(mine).values(provider=None, provider_id=None)
            )
        )
        assert {} == erase(dispatcher, number)
        dispatcher.store.write(
            lambda transaction: transaction.connection.execute(
                update(OutboxTable).where(mine).values(provider="twilio", provider_id=sid)
            )
        )
        said = asyncio.run(dispatcher.erasing.deletions.work())
        assert "deleted at providers, of erased clients' messages: 1; still to be deleted: 0" == said
        assert [] == doubles.twilio.held


def test_a_mail_server_has_nothing_to_forget(workshop: Workshop) -> None:
    """Mail that was passed on cannot be called back: no duty is made of it, and its queue number is forgotten."""
    with workshop.opened() as dispatcher:
        text_to_ante(workshop, dispatcher)
        assert {} == erase(dispatcher, dispatcher.register.find("maija@posti.example"))


def test_previews_go_at_once(tmp_path: Path, clock: FixedClock, database_url: str, journal_url: str) -> None:
    """Files that a preview wrote of an erased client are gone when the erasure returns; those of others stay."""
    workshop = build(tmp_path / "studio", clock, database_url, journal_url)
    with workshop.opened() as dispatcher:
        number = text_to_ante(workshop, dispatcher)
        previews = tmp_path / "studio" / "preview"
        assert [".eml", ".txt"] == sorted(path.suffix for path in previews.rglob("*") if path.is_file())
        assert {} == erase(dispatcher, number)
        assert [".eml"] == [path.suffix for path in previews.rglob("*") if path.is_file()]
        assert [("preview", "")] == confirmed(dispatcher)


def test_a_preview_whose_outcome_was_lost_goes_too(
    tmp_path: Path, clock: FixedClock, database_url: str, journal_url: str
) -> None:
    """A crash after the file and before its outcome leaves a message that is unknown: the file goes all the same."""
    workshop = build(tmp_path / "studio", clock, database_url, journal_url)
    previews = tmp_path / "studio" / "preview"
    with workshop.opened() as dispatcher:
        number = text_to_ante(workshop, dispatcher)
        mine = OutboxTable.client == number

        def crash(transaction: Transaction) -> str:
            lost = {"state": "attempting", "provider": None, "outcome_at": None, "lease_until": MOMENT}
            transaction.connection.execute(update(OutboxTable).where(mine).values(lost))
            return str(transaction.connection.scalar(select(OutboxTable.message_id).where(mine)))

        message = dispatcher.store.write(crash)
        (text,) = previews.rglob(f"{message}.txt")
        text.with_name(f".{text.name}.part").write_text("begun")
        assert 1 == dispatcher.deliver.recover(alone=True)
        assert {} == erase(dispatcher, number)
        assert [] == [path for path in previews.rglob("*") if message in path.name]
        assert [("preview", "")] == confirmed(dispatcher)


def test_a_preview_lost_during_the_erasure_goes_with_the_duty(
    tmp_path: Path, clock: FixedClock, database_url: str, journal_url: str
) -> None:
    """Erased while the message was being written, and the sender died: once it is known as lost, its file goes."""
    workshop = build(tmp_path / "studio", clock, database_url, journal_url)
    with workshop.opened() as dispatcher:
        number = text_to_ante(workshop, dispatcher)
        mine = OutboxTable.client == number
        lost = {"state": "attempting", "provider": None, "outcome_at": None, "lease_until": MOMENT}
        dispatcher.store.write(
            lambda transaction: transaction.connection.execute(update(OutboxTable).where(mine).values(lost))
        )
        erase(dispatcher, number)
        dispatcher.deliver.recover(alone=True)
        asyncio.run(dispatcher.erasing.deletions.work())
        assert [".eml"] == [path.suffix for path in (tmp_path / "studio" / "preview").rglob("*") if path.is_file()]
