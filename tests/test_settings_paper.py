"""The page about the settings has each of them, none that is not there, and the defaults the program takes."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel

from dispatcher.rules.campaign import Language
from dispatcher.settings import Settings

ROOT = Path(__file__).parent.parent


def settings_of(model: type[BaseModel], path: str = "") -> Iterator[tuple[str, str]]:
    """Yield every setting there is, as its table and its key."""
    for name, field in model.model_fields.items():
        key = field.alias or name
        below = [each for each in (field.annotation, *get_args(field.annotation)) if _is_section(each)]
        if below:
            yield from settings_of(below[0], f"{path}.{key}".strip("."))
        else:
            yield path, key


def _is_section(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def documented() -> Mapping[str, str]:
    """Return the part of docs/settings.md about each table, by its name; the beginning by the empty one."""
    parts = re.split(r"^## \[(\w+)\]$", (ROOT / "docs" / "settings.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {"": parts[0], **dict(zip(parts[1::2], parts[2::2], strict=True))}


def test_every_setting_is_documented() -> None:
    """docs/settings.md has each setting in the part about its section."""
    parts = documented()
    missing = [
        f"{table}.{key}"
        for table, key in settings_of(Settings)
        if not {f"`{key}`", f"`[{table}.{key}]`"} & set(re.findall(r"`[^`]+`", parts[_part_of(table, parts)]))
    ]
    assert [] == missing


def test_every_documented_setting_exists() -> None:
    """Every key in the first column of docs/settings.md is a setting of that section."""
    known: dict[str, set[str]] = {}
    for table, key in settings_of(Settings):
        known.setdefault(table.partition(".")[0], set()).add(key)
    languages = {language.value for language in Language}
    strangers = [
        f"{section}.{key}"
        for section, text in documented().items()
        for row in re.findall(r"^\| (`[^|]+) \|", text, re.MULTILINE)
        for key in re.findall(r"`(\w+)`", row)
        if key not in known[section] and not (section == "studio" and key in languages)
    ]
    assert [] == strangers


def test_the_documented_defaults_are_true() -> None:
    """Where docs/settings.md gives one default for one key, it is the one the program takes."""
    defaults = {(table.partition(".")[0], key): value for table, key, value in _defaults(Settings)}
    told = [
        (section, key, said.strip('"'))
        for section, text in documented().items()
        for key, said in re.findall(r"^\| `(\w+)` \| `([^`]+)` \|", text, re.MULTILINE)
        if (section, key) in defaults
    ]
    assert len(told) > 8
    assert [] == [each for each in told if each[2].lower() != str(defaults[each[:2]]).lower()]


def _defaults(model: type[BaseModel], path: str = "") -> Iterator[tuple[str, str, object]]:
    for name, field in model.model_fields.items():
        key = field.alias or name
        if _is_section(field.annotation):
            yield from _defaults(field.annotation, f"{path}.{key}".strip("."))  # type: ignore[arg-type] # it is one
        elif field.get_default() is not None and not field.is_required():
            yield path, key, field.get_default()


def _part_of(table: str, parts: Mapping[str, str]) -> str:
    """Return the part of the page that speaks of a table: passwords stand at its beginning."""
    return table.partition(".")[0] if table.partition(".")[0] in parts else ""
