"""Works a whole template out: the text between expressions, and ``if``, ``for``, ``set``, ``with`` and ``filter``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from jinja2 import nodes

from rhflow.core.expr.bounds import STEP, Missing, SandboxError, named
from rhflow.core.expr.evaluate import Evaluation
from rhflow.core.expr.functions import as_text
from rhflow.core.expr.methods import LoopState


class Rendering(Evaluation):
    """One rendering of a template."""

    def text(self, body: list[nodes.Node]) -> str:
        """Return the text of a template. Raises SandboxError."""
        out: list[str] = []
        self._run(body, out)
        return "".join(out)

    def _run(self, body: list[nodes.Node], out: list[str]) -> None:
        for node in body:
            self.meter.work(STEP)
            _STATEMENTS[type(node)](self, node, out)

    def _output(self, node: nodes.Output, out: list[str]) -> None:
        for each in node.nodes:
            piece = each.data if isinstance(each, nodes.TemplateData) else as_text(self.meter, self.value(each))
            self.meter.wrote(len(piece))
            out.append(piece)

    def _if(self, node: nodes.If, out: list[str]) -> None:
        for branch in (node, *node.elif_):
            if self.value(branch.test):
                self._run(branch.body, out)
                return
        self._run(node.else_, out)

    def _for(self, node: nodes.For, out: list[str]) -> None:
        items = self._items(node)
        depth = 1 + sum("loop" in scope for scope in self._scopes)
        loop = LoopState(items, depth)
        for at, item in enumerate(items):
            self.meter.work(STEP)
            loop.at = at
            self._scopes.append({"loop": loop})
            self._assign(node.target, item)
            self._run(node.body, out)
            self._scopes.pop()
        if not items:
            self._inner(node.else_, out)

    def _items(self, node: nodes.For) -> list[Any]:
        value = self.value(node.iter)
        if not isinstance(value, list | tuple | str | Mapping):
            raise SandboxError(
                "template-failed", f"{named(value)} cannot be gone through: only lists, mappings and texts can"
            )
        self.meter.room_for_items(len(value))
        if node.test is None:
            return list(value)
        kept = []
        for item in value:
            self._scopes.append({})
            self._assign(node.target, item)
            if self.value(node.test):
                kept.append(item)
            self._scopes.pop()
        return kept

    def _assign(self, target: nodes.Node, value: Any) -> None:
        if isinstance(target, nodes.Name):
            self._scopes[-1][target.name] = value
            return
        assert isinstance(target, nodes.Tuple)
        if not isinstance(value, list | tuple | str) or len(value) != len(target.items):
            count = f" of {len(value)}" if isinstance(value, list | tuple) else ""
            message = f"{named(value)}{count} cannot be split into {len(target.items)} names"
            raise SandboxError("template-failed", message)
        for each, part in zip(target.items, value, strict=True):
            self._assign(each, part)

    def _set(self, node: nodes.Assign, out: list[str]) -> None:
        self._assign(node.target, self.value(node.node))

    def _set_block(self, node: nodes.AssignBlock, out: list[str]) -> None:
        made: Any = self._captured(node.body)
        if node.filter is not None:
            made = self._chain(node.filter, made)
        self._assign(node.target, made)

    def _with(self, node: nodes.With, out: list[str]) -> None:
        values = [self.value(each) for each in node.values]
        self._scopes.append({})
        for target, value in zip(node.targets, values, strict=True):
            self._assign(target, value)
        self._run(node.body, out)
        self._scopes.pop()

    def _filter_block(self, node: nodes.FilterBlock, out: list[str]) -> None:
        piece = as_text(self.meter, self._chain(node.filter, self._captured(node.body)))
        self.meter.wrote(len(piece))
        out.append(piece)

    def _captured(self, body: list[nodes.Node]) -> str:
        inner: list[str] = []
        self._inner(body, inner)
        return self.meter.made("".join(inner))  # type: ignore[no-any-return]

    def _chain(self, node: nodes.Filter, value: Any) -> Any:
        """Return a value after the filters of a block, of which the last is the outermost node."""
        filters = [node]
        while isinstance(filters[-1].node, nodes.Filter):
            filters.append(filters[-1].node)
        for each in reversed(filters):
            value = self._filtered(each, value)
            if type(value) is Missing:
                raise value.say()
        return value

    def _inner(self, body: list[nodes.Node], out: list[str]) -> None:
        """Run a block whose names end with it; after an error nothing is rendered any more."""
        self._scopes.append({})
        self._run(body, out)
        self._scopes.pop()


_STATEMENTS: Mapping[type, Callable[[Rendering, Any, list[str]], None]] = {
    nodes.Output: Rendering._output, nodes.If: Rendering._if, nodes.For: Rendering._for,
    nodes.Assign: Rendering._set, nodes.AssignBlock: Rendering._set_block, nodes.With: Rendering._with,
    nodes.FilterBlock: Rendering._filter_block,
}  # fmt: skip
