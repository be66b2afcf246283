"""What the words of a text message may not say."""

import pytest

from dispatcher.rules.sms_words import is_shortener, reply_asked, shortened


@pytest.mark.parametrize(
    "text",
    [
        "Hieronta 49 e. Vastaa STOP",
        "Peru viestit: vastaa tähän viestiin LOPETA.",
        "Vastaamalla EI lopetat viestit",
        "vastaa\nstop",
        "lähetä STOP numeroon 12345",
        "Lähetä viesti SEIS",
        "Tekstaa POISTA",
        "STOP numeroon 040 123 4567",
        "Reply STOP to opt out",
        "Reply with “STOP”",
        "Text STOP to 12345",
        "To unsubscribe reply UNSUBSCRIBE",
        "Answer NO",
        "STOP to +358401234567",
        "svara STOPP",
        "Svara på detta sms med SLUTA",
        "Skicka STOPP till 71234",
        "Svara NEJ",
    ],
)
def test_words_that_ask_for_an_answer(text: str) -> None:
    """S-10: in three languages, however the sentence goes, an answer that a name as sender cannot get is found."""
    assert reply_asked(text)


@pytest.mark.parametrize(
    "text",
    [
        "Mainos, Hoitola: Hieronta 49 e. Varaa 040 000 0000. Lopeta: https://m.example/u/abc",
        "Stop: https://m.example/u/abc",
        "Stopp: https://m.example/u/abc",
        "Vastaamme puhelimeen arkisin. Lopeta kiire hetkeksi.",
        "Lähetä lahja, ei laskua.",
        "Send no flowers: give an hour of rest",
        "Svara inte på detta sms.",
        "Text no longer than this",
        "Peru lomasi kiireet: hieronta 49 e",
        "Stop to smell the flowers",
    ],
)
def test_words_that_ask_for_none(text: str) -> None:
    """S-10: the way out behind a link, and an offer that speaks of stopping, are no reply words."""
    assert "" == reply_asked(text)


@pytest.mark.parametrize(
    "text", ["https://bit.ly/x", "Varaa bit.ly/kevat", "http://WWW.TinyURL.com/a", "t.co", "x: is.gd."]
)
def test_shortened_addresses(text: str) -> None:
    """S-13: a public shortener is found with and without https://, in whatever case."""
    assert shortened(text)


@pytest.mark.parametrize(
    "text",
    ["https://m.example/bit.ly", "https://rabbit.ly/x", "hei@bit.ly", "30.4. asti", "klo 9.00", "bit.lyhyt.fi", ""],
)
def test_own_addresses(text: str) -> None:
    """S-13: a domain of one's own is none, whatever it looks like."""
    assert "" == shortened(text)
    assert not is_shortener("m.example")
