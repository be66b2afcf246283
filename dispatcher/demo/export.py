"""What the invented studio's booking system exports: the people as rows, with every mess that years of typing leave."""

import csv
import io
import random
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta

from dispatcher.demo.people import Has, Person, Said
from dispatcher.rules.campaign import Language

COLUMNS = (
    *("asiakasnumero", "etunimi", "sukunimi", "sähköposti", "puhelin", "kieli", "viimeisin käynti"),
    *("markkinointilupa", "tekstiviestilupa", "lupa annettu", "lupa kysytty", "suoramarkkinointikielto"),
    *("hoito", "hoitaja", "muistiinpanot", "saldo"),
)
"""The header. The program reads the first twelve columns; the last four must never enter it."""
UNREAD = COLUMNS[12:]
TREATMENTS = ("KLA-60 klassinen", "KUU-75 kuumakivi", "JAL-45 jalat", "TUR-90 turve", "PAR-45 pari", "SAU-90 sauna")
NOTES = (
    *("toivoo kovaa otetta hartioihin", "selkä vaivaa hiihdon jälkeen", "ei tuoksuja, kiitos", "tulee aina myöhässä"),
    *("allergia: lanoliini", "pitää hiljaisuudesta", "niska jumissa päätetyöstä"),
)
"""What must not be found anywhere in the program's files afterwards; about health, so of all columns the worst."""

DUPLICATES = 5
BROKEN = 10
"""How many rows February's export has besides one for each client: clients told twice, and rows to be rejected."""

Row = dict[str, str]

_YES = ("kyllä", "kyllä", "kyllä", "Kyllä", "KYLLÄ", "k", "x", "joo", "1")
_NO = ("ei", "ei", "Ei", "EI", "e", "0")
_NOTHING = ("", "", "", "-", "ei kysytty")
_TAKEN_BACK = ("peruttu", "Perunut", "kielto")
_PLACES = ("verkossa", "verkossa", "verkkovaraus", "puhelimitse", "liike", "vastaanotto", "sähköpostitse")
_LANGUAGES = {
    Language.FI: ("suomi", "suomi", "fi", "FI", "", ""),
    Language.SV: ("ruotsi", "sv", "svenska", "sv-FI"),
    Language.EN: ("englanti", "en", "English", "en-GB"),
}
_THERAPISTS = ("Suvi", "Pia", "Marko")
_DAY_STYLES: tuple[Callable[[date], str], ...] = (
    lambda day: f"{day.day}.{day.month}.{day.year}",
    lambda day: f"{day:%d.%m.%Y}",
    lambda day: f"{day.day}.{day.month}.{day.year} klo 14.05",
    lambda day: f"{day:%Y-%m-%d}",
)
PHONE_STYLES: Mapping[str, Callable[[str], str]] = {
    "national": lambda n: f"0{n}",
    "spaced": lambda n: f"0{n[:2]} {n[2:5]} {n[5:]}",
    "dashed": lambda n: f"0{n[:2]}-{n[2:5]} {n[5:]}",
    "slashed": lambda n: f"0{n[:2]}/{n[2:]}",
    "bracketed": lambda n: f"(0{n[:2]}) {n[2:]}",
    "dotted": lambda n: f"0{n[:2]}.{n[2:5]}.{n[5:]}",
    "international": lambda n: f"+358 {n[:2]} {n[2:5]} {n[5:]}",
    "both prefixes": lambda n: f"+358 (0){n[:2]} {n[2:5]} {n[5:]}",
    "double zero": lambda n: f"00358{n}",
    "lost zero": lambda n: n,
    "lost zero, as an amount": lambda n: f"{n}.0",
}
"""How people, and spreadsheets, write one Finnish mobile number; the argument has nine digits and no prefix."""
_HALF = 250
"""Extra rows stand in the second half of the file, the rows they repeat in the first."""
_LANDLINES = ("016 555 0123", "09 555 0142", "+358 16 5550 199")


