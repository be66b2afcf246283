"""What a template that runs once for all promises: each client gets what it would have made for them alone."""

from collections.abc import Callable

import css_inline
import jinja2
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jinja2.sandbox import ImmutableSandboxedEnvironment

from dispatcher.errors import RenderingError
from dispatcher.rendering import Templates
from dispatcher.rendering.gaps import Hole, Trace, Values
from dispatcher.rendering.skeleton import Shape, Skeleton
from dispatcher.rendering.templates import FAILURES, FILTERS, Words
from dispatcher.rendering.ways import Ways
from dispatcher.rules.campaign import Campaign, Language
from dispatcher.rules.studio import Studio

_TEXT, _PAGE = "a.txt.j2", "a.html.j2"
_INLINER = css_inline.CSSInliner(keep_at_rules=True)
_NAME = "client.first_name"
_NAMES = [
    "Aino",
    "Á",
    "Biret-Ánne",
    "O\N{RIGHT SINGLE QUOTATION MARK}Brien",
    "D'Arcy",
    "Åke & Co",
    "<b>Eve</b>",
    '"x"',
    "{{ 7 }}",
    "ŋŧđ 😀",
    "a" * 12,
]
_OPERATORS = ["==", "!=", "<", "<=", ">", ">=", "in", "not in"]
_CONSTANTS = ["'Aino'", "'a'", "''", "offer.headline", "language", "client.agreed_on", "opt_out_url"]
_FILTERS = [
    "upper", "lower", "title", "capitalize", "length", "trim", "reverse", "e", "replace('a', 'o')", "default('x')",
    "list|join('-')", "truncate(5)", "center(9)", "first", "last", "wordcount", "string", "urlencode", "sort|join",
    "unique|join", "batch(2)|list|length", "map('upper')|join", "select('in', 'aeiou')|list|length",
]  # fmt: skip

_SIGNS = st.sampled_from(_OPERATORS)
_SUBJECTS = st.sampled_from(
    [_NAME, "opt_out_url", "client.agreed_on", "n", "offer.headline", f"t('greeting_name', name={_NAME})"]
)


def _bigger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.builds("({}|{})".format, inner, st.sampled_from(_FILTERS)),
        st.builds("({} ~ {})".format, inner, inner),
        st.builds(
            "({} if {} {} {} else {})".format,
            inner,
            inner,
            st.sampled_from(_OPERATORS),
            st.sampled_from(_CONSTANTS),
            inner,
        ),
        st.builds("({} or {})".format, inner, inner),
        st.builds("({} and {})".format, inner, inner),
        st.builds("({}|string)[{}:{}]".format, inner, st.integers(-3, 3), st.integers(0, 5)),
        st.builds("({}|string).upper()".format, inner),
        st.builds("({} * {})".format, inner.map("({}|string)".format), st.integers(0, 2)),
        st.builds("({}|string + '!')".format, inner),
        st.builds("'%s-%s' % ({}, {})".format, inner, inner).map("({})".format),
        st.builds("'[{{}}]'.format({})".format, inner),
        st.builds("[{}, {}]|join(', ')".format, inner, inner).map("({})".format),
    )


_EXPRESSIONS = st.recursive(_SUBJECTS, _bigger, max_leaves=4)
_TESTS = st.one_of(
    st.builds("{} {} {}".format, _EXPRESSIONS, st.sampled_from(_OPERATORS[:2]), st.sampled_from(_CONSTANTS)),
    st.builds("({}|string) {} ({}|string)".format, _EXPRESSIONS, st.sampled_from(_OPERATORS), _EXPRESSIONS),
    _EXPRESSIONS,
    st.builds("not {}".format, _EXPRESSIONS),
    st.builds("{}|string|length > {}".format, _EXPRESSIONS, st.integers(0, 12)),
    st.builds("{} is {}".format, _EXPRESSIONS, st.sampled_from(["defined", "string", "none", "upper", "eq('Aino')"])),
)


