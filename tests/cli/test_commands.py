"""The commands about clients and campaigns as their owner gives them: what they do, what they print, how they exit."""

from io import StringIO
from pathlib import Path

import pytest

from tests.cli.told import ANTE, MAIJA, Run
from tests.workshop import HEADER

pytestmark = pytest.mark.usefixtures("home")
COUNTS = {"send", "wait", "withhold"}


def test_an_import_is_reported(run: Run, register: Path) -> None:
    """`client import --json` prints the report; a dry run before it changes nothing."""
    dry = run("client", "import", register, "--dry-run", "--json").json()
    real = run("client", "import", register, "--json").json()
    keys = {"file", "dry_run", "encoding", "delimiter", "read", "created", "updated", "unchanged", "rejected", "past"}
    keys |= {"rejections", "remarks", "dropped_columns", "missing_columns", "may_write"}
    keys |= {"missing", "missing_of", "gone", "back", "removed_on", "asked", "sheet"}
    assert keys == set(dry) == set(real)
    assert (dry["dry_run"], dry["created"], dry["may_write"]) == (True, 2, None)
    assert (real["dry_run"], real["created"]) == (False, 2)
    assert {"send": {"email": 1, "sms": 1}, "wait": {}, "withhold": {}} == real["may_write"]
    said = run("client", "import", register)
    assert (said.code, "2  unchanged" in said.out) == (0, True)


def test_a_rejected_row_is_named_and_the_exit_is_good(home: Path, run: Run) -> None:
    """One bad row is named with its number, and the import is done all the same."""
    (home / "r.csv").write_text(f"{HEADER}\n9;X;Y;nonsense;;fi;;kyllä;;1.1.2026\n{MAIJA}", encoding="utf-8")
    told = run("client", "import", "r.csv")
    assert told.code == 0
    assert "row 2: sähköposti" in told.out
    assert [2] == [each["row"] for each in run("client", "import", "r.csv", "--json").json()["rejections"]]


def test_clients_are_listed_whole(run: Run, register: Path) -> None:
    """Printed to a pipe, a list keeps every masked address, number and state whole, a line for each client."""
    run("client", "import", register)
    lines = run("client", "list").out.splitlines()
    assert ["number", "name", "email", "phone", "email consent", "SMS consent", "now"] == [
        word.strip() for word in lines[0].split("  ") if word.strip()
    ]
    assert len(lines) == 3
    by_name = sorted(line.split(maxsplit=1)[1].split("  ") for line in lines[1:])
    cells = [[cell.strip() for cell in line if cell.strip()] for line in by_name]
    assert [
        ["Maija Meikäläinen", "m***@p***.example", "+358*****67", "granted", "granted", "May be written to by email."],
        ["Ánte Ovdamearka", "+358*****68", "never asked", "granted", "May be written to by sms."],
    ] == cells


def test_clients_are_found(run: Run, register: Path) -> None:
    """`client list WORDS --json` prints who fits, addresses masked; nobody is said in a sentence."""
    run("client", "import", register)
    found = run("client", "list", "ovdamearka", "--json").json()
    assert ["clients", "complete"] == list(found)
    [client] = found["clients"]
    verdict = {"verdict": "send", "channel": "sms", "reason": None, "until": None}
    verdict |= {"sentence": "May be written to by sms."}
    assert {"number", "name", "language", "addresses", "consent", *verdict} == set(client)
    assert verdict == {key: client[key] for key in verdict}
    assert {"sms": "+358*****68"} == client["addresses"]
    assert {"email": "never_asked", "sms": "granted"} == client["consent"]
    assert "No client fits.\n" == run("client", "list", "nobody-at-all").out


def test_a_long_list_says_that_it_is_not_all(home: Path, run: Run) -> None:
    """Of 201 clients the first 200 are shown, and the list says so; the 200 are complete."""
    rows = [f"{each};Nimi{each:03};Esimerkki;c{each}@posti.example;;fi;;;;" for each in range(201)]
    (home / "r.csv").write_text("\n".join([HEADER, *rows]), encoding="utf-8")
    run("client", "import", "r.csv")
    told, printed = run("client", "list"), run("client", "list", "--json").json()
    assert (201, "first 200" in told.err) == (len(told.out.splitlines()), True)
    assert (200, False) == (len(printed["clients"]), printed["complete"])
    fewer = run("client", "list", "nimi0", "--json").json()
    assert (100, True) == (len(fewer["clients"]), fewer["complete"])


