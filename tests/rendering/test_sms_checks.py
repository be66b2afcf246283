"""What a text message may not say or cost is found when its campaign is compiled, and told in a check."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from dispatcher.errors import Finding, RenderingError, Severity
from dispatcher.rendering import CampaignRenderer, Templates
from dispatcher.rendering.survey import Survey
from dispatcher.rules.campaign import Campaign, Channel, Language
from dispatcher.rules.message import Recipient
from dispatcher.rules.sms import measure
from dispatcher.rules.studio import Studio

_PATH = "sms/offer.txt.j2"
_URL = f"https://m.revontuli.example/u/{'a' * 31}"
_NUMBER = "+358401234567"
_MUST = '{{ t("sms_marker") }} {{ studio.name }} {{ opt_out_url }}'
_GREETED = "{% if client.first_name %}{{ client.first_name }}, {% endif %}"
_SIGNS = "10\N{EN DASH}16 \N{RIGHT DOUBLE QUOTATION MARK}a\N{RIGHT DOUBLE QUOTATION MARK}\N{HORIZONTAL ELLIPSIS} "
Compile = Callable[..., CampaignRenderer]
Surveyed = Callable[..., list[Finding]]


@pytest.fixture
def surveyed(campaign: Campaign, studio: Studio) -> Surveyed:
    """Return a function that gives the findings of the campaign's text messages with this template."""

    def survey(
        template: str,
        sender: str = "Revontuli",
        *,
        most_parts: int = 3,
        own: int | None = None,
        keep_signs: bool = False,
    ) -> list[Finding]:
        changed = replace(campaign, channels=(Channel.SMS,), most_parts=own, keep_signs=keep_signs)
        kept = Templates({_PATH: template.encode()})
        sender_of = replace(studio, sms_sender=sender)
        return Survey(changed, kept, sender_of, "campaigns/a.toml", template, most_parts).findings()

    return survey


@pytest.mark.parametrize("words", ["Vastaa STOP", "Reply STOP", "svara STOPP", "lähetä STOP"])
@pytest.mark.parametrize("sender", ["Revontuli", ""])
def test_no_answer_is_asked_of_a_name(words: str, sender: str, surveyed: Surveyed, compiled: Compile) -> None:
    """S-10: with a name as sender, or none yet, "reply STOP" blocks; a number costs the reader a message: a warning."""
    [found] = surveyed(f"{words}: {_MUST}", sender)
    assert (Severity.ERROR, _PATH) == (found.severity, found.file.removeprefix("templates/"))
    assert words in found.what
    with pytest.raises(RenderingError, match=r"asks for an answer .* a name as sender can get none"):
        compiled({_PATH: f"{words}: {_MUST}"})
    [warned] = surveyed(f"{words}: {_MUST}", "+358401234567")
    assert (Severity.WARNING, True) == (warned.severity, "costs the reader" in warned.what)


def test_a_name_as_sender_always_has_the_link(surveyed: Surveyed) -> None:
    """S-10: whoever sends, name or number, a text message without the opt-out link is an error."""
    for sender in ("Revontuli", "+358401234567"):
        assert "opt-out link" in surveyed(_MUST.replace("{{ opt_out_url }}", ""), sender)[0].what


def test_a_shortened_link_is_refused(surveyed: Surveyed, compiled: Compile) -> None:
    """S-13: the networks stop messages with a public shortener in them."""
    [found] = surveyed(f"Varaa bit.ly/kevat {_MUST}")
    assert (Severity.ERROR, "bit.ly" in found.what) == (found.severity, True)
    with pytest.raises(RenderingError, match="S-13"):
        compiled({_PATH: f"Varaa https://tinyurl.com/kevat {_MUST}"})