_LETTERS = "{{{{ loop.index }}}}{{{{ c }}}}{{{{ ', ' if not loop.last }}}}"
_LOOPS = [
    "{{% for c in {}|string %}}" + _LETTERS + "{{% else %}}{}{{% endfor %}}",
    "{{% for c in ['x', n] if c != {} %}}<b class=\"k\">{{{{ c }}}}</b>{}{{% endfor %}}",
]
_AROUND = [
    "{{% set n %}}{}{{% endset %}}{{{{ n|length }}}} {{{{ n }}}}",
    "{{% macro m() %}}({{{{ caller() }}}}){{% endmacro %}}{{% call m() %}}{}{{% endcall %}}",
]
_BESIDE = [
    "{{% set n = {} %}}{}",
    "{{% with n = {} %}}{}{{% endwith %}}",
    "{{% filter upper %}}{{{{ {} }}}}{{% endfilter %}}{}",
]


def _statements(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.builds("{}{}".format, inner, inner),
        st.builds("{{% if {} %}}<i>{}</i>{{% else %}}{}{{% endif %}}".format, _TESTS, inner, inner),
        st.builds(str.format, st.sampled_from(_LOOPS), _SUBJECTS, inner),
        st.builds(str.format, st.sampled_from(_AROUND), inner),
        st.builds(str.format, st.sampled_from(_BESIDE), _EXPRESSIONS, inner),
        st.builds("{{% macro m(n) %}}{}{{% endmacro %}}{{{{ m({}) }}}}".format, inner, _EXPRESSIONS),
    )


_PRINTED = st.one_of(
    st.builds("{{{{ {} }}}}".format, _EXPRESSIONS),
    st.builds('<a title="{{{{ {} }}}}">x</a>'.format, _EXPRESSIONS),
    st.sampled_from(["Hei ", "\n", "<em>ä</em>", ", "]),
)
_BODIES = st.recursive(_PRINTED, _statements, max_leaves=5).map("{{% set n = client.first_name %}}<p>{}</p>".format)


