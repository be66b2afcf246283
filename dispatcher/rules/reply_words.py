"""The words of mail servers that say more than their codes do: lists of what they are known to write (RFC 5321, 4.2).

Matched in a text without addresses and links, in small letters and without accents.
"""

import re
import unicodedata
from collections.abc import Iterable

_NOISE = re.compile(r"\S*@\S*|\b(?:https?|www)\S+")
_SPACE = re.compile(r"[\s_]+")

SENDER_QUOTA = (
    "exceeded the max emails",
    "exceeded the maximum emails",
    "max emails per hour",
    "max defers and failures",
    "emails per hour",
    "mails per hour",
    "messages per hour",
    "recipients per hour",
    "emails per day",
    "messages per day",
    "recipients per day",
    "hourly",
    "daily limit",
    "daily quota",
    "daily message",
    "daily user sending",
    "too many messages",
    "too many emails",
    "too many mails",
    "too many recipients",
    "too many connections",
    "too many concurrent",
    "too much mail",
    "rate limit",
    "rate-limit",
    "ratelimit",
    "limit the rate",
    "because of rate",
    "due to rate",
    "unusual rate of",
    "unexpected volume",
    "sending limit",
    "sending quota",
    "send limit",
    "send quota",
    "sending rate",
    "send rate",
    "sending activity",
    "submission quota",
    "submissionquota",
    "message limit",
    "messages limit",
    "mail limit",
    "email limit",
    "emails limit",
    "outgoing limit",
    "outbound limit",
    "relay limit",
    "throttl",
    "slow down",
    # Finnish, Swedish and German hosts.
    "lahetysraja",
    "lahetyskiintio",
    "lahetysten enimmaismaara",
    "liian monta viestia",
    "liian monta sahkopostia",
    "liikaa viesteja",
    "tuntiraja",
    "viestia tunnissa",
    "for manga meddelanden",
    "for manga mejl",
    "sandningsgrans",
    "per timme",
    "versandlimit",
    "versandkontingent",
    "sendelimit",
    "sendekontingent",
    "zu viele nachrichten",
    "zu viele e-mails",
    "zu viele mails",
    "pro stunde",
)
"""What says that the sender has sent more than may be sent at present."""

_OF_SENDING = ("send", "submission", "outgoing", "per hour", "hourly", "per day", "daily", "rate limit", "ratelimit")
"""What tells a sender's quota from a mailbox's where the words would do for both."""

MAILBOX_FULL = (
    "mailbox full",
    "mailbox is full",
    "mailbox over",
    "mailbox has exceeded",
    "mailbox exceeds",
    "mailbox quota",
    "mailbox size limit",
    "mailbox storage",
    "inbox full",
    "inbox is full",
    "over quota",
    "overquota",
    "out of storage",
    "exceeded storage",
    "storage quota",
    "disk quota",
    "user quota",
    "account is full",
    "user is full",
    "exceeded its quota",
    "exceeded their quota",
    "exceeded quota",
    "quota exceeded",
    "quota full",
    "postilaatikko on taynna",
    "postfach ist voll",
    "postfach voll",
    "brevladan ar full",
)
"""What says that the recipient's mailbox takes no more."""

NO_SUCH_USER = (
    "user unknown",
    "unknown user",
    "no such user",
    "no such mailbox",
    "no such recipient",
    "no such address",
    "no mailbox here",
    "mailbox unavailable",
    "mailbox not found",
    "mailbox does not exist",
    "user doesn't have",
    "user does not have",
    "doesn't exist",
    "does not exist",
    "user not found",
    "recipient not found",
    "address not found",
    "unknown recipient",
    "recipient unknown",
    "unknown address",
    "address unknown",
    "unknown mailbox",
    "invalid mailbox",
    "account has been disabled",
    "account is disabled",
    "not a valid mailbox",
)
"""What says that nobody is there: a short list on purpose, since an address is dead by it."""

POLICY = (
    "spam",
    "policy",
    "policies",
    "blocked",
    "block list",
    "blocklist",
    "blacklist",
    "black list",
    "denylist",
    "dnsbl",
    "rbl",
    "reputation",
    "unsolicited",
    "junk",
    "dmarc",
    "dkim",
    "spf",
    "denied",
    "not allowed",
    "not permitted",
    "prohibited",
    "banned",
    "suspicious",
    "virus",
    "malware",
    "phish",
    "unauthenticated",
    "authentication required",
    "complaint",
)
"""What says that somebody did not want it from this sender, or in this form."""

TOO_BIG = ("message size", "too large", "too big", "size limit", "maximum size", "size exceed", "fixed maximum")
"""What says that the mail itself is longer than is taken."""

THIS_CONNECTION = (
    "this connection",
    "one connection",
    "single connection",
    "per connection",
    "this session",
    "one session",
    "single session",
    "per session",
)
"""What says that a limit is that of one connection, and not of the sender."""

PIPELINING = ("pipelin",)
"""What says that a server cannot have commands in a group, whatever it offered (RFC 2920)."""


def plain(text: str) -> str:
    """Return a text as the lists are written: no addresses or links, small letters, no accents, single blanks."""
    bare = unicodedata.normalize("NFKD", _NOISE.sub(" ", text).casefold())
    letters = "".join(char for char in bare if not unicodedata.combining(char))
    return _SPACE.sub(" ", letters.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'"))


def says(plain_text: str, words: Iterable[str]) -> bool:
    """Return whether a text that is plain holds one of these."""
    return any(word in plain_text for word in words)


def says_sender_quota(plain_text: str) -> bool:
    """Return whether a text that is plain speaks of what a sender may send, and not of what a mailbox may hold."""
    is_of_mailbox = says(plain_text, MAILBOX_FULL) and not says(plain_text, _OF_SENDING)
    return says(plain_text, SENDER_QUOTA) and not is_of_mailbox
