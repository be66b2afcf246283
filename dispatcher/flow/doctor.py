"""Settings, files and database -> whether everything is in order to send; the network is never asked.

It runs by hand, before a campaign gets its slot, and before the first message of one leaves. An error refuses.
"""

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dispatcher.errors import DispatcherError, RefusedError, StorageError
from dispatcher.flow.keyring import Keyring
from dispatcher.flow.notices import Notices
from dispatcher.flow.policy import Policy
from dispatcher.keys import KeyKind
from dispatcher.rules import doctor
from dispatcher.rules.calendar import local_date
from dispatcher.rules.campaign import Language
from dispatcher.rules.doctor import Concern, Finding, Host, Level, Sender
from dispatcher.rules.ledger import EntryKind
from dispatcher.rules.letterbox import Letterbox, letterbox
from dispatcher.rules.processing import Processing
from dispatcher.rules.signing import Signing, signing
from dispatcher.storage import health, ledger, readings
from dispatcher.storage.database import Connection
from dispatcher.storage.doors import DoorRow
from dispatcher.storage.store import Store

_AGAIN = timedelta(minutes=1)
"""How long a refusal stands before everything is looked at anew: who keeps the time asks every second."""
_NEED_TABLES = (
    Concern.NOTICE,
    Concern.KEYS,
    Concern.CLOCK,
    Concern.JOURNAL,
    Concern.DISK,
    Concern.IMPORT,
    Concern.DOORS,
)


@dataclass(frozen=True, slots=True)
class Grounds:
    """What the settings say, as far as the doctor judges it; `secrets` and `directory` are on this machine.

    `register` is how old the last import may be; `signing` and `letterbox` are None where
    the keys could not be asked for yet.
    """

    processing: Processing
    sender: Sender
    hosts: Sequence[Host]
    register: timedelta
    secrets: Path
    directory: Path
    eu_only: bool
    signing: Signing | None = None
    letterbox: Letterbox | None = None


def free_space(directory: Path) -> int:
    """Return how many bytes are free where a directory lies."""
    return shutil.disk_usage(directory).free


