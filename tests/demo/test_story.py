"""The story as a whole: file in, mail out, click, silence, audit; told by what the servers themselves received."""

import http.client
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner

from dispatcher.cli import demo as command
from dispatcher.demo.account import Account, Left
from dispatcher.demo.loopback import listen
from dispatcher.demo.people import LEAVERS, Role
from dispatcher.demo.sample import CAMPAIGNS, sample
from dispatcher.demo.scene import Progress, Teller
from dispatcher.demo.smtp_double import ReceivedMail, SmtpDouble
from dispatcher.demo.stage import Doubles
from dispatcher.demo.story import performed
from dispatcher.demo.visitor import Page, look, open_mail, press_button
from dispatcher.errors import RefusedError

PROGRAM = [sys.executable, "-m", "dispatcher", "demo"]


@dataclass(frozen=True, slots=True)
class Run:
    """One run with `--json --serve`: its object, what its pages answered meanwhile, and how it ended."""

    account: dict[str, Any]
    output: Path
    inbox: int
    message: int
    keys: int
    page: Page
    done: Page
    exit_code: int
    errors: str


@pytest.fixture(name="run", scope="module")
def run_the_program(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run the program as its users do, click in its inbox while it serves, and stop it."""
    folder = tmp_path_factory.mktemp("story")
    arguments = ["--json", "--serve", "--port", "0", "--output", "out"]
    with subprocess.Popen(
        [*PROGRAM, *arguments], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"
    ) as process:
        try:
            account = json.loads(_first_object(process))
            url = account["files"]["url"]
            link = open_mail((folder / "out" / "mail" / "0001.eml").read_bytes()).opt_out_link() or ""
            page = look(link)
            statuses = [
                _status(f"{url}/{path}") for path in ("inbox.html", "inbox/0001.html", "workspace/secrets.toml")
            ]
            done = press_button(page)
        finally:
            process.send_signal(signal.SIGTERM)
            _, errors = process.communicate(timeout=30)
    return Run(account, folder / "out", statuses[0], statuses[1], statuses[2], page, done, process.returncode, errors)


def test_everything_holds(run: Run) -> None:
    """The run ends well: every check holds, and there are some for each part of the story."""
    assert [] == [check for check in run.account["checks"] if not check["ok"]]
    assert run.account["ok"]
    assert len(run.account["checks"]) > 40
    assert 0 == run.exit_code


def test_the_register_is_taken_in(run: Run) -> None:
    """515 rows of Windows-1252 make 500 clients; the same again changes nothing; March brings UTF-8 and 47 changes."""
    first, again, march = run.account["register"]
    counts = ("read", "created", "updated", "unchanged", "rejected")
    assert [515, 500, 0, 5, 10] == [first[name] for name in counts]
    assert [515, 0, 0, 505, 10] == [again[name] for name in counts]
    assert [500, 0, 47, 453, 0] == [march[name] for name in counts]
    assert "Windows-1252" in first["encoding"]
    assert "UTF-8" in march["encoding"]
    assert ["hoito", "hoitaja", "muistiinpanot", "saldo"] == first["dropped_columns"]


def test_two_campaigns_go_out(run: Run) -> None:
    """Each campaign tells what was planned and what became of it by channel, and each client left out has a reason."""
    first, second = run.account["campaigns"]
    assert list(CAMPAIGNS) == [first["name"], second["name"]]
    assert [360, 357] == [first["planned"], second["planned"]]
    assert [{"email": 299, "sms": 58}, {"email": 302, "sms": 55}] == [first["accepted"], second["accepted"]]
    assert [{"email": 1, "sms": 1}, {"email": 0, "sms": 0}] == [first["refused"], second["refused"]]
    assert [1, 0] == [first["unknown"], second["unknown"]]
    assert [1, 0] == [first["tried_again"], second["tried_again"]]
    assert dict(sample().first_campaign().withheld) == first["withheld"]
    assert dict(sample().second_campaign().withheld) == second["withheld"]


def test_the_sinks_agree(run: Run) -> None:
    """What the doubles received is what was accepted or is unknown, and each mail and text message is a file."""
    sinks = run.account["sinks"]
    assert {"mails": 601, "sms": 114} == {name: sinks[name] for name in ("mails", "sms")}
    assert [(299, 59), (302, 55)] == [(each["mails"], each["sms"]) for each in sinks["campaigns"]]
    assert 601 == len(list((run.output / "mail").glob("*.eml")))
    assert 114 == len(list((run.output / "sms").glob("*.txt")))


def test_every_recipient_is_one_who_said_yes(run: Run) -> None:
    """The mails on disk went to the addresses that the sample says, each at most once a campaign."""
    expected = sample().first_campaign().emails | sample().second_campaign().emails
    gone = sample().played(Role.GONE).email
    to = [open_mail(path.read_bytes()).header("To") for path in sorted((run.output / "mail").glob("*.eml"))]
    assert expected - {gone} == {*to}
    assert 299 == len({*to[:299]})
    assert 302 == len({*to[299:]})


def test_five_clients_leave_and_are_left_in_peace(run: Run) -> None:
    """E-12: by link, by one click, at the desk, by text and by letter; each got February's and nothing of March's."""
    left = run.account["left"]
    assert ["link", "one_click", "desk", "text", "letter"] == [each["how"] for each in left]
    assert [(1, 0, True)] * 5 == [(x["messages_before"], x["messages_after"], x["confirmed_silent"]) for x in left]
    march = sorted((run.output / "mail").glob("*.eml"))[299:]
    leavers = {sample().played(role).email for role in LEAVERS}
    assert not leavers & {open_mail(path.read_bytes()).header("To") for path in march}


def test_the_letter_was_read_and_nothing_of_its_words_was_kept(run: Run) -> None:
    """E-64: the no that came by letter is on record, and its words are in the inbox alone."""
    assert "a no by letter withdraws" in [check["name"] for check in run.account["checks"]]
    workspace = run.output / "workspace"
    holding = [path for path in workspace.rglob("*") if path.is_file() and b"En halua en" in path.read_bytes()]
    assert [workspace / "postilaatikko" / "new"] == [path.parent for path in holding]


def test_the_year_adds_up(run: Run) -> None:
    """The audit finds nothing wrong with the year, and counts what arrived."""
    audit = run.account["audit"]
    assert audit["ok"]
    assert [] == audit["findings"]
    assert 715 == audit["report"]["messages"]["accepted"] + audit["report"]["messages"]["unknown"]
    assert audit["report"] == json.loads((run.output / "audit.json").read_text(encoding="utf-8"))
    assert "Every promise held" in (run.output / "audit.txt").read_text(encoding="utf-8")
    assert (run.output / "audit.pdf").read_bytes().startswith(b"%PDF-")
    assert CAMPAIGNS[0] in (run.output / "audit.csv").read_text(encoding="utf-8")


def test_one_altered_byte_is_named(run: Run) -> None:
    """D-03: the database refuses; past its guard one byte is altered in a copy, and the audit names the entry."""
    tampering = run.account["audit"]["tampering"]
    assert tampering["database_refused_at_first"]
    assert {"before": "2026", "after": "2020"} == tampering["byte"]
    assert tampering["named"]
    assert any(f"Entry {tampering['entry']} " in finding for finding in tampering["findings"])


def test_the_copy_differs_by_one_byte_of_the_ledger(run: Run) -> None:
    """Nothing else in the ledger of the altered copy differs from the real one."""
    import sqlite3

    def ledger(folder: str) -> list[bytes]:
        connection = sqlite3.connect(run.output / folder / "dispatcher.db")
        rows = [repr(row).encode() for row in connection.execute("SELECT * FROM ledger_entry ORDER BY id").fetchall()]
        connection.close()
        return rows

    real, altered = ledger("workspace"), ledger("tampered")
    # After the copy was made, one client clicked in the inbox: the real ledger has gone on.
    pairs = [(one, other) for one, other in zip(real, altered, strict=False) if one != other]
    assert 1 == len(pairs)
    assert 1 == sum(a != b for a, b in zip(*pairs[0], strict=True))


def test_the_inbox_is_up_while_it_serves(run: Run) -> None:
    """With --serve the inbox and its messages are pages; the workspace with its keys is not."""
    assert (200, 200, 404) == (run.inbox, run.message, run.keys)
    assert "The inbox is at http://127.0.0.1:" in run.errors
    assert "Traceback" not in run.errors


def test_the_links_of_the_inbox_can_be_clicked(run: Run) -> None:
    """A link in a mail opens the page with its button, and the button stops everything."""
    assert (200, 200) == (run.page.status, run.done.status)
    assert "<form" in run.page.html
    assert "<form" not in run.done.html


def test_the_keys_stay_private(run: Run) -> None:
    """The secrets of both workspaces can be read by their owner only."""
    modes = [(run.output / folder / "secrets.toml").stat().st_mode & 0o777 for folder in ("workspace", "tampered")]
    assert [0o600, 0o600] == modes


READER = sample().played(Role.LINK).email


class Leaky(SmtpDouble):
    """A mail server that takes a mail, says so, and loses it: the first one to the client who would click in it."""

    @property
    def received(self) -> list[ReceivedMail]:
        """Every mail but the lost one."""
        mails = super().received
        lost = next((mail for mail in mails if mail.recipient == READER), None)
        return [mail for mail in mails if mail is not lost]


def test_a_lost_mail_fails_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a server receives less than was accepted, the story is told to its end, says so, and exits with 1."""

    @contextmanager
    def with_a_leak(output: Path, teller: Teller, *, port: int | None) -> Iterator[Account]:
        del port
        with performed(output, teller, port=0, doubles=Doubles(smtp=Leaky)) as account:
            yield account

    monkeypatch.setattr(command, "performed", with_a_leak)
    result = CliRunner().invoke(command.demo, ["--output", str(tmp_path / "out")])
    assert 1 == result.exit_code
    assert isinstance(result.exception, SystemExit | None)
    wrong = re.findall(r"^NOT AS IT SHOULD BE  (.+): expected .+, found .+$", result.output, re.MULTILINE)
    assert f"{CAMPAIGNS[0]}: emails accepted are those that arrived" in wrong
    assert f"{Role.LINK}: messages before and after" in wrong
    assert "one click withdraws" not in wrong
    assert "Left out, and why:" in result.output
    assert (tmp_path / "out" / "inbox.html").is_file()


def test_settings_from_elsewhere_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a mail server in the environment the demo stops before it has read a single client."""
    monkeypatch.setenv("DISPATCHER_EMAIL__PORT", "25")
    told: list[str] = []
    with pytest.raises(RefusedError, match="run the demo without them"):
        _perform(tmp_path, told, port=0)
    assert [] == told


def test_a_port_that_is_taken_is_refused(tmp_path: Path) -> None:
    """A port asked for by its number must be free; else nothing is begun and nothing of an earlier demo is touched."""
    with listen() as listener:
        port = listener.getsockname()[1]
        with pytest.raises(RefusedError, match=f"port {port}"):
            _perform(tmp_path / "out", [], port=port)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("found", "ok"), [([], False), ([1], True), ([1, 2], False)])
def test_an_account_is_in_order_if_every_check_holds(found: list[int], *, ok: bool) -> None:
    """One check that fails spoils the account, and a run that checked nothing has shown nothing."""
    account = Account("Hoitola")
    for value in found:
        account.check("it is one", 1, value)
    assert ok == account.ok
    assert found == [check.actual for check in account.checks]


@pytest.mark.parametrize(("before", "after", "silent"), [(1, 0, True), (1, 1, False), (0, 0, False)])
def test_silence_is_a_message_before_and_none_after(before: int, after: int, *, silent: bool) -> None:
    """Whoever got nothing before proves nothing by getting nothing after."""
    from dispatcher.demo.story import _BEGINNING

    assert silent == Left(Role.LINK, "Máret", _BEGINNING, before, after).is_silent


def _first_object(process: subprocess.Popen[str]) -> str:
    """Return the JSON object that ends with a brace at the beginning of a line."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.rstrip("\n") == "}":
            break
    return "".join(lines)


def _status(url: str) -> int:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection("127.0.0.1", parts.port, timeout=10)
    connection.request("GET", parts.path)
    status = connection.getresponse().status
    connection.close()
    return status


def _perform(output: Path, told: list[str], *, port: int) -> None:
    @contextmanager
    def quiet(_what: str) -> Iterator[Progress]:
        yield lambda _done, _all: None

    with performed(output, Teller(told.append, quiet), port=port):
        pass
