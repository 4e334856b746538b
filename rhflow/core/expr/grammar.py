"""From the text of a template to a syntax tree: Jinja's grammar, less what recipes have no use for.

Everything that can be known to be wrong without values is found here, before anything is paid for, and said in plain
words. Nesting is bounded, so that neither the parser nor what walks the tree can exhaust the stack.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from inspect import Parameter, signature
from typing import Any, NoReturn

from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.lexer import TokenStream
from jinja2.parser import Parser

from rhflow.core.errors import did_you_mean, nearest
from rhflow.core.expr.bounds import MAX_BITS, MAX_DIGITS, MAX_TEMPLATE, SandboxError
from rhflow.core.expr.filters import FILTERS
from rhflow.core.expr.functions import FUNCTIONS, is_unicode
from rhflow.core.expr.methods import METHODS, TESTS
from rhflow.core.expr.tokens import Code, tokens
from rhflow.core.expr.wording import in_plain_words, tag_problem

MAX_NESTING = 24  # brackets in brackets, blocks in blocks
MAX_LEVELS = 100  # of the syntax tree: `a + b + c …` has one per term

RESERVED = frozenset({"params", "vars", "steps", "env", "run", "loop"})  # a template must not give them another meaning
_TAGS = ("if", "for", "set", "with", "filter")
_PLAIN_NODES = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.For, nodes.Assign, nodes.AssignBlock, nodes.With,
    nodes.FilterBlock, nodes.Tuple, nodes.List, nodes.Dict, nodes.Pair, nodes.Keyword, nodes.Slice, nodes.Name,
    nodes.Const, nodes.Getattr, nodes.Getitem, nodes.Call, nodes.Filter, nodes.Test, nodes.CondExpr, nodes.Compare,
    nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Neg, nodes.Pos, nodes.Concat, nodes.Add, nodes.Sub, nodes.Mul,
    nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Pow,
)  # fmt: skip


def environment() -> Environment:
    """Return what Jinja's lexer and parser need to know; it is used for nothing else."""
    return Environment(variable_start_string="${{", variable_end_string="}}", keep_trailing_newline=True)


def parse_tree(env: Environment, text: str) -> nodes.Template:
    """Return the syntax tree of a template. Raises SandboxError for all that is wrong with it."""
    if len(text) > MAX_TEMPLATE:
        hint = "put long texts into a file and read it with `file(…)`"
        message = f"a text with expressions has at most {MAX_TEMPLATE:,} characters here"
        raise SandboxError("text-too-long", message, hint=hint)
    code = Code()
    try:
        tree = _Parser(env, tokens(env, text, code)).parse()
    except TemplateSyntaxError as error:
        words, advice = in_plain_words(str(error.message))
        raise SandboxError("template-syntax", words, hint=advice, snippet=code.current) from None
    except SandboxError as error:
        error.snippet = error.snippet or code.current
        raise
    except RecursionError:
        raise _too_deep() from None
    _check(tree)
    return tree


# --- the parser ------------------------------------------------------------------------------------------------------


def _too_deep() -> SandboxError:
    hint = "work parts of it out under `vars`, or join many texts with `~`"
    return SandboxError("too-deep", "this expression is nested too deep", hint=hint)


class _Parser(Parser):
    """Jinja's parser with bounded nesting, fewer tags and plainer words."""

    def __init__(self, env: Environment, stream: TokenStream) -> None:
        super().__init__(env, "")
        self.stream = stream
        self._depth = 0

    def _deeper(self, parse: Callable[[], Any], weight: int = 1) -> Any:
        self._depth += weight
        if self._depth > 4 * MAX_NESTING:
            raise _too_deep()
        try:
            return parse()
        finally:
            self._depth -= weight

    def parse_condexpr(self) -> nodes.Expr:
        return self._deeper(super().parse_condexpr)  # type: ignore[no-any-return]

    def parse_not(self) -> nodes.Expr:
        return self._deeper(super().parse_not)  # type: ignore[no-any-return]

    def parse_unary(self, with_filter: bool = True) -> nodes.Expr:
        return self._deeper(lambda: Parser.parse_unary(self, with_filter), 2)  # type: ignore[no-any-return]

    def parse_statement(self) -> nodes.Node | list[nodes.Node]:
        token = self.stream.current
        closing = self._tag_stack[-1] if self._tag_stack else None
        if token.type != "name":
            raise SandboxError("template-syntax", "`{%` must be followed by a word", hint=_tags())
        if token.value not in _TAGS:
            raise tag_problem(token.value, closing, _TAGS)
        return self._deeper(super().parse_statement, 4)  # type: ignore[no-any-return]

    def _fail_ut_eof(self, name: str | None, end_token_stack: Any, lineno: int | None) -> NoReturn:
        raise tag_problem(name, self._tag_stack[-1] if self._tag_stack else None, _TAGS)


def _tags() -> str:
    return "such as " + ", ".join(f"`{{% {tag} … %}}`" for tag in _TAGS[:3])


# --- what can be known to be wrong -----------------------------------------------------------------------------------


