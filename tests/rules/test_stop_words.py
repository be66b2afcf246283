"""What a client who writes back has said: the words of texts and of mails."""

import unicodedata
from collections.abc import Callable
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.rules.stop_words import Said, said_in_reply, said_in_text

STOPS = """
    STOP STOPALL UNSUBSCRIBE END QUIT REVOKE OPTOUT LOPETA LOPPU SEIS POISTA KIELTO KIELLÄ KIELLÄN EI
    STOPP SLUTA AVSLUTA NEJ
""".split()  # noqa: SIM905 - read as words
AMBIGUOUS = ["PERU", "PERUUTA", "CANCEL"]
NOES = {Said.STOP, Said.STOP_OR_APPOINTMENT}
SIGNS = st.text(" \t\n\r.,!?\"'»«“”„‘’()[]-–…*\u200b\ufeff\u00a0", max_size=6)  # noqa: RUF001 - signs as typed
CASES: st.SearchStrategy[Callable[[str], str]] = st.sampled_from([str.upper, str.lower, str.title, str.swapcase])
FORMS: st.SearchStrategy[Literal["NFC", "NFD", "NFKC", "NFKD"]] = st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"])


@given(word=st.sampled_from([*STOPS, *AMBIGUOUS]), before=SIGNS, after=SIGNS, case=CASES, form=FORMS)
def test_a_stop_word_is_known_however_it_is_written(
    word: str, before: str, after: str, case: Callable[[str], str], form: Literal["NFC", "NFD", "NFKC", "NFKD"]
) -> None:
    """S-33: case, form of the letters, quotes, signs and blanks around a word change nothing."""
    written = unicodedata.normalize(form, before + case(word) + after)
    assert said_in_text(written) is (Said.STOP_OR_APPOINTMENT if word in AMBIGUOUS else Said.STOP)


@given(word=st.sampled_from([*STOPS, *AMBIGUOUS]), rest=st.text(max_size=60))
def test_whatever_follows_a_first_word_it_is_a_no(word: str, rest: str) -> None:
    """S-33: the first word decides; no text after it takes a no back."""
    assert said_in_text(f"{word} {rest}") in NOES
    assert said_in_text(f"{word}. {rest}") in NOES


@given(st.text())
def test_any_text_has_an_answer(text: str) -> None:
    """S-33: no text of any letters is too much for the lists, and a text without words says nothing."""
    assert isinstance(said_in_text(text), Said)
    assert isinstance(said_in_reply(text), Said)


@pytest.mark.parametrize(
    "text",
    [
        "Stop. Thank you",
        "STOP .",
        "lopeta!",
        "“Lopeta”",
        " 'stop' ",
        "Stop,kiitos",
        "STOP\nMaija",
        "S.T.O.P",
        "opt-out",
        "Opt out please",
        "stop all",
        "Ei",
        "Ei kiitos!",
        "NEJ TACK",
        "ＳＴＯＰ",  # noqa: RUF001 - as some telephones type
        "kiella\u0308n",
        "Lopettakaa nämä viestit",
        "poista minut listalta",
        "🛑 STOP 🛑",
    ],
)
def test_a_plain_stop(text: str) -> None:
    """S-33: what people write who mean a stop and nothing else."""
    assert said_in_text(text) is Said.STOP


@pytest.mark.parametrize(
    "text",
    [
        "peruuta aika huomenna",
        "PERU",
        "Cancel my appointment",
        "perun ajan",
        "Ei käy tuo aika, entä tiistai?",
        "Nej, på måndag",
    ],
)
def test_a_stop_that_may_mean_the_appointment(text: str) -> None:
    """S-33: a no all the same, and somebody has to look at it."""
    assert said_in_text(text) is Said.STOP_OR_APPOINTMENT


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n",
        "!!!",
        "en peru aikaani",
        "Voinko peruuttaa?",
        "Please don't stop",
        "Kiitos, tulen!",
        "eilen oli kivaa",
        "stopover",
        "ending",
        "yes I will be there",
        "Startar ni klockan tio?",
        "help me find the place",
        "1 STOP",
        "🛑",
        "kyllä",
    ],
)
def test_anything_else_is_left_to_a_person(text: str) -> None:
    """S-33, S-34: a word in mid-sentence, a word that begins alike, or nothing at all is no stop."""
    assert said_in_text(text) is Said.OTHER


@pytest.mark.parametrize(("text", "said"), [("START", Said.START), ("unstop.", Said.START), ("Yes!", Said.START)])
def test_a_start_is_only_a_start(text: str, said: Said) -> None:
    """S-34: the words that lift the provider's block are known, as a whole body only."""
    assert said_in_text(text) is said


@pytest.mark.parametrize("text", ["HELP", "Info", "ohje?", "Hjälp!"])
def test_who_asks_for_help(text: str) -> None:
    """S-33: a call for help is known."""
    assert said_in_text(text) is Said.HELP


