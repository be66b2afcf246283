"""The audit as text, JSON and CSV: five questions in words, and the same numbers in every format."""

import csv
import io
import json
import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from dispatcher.flow.audit_formats import table_csv, to_csv, to_text
from dispatcher.flow.audit_tables import NAMES, Table, is_number, tables, worded
from dispatcher.flow.audit_words import page_one, sentences, span_text
from dispatcher.flow.audit_year import YearAudit
from dispatcher.rules.audit_counts import slot_findings, slot_remarks
from dispatcher.rules.budget import Slot
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.consent import Place
from dispatcher.rules.decision import Reason
from dispatcher.rules.message import ServicePurpose
from dispatcher.rules.rights import RequestKind
from dispatcher.rules.sayings import say
from dispatcher.rules.sentence import Sentence
from dispatcher.texts import text
from tests.flow.audit_books import broken, empty, wide
from tests.flow.translated import digits, untranslated

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "audit.schema.json").read_text("utf-8"))
YEARS: Mapping[str, YearAudit] = {"wide": wide(), "broken": broken(), "empty": empty()}
every_year = pytest.mark.parametrize("audit", YEARS.values(), ids=YEARS)


def told(audit: YearAudit) -> Any:
    """Return what the audit tells as JSON, read back."""
    return json.loads(json.dumps(audit.as_json()))


def from_json(audit: Any) -> dict[str, list[list[Any]]]:
    """Return the numbers of every table, counted from the JSON alone."""
    campaigns, messages, noes = audit["campaigns"], audit["messages"], audit["noes"]
    counts = ("planned", "accepted", "refused", "unknown")
    letters = {
        channel: [each for each in audit["letters"] if each["channel"] == channel] for channel in ("email", "sms")
    }
    beside = {channel: sum(each["accepted"] + each["unknown"] for each in found) for channel, found in letters.items()}
    went = messages["by_channel"]
    return {
        "campaigns": [
            [*(each[count] for count in (*counts, "open")), sum(each["withheld"].values())] for each in campaigns
        ],
        "afterwards": [
            [each["delivered"], each["bounced"], each["complained"], each["opted_out_after"]] for each in campaigns
        ],
        "channels": [
            [
                *(figures[count] for count in counts),
                *([each["sms_parts"], Decimal(each["sms_cost"])] if channel == "sms" else [None, None]),
            ]
            for each in campaigns
            for channel, figures in each["channels"].items()
        ],
        "withheld": [[many] for each in campaigns for many in each["withheld"].values()],
        "spread": [[int(many), clients] for many, clients in messages["spread"].items()],
        "places": [[many] for many in messages["places"].values()],
        "ages": [[many] for many in messages["ages"].values()],
        "noes": [[many] for many in noes["places"].values()],
        "speed": [[many] for many in (*noes["within"].values(), noes["untimed"])],
        "requests": [[value for name, value in each.items() if name != "kind"] for each in audit["requests"]],
        "letters": [list(each.values())[2:] for each in audit["letters"]],
        "carriers": [[went[by], beside[by], went[by] + beside[by]] for by in ("email", "sms")],
    }


def numbers(table: Table, rows: list[list[str]]) -> list[list[Any]]:
    """Return the cells of a table that are numbers, as numbers, whatever language they are written in."""
    found: list[list[Any]] = []
    for row in rows:
        cells = [cell for name, cell in zip(table.columns, row, strict=True) if is_number(name)]
        found.append([number(cell) for cell in cells])
    return found


def number(cell: str) -> int | Decimal | None:
    """Read a number as a person does: groups of three, a comma or a point before the cents, a dash for none."""
    bare = re.sub(r"[\s\N{NO-BREAK SPACE}]|,(?=\d{3}\b)", "", cell).replace(",", ".")
    if bare in {"", "\N{EN DASH}"}:
        return None
    return Decimal(bare) if "." in bare else int(bare)


@every_year
def test_the_json_keeps_to_its_schema(audit: YearAudit) -> None:
    """Every key is described and none is missing (docs/audit.schema.json)."""
    jsonschema.validate(told(audit), SCHEMA, cls=jsonschema.Draft202012Validator)