def test_an_empty_register_says_what_to_type(run: Run) -> None:
    """Before the first import, the list names the command that fills it."""
    assert "client import FILE" in run("client", "list").out


def test_a_campaign_from_check_to_cancel(run: Run, register: Path, campaign: Path) -> None:
    """A campaign is checked, scheduled, held, released and cancelled; each step prints its object and exits 0."""
    run("client", "import", register)
    checked = run("campaign", "check", campaign, "--json")
    assert checked.code == 0
    keys = {"name", "ok", "errors", "warnings", "findings", "rendered", "audience", "largest_mail", "plan"}
    assert keys | {"remarks", "sms_parts", "sms_cost", "sms_spent_this_year", "sms_without_name"} == set(checked.json())
    assert COUNTS == set(checked.json()["audience"])
    taken = run("campaign", "schedule", campaign, "--json")
    keys = {"name", "day", "in_year", "ceiling", "send_at", "reservation", "moved_from", "remarks"}
    assert (taken.code, keys) == (0, set(taken.json()))
    assert 12 == taken.json()["ceiling"]
    assert {"name": "tarjous", "done": "held"} == run("campaign", "hold", "tarjous", "--json").json()
    released = run("campaign", "release", "tarjous", "--json").json()
    assert {"name": "tarjous", "done": "released", "send_at": taken.json()["send_at"]}.items() <= released.items()
    assert "tarjous: cancelled.\n" == run("campaign", "cancel", "tarjous", "--yes").out
    assert 1 == run("campaign", "release", "tarjous").code


def test_campaigns_are_listed(run: Run, campaign: Path) -> None:
    """`campaign list` shows what is scheduled, and the files that are not; a cancelled file may be scheduled again."""
    before = run("campaign", "list", "--json").json()
    assert {"campaigns", "declared", "files"} == set(before)
    assert ([], True) == (before["campaigns"], "tarjous.toml" in before["files"])
    assert "campaign schedule FILE" in run("campaign", "list").out
    run("campaign", "schedule", campaign)
    [row] = run("campaign", "list", "--json").json()["campaigns"]
    assert {"id", "name", "title", "kind", "state", "send_at", "held_reason"} == set(row)
    assert "tarjous.toml" not in run("campaign", "list").out
    run("campaign", "cancel", "tarjous", "--yes")
    assert "tarjous.toml" in run("campaign", "list").out


def test_a_campaign_says_how_it_stands(run: Run, campaign: Path) -> None:
    """`campaign status` shows the state, and for a held campaign what lets it go on."""
    run("campaign", "schedule", campaign)
    run("campaign", "hold", "tarjous")
    status = run("campaign", "status", "tarjous", "--json").json()
    keys = {"name", "title", "state", "held_reason", "send_at", "begun_at", "messages", "withheld", "next_look"}
    keys |= {
        "planned_at",
        "finished_at",
        "at",
        "planned",
        "remaining",
        "rate_per_minute",
        "ends_at",
        "too_late",
        "doors_unread",
    }
    assert keys | {"later", "may_have_arrived", "destroyed"} == set(status)
    assert ("held", "by_hand", None) == (status["state"], status["held_reason"], status["begun_at"])
    said = run("campaign", "status", "tarjous").out
    assert "held (by hand)" in said
    assert "`dispatcher campaign release tarjous`" in said


def test_a_faulty_campaign_is_refused_with_its_line(run: Run, campaign: Path) -> None:
    """A check that finds fault exits 1 and names file, line and key, as text and as JSON; nothing is scheduled."""
    campaign.write_text(campaign.read_text(encoding="utf-8").replace('"offer"', '"advert"'), encoding="utf-8")
    said, printed = run("campaign", "check", campaign), run("campaign", "check", campaign, "--json")
    assert (1, 1) == (said.code, printed.code)
    assert "tarjous.toml:3: error: kind: " in said.out
    assert "cannot be scheduled" in said.out
    assert printed.json()["ok"] is False
    assert printed.json()["errors"]
    assert 1 == run("campaign", "schedule", campaign).code
    assert [] == run("campaign", "list", "--json").json()["campaigns"]


