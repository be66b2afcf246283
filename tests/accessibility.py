"""What axe-core has to say about a page that a browser shows."""

import json
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

_FINDINGS_ALONE = "axe.run({options}).then(results => results.violations)"
"""The rest tells of each rule that holds where it was looked for: bringing that here takes longer than to find it."""


def findings(page: Page, **options: object) -> list[dict[str, Any]]:
    """Return each rule that the page breaks, as axe tells it: `id`, `impact`, and the `nodes` where it is broken."""
    page.evaluate(AXE_SCRIPT)
    asked = json.dumps({"resultTypes": ["violations"], **options})
    found: list[dict[str, Any]] = page.evaluate(_FINDINGS_ALONE.format(options=asked))
    return found
