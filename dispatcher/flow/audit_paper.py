"""The audit of a year as a PDF that an auditor can sign; the figures are those of the text and no others."""

from datetime import datetime
from zoneinfo import ZoneInfo

from dispatcher.flow.audit_formats import answers
from dispatcher.flow.audit_year import CampaignFigures, YearAudit
from dispatcher.rendering.paper import pdf
from dispatcher.rules.calendar import local_date
from dispatcher.rules.campaign import Channel
from dispatcher.rules.studio import Studio

_COLUMNS = ("day", "campaign", "planned", "accepted", "email", "SMS", "refused", "unknown", "open", "withheld")


def to_pdf(audit: YearAudit, studio: Studio, now: datetime, zone: ZoneInfo) -> bytes:
    """Return the audit as a tagged PDF, dated with the local day of `now`. Raises RenderingError without typst."""
    day = local_date(now, zone)
    return pdf(
        "audit",
        {
            "heading": f"Marketing audit {audit.year}",
            "verdict": "Every promise held." if audit.ok else "Not every promise held.",
            "ok": audit.ok,
            "footer": f"{studio.name}, {studio.business_id} · recomputed from the ledger on {day.isoformat()}",
            "printed_on": {"year": day.year, "month": day.month, "day": day.day},
            "answers": [list(each) for each in answers(audit)],
            "findings": list(audit.findings),
            "remarks": list(audit.remarks),
            "columns": list(_COLUMNS),
            "campaigns": [_row(each) for each in audit.campaigns],
        },
    )


def _row(campaign: CampaignFigures) -> list[str]:
    email, sms = (campaign.channels[channel.value].accepted for channel in (Channel.EMAIL, Channel.SMS))
    numbers = (campaign.planned, campaign.accepted, email, sms, campaign.refused, campaign.unknown, campaign.open)
    day = campaign.day.isoformat() if campaign.day else "-"
    title = campaign.title or campaign.name
    return [day, title, *(str(number) for number in numbers), str(sum(campaign.withheld.values()))]
