"""The shape of what an expression becomes, from its syntax tree and the shapes of the names that it reads.

What is left out when it may never be worked out (a branch, what stands behind ``and``) is held against what no value
of its kind has, and against nothing else; behind ``default`` and ``is defined`` nothing is wrong at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any, cast

from jinja2 import nodes

from rhflow.core.expr.absent import shown as path_of
from rhflow.core.plan.likeness import shape_of, union, why_not_in_text
from rhflow.core.plan.shapes import ANY, FLAG, NUMBER, TEXT, Absent, Data, FileShape, Items, Made, Plain, Shape, part_of

Report = Callable[[Absent, "str | None"], None]
_SAME = frozenset({"list", "reverse", "sort"})
_FEWER = frozenset({"unique", "select", "reject", "selectattr", "rejectattr"})
_BY_ATTRIBUTE = frozenset({"sort", "unique", "sum", "min", "max", "join", "map"})
_TEXTS = frozenset(
    {"upper", "lower", "capitalize", "title", "trim", "replace", "truncate", "indent", "center", "format", "string",
     "urlencode", "tojson", "slug", "basename", "sha256", "join"}
)  # fmt: skip
_NUMBERS = frozenset({"length", "count", "wordcount", "abs", "round", "sum"})


class Inference:
    """One reading of a template: ``report`` is told of each part that is read in vain, with how it is written."""

    def __init__(self, names: Mapping[str, Shape], report: Report, *, sure: bool) -> None:
        self._names, self._report, self._sure, self._muted = names, report, sure, False
        self._scopes: list[dict[str, Shape]] = [{}]

    # --- whole templates ---------------------------------------------------------------------------------------------

    def run(self, body: Iterable[nodes.Node]) -> None:
        """Go through the text of a template."""
        for node in body:
            match node:
                case nodes.Output():
                    for each in node.nodes:
                        if not isinstance(each, nodes.TemplateData):
                            self._in_text(each)
                case nodes.If():
                    self._if(node)
                case nodes.For():
                    self._for(node)
                case nodes.Assign():
                    self._assign(node.target, self.shape(node.node))
                case nodes.With():
                    values = [self.shape(each) for each in node.values]
                    with self._scope():
                        for target, value in zip(node.targets, values, strict=True):
                            self._assign(target, value)
                        self.run(node.body)
                case nodes.AssignBlock() | nodes.FilterBlock():
                    with self._scope():
                        self.run(node.body)
                    if isinstance(node, nodes.AssignBlock):
                        self._assign(node.target, ANY)

    def _in_text(self, node: nodes.Expr) -> None:
        shape = self.shape(node)
        if (why := why_not_in_text(shape, path_of(node))) is not None:
            self._tell(why, path_of(node))

    def _if(self, node: nodes.If) -> None:
        branches = [node, *node.elif_]
        self.shape(node.test)
        with self._unsure(muted=any(_asks_what_it_is(each.test) for each in branches)):
            for branch in branches:
                self.shape(branch.test)
                self.run(branch.body)
            self.run(node.else_)
        for each in (*node.find_all(nodes.Assign), *node.find_all(nodes.AssignBlock)):
            self._assign(cast("Any", each).target, ANY)

    def _for(self, node: nodes.For) -> None:
        over = self.shape(node.iter)
        some = isinstance(over, Items) and over.least > 0
        with nullcontext() if some else self._unsure(), self._scope():
            self._scopes[-1]["loop"] = ANY
            self._assign(node.target, over.item if isinstance(over, Items) else ANY)
            if node.test is not None:
                self.shape(node.test)
            with nullcontext() if node.test is None else self._unsure(muted=_asks_what_it_is(node.test)):
                self.run(node.body)
        with self._unsure(), self._scope():
            self.run(node.else_)

    def _assign(self, target: nodes.Node, shape: Shape) -> None:
        match target:
            case nodes.Name():
                self._scopes[-1][target.name] = shape
            case nodes.Tuple():
                for at, each in enumerate(target.items):
                    part = part_of(shape, at, "") if isinstance(shape, Items) else ANY
                    self._assign(each, ANY if isinstance(part, Absent) else part)

    @contextmanager
    def _scope(self) -> Iterator[None]:
        self._scopes.append({})
        yield
        self._scopes.pop()

    @contextmanager
    def _unsure(self, *, muted: bool = False) -> Iterator[None]:
        before = self._sure, self._muted
        self._sure, self._muted = False, self._muted or muted
        yield
        self._sure, self._muted = before

    def _tell(self, absent: Absent, path: str | None) -> None:
        if not self._muted and (self._sure or absent.never):
            self._report(absent, path)

    # --- expressions -------------------------------------------------------------------------------------------------

    def shape(self, node: nodes.Node) -> Shape:
        """Return the shape of an expression."""
        match node:
            case nodes.Name(name=name):
                return next((each[name] for each in reversed(self._scopes) if name in each), self._names.get(name, ANY))
            case nodes.Getattr():
                return self._part(self.shape(node.node), node.attr, node)
            case nodes.Getitem():
                return self._item(node)
            case nodes.Const():
                return shape_of(node.value)
            case nodes.List() | nodes.Tuple():
                each = tuple(self.shape(one) for one in node.items)
                return Items(union(enumerate(each)), len(each), len(each), each)
            case nodes.Filter() if node.node is not None:
                return self._filter(node, node.node)
            case nodes.Test():
                with self._unsure(muted=node.name in ("defined", "undefined")):
                    self._all([node.node, *node.args])
                return FLAG
            case nodes.Call():
                return self._call(node)
            case nodes.CondExpr():
                return self._condition(node)
            case nodes.And() | nodes.Or():
                self.shape(node.left)
                with self._unsure(muted=_asks_what_it_is(node.left)):
                    self.shape(node.right)
                return ANY
            case nodes.Add():
                return self._sum(self.shape(node.left), self.shape(node.right))
            case _:
                self._all(node.iter_child_nodes())
                return TEXT if isinstance(node, nodes.Concat) else ANY

    def _all(self, found: Iterable[nodes.Node]) -> None:
        for each in found:
            self.shape(each)

    def _part(self, owner: Shape, name: str | int, node: nodes.Node | None) -> Shape:
        before = path_of(node.node) if isinstance(node, nodes.Getattr | nodes.Getitem) else None
        found = part_of(owner, name, f"`{before}`" if before is not None else _named(owner))
        if not isinstance(found, Absent):
            return found
        self._tell(found, path_of(node) if node is not None else None)
        return ANY

    def _item(self, node: nodes.Getitem) -> Shape:
        owner = self.shape(node.node)
        match node.arg:
            case nodes.Slice(start=None, stop=nodes.Const(value=int(stop)), step=None) if isinstance(owner, Items):
                most = stop if owner.most is None else min(stop, owner.most)
                return Items(owner.item, min(stop, owner.least), most) if stop >= 0 else Items(owner.item)
            case nodes.Const(value=bool()):
                return ANY
            case nodes.Const(value=str() | int() as name):
                return self._part(owner, name, node)
            case nodes.Neg(node=nodes.Const(value=int(back))):
                return self._part(owner, -back, node)
            case nodes.Slice():
                self._all(node.arg.iter_child_nodes())
                return Items(owner.item, 0, owner.most) if isinstance(owner, Items) else ANY
            case _:
                self.shape(node.arg)
                return owner.item if isinstance(owner, Items) else ANY

    def _condition(self, node: nodes.CondExpr) -> Shape:
        self.shape(node.test)
        with self._unsure(muted=_asks_what_it_is(node.test)):
            one = self.shape(node.expr1)
            other = self.shape(node.expr2) if node.expr2 is not None else ANY
        alike = one is other or (isinstance(one, FileShape | Plain) and one == other)
        return one if alike else ANY  # lists are not compared: each may hold another twice, that one another twice …

    def _sum(self, left: Shape, right: Shape) -> Shape:
        if not isinstance(left, Items) or not isinstance(right, Items):
            return ANY
        most = None if left.most is None or right.most is None else left.most + right.most
        items = [(at, each.item) for at, each in enumerate((left, right)) if each.most != 0]
        return Items(union(items), left.least + right.least, most)

    def _call(self, node: nodes.Call) -> Shape:
        given = [self.shape(each) for each in node.args]
        self._all(each.value for each in node.kwargs)
        if isinstance(node.node, nodes.Getattr):
            self.shape(node.node.node)
            return ANY
        match node.node:
            case nodes.Name(name="zip"):
                return self._zipped(given)
            case nodes.Name(name="range"):
                return Items(NUMBER)
            case nodes.Name(name="file"):
                return TEXT
            case nodes.Name(name="glob"):
                return Items(TEXT)
        return ANY

    # --- filters -----------------------------------------------------------------------------------------------------

    def _filter(self, node: nodes.Filter, of: nodes.Expr) -> Shape:
        name = node.name
        if name in ("default", "d"):
            with self._unsure(muted=True):
                self.shape(of)
            with self._unsure():
                self._all(node.args)
            return ANY
        value = self.shape(of)
        given = [self.shape(each) for each in node.args]
        self._all(each.value for each in node.kwargs)
        column = self._column(node, value)
        match value:
            case Items() if name in ("first", "last"):
                at = 0 if name == "first" else -1
                return value.each[at] if value.each else value.item
            case Items() if name in ("min", "max"):
                return value.item
            case Items() if name in _SAME:
                return Items(value.item, value.least, value.most)
            case Items() if name in _FEWER:
                return Items(value.item, 0, value.most)
            case Items() if name == "map":
                return Items(column, value.least, value.most)
            case Items() if name == "pairs":
                most = None if value.most is None else max(0, value.most - 1)
                return Items(Items(value.item, 2, 2), max(0, value.least - 1), most)
            case Items() if name == "zip":
                return self._zipped([value, *given])
            case Items() if name in ("batch", "slice"):
                return Items(Items(value.item))
        return TEXT if name in _TEXTS else NUMBER if name in _NUMBERS else ANY

    def _zipped(self, lists: list[Shape]) -> Shape:
        known = [each if isinstance(each, Items) else Items() for each in lists]
        sizes = [each.most for each in known if each.most is not None]
        if len(sizes) == len(known) and len(set(sizes)) > 1 and all(each.least == each.most for each in known):
            counts = " and ".join(map(str, sizes))
            hint = f"if that is meant, cut the longer ones yourself, as in `[:{min(sizes)}]`"
            message = f"`zip` stops at the end of the shortest list, and these have {counts} items"
            self._tell(Absent("zip-lengths", message, hint, severity="warning"), "zip")
        parts = tuple(each.item for each in known)
        row = Items(union(enumerate(parts)), len(parts), len(parts), parts)
        return Items(row, min((each.least for each in known), default=0), min(sizes, default=None))

    def _column(self, node: nodes.Filter, value: Shape) -> Shape:
        """Return the shape of what a filter reads of each item, where it is told which part that is."""
        options: dict[Any, nodes.Node] = {each.key: each.value for each in node.kwargs}
        if node.name in ("selectattr", "rejectattr") and node.args:
            with self._unsure(muted=_asks_whether_defined(node)):
                return self._attribute(node.args[0], value)
        if node.name not in _BY_ATTRIBUTE or "attribute" not in options:
            return ANY
        some = isinstance(value, Items) and value.least > 0  # only then it is certain that a part is missed
        with self._unsure(muted="default" in options) if "default" in options or not some else nullcontext():
            found = self._attribute(options["attribute"], value)
        return ANY if "default" in options else found

    def _attribute(self, path: nodes.Node, value: Shape) -> Shape:
        if not isinstance(path, nodes.Const) or not isinstance(path.value, str) or not isinstance(value, Items):
            return ANY
        found = value.item
        for name in path.value.split(","):
            found = value.item
            for part in name.split("."):
                owner, found = found, ANY
                step = int(part) if part.isdecimal() else part
                made = part_of(owner, step, _named(owner))
                if isinstance(made, Absent):
                    self._tell(made, str(path.value))
                    return ANY
                found = made
        return found


def _asks_what_it_is(test: nodes.Node) -> bool:
    """Whether a condition looks at what there is (``is mapping``, ``in``): what stands behind it is then no mistake."""
    asks = isinstance(test, nodes.Test) or any(True for _ in test.find_all(nodes.Test))
    return asks or any(each.op in ("in", "notin") for each in test.find_all(nodes.Operand))


def _asks_whether_defined(node: nodes.Filter) -> bool:
    return any(isinstance(each, nodes.Const) and each.value in ("defined", "undefined") for each in node.args[1:])


def _named(shape: Shape) -> str:
    match shape:
        case Made(step=step, facts=facts):
            return f"an item of step `{step}`" if facts is not None else f"step `{step}`"
        case Plain(kind=kind):
            return "text" if kind == "text" else "this"
        case Data():
            return "a mapping"
        case _:
            return "this"
