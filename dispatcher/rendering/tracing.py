"""Jinja in its sandbox, told what to do with gaps: whatever a template does with one is put off until it is filled.

On Jinja's syntax tree every place where a template works on a value is made a filter of ours or a call of the sandbox:
comparing, joining, slicing, looping, deciding. Each does at once what needs no client, and puts off what does.
"""

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import wraps
from types import BuiltinMethodType, MethodType
from typing import Any

from jinja2 import BaseLoader, BytecodeCache, StrictUndefined, nodes
from jinja2.bccache import Bucket
from jinja2.exceptions import TemplateSyntaxError
from jinja2.nodes import EvalContext
from jinja2.runtime import Context, LoopContext, markup_join, str_join
from jinja2.sandbox import ImmutableSandboxedEnvironment, safe_range
from jinja2.utils import pass_eval_context
from jinja2.visitor import NodeTransformer
from markupsafe import Markup

from dispatcher.errors import RenderingError
from dispatcher.rendering.gaps import Gap, Trace, differs, gap_in, put_off

_RAW = frozenset({"safe", "urlize", "xmlattr"})
"""Filters that would let what a client is called become tags (E-36)."""
_SCOPES = frozenset({"_loop_vars", "_block_vars"})
"""What Jinja hands to each call beside its arguments: the variables of now, which go on changing."""
_WHOLE, _ITEMS, _COMPARE, _CONCAT, _SLICE, _PRINT = "whole", "items of", "compared", "joined", "cut out", "printed"
_SHOW, _PART, _PAIRS = "shown", "in parts", "items in parts"
_BY_SIGN: dict[str, Callable[[Any, Any], object]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "gteq": operator.ge,
    "lt": operator.lt,
    "lteq": operator.le,
    "in": lambda left, right: left in right,
    "notin": lambda left, right: left not in right,
}