@every_year
@pytest.mark.parametrize("language", Language)
def test_every_table_tells_the_numbers_of_the_json(audit: YearAudit, language: Language) -> None:
    """In all three languages each table holds what is counted from the JSON alone, row by row."""
    expected = from_json(told(audit))
    assert list(NAMES) == list(expected) == [table.name for table in tables(audit)]
    for table in tables(audit):
        assert expected[table.name] == numbers(table, worded(table, language)[2]), table.name


@every_year
def test_every_table_as_csv_tells_them_too(audit: YearAudit) -> None:
    """A table as CSV has the program's own words and the same numbers."""
    expected = from_json(told(audit))
    for table in tables(audit):
        head, *rows = csv.reader(io.StringIO(table_csv(audit, table.name)))
        assert (list(table.columns), expected[table.name]) == (head, numbers(table, rows)), table.name


@every_year
def test_the_campaigns_as_csv_tell_them_too(audit: YearAudit) -> None:
    """The wide form has a column for every count of a campaign."""
    rows = list(csv.DictReader(io.StringIO(to_csv(audit))))
    for row, each in zip(rows, told(audit)["campaigns"], strict=True):
        for count in ("planned", "accepted", "refused", "unknown", "open", "delivered", "bounced", "complained"):
            assert str(each[count]) == row[count]
        for by, figures in each["channels"].items():
            assert {f"{by}_{name}": str(many) for name, many in figures.items()}.items() <= row.items()
        assert "; ".join(f"{reason}={many}" for reason, many in each["withheld"].items()) == row["withheld_by_reason"]


@every_year
def test_the_text_holds_page_one_and_every_row(audit: YearAudit) -> None:
    """A terminal shows the same words and rows; no line is wider than a hundred characters."""
    shown = to_text(audit)
    assert 100 >= max(len(line) for line in shown.splitlines())
    flowing = " ".join(shown.split())
    for question in page_one(audit, Language.EN):
        assert (
            " ".join([question.title, question.figure, *question.lines]).replace("\N{NO-BREAK SPACE}", " ") in flowing
        )
    for table in tables(audit):
        for row in worded(table, Language.EN)[2]:
            # A long title is shortened; what stands after it is whole.
            after = row[table.columns.index("campaign") + 1 :] if "campaign" in table.columns else row
            assert " ".join(" ".join(after).split()) in flowing, (table.name, row)
    for sentence in (*audit.findings, *audit.remarks):
        assert sentence in flowing


@pytest.mark.parametrize("language", Language)
def test_page_one_answers_five_questions_with_a_number_each(language: Language) -> None:
    """The numbers of page one are those of the JSON, whatever the language."""
    audit = told(YEARS["wide"])
    asked = page_one(YEARS["wide"], language)
    messages, noes, chain = audit["messages"], audit["noes"], audit["chain"]
    left = messages["accepted"] + messages["unknown"]
    figures = [digits(question.figure) for question in asked]
    assert [
        [audit["slots"]["spent"]],
        [messages["clients"]],
        [messages["agreed"], left],
        [noes["clients"]],
        [0],
    ] == figures
    often, many, agreed, no, wrong = (digits(" ".join(question.lines)) for question in asked)
    days = [int(part) for day in audit["slots"]["days"] for part in day.split("-")]
    assert {12, 2026, 6, 365, 0, *days} >= set(often) >= {12, 2026, 6, 365, 0}
    cost = [int(part) for part in messages["sms_cost"].split(".")]
    assert [messages["clients"], left, messages["accepted"], messages["unknown"]] == many[:4]
    assert [365, messages["most_per_client"], messages["most_per_address"], messages["sms_parts"], *cost] == many[4:]
    assert [messages["oldest_yes_days"], *messages["places"].values(), 94, 1893, 2000] == agreed[: 4 + 3]
    assert [noes["clients"], noes["withdrawn"], noes["declined"], *noes["places"].values(), 40, 25, 0, 0, 0, 0] == no
    campaigns = audit["campaigns"]
    wrongs = [sum(each[what] for each in campaigns) for what in ("refused", "bounced", "complained")]
    assert [*wrongs, 1, 1, chain["entries"], chain["groups"]] == wrong


