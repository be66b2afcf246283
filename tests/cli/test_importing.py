"""The import at the command line: the whole register or a part, doubtful rows, lists of noes, and what is asked."""

from pathlib import Path

import pytest

from dispatcher.cli import absence
from tests.cli.told import ASKED, Run
from tests.workshop import HEADER

pytestmark = pytest.mark.usefixtures("home")
BARE = HEADER.replace("asiakasnumero;", "")


def write(path: Path, *rows: str, header: str = HEADER) -> Path:
    """Write a register export of these rows."""
    path.write_text("\n".join([header, *rows, ""]), encoding="utf-8")
    return path


def client(number: int) -> str:
    """Return a client of that customer number."""
    return f"{number};Nimi{number};X;c{number}@posti.example;;fi;{ASKED};kyllä;;{ASKED}"


@pytest.fixture
def person(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Sit at the terminal: what is put into the list is answered, one after the other."""
    answers: list[object] = []
    monkeypatch.setattr(absence, "is_interactive", lambda: True)
    monkeypatch.setattr("click.confirm", lambda *_, **__: answers.pop(0))
    monkeypatch.setattr("click.prompt", lambda *_, **__: answers.pop(0))
    return answers


def test_a_register_that_lacks_many_is_refused_without_a_person(home: Path, run: Run) -> None:
    """Exit 1, and what to type; a dry run says it too; --partial and --missing-ok are the two answers."""
    run("client", "import", write(home / "r.csv", *map(client, range(10))))
    fewer = write(home / "r.csv", *map(client, range(5)))
    refused = run("client", "import", fewer)
    assert (1, "") == (refused.code, refused.out)
    for part in ("5 of the 10", "--partial", "--missing-ok", "Nothing was changed"):
        assert part in refused.err
    dry = run("client", "import", fewer, "--dry-run")
    assert (0, True) == (dry.code, "5  would be gone, of the 10 whom registers have named" in dry.out)
    assert "more than a tenth" in dry.out
    partial = run("client", "import", fewer, "--partial", "--json").json()
    assert ([], None, None) == (partial["gone"], partial["missing"], partial["removed_on"])
    told = run("client", "import", fewer, "--missing-ok")
    assert "5  in the register no longer, and written to no longer; removed on " in told.out
    assert "(c***@p***.example, last visit " in told.out
    assert "5  not: The client is no longer in the register." in told.out


def test_gone_and_back_as_json(home: Path, run: Run) -> None:
    """The list of who is gone is whole and masked, and who is back is counted."""
    run("client", "import", write(home / "r.csv", client(1), client(2)))
    gone = run("client", "import", write(home / "r.csv", client(1)), "--missing-ok", "--json").json()
    [one] = gone["gone"]
    assert {"client", "addresses", "last_visit"} == set(one)
    assert (["c***@p***.example"], "-".join(reversed(ASKED.split("."))), True) == (
        one["addresses"],
        one["last_visit"],
        bool(gone["removed_on"]),
    )
    assert {"visited": 1, "asked": 1, "share": 1.0} == gone["asked"]
    assert 1 == run("client", "import", write(home / "r.csv", client(2)), "--partial", "--json").json()["back"]


def test_a_person_says_that_it_is_the_whole_register(home: Path, run: Run, person: list[object]) -> None:
    """At a terminal the import asks, shows how many, and hints at --partial; no is refused, yes goes on."""
    run("client", "import", write(home / "r.csv", *map(client, range(10))))
    fewer = write(home / "r.csv", *map(client, range(5)))
    person.append(False)
    refused = run("client", "import", fewer)
    assert (1, []) == (refused.code, person)
    assert "does not name 5 of the 10 clients" in refused.err
    assert "--partial" in refused.err
    person.append(True)
    agreed = run("client", "import", fewer)
    assert (0, True) == (agreed.code, "5  in the register no longer" in agreed.out)


def test_a_person_says_who_a_doubtful_row_is(home: Path, run: Run, person: list[object]) -> None:
    """At a terminal each doubtful row is asked about, masked; skip leaves it rejected."""
    rows = ("A;A;a@posti.example;;fi;;kyllä;;3.1.2026", "B;B;;0401234567;fi;;;kyllä;3.1.2026")
    run("client", "import", write(home / "r.csv", *rows, header=BARE))
    doubtful = write(home / "d.csv", "C;C;a@posti.example;0401234567;fi;;kyllä;;4.1.2026", header=BARE)
    person.append("skip")
    skipped = run("client", "import", doubtful, "--partial")
    assert "Row 2 (a***@p***.example/+358*****67) may be:" in skipped.err
    assert "(a***@p***.example)" in skipped.err
    assert "1  rejected" in skipped.out
    person.append("new")
    assert "1  created" in run("client", "import", doubtful, "--partial").out


def test_a_match_is_typed(home: Path, run: Run) -> None:
    """--match ROW=CLIENT and ROW=new take a doubtful row in; anything else is wrong usage."""
    rows = ("A;A;a@posti.example;;fi;;kyllä;;3.1.2026", "B;B;;0401234567;fi;;;kyllä;3.1.2026")
    run("client", "import", write(home / "r.csv", *rows, header=BARE))
    number = run("client", "list", "a@posti", "--json").json()["clients"][0]["number"]
    doubtful = write(home / "d.csv", "C;C;a@posti.example;0401234567;fi;;kyllä;;4.1.2026", header=BARE)
    left = run("client", "import", doubtful, "--partial", "--json").json()
    assert "--match 2=NUMBER" in left["rejections"][0]["reason"]
    taken = run("client", "import", doubtful, "--partial", "--json", "--match", f"2={number}").json()
    assert (1, 0) == (taken["updated"], taken["rejected"])
    for wrong in ("2", "2=", "x=new", "2=old"):
        assert 2 == run("client", "import", doubtful, "--match", wrong).code


def test_a_list_of_noes(home: Path, run: Run, register: Path) -> None:
    """`client import --no-list` says what it did in words and as JSON; a dry run changes nothing."""
    run("client", "import", register)
    listed = home / "no.csv"
    listed.write_text("osoite\nmaija@posti.example\nx@posti.example\nnonsense\n", encoding="utf-8")
    dry = run("client", "import", "--no-list", listed, "--dry-run", "--json").json()
    real = run("client", "import", "--no-list", listed, "--json").json()
    keys = {"file", "dry_run", "lines", "addresses", "clients", "strangers", "skipped", "rejections"}
    assert keys | {"rejections_unnamed"} == set(dry) == set(real)
    assert (3, 2, 1, 1) == (real["lines"], real["addresses"], real["clients"], real["strangers"])
    assert [4] == [each["line"] for each in real["rejections"]]
    assert (True, False) == (dry["dry_run"], real["dry_run"])
    consent = run("client", "list", "maija", "--json").json()["clients"][0]["consent"]
    assert {"email": "withdrawn", "sms": "withdrawn"} == consent
    said = run("client", "import", "--no-list", listed)
    assert (0, True) == (said.code, 'line 4: "nonsense" is left out' in said.out)


def test_a_list_goes_with_few_options(home: Path, run: Run) -> None:
    """--no-list has nobody to miss or to match, --from belongs to it, and another system's wrong file is refused."""
    listed = write(home / "no.csv", "a@posti.example,,2024", header="Email Address,First Name,CLEAN_TIME")
    for options in (["--no-list", "--partial"], ["--no-list", "--match", "2=new"], ["--from", "brevo"]):
        assert 2 == run("client", "import", listed, *options).code
    refused = run("client", "import", "--no-list", listed, "--from", "mailchimp")
    assert (1, True) == (refused.code, "`unsubscribed`" in refused.err)


def test_a_no_of_somebody_nobody_knows(home: Path, run: Run, register: Path) -> None:
    """`consent withdraw` keeps an address nobody has, masked in what it says; other words stay an error."""
    told = run("consent", "withdraw", "Kerttu@posti.example")
    assert (0, True, False) == (told.code, "k***@p***.example" in told.out, "Kerttu" in told.out)
    assert {"client": None, "channel": "sms", "withdrawn": True} == run(
        "consent", "withdraw", "040 765 4321", "--channel", "sms", "--json"
    ).json()
    assert 1 == run("consent", "withdraw", "kerttu").code
    write(home / "r.csv", f"9;Kerttu;K;kerttu@posti.example;;fi;;kyllä;;{register.read_text().split(';')[-1].strip()}")
    assert {"objection": 1} == run("client", "import", "r.csv", "--json").json()["may_write"]["withhold"]


def test_who_is_new_and_has_not_come_for_a_year_is_counted_apart(home: Path, run: Run) -> None:
    """One line says that they were not taken in, and JSON how many; where there are none nothing is said."""
    rows = write(home / "r.csv", client(1), client(2).replace(ASKED, "3.1.2020", 1))
    said = "1  new here, last visit longer ago than clients are kept: not taken in"
    assert said in run("client", "import", rows, "--dry-run").out
    told = run("client", "import", rows, "--json").json()
    assert (2, 1, 1, 0) == (told["read"], told["created"], told["past"], told["rejected"])
    assert "new here" not in run("client", "import", write(home / "s.csv", client(1))).out


def test_words_nobody_was_asked_in_are_no_evidence(tmp_path: Path, run: Run) -> None:
    """L-04: a new workspace knows no column of answers; the import reads none, and says how to tell it."""
    run("init", tmp_path / "new")
    export = tmp_path / "r.csv"
    export.write_text("nimi;sähköposti;markkinointilupa;lupa annettu\nMaija;m@posti.example;kyllä;1.10.2026\n")
    told = run("-C", tmp_path / "new", "client", "import", export)
    assert (0, True) == (told.code, "`dispatcher consent source add`" in told.out)
    assert "Columns left out, unread: markkinointilupa, lupa annettu" in told.out
    assert [] == run("-C", tmp_path / "new", "consent", "wordings", "list", "--json").json()["wordings"]
