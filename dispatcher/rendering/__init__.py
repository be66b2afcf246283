"""What a client sees: a campaign compiled once, then filled for each client.

Nothing here knows a database, a network or a clock, and a template can reach nothing but what `Words` hands it.
"""

import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from dispatcher.errors import RenderingError
from dispatcher.links import WaysBack
from dispatcher.rendering import checks, headers, sms_checks, trial
from dispatcher.rendering import email as emails
from dispatcher.rendering import sms as text_messages
from dispatcher.rendering.dkim import Signer, signed
from dispatcher.rendering.gaps import Hole
from dispatcher.rendering.kept import Kept, source_of
from dispatcher.rendering.mime import Envelope
from dispatcher.rendering.pictures import Picture
from dispatcher.rendering.skeleton import Shape, Skeleton, shapes_of
from dispatcher.rendering.templates import FAILURES, Templates, Words
from dispatcher.rendering.ways import Ways
from dispatcher.rules.campaign import Campaign, Channel, Language
from dispatcher.rules.message import Email, Recipient, Sms
from dispatcher.rules.studio import Studio
from dispatcher.texts import why_text

__all__ = ["CampaignRenderer", "Templates"]

LONGEST_NAME = 40
"""A first name longer than this is no name to greet anybody by."""
# A mail program makes a link of each of these, and the studio would be the one who sent it (E-36).
_LIKE_A_LINK = re.compile(r"://|www\.|@|\w\.\w\w", re.IGNORECASE)

_Forms = tuple[dict[Shape, emails.EmailForm], dict[Shape, Ways[Skeleton]]]
_FORMS = Kept[_Forms]()


