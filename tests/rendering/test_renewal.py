"""The block that asks for a yes anew, in the last weeks of the old one."""

import quopri
from collections.abc import Callable
from datetime import datetime

import pytest

from dispatcher.errors import RenderingError
from dispatcher.rendering import CampaignRenderer, Templates
from dispatcher.rules.campaign import Campaign, Channel, Language
from dispatcher.rules.message import Recipient
from dispatcher.texts import text

_URL = f"https://m.revontuli.example/u/{'a' * 37}"
_RENEW = f"https://m.revontuli.example/r/{'b' * 47}"
_HTML, _TXT = "layouts/email.html.j2", "layouts/email.txt.j2"
_BLOCK = '<a href="{{ renew_url }}">'
Compile = Callable[..., CampaignRenderer]


def _ending(language: Language, ends_on: str = "3.2.2027") -> Recipient:
    return Recipient("Aino", language, "3.2.2026", ends_on)


def _mail(renderer: CampaignRenderer, recipient: Recipient, moment: datetime, renew_url: str = _RENEW) -> str:
    """Return a whole mail, decoded."""
    email = renderer.email(recipient, "aino@posti.example", _URL, "0190-a", moment, renew_url=renew_url)
    return quopri.decodestring(email.content).decode("utf-8")


@pytest.mark.parametrize("language", Language)
def test_both_parts_ask_for_the_yes_anew(language: Language, renderer: CampaignRenderer, moment: datetime) -> None:
    """L-09: the ordinary message says when the permission ends and asks, once in each part, with a link of its own."""
    mail = _mail(renderer, _ending(language), moment)
    assert 2 == mail.count(text("renew_ends", language, date="3.2.2027"))
    assert 2 == mail.count(text("renew_ask", language))
    assert 2 == mail.count(_RENEW)
    assert f'<a href="{_RENEW}"' in mail


@pytest.mark.parametrize("language", Language)
def test_the_offer_comes_first_and_the_way_out_last(
    language: Language, renderer: CampaignRenderer, moment: datetime
) -> None:
    """The question stands below the offer and above the foot, in both parts."""
    mail = _mail(renderer, _ending(language), moment)
    for part in mail.split("Content-Type: text/")[1:]:
        places = [part.index(each) for each in ("varaus.revontuli.example", _RENEW, text("right_to_object", language))]
        assert sorted(places) == places


@pytest.mark.parametrize("language", Language)
def test_nobody_else_is_asked(language: Language, renderer: CampaignRenderer, moment: datetime) -> None:
    """A yes that has time left brings neither the question nor a link, though one was handed in."""
    mail = _mail(renderer, _ending(language, ends_on=""), moment)
    assert _RENEW not in mail
    assert text("renew_ask", language) not in mail


def test_the_link_is_checked(renderer: CampaignRenderer, moment: datetime) -> None:
    """A mail that would ask without a link that works is not made."""
    for link in ("", "https://m.example/r/a\r\nb"):
        with pytest.raises(RenderingError, match="check public_url"):
            _mail(renderer, _ending(Language.FI), moment, link)


def test_templates_without_the_question_still_work(compiled: Compile, templates: Templates, moment: datetime) -> None:
    """What was frozen before there was such a question, or is written without it, makes the same mail as ever."""
    html, plain = (templates.source(path) for path in (_HTML, _TXT))
    old = compiled({_HTML: _without(html, "{% if client.ends_on %}"), _TXT: _without(plain, "{% if client.ends_on %}")})
    assert _mail(old, _ending(Language.FI), moment) == _mail(old, _ending(Language.FI, ends_on=""), moment)


def test_a_link_that_some_would_find_dead_is_refused(compiled: Compile, templates: Templates) -> None:
    """A template that prints the renewal link for everybody is told to ask first."""
    html = templates.source(_HTML).replace("{% if client.ends_on %}", "{% if true %}", 1)
    with pytest.raises(RenderingError, match=r"a link leads nowhere .* {% if client.ends_on %}"):
        compiled({_HTML: html})


def test_only_two_links_may_be_the_clients_own(compiled: Compile, templates: Templates) -> None:
    """L-40: a link made of the renewal link and something else is one that could tell who clicked."""
    html = templates.source(_HTML).replace(_BLOCK, '<a href="{{ renew_url }}?x=1">')
    with pytest.raises(RenderingError, match="only the opt-out link and the renewal link may"):
        compiled({_HTML: html})


def test_a_text_message_never_asks(samples: dict[str, Campaign], renderers: Callable[[str], CampaignRenderer]) -> None:
    """A text message is the same with a yes that ends: the question would cost a part of its own."""
    name = next(name for name, campaign in samples.items() if Channel.SMS in campaign.channels)
    link = f"https://m.rt.example/u/{'a' * 31}"
    ending, plain = (renderers(name).sms(_ending(Language.FI, day), "+358401234567", link) for day in ("3.2.2027", ""))
    assert plain == ending


def _without(source: str, opening: str) -> str:
    """Take the block that begins so out of a template, up to its end."""
    before, found, after = source.partition(opening)
    assert found
    return before + after.partition("{% endif %}\n")[2]