class _Compiled(BytecodeCache):
    """Keeps what Jinja has compiled, by the source it was compiled from: one template serves many campaigns."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give out what is kept; Jinja looks whether the source is still the same."""
        kept = self._kept.get(bucket.key)
        if kept is not None:
            bucket.bytecode_from_string(kept)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what was compiled, and let go of the oldest."""
        self._kept[bucket.key] = bucket.bytecode_to_string()
        while len(self._kept) > self._most:
            self._kept.pop(list(self._kept)[0], None)  # noqa: RUF015 - a copy: others may add meanwhile

    def get_cache_key(self, name: str, filename: str | None = None) -> str:
        """Return the name: what is compiled for one name is told apart by its source."""
        return f"{name} {filename}"


_COMPILED = _Compiled(most=200)


class TracingEnvironment(ImmutableSandboxedEnvironment):
    """The sandbox in which templates run with gaps. `trace` is the way that is being gone."""

    intercepted_binops = frozenset(ImmutableSandboxedEnvironment.default_binop_table)
    intercepted_unops = frozenset(ImmutableSandboxedEnvironment.default_unop_table)

    def __init__(
        self, loader: BaseLoader, undefined: type[StrictUndefined], filters: Mapping[str, Callable[..., Any]]
    ) -> None:
        super().__init__(
            loader=loader,
            undefined=undefined,
            autoescape=lambda name: name is not None and name.endswith((".html.j2", ".html")),
            trim_blocks=True,
            lstrip_blocks=True,
            bytecode_cache=_COMPILED,
        )
        self.globals = {"range": safe_range}
        self.trace = Trace()
        usual, tests = dict[str, Any](self.filters), dict[str, Any](self.tests)
        usual.pop("random")  # a message made twice is the same message
        self.filters = {name: self._waiting(f"|{name}", work) for name, work in {**usual, **filters}.items()}
        self.filters |= {name: self._refusing(name, usual[name]) for name in _RAW}
        self.filters |= {
            _WHOLE: self._whole,
            _ITEMS: self._items,
            _COMPARE: self._waiting(_COMPARE, _compared),
            _CONCAT: self._joined,
            _SLICE: self._waiting(_SLICE, _cut_out),
            _PRINT: _printed,
            _SHOW: self._shown,
            _PART: self._in_parts,
            _PAIRS: lambda values: map(self._in_parts, self._items(values)),
        }
        self.tests = {name: self._waiting(f"is {name}", work) for name, work in tests.items()}
        self.tests |= {
            "defined": _or_hole(self._waiting("is defined", tests["defined"]), lambda: True),
            "undefined": _or_hole(self._waiting("is undefined", tests["undefined"]), lambda: False),
        }

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return an attribute; that of a gap is put off."""
        gap = gap_in(obj, self.trace)
        if gap is None:
            return super().getattr(obj, attribute)
        if attribute.startswith("_"):
            return self.unsafe_undefined(obj, attribute)
        return put_off(
            self.trace, f".{attribute}", lambda value: super(TracingEnvironment, self).getattr(value, attribute), gap
        )

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Return an item; that of a gap, or one that a gap names, is put off."""
        if differs(obj) or differs(argument):
            if isinstance(argument, str) and argument.startswith("_"):
                return self.unsafe_undefined(obj, argument)
            return put_off(self.trace, "[]", super().getitem, obj, argument)
        return super().getitem(obj, argument)

    def call(self, context: Context, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Call something; a gap's method is put off, and a method of a value that is given a gap."""
        work = super().call
        named = {name: value for name, value in kwargs.items() if name not in _SCOPES}
        if isinstance(obj, LoopContext):
            return work(context, obj, *(self._items(each) for each in args), **kwargs)
        if _is_of_loop(obj, "changed") and differs(args):
            raise RenderingError("loop.changed cannot tell clients apart: compare with loop.previtem")
        if isinstance(obj, Gap):
            return put_off(self.trace, "()", lambda *a, **k: work(context, *a, **k), obj, *args, **named)
        if _is_pure(obj) and (differs(args) or differs(named)):
            owner = getattr(getattr(obj, "__wrapped__", obj), "__self__", None)
            name = f"{owner!r}.{obj.__name__}()"
            return put_off(self.trace, name, lambda *a, **k: work(context, obj, *a, **k), *args, **named)
        return work(context, obj, *args, **kwargs)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Return a sum, product and the like; with a gap it is put off."""
        if differs(left) or differs(right):
            return put_off(
                self.trace,
                operator,
                lambda *both: super(TracingEnvironment, self).call_binop(context, operator, *both),
                left,
                right,
            )
        return super().call_binop(context, operator, left, right)

    def call_unop(self, context: Context, operator: str, arg: Any) -> Any:
        """Return the negative and the like; that of a gap is put off."""
        if differs(arg):
            return put_off(
                self.trace,
                operator,
                lambda value: super(TracingEnvironment, self).call_unop(context, operator, value),
                arg,
            )
        return super().call_unop(context, operator, arg)

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        forbidden = tree.find(nodes.ScopedEvalContextModifier)
        if forbidden is not None:
            raise TemplateSyntaxError("autoescape cannot be switched: take it out", forbidden.lineno, name, filename)
        _Telling().visit(tree)
        tree.set_environment(self)
        return tree

    def _waiting(self, name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(work)
        def waiting(*args: Any, **kwargs: Any) -> Any:
            if differs(args) or differs(kwargs):
                return put_off(self.trace, name, work, *args, **kwargs)
            return work(*args, **kwargs)

        return waiting

    def _refusing(self, name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(work)
        def refusing(*args: Any, **kwargs: Any) -> Any:
            if differs(args) or differs(kwargs):
                raise RenderingError(f"|{name} would print what a client is called as tags: leave it out (E-36)")
            return work(*args, **kwargs)

        return refusing

    def _whole(self, value: Any) -> Any:
        """Return a text that holds marks as the gap it is, so that deciding upon it asks for it."""
        gap = gap_in(value, self.trace)
        return value if gap is None else gap

    def _shown(self, value: Any) -> Any:
        """Return what prints as Python writes it, such as a list, as a gap where anything within it is one."""
        if isinstance(value, str | Gap) or not differs(value):
            return value
        return put_off(self.trace, _SHOW, str, value)

    def _in_parts(self, value: Any) -> Any:
        """Return what is about to be unpacked. Raises RenderingError for a text that holds marks."""
        if gap_in(value, self.trace) is not None:
            raise RenderingError("what differs from client to client cannot be unpacked: take its items with [0], [1]")
        return value

    def _items(self, values: Iterable[Any]) -> Iterable[Any]:
        gap = gap_in(values, self.trace)
        return values if gap is None else self._each(gap)

    def _each(self, gap: Gap) -> Iterator[Gap]:
        """Yield the items of a gap: whether there is another one is a question of its own."""
        trace, number = self.trace, 0
        while trace.answer(put_off(trace, f"has item {number}", _has_item(number), gap), usual=False):
            yield put_off(trace, f"item {number}", _item(number), gap)
            number += 1

    @pass_eval_context
    def _joined(self, context: EvalContext, parts: list[Any]) -> Any:
        parts = [self._shown(part) for part in parts]
        if not context.autoescape:
            return str_join(parts)
        if any(isinstance(part, Gap) and part.hole is None for part in parts):
            return put_off(self.trace, _CONCAT, lambda *each: markup_join(each), *parts)
        holds_markup = any(hasattr(part, "__html__") and not isinstance(part, Gap) for part in parts)
        return Markup("").join(parts) if holds_markup else str_join(parts)


class _Telling(NodeTransformer):
    """Puts filters of ours where a template works on a value without asking the sandbox."""

    def visit(self, node: nodes.Node, *args: Any, **kwargs: Any) -> nodes.Node:
        """Return a node, and whatever is in it, told of gaps."""
        tell = _TOLD.get(type(node))
        told: nodes.Node = self.generic_visit(tell(node) if tell else node, *args, **kwargs)
        return told


def _told_test(node: Any) -> Any:
    if node.test is not None:
        node.test = _filtered(_WHOLE, node.test)
    return node


def _told_not(node: Any) -> Any:
    node.node = _filtered(_WHOLE, node.node)
    return node


def _told_either(node: Any) -> Any:
    node.left = _filtered(_WHOLE, node.left)
    return node


def _told_loop(node: Any) -> Any:
    node.iter = _filtered(_PAIRS if isinstance(node.target, nodes.Tuple) else _ITEMS, node.iter)
    return _told_test(node)


def _told_output(node: Any) -> Any:
    node.nodes = [each if isinstance(each, nodes.TemplateData) else _filtered(_SHOW, each) for each in node.nodes]
    return node


def _told_assignment(node: Any) -> Any:
    if isinstance(node.target, nodes.Tuple):
        node.node = _filtered(_PART, node.node)
    return node


def _told_call(node: Any) -> Any:
    if node.dyn_args is not None:
        node.dyn_args = _filtered(_PART, node.dyn_args)
    return node


def _told_comparison(node: Any) -> Any:
    pairs = [nodes.Tuple([_constant(each.op, node), each.expr], "load", lineno=node.lineno) for each in node.ops]
    return _filtered(_COMPARE, node.expr, *pairs)


def _told_joining(node: Any) -> Any:
    return _filtered(_CONCAT, nodes.List(node.nodes, lineno=node.lineno))


def _told_filtering(node: Any) -> Any:
    node.filter = _filtered(_PRINT, node.filter)
    return node


def _told_item(node: Any) -> Any:
    if not isinstance(node.arg, nodes.Slice):
        return node  # the sandbox is asked for it
    ends = [each or _constant(None, node) for each in (node.arg.start, node.arg.stop, node.arg.step)]
    return _filtered(_SLICE, node.node, *ends)


_TOLD: Mapping[type[nodes.Node], Callable[[Any], Any]] = {
    nodes.If: _told_test,
    nodes.CondExpr: _told_test,
    nodes.Not: _told_not,
    nodes.And: _told_either,
    nodes.Or: _told_either,
    nodes.For: _told_loop,
    nodes.Compare: _told_comparison,
    nodes.Concat: _told_joining,
    nodes.Output: _told_output,
    nodes.Assign: _told_assignment,
    nodes.Call: _told_call,
    nodes.FilterBlock: _told_filtering,
    nodes.Getitem: _told_item,
}


def can_wait(work: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of ours, marked: it reads nothing that changes, so a call with a gap can be put off."""
    work.can_wait = True  # type: ignore[attr-defined] # functions take attributes
    return work


