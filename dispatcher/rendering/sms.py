"""A text message: short, named, and with the way out in it (S-03 to S-10)."""

from dispatcher.errors import RenderingError
from dispatcher.rendering import checks, headers, sms_checks
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


def compile_form(
    campaign: Campaign, words: Words, studio: Studio, shape: Shape, terms: sms_checks.Terms
) -> Ways[Skeleton]:
    """Return the text message of a shape, checked for all that every text message must hold.

    The studio's own words get plain signs for the typographic ones, unless the campaign keeps them (S-06). Raises
    RenderingError naming the template and what to write there.
    """
    path = sms_path(campaign)
    must_show = checks.MustShow.of(studio, shape.language)

    def make(trace: Trace) -> Skeleton:
        rendered = words.render(path, shape, trace).strip()
        form = located(path, lambda: Skeleton.of_text(rendered, trace))
        found = located(path, lambda: sms_checks.faults(rendered, trace, shape, must_show, terms))
        checks.refuse(f"{FOLDER}/{path}", found)
        return form if terms.keeps_signs else sms_checks.with_plain_signs(form)

    return Ways(make)


def write(form: Skeleton, values: Values, to: str) -> Sms:
    """Return the finished text message of one client, its parts counted (S-05).

    Raises RenderingError if its link cannot stand in a message.
    """
    headers.checked_link(values[Hole.OPT_OUT_URL])
    parts = measure(form.fill(values))
    return Sms(recipient=to, text=parts.text, segments=parts.segments)


def checked(sms: Sms, most_parts: int | None) -> Sms:
    """Return a text message that may leave. Raises RenderingError for one that is too long (S-05, S-07)."""
    if len(sms.text) > LONGEST:
        raise RenderingError(
            f"The text message has {len(sms.text)} characters and {LONGEST} are the most: shorten sms under [offer]."
        )
    if most_parts is not None and sms.segments > most_parts:
        raise RenderingError(
            f"The text message has {sms.segments} parts and {most_parts} are the most: shorten sms under [offer]."
        )
    return sms


def fits(sms: Sms, most_parts: int) -> bool:
    """Say whether a text message may leave as it is."""
    return sms.segments <= most_parts and len(sms.text) <= LONGEST
