"""Every command as its owner gives it: what it does, what it prints, and how it exits."""

import json
import sqlite3
import stat
from io import StringIO
from pathlib import Path

import pytest

from dispatcher.rules.actor import Role
from dispatcher.wiring import opened, system_clock
from tests.cli.told import ANTE, MAIJA, Run
from tests.workshop import HEADER, OWNER

pytestmark = pytest.mark.usefixtures("home")
COUNTS = {"send", "wait", "withhold"}


def actors(home: Path) -> list[str]:
    """Return who acted, entry by entry of the ledger."""
    from dispatcher.storage import ledger

    with opened(home) as dispatcher, dispatcher.store.reading() as connection:
        return [kept.actor for kept in ledger.entries(connection)]


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
    assert keys | {"later", "may_have_arrived"} == set(status)
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


def test_people_come_and_go(run: Run) -> None:
    """Persons are added, listed and ended; the last owner stays."""
    added = run("person", "add", "Pekka Esimerkki", "--role", "auditor", "--json").json()
    assert {"id": 2, "name": "Pekka Esimerkki", "role": "auditor"} == added
    assert {"name": "Pekka Esimerkki", "ended": True} == run("person", "end", "Pekka Esimerkki", "--json").json()
    listed = run("person", "list", "--json").json()["persons"]
    keys = {"id", "name", "role", "added_at", "ended_at", "email", "language"}
    assert all(keys == set(each) for each in listed)
    assert [True, False] == [each["ended_at"] is None for each in listed]
    assert "Pekka Esimerkki" in run("person", "list").out
    refused = run("person", "end", OWNER)
    assert (1, "add another owner first" in refused.err) == (refused.code, True)


def test_who_acts_is_in_the_ledger(home: Path, run: Run, register: Path) -> None:
    """`--as` decides whose act an entry is; without it, it is the only owner's."""
    run("person", "add", "Saara")
    run("--as", "saara", "client", "import", register)
    assert {"person:2"} == set(actors(home)[-3:])
    run("consent", "withdraw", "maija")
    assert "person:1" == actors(home)[-1]


@pytest.mark.parametrize(
    "words",
    [
        ("consent", "withdraw", "maija"),
        ("client", "import", "register.csv"),
        ("campaign", "schedule", "campaigns/tarjous.toml"),
        ("person", "add", "X"),
        ("person", "end", OWNER),
        ("keys", "rotate", "token"),
        ("db", "restore", "--replay"),
    ],
)
@pytest.mark.usefixtures("campaign")
def test_a_stranger_changes_nothing(home: Path, run: Run, register: Path, words: tuple[str]) -> None:
    """An act in a name that nobody has is refused, naming who is known, and nothing is written."""
    run("client", "import", register)
    before = (actors(home), (home / "secrets.toml").read_bytes())
    told = run("--as", "Nobody", *words)
    assert (1, f"Nobody by the name of 'Nobody' works here. Known: {OWNER}.\n") == (told.code, told.err)
    assert before == (actors(home), (home / "secrets.toml").read_bytes())


def test_two_owners_must_say_who_they_are(run: Run, register: Path) -> None:
    """Where two are owners, an act without `--as` is refused and says what to type."""
    run("person", "add", "Toinen", "--role", Role.OWNER.value)
    told = run("client", "import", register)
    assert (1, "There are 2 owners: say who you are with --as NAME.\n") == (told.code, told.err)
    assert 0 == run("--as", "Toinen", "client", "import", register).code


def test_keys_are_rotated_checked_and_kept(home: Path, run: Run, tmp_path: Path) -> None:
    """A rotated key is in the file and in the ledger; the copy of the keys is whole and for its owner alone."""
    told = run("keys", "rotate", "token", "--json").json()
    assert {"kind": "token", "key": "2"} == told
    assert "person:1" == actors(home)[-1]
    assert {"ok": True, "findings": []} == run("keys", "check", "--json").json()
    copy = tmp_path / "keys.toml"
    assert {"copied_to": str(copy)} == run("keys", "backup", copy, "--json").json()
    assert (home / "secrets.toml").read_bytes() == copy.read_bytes()
    assert 0o600 == stat.S_IMODE(copy.stat().st_mode)
    again = run("keys", "backup", copy)
    assert (1, "already" in again.err) == (again.code, True)


def test_lost_keys_are_missed(home: Path, run: Run, register: Path) -> None:
    """`keys check` exits 1 and says what is lost with a key that the data needs."""
    run("client", "import", register)
    run("keys", "rotate", "hash")
    secrets = home / "secrets.toml"
    lines = secrets.read_text(encoding="utf-8").splitlines()
    del lines[lines.index("[hash]") + 1]
    secrets.write_text("\n".join(lines), encoding="utf-8")
    told = run("keys", "check", "--json")
    assert (1, False) == (told.code, told.json()["ok"])
    assert "Hash key '1' is lost" in told.json()["findings"][0]


