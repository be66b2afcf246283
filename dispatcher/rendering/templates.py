"""The words as the owner writes them: template files, and how they become text.

Templates are Jinja in its sandbox; an unknown name is an error, never an empty place (E-36). What they may read is
listed in `Words`, and nothing of it knows about visits, treatments or health.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, time
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import TypeVar

from jinja2 import BaseLoader, Environment, StrictUndefined, TemplateError, TemplateNotFound, TemplateSyntaxError, meta
from jinja2.runtime import Context
from jinja2.utils import pass_context

from dispatcher.errors import DispatcherError, Finding, RenderingError, Severity
from dispatcher.rendering import enclosure
from dispatcher.rendering.gaps import Gap, Hole, Trace
from dispatcher.rendering.pictures import Picture
from dispatcher.rendering.skeleton import Shape
from dispatcher.rendering.tracing import TracingEnvironment, can_wait
from dispatcher.rules.campaign import Campaign, Channel, Language
from dispatcher.rules.studio import Studio
from dispatcher.texts import format_date, format_hours, format_time, text

FOLDER = "templates"
_STUDIO = ("name", "business_id", "postal_address", "email", "phone", "booking_url")


class Templates:
    """The template files of one workspace, or those frozen with a campaign, as bytes by their path below templates/."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = dict(files)

    @classmethod
    def from_directory(cls, path: Path) -> "Templates":
        """Read every file below a directory; hidden ones are left alone. Raises RenderingError if there is none."""
        found = {
            file.relative_to(path).as_posix(): file.read_bytes()
            for file in sorted(path.rglob("*"))
            if file.is_file() and not any(part.startswith(".") for part in file.relative_to(path).parts)
        }
        if not found:
            raise RenderingError(f"There are no templates in {path}: run `dispatcher init` in an empty directory.")
        return cls(found)

    def __contains__(self, path: str) -> bool:
        return path in self._files

    def source(self, path: str) -> str:
        """Return the text of a file. Raises RenderingError if it is missing or not UTF-8."""
        if path not in self._files:
            what, fix = f"{FOLDER}/{path} is missing", "write it, or name another template in the campaign"
            raise RenderingError(f"{what}: {fix}.", [Finding(f"{FOLDER}/{path}", 1, Severity.ERROR, what, fix)])
        try:
            return self._files[path].decode("utf-8")
        except UnicodeDecodeError as error:
            line = self._files[path].count(b"\n", 0, error.start) + 1
            finding = Finding(f"{FOLDER}/{path}", line, Severity.ERROR, "this is not UTF-8", "save the file as UTF-8")
            raise RenderingError(f"{FOLDER}/{path}, line {line}: save the file as UTF-8.", [finding]) from None

    def used_by(self, campaign: Campaign) -> dict[str, bytes]:
        """Return exactly the files a campaign needs, layouts and includes among them: what scheduling freezes.

        Raises RenderingError for a file that is missing, broken, or named only when the template runs.
        """
        return {path: self._files[path] for path in sorted(self.reached(self.entries(campaign)))}

    def reached(self, entries: Iterable[str]) -> list[str]:
        """Return these files and all that they include or extend, each before what it reaches.

        Raises RenderingError as `used_by` does.
        """
        needed: dict[str, None] = {}
        waiting = list(entries)
        while waiting:
            path = waiting.pop(0)
            if path not in needed:
                needed[path] = None
                waiting += self._referenced(path)
        return list(needed)

    def entries(self, campaign: Campaign) -> Iterator[str]:
        """Yield the files a campaign starts from; a subject of its own is used where there is one."""
        if Channel.EMAIL in campaign.channels:
            yield email_path(campaign, "body.html")
            yield email_path(campaign, "body.txt")
            if email_path(campaign, "subject.txt") in self:
                yield email_path(campaign, "subject.txt")
        if Channel.SMS in campaign.channels:
            yield sms_path(campaign)

    def _referenced(self, path: str) -> list[str]:
        try:
            names = _names_in(self.source(path), path)
        except TemplateSyntaxError as error:
            raise _located(f"{FOLDER}/{path}", error.lineno, error.message or "syntax error") from None
        if None in names:
            what = "names another template only when it runs"
            fix = "write the name between quotes, so that the campaign can be frozen with it"
            finding = Finding(f"{FOLDER}/{path}", 1, Severity.ERROR, f"it {what}", fix)
            raise RenderingError(f"{FOLDER}/{path} {what}: {fix}.", [finding])
        return [name for name in names if name is not None]


