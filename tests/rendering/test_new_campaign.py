"""A new campaign is its file: the templates the program comes with need no change for it."""

import email
import email.policy
from datetime import datetime
from email.message import EmailMessage
from zoneinfo import ZoneInfo

import pytest

from dispatcher.campaign_files import parse_campaign
from dispatcher.rendering import CampaignRenderer, Templates
from dispatcher.rules.campaign import Kind, Language
from dispatcher.rules.message import Recipient
from dispatcher.rules.studio import Studio

_URL = f"https://m.revontuli.example/u/{'a' * 31}"
_FILE = """
title = "Pimeän ajan kampanja"
kind = "{kind}"
send_at = 2026-11-24T10:00:00
channels = ["email", "sms"]
valid_until = 2026-12-05
subject = {{ fi = "Aihe", sv = "Ämne", en = "Subject" }}

[offer]
headline = {{ fi = "Otsikko tässä", sv = "Rubriken här", en = "The headline" }}
text = {{ fi = "Yksi.\\n\\nKaksi.", sv = "Ett.\\n\\nTvå.", en = "One.\\n\\nTwo." }}
sms = {{ fi = "Lyhyesti", sv = "I korthet", en = "In short" }}
{own}
"""
_OWN = {
    Kind.OFFER: "price = 55",
    Kind.TREATMENT_DAY: "day = 2026-12-05\nhours = [10:00:00, 15:30:00]",
}
"""What each kind needs beside headline and texts, and nothing that it can do without."""
_FACTS = {
    (Kind.OFFER, Language.FI): ("55 €", "5.12.2026"),
    (Kind.OFFER, Language.SV): ("55 €", "5.12.2026"),
    (Kind.OFFER, Language.EN): ("€55", "5 December 2026"),
    (Kind.TREATMENT_DAY, Language.FI): ("5.12.2026", "klo 10.00\N{EN DASH}15.30"),
    (Kind.TREATMENT_DAY, Language.SV): ("5.12.2026", "kl. 10.00\N{EN DASH}15.30"),
    (Kind.TREATMENT_DAY, Language.EN): ("5 December 2026", "from 10 am to 3:30 pm"),
}


@pytest.mark.parametrize(("kind", "language"), _FACTS)
def test_a_campaign_file_alone_makes_a_campaign(
    kind: Kind, language: Language, templates: Templates, studio: Studio, zone: ZoneInfo, moment: datetime
) -> None:
    """The owner fills one file, and both channels have it in every language, its facts written as each does."""
    source = _FILE.format(kind=kind.value, own=_OWN[kind]).encode()
    campaign = parse_campaign(source, "2026-11-uusi", "2026-11-uusi.toml", zone)
    renderer = CampaignRenderer(campaign, templates, studio, zone)
    reader = Recipient("Aino", language, "")
    mail = renderer.email(reader, "aino@posti.example", _URL, "1", moment)
    message = email.message_from_bytes(mail.content, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    texts = campaign.fields["headline"], campaign.fields["sms"]
    headline, short = (each[language] for each in texts if isinstance(each, dict))
    assert campaign.subject[language] == message["Subject"]
    for part in ("plain", "html"):
        body = message.get_body((part,))
        assert body is not None
        words = body.get_content().replace("&nbsp;", " ").replace("\N{NO-BREAK SPACE}", " ")
        assert [] == [fact for fact in (headline, *_FACTS[kind, language]) if fact not in words]
    assert f": {short} " in renderer.sms(reader, "+358401234567", _URL).text
