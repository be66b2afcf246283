"""What a client who writes back has said: the words of a text message (S-33), and the stricter ones of a mail.

Whatever is not surely a no waits for a person, and nothing goes to that client meanwhile: so a word that may mean
something else is none of these lists' business.
"""

import re
import unicodedata
from collections.abc import Iterator
from enum import StrEnum

_TEXT_AT_MOST = 8_000
"""Characters of a mail that are read: whoever wants no more says so in fewer."""


class Said(StrEnum):
    """What a message from a client amounts to."""

    STOP = "stop"
    STOP_OR_APPOINTMENT = "stop_or_appointment"
    """A no like any other, and somebody has to look: it may have meant an appointment instead, or as well."""
    START = "start"
    """No consent: it only lifts the provider's own block (S-34)."""
    HELP = "help"
    OTHER = "other"


NOES = frozenset({Said.STOP, Said.STOP_OR_APPOINTMENT})
"""What a text message amounts to that is a no."""
_STOPS = frozenset(
    """
    stop stopall unsubscribe end quit revoke optout
    lopeta lopettakaa lopettaa lopetan lopetus loppu seis poista poistakaa kielto kiellä kiellän ei
    stopp stoppa sluta avsluta avregistrera nej
    """.split()  # noqa: SIM905 - read as words
)
_AMBIGUOUS = frozenset("cancel peru perun perukaa peruuta peruutan peruuttakaa peruutus".split())  # noqa: SIM905
"""What people also write about their appointment."""
_PLAIN_NO = frozenset({"ei", "nej", "end"})
"""What a sentence about anything may begin with: a no, and somebody has to look if it goes on."""
_STARTS = frozenset({"start", "unstop", "yes"})
_HELPS = frozenset({"help", "info", "ohje", "ohjeet", "apua", "hjälp"})
_COURTESY = (
    r"kiitos|kiitoksia|kiitti|kiitän|tack|tackar|snälla|thanks|thank you|thx|please|pls|hei|hej|hi|hello|moi|terve|"
    r"terv|terveisin|t|ystävällisin|yst|mvh|hälsningar|vänliga|regards|br|best|kind|sincerely|lähetetty|skickat|sent"
)
_WORD = re.compile(r"[^\W_]+")
_COURTESIES = re.compile(rf"(?:{_COURTESY})(?: \w+){{0,2}}")


def said_in_text(body: str) -> Said:
    """Return what a text message says: by its whole body or its first word, however it is written (S-33, S-34)."""
    words = _WORD.findall(_plain(body))
    if not words:
        return Said.OTHER
    whole, first = "".join(words), _first(body, words)
    if whole in _STARTS:
        return Said.START
    if whole in _HELPS:
        return Said.HELP
    if {whole, first} & _AMBIGUOUS:
        return Said.STOP_OR_APPOINTMENT
    if whole in _STOPS or (first in _STOPS and (first not in _PLAIN_NO or _is_courtesy(words[1:]))):
        return Said.STOP
    return Said.STOP_OR_APPOINTMENT if first in _STOPS else Said.OTHER


def said_in_reply(text: str) -> Said:
    """Return what a reply to a mail says; what it quotes has been taken out before.

    A no is a line of its own that is nothing but a word for it, or a sentence that says it of messages like ours. What
    would stop something else, an appointment or a bill, is `OTHER`: a person reads it.
    """
    plain = _plain(text[:_TEXT_AT_MOST])
    is_about_else = False
    found: set[Said] = set()
    for line in plain.splitlines():
        found.add(_said_in_line(line))
    for sentence in _sentences(plain):
        if _ELSE.search(sentence):
            is_about_else = True
        elif _is_no(sentence):
            found.add(Said.STOP)
        elif _OF_AN_ORDER.search(sentence):
            found.add(Said.STOP_OR_APPOINTMENT)
    if Said.STOP in found:
        return Said.STOP_OR_APPOINTMENT if is_about_else else Said.STOP
    return Said.STOP_OR_APPOINTMENT if Said.STOP_OR_APPOINTMENT in found else Said.OTHER


_SURE = _STOPS - _PLAIN_NO - {"loppu"} | {"avanmäl", "avprenumerera", "poistu"}

