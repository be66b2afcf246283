"""What templates may do, and what their errors say."""

from collections.abc import Callable
from dataclasses import replace
from datetime import time
from pathlib import Path

import pytest

from dispatcher.errors import RenderingError
from dispatcher.rendering import CampaignRenderer, Templates
from dispatcher.rendering.skeleton import Shape
from dispatcher.rendering.templates import Words
from dispatcher.rules.campaign import Campaign, Channel, Language
from dispatcher.rules.studio import Studio

_BODY = "email/offer/body.txt.j2"
_PAGE = "email/offer/body.html.j2"
_LAYOUT = "layouts/email.html.j2"
_SHAPE = Shape(Language.FI, named=True, dated=True)
Compile = Callable[..., CampaignRenderer]


def _render(source: str, campaign: Campaign, studio: Studio, *, language: Language = Language.FI) -> str:
    words = Words(campaign, Templates({_BODY: source.encode()}), studio)
    return words.render(_BODY, Shape(language, named=True, dated=True))


def test_a_campaign_freezes_exactly_what_it_needs(templates: Templates, campaign: Campaign) -> None:
    """Scheduling gets the campaign's own files and every layout they stand on, and no other."""
    expected = {
        "email/offer/body.html.j2",
        "email/offer/body.txt.j2",
        "layouts/email.css",
        "layouts/email.html.j2",
        "layouts/email.txt.j2",
        "layouts/price.txt.j2",
        "sms/offer.txt.j2",
    }
    assert expected == set(templates.used_by(campaign))


def test_a_channel_that_is_not_used_needs_no_file(templates: Templates, campaign: Campaign) -> None:
    """A campaign by text message alone freezes one file."""
    by_sms = replace(campaign, channels=(Channel.SMS,))
    assert {"sms/offer.txt.j2"} == set(templates.used_by(by_sms))


def test_a_subject_of_its_own_is_frozen_too(campaign: Campaign) -> None:
    """A template may bring its own subject, and macros from elsewhere."""
    files = {
        "email/offer/body.html.j2": b'{% import "layouts/pieces.j2" as pieces %}',
        "email/offer/body.txt.j2": b"",
        "email/offer/subject.txt.j2": b"{{ subject }}",
        "layouts/pieces.j2": b"",
        "layouts/unused.j2": b"",
        "sms/offer.txt.j2": b"",
    }
    assert sorted(set(files) - {"layouts/unused.j2"}) == list(Templates(files).used_by(campaign))


def test_frozen_files_render_alone(templates: Templates, campaign: Campaign, studio: Studio) -> None:
    """What was frozen is all that rendering needs."""
    frozen = Words(campaign, Templates(templates.used_by(campaign)), studio)
    assert Words(campaign, templates, studio).render(_BODY, _SHAPE) == frozen.render(_BODY, _SHAPE)


def test_a_name_made_up_while_rendering_cannot_be_frozen(campaign: Campaign) -> None:
    """An include by variable is refused, since nobody can say beforehand what it will need."""
    files = dict.fromkeys(("email/offer/body.html.j2", "sms/offer.txt.j2"), b"")
    with pytest.raises(RenderingError, match=r"templates/email/offer/body\.txt\.j2 names another template only when"):
        Templates(files | {_BODY: b"{% include subject %}"}).used_by(campaign)


def test_a_missing_file_is_named(campaign: Campaign) -> None:
    """A template that is not there is an error before anything is scheduled."""
    with pytest.raises(RenderingError, match=r"templates/.*\.j2 is missing: write it"):
        Templates({}).used_by(campaign)


def test_a_missing_include_is_named_where_it_is_wanted(campaign: Campaign, studio: Studio) -> None:
    """An include that is not there names the file and line that want it, and itself."""
    with pytest.raises(RenderingError, match=r"body\.txt\.j2, line 2: templates/layouts/gone\.j2 is missing"):
        _render('Hei\n{% include "layouts/gone.j2" %}', campaign, studio)


def test_a_syntax_error_names_file_and_line(compiled: Compile) -> None:
    """A forgotten bracket is found when the campaign is checked."""
    with pytest.raises(RenderingError, match=r"templates/email/offer/body\.txt\.j2, line 2: .*campaign check FILE"):
        compiled({_BODY: "Hei\n{{ offer.price \n"})


def test_a_syntax_error_is_found_while_freezing(campaign: Campaign) -> None:
    """Scheduling a broken template says where it is broken."""
    with pytest.raises(RenderingError, match=r"templates/email/offer/body\.txt\.j2, line 3: "):
        Templates({_BODY: b"\n\n{% if %}", "email/offer/body.html.j2": b"", "sms/offer.txt.j2": b""}).used_by(campaign)


