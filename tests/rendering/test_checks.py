"""What a mail must not do, and what does not count as shown."""

from collections.abc import Callable

import pytest

from dispatcher.errors import RenderingError
from dispatcher.rendering import CampaignRenderer, Templates

_LAYOUT = "layouts/email.html.j2"
Compile = Callable[..., CampaignRenderer]


@pytest.mark.parametrize(
    ("added", "told"),
    [
        ('<img src="https://pixel.example/x.gif">', "<img> would load something"),
        ('<img src="//pixel.example/x.gif" alt="">', "<img> would load something"),
        ('<table background="http://x.example/"></table>', "<table> would load something"),
        ('<p style="background: url(https://x.example/)">x</p>', "<p> would load something"),
        ("<script>1</script>", "<script> has no place in a mail"),
        ('<link rel="stylesheet" href="https://x.example/x.css">', "<link> has no place in a mail"),
        ('<iframe title="x"></iframe>', "<iframe> has no place in a mail"),
        ('<p onclick="x()">x</p>', "<p> would run a script"),
        ('<a href="https://x.example/?c={{ client.first_name }}">x</a>', "a link differs from client to client"),
        ('<a href="{{ opt_out_url }}?x=1">x</a>', "a link differs from client to client"),
        ("x" * 101_000, "more than 100 kB of HTML"),
    ],
)
def test_a_mail_that_loads_or_follows_is_refused(
    added: str, told: str, compiled: Compile, templates: Templates
) -> None:
    """E-32, E-33, L-40: nothing is loaded, nobody is followed, and nothing is cut off."""
    changed = templates.source(_LAYOUT).replace("<h1>", f"{added}<h1>")
    with pytest.raises(RenderingError, match=rf"^templates/email/offer/body\.html\.j2.*{told}"):
        compiled({_LAYOUT: changed})


@pytest.mark.parametrize(
    "style", ["@import 'https://x.example/x.css';", "@font-face { src: url(https://x.example/x) }"]
)
def test_a_style_that_loads_is_refused(style: str, compiled: Compile, templates: Templates) -> None:
    """E-32: a style sheet asks nobody for a font or another sheet."""
    css = templates.source("layouts/email.css")
    with pytest.raises(RenderingError, match="a style would load something"):
        compiled({"layouts/email.css": style + css})


@pytest.mark.parametrize("hiding", ['style="display:none"', 'style="DISPLAY : none"', "hidden"])
def test_what_nobody_sees_is_not_shown(hiding: str, compiled: Compile, templates: Templates) -> None:
    """L-20, E-14: a marker or an opt-out link that is hidden does not count."""
    source = templates.source(_LAYOUT)
    for seen in ('<p class="leave"', '<td class="top marker"'):
        assert seen in source
        with pytest.raises(RenderingError, match="does not show"):
            compiled({_LAYOUT: source.replace(seen, f"{seen} {hiding}")})


def test_a_control_character_in_the_words_is_refused(compiled: Compile, templates: Templates) -> None:
    """E-21: an escape sign that slipped into a template is found."""
    path = "layouts/email.txt.j2"
    with pytest.raises(RenderingError, match=r"body\.txt\.j2: it prints a control character"):
        compiled({path: templates.source(path) + "\x1b"})


def test_a_picture_that_travels_along_is_welcome(compiled: Compile, templates: Templates) -> None:
    """A picture inside the mail asks nobody for anything."""
    changed = templates.source(_LAYOUT).replace("<h1>", '<img src="data:image/gif;base64,R0lGODlh" alt=""><h1>')
    assert isinstance(compiled({_LAYOUT: changed}), CampaignRenderer)
