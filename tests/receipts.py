"""What the tests of receipts share: the schema that a receipt keeps to, and a studio with its processors."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema

from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.processing import Periods, Processing, Processor
from dispatcher.rules.studio import Studio

_SCHEMA = json.loads((Path(__file__).parent.parent / "docs" / "consent-receipt.schema.json").read_text("utf-8"))
STUDIO = Studio(
    name="Tunturituuli",
    business_id="0000000-0",
    postal_address="Esimerkkikuja 1, 99999 Esimerkkilä",
    email="hei@tunturituuli.example",
    phone="+358 40 000 0000",
    booking_url="https://tunturituuli.example/varaa",
    public_url="https://viestit.tunturituuli.example",
    sender="tarjoukset@tunturituuli.example",
    bounces="tarjoukset@tunturituuli.example",
    notice={Language.FI: "https://tunturituuli.example/tietosuoja"},
)
PERIODS = Periods(365, 30, 90, 2, 365, 455, 7)
MAIL = Processor("P1", "smtp.posti.example", Channel.EMAIL, "FI", date(2026, 1, 15))
TWILIO = Processor("P2", "Twilio", Channel.SMS, "IE", date(2026, 1, 15), reaches_outside=True)
PROCESSING = Processing(STUDIO, "FI", (MAIL, TWILIO), PERIODS, "Viestit eivät sisällä terveystietoja.")
AT_HOME = Processing(STUDIO, "FI", (), PERIODS)


def check_receipt(receipt: Any) -> None:
    """Hold that a receipt keeps to its schema; the error names the field that does not."""
    jsonschema.Draft202012Validator.check_schema(_SCHEMA)
    jsonschema.validate(receipt, _SCHEMA, cls=jsonschema.Draft202012Validator)