def test_keys_are_not_created_over_data(home: Path, run: Run) -> None:
    """New keys are refused where there are keys, and where there is data without them, wherever the data is."""
    refused = run("keys", "create")
    assert (1, "keys rotate KIND" in refused.err) == (refused.code, True)
    (home / "secrets.toml").unlink()
    (home / "dispatcher.db").rename(home / "elsewhere.db")
    settings = home / "dispatcher.toml"
    source = settings.read_text(encoding="utf-8")
    settings.write_text(source.replace("dispatcher.db", "elsewhere.db"), encoding="utf-8")
    refused = run("keys", "create")
    assert (1, "has data but no secrets.toml" in refused.err) == (refused.code, True)
    assert not (home / "secrets.toml").exists()
    (home / "elsewhere.db").unlink()
    assert ["hash", "token", "journal", "seal"] == run("keys", "create", "--json").json()["created"]
    assert 0o600 == stat.S_IMODE((home / "secrets.toml").stat().st_mode)


def test_a_copy_is_made_and_put_back(run: Run, register: Path, tmp_path: Path) -> None:
    """A backup is a verified copy; put back with its replay, it knows the no that came after it."""
    run("client", "import", register)
    copy = tmp_path / "copy.db"
    made = run("db", "backup", copy, "--json").json()
    assert {"copied_to", "bytes", "revision", "rows"} == set(made)
    run("consent", "withdraw", "maija")
    put_back = run("db", "restore", copy, "--yes", "--json").json()
    assert ["replaced_kept_as"] == list(put_back)
    [client] = run("client", "list", "maija", "--json").json()["clients"]
    assert "granted" == client["consent"]["email"]
    refused = run("work", "--once")
    assert (1, "`dispatcher db restore --replay`" in refused.err) == (refused.code, True)
    replayed = run("db", "restore", "--replay", "--json").json()["replayed"]
    assert {
        "records",
        "answers",
        "suppressions",
        "marks",
        "incoming",
        "requests",
        "blocks",
        "erased",
        "clients",
        "slots",
        "campaigns",
        "unknown",
    } == set(replayed)
    [client] = run("client", "list", "maija", "--json").json()["clients"]
    assert "withdrawn" == client["consent"]["email"]
    assert 0 == run("work", "--once").code


def test_a_restore_needs_to_know_what(home: Path, run: Run) -> None:
    """`db restore` without a file or --replay says what to type; a file that is no copy is refused."""
    assert "--replay" in run("db", "restore").err
    (home / "x.db").write_text("not a copy", encoding="utf-8")
    told = run("db", "restore", "x.db", "--yes")
    assert (1, "x.db" in told.err) == (told.code, True)


def test_an_upgrade_twice_is_as_once(run: Run) -> None:
    """`db upgrade` on tables of this version leaves everything as it is."""
    assert {"upgraded": True} == run("db", "upgrade", "--json").json()
    assert {"upgraded": True} == run("db", "upgrade", "--json").json()
    assert [OWNER] == [each["name"] for each in run("person", "list", "--json").json()["persons"]]


def test_the_audit_prints_its_object(run: Run, register: Path) -> None:
    """`audit year` and `audit verify` exit 0 on an untouched ledger, as one object each."""
    run("client", "import", register)
    year = run("audit", "year", system_clock().year, "--json")
    assert (0, True) == (year.code, year.json()["ok"])
    verified = run("audit", "verify", "--json")
    assert (0, True) == (verified.code, verified.json()["ok"])


def test_the_audit_of_a_year_that_cannot_be(run: Run) -> None:
    """The last year whose windows end within the calendar is audited; the one after it is refused in a sentence."""
    assert 0 == run("audit", "year", 9998, "--json").code
    told = run("audit", "year", 9999)
    assert (2, True) == (told.code, "9999 is not in the range" in told.err)


def test_a_touched_ledger_ends_badly(home: Path, run: Run) -> None:
    """One changed entry, and `audit verify` exits 1."""
    with sqlite3.connect(home / "dispatcher.db") as database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f'DROP TRIGGER "{name}"')
        database.execute("UPDATE ledger_entry SET actor = 'person:9' WHERE id = 2")
    database.close()
    told = run("audit", "verify", "--json")
    assert (1, False) == (told.code, told.json()["ok"])


def test_nothing_due_is_done_at_once(run: Run) -> None:
    """`work --once` with nothing due exits 0 and prints no result."""
    told = run("work", "--once")
    assert (0, "") == (told.code, told.out)


def test_what_was_in_the_way_makes_a_bad_exit(home: Path, run: Run) -> None:
    """Where the journal is missing, `work --once` exits 1 and says which file to put back."""
    (home / "dispatcher.journal").rename(home / "away")
    told = run("work", "--once")
    assert 1 == told.code
    assert "The journal dispatcher.journal cannot be opened" in told.err
    assert "nothing is sent" in told.err


def test_json_is_one_object_on_an_empty_register(run: Run) -> None:
    """Every command that only looks prints one object on a workspace that has just begun."""
    looks = [("client", "list"), ("campaign", "list"), ("person", "list"), ("keys", "check"), ("audit", "verify")]
    for words in looks:
        told = run(*words, "--json")
        assert 0 == told.code, words
        assert json.dumps(told.json(), indent=2, ensure_ascii=False) + "\n" == told.out, words
