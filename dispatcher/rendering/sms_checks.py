"""What every text message must show, and what none may say or cost: looked at once, when a campaign is compiled."""

from collections.abc import Iterator
from dataclasses import dataclass

from dispatcher.errors import RenderingError, Severity
from dispatcher.links import SMS_TOKEN_LENGTH
from dispatcher.rendering.checks import Fault, MustShow, open_links, opt_out_shown, words_shown
from dispatcher.rendering.gaps import Hole, Trace, Values, between_marks, mark_of, without_marks
from dispatcher.rendering.skeleton import Shape, Skeleton
from dispatcher.rendering.templates import FAILURES
from dispatcher.rules.campaign import Campaign, Channel, Language
from dispatcher.rules.consent import Place
from dispatcher.rules.sms import SIGNS, measure, plain
from dispatcher.rules.sms_sender import is_number
from dispatcher.rules.sms_words import reply_asked, shortened
from dispatcher.rules.studio import Studio
from dispatcher.texts import why_text

_LONGEST_DAY = {Language.FI: "30.10.2026", Language.SV: "30.10.2026", Language.EN: "30 September 2026"}


@dataclass(frozen=True, slots=True)
class Terms:
    """What the text messages of one campaign keep to.

    `most_parts` is how many parts each may have, and `raised_in` where that is said. `is_one_way`: nobody can answer
    the sender. `link` is as long as every opt-out link of the studio.
    """

    most_parts: int
    raised_in: str
    is_one_way: bool
    link: str
    keeps_signs: bool

    @classmethod
    def of(cls, campaign: Campaign, studio: Studio, most_parts: int) -> "Terms":
        """Return what a campaign's text messages keep to where the settings allow so many parts."""
        own = campaign.most_parts
        asks_less = own is not None and own < most_parts
        return cls(
            most_parts=own if own is not None and asks_less else most_parts,
            raised_in="in the campaign" if asks_less else "under [sms] in dispatcher.toml",
            is_one_way=not is_number(studio.sms_sender),
            link=f"{studio.link_base(Channel.SMS)}/u/{'a' * SMS_TOKEN_LENGTH}",
            keeps_signs=campaign.keep_signs,
        )

    def filled(self, form: Skeleton, language: Language) -> str:
        """Return the longest text message of a form whose reader is not called by name. Raises RenderingError."""
        try:
            return form.fill(_longest(self.link, language))
        except FAILURES as error:
            raise RenderingError(str(error).rstrip(".")) from None


def faults(rendered: str, trace: Trace, shape: Shape, must_show: MustShow, terms: Terms) -> list[Fault]:
    """Return what a text message lacks of what it must show, says that it may not, and costs that it need not."""
    return [
        *words_shown(rendered, must_show.in_sms()),
        *opt_out_shown(shown=mark_of(Hole.OPT_OUT_URL) in rendered),
        *open_links(rendered),
        *_replies(rendered, terms),
        *_shorteners(rendered),
        *(() if shape.named else _parts(rendered, trace, shape, terms)),
    ]


def _replies(rendered: str, terms: Terms) -> Iterator[Fault]:
    asked = reply_asked(without_marks(rendered))
    if not asked:
        return
    near = (asked, asked.split()[0])
    fix = 'leave the words out: {{ t("sms_opt_out") }} {{ opt_out_url }} says it'
    if terms.is_one_way:
        yield Fault(f"it asks for an answer ({asked}), and a name as sender can get none", fix, "S-10", near=near)
    else:
        what = f"it asks for an answer ({asked}), which costs the reader a text message"
        yield Fault(what, fix, "S-10", Severity.WARNING, near)


def _shorteners(rendered: str) -> Iterator[Fault]:
    link = shortened(without_marks(rendered))
    if link:
        what = f"the networks stop text messages with shortened addresses ({link})"
        yield Fault(what, "write a short address of your own domain", "S-13", near=(link,))


def _parts(rendered: str, trace: Trace, shape: Shape, terms: Terms) -> Iterator[Fault]:
    """Return whether a message without a name has too many parts, and what its typographic signs do to them."""
    form = Skeleton.of_text(rendered, trace)
    written = measure(terms.filled(form, shape.language))
    plainly = measure(terms.filled(with_plain_signs(form), shape.language))
    sent = written if terms.keeps_signs else plainly
    own = max((piece.strip() for piece in between_marks(rendered)), key=len, default="")
    if sent.segments > terms.most_parts:
        what = f"the text message takes {_many(sent.segments)}, and {terms.most_parts} may be the most"
        fix = f"shorten sms under [offer], or raise most_parts {terms.raised_in}"
        yield Fault(what, fix, "S-05", near=(own, "sms ="))
    signs = "".join(dict.fromkeys(sign for sign in without_marks(rendered) if sign in SIGNS))
    if signs and not shape.dated:
        word = next(word for word in without_marks(rendered).split(" ") if set(word) & set(signs))
        yield _about_signs(signs, written.segments, plainly.segments, (word, signs[0]), terms)


def _about_signs(signs: str, written: int, plainly: int, near: tuple[str, ...], terms: Terms) -> Fault:
    """Return what becomes of the typographic signs of a message, and how to have it otherwise (S-06)."""
    each = ", ".join(f"{_named(sign)} as {_named(SIGNS[sign])}" for sign in signs)
    if terms.keeps_signs:
        what = f"the signs of the text message stay as they are written: {_many(written)}, else {plainly}"
        fix = f"take keep_signs out to have them sent plainly ({each}); clients' names always stay as they are"
    else:
        what = f"the text message is sent with plain signs ({each}): {_many(plainly)} instead of {written}"
        fix = (
            "write keep_signs = true above the first [table] to have them sent as they are written; "
            "clients' names always are"
        )
    return Fault(what, fix, "S-06", Severity.REMARK, near)


def _named(sign: str) -> str:
    if not sign:
        return "nothing"
    return sign if sign.isprintable() and not sign.isspace() else f"U+{ord(sign):04X}" if sign != " " else "a space"


def _many(parts: int) -> str:
    return f"{parts} part{'' if parts == 1 else 's'}"


def with_plain_signs(form: Skeleton) -> Skeleton:
    """Return a form with plain signs in its own words; what is filled in for a client stays as it is (S-06)."""
    return Skeleton(tuple(plain(piece) if isinstance(piece, str) else piece for piece in form.pieces))


def _longest(link: str, language: Language) -> Values:
    day = _LONGEST_DAY[language]
    return {
        Hole.FIRST_NAME: "",
        Hole.AGREED_ON: day,
        Hole.WHY_SENT: max((why_text(place, day, language) for place in Place), key=len),
        Hole.OPT_OUT_URL: link,
        Hole.ENDS_ON: day,
        Hole.RENEW_URL: link,
    }
