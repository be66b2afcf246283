"""The wheel: what somebody gets who installs the program without its repository."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel and unpack it, as an installer would."""
    place = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(place)], cwd=ROOT, check=True, timeout=100
    )
    (wheel,) = place.glob("consent_dispatcher-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(place / "site")
    return place / "site"


def test_the_wheel_carries_every_starter(unpacked: Path) -> None:
    """Every sample campaign and template of the repository is in the wheel, and nothing of the tests."""
    for name in ("campaigns", "templates"):
        here = {path.relative_to(ROOT) for path in (ROOT / name).rglob("*") if path.is_file()}
        inside = unpacked / "dispatcher" / "starter"
        assert here == {path.relative_to(inside) for path in (inside / name).rglob("*") if path.is_file()}
    assert not (unpacked / "tests").exists()


def test_the_wheel_carries_what_the_program_reads(unpacked: Path) -> None:
    """Every page, letter, paper, style and layout that lies beside the code is in the wheel."""

    def beside_the_code(root: Path) -> set[Path]:
        found = (path for path in (root / "dispatcher").rglob("*") if path.is_file() and path.suffix != ".pyc")
        return {path.relative_to(root) for path in found if "starter" not in path.parts}

    inside = beside_the_code(unpacked)
    assert beside_the_code(ROOT) == inside
    kinds = {".typ", ".j2", ".css", ".html", ".toml", ".mako"}
    assert kinds <= {path.suffix for path in inside}


def test_the_wheel_begins_a_workspace(unpacked: Path, tmp_path: Path) -> None:
    """From the wheel alone, `dispatcher init` makes a whole workspace."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}  # noqa: TID251 - passed on
    environment["PYTHONPATH"] = str(unpacked)
    done = subprocess.run(
        [sys.executable, "-m", "dispatcher", "init", "studio", "--owner", "Aino"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    studio = tmp_path / "studio"
    assert {"dispatcher.toml", "secrets.toml", "dispatcher.db", "dispatcher.journal"} <= {
        path.name for path in studio.iterdir()
    }
    assert (studio / "templates" / "layouts").is_dir()
    assert sorted((studio / "campaigns").glob("*.toml"))