@pytest.mark.parametrize(("texts", "line"), [(1, "1 x 1 part x 0.08 € = 0.08 €"), (2, "2 x 1 part x 0.08 € = 0.16 €")])
def test_text_messages_are_counted_in_grammar(home: Path, run: Run, campaign: Path, texts: int, line: str) -> None:
    """S-05: text messages are told by their parts, with what they cost."""
    second = ANTE.replace("2;Ánte", "3;Ánne").replace("4568", "4569")
    (home / "r.csv").write_text("\n".join([HEADER, MAIJA, ANTE, second][: texts + 2]), encoding="utf-8")
    run("client", "import", "r.csv")
    assert f" {line}\n" in run("campaign", "check", campaign).out


def test_parts_are_counted_in_grammar(run: Run, campaign: Path, register: Path) -> None:
    """S-05: one text message of two parts costs two."""
    long = campaign.read_text(encoding="utf-8").replace('"Hoito 49 e"', '"' + "Hoito 49 e nyt. " * 9 + '"')
    campaign.write_text(long, encoding="utf-8")
    run("client", "import", register)
    assert " 1 x 2 parts x 0.08 € = 0.16 €\n" in run("campaign", "check", campaign).out


def test_cancelling_asks_first(run: Run, campaign: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without --yes a cancellation asks; whoever does not say yes has changed nothing and exits 1."""
    run("campaign", "schedule", campaign)
    monkeypatch.setattr("sys.stdin", StringIO("n\n"))
    refused = run("campaign", "cancel", "tarjous", "--json")
    assert (1, "") == (refused.code, refused.out)
    assert "cannot be undone" in refused.err
    assert "scheduled" == run("campaign", "status", "tarjous", "--json").json()["state"]
    monkeypatch.setattr("sys.stdin", StringIO("y\n"))
    assert {"name": "tarjous", "done": "cancelled"} == run("campaign", "cancel", "tarjous", "--json").json()


def test_a_no_at_the_desk(run: Run, register: Path) -> None:
    """`consent withdraw` takes a no by part of a name, and `consent history` shows every answer with its wording."""
    run("client", "import", register)
    told = run("consent", "withdraw", "maija", "--json").json()
    assert {"client", "channel", "withdrawn"} == set(told)
    history = run("consent", "history", told["client"], "--json").json()
    assert {"client", "child", "answers", "now"} == set(history)
    keys = {"entry", "reply", "channel", "not_before", "not_after", "recorded_at", "place", "wording_sha256", "wording"}
    keys |= {"source", "sound", "flaw", "actor", "recorded_by"}
    assert all(keys == set(answer) for answer in history["answers"])
    assert ["granted", "granted", "withdrawn"] == [answer["reply"] for answer in history["answers"]]
    assert (None, "desk") == (history["answers"][-1]["channel"], history["answers"][-1]["place"])
    said = run("consent", "history", "maija@posti.example").out
    assert "every channel" in said
    assert "Saamme lähettää sinulle tarjouksia ja tietoa hoitopäivistä sähköpostitse 6-12 kertaa vuodessa." in said


def test_a_no_to_one_channel(run: Run, register: Path) -> None:
    """`--channel sms` closes text messages and leaves email open."""
    run("client", "import", register)
    assert "gets no more sms messages" in run("consent", "withdraw", "maija", "--channel", "sms").out
    [client] = run("client", "list", "maija", "--json").json()["clients"]
    assert {"email": "granted", "sms": "withdrawn"} == client["consent"]


def test_a_name_of_two_is_asked_back(run: Run, register: Path) -> None:
    """Words that fit two clients withdraw nobody: both are named, masked, and the exit is 1."""
    run("client", "import", register)
    told = run("consent", "withdraw", "m")
    assert 1 == told.code
    assert "2 clients fit" in told.err
    assert "m***@p***.example" in told.err
    assert "maija@posti.example" not in told.err
