"""What the tests of the command line stand on: a workspace that `dispatcher init` began, and a way to run commands."""

import shutil
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from dispatcher.cli import main
from dispatcher.wiring import system_clock
from tests.cli.told import ANTE, MAIJA, Run, Told
from tests.clock import FixedClock
from tests.workshop import OWNER, Workshop

EMAIL = "aino@tunturituuli.example"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Give a way to run the program in this process, as from a pipe."""

    def told(*arguments: object) -> Told:
        monkeypatch.setattr(sys, "argv", ["dispatcher", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return Told(int(ended.value.code or 0), said.out, said.err)

    return told


@pytest.fixture(scope="session")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a workspace that `dispatcher init` has begun, its sample columns of answers in use, to be left as it is."""
    directory = tmp_path_factory.mktemp("begun") / "studio"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["dispatcher", "init", str(directory), "--owner", OWNER, "--owner-email", EMAIL])
        with pytest.raises(SystemExit) as ended:
            main()
    assert ended.value.code == 0
    settings = directory / "dispatcher.toml"
    before, sample, columns = settings.read_text(encoding="utf-8").partition("# [[register.answers]]")
    in_use = "\n".join(line.removeprefix("#").lstrip() for line in (sample + columns).splitlines())
    settings.write_text(before + in_use, encoding="utf-8")
    return directory


@pytest.fixture
def home(begun: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a workspace of the test's own, begun a moment ago, and stand in it."""
    directory = tmp_path / "studio"
    shutil.copytree(begun, directory)
    monkeypatch.chdir(directory)
    return directory


@pytest.fixture
def register(home: Path) -> Path:
    """Give a register export of two clients, in that workspace."""
    return Workshop(home, FixedClock(system_clock())).register(MAIJA, ANTE)


@pytest.fixture
def campaign(home: Path) -> Path:
    """Give a campaign file whose moment is a month ahead, in that workspace."""
    noon = (system_clock() + timedelta(days=30)).replace(hour=10, minute=0, second=0, microsecond=0)
    return Workshop(home, FixedClock(system_clock())).campaign("tarjous", noon)
