"""One text message whose reply was lost, or not: what is known of it, and what Twilio tells of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import select, update

from dispatcher.demo.smtp_double import SmtpDouble
from dispatcher.demo.twilio_double import Trouble, TwilioDouble
from dispatcher.flow.returns import Told, text_fate
from dispatcher.rules.ledger import EntryKind, Json
from dispatcher.rules.message import MessageState
from dispatcher.storage import ledger, progress
from dispatcher.storage.tables import OutboxTable
from dispatcher.storage.writer import Transaction
from dispatcher.wiring import Dispatcher
from tests.clock import FixedClock
from tests.flow.test_outcomes import TEXT, begin, send
from tests.workshop import ACCOUNT, API_KEY, API_SECRET, Doubles, Workshop, build


class Texts:
    """One installation, one campaign of one text message, and what is known of it."""

    def __init__(self, workshop: Workshop, dispatcher: Dispatcher, sms: TwilioDouble) -> None:
        self.workshop = workshop
        self.dispatcher = dispatcher
        self.sms = sms
        begin(workshop, dispatcher, TEXT)
        send(dispatcher)

    @property
    def row(self) -> dict[str, object]:
        """Return the message's row of the outbox."""
        with self.dispatcher.store.reading() as connection:
            return dict(connection.execute(select(OutboxTable.__table__)).one()._mapping)

    @property
    def known(self) -> tuple[object, ...]:
        """Return its state, the provider's name for it, how far it came, and its errors."""
        return tuple(self.row[name] for name in ("state", "provider_id", "later", "later_code"))

    def told(self, status: str, code: str = "", sid: str = "SM1", by: str = "callback") -> Told:
        """Return what Twilio tells of it."""
        return Told(str(self.row["message_id"]), "twilio", sid, by, text_fate(status, code))

    def take(self, *told: Told) -> None:
        """Take these."""
        for each in told:
            assert self.dispatcher.returns.take(each)

    def entries(self, kind: EntryKind) -> list[dict[str, Json]]:
        """Return the bodies of the ledger's entries of a kind."""
        with self.dispatcher.store.reading() as connection:
            return [entry.data() for entry in ledger.entries(connection, [kind.value])]

    @property
    def deaths(self) -> list[dict[str, Json]]:
        """Return the entries that tell of a dead address."""
        return [body for body in self.entries(EntryKind.ADDRESS) if body["event"] == "dead"]

    def change(self, **values: object) -> None:
        """Write columns of the row as they could stand."""

        def work(transaction: Transaction) -> None:
            connection = transaction.connection
            if "state" in values:
                state = MessageState(str(values["state"]))
                progress.changing(connection, connection.scalars(select(OutboxTable.id)), state=state)
            connection.execute(update(OutboxTable).values(**values))

        self.dispatcher.store.write(work)

    def findings(self) -> tuple[str, ...]:
        """Return what the audit of the year finds wrong."""
        return self.dispatcher.audit.year(2026).findings


@contextmanager
def texting(
    directory: Path, clock: FixedClock, database_url: str, journal_url: str, trouble: Trouble | None = None
) -> Iterator[Texts]:
    """Have one text message go to a Twilio that meets it with this trouble."""
    with (
        SmtpDouble() as smtp,
        TwilioDouble(ACCOUNT, API_KEY, API_SECRET, lambda _: trouble, clock) as sms,
    ):
        workshop = build(directory, clock, database_url, journal_url, Doubles(smtp, sms))
        with workshop.opened() as dispatcher:
            yield Texts(workshop, dispatcher, sms)
