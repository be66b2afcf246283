"""The bytes of every template in every language, as they were looked at last; any change of a byte is seen.

Renewed with `.venv/bin/python -m tests.rendering.golden`: look at the difference (`git diff`) before you commit it.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from dispatcher.campaign_files import read_campaign
from dispatcher.links import WaysBack
from dispatcher.rendering import CampaignRenderer, Templates
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.message import Recipient
from dispatcher.texts import format_date
from tests.rendering.studio import STUDIO

ROOT = Path(__file__).parents[2]
KEPT = Path(__file__).parent / "kept"
_ZONE = ZoneInfo("Europe/Helsinki")
_MOMENT = datetime(2026, 3, 17, 8, 0, tzinfo=UTC)
_CAMPAIGNS = {"offer": "2026-03-kevat", "treatment_day": "2026-04-vappu"}
"""A sample campaign for each template."""
_BACK = WaysBack(
    f"hei+{'b' * 37}@revontuli.example", f"hei+{'a' * 37}@revontuli.example", f"hei+{'c' * 47}@revontuli.example"
)
"""Where mails are answered whose inbox is read: the headers of one are kept, the rest is the same."""
_STUDIO = replace(STUDIO, notice={Language.FI: STUDIO.notice[Language.FI]}, sms_sender="Revontuli")


def messages() -> Mapping[str, bytes]:
    """Return every message by the name of its file: mails as they leave, text messages as UTF-8."""
    found: dict[str, bytes] = {}
    templates = Templates.from_directory(ROOT / "templates")
    for template, name in _CAMPAIGNS.items():
        # Its picture is a matter of its own, and would be most of the file.
        campaign = replace(read_campaign(ROOT / "campaigns" / f"{name}.toml", _ZONE), picture=None)
        assert template == campaign.template
        renderer = CampaignRenderer(campaign, templates, _STUDIO, _ZONE)
        for language in Language:
            agreed = format_date(datetime(2026, 2, 3, tzinfo=UTC).date(), language)
            reader = Recipient("Ánne-Maija", language, agreed)
            mail = renderer.email(reader, "anne@posti.example", _link(37), "0190c0ffee", _MOMENT)
            found[f"{template}.{language}.eml"] = mail.content
            if (template, language) == ("offer", Language.FI):
                back = renderer.email(reader, "anne@posti.example", _link(37), "0190c0ffee", _MOMENT, _BACK)
                found["offer.fi.answered.eml"] = back.content.partition(b"\r\n\r\n")[0] + b"\r\n"
            if Channel.SMS in campaign.channels:
                sms = renderer.sms(reader, "+358401234567", _link(31))
                found[f"{template}.{language}.sms.txt"] = f"{sms.text}\n".encode()
    return found


def _link(length: int) -> str:
    return f"https://m.revontuli.example/u/{'a' * length}"


def renew() -> None:
    """Write the files anew."""
    for file in KEPT.glob("*"):
        file.unlink()
    for name, content in messages().items():
        (KEPT / name).write_bytes(content)


if __name__ == "__main__":
    renew()
