"""Jinja2 as the recipe language uses it: sandboxed, strict, with ``${{ }}`` as the only delimiter of expressions."""

from __future__ import annotations

import re
from collections.abc import ItemsView, Iterator, KeysView, Mapping, ValuesView
from functools import lru_cache
from typing import Any, TypeAlias

from jinja2 import StrictUndefined, TemplateSyntaxError, Undefined, UndefinedError, nodes
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from rhflow.core.values import MAX_TEXT, Artifact, member_of, why_no_text

Chain: TypeAlias = tuple[str | int | None, ...]

_ESCAPED = "$${{"
_CODE = re.compile(r"\$\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_HYPHENED = re.compile(r"\bsteps\.([a-z][a-z0-9_]*-[a-z0-9_-]*)")
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
                return self.undefined(obj=obj, name=attribute)
        if isinstance(obj, Mapping):
            try:
                return obj[attribute]
            except KeyError:
                if not isinstance(obj, dict):
                    return self.undefined(obj=obj, name=attribute)
        return super().getattr(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Return ``obj[argument]`` without falling back to attributes of mappings and artifacts."""
        if isinstance(obj, Artifact):
            return self.getattr(obj, str(argument))
        if isinstance(obj, Mapping):
            try:
                return obj[argument]
            except KeyError:
                return self.undefined(obj=obj, name=argument)
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
    return env


def _body(text: str) -> str:
    """Return the text as Jinja reads it: ``$${{`` as an expression that gives ``${{``, ids with hyphens quoted."""
    return _CODE.sub(lambda code: quote_ids(code[0]), text.replace(_ESCAPED, "${{ '${{' }}"))


def quote_ids(code: str) -> str:
    """Return an expression with ``steps.two-words`` written as ``steps['two-words']``: no subtraction is meant."""
    return _HYPHENED.sub(r"steps['\1']", code)


def parse(env: Sandbox, text: str) -> nodes.Template:
    """Return the syntax tree. Raises SandboxError for bad syntax and for ``{{`` without its dollar."""
    try:
        tree = env.parse(_body(text))
    except TemplateSyntaxError as error:
        raise SandboxError("template-syntax", f"this expression cannot be read: {error.message}") from error
    for data in tree.find_all(nodes.TemplateData):
        if "{{" in data.data:
            raise SandboxError(
                "missing-dollar",
                "`{{` without a dollar would be sent as it stands",
                hint="write `${{ … }}`, or `${{ '{{' }}` for literal braces",
                snippet="{{",
            )
    return tree


def is_exact(tree: nodes.Template) -> bool:
    """Whether the value is one expression and nothing else."""
    match tree.body:
        case [nodes.Output(nodes=[expression])]:
            return not isinstance(expression, nodes.TemplateData)
        case _:
            return False


def reads(tree: nodes.Template) -> tuple[Chain, ...]:
    """Return what the tree reads from outside, without repeats, in order; None stands for a computed index."""
    local = {name.name for name in tree.find_all(nodes.Name) if name.ctx != "load"} | {"range"}
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
        return list(value) if isinstance(value, _LISTED) else value
    except UndefinedError as error:
        raise SandboxError("unknown-name", _lower(str(error))) from error
    except SecurityError as error:
        raise SandboxError("forbidden", f"this is not allowed in a recipe: {error}") from error
    except (ArithmeticError, TypeError, ValueError, LookupError, RecursionError, MemoryError) as error:
        raise SandboxError("template-failed", f"this expression fails: {_lower(str(error))}") from error


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
    """Refuse in the middle of a text what has no text of its own: a file, a whole step, a function."""
    if not isinstance(value, str | Undefined) and (why := why_no_text(value)) is not None:
        raise SandboxError("not-text", why[0], hint=why[1])
    return value


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
