"""What somebody wrote themselves in a reply: what they quote, and how their mail program signs, is taken off."""

import re

from dispatcher.rules.campaign import Language
from dispatcher.texts import text

_QUOTED = re.compile(
    r"\s*(?:[>|\N{RIGHT-POINTING DOUBLE ANGLE QUOTATION MARK}\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}]|&gt;)"
)
_WROTE = r"(?:wrote|writes|kirjoitti|skrev|schrieb|a écrit|escribió|написал|rašė|kirjutas)"
_ATTRIBUTION = re.compile(rf"(?:.{{0,400}}\b{_WROTE}\b[^\n]{{0,200}}:|\s*{_WROTE}\s*:)\s*\Z", re.IGNORECASE)
_DATED = re.compile(r".{0,80}(?:\d{1,2}[.:]\d{2}|\b20\d\d\b).{0,200}(?:<[^>\s]*@[^>\s]*>|\([^)\s]*@[^)\s]*\)|:)\s*\Z")
"""A line that dates and names who is quoted, where the verb is missing or stands in the next line."""
_DIVIDER = re.compile(
    r"\s*(?:[-_=*\N{EM DASH}\N{EN DASH}]{2,}\s*)"
    r"(?:original(?:nachricht| message| appointment)?|alkuperäinen|ursprungligt|forwarded|välitetty|edelleenlähetetty|"
    r"vidarebefordra|reply|vastattu|ursprüngliche|message d'origine)\b.*",
    re.IGNORECASE,
)
_FORWARDED = re.compile(
    r"\s*(?:begin forwarded message|välitetty viesti alkaa|alkuperäinen viesti|aloita välitetty viesti|"
    r"vidarebefordrat (?:brev|meddelande)|ursprungligt meddelande)\s*:?\s*\Z",
    re.IGNORECASE,
)
_RULE = re.compile(r"\s*[_=\N{EM DASH}\N{EN DASH}]{5,}\s*\Z|\s*-{10,}\s*\Z")
_FROM = re.compile(r"\s*\*?(?:from|lähettäjä|keneltä|från|von|de|saatja)\s*:\*?\s*\S", re.IGNORECASE)
_SENT = re.compile(
    r"\s*\*?(?:sent|date|to|subject|lähetetty|lähetysaika|päivämäärä|päiväys|pvm|vastaanottaja|kenelle|aihe|"
    r"skickat|datum|till|ämne|gesendet|an|betreff)\s*:\*?",
    re.IGNORECASE,
)
_SIGNATURE = re.compile(r"--\s?\Z")
_OF_A_DEVICE = re.compile(
    r"\s*(?:sent from (?:my|the|outlook|yahoo|mail)|get outlook for|lähetetty (?:\w+ ){0,3}?(?:iphone|ipad|android|"
    r"samsung|huawei|outlook|laittee|puhelime|gmail|yahoo)|hanki outlook|skickat från|skickades från|hämta outlook|"
    r"sendt fra|von meinem|lähettänyt).{0,80}\Z",
    re.IGNORECASE,
)
# A mail program that quotes without a mark shows our own mail as if its reader had written it; these lines are ours.
_OUR_LINES = tuple(text("opt_out_here", language).casefold() for language in Language)
_OUR_LINKS = frozenset(text("opt_out_link", language).casefold() for language in Language)
_LONGEST_LINE = 600
"""A longer line is a paragraph, and nobody is quoted by it."""
_SHORT_MAIL = 6
"""With fewer lines before it, the words of our link are their writer's own."""


def own_words(letter_text: str) -> str:
    """Return what somebody wrote themselves, line by line; "" where nothing is left."""
    lines = letter_text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    kept: list[str] = []
    for place, line in enumerate(lines):
        if _QUOTED.match(line) or _OF_A_DEVICE.match(line):
            continue
        if _ends_here(line, lines[place + 1 :], kept):
            break
        if not _leads_to_quote(line, lines[place + 1 : place + 5]):
            kept.append(line.strip())
    return "\n".join(kept).strip()


def _ends_here(line: str, following: list[str], kept: list[str]) -> bool:
    """Say whether everything from this line on is somebody else's, or a signature."""
    if len(line) > _LONGEST_LINE:
        return False
    if _SIGNATURE.match(line) or _DIVIDER.match(line) or _FORWARDED.match(line) or _is_ours(line, kept):
        return True
    if _RULE.match(line):
        return bool(kept)
    if _FROM.match(line):
        return any(_SENT.match(each) for each in following[:5])
    # Words that are quoted with a mark are left out one by one, since an answer may stand between or below them.
    is_attribution = _ATTRIBUTION.match(line) is not None
    return is_attribution and not _leads_to_quote(line, following[:4])


def _leads_to_quote(line: str, following: list[str]) -> bool:
    """Say whether a line says who wrote what is quoted, with a mark, right after it."""
    if len(line) > _LONGEST_LINE or not (_ATTRIBUTION.match(line) or _DATED.match(line)):
        return False
    after = [each for each in following if each.strip() and not _ATTRIBUTION.match(each)]
    return bool(after) and _QUOTED.match(after[0]) is not None


def _is_ours(line: str, kept: list[str]) -> bool:
    plain = line.strip().casefold().strip("*[]_ ")
    return plain.startswith(_OUR_LINES) or (plain in _OUR_LINKS and sum(map(bool, kept)) >= _SHORT_MAIL)
