"""The readable text of a letter: its plain part, else its page as text; never what is attached."""

import re
from email.message import Message
from html import unescape

MOST_TEXT = 20_000
"""Characters of a letter that are read."""
_VOID = frozenset("area base br col embed hr img input link meta source track wbr".split())  # noqa: SIM905
_BLOCKS = frozenset("p div br tr li h1 h2 h3 h4 h5 h6 hr blockquote table pre ul ol section".split())  # noqa: SIM905
_UNREAD = frozenset({"script", "style", "head", "title", "template"})
# Each sign is looked at once, whatever is left open: the library's own reader begins anew at each of them.
_PIECES = re.compile(
    r"<!--.*?(?:-->|\Z)|<(?P<raw>script|style)\b.*?(?:</(?P=raw)\s*>|\Z)|<[!?][^>]*(?:>|\Z)"
    r"|<(?P<end>/?)(?P<tag>[a-z][a-z0-9:-]*)(?P<marks>[^>]*)(?:>|\Z)|(?P<words>[^<]+|<)",
    re.DOTALL | re.IGNORECASE,
)
_MARKS = re.compile(r"\b(?:class|id)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|(\S+))", re.IGNORECASE)
_QUOTES = re.compile(r"gmail_quote|yahoo_quoted|protonmail_quote|moz-cite-prefix|tutanota_quote", re.IGNORECASE)
_REST = re.compile(r"divRplyFwdMsg|appendonsend|OutlookMessageHeader|stopSpelling|mail-editor-reference", re.IGNORECASE)
_DEEPEST = 200
"""So far up a tag is looked for that ends."""
_BLANKS = re.compile(r"[^\S\n]+")


def text_of(letter: Message, *, whole: bool = False) -> str:
    """Return what a letter says, at most MOST_TEXT characters; "" for one without words.

    Of a page what it marks as quoted is left out, unless the `whole` is wanted.
    """
    pages: list[str] = []
    waiting = [letter]
    while waiting:
        part = waiting.pop(0)
        kind, payload = part.get_content_type(), part.get_payload()
        if isinstance(payload, list):
            # A letter within the letter is somebody else's.
            inner = [each for each in payload if isinstance(each, Message) and kind.startswith("multipart/")]
            waiting = [*inner, *waiting]
        elif part.get_content_disposition() == "attachment":
            continue
        elif kind == "text/plain" and (found := _decoded(part).strip()):
            return found[:MOST_TEXT]
        elif kind == "text/html":
            pages.append(_decoded(part))
    return next((found for page in pages if (found := as_text(page, whole=whole))), "")


def as_text(page: str, *, whole: bool = False) -> str:
    """Return a page as text, a line for each of its blocks; what cannot be read as HTML is left out."""
    page_text = _PageText(is_whole=whole)
    for piece in _PIECES.finditer(page[: 8 * MOST_TEXT]):
        if piece["words"]:
            page_text.say(unescape(piece["words"]))
        elif piece["tag"] and piece["end"]:
            page_text.end(piece["tag"].lower())
        elif piece["tag"]:
            page_text.begin(piece["tag"].lower(), piece["marks"])
    lines = (_BLANKS.sub(" ", line).strip() for line in "".join(page_text.found).splitlines())
    return "\n".join(line for line in lines if line)[:MOST_TEXT]


def _decoded(part: Message) -> str:
    """Return the words of a part; what its charset cannot be is shown as such."""
    try:
        raw = part.get_payload(decode=True)
    except (ValueError, LookupError):
        raw = None
    if not isinstance(raw, bytes):
        return str(part.get_payload())
    try:
        return raw.decode(part.get_content_charset() or "utf-8", "replace")
    except (LookupError, ValueError, UnicodeError):
        return raw.decode("utf-8", "replace")


class _PageText:
    """The text of a page, outside what is quoted; everything after the head of a reply is quoted as well."""

    def __init__(self, *, is_whole: bool) -> None:
        self.found: list[str] = []
        self._is_whole = is_whole
        self._hidden: list[str] = []
        self._is_over = False

    def begin(self, tag: str, attributes: str) -> None:
        """Begin a line at a block; leave out what is within a head, a script or a quote."""
        marks = " ".join("".join(found) for found in _MARKS.findall(attributes))
        is_quote = tag == "blockquote" or _QUOTES.search(marks) is not None
        self._is_over = self._is_over or (not self._is_whole and _REST.search(marks) is not None)
        if tag not in _VOID and (self._hidden or tag in _UNREAD or (is_quote and not self._is_whole)):
            self._hidden.append(tag)
        if tag in _BLOCKS:
            self.found.append("\n")

    def end(self, tag: str) -> None:
        """End what is hidden where its own tag ends; a tag that was never begun ends nothing."""
        if tag in self._hidden[-_DEEPEST:]:
            while self._hidden.pop() != tag:
                continue
        if tag in _BLOCKS:
            self.found.append("\n")

    def say(self, words: str) -> None:
        """Take words down; a line end among them is a blank."""
        if not self._hidden and not self._is_over:
            self.found.append(" ".join(words.splitlines()) if words.strip() else " ")
