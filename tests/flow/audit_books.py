"""Years to audit, written by hand: a wide one of twelve campaigns, a broken one, and one in which nothing happened."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from dispatcher.flow.audit import judged
from dispatcher.flow.audit_damage import Verification
from dispatcher.flow.audit_year import YearAudit
from dispatcher.rules.campaign import Channel
from dispatcher.rules.ledger import EntryKind, Json, stamp
from dispatcher.rules.seal import Seal, SealReason
from tests.rules.audit_book import Book, noon

YEAR = 2026
OVER = date(2027, 1, 4)
TITLES = (
    *("Tammikuun valo", "Ystävänpäivä", "Kevätpäivän hoidot", "Pääsiäistarjous", "Äitienpäivä kahdelle", "Kesän alku"),
    *("Keskikesä", "Elokuun kuutamo", "Syyskuun hoitopäivät ja uudet ajat", "Ruska", "Isänpäivä", "Joulun rauha"),
)
SEAL = Seal(
    number=412,
    at=datetime(2027, 1, 4, 2, 15, tzinfo=UTC),
    reason=SealReason.DAY,
    workspace="0" * 32,
    heads=tuple((chain, 300 + chain, f"{chain}" * 64) for chain in range(8)),
    entries=12_345,
    previous="a" * 64,
    key="seal-1",
    public="b" * 64,
    signature="c" * 128,
)
REASONS = ("channel_consent_missing", "consent_expired", "frequency_cap")


def wide() -> YearAudit:
    """Return a year of twelve campaigns to 230 clients, with noes, refusals, requests and mail beside the campaigns."""
    book = Book(YEAR)
    yes = {client: _yes(book, client) for client in range(1, 231)}
    for number, title in enumerate(TITLES, start=1):
        _campaign(book, number, title, yes)
        _afterwards(book, number, sorted(yes))
        for client in sorted(yes)[:: 40 + number][:3]:
            _no(book, client, day_of(number) + timedelta(days=1), number)
            del yes[client]
    _beside(book)
    return replace(_closed(book), seal=SEAL)


def broken() -> YearAudit:
    """Return a year in which three messages left after a no, one without an answer, and a request waited too long."""
    book = Book(YEAR)
    yes = {client: _yes(book, client) for client in range(1, 9)}
    for client in (1, 2, 3):
        _no(book, client, date(2026, 2, 1), client)
    _campaign(book, 1, "Kevään avaus", yes)
    asked: dict[str, Json] = {"event": "opened", "request": 1, "kind": "access"}
    book.write(EntryKind.REQUEST, noon(date(2026, 3, 1)), asked, client=4)
    book.write(EntryKind.CAMPAIGN, noon(date(2026, 3, 2)), {"event": "held", "reason": "late"}, campaign=1)
    _answerless(book)
    return _closed(book, Verification(4_321, 987, (), 1))


def empty() -> YearAudit:
    """Return a year in which nothing happened."""
    return _closed(Book(YEAR))


def day_of(number: int) -> date:
    """Return the day of a campaign of the wide year."""
    return date(YEAR, number, 6)


def _closed(book: Book, chain: Verification | None = None) -> YearAudit:
    book.recount.close()
    return judged(book.recount, chain or Verification(12_345, 2_311), [], OVER)


def _yes(book: Book, client: int) -> int:
    at = datetime(2025, 12, 16, 9, tzinfo=UTC) + timedelta(days=client % 20)
    channel = Channel.SMS if client % 5 == 0 else Channel.EMAIL
    place = ("online", "phone", "in_person")[client % 3]
    return book.answer(client, "granted", at, channel, place=place)


def _campaign(book: Book, number: int, title: str, yes: dict[int, int]) -> None:
    day = day_of(number) if len(yes) > 20 else date(YEAR, 3, 1)
    scheduled: dict[str, Json] = {"event": "scheduled", "name": f"c{number}", "title": title, "kind": "offer"}
    book.begin(number, day)
    book.write(EntryKind.CAMPAIGN, noon(day), scheduled, campaign=number)
    for client, answer in yes.items():
        channel = Channel.SMS if client % 5 == 0 else Channel.EMAIL
        book.plan(number, client, day, channel)
        more: dict[str, Json] = {"parts": 1, "part_price": "0.08"} if channel is Channel.SMS else {}
        book.send(number, client, day, answer, channel, **more)
        outcome = (
            "refused" if (client + number) % 71 == 0 else "unknown" if (client + number) % 113 == 0 else "accepted"
        )
        book.outcome(number, client, day, outcome)
    for client in range(300, 300 + 3 * number):
        body: dict[str, Json] = {"reason": REASONS[client % 3], "at": "planning"}
        book.write(EntryKind.WITHHELD, noon(day), body, client=client, campaign=number)
    book.write(EntryKind.CAMPAIGN, noon(day), {"event": "finished"}, campaign=number)


def _afterwards(book: Book, number: int, clients: list[int]) -> None:
    for client in clients[:10]:
        told = "bounced" if client % 9 == 0 else "delivered"
        body: dict[str, Json] = {"message": f"{number}-{client}", "later": told, "was": None, "codes": []}
        book.write(EntryKind.LATER, noon(day_of(number)), body, client=client, campaign=number)


def _no(book: Book, client: int, day: date, number: int) -> None:
    at = noon(day)
    said = at - timedelta(seconds=(0, 40, 5_000, 90_000)[number % 4])
    place = ("link", "one_click", "desk", "complaint")[number % 4]
    body: dict[str, Json] = {
        "reply": "withdrawn",
        "not_before": stamp(said),
        "not_after": stamp(said),
        "place": place,
        "wording": None,
    }
    book.write(EntryKind.ANSWER, at, body, client=client)


def _beside(book: Book) -> None:
    for number, (purpose, channel) in enumerate((("confirmation", Channel.EMAIL), ("test", Channel.SMS)) * 4):
        at = noon(date(YEAR, 5, 1 + number))
        about: dict[str, Json] = {"purpose": purpose, "message": f"s{number}"}
        for event in ({"event": "asked"}, {"event": "sent"}, {"event": "outcome", "outcome": "accepted"}):
            book.write(EntryKind.SERVICE, at, {**about, **event}, channel=channel)
    for number, (kind, days) in enumerate((("access", 3), ("erasure", 12), ("access", 9)), start=1):
        asked = date(YEAR, 6, number)
        about = {"request": number, "kind": kind}
        book.write(EntryKind.REQUEST, noon(asked), {"event": "opened", **about}, client=number)
        done: dict[str, Json] = {"event": "closed", "outcome": "done", **about}
        book.write(EntryKind.REQUEST, noon(asked + timedelta(days=days)), done, client=number)
    book.write(EntryKind.IMPORT, noon(date(YEAR, 12, 1)), {"event": "looked_over", "visited": 2_000, "asked": 1_893})
    book.write(EntryKind.CAMPAIGN, noon(date(YEAR, 8, 6)), {"event": "held", "reason": "interrupted"}, campaign=8)
    book.write(EntryKind.CAMPAIGN, noon(date(YEAR, 8, 7)), {"event": "finished"}, campaign=8)


def _answerless(book: Book) -> None:
    book.plan(1, 77, date(YEAR, 3, 1))
    book.send(1, 77, date(YEAR, 3, 1), 1)
    book.outcome(1, 77, date(YEAR, 3, 1))
