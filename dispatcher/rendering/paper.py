"""Pages for paper: a typst layout filled with plain data."""

import json
from collections.abc import Mapping
from importlib.resources import files

from dispatcher.errors import RenderingError


def pdf(layout: str, data: Mapping[str, object], *, to_keep: bool = False) -> bytes:
    """Return a tagged PDF of a layout in `rendering/pdf`, filled with this data.

    One `to_keep` is archival and accessible: it keeps to PDF/A-2a and PDF/UA-1, and its layout gives it a date.

    Raises RenderingError where the extra `pdf` is not installed.
    """
    try:
        import typst  # noqa: PLC0415 - an extra that most installations do without
    except ModuleNotFoundError:
        raise RenderingError("A PDF needs typst: run `pip install consent-dispatcher[pdf]`.") from None
    source = files("dispatcher").joinpath("rendering", "pdf", f"{layout}.typ").read_bytes()
    content = typst.compile(
        source,
        format="pdf",
        ignore_system_fonts=True,
        sys_inputs={"data": json.dumps(data)},
        pdf_standards=["a-2a", "ua-1"] if to_keep else [],
    )
    return bytes(content)
