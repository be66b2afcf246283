"""The invented studio whose messages are looked at."""

from dispatcher.rules.campaign import Language
from dispatcher.rules.studio import Studio

STUDIO = Studio(
    name="Hoitola Revontuli",
    business_id="1234567-8",
    postal_address="Tunturitie 5, 99999 Kuusela",
    email="hei@revontuli.example",
    phone="040 000 0000",
    booking_url="https://varaus.revontuli.example/",
    public_url="https://m.revontuli.example",
    sender="tarjoukset@m.revontuli.example",
    bounces="palautukset@m.revontuli.example",
    notice={Language.FI: "https://revontuli.example/tietosuoja", Language.SV: "https://revontuli.example/sv/skydd"},
)
