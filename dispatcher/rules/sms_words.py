"""What the words of a text message may not say: a reply nobody can get, a link of somebody else's (S-10, S-13)."""

import re

_SHORTENERS = frozenset(
    """
    adf.ly bit.do bit.ly bitly.com bl.ink buff.ly clck.ru cutt.ly dub.sh goo.gl is.gd j.mp linktr.ee lnkd.in
    lyhyt.es ow.ly qr.ae rb.gy rebrand.ly s.id short.gy short.io shorturl.at shrtco.de smarturl.it soo.gd t.co
    t.ly t2m.io tiny.cc tiny.one tinyurl.com tr.im urlz.fr v.gd x.co
    """.split()  # noqa: SIM905 - read as words
)
"""Services that shorten anybody's addresses: networks stop messages with them, and who follows one is counted."""
_HOST = re.compile(r"(?<![\w.@/-])(?:https?://)?((?:[a-z0-9-]+\.)+[a-z]{2,})(?=[/\s?#:.,;!)]|$)", re.IGNORECASE)
_VERB = (
    r"vasta(?:a|amalla|us)\w*|repl(?:y|ying)|svar(?:a|et)?|lähet(?:ä|tämällä|täkää)|tekstaa\w*|kirjoita|"
    r"send|text|skicka|sms:?a|skriv|answer|respond"
)
_SURE = r"stop+(?:all|a)?|lopeta|lopetus|seis|poista|peru(?:uta)?|kiell[äo]n?|kielto|unsubscribe|optout|sluta|avsluta"
_SHORT = r"EI|NEJ|NO|END|QUIT|CANCEL|LOPPU"
"""Words of every day, which ask for an answer only in capitals."""
_QUOTE = r"[\s\"'»«“”„‘’:(=–-]"  # noqa: RUF001 - the quotes that texts have
_REPLY = re.compile(
    rf"\b(?:{_VERB})\b[^.!?\n]{{0,40}}?\b(?:{_SURE})\b"
    rf"|\b(?:{_VERB}){_QUOTE}{{1,3}}(?-i:{_SHORT})\b"
    rf"|\b(?:{_SURE})\b{_QUOTE}{{0,3}}(?:numeroon|to|till|nr)\s*:?\s*\+?\d",
    re.IGNORECASE,
)


def is_shortener(host: str) -> bool:
    """Say whether a host is a service that shortens anybody's addresses (S-13)."""
    return host.lower().rstrip(".").removeprefix("www.") in _SHORTENERS


def shortened(text: str) -> str:
    """Return the first address of such a service in a text, with or without https://, or nothing."""
    return next((found[0] for found in _HOST.finditer(text) if is_shortener(found[1])), "")


def reply_asked(text: str) -> str:
    """Return the words by which a text asks for an answer such as STOP, or nothing (S-10)."""
    found = _REPLY.search(" ".join(text.split()))
    return found[0] if found else ""
