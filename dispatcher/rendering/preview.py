"""One page that shows what a campaign looks like: mails at two widths, their text and source, and text messages.

Nothing of it is loaded from anywhere, and a mail stands in a frame that can do nothing.
"""

import email
import email.policy
from collections.abc import Sequence
from dataclasses import dataclass

from dispatcher.rendering.sheets import sheet
from dispatcher.rules.campaign import Language
from dispatcher.rules.message import Email, Sms
from dispatcher.rules.sms import measure

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


def _mail(mail: Email) -> dict[str, object]:
    message = email.message_from_bytes(mail.content, policy=email.policy.default)
    parts = {part.get_content_type(): str(part.get_content()) for part in message.iter_parts()}
    return {
        "subject": message["Subject"],
        "sender": message["From"],
        "to": message["To"],
        "html": parts["text/html"],
        "text": parts["text/plain"],
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
