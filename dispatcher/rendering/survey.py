"""Everything that is wrong with a campaign's words, in every part, language and shape of client, each on its line.

Compiling a campaign stops at the first fault; the owner who mends a file wants to see all of them at once.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence

from dispatcher.errors import Finding, RenderingError, Severity
from dispatcher.rendering import checks, email, sms_checks
from dispatcher.rendering.checks import Fault, MustShow
from dispatcher.rendering.gaps import Trace, differs
from dispatcher.rendering.kept import Kept, source_of
from dispatcher.rendering.pictures import Picture
from dispatcher.rendering.skeleton import Shape, shapes_of
from dispatcher.rendering.templates import FOLDER, Templates, Words, email_path, sms_path
from dispatcher.rendering.ways import Ways
from dispatcher.rules.campaign import Campaign, Channel, Language
from dispatcher.rules.studio import Studio

Look = Callable[[], Sequence[Fault]]
_Looked = tuple[Shape, str, Sequence[Fault | Finding]]
_LOOKS = Kept[list[_Looked]]()


class Survey:
    """Looks at all the words of one campaign.

    `label` is what findings call the campaign file, and `source` its text: what stands there is found on its line.
    `most_parts` is how many parts the settings allow a text message.
    """

    def __init__(
        self,
        campaign: Campaign,
        templates: Templates,
        studio: Studio,
        label: str,
        source: str,
        most_parts: int,
        picture: Picture | None = None,
    ) -> None:
        self._campaign = campaign
        self._templates = templates
        self._studio = studio
        self._label = label
        self._source = source
        self._picture = picture
        self._terms = sms_checks.Terms.of(campaign, studio, most_parts)
        self._texts: dict[str, Mapping[str, str]] = {}
        self._made_of = source_of(campaign, templates, studio, most_parts, picture)

    def findings(self) -> list[Finding]:
        """Return everything that is wrong, errors and warnings, in order of file and line."""
        strange = _signs_of_ours(self._label, self._source)
        if strange:
            return strange
        found: dict[Finding, set[Language]] = defaultdict(set)
        looks = _LOOKS.of(self._made_of, self._looked_at_all)
        for shape, path, faults in looks:
            for finding in self._placed(path, faults):
                found[finding].add(shape.language)
        everybody = {shape.language for shape, _, _ in looks}
        told = [_in_languages(finding, spoken, everybody) for finding, spoken in found.items()]
        return sorted(set(told), key=lambda each: (each.file, each.line, each.severity, each.what))

    def _looked_at_all(self) -> list[_Looked]:
        """Look at what each template makes for each shape of client."""
        words = Words(self._campaign, self._templates, self._studio, self._picture)
        return [
            (shape, path, _faults(path, look))
            for shape in shapes_of(self._campaign)
            for path, look in self._looks(shape, words)
        ]

    def _looks(self, shape: Shape, words: Words) -> Iterator[tuple[str, Look]]:
        """Yield each template that makes a part of this shape's messages, and the look at what it makes."""
        campaign = self._campaign
        must_show = MustShow.of(self._studio, shape.language)
        if Channel.EMAIL in campaign.channels:
            plain, page, line = (email_path(campaign, part) for part in ("body.txt", "body.html", "subject.txt"))
            yield (
                plain,
                _each_way(lambda trace: checks.email_text(email.text_part(words, plain, shape, trace), must_show)),
            )
            yield (
                page,
                _each_way(
                    lambda trace: checks.email_html(
                        email.html_part(words, page, shape, trace), must_show, words.picture_url
                    )
                ),
            )
            yield (
                line,
                _each_way(
                    lambda trace: checks.subject(email.subject_of(campaign, self._templates, words, shape, trace))
                ),
            )
        if Channel.SMS in campaign.channels and not shape.renewing:
            short = sms_path(campaign)
            yield (
                short,
                _each_way(
                    lambda trace: sms_checks.faults(
                        words.render(short, shape, trace).strip(), trace, shape, must_show, self._terms
                    )
                ),
            )

    def _placed(self, path: str, faults: Sequence[Fault | Finding]) -> list[Finding]:
        try:
            sources = self._sources(path)
        except RenderingError as error:
            return _told(path, error)
        return [each if isinstance(each, Finding) else self._finding(path, each, sources) for each in faults]

    def _sources(self, path: str) -> Mapping[str, str]:
        """Return the texts that make what a template makes, by file: its own first, the campaign's last."""
        if path not in self._texts:  # read once, not once for every shape of client
            reached = self._templates.reached([path]) if path in self._templates else []
            texts = {f"{FOLDER}/{each}": self._templates.source(each) for each in reached}
            self._texts[path] = texts | {self._label: self._source}
        return self._texts[path]

    def _finding(self, path: str, fault: Fault, sources: Mapping[str, str]) -> Finding:
        file = f"{FOLDER}/{path}" if path in self._templates else self._label
        file, line = _place(fault.near, sources) or (file, 1)
        rule = f" ({fault.rule})" if fault.rule else ""
        return Finding(file, line, fault.severity, fault.what + rule, fault.fix)


def _faults(path: str, look: Look) -> Sequence[Fault | Finding]:
    try:
        return look()
    except RenderingError as error:
        return _told(path, error)


def _told(path: str, error: RenderingError) -> list[Finding]:
    """Return the findings of a template that cannot be rendered at all."""
    if error.findings:
        return list(error.findings)
    what, _, fix = str(error).rstrip(".").partition(": ")
    return [Finding(f"{FOLDER}/{path}", 1, Severity.ERROR, what, fix or "correct it there")]


def _each_way(look: Callable[[Trace], Sequence[Fault]]) -> Look:
    """Return the look at every way through a template that is made before the first client."""
    return lambda: list(dict.fromkeys(fault for found in Ways(look).ahead for fault in found))


def _place(near: Sequence[str], sources: Mapping[str, str]) -> tuple[str, int] | None:
    """Return the file and line where the first of these pieces stands that stands anywhere."""
    for piece in filter(None, near):
        for file, text in sources.items():
            at = text.find(piece)
            if at >= 0:
                return file, text.count("\n", 0, at) + 1
    return None


def _signs_of_ours(file: str, source: str) -> list[Finding]:
    """Return where a campaign holds the signs that stand around a mark: whatever else is found would mislead."""
    what = "a sign stands here that no font knows (U+E000 or U+E001)"
    return [
        Finding(file, number, Severity.ERROR, what, "take it out")
        for number, line in enumerate(source.split("\n"), 1)
        if differs(line)
    ]


def _in_languages(finding: Finding, spoken: set[Language], everybody: set[Language]) -> Finding:
    if spoken == everybody:
        return finding
    what = f"{finding.what}, in {', '.join(sorted(spoken))}"
    return Finding(finding.file, finding.line, finding.severity, what, finding.fix)