def test_a_file_in_another_encoding_names_the_line(campaign: Campaign, studio: Studio) -> None:
    """A template saved as Windows-1252 says which line and what to do."""
    words = Words(campaign, Templates({_BODY: "Hei\nsinä".encode("cp1252")}), studio)
    with pytest.raises(RenderingError, match=r"body\.txt\.j2, line 2: save the file as UTF-8"):
        words.render(_BODY, _SHAPE)


def test_a_missing_field_says_where_to_write_it(campaign: Campaign, studio: Studio) -> None:
    """E-36: a field the campaign does not give names template, line, field and campaign file."""
    expected = (
        r"templates/email/offer/body\.txt\.j2, line 3: offer\.discount has no value: "
        r"write discount = \.\.\. under \[offer\] in campaigns/2026-03-kevat\.toml\."
    )
    with pytest.raises(RenderingError, match=expected):
        _render("Hei\n\n{{ offer.discount }}", campaign, studio)


def test_an_error_in_a_layout_names_the_layout(templates: Templates, campaign: Campaign, studio: Studio) -> None:
    """The innermost file is the one to correct."""
    files = templates.used_by(campaign) | {"layouts/email.txt.j2": b"{% block facts %}{% endblock %}\n{{ offer.tect }}"}
    with pytest.raises(RenderingError, match=r"templates/layouts/email\.txt\.j2, line 2: offer\.tect has no value"):
        Words(campaign, Templates(files), studio).render(_BODY, _SHAPE)


def test_a_field_without_a_language_is_named(campaign: Campaign, compiled: Compile) -> None:
    """A text that lacks one language of the audience is found for the whole audience."""
    expected = r'campaigns/2026-03-kevat\.toml: headline under \[offer\] has no sv: write sv = "\.\.\."'
    with pytest.raises(RenderingError, match=expected):
        compiled({}, fields={**campaign.fields, "headline": {"fi": "Hei", "en": "Hello"}})


def test_a_language_without_a_subject_is_named(compiled: Compile) -> None:
    """Every language of the audience needs a subject."""
    with pytest.raises(RenderingError, match=r'there is no subject in en: write en = "\.\.\." under \[subject\]'):
        compiled({}, subject={Language.FI: "Hei", Language.SV: "Hej"})


@pytest.mark.parametrize("name", ["visits", "last_visit", "notes", "email", "phone", "number"])
def test_a_template_knows_nothing_of_visits_or_health(name: str, campaign: Campaign, studio: Studio) -> None:
    """Invariant 7: of a client there is a first name and the days on which the yes was given and ends."""
    with pytest.raises(
        RenderingError, match=rf"client\.{name} has no value: a template may read first_name, agreed_on, why_sent or"
    ):
        _render(f"{{{{ client.{name} }}}}", campaign, studio)


def test_an_unknown_name_lists_the_known_ones(campaign: Campaign, studio: Studio) -> None:
    """A misspelt name says what there is."""
    with pytest.raises(RenderingError, match=r"line 1: a template knows nothing called ofer: choose offer, client,"):
        _render("{{ ofer }}", campaign, studio)


def test_an_unknown_text_is_placed(campaign: Campaign, studio: Studio) -> None:
    """A misspelt key of the catalogue names template and line."""
    with pytest.raises(RenderingError, match=r"body\.txt\.j2, line 2: There is no text 'greting'"):
        _render("\n{{ t('greting') }}", campaign, studio)


@pytest.mark.parametrize(
    "trick",
    [
        "{{ studio.__class__ }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ t.__globals__ }}",
        "{{ t.__closure__ }}",
        "{{ offer._values }}",
        "{{ client.first_name._hole }}",
        "{{ client.first_name['__class__'] }}",
        "{{ opt_out_url['_hole'] }}",
        "{{ [1].append(2) }}",
        "{{ {}.update({1: 2}) }}",
        "{{ '{0.__class__}'.format(offer) }}",
        "{{ offer.__getitem__.__func__ }}",
        "{{ (offer|attr('_values')) }}",
        "{{ range(10 ** 9)|length }}",
        "{{ self.__init__.__globals__ }}",
        "{{ cycler }}",
    ],
)
def test_the_sandbox_refuses_tricks(trick: str, campaign: Campaign, studio: Studio) -> None:
    """E-36: a template cannot reach past what it was given."""
    with pytest.raises(RenderingError, match=r"^templates/email/offer/body\.txt\.j2, line 1: "):
        _render(trick, campaign, studio)


def test_what_cannot_be_put_off_is_refused(compiled: Compile) -> None:
    """A template that would work on one client's link behind our back is refused, since it runs once for all."""
    with pytest.raises(RenderingError, match=r"body\.txt\.j2, line 1: .*print it whole"):
        compiled({_BODY: "{{ {opt_out_url: 1} }}"})