class _Plain:
    """Jinja as its manual shows it, in its own sandbox: run anew for each client."""

    def __init__(self, words: Words, templates: Templates) -> None:
        self._words = words
        self._environment = ImmutableSandboxedEnvironment(
            loader=jinja2.FunctionLoader(templates.source),
            undefined=jinja2.StrictUndefined,
            autoescape=jinja2.select_autoescape(["html.j2"]),
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters |= dict(FILTERS)

    def render(self, path: str, shape: Shape, values: Values) -> str:
        """Return what the template makes for one client."""
        return self._environment.get_template(path).render(self._words.names(shape, lambda hole: values[hole]))


def _values(name: str) -> dict[Hole, str]:
    return dict.fromkeys(Hole, "3.2.2026") | {Hole.FIRST_NAME: name, Hole.OPT_OUT_URL: "https://m.example/u/aB=c"}


def _same(source: str, name: str, campaign: Campaign, studio: Studio) -> None:
    """Check that text and page are, for this client, what plain Jinja makes, or that both refuse."""
    templates = Templates(dict.fromkeys((_TEXT, _PAGE), source.encode()))
    words, shape, values = Words(campaign, templates, studio), Shape(Language.FI, named=True, dated=True), _values(name)
    plain, pages = _Plain(words, templates), _INLINER.inline
    assert _or_fault(lambda: plain.render(_TEXT, shape, values)) == _or_fault(
        lambda: _ways(words, _TEXT, shape, Skeleton.of_text).of(values).fill(values)
    )
    expected = _or_fault(lambda: pages(plain.render(_PAGE, shape, values)))
    found = _or_fault(lambda: _ways(words, _PAGE, shape, Skeleton.of_html, pages).of(values).fill(values))
    assert found in {expected, _REFUSED}


def _ways(
    words: Words,
    path: str,
    shape: Shape,
    skeleton: Callable[[str, Trace], Skeleton],
    finish: Callable[[str], str] = str,
) -> Ways[Skeleton]:
    return Ways(lambda trace: skeleton(finish(words.render(path, shape, trace)), trace))


def _or_fault(make: Callable[[], str]) -> str:
    """Return what is made, or that it cannot be made: how plain Jinja and we say so differs."""
    try:
        return make()
    except FAILURES as error:
        return _REFUSED if "anew for each client" in str(error) else "no message can be made"


_REFUSED = "it makes tags anew"
"""What our templates may not do although Jinja could: build tags out of what a client is called."""


_NESTED = "{% set n %}<a title=\"{{ '[{}]'.format(n) + '!' }}\">x</a>{% endset %}{{ n }}"
_IN_A_LOOP = "{% for c in ['x', n] %}{% set n = t('greeting_name', name=n)|last ~ c %}{{ n }}{% endfor %}"


@settings(max_examples=100)
@example(
    f"{{% set n = client.first_name %}}{_NESTED}{{% filter upper %}}{{{{ '[{{}}]'.format(n) }}}}{{% endfilter %}}", "Á"
)
@example(f"{{% set n = client.first_name %}}{_IN_A_LOOP}", "Åke & Co")
@given(_BODIES, st.sampled_from(_NAMES))
def test_a_client_gets_what_plain_jinja_makes(campaign: Campaign, studio: Studio, source: str, name: str) -> None:
    """E-36: filters, comparisons, loops and macros upon a client give the bytes of plain Jinja."""
    _same(source, name, campaign, studio)


_MARKED = "{% set s %}{{ client.first_name|upper }}{% endset %}"
_TWO_MARKED = f"{_MARKED}{{% set t %}}{{{{ client.first_name|upper }}}}{{% endset %}}"
_BOXED = [
    "{{ [client.first_name] }}{{ {'a': client.first_name} }}{{ (client.first_name, 1) }}",
    "{{ [client.first_name] ~ 'x' }}",
    "{% macro m() %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(client.first_name, b=client.first_name) }}",
    _MARKED + "{{ [s] }}{{ [s] ~ 'x' }}",
    _MARKED + "{{ {'a': s, 'b': 1}.items()|list }}{{ 'AINO' in {'a': s}.values() }}",
    _TWO_MARKED + "{{ {'a': s, 'b': t}.values()|unique|list|length }}{{ {'a': s, 'b': 'B'}.values()|sort|join }}",
]
"""A client's name within a list, a mapping or what a macro was given."""
_METHODS = (
    "{% set a %}x Aino y{% endset %}{{ a.split(client.first_name ~ '')|length }}{{ a.replace('x', client.first_name) }}"
)
_DEEPER = "{{{{ loop.length }}}}{{{{ x }}}}{{% if loop.depth == 1 %}}{{{{ loop({}) }}}}{{% endif %}}"
_RECURSION = "{{% for x in 'ab' recursive %}}" + _DEEPER + "{{% endfor %}}"


@pytest.mark.parametrize("name", ["Aino", "Åke & Co", "D'Arcy", "=?utf-8?q?=41?="])
@pytest.mark.parametrize(
    "source",
    [
        *_BOXED,
        _METHODS,
        _MARKED + _RECURSION.format("s"),
        _RECURSION.format("client.first_name"),
    ],
)
def test_a_name_within_something_else_is_the_clients(
    campaign: Campaign, studio: Studio, source: str, name: str
) -> None:
    """E-36: a name in a list, under a method of markup, or deeper in a loop is what plain Jinja makes of it."""
    _same(source, name, campaign, studio)


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (f"{{% for i in 'ab' %}}{_MARKED}{{{{ loop.changed(s) }}}}{{% endfor %}}", "loop.changed cannot"),
        (_MARKED + "{% set a, b, c = s %}{{ b }}", "cannot be unpacked"),
        (_MARKED + "{% for a, b, c in [s] %}{{ b }}{% endfor %}", "cannot be unpacked"),
        (_MARKED + "{% macro m() %}{{ varargs[0] }}{% endmacro %}{{ m(*s) }}", "cannot be unpacked"),
        ("{{ client }}", r"client is no text: print what is in it \(client.first_name"),
        ("{{ 'Hei ' ~ offer }}", "offer is no text"),
    ],
)
def test_what_cannot_be_put_off_is_refused(campaign: Campaign, studio: Studio, source: str, told: str) -> None:
    """A template that would print our marks, or a value that is no text, is refused before the first client."""
    words = Words(campaign, Templates({_TEXT: source.encode()}), studio)
    with pytest.raises(RenderingError, match=told):
        words.render(_TEXT, Shape(Language.FI, named=True, dated=True))
