"""The check sees every fault of every part and language at once, each on its line."""

from collections.abc import Callable

import pytest

from dispatcher.errors import Finding, Severity
from dispatcher.rendering import Templates
from dispatcher.rendering.pictures import Picture
from dispatcher.rendering.survey import Survey
from dispatcher.rules.campaign import Campaign
from dispatcher.rules.studio import Studio

_LAYOUT = "layouts/email.html.j2"
Surveyed = Callable[..., list[Finding]]


@pytest.fixture(scope="session")
def surveyed(campaign: Campaign, templates: Templates, studio: Studio) -> Surveyed:
    """Return a function that surveys the campaign with something put before the headline of its HTML."""

    def survey(added: str = "", source: str = "") -> list[Finding]:
        kept = templates.used_by(campaign)
        kept[_LAYOUT] = kept[_LAYOUT].replace(b"<h1>", f"{added}\n<h1>".encode())
        return Survey(campaign, Templates(kept), studio, "campaigns/a.toml", source, 3).findings()

    return survey


def test_the_samples_have_no_fault(
    samples: dict[str, Campaign],
    templates: Templates,
    studio: Studio,
    surveyed: Surveyed,
    picture_of: Callable[[Campaign], Picture | None],
) -> None:
    """The campaigns and templates the program comes with have neither error nor warning."""
    assert [] == surveyed()
    for campaign in samples.values():
        survey = Survey(campaign, templates, studio, "campaigns/a.toml", "", 3, picture_of(campaign))
        assert [] == survey.findings()


def test_a_sign_no_font_knows_is_found_on_its_line(surveyed: Surveyed) -> None:
    """The signs that stand around what differs from client to client are no words of a campaign."""
    [finding] = surveyed(source="title = 'a'\n\nx = 'a\ue000first_name\ue001'\n")
    assert (finding.file, finding.line, finding.severity) == ("campaigns/a.toml", 3, Severity.ERROR)
    assert "U+E000" in finding.what


@pytest.mark.parametrize(
    ("added", "told", "severity"),
    [
        ('<img src="data:image/gif;base64,R0lGODlh">', "no words for who does not see it", Severity.ERROR),
        ('<img src="data:image/gif;base64,R0lGODlh" alt="" width="1" height=1>', "one pixel", Severity.ERROR),
        ('<a href="http://x.example/">x</a>', "not encrypted", Severity.ERROR),
        ('<a href="javascript:x">x</a>', "no mail program follows", Severity.ERROR),
        ('<a href="varaa">x</a>', "no mail program follows", Severity.ERROR),
        ('<a href="https://x.example/?utm_source=mail">x</a>', "counts its visitors", Severity.WARNING),
        ('<img src="cid:logo" alt="">', "nothing of that name is attached", Severity.ERROR),
        (f'<img src="data:image/gif;base64,{"R0lG" * 70_000}" alt="">', "a picture has 210 kB", Severity.WARNING),
        ("x" * 81_000, "cut the end off", Severity.WARNING),
        ('<a href="https://x.example/?c={{ client.first_name }}">x</a>', "differs from client", Severity.ERROR),
        ('<div style="background: url(https://x.example/y)">x</div>', "would load something", Severity.ERROR),
    ],
)
def test_a_fault_is_found_on_its_line(
    added: str, told: str, severity: Severity, surveyed: Surveyed, templates: Templates
) -> None:
    """E-32, E-33, L-40, L-45: what a mail must not hold is found once, where it was written."""
    [found] = [each for each in surveyed(added) if told in each.what]
    assert severity is found.severity
    if "cut the end off" not in told:
        line = templates.source(_LAYOUT).partition("<h1>")[0].count("\n") + 1
        assert (f"templates/{_LAYOUT}", line) == (found.file, found.line)


@pytest.mark.parametrize("link", ["https://elsewhere.example/x", "mailto:a@b.example", "tel:+358400000000"])
def test_links_may_lead_anywhere(link: str, surveyed: Surveyed) -> None:
    """L-40: a link that is the same for all may lead to any host, over https."""
    assert [] == surveyed(f'<a href="{link}">x</a>')


def test_faults_of_several_files_are_told_together(surveyed: Surveyed) -> None:
    """A name that a template misspells and a tag that has no place are told in one go."""
    found = surveyed("<form></form>") + surveyed("{{ offer.nonsense }}")
    assert ["<form> has no place in a mail", "offer.nonsense has no value"] == [each.what for each in found]
    assert "write nonsense = ... under [offer]" in found[1].fix
