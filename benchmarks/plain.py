"""The same mail made the plain way: the owner's templates run by Jinja for each client, `EmailMessage` around them.

This is what a small program would do without a compiled campaign; the benchmarks measure the program against it.
"""

from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from functools import partial
from pathlib import Path

import css_inline
import jinja2
from jinja2.runtime import Context

from dispatcher.rules.campaign import Campaign, Language
from dispatcher.rules.message import Recipient
from dispatcher.rules.studio import Studio
from dispatcher.texts import format_date, text, why_text
from dispatcher.wiring import starter


@dataclass(frozen=True, slots=True)
class Parts:
    """The words of one mail."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Letter:
    """Whom one mail goes to and what names it."""

    recipient: Recipient
    to: str
    opt_out_url: str
    message_id: str
    date: datetime


class PlainWriter:
    """Writes the mails of one campaign with `jinja2`, `css_inline` and `email` as their manuals show it.

    `templates` is a directory of another campaign's own templates; without style sheets, nothing needs to be inlined.
    """

    def __init__(
        self, campaign: Campaign, studio: Studio, templates: Path | None = None, *, has_styles: bool = True
    ) -> None:
        self._campaign = campaign
        self._studio = studio
        environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(templates or starter("templates")),
            autoescape=jinja2.select_autoescape(["html.j2"]),
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters |= {"euros": _euros, "paragraphs": _paragraphs}
        folder = "" if templates else f"email/{campaign.template}/"
        self._text = environment.get_template(f"{folder}body.txt.j2")
        self._html = environment.get_template(f"{folder}body.html.j2")
        self._inliner = css_inline.CSSInliner(keep_at_rules=True) if has_styles else None

    def words(self, letter: Letter) -> Parts:
        """Run the templates for one client."""
        language = letter.recipient.language
        names = self._names(letter, language)
        plain, page = self._text.render(names), self._html.render(names)
        page = self._inliner.inline(page) if self._inliner else page
        return Parts(self._campaign.subject[language], plain.strip() + "\n", page)

    def mail(self, letter: Letter, parts: Parts) -> EmailMessage:
        """Build the mail around its words, with the headers that the program writes."""
        studio, message = self._studio, EmailMessage(SMTP)
        message["From"] = f"{studio.name} <{studio.sender}>"
        message["Reply-To"] = f"{studio.name} <{studio.email}>"
        message["To"] = letter.to
        message["Subject"] = parts.subject
        message["Date"] = format_datetime(letter.date)
        message["Message-ID"] = f"<{letter.message_id}@{studio.domain}>"
        message["List-Unsubscribe"] = f"<{letter.opt_out_url}>"
        message["List-Id"] = f"{studio.name} <marketing.{studio.domain}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        message["Precedence"] = "bulk"
        message["X-Auto-Response-Suppress"] = "OOF, AutoReply"
        message["Feedback-ID"] = f"{self._campaign.name}:{self._campaign.kind}:email:dispatcher"
        message.set_content(parts.text, cte="quoted-printable")
        message.add_alternative(parts.html, subtype="html", cte="quoted-printable")
        return message

    def _names(self, letter: Letter, language: Language) -> dict[str, object]:
        campaign, person = self._campaign, letter.recipient
        offer = {key: value[language] if isinstance(value, dict) else value for key, value in campaign.fields.items()}
        return {
            "offer": offer,
            "client": {
                "first_name": person.first_name,
                "why_sent": why_text(person.agreed_at, person.agreed_on, language),
            },
            "studio": self._studio,
            "subject": campaign.subject[language],
            "valid_until": format_date(campaign.valid_until, language) if campaign.valid_until else "",
            "opt_out_url": letter.opt_out_url,
            "notice_url": self._studio.notice_in(language),
            "language": language.value,
            "t": partial(text, language=language),
        }


@jinja2.pass_context
def _euros(context: Context, amount: object) -> str:
    return f"€{amount}" if context["language"] == "en" else f"{amount}\N{NO-BREAK SPACE}€"


def _paragraphs(words: str) -> list[str]:
    return [" ".join(part.split()) for part in words.split("\n\n") if part.strip()]