def _check(tree: nodes.Template) -> None:
    stack: list[tuple[nodes.Node, int]] = [(tree, 0)]
    while stack:
        node, level = stack.pop()
        if level > MAX_LEVELS:
            raise _too_deep()
        if not isinstance(node, _PLAIN_NODES):
            raise SandboxError("forbidden", "this is not part of the language")
        _check_node(node)
        parts = _called(node) if isinstance(node, nodes.Call) else node.iter_child_nodes()
        stack.extend((each, level + 1) for each in reversed(list(parts)))


def _check_node(node: nodes.Node) -> None:
    match node:
        case nodes.TemplateData(data=data) if "{{" in data:
            message = "`{{` without a dollar would be sent as it stands"
            hint = "write `${{ … }}`, or `${{ '{{' }}` for literal braces"
            raise SandboxError("missing-dollar", message, hint=hint, snippet="{{")
        case nodes.Name(name=name, ctx=ctx) if ctx != "load" and name in RESERVED:
            message = f"`{name}` has a meaning already and cannot be set"
            raise SandboxError("reserved-name", message, hint="choose another name", snippet=name)
        case nodes.Const(value=value):
            _check_constant(value)
        case nodes.Filter(name=name):
            _check_use(node, FILTERS, "filter", name)
        case nodes.Test(name=name):
            _check_use(node, TESTS, "test", name)
        case nodes.For(recursive=True):
            raise SandboxError("forbidden", "`recursive` is not part of the language", snippet="recursive")
        case nodes.Call(node=nodes.Name(name=name)):
            _check_use(node, FUNCTIONS, "function", name)
        case _:
            pass


def _called(node: nodes.Call) -> Iterable[nodes.Node]:
    """Return the parts of a call that have a value: what is called is a name or a method, and nothing else."""
    callee = node.node
    given: list[nodes.Node] = [*node.args, *node.kwargs]
    if isinstance(callee, nodes.Name):
        return given
    if not isinstance(callee, nodes.Getattr):
        raise SandboxError("not-a-function", "only functions and methods can be called")
    _check_spread(node, callee.attr)
    if callee.attr not in METHODS:
        raise SandboxError(
            "unknown-name",
            f"there is no method `{callee.attr}`",
            hint=f"write `| {callee.attr}`" if callee.attr in FILTERS else did_you_mean(callee.attr, METHODS, limit=0),
            snippet=callee.attr,
        )
    return [callee.node, *given]


def _check_use(node: Any, table: Mapping[str, Callable[..., Any]], what: str, name: str) -> None:
    if name not in table:
        code = "unknown-name" if what == "function" else f"unknown-{what}"
        raise SandboxError(code, f"there is no {what} `{name}`", hint=_instead(what, name), snippet=name)
    _check_spread(node, name)
    keywords = {each.key: None for each in node.kwargs}
    leading = 1 if what == "function" else 2
    if (usage := misfit(table[name], leading, len(node.args), keywords)) is not None:
        shown = {"function": f"{name}({usage})", "filter": f"… | {name}({usage})", "test": f"… is {name}({usage})"}
        message = f"`{name}` cannot be used with {_count(len(node.args), keywords)}"
        raise SandboxError("template-failed", message, hint=f"write `{shown[what].replace('()', '')}`", snippet=name)


def _instead(what: str, name: str) -> str | None:
    """Say what to write instead of a function, filter or test that there is not."""
    if what == "test":
        return did_you_mean(name, TESTS, limit=0)
    if what == "filter":
        return did_you_mean(name, FILTERS, limit=0) or (f"call it: `{name}(…)`" if name in FUNCTIONS else None)
    found = nearest(name, [*FUNCTIONS, *FILTERS])
    if found is None or found in FUNCTIONS:
        return did_you_mean(name, FUNCTIONS, limit=4)
    return f"write it behind a bar: `… | {found}`"


def _count(given: int, keywords: Mapping[str, Any]) -> str:
    if keywords:
        return "these values: " + ", ".join(f"`{name}=`" for name in keywords)
    return f"{given} values in its brackets" if given != 1 else "one value in its brackets"


_signature = cache(signature)


def misfit(function: Callable[..., Any], leading: int, given: int, keywords: Mapping[str, Any]) -> str | None:
    """Return how a function is used, if it takes no such values after its ``leading`` ones; None where it does."""
    takes = _signature(function)
    try:
        takes.bind(*[None] * (leading + given), **keywords)
    except TypeError:
        shown = list(takes.parameters.values())[leading:]
        return ", ".join(each.name if each.default is Parameter.empty else f"{each.name}=…" for each in shown)
    return None


def _check_spread(node: Any, name: str) -> None:
    if node.dyn_args is not None or node.dyn_kwargs is not None:
        raise SandboxError("forbidden", "`*` and `**` in a call are not part of the language", snippet=name)


def _check_constant(value: Any) -> None:
    if isinstance(value, str) and not is_unicode(value):
        message = "an escape such as `\\ud800` stands for no character"
        raise SandboxError("template-syntax", message, hint="write the character itself")
    too_large = value.bit_length() > MAX_BITS if isinstance(value, int) else value in (float("inf"),)
    if too_large:
        raise SandboxError("number-too-large", f"a number has at most {MAX_DIGITS} digits here")