@lru_cache(maxsize=200)
def _names_in(source: str, path: str) -> tuple[str | None, ...]:
    """Return what a template includes or extends, None for a name it makes up. Raises TemplateSyntaxError."""
    return tuple(meta.find_referenced_templates(_PARSER.parse(source, path)))


def email_path(campaign: Campaign, part: str) -> str:
    """Return where a part of the campaign's email stands: `body.html`, `body.txt` or `subject.txt`."""
    return f"email/{campaign.template}/{part}.j2"


def sms_path(campaign: Campaign) -> str:
    """Return where the campaign's text message stands."""
    return f"sms/{campaign.template}.txt.j2"


Made = TypeVar("Made")


def located(path: str, make: Callable[[], Made]) -> Made:
    """Return what `make` makes of a template's words. Raises its RenderingError with the template's name before it."""
    try:
        return make()
    except RenderingError as error:
        raise RenderingError(f"{FOLDER}/{path}: {error}.") from None


class Words:
    """One campaign's templates, compiled: renders any of them for any shape of client.

    `picture` is the picture the campaign names, prepared, and `picture_url` what a page shows it by.
    """

    def __init__(
        self, campaign: Campaign, templates: Templates, studio: Studio, picture: Picture | None = None
    ) -> None:
        self._campaign = campaign
        self._studio = studio
        self._picture = picture
        self.picture_url = enclosure.url_of(picture, studio.domain) if picture else ""
        self._templates = templates
        self._environment = _environment(templates)
        self._one_at_a_time = Lock()

    def render(self, path: str, shape: Shape, trace: Trace | None = None) -> str:
        """Return what a template makes for a shape, marks standing for what differs from client to client.

        `trace` is the way to go through the template, and learns what its marks stand for.
        Raises RenderingError naming file, line and what to do.
        """
        self._templates.source(path)
        trace = trace or Trace()
        with self._one_at_a_time:
            self._environment.trace = trace
            try:
                template = self._environment.get_template(path)
                return template.render(self.names(shape, lambda hole: Gap.of(hole, trace)))
            except TemplateSyntaxError as error:
                raise _located(error.filename or path, error.lineno, error.message or "syntax error") from None
            except TemplateNotFound as error:
                raise _placed(error, path, f"{FOLDER}/{error.name} is missing: write it") from None
            except FAILURES as error:
                raise _placed(error, path, str(error)) from None

    def names(self, shape: Shape, known: Callable[[Hole], object]) -> dict[str, object]:
        """Return everything a template may read (invariant 7); `known` says what each hole of the shape is."""
        campaign, language = self._campaign, shape.language
        client = {
            "first_name": known(Hole.FIRST_NAME) if shape.named else "",
            "agreed_on": known(Hole.AGREED_ON) if shape.dated else "",
            "why_sent": known(Hole.WHY_SENT),
            "ends_on": known(Hole.ENDS_ON) if shape.renewing else "",
        }
        return {
            "offer": self._offer(language),
            "client": _Fields("client", client, _known(client)),
            "studio": _Fields("studio", {name: getattr(self._studio, name) for name in _STUDIO}, _known(_STUDIO)),
            "subject": self.subject(language),
            "valid_until": format_date(campaign.valid_until, language) if campaign.valid_until else "",
            "opt_out_url": known(Hole.OPT_OUT_URL),
            "renew_url": known(Hole.RENEW_URL) if shape.renewing else "",
            "notice_url": self._studio.notice_in(language),
            "language": language.value,
            "t": can_wait(lambda key, **values: text(key, language, **values)),
        }

    def picture_shown_by(self, page: str) -> bytes:
        """Return the picture as part of a mail if a page shows it, else nothing."""
        shown = self._picture if self.picture_url in page else None
        return enclosure.after_page(shown, self._studio.domain) if shown else b""

    def subject(self, language: Language) -> str:
        """Return the subject the campaign file gives. Raises RenderingError if a language has none."""
        subject = self._campaign.subject.get(language, "").strip()
        if subject or Channel.EMAIL not in self._campaign.channels:
            return subject
        raise RenderingError(
            f'campaigns/{self._campaign.name}.toml: there is no subject in {language}: write {language} = "..." under '
            "[subject], or leave the language out of [audience]."
        )

    def _offer(self, language: Language) -> "_Fields":
        file = f"campaigns/{self._campaign.name}.toml"
        values = {key: _resolved(key, value, language, file) for key, value in self._campaign.fields.items()}
        named, picture = self._campaign.picture, self._picture
        if named and picture:
            alt = _resolved("image_alt", named.alt, language, file)
            shown = {"url": self.picture_url, "width": picture.width, "height": picture.height, "alt": alt}
            values["image"] = _Fields("offer.image", shown, _known(shown))
        return _Fields("offer", values, lambda name: f"write {name} = ... under [offer] in {file}")