class Doctor:
    """Looks an open installation over.

    `free` tells the free bytes of a directory's disk, `doors` how each letter box stands.
    """

    def __init__(
        self,
        store: Store,
        policy: Policy,
        keyring: Keyring,
        notices: Notices,
        grounds: Grounds,
        free: Callable[[Path], int] = free_space,
        doors: Callable[[], Sequence[DoorRow]] = tuple,
    ) -> None:
        self._doors = doors
        self._store = store
        self._policy = policy
        self._keyring = keyring
        self._notices = notices
        self._grounds = grounds
        self._free = free
        self._refusal: tuple[datetime, str] | None = None

    def examine(self, connection: Connection | None = None) -> list[Finding]:
        """Return what was found of every concern, in their order; what needs tables is left out where they are not.

        With a connection, what can be read in its transaction is.
        """
        found = [*from_settings(self._grounds, self._today()), *self._database()]
        if any(finding.level is Level.ERROR for finding in found if finding.concern is Concern.MIGRATIONS):
            found += [doctor.unseen(concern, Concern.MIGRATIONS) for concern in _NEED_TABLES]
        else:
            with self._reading(connection) as reading:
                found += [*self._notice(), *self._keys(reading), *self._journal(), *self._clock(reading)]
                found += [*self._disk(reading), *self._import(reading), *self._letter_boxes()]
        order = list(Concern)
        return sorted(found, key=lambda finding: order.index(finding.concern))

    def refuse_unless_well(self, connection: Connection | None = None) -> None:
        """Raise RefusedError naming every error and its fix, if there is any.

        A refusal stands for a minute before everything is looked at anew.
        """
        now = self._store.clock()
        if self._refusal is None or not self._refusal[0] <= now < self._refusal[0] + _AGAIN:
            errors = [each for each in self.examine(connection) if each.level is Level.ERROR]
            lines = [f"  {each.concern.value}: {each.says}{f' {each.fix}' if each.fix else ''}" for each in errors]
            told = "\n".join(["Nothing is sent until this is in order (`dispatcher doctor` looks again):", *lines])
            self._refusal = (now, told) if errors else None
        if self._refusal is not None:
            raise RefusedError(self._refusal[1])

    def _database(self) -> Iterator[Finding]:
        for concern, look, well in (
            (Concern.MIGRATIONS, self._store.database.check_current, "The tables are those of this version."),
            (Concern.DURABILITY, self._store.database.check_durable, "Every commit is on disk before it is answered."),
        ):
            try:
                look()
            except DispatcherError as error:
                yield doctor.broken(concern, str(error))
            else:
                yield Finding(concern, Level.OK, well)

    def _notice(self) -> list[Finding]:
        versions = self._notices.published()
        today = {language: self._notices.today(language).text() for language in Language}
        names = [each.name for each in self._grounds.processing.processors]
        return doctor.notice(dict(versions[-1].texts) if versions else None, today, names)

    def _keys(self, connection: Connection) -> list[Finding]:
        try:
            told = self._keyring.check_keys(self._grounds.secrets)
        except OSError as error:
            name = self._grounds.secrets.name
            told = [f"The key file {name} cannot be read ({error.strerror}). Put back the copy you keep of it."]
        found = [doctor.broken(Concern.KEYS, sentence) for sentence in told]
        found += doctor.old_keys(self._since(connection), self._store.clock())
        return found or [Finding(Concern.KEYS, Level.OK, "Every key the data needs is there, for its owner alone.")]

    def _journal(self) -> list[Finding]:
        told = self._keyring.check_journal()
        try:
            self._store.check_trusted()
        except StorageError as error:
            told.append(str(error))
        found = [doctor.broken(Concern.JOURNAL, sentence) for sentence in dict.fromkeys(told)]
        well = "The journal is whole, and the database knows all of it."
        return found or [Finding(Concern.JOURNAL, Level.OK, well)]

    def _since(self, connection: Connection) -> dict[str, datetime]:
        """Return since when each kind's current key has been that, by the ledger."""
        opened = health.opened_at(connection)
        since = {kind.value: opened for kind in KeyKind} if opened is not None else {}
        for entry in ledger.entries_of_nobody(connection, EntryKind.KEYS.value):
            since[str(entry.data().get("kind"))] = entry.at
        return since

    def _clock(self, connection: Connection) -> list[Finding]:
        zone = self._policy.zone.key
        try:
            ZoneInfo.no_cache(zone)
            is_known = True
        except (ZoneInfoNotFoundError, ValueError, OSError):
            is_known = False
        return doctor.clock(self._store.clock(), health.newest_entry(connection), zone, zone_known=is_known)

    def _disk(self, connection: Connection) -> list[Finding]:
        opened, now = health.opened_at(connection), self._store.clock()
        age = now - opened if opened else timedelta()
        return doctor.disk(self._free(self._grounds.directory), health.size(connection), age)

    def _import(self, connection: Connection) -> list[Finding]:
        last = readings.last_whole(connection)
        return doctor.imported(last.finished_at if last else None, self._store.clock(), self._grounds.register)

    def _letter_boxes(self) -> list[Finding]:
        every = [(row.name, row.read_up_to, row.trouble) for row in self._doors()]
        return doctor.doors(every, self._policy.zone)

    def _today(self) -> date:
        return local_date(self._store.clock(), self._policy.zone)

    @contextmanager
    def _reading(self, connection: Connection | None) -> Iterator[Connection]:
        if connection is not None:
            yield connection
            return
        with self._store.reading() as reading:
            yield reading


def from_settings(grounds: Grounds, today: date) -> list[Finding]:
    """Return what can be judged of the settings without a database."""
    return [
        Finding(Concern.SETTINGS, Level.OK, "The settings can be read."),
        *doctor.sender(grounds.sender),
        *(signing(grounds.signing) if grounds.signing else ()),
        *(letterbox(grounds.letterbox) if grounds.letterbox else ()),
        *doctor.processors(grounds.processing, today, eu_only=grounds.eu_only),
        *doctor.hosts(grounds.hosts, eu_only=grounds.eu_only),
    ]


def unopened(found: Sequence[Finding], first: Concern) -> list[Finding]:
    """Return these findings, and of every other concern that it waits for this one."""
    seen = {finding.concern for finding in found}
    order = list(Concern)
    waiting = [doctor.unseen(concern, first) for concern in Concern if concern not in seen]
    return sorted([*found, *waiting], key=lambda finding: order.index(finding.concern))