class CampaignRenderer:
    """One campaign, compiled: templates run, styles inlined and everything checked before the first client.

    Raises RenderingError naming file, line and what to do, for every language of the audience and every shape of
    client, so that nothing is found only while sending. `most_parts` is how many parts the settings allow a text
    message; a campaign may ask for fewer. `picture` is the one the campaign names, prepared. `signer` signs every
    email, a test as well (E-04).
    """

    def __init__(
        self,
        campaign: Campaign,
        templates: Templates,
        studio: Studio,
        zone: ZoneInfo,
        most_parts: int = 3,
        *,
        picture: Picture | None = None,
        signer: Signer | None = None,
    ) -> None:
        self._campaign = campaign
        self._terms = sms_checks.Terms.of(campaign, studio, most_parts)
        self._signer = signer
        if (campaign.picture is None) != (picture is None):
            raise RenderingError(
                f"campaigns/{campaign.name}.toml and its emails disagree on whether there is a picture."
            )
        self._writer = emails.EmailWriter(campaign, studio, zone)
        source = source_of(campaign, templates, studio, most_parts, picture)
        self._emails, self._texts = _FORMS.of(source, lambda: self._compiled(templates, studio, picture))
        self._probe()

    def email(
        self,
        recipient: Recipient,
        to: str,
        opt_out_url: str,
        message_id: str,
        date: datetime,
        ways_back: WaysBack | None = None,
        renew_url: str = "",
        *,
        is_trial: bool = False,
    ) -> Email:
        """Return the finished email of one client; `date` is aware, `ways_back` are the addresses that answer it.

        `renew_url` is where the yes can be given anew; it is needed where the recipient has a day on which it ends.
        `is_trial` marks the message as a test.
        A first name that a mail program would turn into a link, or that is no single line, is left out of the
        greeting (E-36). Raises RenderingError if an address or link cannot stand in a header (E-25).
        """
        shape, values = _filled(recipient, opt_out_url, renew_url)
        form = self._emails.get(shape)
        if form is None:
            raise self._not_compiled("emails", recipient.language)
        with self._for_one_client():
            if is_trial:
                form = trial.marked_email(form, values, recipient.language)
            mail = self._writer.write(form, values, Envelope(to, message_id, date, ways_back))
        return signed(mail, self._signer, date)

    def sms(self, recipient: Recipient, to: str, opt_out_url: str, *, is_trial: bool = False) -> Sms:
        """Return the finished text message of one client, NFC, its parts counted; `is_trial` marks it as a test.

        Where a first name would make it longer than it may be, the client is not called by it (S-05). A test is as long
        as it is with its mark. Raises RenderingError for one that is too long all the same.
        """
        shape, values = _filled(replace(recipient, ends_on=""), opt_out_url)
        form, nameless = (self._texts.get(each) for each in (shape, replace(shape, named=False)))
        if form is None or nameless is None:
            raise self._not_compiled("text messages", recipient.language)
        most = self._terms.most_parts
        unnamed = {**values, Hole.FIRST_NAME: ""}
        with self._for_one_client():
            skeleton = form.of(values)
            if is_trial:
                marked = trial.marked_sms(skeleton, recipient.language)
                return text_messages.checked(text_messages.write(marked, values, to), None)
            sms = text_messages.write(skeleton, values, to)
            if text_messages.fits(sms, most):
                return sms
            short = text_messages.checked(text_messages.write(nameless.of(unnamed), unnamed, to), most)
            return replace(short, leaves_name_out=short.text != sms.text)

    def _compiled(self, templates: Templates, studio: Studio, picture: Picture | None) -> _Forms:
        campaign = self._campaign
        shapes = shapes_of(campaign)
        words = Words(campaign, templates, studio, picture)
        mails: dict[Shape, emails.EmailForm] = {}
        texts: dict[Shape, Ways[Skeleton]] = {}
        if Channel.EMAIL in campaign.channels:
            mails = {shape: emails.compile_form(campaign, templates, words, studio, shape) for shape in shapes}
        if Channel.SMS in campaign.channels:
            # A text message never asks for a yes anew: the link alone would cost another part (S-03).
            texts = {
                shape: text_messages.compile_form(campaign, words, studio, shape, self._terms)
                for shape in shapes
                if not shape.renewing
            }
        return mails, texts

    def _probe(self) -> None:
        """Fill each form once with the longest name there can be: what cannot be written is found now."""
        longest = Recipient("Á" * LONGEST_NAME, Language.FI, "30 September 2026", "30 September 2027")
        host = f"https://{'m' * 60}.example"
        _, values = _filled(longest, f"{host}/u/{'a' * 37}", f"{host}/r/{'a' * 47}")
        with self._for_one_client():
            for shape, form in self._texts.items():
                sms = text_messages.write(form.of(values), values, "")
                if not shape.named:  # with a name that makes it too long a client is not called by it
                    text_messages.checked(sms, None)
            address = "a" * 64 + "@" + "b" * 180 + ".example"
            ways_back = WaysBack(address, address, address)
            envelope = Envelope(address, "0" * 32, self._campaign.send_at, ways_back)
            for shape, mail in self._emails.items():
                self._refuse_large(self._writer.write(mail, values, envelope), shape.language)

    def _refuse_large(self, mail: Email, language: Language) -> None:
        size, most = len(mail.content), checks.LARGEST_MAIL
        if size > most:
            raise RenderingError(
                f"The mail of campaigns/{self._campaign.name}.toml in {language} has {size // 1000} kB, and "
                f"{most // 1000} kB are the most: shorten its texts, or take pictures out of its templates."
            )

    @contextmanager
    def _for_one_client(self) -> Iterator[None]:
        """Say of which campaign it is that something a template put off cannot be made for a client."""
        try:
            yield
        except RenderingError:
            raise
        except FAILURES as error:
            raise RenderingError(
                f"The template {self._campaign.template} of campaigns/{self._campaign.name}.toml fails for one client: "
                f"{str(error).rstrip('.')}. Correct it and run `dispatcher campaign check FILE`."
            ) from None

    def _not_compiled(self, what: str, language: Language) -> RenderingError:
        return RenderingError(
            f"campaigns/{self._campaign.name}.toml has no {what} in {language}: "
            "name the channel in channels and the language in [audience]."
        )


def _filled(recipient: Recipient, opt_out_url: str, renew_url: str = "") -> tuple[Shape, dict[Hole, str]]:
    name = _greeted(recipient.first_name)
    shape = Shape(recipient.language, bool(name), bool(recipient.agreed_on), bool(recipient.ends_on))
    values = {
        Hole.FIRST_NAME: name,
        Hole.AGREED_ON: recipient.agreed_on,
        Hole.WHY_SENT: why_text(recipient.agreed_at, recipient.agreed_on, recipient.language),
        Hole.OPT_OUT_URL: opt_out_url,
        Hole.ENDS_ON: recipient.ends_on,
        Hole.RENEW_URL: renew_url,
    }
    return shape, values


def _greeted(first_name: str) -> str:
    """Return the name to greet by, or nothing for what is not a name; signs that no font knows are none."""
    name = first_name.strip()
    unfit = len(name) > LONGEST_NAME or _LIKE_A_LINK.search(name) or headers.has_controls(name) or not _is_written(name)
    return "" if unfit else name


def _is_written(name: str) -> bool:
    return all(unicodedata.category(char) != "Co" for char in name)
