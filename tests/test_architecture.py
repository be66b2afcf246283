"""The house stands as it is drawn: imports point down, libraries stay at home, files stay small, tests speak.

The guards read the code's syntax and take the directory to read, so that each can be shown a planted fault.
"""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
PROGRAM = ROOT / "dispatcher"
LONGEST_FILE = 400

HOMES: dict[str, tuple[str, ...]] = {
    "aiohttp": ("channels/twilio",),
    "aiosmtpd": ("demo",),
    "aiosmtplib": ("channels/smtp",),
    "alembic": ("storage",),
    "babel": ("texts",),
    "click": ("cli",),
    "cryptography": ("keys", "rendering/dkim"),
    "css_inline": ("rendering",),
    "email_validator": ("rules",),
    "flufl": ("mailbox/reports",),
    "fastapi": ("web", "engine", "demo"),
    "holidays": ("rules",),
    "jinja2": ("rendering", "web"),
    "PIL": ("rendering/pictures",),
    "markupsafe": ("rendering",),
    "phonenumbers": ("rules",),
    "prometheus_client": ("web/watch",),
    "psycopg": ("storage",),
    "pydantic": ("settings", "campaign_files", "web"),
    "pydantic_core": ("storage/reports",),
    "pydantic_settings": ("settings",),
    "python_calamine": ("register_files",),
    "rich": ("cli", "demo"),
    "segno": ("rendering",),
    "sqlalchemy": ("storage",),
    "starlette": ("web", "engine", "demo"),
    "typst": ("rendering/paper",),
    "twilio": ("channels/twilio", "web/webhooks"),
    "uvicorn": ("web", "engine", "demo"),
}
"""Where each library may be imported: in this module, or anywhere in this package."""
COMES_WITH = {"starlette": "fastapi", "aiohttp": "twilio", "pydantic_core": "pydantic"}
"""Libraries that one we declare is built on and hands to its users: its version decides theirs."""
NEVER_IMPORTED = frozenset({"python-multipart", "tzdata"})
"""Libraries that others look for at run time: FastAPI to read forms, zoneinfo to know Europe/Helsinki."""
VAGUE_NAMES = frozenset({"util", "utils", "helper", "helpers", "common", "misc"})
CLOCKS = frozenset(
    {"now", "utcnow", "today", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "localtime", "gmtime"}
)