_WORDS = {
    "much": r"(?:enää|lisää|koskaan|ikinä|mer|mera|fler|flera|längre|more|any|anymore|ever|again|minulle|mulle|meille|"
    r"tänne|mig|me|my|us|to|till|hit|here|tähän|osoitteeseen|sähköpostiin|sähköpostiini|this|these|such|your|the|"
    r"from|you|ni|er|era|eran|dessa|det|här|detta|näitä|tätä|tällaisia|teidän|teiltä|mitään|yhtään|saada|"
    r"vastaanottaa|ottaa|vastaan|receive|receiving|get|getting|ha|få|ta|emot|i|jag|og|ja|and|och|kiitos|please|tack)",
    "ours": r"(?:viest[ei]\w*|tekstiviest\w*|tekstar\w*|maino[sk]\w*|mainont\w*|markkinoin\w*|suoramarkkinoin\w*|"
    r"tarjouks\w*|tarjousviest\w*|uutiskir\w*|kampanj\w*|sähköpost\w*|mail[ei]\w*|meil[ei]\w*|postia|posteja|"
    r"postituks\w*|roskaposti\w*|spämmi\w*|mejl\w*|mail|mails|mailings?|e ?mails?|e ?post\w*|reklam\w*|"
    r"erbjudanden\w*|nyhetsbrev\w*|utskick\w*|meddelanden\w*|sms|sms \w+|marknadsföring\w*|direktmarknadsföring\w*|"
    r"messages?|texts?|offers?|ads|adverts?|advertis\w+|advertising|newsletters?|marketing|promotions?|spam)",
    "listed": r"(?:listalta\w*|postituslistalta\w*|sähköpostilistalta\w*|jakelulistalta\w*|markkinointilistalta\w*|"
    r"jakelusta\w*|postituksesta\w*|uutiskirjeestä\w*)",
    "consent": r"(?:suostumuk\w+|markkinointiluva\w+|markkinointilupa\w*|luvan|lupani|samtycke\w*|consent|permission)",
    "ended": rf"(?=$| (?:{_COURTESY})\b)",
}
_NOES = re.compile(
    r"\b(?:"
    # Finnish
    r"(?:älkää|älä|elkää)(?: (?:enää|kiitos|please))? (?:lähettäkö|lähetä|lähettäkää|laittako|laita|viestitelkö|"
    r"mainostako)(?: {much})*(?: {ours}.*|{ended})"
    r"|en halua(?: {much})*(?: {ours}.*|{ended})"
    r"|ei (?:enää )?(?:{much} )*{ours}(?: {much})*{ended}"
    r"|(?:poista|poistakaa|poistattehan|poistaisitko|poistaisitteko|ottakaa)(?: \w+){{0,3}}? {listed}"
    r"|(?:lopeta|lopettakaa|lopettaisitteko)(?: {much})*"
    r"(?: (?:lähettäminen|lähettely|lähettämästä|näiden|nämä)\b.*| {ours}.*|{ended})"
    r"|kiellän(?: {much})* {ours}"
    r"|(?:perun|peruutan|peru|peruuta|peruuttakaa|perukaa)(?: \w+){{0,2}}? (?:{consent}|uutiskir\w+)"
    # Swedish
    r"|skicka inte(?: {much})*(?: {ours}.*|{ended})"
    r"|sluta (?:att )?(?:skicka|mejla|maila|messa|spamma|störa)(?: {much})*(?: {ours}.*|{ended})"
    r"|(?:jag )?(?:vill|önskar) inte(?: {much})*(?: {ours}.*|{ended})"
    r"|inga (?:fler|mer|flera) {ours}"
    r"|(?:ta|tag) bort (?:mig|min (?:adress|e ?post\w*|mejladress|mailadress))(?: {much})*"
    r"(?: från(?: {much})* (?:lista\w*|listan|e ?postlista\w*|sändlista\w*|utskick\w*|{ours}).*|{ended})"
    r"|(?:avregistrera|avanmäl|avprenumerera|stryk)(?: mig)?(?: från \w+)?(?: {much})*{ended}"
    r"|avsluta (?:min )?prenumeration\w*"
    r"|(?:återkallar|drar tillbaka|tar tillbaka)(?: \w+)? {consent}"
    # English
    r"|unsubscrib(?:e|ed|ing)(?! (?:him|her|them)\b)"
    r"|(?:remove|delete|take) (?:me|my (?:name|address|e ?mail(?: address)?))(?: off)?(?: {much})*"
    r"(?: (?:from|off) (?:{much} )*(?:e ?mail |mailing |marketing |contact |distribution )?(?:lists?|{ours}).*"
    r"| mailing list.*| list{ended}|{ended})"
    r"|opt (?:me )?out"
    r"|stop (?:sending|e ?mailing|mailing|messaging|texting|contacting|spamming|bothering)(?: {much})*"
    r"(?: {ours}.*|{ended})"
    r"|stop(?: {much})* {ours}"
    r"|(?:do not|dont|never) (?:send|e ?mail|mail|contact|text|message|write)(?: {much})*(?: {ours}.*|{ended})"
    r"|no more(?: {much})* {ours}"
    r"|(?:do not|dont|no longer) (?:want|wish|like)(?: {much})*(?: {ours}.*|{ended})"
    r"|(?:withdraw|revoke)(?: my)? {consent}"
    r"|cancel (?:my |the |this )?(?:subscription|newsletters?)"
    r")".format_map(_WORDS)
)
"""Sentences that say no to messages like ours; `.*` where what follows cannot take it back."""
_NOT = re.compile(r"\b(?:en|ei|et|emme|älä|älkää|inte|ej|aldrig|not|dont|didnt|wont|cant|cannot|never|without)\b")
"""What turns a sentence round where it stands before such words."""
_ELSE = re.compile(
    r"\b(?:aika(?:a|ni|ani|mme|nne|varaus\w*)?|ajan(?:i|varau\w+)?|varau\w+|vastaanotto\w*|hoito\w*|hoido\w+|jono\w*|"
    r"lasku\w*|maksu\w*|kuit\w+|tiedo\w+|rekisteri\w*|"
    r"tid|tiden|tider|bokning\w*|avbok\w*|väntelist\w*|kölista\w*|behandling\w*|faktura\w*|räkning\w*|kvitto\w*|"
    r"uppgifter\w*|register\w*|"
    r"appointments?|bookings?|reservations?|treatments?|waiting list|waitlist|invoices?|bills?|receipts?|my data|"
    r"records?)\b"
)
"""What a sentence is about that says no to something else."""
_OF_AN_ORDER = re.compile(r"\b(?:peru|perun|perukaa|peruuta|peruutan|peruuttakaa) (?:tilau\w+)")
"""An order of a newsletter, or of something that was bought."""


