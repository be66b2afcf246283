"""One page that shows what a campaign looks like: mails at two widths, their text and source, and text messages.

Nothing of it is loaded from anywhere, and a mail stands in a frame that can do nothing.
"""

import email
import email.policy
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass

from dispatcher.rendering.sheets import sheet
from dispatcher.rules.campaign import Language
from dispatcher.rules.message import Email, Sms
from dispatcher.rules.sms import measure

_PICTURES = frozenset({"image/jpeg", "image/png"})
_NAMES = {Language.FI: "Finnish", Language.SV: "Swedish", Language.EN: "English"}


@dataclass(frozen=True, slots=True)
class Sample:
    """What one reader would get, in one language: a mail, a text message, or both."""

    language: Language
    mail: Email | None
    sms: Sms | None


def preview_page(title: str, reader: str, moment: str, samples: Sequence[Sample]) -> str:
    """Return the whole page, self-contained; `reader` says for whom the messages are made, `moment` when they go."""
    shown = [
        {
            "code": sample.language.value,
            "name": _NAMES[sample.language],
            "mail": _mail(sample.mail) if sample.mail else None,
            "sms": _sms(sample.sms) if sample.sms else None,
        }
        for sample in samples
    ]
    return sheet("preview.html", {"title": title, "reader": reader, "moment": moment, "samples": shown})


def page_of(content: bytes) -> str:
    """Return the HTML of a mail with the pictures it carries written into it, so that it can be shown by itself.

    Nothing else of the mail is put there: a picture that it does not carry stays away.
    """
    message = email.message_from_bytes(content, policy=email.policy.default)
    page, pictures = "", {}
    for part in message.walk():
        kind = part.get_content_type()
        if kind == "text/html":
            page = str(part.get_content())
        elif kind in _PICTURES:
            shown = b64encode(part.get_content()).decode("ascii")
            pictures[f"cid:{str(part['Content-ID']).strip('<>')}"] = f"data:{kind};base64,{shown}"
    for source, shown in pictures.items():
        page = page.replace(source, shown)
    return page


def _mail(mail: Email) -> dict[str, object]:
    message = email.message_from_bytes(mail.content, policy=email.policy.default)
    words = message.get_body(("plain",))
    return {
        "subject": message["Subject"],
        "sender": message["From"],
        "to": message["To"],
        "html": page_of(mail.content),
        "text": words.get_content() if words else "",
        "source": mail.content.decode("ascii", "replace").replace("\r\n", "\n"),
        "size": f"{len(mail.content) / 1000:.1f}",
    }


def _sms(sms: Sms) -> dict[str, object]:
    parts = measure(sms.text)
    return {
        "text": sms.text,
        "to": sms.recipient,
        "parts": sms.segments,
        "units": parts.units,
        "alphabet": parts.encoding.value,
        "forcing": parts.forcing,
    }
