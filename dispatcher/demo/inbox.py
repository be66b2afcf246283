"""The inbox: every mail as it looks, as text and as it came over the wire, and every text message with its parts.

Plain files that open from disk, without a script and with nothing loaded from elsewhere. Whatever the received bytes
hold is escaped; a mail's HTML is shown in a frame that may run nothing.
"""

import html
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from functools import cache
from pathlib import Path
from string import Template

from dispatcher.demo.account import Account
from dispatcher.demo.people import Person, Role
from dispatcher.demo.places import Places
from dispatcher.demo.scene import Taken
from dispatcher.demo.smtp_double import ReceivedMail
from dispatcher.demo.twilio_double import ReceivedSms
from dispatcher.demo.visitor import OpenedMail, open_mail
from dispatcher.rendering.preview import page_of
from dispatcher.rules import cost
from dispatcher.rules.cost import Priced, Tariff
from dispatcher.rules.sms import Encoding, Parts, measure

PAGES = Path(__file__).parent / "pages"
_SHOWN_HEADERS = (
    "From",
    "Reply-To",
    "To",
    "Date",
    "Message-ID",
    "List-Id",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
)
_PART_UNITS = {Encoding.GSM7: 153, Encoding.UCS2: 67}


@dataclass(frozen=True, slots=True)
class Item:
    """One message in the list: the number of its page, whom it reached, and what the list says of it."""

    number: int
    name: str
    line: str
    when: str
    note: str

    @property
    def page(self) -> str:
        """Return the file of its page."""
        return f"{self.number:04}.html"


class Directory:
    """Who lives at which address, so that the inbox can say a name."""

    def __init__(self, people: Sequence[Person], *, tells: bool = True) -> None:
        self._tells = tells
        self._by_address = {
            address: person for person in people for address in (person.email, person.mobile) if address
        }

    def name(self, address: str) -> str:
        """Return who reads what comes to an address, or the address where nobody is known."""
        person = self._by_address.get(address)
        return person.name if person else address

    def note(self, address: str) -> str:
        """Return what part this reader has in the story, or nothing."""
        person = self._by_address.get(address)
        return person.role.value if self._tells and person and person.role in _TOLD else ""


_TOLD = frozenset({Role.LINK, Role.ONE_CLICK, Role.DESK, Role.BUSY, Role.LOST})


def write_inbox(
    places: Places, account: Account, people: Sequence[Person], received: Mapping[str, Taken], tariff: Tariff
) -> None:
    """Write the inbox page and, for every message of each of the account's campaigns, its page and its own file."""
    directory = Directory(people)
    shutil.copyfile(PAGES / "inbox.css", places.pages / "inbox.css")
    total = sum(len(taken.mails) + len(taken.sms) for taken in received.values())
    sections: list[str] = []
    told: list[Item] = []
    number = 0
    for sent in account.campaigns:
        taken = received[sent.name]
        items: list[Item] = []
        for mail in taken.mails:
            number += 1
            items.append(_write_mail(places, number, total, mail, directory))
        for sms in taken.sms:
            number += 1
            items.append(_write_sms(places, (number, total), sms, sent.moment, directory, tariff))
        told += [item for item in items if item.note]
        # What happened to them happened in the first campaign; in the next they are clients like any other.
        directory = Directory(people, tells=False)
        counts = f"{len(taken.mails)} mails, {len(taken.sms)} text messages for {_price(taken.sms, tariff)}"
        sections.append(_section(sent.title, counts, items))
    places.inbox.write_text(
        page(
            "inbox.html",
            studio=account.studio,
            mails=sum(len(taken.mails) for taken in received.values()),
            texts=sum(len(taken.sms) for taken in received.values()),
            cost=_costs([sms for taken in received.values() for sms in taken.sms], tariff),
            story=Markup(_section("The people of the story", "what reached them", told)),
            campaigns=Markup("\n".join(sections)),
        ),
        encoding="utf-8",
    )


class Markup(str):
    """Text that is HTML already and goes into a page as it is."""

    __slots__ = ()


def page(template: str, **values: object) -> str:
    """Return one of the pages with its holes filled; everything but Markup is escaped."""
    return _template(template).substitute(
        {name: value if isinstance(value, Markup) else html.escape(str(value)) for name, value in values.items()}
    )


def parts_of(text: str) -> tuple[Parts, list[str]]:
    """Return how a text message is sent, and the text of each of its parts."""
    parts = measure(text)
    if parts.segments == 1:
        return parts, [parts.text]
    found, used = [""], 0
    for char in parts.text:
        width = (2 if ord(char) > 0xFFFF else 1) if parts.encoding is Encoding.UCS2 else measure(char).units
        if used + width > _PART_UNITS[parts.encoding]:
            found.append("")
            used = 0
        found[-1] += char
        used += width
    return parts, found


@cache
def _template(name: str) -> Template:
    return Template((PAGES / name).read_text(encoding="utf-8"))


