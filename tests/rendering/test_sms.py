"""What a text message looks like."""

import unicodedata
from collections.abc import Callable
from datetime import time
from zoneinfo import ZoneInfo

import pytest

from dispatcher.errors import RenderingError
from dispatcher.rendering import CampaignRenderer, Templates
from dispatcher.rules.campaign import Campaign, Channel, Language
from dispatcher.rules.message import Recipient
from dispatcher.rules.sms import Encoding, measure
from dispatcher.rules.studio import Studio
from dispatcher.texts import text

_PATH = "sms/offer.txt.j2"
_URL = f"https://m.rt.example/u/{'a' * 31}"
_NUMBER = "+358401234567"
_MUST = '{{ t("sms_marker") }} {{ studio.name }} {{ opt_out_url }}'
Compile = Callable[..., CampaignRenderer]


@pytest.mark.parametrize("language", Language)
def test_a_text_message_names_the_studio_and_the_way_out(
    language: Language, renderer: CampaignRenderer, studio: Studio
) -> None:
    """S-10, L-20: marker, business name and link, and never a word about replying."""
    sms = renderer.sms(Recipient("Aino", language, ""), _NUMBER, _URL)
    assert sms.text.startswith(f"{text('sms_marker', language)}, {studio.name}: ")
    assert sms.text.endswith(f" {_URL}")
    assert (_NUMBER, 1) == (sms.recipient, sms.segments)


@pytest.mark.parametrize("language", Language)
def test_the_sample_year_fits_one_part(
    language: Language, samples: dict[str, Campaign], renderers: Callable[[str], CampaignRenderer]
) -> None:
    """S-01: every sample text message is one part of the short alphabet, its link included."""
    by_sms = [name for name, campaign in samples.items() if Channel.SMS in campaign.channels]
    assert len(by_sms) >= 4
    for name in by_sms:
        parts = measure(renderers(name).sms(Recipient("Ánte", language, ""), _NUMBER, _URL).text)
        assert (Encoding.GSM7, 1) == (parts.encoding, parts.segments)


def test_typographic_signs_become_plain(compiled: Compile) -> None:
    """S-06: dashes, quotes and the like do not halve the room; what they say stays."""
    sms = compiled({_PATH: f"10\N{EN DASH}16 \N{LEFT DOUBLE QUOTATION MARK}a\N{RIGHT DOUBLE QUOTATION MARK}… {_MUST}"})
    assert sms.sms(Recipient("", Language.FI, ""), _NUMBER, _URL).text.startswith('10-16 "a"... Mainos')


@pytest.mark.parametrize("language", Language)
def test_sums_and_times_cost_no_more_than_their_signs(language: Language, compiled: Compile) -> None:
    """S-06: what never breaks a line in a mail has plain blanks and dashes in a text message."""
    said = "{{ offer.price|euros }} {{ offer.hours }} "
    fields = {"price": 49, "hours": (time(9), time(15))}
    sms = compiled({_PATH: said + _MUST}, channels=(Channel.SMS,), fields=fields)
    parts = measure(sms.sms(Recipient("", language, ""), _NUMBER, _URL).text)
    begun = {"fi": "49 € klo 9.00-15.00 ", "sv": "49 € kl. 9.00-15.00 ", "en": "€49 from 9 am to 3 pm "}
    assert parts.text.startswith(begun[language])
    assert (Encoding.GSM7, "") == (parts.encoding, parts.forcing)


@pytest.mark.parametrize(
    ("name", "encoding"), [("Pirjo-Åsa", "GSM-7"), ("Ánte", "UCS-2"), ("O\N{RIGHT SINGLE QUOTATION MARK}Neil", "UCS-2")]
)
def test_a_name_stays_as_it_is_written(name: str, encoding: str, compiled: Compile) -> None:
    """S-05, S-06: a name is never rewritten; what it costs is counted for this one message."""
    greeting = "{% if client.first_name %}{{ client.first_name }}! {% endif %}"
    sms = compiled({_PATH: greeting + _MUST}).sms(Recipient(name, Language.FI, ""), _NUMBER, _URL)
    assert sms.text.startswith(f"{name}! Mainos")
    assert encoding == measure(sms.text).encoding
    assert sms.segments == measure(sms.text).segments


def test_the_text_is_composed(compiled: Compile) -> None:
    """S-03: letters written in two pieces are joined, so that they cost one."""
    apart = unicodedata.normalize("NFD", "hyvää päivää")
    sms = compiled({_PATH: f"{apart} {_MUST}"}).sms(Recipient("", Language.FI, ""), _NUMBER, _URL)
    assert sms.text.startswith("hyvää päivää Mainos")


@pytest.mark.parametrize(
    ("taken", "told"),
    [
        ("{{ opt_out_url }}", r"sms/offer\.txt\.j2: it does not show the opt-out link: write {{ opt_out_url }}"),
        ("{{ studio.name }}", r"sms/offer\.txt\.j2: it does not show the business name"),
        ('{{ t("sms_marker") }}', r"sms/offer\.txt\.j2: it does not show that it is advertising"),
    ],
)
def test_a_text_message_without_what_it_must_show_is_refused(
    taken: str, told: str, compiled: Compile, templates: Templates
) -> None:
    """S-10, L-21: found before anything is scheduled."""
    with pytest.raises(RenderingError, match=told):
        compiled({_PATH: templates.source(_PATH).replace(taken, "")})


@pytest.mark.parametrize(("length", "is_refused"), [(1450, False), (1580, True)])
def test_a_text_message_that_is_too_long_is_refused(
    length: int, campaign: Campaign, templates: Templates, studio: Studio, zone: ZoneInfo, *, is_refused: bool
) -> None:
    """S-07: more than the provider takes is found when the campaign is compiled, however many parts are allowed."""
    kept = Templates(templates.used_by(campaign) | {_PATH: f"{'x' * length} {_MUST}".encode()})
    if is_refused:
        with pytest.raises(RenderingError, match=r"has 1[67]\d\d characters and 1600 are the most"):
            CampaignRenderer(campaign, kept, studio, zone, most_parts=99)
    else:
        sms = CampaignRenderer(campaign, kept, studio, zone, most_parts=99).sms(
            Recipient("", Language.FI, ""), _NUMBER, _URL
        )
        assert length < len(sms.text) <= 1600


def test_a_filter_on_the_name_works_here_too(compiled: Compile) -> None:
    """S-05: what a template makes of a name is made, and counted, for each client."""
    renderer = compiled({_PATH: "{{ client.first_name|upper }} " + _MUST})
    assert renderer.sms(Recipient("Ánte", Language.FI, ""), _NUMBER, _URL).text.startswith("ÁNTE ")


def test_a_broken_link_is_refused(renderer: CampaignRenderer) -> None:
    """A link that no browser would open does not leave."""
    with pytest.raises(RenderingError, match="no link holds: check public_url"):
        renderer.sms(Recipient("", Language.FI, ""), _NUMBER, "m.rt.example/u/a b")