def _filtered(name: str, node: nodes.Expr, *given: nodes.Expr) -> nodes.Filter:
    return nodes.Filter(node, name, list(given), [], None, None, lineno=node.lineno)


def _constant(value: object, beside: nodes.Node) -> nodes.Const:
    return nodes.Const(value, lineno=beside.lineno)


def _compared(left: Any, *pairs: tuple[str, Any]) -> object:
    """Return what a chain of comparisons says, each but the last being true (`a < b < c`)."""
    found: object = True
    for sign, right in pairs:
        found = _BY_SIGN[sign](left, right)
        if not found:
            break
        left = right
    return found


@pass_eval_context
def _printed(context: EvalContext, value: Any) -> Any:
    """Return what a filtered block writes; Jinja writes it as it is, without asking what it is."""
    if not isinstance(value, Gap):
        return value
    return value.__html__() if context.autoescape else str(value)


def _cut_out(value: Any, *ends: int | None) -> Any:
    return value[slice(*ends)]


def _has_item(number: int) -> Callable[[Any], bool]:
    return lambda values: any(place == number for place, _ in enumerate(values))


def _item(number: int) -> Callable[[Any], Any]:
    return lambda values: next(each for place, each in enumerate(values) if place == number)


def _is_pure(work: Any) -> bool:
    """Say whether a call can be put off: it reads no state that changes while the template runs."""
    work = getattr(work, "__wrapped__", work)  # the sandbox wraps a text's own `format`
    if isinstance(work, BuiltinMethodType | MethodType):  # the latter of markup
        return isinstance(work.__self__, str | bytes | int | float | tuple | list | dict)
    return work is safe_range or bool(getattr(work, "can_wait", False))


def _is_of_loop(work: Any, name: str) -> bool:
    return isinstance(getattr(work, "__self__", None), LoopContext) and work.__name__ == name


def _or_hole(test: Callable[[Any], Any], known: Callable[[], bool]) -> Callable[[Any], Any]:
    """Return a test that need not ask for a hole: where one would be empty, the template sees an empty text."""
    return lambda value: known() if isinstance(value, Gap) and value.hole is not None else test(value)