def _write_mail(places: Places, number: int, total: int, mail: ReceivedMail, directory: Directory) -> Item:
    opened = open_mail(mail.content)
    name, file = directory.name(mail.recipient), f"{number:04}.eml"
    when, note = _sent_at(opened), directory.note(mail.recipient)
    (places.mail / file).write_bytes(mail.content)
    item = Item(number, name, opened.header("Subject"), when, note)
    shown = page(
        "mail.html",
        subject=opened.header("Subject"),
        note=f"{name} {note}." if note else "",
        neighbours=_neighbours(number, total),
        headers=_headers({name: opened.header(name) for name in _SHOWN_HEADERS}),
        html=_in_frame(page_of(mail.content)),
        text=opened.text,
        file=file,
        source=mail.content.decode("ascii", errors="replace").replace("\r\n", "\n"),
    )
    (places.pages / item.page).write_text(shown, encoding="utf-8")
    return item


def _write_sms(
    places: Places, place: tuple[int, int], sms: ReceivedSms, moment: datetime, directory: Directory, tariff: Tariff
) -> Item:
    measured, parts = parts_of(sms.text)
    number, total = place
    name, note = directory.name(sms.recipient), directory.note(sms.recipient)
    how = f"{sms.segments} {'part' if sms.segments == 1 else 'parts'}, {measured.units} units of {measured.encoding}"
    price = _price([sms], tariff)
    head = f"From: {sms.sender}\nTo: {sms.recipient}\nParts: {how}\nCost: {price}\nService's id: {sms.sid}\n"
    (places.sms / f"{number:04}.txt").write_text(f"{head}\n{sms.text}\n", encoding="utf-8")
    item = Item(number, name, sms.text, f"{moment:%d.%m. %H:%M}", note)
    shown = page(
        "sms.html",
        recipient=sms.recipient,
        name=name,
        note=f"{name} {note}." if note else "",
        neighbours=_neighbours(number, total),
        headers=_headers({"From": sms.sender, "To": sms.recipient, "Service's id": sms.sid}),
        sender=sms.sender,
        parts=Markup("\n".join(_bubble_parts(parts))),
        measure=how,
        cost=_costs([sms], tariff),
    )
    (places.pages / item.page).write_text(shown, encoding="utf-8")
    return item


def _price(texts: Sequence[ReceivedSms], tariff: Tariff) -> str:
    """Return what text messages cost, their parts as the service counts them."""
    return f"{cost.total(Counter(_priced(sms, tariff) for sms in texts))} €"


def _costs(texts: Sequence[ReceivedSms], tariff: Tariff) -> str:
    parts = Counter[Decimal]()
    for priced in (_priced(sms, tariff) for sms in texts):
        parts[priced.part_price] += priced.parts
    told = [f"{number} {'part' if number == 1 else 'parts'} at {price} €" for price, number in sorted(parts.items())]
    return f"Cost: {_price(texts, tariff)} ({', '.join([*told, 'as dispatcher.toml has it'])})."


def _priced(sms: ReceivedSms, tariff: Tariff) -> Priced:
    return Priced(sms.segments, tariff.price(sms.recipient))


def _bubble_parts(parts: Sequence[str]) -> Iterator[str]:
    for index, part in enumerate(parts, start=1):
        label = f"<small>Part {index} of {len(parts)}</small>" if len(parts) > 1 else ""
        yield f"<p>{label}{_linked(part)}</p>"


def _linked(text: str) -> str:
    """Return a text escaped, its web address a link; one that two parts share stays text."""
    before, scheme, rest = text.partition("http://")
    if not scheme:
        return html.escape(text)
    link, gap, after = rest.partition(" ")
    url = html.escape(scheme + link)
    return f'{html.escape(before)}<a href="{url}" target="_blank" rel="noreferrer">{url}</a>{html.escape(gap + after)}'


def _section(title: str, counts: str, items: Sequence[Item]) -> str:
    rows = "\n".join(_row(item) for item in items)
    head = f"{html.escape(title)}<span>{html.escape(counts)}</span>"
    return f"<details open>\n<summary>{head}</summary>\n<ol>\n{rows}\n</ol>\n</details>"


def _row(item: Item) -> str:
    note = f"<em>{html.escape(item.note)}</em>" if item.note else ""
    return (
        f'<li><a href="inbox/{item.page}" target="reader"><b>{html.escape(item.name)}</b><time>{item.when}</time>'
        f"<i>{html.escape(item.line)}</i>{note}</a></li>"
    )


def _neighbours(number: int, total: int) -> Markup:
    links = [(number - 1, "← Previous"), (number + 1, "Next →")]
    return Markup(" ".join(f'<a href="{n:04}.html">{words}</a>' for n, words in links if 1 <= n <= total))


def _headers(shown: Mapping[str, str]) -> Markup:
    rows = (f"<dt>{html.escape(name)}</dt><dd>{html.escape(value)}</dd>" for name, value in shown.items() if value)
    return Markup("\n".join(rows))


def _in_frame(mail: str) -> str:
    """Let the links of a mail open beside it, not inside its frame."""
    return mail.replace("<head>", '<head><base target="_blank">', 1)


def _sent_at(mail: OpenedMail) -> str:
    try:
        return f"{parsedate_to_datetime(mail.header('Date')):%d.%m. %H:%M}"
    except ValueError:
        return ""
