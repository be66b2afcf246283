"""A text message: short, named, and with the way out in it (S-03 to S-10)."""

from dispatcher.errors import RenderingError
from dispatcher.rendering import checks, headers
from dispatcher.rendering.gaps import Hole, Trace, Values
from dispatcher.rendering.skeleton import Shape, Skeleton
from dispatcher.rendering.templates import FOLDER, Words, located, sms_path
from dispatcher.rendering.ways import Ways
from dispatcher.rules.campaign import Campaign
from dispatcher.rules.message import Sms
from dispatcher.rules.sms import measure
from dispatcher.rules.studio import Studio

LONGEST = 1600
"""Characters a text message may have at the provider (S-07)."""
# Typographic signs that would halve the room of a part, and the plain ones that say the same (S-06). They are
# replaced in the studio's own words only; a client's name stays as it is written.
_PLAIN = str.maketrans(
    {
        "\N{RIGHT SINGLE QUOTATION MARK}": "'",
        "\N{LEFT SINGLE QUOTATION MARK}": "'",
        "\N{LEFT DOUBLE QUOTATION MARK}": '"',
        "\N{RIGHT DOUBLE QUOTATION MARK}": '"',
        "\N{EN DASH}": "-",
        "\N{EM DASH}": "-",
        "\N{HORIZONTAL ELLIPSIS}": "...",
        "\N{NO-BREAK SPACE}": " ",
    }
)


def compile_form(campaign: Campaign, words: Words, studio: Studio, shape: Shape) -> Ways[Skeleton]:
    """Return the text message of a shape, checked for all that every text message must hold.

    Raises RenderingError naming the template and what to write there.
    """
    path = sms_path(campaign)
    must_show = checks.MustShow.of(studio, shape.language)

    def make(trace: Trace) -> Skeleton:
        rendered = words.render(path, shape, trace).strip()
        form = located(path, lambda: Skeleton.of_text(rendered, trace))
        checks.refuse(f"{FOLDER}/{path}", checks.sms(rendered, must_show))
        return Skeleton(tuple(plain(piece) if isinstance(piece, str) else piece for piece in form.pieces))

    return Ways(make)


def plain(words: str) -> str:
    """Return the studio's own words with plain signs for the typographic ones (S-06)."""
    return words.translate(_PLAIN)


def write(form: Skeleton, values: Values, to: str) -> Sms:
    """Return the finished text message of one client, its parts counted (S-05).

    Raises RenderingError if it is longer than the provider takes.
    """
    headers.checked_link(values[Hole.OPT_OUT_URL])
    parts = measure(form.fill(values))
    if len(parts.text) > LONGEST:
        raise RenderingError(
            f"The text message has {len(parts.text)} characters and {LONGEST} are the most: shorten sms under [offer]."
        )
    return Sms(recipient=to, text=parts.text, segments=parts.segments)