class Exporter:
    """Writes the rows of the two exports; a person's cells stay as they were typed from one export to the next."""

    def __init__(self, rng: random.Random, people: Sequence[Person]) -> None:
        self._rng = rng
        self._people = people
        self._rows = [self._row(1001 + index, person) for index, person in enumerate(people)]

    def february(self) -> bytes:
        """Return the export of 1 February: Windows-1252, semicolons; letters it lacks have become question marks."""
        rows: list[Sequence[str]] = [list(row.values()) for row in self._rows]
        for extra in (*self._duplicates(), *self._broken()):
            rows.insert(self._rng.randrange(_HALF, len(rows)), extra)
        return _csv([*rows, *self._doubtful()]).encode("cp1252", errors="replace")

    def march(self) -> bytes:
        """Return the export of 2 March: UTF-8 with a mark; tidied up, with every letter, and with what is new."""
        rows = [
            list(self._by_march(row, person).values()) for row, person in zip(self._rows, self._people, strict=True)
        ]
        return _csv(rows).encode("utf-8-sig")

    def _row(self, number: int, person: Person) -> Row:
        group, pick = person.group, self._rng.choice
        cells = (
            *(str(number), person.first_name, person.last_name, self._email(person), self._phone(person)),
            "saame" if person.is_sami and person.role is None else pick(_LANGUAGES[person.language]),
            self._visit(),
            *(self._reply(group.mail), self._reply(group.sms)),
            pick(_DAY_STYLES)(person.answered) if person.answered and _has_answered(person) else "",
            pick(_PLACES) if group.has_place and _has_answered(person) else "",
            pick(("x", "kyllä")) if group.is_banned else pick(("", "", "ei")),
            *(pick(TREATMENTS), pick(_THERAPISTS), pick((*NOTES, "", "", "")), pick(("0,00", "0,00", "49,00"))),
        )
        return dict(zip(COLUMNS, cells, strict=True))

    def _by_march(self, row: Row, person: Person) -> Row:
        new = dict(row)
        if person.group.by_march and person.answered_by_march:
            new["markkinointilupa"] = self._reply(person.group.by_march[0])
            new["lupa annettu"] = self._rng.choice(_DAY_STYLES)(person.answered_by_march)
            new["lupa kysytty"] = self._rng.choice(_PLACES)
        if person.new_mobile:
            new["puhelin"] = person.new_mobile
        return new

    def _reply(self, said: Said) -> str:
        words = {Said.YES: _YES, Said.NO: _NO, Said.NOTHING: _NOTHING, Said.TAKEN_BACK: _TAKEN_BACK}
        return self._rng.choice(words[said])

    def _email(self, person: Person) -> str:
        if person.group.has is Has.MOBILE_AND_BROKEN_EMAIL:
            return self._rng.choice(("ei ole", "maija(at)posti.example", "tuntematon@", "veikko@posti,example"))
        email = person.email or ""
        if person.role is not None or not email:
            return email
        local, _, domain = email.partition("@")
        return self._rng.choice((email, email, email, email, f" {email} ", email.title(), f"{local}@{domain.upper()}"))

    def _phone(self, person: Person) -> str:
        if person.mobile is None:
            no_number = ("", "", "-", *_LANDLINES) if person.email else ("",)
            return self._rng.choice(no_number)
        if not person.mobile.startswith("+358"):
            return person.mobile
        return self._rng.choice(list(PHONE_STYLES.values()))(person.mobile.removeprefix("+358"))

    def _visit(self) -> str:
        if self._rng.random() < 0.08:
            return ""
        return self._rng.choice(_DAY_STYLES[:2])(date(2026, 1, 30) - timedelta(days=self._rng.randrange(330)))

    def _duplicates(self) -> list[list[str]]:
        """Return clients who stand in the export twice and say the same: by number, or by address alone."""
        twice = self._rng.sample([row for row in self._rows[:_HALF] if "@" in row["sähköposti"]], DUPLICATES)
        for_address_alone = [row | {"asiakasnumero": "", "hoito": self._rng.choice(TREATMENTS)} for row in twice[:2]]
        typed_again = [row | {"sähköposti": row["sähköposti"].strip().upper()} for row in twice[2:]]
        return [list(row.values()) for row in (*for_address_alone, *typed_again)]

    def _broken(self) -> list[list[str]]:
        """Return a row for each way to be broken; each is rejected with its reason, and none stops the others."""
        whole = self._whole()
        spoilt: tuple[Row, ...] = (
            {"sähköposti": "marjatta.esimerkki(at)posti.example", "puhelin": ""},
            {"sähköposti": "", "puhelin": "016 555 0177"},
            {"etunimi": '=HYPERLINK("http://voitto.example";"Voitit!")'},
            {"etunimi": "Kalle\r\nBcc: kaikki@posti.example"},
            {"etunimi": "Kalle =?utf-8?q?=0D=0ABcc=3A?="},
            {"markkinointilupa": "ehkä"},
            {"lupa annettu": "viime kesänä"},
        )
        new = [
            whole
            | {"asiakasnumero": str(1801 + index), "sähköposti": f"rikki{index}@posti.example", "puhelin": ""}
            | cells
            for index, cells in enumerate(spoilt)
        ]
        torn = whole | {"asiakasnumero": "1850", "sähköposti": "katkos@posti.example", "muistiinpanot": "tuli; meni"}
        return [*(list(row.values()) for row in new), ";".join(torn.values()).split(";")]

    def _doubtful(self) -> list[list[str]]:
        """Return rows that only contradict what stands above them: one fits two customers, one has another name."""
        shared = next(row for row in self._rows if row["sähköposti"].strip().casefold().startswith("perhe."))
        return [
            list((shared | {"asiakasnumero": "", "puhelin": ""}).values()),
            list((self._whole() | {"sukunimi": "Toinen"}).values()),
        ]

    def _whole(self) -> Row:
        """Return a row in which nothing is wrong."""
        return next(row for row in self._rows if "@" in row["sähköposti"] and _is_a_yes(row))


def _has_answered(person: Person) -> bool:
    return person.group.mail is not Said.NOTHING or person.group.sms is not Said.NOTHING


def _is_a_yes(row: Row) -> bool:
    return row["markkinointilupa"].casefold() in {word.casefold() for word in _YES} and bool(row["lupa annettu"])


def _csv(rows: Sequence[Sequence[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=";", lineterminator="\r\n").writerow(COLUMNS)
    for row in rows:
        if len(row) > len(COLUMNS):
            # A booking system that forgets its quotation marks tears a cell in two.
            text.write(";".join(row) + "\r\n")
        else:
            csv.writer(text, delimiter=";", lineterminator="\r\n").writerow(row)
    return text.getvalue()
