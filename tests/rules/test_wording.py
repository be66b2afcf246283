"""Which channels a question names, and which ones a yes to it opens."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.wording import channels_named, normal, opens, wording_hash
from dispatcher.texts import text

EMAIL, SMS = Channel.EMAIL, Channel.SMS


@pytest.mark.parametrize(
    ("question", "named"),
    [
        ("Saako lähettää tarjouksia sähköpostitse?", {EMAIL}),
        ("Saako lähettää tarjouksia s-postilla?", {EMAIL}),
        ("Saako lähettää tarjouksia tekstiviestillä?", {SMS}),
        ("Tarjouksia tekstiviestinä (SMS) ja sähköpostilla", {EMAIL, SMS}),
        ("Får vi skicka erbjudanden per e-post?", {EMAIL}),
        ("Får vi skicka erbjudanden med epost eller sms?", {EMAIL, SMS}),
        ("Får vi skicka textmeddelanden?", {SMS}),
        ("May we email you our offers?", {EMAIL}),
        ("May we send you offers by text?", {SMS}),
        ("MAY WE SEND YOU TEXT MESSAGES?", {SMS}),
        ("Saako lähettää tarjouksia?", set()),
        ("Suoramarkkinointi sallittu", set()),
        ("Read the context of our offers", set()),
    ],
)
def test_a_question_names_its_channels(question: str, named: set[Channel]) -> None:
    """L-01: what a question asks about is read from its words, in Finnish, Swedish and English."""
    assert named == channels_named(question)


def test_a_yes_counts_for_sms_only_where_text_messages_are_named() -> None:
    """L-01, L-03: a yes to offers in general opens email; text messages have to be asked for by name."""
    assert opens("Saako lähettää tarjouksia?", EMAIL)
    assert not opens("Saako lähettää tarjouksia?", SMS)
    assert not opens("Saako lähettää tarjouksia sähköpostitse?", SMS)
    assert opens("Saako lähettää tarjouksia tekstiviestillä?", SMS)


def test_a_question_about_text_messages_alone_opens_no_email() -> None:
    """L-03: each channel is asked about for itself."""
    assert not opens("Saako lähettää tarjouksia tekstiviestillä?", EMAIL)


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("channel", Channel)
def test_the_houses_own_questions_open_their_channel_alone(channel: Channel, language: Language) -> None:
    """L-03: the question the program brings along names one channel, and is kept as it is."""
    own = text(f"question_{channel}", language)
    assert {channel} == channels_named(own)
    assert own == normal(own)


@given(st.text(max_size=200))
def test_the_normal_form_is_one_form(words: str) -> None:
    """D-02: writing a question down again changes neither its text nor its hash."""
    assert normal(words) == normal(normal(words))
    assert wording_hash(normal(words)) == wording_hash(normal(f"  {words}\r\n"))
