"""What the sample year promises."""

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from dispatcher.rendering import CampaignRenderer
from dispatcher.rules.calendar import Windows
from dispatcher.rules.campaign import Campaign, Channel, Kind, Language
from dispatcher.rules.message import Recipient
from dispatcher.texts.en import MONTHS

_PROMISES = {
    Language.FI: r"paran|kipu|sairau|terapi|raskau|lymf|\bhoitaa\b",
    Language.SV: r"\bbota|smärt|värk|sjuk|terapi|gravid|lymf",
    Language.EN: r"heal|\bcure|\bpain|\bache|relie|therapy|pregnan|lymph",
}
"""What a word of a cure or a condition begins with."""


def test_the_year_has_eight_campaigns_of_both_kinds(samples: dict[str, Campaign]) -> None:
    """Six to twelve a year, offers and treatment days mixed."""
    kinds = [campaign.kind for campaign in samples.values()]
    assert (5, 3) == (kinds.count(Kind.OFFER), kinds.count(Kind.TREATMENT_DAY))


def test_no_two_campaigns_are_close(samples: dict[str, Campaign]) -> None:
    """A client hears from the studio at most every two weeks."""
    moments = [campaign.send_at for campaign in samples.values()]
    assert all(later - earlier >= timedelta(days=14) for earlier, later in pairwise(moments))


def test_every_campaign_leaves_while_its_channels_are_open(samples: dict[str, Campaign], zone: ZoneInfo) -> None:
    """S-14: the sample year disturbs nobody's evening, Sunday or holiday."""
    windows = Windows(zone)
    closed = [
        (name, channel)
        for name, campaign in samples.items()
        for channel in campaign.channels
        if not windows.is_open(channel, campaign.send_at)
    ]
    assert closed == []


def test_every_text_has_every_language(samples: dict[str, Campaign]) -> None:
    """Each subject and text is there in Finnish, Swedish and English, and differs."""
    for campaign in samples.values():
        texts = [campaign.subject, *(value for value in campaign.fields.values() if isinstance(value, dict))]
        assert len(texts) >= 4
        assert all(set(Language) == set(each) for each in texts)


def test_an_offer_ends_after_it_was_sent(samples: dict[str, Campaign]) -> None:
    """Nobody reads of an offer that is over."""
    for campaign in samples.values():
        assert campaign.valid_until
        assert campaign.valid_until > campaign.send_at.date()


@pytest.mark.parametrize("language", Language)
def test_what_a_text_says_is_what_the_campaign_is(language: Language, samples: dict[str, Campaign]) -> None:
    """A price, a date or an hour typed into a text is the campaign's own: no text was left behind by a change."""
    for name, campaign in samples.items():
        said = [campaign.subject, *(value for value in campaign.fields.values() if isinstance(value, dict))]
        words = " ".join(each[language] for each in said)
        prices = {int(first or last) for first, last in re.findall(r"€(\d+)|(\d+) €", words)}
        assert prices <= {campaign.fields["price"]}, name
        days = [day for day in (campaign.valid_until, campaign.fields.get("day")) if isinstance(day, date)]
        months = "|".join(month[:3] for month in MONTHS)
        found = set(re.findall(rf"\b\d+\.\d+\b|\b\d+ (?:{months})", words))
        assert found <= {f"{d.day}.{d.month}" for d in days} | {f"{d.day} {MONTHS[d.month - 1][:3]}" for d in days}, (
            name
        )
        open_at = campaign.fields.get("hours")
        spans = {"-".join(str(each.hour) for each in open_at)} if isinstance(open_at, list) else set()
        assert set(re.findall(r"\b\d+-\d+\b", words)) <= spans, name


def test_both_kinds_go_by_both_channels(samples: dict[str, Campaign]) -> None:
    """The year shows an offer and a treatment day by mail alone, and both by text message too."""
    ways = {(campaign.kind, campaign.channels) for campaign in samples.values()}
    assert {(kind, way) for kind in Kind for way in ((Channel.EMAIL,), (Channel.EMAIL, Channel.SMS))} == ways


def test_a_treatment_day_is_the_day_its_texts_say(samples: dict[str, Campaign]) -> None:
    """A day is open to book until it comes, and lies on the day of the week that the texts name."""
    for campaign in samples.values():
        if campaign.kind is Kind.TREATMENT_DAY:
            day = campaign.fields["day"]
            assert isinstance(day, date)
            assert (campaign.valid_until, "lauantai") == (day, _WEEKDAYS[day.weekday()])


_WEEKDAYS = ("maanantai", "tiistai", "keskiviikko", "torstai", "perjantai", "lauantai", "sunnuntai")


@pytest.mark.parametrize("language", Language)
def test_nothing_medical_is_promised(language: Language, samples: dict[str, Campaign]) -> None:
    """L-25, L-43: no campaign promises a cure or names anybody's condition."""
    for campaign in samples.values():
        texts = [value[language] for value in campaign.fields.values() if isinstance(value, dict)]
        words = " ".join([campaign.subject[language], *texts])
        assert re.findall(_PROMISES[language], words.lower()) == []


def test_every_sample_becomes_a_mail(
    samples: dict[str, Campaign], renderers: Callable[[str], CampaignRenderer], moment: datetime
) -> None:
    """The whole sample year can be sent to every language."""
    url = f"https://m.revontuli.example/u/{'a' * 37}"
    for name, campaign in samples.items():
        for language in Language:
            mail = renderers(name).email(Recipient("Aino", language, ""), "a@posti.example", url, "1", moment)
            assert f"Feedback-ID: {campaign.name}:{campaign.kind}:".encode() in mail.content