@pytest.mark.parametrize(
    "use",
    [
        "client.first_name|safe",
        "client.first_name|upper|safe",
        "opt_out_url|urlize",
        "{'title': client.first_name}|xmlattr",
    ],
)
def test_nothing_of_a_client_becomes_a_tag(use: str, compiled: Compile) -> None:
    """E-36: a filter that would print a name unescaped is refused."""
    with pytest.raises(RenderingError, match=r"line 1: .* as tags: leave it out \(E-36\)"):
        compiled({_PAGE: f"{{% if client.first_name %}}{{{{ {use} }}}}{{% endif %}}"})


def test_no_tag_is_made_for_one_client(compiled: Compile, templates: Templates) -> None:
    """E-36: a template that joins a tag to a name is refused before the first client, however harmless the name."""
    made = "{{ '<b>'|safe ~ client.first_name|upper }}"
    with pytest.raises(RenderingError, match="makes tags anew for each client"):
        compiled({_LAYOUT: templates.source(_LAYOUT).replace("<h1>", f"{made}<h1>")})


def test_nothing_is_left_to_chance(compiled: Compile) -> None:
    """What was tested is what goes out, so no template draws lots."""
    with pytest.raises(RenderingError, match="No filter named 'random'"):
        compiled({_BODY: "{{ ['a', 'b']|random }}"})


def test_escaping_cannot_be_switched_off(compiled: Compile) -> None:
    """E-36: what is HTML is escaped, whatever a template says."""
    with pytest.raises(RenderingError, match="autoescape cannot be switched"):
        compiled({_PAGE: "{% autoescape false %}{{ client.first_name }}{% endautoescape %}"})


@pytest.mark.parametrize(
    ("language", "amount", "written"),
    [
        ("fi", "49", "49\xa0€"),
        ("sv", "49.5", "49,50\xa0€"),
        ("en", "49.50", "€49.50"),
        ("fi", "'noin 49 €'", "noin 49 €"),
    ],
)
def test_a_sum_is_written_as_the_language_does(
    language: str, amount: str, written: str, campaign: Campaign, studio: Studio
) -> None:
    """Whole euros have no cents, and the blank before the sign never breaks a line."""
    assert written == _render(f"{{{{ {amount}|euros }}}}", campaign, studio, language=Language(language))


def test_dates_are_written_in_the_language(samples: dict[str, Campaign], studio: Studio) -> None:
    """A date of the campaign is text by the time a template sees it."""
    campaign = samples["2026-04-vappu"]
    expected = "25.4.2026 25.4.2026"
    assert expected == _render("{{ offer.day }} {{ valid_until }}", campaign, studio)


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("fi", "klo 9.00 klo 10.00\N{EN DASH}17.00 1 minuutti"),
        ("sv", "kl. 9.00 kl. 10.00\N{EN DASH}17.00 1 minut"),
        ("en", "at 9 am from 10 am to 5 pm 1 minute"),
    ],
)
def test_times_and_counts_are_written_in_the_language(
    language: str, told: str, campaign: Campaign, studio: Studio
) -> None:
    """A time, the hours of a day and a number of minutes are written once in the campaign, for all languages."""
    timed = replace(campaign, fields={"start": time(9), "hours": (time(10), time(17)), "minutes": 1})
    source = '{{ offer.start }} {{ offer.hours }} {{ t("minutes", count=offer.minutes) }}'
    written = _render(source, timed, studio, language=Language(language))
    assert told == written.replace("\N{NO-BREAK SPACE}", " ")


def test_html_is_escaped_and_text_is_not(campaign: Campaign, studio: Studio) -> None:
    """E-36: what the campaign says is text in both parts."""
    spiced = replace(campaign, fields={"headline": "Kaksi & <b>yksi</b>"})
    source = b"{{ offer.headline }}"
    words = Words(spiced, Templates({"a.html.j2": source, "a.txt.j2": source}), studio)
    expected = ("Kaksi &amp; &lt;b&gt;yksi&lt;/b&gt;", "Kaksi & <b>yksi</b>")
    assert expected == (words.render("a.html.j2", _SHAPE), words.render("a.txt.j2", _SHAPE))


def test_hidden_files_are_left_alone(tmp_path: Path, campaign: Campaign) -> None:
    """An editor's leavings are not templates."""
    for name in (".git/config", "sms/offer.txt.j2", "sms/.offer.txt.j2.swp"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    by_sms = replace(campaign, channels=(Channel.SMS,))
    found = Templates.from_directory(tmp_path)
    assert {"sms/offer.txt.j2": b"x"} == found.used_by(by_sms)
    assert "sms/.offer.txt.j2.swp" not in found


def test_an_empty_directory_says_what_to_type(tmp_path: Path) -> None:
    """A workspace without templates is an error that says so."""
    with pytest.raises(RenderingError, match="dispatcher init"):
        Templates.from_directory(tmp_path)
