"""Templates in Jinja's language: strict, pure and bounded, with ``${{ }}`` as the only delimiter of expressions.

Jinja reads the text; what the syntax tree means is worked out by rhflow itself (``evaluate.py``, ``blocks.py``), with
the filters, tests, functions and methods that are written out in ``filters.py``, ``functions.py`` and ``methods.py``.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from functools import lru_cache
from typing import Any, TypeAlias

from jinja2 import Environment, nodes

from rhflow.core.expr import grammar
from rhflow.core.expr.blocks import Rendering
from rhflow.core.expr.bounds import SandboxError
from rhflow.core.expr.functions import FUNCTIONS
from rhflow.core.text.located import Reader

Chain: TypeAlias = tuple[str | int | None, ...]

_ESCAPED = "$${{"
_SHORT = 1000
_READ_OUTSIDE = ("file", "glob")
_MADE_BY_STEPS = frozenset({"steps", "prev"})

environment = grammar.environment

__all__ = ["SandboxError", "environment", "is_exact", "parse", "reads", "render"]


def parse(env: Environment, text: str) -> nodes.Template:
    """Return the syntax tree. Raises SandboxError for bad syntax, and for ``{{`` without its dollar."""
    return (_parse_short if len(text) <= _SHORT else _parse_long)(env, text)


def _parse(env: Environment, text: str) -> nodes.Template:
    tree = grammar.parse_tree(env, text.replace(_ESCAPED, "${{ '${{' }}"))
    found = _Reads()
    found.all_of(tree.body, set())
    found.check()
    return tree


# A tree takes some hundred bytes per character
_parse_short = lru_cache(maxsize=2048)(_parse)
_parse_long = lru_cache(maxsize=4)(_parse)


def is_exact(tree: nodes.Template, text: str) -> bool:
    """Whether the value is one expression and nothing else, not even a comment."""
    match tree.body:
        case [nodes.Output(nodes=[expression])] if text.startswith("${{") and text.endswith("}}"):
            return not isinstance(expression, nodes.TemplateData)
        case _:
            return False


def reads(tree: nodes.Template) -> tuple[Chain, ...]:
    """Return what the tree reads from outside, without repeats, in order; None stands for a computed index."""
    found = _Reads()
    found.all_of(tree.body, set())
    return tuple(found.chains)


def render(env: Environment, text: str, *, exact: bool, names: Mapping[str, Any], reader: Reader | None = None) -> Any:
    """Return what a text becomes: any value when ``exact``, else text. Raises SandboxError.

    ``reader`` serves ``file`` and ``glob``; without one both are refused.
    """
    tree = parse(env, text)
    rendering = Rendering(names, reader)
    try:
        if exact:
            [output] = tree.body
            assert isinstance(output, nodes.Output)
            return rendering.exact(output.nodes[0])
        return rendering.text(tree.body)
    except (ArithmeticError, TypeError, ValueError, LookupError, RecursionError, MemoryError) as error:
        why = str(error) or "it needs too much memory"
        raise SandboxError("template-failed", f"this expression fails: {why[:1].lower()}{why[1:]}") from error


# --- what is read ----------------------------------------------------------------------------------------------------


class _Reads:
    """Finds the names that come from outside, block by block: a name that was set is not one of them."""

    def __init__(self, functions: Container[str] = FUNCTIONS) -> None:
        self._functions = functions
        self.chains: dict[Chain, None] = {}
        self._of_files: list[tuple[str, frozenset[Chain], bool]] = []

    def check(self) -> None:
        """Refuse to read a file that a step names: what a model answers must not choose what is sent to another."""
        from_steps = any(chain[0] in _MADE_BY_STEPS for chain in self.chains)
        for name, chains, local in self._of_files:
            if any(chain[0] in _MADE_BY_STEPS for chain in chains) or (local and from_steps):
                message = f"what a step made cannot choose what `{name}` reads"
                hint = "write the path out, or take it from `params`"
                raise SandboxError("forbidden", message, hint=hint, snippet=name)

    def all_of(self, found: Iterable[nodes.Node | None], scope: set[str]) -> None:
        """Take in several nodes, one after another."""
        for node in found:
            if node is not None:
                self._one(node, scope)

    def _one(self, node: nodes.Node, scope: set[str]) -> None:
        match node:
            case nodes.Name() | nodes.Getattr() | nodes.Getitem():
                self._path(node, scope)
            case nodes.Call():
                self._call(node, scope)
            case nodes.For():
                self._one(node.iter, scope)
                inner = scope | _names(node.target)
                self.all_of([node.test], set(inner))
                self.all_of(node.body, inner | {"loop"})
                self.all_of(node.else_, set(scope))
            case nodes.Assign():
                self._one(node.node, scope)
                scope |= _names(node.target)
            case nodes.AssignBlock():
                self.all_of(node.body, set(scope))
                self.all_of([node.filter], scope)
                scope |= _names(node.target)
            case nodes.With():
                self.all_of(node.values, scope)
                self.all_of(node.body, scope.union(*map(_names, node.targets)))
            case nodes.FilterBlock():
                self.all_of(node.body, set(scope))
                self._one(node.filter, scope)
            case _:
                self.all_of(node.iter_child_nodes(), scope)

    def _call(self, node: nodes.Call, scope: set[str]) -> None:
        given = [*node.args, *node.kwargs]
        if isinstance(node.node, nodes.Getattr):
            owner = node.node.node
            if not (isinstance(owner, nodes.Name) and owner.name == "loop" and "loop" in scope):
                self._one(owner, scope)
        elif isinstance(node.node, nodes.Name) and node.node.name in _READ_OUTSIDE:
            inner = _Reads(functions=())
            inner.all_of(given, set())
            chains = frozenset(chain for chain in inner.chains if chain[0] not in scope)
            self._of_files.append((node.node.name, chains, len(chains) < len(inner.chains)))
        self.all_of(given, scope)

    def _path(self, node: nodes.Node, scope: set[str]) -> None:
        """Note the longest chain of names and constant indexes that ends at ``node``."""
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
        if isinstance(node, nodes.Name):
            if node.name in self._functions and node.name not in scope:
                hint = f"call it: `{node.name}(…)`"
                raise SandboxError("needs-call", f"`{node.name}` is a function", hint=hint, snippet=node.name)
            if node.name == "loop" and "loop" in scope and not steps:
                hint = "use one of its parts, such as `loop.index`"
                raise SandboxError("unknown-name", "`loop` has no value of its own", hint=hint, snippet="loop")
            if node.name not in scope:
                self.chains[(node.name, *reversed(steps))] = None
        else:
            computed.append(node)
        self.all_of(computed, scope)


def _names(target: nodes.Node) -> set[str]:
    """Return the names that are set by an assignment to ``target``."""
    return {target.name} if isinstance(target, nodes.Name) else {each.name for each in target.find_all(nodes.Name)}