def imports_of(file: Path) -> set[str]:
    """Return the dotted names a file imports, absolutely."""
    found: set[str] = set()
    for node in ast.walk(_tree(file)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
    return found


def libraries_of(program: Path) -> dict[str, set[str]]:
    """Return, by foreign library, the modules of a program that import it, as `rendering/email`."""
    found: dict[str, set[str]] = {}
    for file in _files(program):
        for library in {name.partition(".")[0] for name in imports_of(file)}:
            if library not in sys.stdlib_module_names and library != "dispatcher":
                found.setdefault(library, set()).add(_module(program, file))
    return found


def strays(program: Path) -> list[str]:
    """Return every import of a library outside its home, and every library without one."""
    return sorted(
        f"{module} imports {library}, whose home is {' and '.join(HOMES[library])}"
        if library in HOMES
        else f"{module} imports {library}, which has no home: give it one in HOMES"
        for library, modules in libraries_of(program).items()
        for module in modules
        if not any(f"{module}/".startswith(f"{home}/") for home in HOMES.get(library, ()))
    )


def long_files(program: Path) -> list[str]:
    """Return the modules that are longer than a module may be; a migration is as long as its tables."""
    lengths = {_module(program, file): len(file.read_text(encoding="utf-8").splitlines()) for file in _files(program)}
    return [
        f"{module} has {length} lines: name its second job and move it out"
        for module, length in sorted(lengths.items())
        if length > LONGEST_FILE and "/migrations/" not in module
    ]


def vague_files(program: Path) -> list[str]:
    """Return the modules and packages whose name does not say what they hold."""
    return [
        module
        for module in sorted(_module(program, file) for file in _files(program))
        if VAGUE_NAMES & {part.strip("_") for part in module.split("/")}
    ]


def clocks_read(rules: Path) -> list[str]:
    """Return every reading of a clock: rules are given the time."""
    imported = [f"{file.name} imports time" for file in _files(rules) if "time" in imports_of(file)]
    called = [
        f"{file.name}:{node.lineno} calls {ast.unparse(node.func)}"
        for file in _files(rules)
        for node in ast.walk(_tree(file))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CLOCKS
    ]
    return imported + called


def silent_tests(tests: Path) -> list[str]:
    """Return the tests that do not say in one sentence what they hold the program to."""
    return [
        f"{file.relative_to(tests)}:{node.lineno} {node.name}"
        for file in sorted(tests.rglob("test_*.py"))
        for node in ast.walk(_tree(file))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        and not (ast.get_docstring(node) or "").strip().endswith((".", "?", ":"))
    ]


def pins_of(lock: Path) -> dict[str, str]:
    """Return the version each package is locked to."""
    return dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", lock.read_text(encoding="utf-8"), re.MULTILINE))


def project() -> dict[str, Any]:
    """Return pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def declared() -> set[str]:
    """Return the distributions the program says it needs, its extras included."""
    extras = [need for needs in project()["project"]["optional-dependencies"].values() for need in needs]
    return {_distribution(need) for need in [*project()["project"]["dependencies"], *extras]}


def test_imports_point_down() -> None:
    """The import contract in pyproject.toml holds: floors, doors, pure rules, settings, no circles."""
    linter = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_libraries_stay_at_home() -> None:
    """Each library is imported in its own corner only, so that changing it is the work of one corner."""
    assert [] == strays(PROGRAM)


def test_every_library_is_declared() -> None:
    """What the program imports, pyproject.toml names: nothing is there by another library's grace."""
    distributions = packages_distributions()
    needed = {COMES_WITH.get(library, library) for library in libraries_of(PROGRAM)}
    assert [] == sorted(
        library
        for library in needed
        if not {_distribution(name) for name in distributions.get(library, ())} & declared()
    )


def test_every_declared_library_is_used() -> None:
    """What pyproject.toml names, the program imports: nobody downloads what nothing needs."""
    distributions = packages_distributions()
    used = {_distribution(name) for library in libraries_of(PROGRAM) for name in distributions.get(library, ())}
    extras = {"psycopg"}  # SQLAlchemy imports the driver that a database URL names
    assert [] == sorted(declared() - used - NEVER_IMPORTED - extras)


def test_no_file_is_long() -> None:
    """No module is longer than 400 lines, of the program, its tests or its benchmarks: longer ones have two jobs."""
    assert [] == [long for folder in (PROGRAM, ROOT / "tests", ROOT / "benchmarks") for long in long_files(folder)]


def test_every_module_says_what_it_holds() -> None:
    """There is no drawer for odds and ends."""
    assert [] == vague_files(PROGRAM)


def test_rules_are_given_the_time() -> None:
    """No rule reads a clock: the same facts at the same `now` get the same verdict for ever."""
    assert [] == clocks_read(PROGRAM / "rules")


def test_every_test_says_what_it_holds() -> None:
    """Every test has a sentence that states the behaviour, so that the tests read as a specification."""
    assert [] == silent_tests(ROOT / "tests")


def test_the_locks_name_no_place() -> None:
    """The locks hold versions and hashes and no URL or path: they mean the same on every machine and index."""
    for name in ("requirements.lock", "requirements-dev.lock"):
        lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
        assert [] == [line for line in lines if re.search(r"://|^-|@ |(?:^| )[./~]\S*/", line)], name


def test_the_locks_agree() -> None:
    """Both locks hold the same version of what both hold, so that tests run on what the program runs on."""
    run_time, everything = pins_of(ROOT / "requirements.lock"), pins_of(ROOT / "requirements-dev.lock")
    assert run_time == {name: everything.get(name) for name in run_time}


def test_every_locked_package_is_hashed() -> None:
    """Each package in a lock has a hash: what was locked is what is installed."""
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert [] == re.findall(r"^[a-z0-9._-]+==[^\n]*[^\\\n]$", text, re.MULTILINE), name


@pytest.fixture
def planted(tmp_path: Path) -> Path:
    """Give a small program with one fault of each kind."""
    program = tmp_path / "program"
    (program / "flow").mkdir(parents=True)
    (program / "rules").mkdir()
    (program / "flow" / "plan.py").write_text("from sqlalchemy.orm import Session\nimport requests\n", encoding="utf-8")
    (program / "flow" / "helpers.py").write_text("\n" * (LONGEST_FILE + 1), encoding="utf-8")
    (program / "rules" / "budget.py").write_text("moment = datetime.now(UTC)\n", encoding="utf-8")
    (program / "test_plan.py").write_text("def test_nothing() -> None:\n    assert True\n", encoding="utf-8")
    return program


def test_the_guards_see_a_library_that_strays(planted: Path) -> None:
    """A library outside its home, and a library without a home, are both named with the module."""
    assert [
        "flow/plan imports requests, which has no home: give it one in HOMES",
        "flow/plan imports sqlalchemy, whose home is storage",
    ] == strays(planted)


def test_the_guards_see_a_file_that_grew(planted: Path) -> None:
    """A file of 401 lines is named with its length; so is a drawer for odds and ends."""
    assert ["flow/helpers has 401 lines: name its second job and move it out"] == long_files(planted)
    assert ["flow/helpers"] == vague_files(planted)


def test_the_guards_see_a_clock(planted: Path) -> None:
    """A rule that asks what time it is is named with its line."""
    assert ["budget.py:1 calls datetime.now"] == clocks_read(planted / "rules")


def test_the_guards_see_a_silent_test(planted: Path) -> None:
    """A test without a sentence is named with its line."""
    assert ["test_plan.py:1 test_nothing"] == silent_tests(planted)


def test_import_linter_sees_an_import_that_points_up(tmp_path: Path) -> None:
    """The contract itself is shown a fault: rules that import storage break it."""
    program = tmp_path / "dispatcher"
    for room in ("rules", "storage"):
        (program / room).mkdir(parents=True)
        (program / room / "__init__.py").touch()
    (program / "__init__.py").touch()
    (program / "rules" / "budget.py").write_text("import dispatcher.storage\n", encoding="utf-8")
    floors = next(rule for rule in project()["tool"]["importlinter"]["contracts"] if rule["id"] == "floors")
    layers = [re.sub(r"\(?(\w+)\)?", r"(\1)", layer) for layer in floors["layers"]]
    contract = "[tool.importlinter]\nroot_package = 'dispatcher'\n[[tool.importlinter.contracts]]\n"
    contract += f"name = 'floors'\ntype = 'layers'\ncontainers = ['dispatcher']\nlayers = {layers}\n"
    (tmp_path / "pyproject.toml").write_text(contract, encoding="utf-8")
    linter = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run([linter, "--no-cache"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "dispatcher.rules is not allowed to import dispatcher.storage" in result.stdout
    assert result.returncode == 1


def _distribution(need: str) -> str:
    """Return the normal form of the name in a requirement."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\[<>=!~; ]", need)[0]).lower()


def _module(program: Path, file: Path) -> str:
    return file.relative_to(program).with_suffix("").as_posix()


def _files(program: Path) -> Iterator[Path]:
    return (file for file in sorted(program.rglob("*.py")) if "__pycache__" not in file.parts)


def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"), str(file))
