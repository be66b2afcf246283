"""A client asks "why did I get this, or nothing?" -> each message and each silence, with the answer it rested on."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from dispatcher.errors import NotFoundError, RefusedError
from dispatcher.flow.looking import note_look
from dispatcher.flow.register import Register
from dispatcher.flow.relied import Relied, relied_on, told
from dispatcher.rules.actor import Actor
from dispatcher.rules.address import AddressError, read_address
from dispatcher.rules.budget import WINDOW
from dispatcher.rules.destroyed import MESSAGES, Destruction
from dispatcher.rules.ledger import EntryKind, Json, StoredEntry, stamp
from dispatcher.rules.message import NOT_COUNTED, MessageState
from dispatcher.storage import campaigns, clients, destroyed, dossier, entries
from dispatcher.storage.campaigns import Scheduled
from dispatcher.storage.database import Connection
from dispatcher.storage.store import Store


@dataclass(slots=True)
class Line:
    """Something that happened to a client, at `at` (aware UTC), by the entry of that number.

    `what` is `answer`, `message`, `withheld`, `service`, or `silence` where a campaign went and no entry tells of them;
    `destroyed` where whatever told of a campaign, or of the service messages of a year, was destroyed (see `gone`).
    A message has its `state`, the last that was told of it, and `nth`: how many had gone in the 365 local dates that
    end with its own, itself counted; one that is withheld has its `reason`. `relied` is the answer, or the one that a
    message relied on.
    """

    at: datetime
    entry: int | None
    what: str
    campaign: str | None = None
    title: str | None = None
    channel: str | None = None
    state: str | None = None
    reason: str | None = None
    nth: int | None = None
    relied: Relied | None = None
    gone: Destruction | None = None

    def as_json(self) -> dict[str, Json]:
        """Return the line with stable keys; times are UTC."""
        plain = ("entry", "what", "campaign", "title", "channel", "state", "reason", "nth")
        relied = self.relied.as_json() if self.relied else None
        told: dict[str, Json] = {"at": stamp(self.at), **{name: getattr(self, name) for name in plain}}
        gone = self.gone
        when: Json = {"year": gone.year, "at": stamp(gone.at), "seal": gone.seal} if gone else None
        return {**told, "answer": relied, "destroyed": when}


@dataclass(frozen=True, slots=True)
class Account:
    """What there is to tell: of a client line by line, of an address nobody has whether a no is kept for it.

    `kept` holds since when, and until when, a no is kept for the address of somebody who is no client.
    """

    client: int | None
    lines: tuple[Line, ...] = ()
    kept: tuple[tuple[datetime, datetime], ...] = ()

    def as_json(self) -> dict[str, Json]:
        """Return the account with stable keys; times are UTC."""
        kept: list[Json] = [{"since": stamp(since), "until": stamp(until)} for since, until in self.kept]
        return {"client": self.client, "lines": [line.as_json() for line in self.lines], "suppressions": kept}


class Accounts:
    """Tells a client's own story from the ledger; that somebody looked is on disk before anything is shown."""

    def __init__(self, store: Store, register: Register, region: str) -> None:
        self._store = store
        self._register = register
        self._region = region

    def of_client(self, words: str, actor: Actor, campaign: str | None = None) -> Account:
        """Return the account of the client whom these words mean, of one campaign where it is named.

        Raises NotFoundError for nobody, for several, and for a campaign that never was.
        """
        return self._told(self._register.find(words), actor, campaign)

    def of_address(self, words: str, actor: Actor, campaign: str | None = None) -> Account:
        """Return the account of the client who has this address; of one that nobody has, only whether a no is kept.

        Raises RefusedError for what is no address, NotFoundError where several clients share it.
        """
        try:
            channel, canonical = read_address(words, self._region)
        except AddressError as wrong:
            raise RefusedError(f"{words!r} is no email address or mobile number: {wrong}.") from None
        with self._store.reading() as connection:
            fits = sorted(clients.by_address(connection, [(channel, canonical)]).get((channel, canonical), ()))
            kept = dossier.suppressions(connection, self._store.ring, {channel: canonical}, self._store.clock())
        if len(fits) > 1:
            numbers = ", ".join(map(str, fits))
            raise NotFoundError(f"{len(fits)} clients share this address: ask about one of them by number ({numbers}).")
        if fits:
            return self._told(fits[0], actor, campaign)
        note_look(self._store, actor, "audit why", 0)
        return Account(None, kept=tuple((each.at, each.expires_at) for each in kept))

    def _told(self, client: int, actor: Actor, campaign: str | None) -> Account:
        note_look(self._store, actor, "audit why", 1, client)
        with self._store.reading() as connection:
            known = {each.id: each for each in campaigns.all_scheduled(connection)}
            wanted = _named(known.values(), campaign)
            story = _Story(connection, known, destroyed.told(connection))
            for entry in entries.of_client(connection, client):
                story.take(entry)
            lines = story.lines()
        return Account(client, tuple(each for each in lines if wanted is None or each.campaign == wanted.name))


