"""What a mail program makes of a page: the words a reader sees, the links, the pictures, and what it would load."""

import binascii
from base64 import b64decode
from dataclasses import dataclass, field
from functools import lru_cache
from html.parser import HTMLParser
from urllib.parse import unquote_to_bytes

_VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"})
_UNSEEN = frozenset({"head", "style", "title", "script", "template"})
_FORBIDDEN = frozenset({"script", "link", "iframe", "form", "object", "embed", "base", "video", "audio"})
_LOADING = frozenset({"src", "srcset", "background", "poster", "data"})


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture; `alt` is None where nothing is said for who does not see it, `size` the bytes it carries along."""

    source: str
    alt: str | None
    size: int
    is_pixel: bool


@dataclass(frozen=True, slots=True)
class Loading:
    """Something that would be loaded when the mail is opened, and pieces of the source that are near it."""

    what: str
    near: tuple[str, ...]


@dataclass(slots=True)
class Page:
    """One page, read as a mail program reads it.

    `forbidden` and `scripted` are tags, each with a piece of the source. `links` are those a reader sees, `hrefs` all
    there are.
    """

    words: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    hrefs: list[str] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    loading: list[Loading] = field(default_factory=list)
    forbidden: list[tuple[str, str]] = field(default_factory=list)
    scripted: list[tuple[str, str]] = field(default_factory=list)

    @classmethod
    @lru_cache(maxsize=128)
    def read(cls, source: str) -> "Page":
        """Return the page of this HTML; a check and the compiling after it look at the same one."""
        page = cls()
        reader = _Reader(page)
        reader.feed(source)
        reader.close()
        return page


class _Reader(HTMLParser):
    def __init__(self, page: Page) -> None:
        super().__init__()
        self._page = page
        self._hidden = [False]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._note(tag, given)
        if tag == "a" and not self._hidden[-1]:
            self._page.links.append(given.get("href", ""))
        if tag not in _VOID:
            unseen = "display:none" in given.get("style", "").replace(" ", "").lower() or "hidden" in given
            self._hidden.append(self._hidden[-1] or unseen or tag in _UNSEEN)

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID and len(self._hidden) > 1:
            self._hidden.pop()

    def handle_data(self, data: str) -> None:
        if not self._hidden[-1]:
            self._page.words.append(data)
        else:
            found = tuple(sign for sign in ("@import", "url(") if sign in data)
            if found:
                self._page.loading.append(Loading("a style", found))

    def _note(self, tag: str, given: dict[str, str]) -> None:
        page = self._page
        if "href" in given:
            page.hrefs.append(given["href"])
        if tag in _FORBIDDEN:
            page.forbidden.append((tag, f"<{tag}"))
        if tag == "img":
            page.pictures.append(_picture(given))
        abroad = [given[name] for name in sorted(_LOADING & set(given)) if not _is_inside(given[name])]
        if "url(" in given.get("style", ""):
            page.loading.append(Loading(f"<{tag}>", ("url(", f"<{tag}")))
        elif abroad:
            page.loading.append(Loading(f"<{tag}>", (*abroad, f"<{tag}")))
        handlers = [name for name in given if name.startswith("on")]
        if handlers:
            page.scripted.append((tag, handlers[0]))


def _picture(given: dict[str, str]) -> Picture:
    sizes = [given.get(name, "").strip().removesuffix("px") for name in ("width", "height")]
    source = given.get("src", "")
    return Picture(source, given.get("alt"), _carried(source), all(size in {"0", "1"} for size in sizes))


def _carried(source: str) -> int:
    """Return how many bytes a `data:` address holds."""
    head, comma, content = source.partition(",")
    if not head.startswith("data:") or not comma:
        return 0
    if not head.endswith(";base64"):
        return len(unquote_to_bytes(content))
    try:
        return len(b64decode(content))
    except (ValueError, binascii.Error):
        return len(content)


def _is_inside(source: str) -> bool:
    return source.startswith(("cid:", "data:"))
