"""The least that a dispatcher.toml says, as its tests write it."""

STUDIO = """
[studio]
name = "Tunturituuli"
business_id = "0000000-0"
postal_address = "Esimerkkikuja 1, 99999 Esimerkkilä"
email = "hei@tunturituuli.example"
phone = "+358 40 000 0000"
booking_url = "https://tunturituuli.example/varaa"
public_url = "https://viestit.tunturituuli.example/"
[studio.notice]
fi = "https://tunturituuli.example/tietosuoja"
"""
PREVIEW = '[email]\nsender = "tarjoukset@tunturituuli.example"\n'
