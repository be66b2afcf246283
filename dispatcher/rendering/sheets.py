"""Pages for a browser's printer and drawings for a printing house: templates of the house, filled with plain data."""

from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

_ENVIRONMENT = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "sheets"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def sheet(name: str, data: Mapping[str, object]) -> str:
    """Return a template of `rendering/sheets`, such as "ask_list.html", filled with this data, all of it escaped."""
    return _ENVIRONMENT.get_template(f"{name}.j2").render(data)