class _Story:
    """Takes the entries of one client in order, and puts their lines together."""

    def __init__(self, connection: Connection, known: Mapping[int, Scheduled], gone: Sequence[Destruction]) -> None:
        self._connection = connection
        self._known = known
        self._years = gone
        self._gone = {campaign: each for each in gone for campaign in each.campaigns}
        self._since: datetime | None = None
        self._lines: list[Line] = []
        self._messages: dict[str, Line] = {}
        self._days: dict[str, date] = {}
        self._answers: list[StoredEntry] = []
        self._rests: list[tuple[Line, int]] = []
        self._heard: set[int] = set()

    def take(self, entry: StoredEntry) -> None:
        body = entry.data()
        self._since = self._since or entry.at
        if entry.campaign in self._gone and entry.kind in MESSAGES:
            return  # of a year that is being destroyed, what still stands tells half a story
        if entry.campaign is not None:
            self._heard.add(entry.campaign)
        if entry.kind == EntryKind.ANSWER.value:
            self._answers.append(entry)
            self._rests.append((self._add(entry, "answer"), entry.id))
        elif entry.kind == EntryKind.PLANNED.value:
            line = self._messages[str(body["message"])] = self._add(entry, "message")
            line.state = MessageState.WAITING.value
        elif entry.kind == EntryKind.SEND.value:
            self._send(entry, body, date.fromisoformat(str(body["day"])), body["answer"])
        elif entry.kind == EntryKind.WITHHELD.value:
            self._withhold(entry, str(body["reason"]), str(body.get("message")))
        elif entry.kind == EntryKind.SERVICE.value:
            self._service(entry, str(body["message"]), body)
        elif entry.kind in {EntryKind.OUTCOME.value, EntryKind.LATER.value}:
            self._end(str(body["message"]), str(body.get("outcome") or body.get("later") or ""))

    def lines(self) -> list[Line]:
        """Return the lines in time order, with the answers, and the silence of campaigns that went without an entry."""
        relied = told(self._connection, self._answers)
        missing = {number for _, number in self._rests} - relied.keys()
        relied |= relied_on(self._connection, missing)
        for line, number in self._rests:
            line.relied = relied.get(number)
        went = [each for each in self._known.values() if each.planned_at is not None and each.id not in self._heard]
        silent = [Line(each.planned_at or each.send_at, None, "silence", each.name, each.title) for each in went]
        for line, each in zip(silent, went, strict=True):
            is_known = self._since is not None and self._since <= line.at
            line.reason = "not_addressed" if is_known else "not_in_register_yet"
            if is_known and each.id in self._gone:
                line.what, line.reason, line.gone = "destroyed", None, self._gone[each.id]
        years = [
            Line(each.at, each.entry, "destroyed", gone=each)
            for each in self._years
            if self._since is not None and self._since.year <= each.year
        ]
        return sorted([*self._lines, *silent, *years], key=lambda line: (line.at, line.entry or 0))

    def _send(self, entry: StoredEntry, body: Mapping[str, Json], day: date, answer: Json) -> None:
        name, before = str(body["message"]), body.get("client_messages")
        line = self._messages.get(name)
        if line is None:
            line = self._messages[name] = self._add(entry, "message")
        line.at, line.entry, line.channel = entry.at, entry.id, entry.channel
        line.state = MessageState.ATTEMPTING.value
        self._days[name] = day
        nth = sum(day - WINDOW < each <= day for each in self._days.values())
        # Of messages that were destroyed since, only the count that the verdict used is left.
        line.nth = max(nth, before + 1) if self._gone and isinstance(before, int) else nth
        if isinstance(answer, int):
            self._rests.append((line, answer))

    def _withhold(self, entry: StoredEntry, reason: str, name: str) -> None:
        line = self._messages.pop(name, None) or self._add(entry, "withheld")
        line.at, line.entry, line.what, line.reason, line.state = entry.at, entry.id, "withheld", reason, None

    def _service(self, entry: StoredEntry, name: str, body: Mapping[str, Json]) -> None:
        line = self._messages.get(name)
        if line is None:
            line = self._messages[name] = self._add(entry, "service")
            line.title = str(body["purpose"])
        line.state = str(body.get("outcome") or body["event"])
        line.reason = str(body["reason"]) if body.get("reason") else line.reason

    def _end(self, name: str, state: str) -> None:
        line = self._messages.get(name)
        if line is None or not state:
            return
        line.state = state
        if state in NOT_COUNTED:
            self._days.pop(name, None)
            line.nth = None

    def _add(self, entry: StoredEntry, what: str) -> Line:
        campaign = self._known.get(entry.campaign or 0)
        line = Line(entry.at, entry.id, what, channel=entry.channel)
        if campaign is not None:
            line.campaign, line.title = campaign.name, campaign.title
        self._lines.append(line)
        return line


def _named(known: Iterable[Scheduled], campaign: str | None) -> Scheduled | None:
    if campaign is None:
        return None
    found = next((each for each in known if each.name == campaign), None)
    if found is None:
        raise NotFoundError(f"There is no campaign {campaign!r}: run `dispatcher campaign list` to see them.")
    return found
