"""Works an expression out from its syntax tree.

Not Jinja's compiler: a tree that is walked touches no Python object but those it is given, every part of it can be
counted, and nothing is compiled for the many templates that are rendered once. What is kept of Jinja means the same
here, and a property test holds the two against each other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from jinja2 import nodes

from rhflow.core.errors import did_you_mean
from rhflow.core.expr.absent import no_name, no_part, shown
from rhflow.core.expr.bounds import STEP, Meter, Missing, SandboxError, named, plain
from rhflow.core.expr.filters import FILTERS
from rhflow.core.expr.functions import FUNCTIONS, as_text
from rhflow.core.expr.grammar import misfit
from rhflow.core.expr.methods import TESTS, LoopState, compare, contains, methods_of
from rhflow.core.expr.operators import OPERATORS, negative, positive
from rhflow.core.text.located import Reader
from rhflow.core.values import Artifact, member_of


class _NoReader:
    """Stands where nothing can be read: a text that came from no file."""

    def text(self, path: str) -> str:
        raise SandboxError("no-files", "`file` cannot be used here: there is no recipe to read next to", snippet="file")

    def glob(self, pattern: str) -> list[str]:
        raise SandboxError("no-files", "`glob` cannot be used here: there is no recipe to read next to", snippet="glob")


class Evaluation:
    """One rendering: the names it may read, those it sets, and the meter that bounds it."""

    def __init__(self, names: Mapping[str, Any], reader: Reader | None = None) -> None:
        self.meter = Meter()
        self.reader = reader or _NoReader()
        self._names = names
        self._scopes: list[dict[str, Any]] = [{}]

    def exact(self, node: nodes.Expr) -> Any:
        """Return the value of one expression, as the rest of rhflow knows values. Raises SandboxError."""
        return plain(self.meter, self.value(node))

    def value(self, node: nodes.Node) -> Any:
        """Return the value of an expression. Raises SandboxError where there is none."""
        found = self._maybe(node)
        if type(found) is Missing:
            raise found.say()
        return found

    def _maybe(self, node: nodes.Node) -> Any:
        self.meter.work(STEP)
        return _EXPRESSIONS[type(node)](self, node)

    # --- names and parts ---------------------------------------------------------------------------------------------

    def _name(self, node: nodes.Name) -> Any:
        name = node.name
        for scope in reversed(self._scopes):
            if name in scope:
                return scope[name]
        try:
            return self._names[name]
        except KeyError:
            return Missing(lambda: no_name(name, [*self._names, *(each for scope in self._scopes for each in scope)]))

    def _getattr(self, node: nodes.Getattr) -> Any:
        return self._part(self.value(node.node), node.attr, node)

    def _getitem(self, node: nodes.Getitem) -> Any:
        owner = self.value(node.node)
        if isinstance(node.arg, nodes.Slice):
            return self._slice(owner, node.arg)
        return self._part(owner, self.value(node.arg), node)

    def _slice(self, owner: Any, node: nodes.Slice) -> Any:
        if not isinstance(owner, str | list | tuple):
            raise SandboxError("template-failed", f"{named(owner)} cannot be cut: only lists and texts can")
        ends = [None if each is None else self.value(each) for each in (node.start, node.stop, node.step)]
        if not all(each is None or (isinstance(each, int) and not isinstance(each, bool)) for each in ends):
            raise SandboxError("template-failed", "a list is cut with whole numbers, as in `[1:3]`")
        if ends[2] == 0:
            raise SandboxError("template-failed", "a list cannot be cut in steps of 0")
        self.meter.read(owner)
        return self.meter.made(owner[slice(*ends)])

    def member(self, value: Any, name: str | int) -> Any:
        """Return ``value.name``. Raises SandboxError where there is none."""
        self.meter.work(STEP)
        found = self._part(value, name, None)
        if type(found) is Missing:
            raise found.say()
        return found

    def has(self, value: Any, name: str | int) -> bool:
        """Whether there is ``value.name``."""
        self.meter.work(STEP)
        return type(self._part(value, name, None)) is not Missing

    def _part(self, owner: Any, name: Any, node: nodes.Node | None) -> Any:
        try:
            match owner:
                case Artifact():
                    return member_of(owner, name)
                case LoopState():
                    return owner.member(name)
                case Mapping() if isinstance(name, str | int | float | None):
                    return owner[name]
                case list() | tuple() | str() if isinstance(name, int):
                    return owner[name]
        except (KeyError, IndexError, AttributeError):
            pass
        except ValueError as error:  # the text of a step that is not JSON
            path = None if node is None else shown(node)
            hint = "ask for nothing but JSON in the prompt of that step"
            message = f"{f'`{path}`' if path else 'this'} cannot be read: {error}"
            raise SandboxError("not-json", message, hint=hint, snippet=path) from None
        return Missing(lambda: no_part(owner, name, node))

    # --- operators ---------------------------------------------------------------------------------------------------

    def _const(self, node: nodes.Const) -> Any:
        return node.value

    def _list(self, node: nodes.List) -> Any:
        return self.meter.made([self.value(each) for each in node.items])

    def _tuple(self, node: nodes.Tuple) -> Any:
        return self.meter.made(tuple(self.value(each) for each in node.items))

    def _dict(self, node: nodes.Dict) -> Any:
        made: dict[Any, Any] = {}
        for pair in node.items:
            key = self.value(pair.key)
            if not isinstance(key, str | int | float | None):
                raise SandboxError("template-failed", f"{named(key)} cannot be the key of a mapping", hint="use a text")
            made[key] = self.value(pair.value)
        return self.meter.made(made)

    def _binary(self, node: nodes.BinExpr) -> Any:
        left, right = self.value(node.left), self.value(node.right)
        return self.meter.made(OPERATORS[type(node).__name__](self.meter, left, right))

    def _and(self, node: nodes.And) -> Any:
        left = self.value(node.left)
        return self.value(node.right) if left else left

    def _or(self, node: nodes.Or) -> Any:
        left = self.value(node.left)
        return left if left else self.value(node.right)

    def _not(self, node: nodes.Not) -> bool:
        return not self.value(node.node)

    def _negative(self, node: nodes.Neg) -> Any:
        return negative(self.value(node.node))

    def _positive(self, node: nodes.Pos) -> Any:
        return positive(self.value(node.node))

    def _concat(self, node: nodes.Concat) -> str:
        texts = [as_text(self.meter, self.value(each)) for each in node.nodes]
        self.meter.room(sum(map(len, texts)))
        return "".join(texts)

    def _compare(self, node: nodes.Compare) -> bool:
        left = self.value(node.expr)
        for operand in node.ops:
            right = self.value(operand.expr)
            if operand.op in ("in", "notin"):
                holds = contains(self, right, left) is (operand.op == "in")
            else:
                holds = compare(self, operand.op, left, right)
            if not holds:
                return False
            left = right
        return True

    def _condition(self, node: nodes.CondExpr) -> Any:
        if self.value(node.test):
            return self._maybe(node.expr1)
        if node.expr2 is not None:
            return self._maybe(node.expr2)
        message = "this has no value when its condition does not hold"
        return Missing(lambda: SandboxError("unknown-name", message, hint="add `else …`, such as `else ''`"))

    # --- calls -------------------------------------------------------------------------------------------------------

    def _call(self, node: nodes.Call) -> Any:
        callee = node.node
        if isinstance(callee, nodes.Name):
            function, owner = FUNCTIONS[callee.name], []
        else:
            assert isinstance(callee, nodes.Getattr)
            value = self.value(callee.node)
            methods = methods_of(value)
            if callee.attr not in methods:
                hint = did_you_mean(callee.attr, methods, limit=0)
                message = f"{named(value)} has no method `{callee.attr}`"
                raise SandboxError("unknown-name", message, hint=hint, snippet=callee.attr)
            function, owner = methods[callee.attr], [value]
            self.meter.read(value)
        return self.meter.made(self._apply(function, owner, node))

    def _filter(self, node: nodes.Filter) -> Any:
        assert node.node is not None
        if node.name in ("default", "d"):
            found = self._maybe(node.node)
            if type(found) is Missing:
                return self.value(node.args[0]) if node.args else self._option(node, "default_value")
            return self._filtered(node, found)
        return self._filtered(node, self.value(node.node))

    def _option(self, node: nodes.Filter, name: str) -> Any:
        return next((self.value(each.value) for each in node.kwargs if each.key == name), "")

    def _filtered(self, node: nodes.Filter, value: Any) -> Any:
        self.meter.read(value)
        return self.meter.made(self._apply(FILTERS[node.name], [value], node))

    def _test(self, node: nodes.Test) -> bool:
        if node.name in ("defined", "undefined"):
            return (type(self._maybe(node.node)) is Missing) is (node.name == "undefined")
        value = self.value(node.node)
        self.meter.read(value)
        return bool(self._apply(TESTS[node.name], [value], node))

    def _apply(self, function: Callable[..., Any], owner: list[Any], node: Any) -> Any:
        given = [self.value(each) for each in node.args]
        options = {each.key: self.value(each.value) for each in node.kwargs}
        for each in (*given, *options.values()):
            self.meter.read(each)
        return self._called(function, [*owner, *given], options, len(owner))

    def _called(self, function: Callable[..., Any], given: list[Any], options: dict[str, Any], owner: int) -> Any:
        try:
            return function(self, *given, **options)
        except TypeError:
            usage = misfit(function, 1 + owner, len(given) - owner, options)
            if usage is None:
                raise
            message = "this call has too few or too many values"
            raise SandboxError("template-failed", message, hint=f"write `({usage})`") from None

    def filter(self, name: str, value: Any, /, *given: Any, **options: Any) -> Any:
        """Return ``value | name(...)``, for filters that apply another one to each item."""
        self.meter.work(STEP)
        if name not in FILTERS:
            hint = did_you_mean(name, FILTERS, limit=0)
            raise SandboxError("unknown-filter", f"there is no filter `{name}`", hint=hint, snippet=name)
        self.meter.read(value)
        made = self._called(FILTERS[name], [value, *given], options, 1)
        if type(made) is Missing:
            raise made.say()
        return self.meter.made(made)

    def test(self, name: str, value: Any, /, *given: Any) -> bool:
        """Return ``value is name(...)``, for filters that test each item."""
        self.meter.work(STEP)
        if name not in TESTS:
            hint = did_you_mean(name, TESTS, limit=0)
            raise SandboxError("unknown-test", f"there is no test `{name}`", hint=hint, snippet=name)
        self.meter.read(value)
        return bool(self._called(TESTS[name], [value, *given], {}, 1))


_EXPRESSIONS: Mapping[type, Callable[[Evaluation, Any], Any]] = {
    nodes.Name: Evaluation._name, nodes.Const: Evaluation._const, nodes.Getattr: Evaluation._getattr,
    nodes.Getitem: Evaluation._getitem, nodes.List: Evaluation._list, nodes.Tuple: Evaluation._tuple,
    nodes.Dict: Evaluation._dict, nodes.And: Evaluation._and, nodes.Or: Evaluation._or, nodes.Not: Evaluation._not,
    nodes.Neg: Evaluation._negative, nodes.Pos: Evaluation._positive, nodes.Concat: Evaluation._concat,
    nodes.Compare: Evaluation._compare, nodes.CondExpr: Evaluation._condition, nodes.Call: Evaluation._call,
    nodes.Filter: Evaluation._filter, nodes.Test: Evaluation._test,
    **dict.fromkeys(
        (nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Pow), Evaluation._binary
    ),
}  # fmt: skip