class _Fields:
    """Named values for templates: no method and no other attribute can be reached through it."""

    __slots__ = ("_remedy", "_title", "_values")

    def __init__(self, title: str, values: Mapping[str, object], remedy: Callable[[str], str]) -> None:
        self._title = title
        self._values = values
        self._remedy = remedy

    def __getitem__(self, name: str) -> object:
        return self._values[name]

    def __str__(self) -> str:
        names = ", ".join(f"{self._title}.{name}" for name in self._values)
        raise RenderingError(f"{self._title} is no text: print what is in it ({names})")

    def missing(self, name: str) -> str:
        return f"{self._title}.{name} has no value: {self._remedy(name)}"


class _Missing(StrictUndefined):
    """An unknown name whose error says where to write it."""

    __slots__ = ()

    @property
    def _undefined_message(self) -> str:
        if self._undefined_hint:
            return self._undefined_hint
        if isinstance(self._undefined_obj, _Fields):
            return _Fields.missing(self._undefined_obj, str(self._undefined_name))
        return f"a template knows nothing called {self._undefined_name}: choose {_choices(_NAMES)}"


_NAMES = (
    "offer",
    "client",
    "studio",
    "subject",
    "valid_until",
    "opt_out_url",
    "renew_url",
    "notice_url",
    "language",
    "t",
)


class _Loader(BaseLoader):
    def __init__(self, templates: Templates) -> None:
        self._templates = templates

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        del environment
        if template not in self._templates:
            raise TemplateNotFound(template)
        return self._templates.source(template), f"{FOLDER}/{template}", lambda: True


def _environment(templates: Templates) -> TracingEnvironment:
    return TracingEnvironment(_Loader(templates), _Missing, FILTERS)


@pass_context
def _euros(context: Context, amount: object) -> str:
    """Return a sum as the language writes it, whole euros without cents; the blank never breaks a line."""
    if isinstance(amount, str):
        return amount
    exact = Decimal(str(amount))
    written = str(exact.quantize(Decimal(1) if exact == exact.to_integral_value() else Decimal("0.01")))
    return f"€{written}" if context["language"] == "en" else f"{written.replace('.', ',')}\N{NO-BREAK SPACE}€"


def _paragraphs(words: str) -> list[str]:
    """Return the paragraphs of a text: blank lines part them, single line ends do not."""
    return [" ".join(part.split()) for part in words.replace("\r\n", "\n").split("\n\n") if part.strip()]


FILTERS: Mapping[str, Callable[..., object]] = {"euros": _euros, "paragraphs": _paragraphs}
"""What templates may use beside Jinja's own filters."""
FAILURES = (TemplateError, DispatcherError, TypeError, ValueError, ArithmeticError, LookupError)
"""What a template can fail with, while it runs and while what it put off is made."""


def _resolved(key: str, value: object, language: Language, file: str) -> object:
    if isinstance(value, Mapping):
        if language not in value:
            raise RenderingError(f'{file}: {key} under [offer] has no {language}: write {language} = "..." there.')
        value = value[language]
    match value:
        case date():
            return format_date(value, language)
        case time():
            return format_time(value, language)
        case (time() as start, time() as end):
            return format_hours(start, end, language)
    return value


def _known(names: Mapping[str, object] | tuple[str, ...]) -> Callable[[str], str]:
    return lambda _: f"a template may read {_choices(tuple(names))}"


def _choices(names: tuple[str, ...]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"


def _placed(error: BaseException, path: str, what: str) -> RenderingError:
    """Return the error at the innermost line of a template that led to it; Jinja writes them into the traceback."""
    place: tuple[str, int | None] = (f"{FOLDER}/{path}", None)
    trace = error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if file.startswith(f"{FOLDER}/"):
            place = (file, trace.tb_lineno)
        trace = trace.tb_next
    return _located(*place, what)


def _located(file: str, line: int | None, what: str) -> RenderingError:
    where = f"{file}, line {line}" if line else file
    clause, _, fix = what.rstrip(".").partition(": ")
    finding = Finding(file, line or 1, Severity.ERROR, clause, fix or "correct it there")
    return RenderingError(
        f"{where}: {what.rstrip('.')}. Correct it and run `dispatcher campaign check FILE`.", [finding]
    )


_PARSER = _environment(Templates({}))