@pytest.mark.parametrize("language", Language)
def test_page_one_of_a_broken_year_says_so(language: Language) -> None:
    """What left after a no, what relied on no answer and a broken ledger are on page one, in words and numbers."""
    audit = YEARS["broken"]
    often, many, agreed, noes, wrong = page_one(audit, language)
    assert (["1", "9", "3", "6"], [5, 9]) == (
        [each.figure for each in (often, many, noes, wrong)],
        digits(agreed.figure),
    )
    assert [4] == digits(agreed.lines[0])
    assert 3 == digits(noes.lines[-1])[-1]
    assert [4321, 987] == digits(wrong.lines[-1])
    assert wrong.lines[-1] != page_one(YEARS["wide"], language)[-1].lines[-1]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 seconds"),
        (1, "1 second"),
        (119, "119 seconds"),
        (121, "3 minutes"),
        (7_200, "2 hours"),
        (172_801, "3 days"),
    ],
)
def test_a_span_is_told_in_units_a_person_uses(seconds: int, said: str) -> None:
    """Rounded up, so that nothing sounds faster than it was."""
    assert said == span_text(seconds, Language.EN).replace("\N{NO-BREAK SPACE}", " ")


def test_findings_and_remarks_are_said_in_the_reader_s_language() -> None:
    """Every one of them has words in each language, with the same numbers; English is what the JSON has."""
    told = (*YEARS["broken"].findings, *YEARS["broken"].remarks)
    assert 7 == len(told)
    assert list(told) == sentences(told, Language.EN)
    assert [] == untranslated(told)


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("count", [0, 1, 2, 21])
def test_a_number_and_its_noun_agree(count: int, language: Language) -> None:
    """One is told as one in each language, and what is said of it is the same catalogue's word for word."""
    for name in ("unnamed", "unnamed_again", "miscounted", "places_more", "entries", "older_copy"):
        sentence = say(name, count=count, command="a command")
        [said] = sentences([sentence], language)
        assert ([count], [count]) == (digits(sentence), digits(said))
        assert str(sentence) == text(f"audit_said_{name}", Language.EN, **sentence.values)
        assert not re.search(r"\b1 (more |further )?\w+s\b", sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        *slot_remarks(2026, 5, date(2025, 5, 5)),
        *slot_remarks(2026, 5, date(2026, 5, 5)),
        *slot_remarks(2026, 5, date(2027, 5, 5)),
        *slot_findings(2026, [Slot(date(2026, 1, day), "") for day in range(1, 14)]),
    ],
)
def test_a_sentence_and_its_english_words_are_one(sentence: str) -> None:
    """What the rules say in English stands in the catalogue word for word, and in all languages with its numbers."""
    assert isinstance(sentence, Sentence)
    assert str(sentence) == text(f"audit_said_{sentence.name}", Language.EN, **sentence.values)
    for language in Language:
        [said] = sentences([sentence], language)
        assert sorted(digits(sentence)) == sorted(digits(said))


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize(
    ("column", "words"),
    [
        ("channel", Channel),
        ("reason", Reason),
        ("place", Place),
        ("kind", RequestKind),
        ("purpose", ServicePurpose),
    ],
)
def test_every_word_of_the_program_has_words_in_each_language(
    column: str, words: type[StrEnum], language: Language
) -> None:
    """A word that came into the program has to come into the audit's tables and its schema as well."""
    table = Table("places", (column,), tuple((word.value,) for word in words))
    said = [cell for [cell] in worded(table, language)[2]]
    assert len(words) == len(set(said))
    if language is not Language.EN:
        assert [] == [word.value for word, cell in zip(words, said, strict=True) if cell == word.replace("_", " ")]
    purposes = SCHEMA["properties"]["letters"]["items"]["properties"]["purpose"]["enum"]
    assert sorted(ServicePurpose) == sorted(purposes)


def test_a_word_that_nobody_knows_stands_as_it_is() -> None:
    """A ledger of a later version is told, word for word."""
    table = Table("letters", ("purpose", "place", "reason"), (("new_purpose", "new_place", "new_reason"),))
    assert [["new purpose", "new place", "new reason"]] == worded(table, Language.FI)[2]