@pytest.mark.parametrize(
    "text",
    [
        "STOP",
        "Lopeta.\n\nMaija Esimerkki\nLähetetty puhelimesta",
        "Hei,\n\npoistakaa listalta, kiitos.\n\nT. Maija",
        "Poistattehan minut postituslistaltanne.",
        "Älkää lähettäkö",
        "älkää lähettäkö enää viestejä",
        "Älkää lähettäkö\nenää mainoksia minulle!",
        "ÄLÄ LÄHETÄ MULLE ENÄÄ NÄITÄ",
        "Älkää lähettäkö kiitos\nTerveisin Maija",
        "En halua.",
        "En halua enää",
        "En halua enää saada näitä viestejä.",
        "En halua mainoksia sähköpostiini",
        "Ei enää mainoksia, kiitos",
        "Kiitos hoidoista! En halua enää saada tarjousviestejä.".replace("hoidoista", "kaikesta"),
        "Kiellän suoramarkkinoinnin.",
        "Peruutan suostumukseni markkinointiin",
        "Perun markkinointilupani.",
        "Peruuttakaa uutiskirje",
        "Lopettakaa viestien lähettäminen",
        "Lopettakaa viestit.",
        "Lopettakaa tarjoukset, kiitos",
        "Lopeta meilit!",
        "lopettakaa mailit ja tekstarit",
        "lopettakaa",
        "Stopp!",
        "Avregistrera mig tack",
        "avregistrera",
        "Ta bort mig",
        "Ta bort mig från er lista.",
        "Var snäll och ta bort mig från era utskick",
        "Skicka inte mer reklam",
        "Sluta skicka mejl till mig",
        "Jag vill inte ha fler erbjudanden",
        "Jag vill inte längre få nyhetsbrev.",
        "Inga fler mejl, tack",
        "Jag återkallar mitt samtycke.",
        "Unsubscribe",
        "Please unsubscribe me from this.",
        "I unsubscribed last week, and again a mail.",
        "Remove me please",
        "remove me from your mailing list",
        "Take me off your list",
        "Please stop sending me these emails",
        "stop emailing me",
        "Stop these messages",
        "Don’t send me any more offers",  # noqa: RUF001 - as mail programs type
        "Do not contact me again.",
        "No more emails please",
        "I don't want to receive your newsletter",
        "I no longer wish to receive marketing emails.",
        "I withdraw my consent.",
        "Cancel my subscription",
    ],
)
def test_a_reply_that_says_no(text: str) -> None:
    """L-01, S-33: a reply that says no to our messages in Finnish, Swedish or English is a no."""
    assert said_in_reply(text) is Said.STOP


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Ei kiitos",
        "Kiitos, tulen!",
        "en peru aikaani",
        "Perun aikani huomenna.",
        "Peruuttakaa varaukseni",
        "En halua tulla huomenna",
        "En halua enää sitä hoitoa",
        "Älkää lähettäkö laskua sähköpostilla",
        "Poistakaa tietoni rekisteristä",
        "Poistakaa minut jonotuslistalta",
        "Lopetatteko te kesäksi?",
        "En halua peruuttaa uutiskirjettä",
        "Ei mitään lisättävää",
        "Ta bort mig från väntelistan",
        "Jag vill inte avregistrera mig",
        "Jag vill inte boka om tiden",
        "Skicka inte fakturan per post",
        "Sluta inte skicka erbjudanden",
        "Remove me from the waiting list for Tuesday",
        "Please do not remove me from the list",
        "I don't want to unsubscribe!",
        "Please don't stop sending these messages",
        "Can you stop by on Friday?",
        "I want to stop smoking",
        "Do not send the invoice by email",
        "I don't want a massage on Monday",
        "Where is the bus stop?",
        "The treatment did not end well",
        "unsubscribe her",
    ],
)
def test_a_reply_about_something_else(text: str) -> None:
    """L-01, S-33: what stops something else, or nothing, waits for a person."""
    assert said_in_reply(text) is Said.OTHER


@pytest.mark.parametrize(
    "text",
    [
        "PERU",
        "Cancel please",
        "Peruuta\n\nMaija",
        "Peruutan tilauksen",
        "Unsubscribe me. And move my appointment to Friday.",
        "Älkää lähettäkö mainoksia. Voinko siirtää aikani?",
    ],
)
def test_a_reply_that_somebody_has_to_look_at(text: str) -> None:
    """S-33: a no that may have meant an appointment, or that speaks of one as well."""
    assert said_in_reply(text) is Said.STOP_OR_APPOINTMENT


@pytest.mark.parametrize(
    "words", ["en halua enää saada ", "remove me from you ", "stop me my the ", "ei mitään ", "a, "]
)
def test_a_long_mail_is_read_quickly(words: str) -> None:
    """A mail of endless words that could each begin a no takes no endless time."""
    assert said_in_reply(words * 50_000 + "word") is Said.OTHER
