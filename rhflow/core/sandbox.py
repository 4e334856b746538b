"""Jinja2 as the recipe language uses it: sandboxed, strict, with ``${{ }}`` as the only delimiter of expressions."""

from __future__ import annotations

import json
import re
from collections.abc import ItemsView, Iterator, KeysView, Mapping, ValuesView
from functools import lru_cache
from typing import Any, TypeAlias

from jinja2 import StrictUndefined, TemplateSyntaxError, Undefined, UndefinedError, nodes
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from rhflow.core.errors import did_you_mean
from rhflow.core.values import MAX_TEXT, Artifact, member_of, text_of, why_no_text

Chain: TypeAlias = tuple[str | int | None, ...]

_ESCAPED = "$${{"
_CODE = re.compile(r"\$\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_QUOTED = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\""""
_HYPHENED = re.compile(rf"({_QUOTED})|\bsteps\.([a-z][a-z0-9_]*-[a-z0-9_-]*)")
_END_OF_CODE = {"'end of print statement'": "`}}`", "'end of statement block'": "`%}`"}
_UNDEFINED = re.compile(r"'(\w+)' is undefined")
_NO_MEMBER = re.compile(r"'.*? object' has no (?:attribute|element) '?(\w+)'?")
_LISTED = (
    Iterator,
    KeysView,
    ValuesView,
    ItemsView,
    tuple,
    range,
)  # what filters and methods give where a list is meant


class SandboxError(Exception):
    """A template that cannot be read or rendered; ``snippet`` is the part of its text to point at."""

    def __init__(self, code: str, message: str, *, hint: str | None = None, snippet: str | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.hint, self.snippet = code, message, hint, snippet


class Sandbox(ImmutableSandboxedEnvironment):
    """Reads members of mappings before their methods, and of artifacts only what the language promises."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return ``obj.attribute``: for a mapping its member, for an artifact a public fact."""
        if isinstance(obj, Artifact):
            try:
                return member_of(obj, attribute)
            except AttributeError:
                return self._nothing(f"a file has no `{attribute}`", obj, attribute)
        if isinstance(obj, Mapping):
            try:
                return obj[attribute]
            except KeyError:
                if not isinstance(obj, dict):
                    return self._nothing(f"there is no `{attribute}`", obj, attribute)
        return super().getattr(obj, attribute)

    def _nothing(self, why: str, obj: Any, name: Any) -> Undefined:
        return self.undefined(hint=why, obj=obj, name=name)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Return ``obj[argument]`` without falling back to attributes of mappings and artifacts."""
        if isinstance(obj, Artifact):
            return self.getattr(obj, str(argument))
        if isinstance(obj, Mapping):
            try:
                return obj[argument]
            except KeyError:
                return self._nothing(f"there is no `{argument}`", obj, argument)
        return super().getitem(obj, argument)


def environment() -> Sandbox:
    """Return the one environment that all templates share."""
    env = Sandbox(
        variable_start_string="${{",
        variable_end_string="}}",
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        finalize=_only_text,
        autoescape=False,
    )
    env.globals = {"range": env.globals["range"]}
    # A recipe gives the same text for the same names every time, and what it makes is text, not a web page
    for name in ("random", "escape", "e", "forceescape", "safe", "urlize", "xmlattr"):
        del env.filters[name]
    env.filters["tojson"] = _tojson
    return env


def _tojson(value: Any, indent: int | None = None) -> str:
    if (why := why_no_text(value)) is not None:
        raise SandboxError("not-text", why[0], hint=why[1])
    return json.dumps(value, ensure_ascii=False, indent=indent)


def _body(text: str) -> str:
    """Return the text as Jinja reads it: ``$${{`` as an expression that gives ``${{``, ids with hyphens quoted."""
    return _CODE.sub(lambda code: quote_ids(code[0]), text.replace(_ESCAPED, "${{ '${{' }}"))


def quote_ids(code: str) -> str:
    """Return an expression with ``steps.two-words`` written as ``steps['two-words']``: no subtraction is meant."""
    return _HYPHENED.sub(lambda found: found[1] or f"steps['{found[2]}']", code)


def parse(env: Sandbox, text: str) -> nodes.Template:
    """Return the syntax tree. Raises SandboxError for bad syntax and for ``{{`` without its dollar."""
    try:
        tree = env.parse(_body(text))
    except TemplateSyntaxError as error:
        raise _unreadable(error) from error
    _refuse_what_is_not_there(env, tree)
    for data in tree.find_all(nodes.TemplateData):
        if "{{" in data.data:
            raise SandboxError(
                "missing-dollar",
                "`{{` without a dollar would be sent as it stands",
                hint="write `${{ … }}`, or `${{ '{{' }}` for literal braces",
                snippet="{{",
            )
    return tree


def _unreadable(error: TemplateSyntaxError) -> SandboxError:
    words = error.message or "it is not complete"
    if words.startswith("unexpected end of template"):
        return SandboxError("template-syntax", "this expression is not closed", hint="end it with `}}`")
    for jinja, ours in _END_OF_CODE.items():
        words = words.replace(jinja, ours)
    return SandboxError("template-syntax", f"this expression cannot be read: {_worded(words)}")


def _refuse_what_is_not_there(env: Sandbox, tree: nodes.Template) -> None:
    """Find, before anything is paid for, what would only fail when the text is made. Raises SandboxError."""
    for node in tree.find_all((nodes.Filter, nodes.Test)):
        assert isinstance(node, nodes.Filter | nodes.Test)
        known, what = (env.filters, "filter") if isinstance(node, nodes.Filter) else (env.tests, "test")
        if node.name not in known:
            hint = did_you_mean(node.name, known, limit=0)
            raise SandboxError("unknown-filter", f"there is no {what} `{node.name}`", hint=hint, snippet=node.name)
    for tag in tree.find_all((nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends, nodes.Block)):
        name = {"FromImport": "from"}.get(type(tag).__name__, type(tag).__name__.lower())
        raise SandboxError("forbidden", f"`{{% {name} %}}` cannot be used in a recipe: a value is one text by itself")


def is_exact(tree: nodes.Template, text: str) -> bool:
    """Whether the value is one expression and nothing else, not even a comment."""
    match tree.body:
        case [nodes.Output(nodes=[expression])] if text.startswith("${{") and text.endswith("}}"):
            return not isinstance(expression, nodes.TemplateData)
        case _:
            return False


def reads(tree: nodes.Template) -> tuple[Chain, ...]:
    """Return what the tree reads from outside, without repeats, in order; None stands for a computed index."""
    local = {name.name for name in tree.find_all(nodes.Name) if name.ctx != "load"} | {"range"}
    local |= {macro.name for macro in tree.find_all(nodes.Macro)}
    if tree.find(nodes.For) is not None:
        local.add("loop")
    return tuple(dict.fromkeys(chain for chain in _chains(tree) if chain[0] not in local))


def _chains(node: nodes.Node) -> Iterator[Chain]:
    """Yield the longest chain of names and constant indexes for every name that is read."""
    stack: list[nodes.Node] = [node]
    while stack:
        each = stack.pop()
        chain, rest = _chain(each)
        if chain:
            yield chain
            stack.extend(rest)
        else:
            stack.extend(reversed(list(each.iter_child_nodes())))


def _chain(node: nodes.Node) -> tuple[Chain, list[nodes.Node]]:
    """Return the chain that ends at ``node``, if it is one, and the computed indexes inside it."""
    steps: list[str | int | None] = []
    computed: list[nodes.Node] = []
    while isinstance(node, nodes.Getattr | nodes.Getitem):
        if isinstance(node, nodes.Getattr):
            steps.append(node.attr)
        elif isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str | int):
            steps.append(node.arg.value)
        else:
            steps.append(None)
            computed.append(node.arg)
        node = node.node
    if isinstance(node, nodes.Name) and node.ctx == "load":
        return (node.name, *reversed(steps)), computed
    return (), []


@lru_cache(maxsize=4096)
def _compiled(env: Sandbox, text: str, exact: bool) -> Any:
    if not exact:
        return env.from_string(_body(text))
    inner = quote_ids(text.removeprefix("${{").removesuffix("}}"))
    # `${{- x -}}` trims white space around it, which an exact value has none of
    inner = inner[inner[:1] in ("-", "+") : len(inner) - (inner[-1:] in ("-", "+"))]
    return env.compile_expression(inner, undefined_to_none=False)


def render(env: Sandbox, text: str, *, exact: bool, names: Mapping[str, Any]) -> Any:
    """Return what a text becomes: any value when ``exact``, else text. Raises SandboxError."""
    try:
        compiled = _compiled(env, text, exact)
        if not exact:
            return _bounded(compiled, names)
        value = compiled(**names)
        if isinstance(value, Undefined):
            value._fail_with_undefined_error()  # compile_expression returns an undefined instead of raising
        return _plain(value)
    except UndefinedError as error:
        words = _NO_MEMBER.sub(r"there is no `\1`", _UNDEFINED.sub(r"`\1` is not a name", str(error)))
        raise SandboxError("unknown-name", words) from error
    except SecurityError as error:
        raise SandboxError("forbidden", f"this is not allowed in a recipe: {_worded(str(error))}") from error
    except (ArithmeticError, TypeError, ValueError, LookupError, RecursionError, MemoryError) as error:
        why = _worded(str(error)) or "it needs too much memory"
        raise SandboxError("template-failed", f"this expression fails: {why}") from error


def _plain(value: Any) -> Any:
    """Return what an expression gave as a recipe knows it: lists for what only walks like one."""
    if isinstance(value, str) and len(value) > MAX_TEXT:
        raise SandboxError("text-too-long", f"this text grows beyond {MAX_TEXT:,} characters")
    return list(value) if isinstance(value, _LISTED) else value


def _bounded(compiled: Any, names: Mapping[str, Any]) -> str:
    pieces: list[str] = []
    size = 0
    for piece in compiled.generate(**names):
        pieces.append(piece)
        size += len(piece)
        if size > MAX_TEXT:
            raise SandboxError("text-too-long", f"this text grows beyond {MAX_TEXT:,} characters")
    return "".join(pieces)


def _only_text(value: Any) -> Any:
    """Return a value as it stands in a text; refuse what has none of its own: a file, a whole step, a function."""
    if isinstance(value, Undefined):
        return value  # it raises by itself, with better words
    if not isinstance(value, str) and (why := why_no_text(value)) is not None:
        raise SandboxError("not-text", why[0], hint=why[1])
    return text_of(value)


def _worded(text: str) -> str:
    """Return what a library says in the way of our messages."""
    return (text[:1].lower() + text[1:]).rstrip(".")
