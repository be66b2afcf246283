"""Why a client gets a mail: told from the answer itself, in whole sentences."""

import quopri
from collections.abc import Callable
from datetime import datetime

import pytest

from dispatcher.rendering import CampaignRenderer
from dispatcher.rules.campaign import Language
from dispatcher.rules.consent import Place
from dispatcher.rules.message import Recipient
from dispatcher.texts import CATALOGUES, text, why_text

_URL = f"https://m.revontuli.example/u/{'a' * 37}"
_OF_A_YES = (
    Place.ONLINE,
    Place.PHONE,
    Place.EMAIL,
    Place.IN_PERSON,
    Place.DESK,
    Place.SIGN_UP,
    Place.RENEWAL,
    Place.PREFERENCES,
    Place.SMS_REPLY,
    Place.MAILTO,
)


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("day", ["3.2.2026", ""])
@pytest.mark.parametrize("place", _OF_A_YES)
def test_both_parts_say_when_and_where_the_yes_was_given(
    place: Place, day: str, language: Language, renderer: CampaignRenderer, moment: datetime
) -> None:
    """L-22: "because you said yes on 3.2.2026 at booking" stands once in each part of a mail, in one sentence."""
    recipient = Recipient("Aino", language, day, agreed_at=place)
    mail = renderer.email(recipient, "aino@posti.example", _URL, "0190-a", moment)
    told = why_text(place, day, language)
    assert told not in {text("why", language), text("why_since", language, date=day)}
    assert (day in told, told.endswith("."), ". " in told.replace(day, "")) == (True, True, False)
    assert 2 == quopri.decodestring(mail.content).decode("utf-8").count(told)


@pytest.mark.parametrize("language", Language)
def test_no_two_places_are_told_alike(language: Language) -> None:
    """Each place has a sentence of its own; only a mail that somebody wrote is the same by whichever box it came."""
    assert len(_OF_A_YES) - 1 == len({why_text(place, "3.2.2026", language) for place in _OF_A_YES})
    assert why_text(Place.EMAIL, "", language) == why_text(Place.MAILTO, "", language)


@pytest.mark.parametrize("place", [None, *(place for place in Place if place not in _OF_A_YES)])
def test_an_unknown_place_is_left_out(place: Place | None) -> None:
    """Where nobody knows where the yes was given, or no yes is given there, the sentence does without."""
    assert text("why", Language.FI) == why_text(place, "", Language.FI)
    assert text("why_since", Language.FI, date="3.2.2026") == why_text(place, "3.2.2026", Language.FI)


def test_a_sentence_for_no_place_is_found() -> None:
    """Every sentence of the catalogue is for a place, with its twin that has the day."""
    places = {key.removeprefix("why_since_") for key in CATALOGUES[Language.FI] if key.startswith("why_since_")}
    bare = {key.removeprefix("why_") for key in CATALOGUES[Language.FI] if key.startswith("why_")}
    assert {place.value for place in _OF_A_YES} - {Place.MAILTO.value} == places
    assert places == {each for each in bare if not each.startswith("since")}


def test_a_template_may_ask_for_the_sentence(
    compiled: Callable[..., CampaignRenderer], renderer: CampaignRenderer
) -> None:
    """A text message says nothing of it; an owner who wants it there writes one name."""
    path = "sms/offer.txt.j2"
    must = '{{ t("sms_marker") }} {{ studio.name }} {{ opt_out_url }}'
    aino = Recipient("Aino", Language.FI, "3.2.2026", agreed_at=Place.PHONE)
    said = why_text(Place.PHONE, "3.2.2026", Language.FI)
    wordy = compiled({path: "{{ client.why_sent }} " + must})
    assert wordy.sms(aino, "+358401234567", _URL).text.startswith(said)
    assert said not in renderer.sms(aino, "+358401234567", _URL).text
