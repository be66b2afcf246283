"""What is made of the same words is made once; other words are never taken for the same."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from dispatcher.errors import RenderingError
from dispatcher.rendering import CampaignRenderer, Templates
from dispatcher.rendering.kept import Kept, source_of
from dispatcher.rules.campaign import Campaign
from dispatcher.rules.studio import Studio


def test_a_campaign_is_compiled_once_in_a_process(
    campaign: Campaign, templates: Templates, studio: Studio, zone: ZoneInfo
) -> None:
    """What the check has compiled of all templates is what goes out of those that were frozen."""
    later = campaign.send_at + timedelta(days=1)
    checked = CampaignRenderer(replace(campaign, send_at=later), templates, studio, zone)
    frozen = CampaignRenderer(replace(campaign), Templates(templates.used_by(campaign)), studio, zone)
    assert checked._emails is frozen._emails
    assert checked._texts is frozen._texts


@pytest.mark.parametrize(
    "other",
    [
        lambda campaign, studio: (replace(campaign, title="Another"), studio, 3),
        lambda campaign, studio: (replace(campaign, fields={**campaign.fields, "price": 49.0}), studio, 3),
        lambda campaign, studio: (replace(campaign, fields={**campaign.fields, "price": Decimal(49)}), studio, 3),
        lambda campaign, studio: (campaign, replace(studio, phone="+358 40 000 0001"), 3),
        lambda campaign, studio: (campaign, studio, 2),
    ],
    ids=["title", "a sum with a point", "a sum of another kind", "studio", "parts"],
)
def test_other_words_are_another_source(
    other: Callable[[Campaign, Studio], tuple[Campaign, Studio, int]],
    campaign: Campaign,
    templates: Templates,
    studio: Studio,
) -> None:
    """Whatever can be read in a message tells two sources apart, numbers that are equal and printed otherwise too."""
    campaign = replace(campaign, fields={**campaign.fields, "price": 49})
    changed, of_whom, parts = other(campaign, studio)
    assert source_of(campaign, templates, studio, 3, None) == source_of(replace(campaign), templates, studio, 3, None)
    assert source_of(campaign, templates, studio, 3, None) != source_of(changed, templates, of_whom, parts, None)


def test_a_changed_template_is_another_source(campaign: Campaign, templates: Templates, studio: Studio) -> None:
    """A layout that the campaign only reaches counts as its own template does; one it never reaches does not."""
    files = templates.used_by(campaign)
    before = source_of(campaign, Templates(files), studio, 3, None)
    layout = {**files, "layouts/email.html.j2": files["layouts/email.html.j2"] + b"\n"}
    assert source_of(campaign, Templates(layout), studio, 3, None) != before
    assert source_of(campaign, Templates({**files, "sms/another.txt.j2": b"x"}), studio, 3, None) == before


def test_what_cannot_be_told_is_made_each_time(campaign: Campaign, templates: Templates, studio: Studio) -> None:
    """A template that names another only when it runs has a source nobody can write down."""
    files = templates.used_by(campaign)
    files["layouts/email.html.j2"] += b"{% include offer.headline %}"
    assert source_of(campaign, Templates(files), studio, 3, None) is None
    kept = Kept[object]()
    assert kept.of(None, object) is not kept.of(None, object)


def test_only_the_last_sixteen_are_kept() -> None:
    """What has not been asked for while sixteen others were is made anew; a failure is never kept."""
    kept = Kept[object]()

    def fail() -> object:
        raise RenderingError("no")

    with pytest.raises(RenderingError):
        kept.of(("a",), fail)
    first = kept.of(("a",), object)
    for number in range(15):
        kept.of((str(number),), object)
    assert kept.of(("a",), object) is first
    for number in range(16):
        kept.of((str(number),), object)
    assert kept.of(("a",), object) is not first