def _plain(text: str) -> str:
    """Return a text in small letters and one form, without what nobody sees."""
    shown = (char for char in unicodedata.normalize("NFKC", text) if unicodedata.category(char) != "Cf")
    return unicodedata.normalize("NFC", "".join(shown).casefold())


def _first(body: str, words: list[str]) -> str:
    """Return the first word: what stands before a blank, signs within it left out, or before the first sign."""
    known = _STOPS | _AMBIGUOUS
    before_blank = "".join(_WORD.findall(next(filter(_WORD.search, _plain(body).split()))))
    pair = "".join(words[:2])
    return next((each for each in (words[0], before_blank) if each in known), pair if pair == "optout" else words[0])


def _is_courtesy(words: list[str]) -> bool:
    return not words or _COURTESIES.fullmatch(" ".join(words)) is not None


def _said_in_line(line: str) -> Said:
    """Return what a line says that is one word and thanks for it at most."""
    words = _WORD.findall(line)
    if not words or len(words) > 4:
        return Said.OTHER
    whole = "".join(words)
    if whole in _SURE or (words[0] in _SURE and _is_courtesy(words[1:])):
        return Said.STOP
    is_ambiguous = whole in _AMBIGUOUS or (words[0] in _AMBIGUOUS and _is_courtesy(words[1:]))
    return Said.STOP_OR_APPOINTMENT if is_ambiguous else Said.OTHER


def _sentences(plain: str) -> Iterator[str]:
    """Give the sentences of a text: words and single blanks; a line that ends in mid-sentence goes on in the next."""
    for paragraph in re.split(r"\n\s*\n", plain):
        for sentence in re.split(r"[.!?;:]+(?:\s|$)", paragraph):
            words = _WORD.findall(re.sub(r"['’`´]", "", sentence))  # noqa: RUF001 - the signs that mails have
            if words:
                yield " ".join(words)


def _is_no(sentence: str) -> bool:
    found = _NOES.search(sentence)
    return found is not None and not _NOT.search(sentence, 0, found.start())