def test_what_is_replaced_is_said(surveyed: Surveyed) -> None:
    """S-06: a check names each typographic sign, what it is sent as, and the parts before and after."""
    template = f"{_SIGNS}{'x' * 60} {_MUST}"
    found = surveyed(template)
    assert {Severity.REMARK} == {each.severity for each in found}
    told = found[0].what
    assert '– as -, ” as ", … as ...' in told  # noqa: RUF001 - the signs meant
    assert "1 part instead of 3" in told
    assert "keep_signs = true" in found[0].fix
    assert found[0].line == 1


def test_signs_can_be_kept(surveyed: Surveyed, compiled: Compile) -> None:
    """S-06: the replacement is an offer: a campaign that keeps its signs is told what they cost, and sends them."""
    template = f"{_SIGNS}{'x' * 60} {_MUST}"
    [*_, found] = surveyed(template, keep_signs=True)
    assert (Severity.REMARK, True) == (found.severity, "stay as they are written" in found.what)
    sent = compiled({_PATH: template}, keep_signs=True).sms(Recipient("", Language.FI, ""), _NUMBER, _URL)
    assert sent.text.startswith(_SIGNS)
    plain = compiled({_PATH: template}).sms(Recipient("", Language.FI, ""), _NUMBER, _URL)
    assert sent.segments == measure(sent.text).segments > plain.segments


@pytest.mark.parametrize("name", ["Ánte", "O\N{RIGHT SINGLE QUOTATION MARK}Brien", "Anna\N{EN DASH}Maija", "Nils-Ánte"])
@pytest.mark.parametrize("keeps", [True, False])
def test_a_name_is_never_rewritten(name: str, compiled: Compile, *, keeps: bool) -> None:
    """S-06: whatever becomes of the studio's own signs, letters and signs of a name are sent as they are."""
    renderer = compiled({_PATH: f"{_GREETED}{_SIGNS}{_MUST}"}, keep_signs=keeps)
    sms = renderer.sms(Recipient(name, Language.FI, ""), _NUMBER, _URL)
    assert sms.text.startswith(f"{name}, 10")
    assert keeps is (_SIGNS in sms.text)


def test_a_name_that_costs_a_part_too_many_is_left_out(compiled: Compile) -> None:
    """S-05: counted for each client: with Ánte it would be two parts and one may be the most, so no name is in it."""
    renderer = compiled({_PATH: f"{_GREETED}{_MUST}{' x' * 10}"}, most_parts=1)
    told = {name: renderer.sms(Recipient(name, Language.FI, ""), _NUMBER, _URL) for name in ("Aino", "Ánte", "")}
    assert [1, 1, 1] == [each.segments for each in told.values()]
    assert [False, True, False] == [each.leaves_name_out for each in told.values()]
    assert told["Ánte"].text == told[""].text
    assert told["Aino"].text.startswith("Aino, ")


@pytest.mark.parametrize(("own", "told"), [(None, "under \\[sms\\] in dispatcher.toml"), (1, "in the campaign")])
def test_a_message_that_is_too_long_for_everybody_is_refused(own: int | None, told: str, compiled: Compile) -> None:
    """S-05: what is too long without any name is found before scheduling, and where the limit is said."""
    words = "x" * (300 if own is None else 200)
    with pytest.raises(RenderingError, match=f"raise most_parts {told}"):
        compiled({_PATH: f"{words * (1 if own else 2)} {_MUST}"}, most_parts=own)


@pytest.mark.parametrize(("own", "settings", "may"), [(None, 1, 1), (2, 1, 1), (1, 2, 1), (2, 2, 2), (None, 2, 2)])
def test_the_smaller_limit_holds(own: int | None, settings: int, may: int, surveyed: Surveyed) -> None:
    """S-05: a campaign may ask for fewer parts than the settings allow, and gets no more than they do."""
    found = surveyed(f"{'x' * 200} {_MUST}", most_parts=settings, own=own)
    told = {each.what.partition(", in ")[0] for each in found}
    assert (set() if may == 2 else {"the text message takes 2 parts, and 1 may be the most (S-05)"}) == told
