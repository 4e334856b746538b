"""How far a run is, as templates see it: what has ended and how, and what the nodes after it can therefore read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rhflow.core.errors import RecipeError
from rhflow.core.graph.edges import read_item
from rhflow.core.graph.graph import Graph, Node
from rhflow.core.inputs.coerce import LocalFile
from rhflow.core.plan.namespace import ScopedViews, StepsView
from rhflow.core.plan.plan import Ended, Names, World
from rhflow.core.plan.promises import Promises, pending_of
from rhflow.core.plan.reading import Reading
from rhflow.core.plan.views import (
    EndedView,
    ItemView,
    LoopView,
    PipelineView,
    StepView,
)
from rhflow.core.recipe.document import Step
from rhflow.core.recipe.loops import Binding
from rhflow.core.recipe.template import Ref, Template, Unresolved, refs_in, resolve, walk
from rhflow.core.values import Entry, Pending

_TOLD = ("key", "index", "matrix", "variation")  # what is known of an item before its node has ended


class Progress:
    """What has ended, and the names that follow from it. ``lacking`` are nodes skipped because others failed."""

    def __init__(self, graph: Graph, readings: Mapping[str, Reading], world: World) -> None:
        self._graph, self._readings, self._world = graph, readings, world
        self.views: dict[str, Mapping[str, Any]] = {}
        self.endings: dict[str, Ended] = {}
        self.lacking: set[str] = set()
        self.promises = Promises()
        self._given_up: set[str] = set()  # scopes in which a node had an error
        self._steps = StepsView(self.views, graph.items, self.item)
        scopes = world.scopes or {"": world.names}
        self._scopes = {scope: self._base(names, scope) for scope, names in scopes.items()}

    def _base(self, names: Names, scope: str) -> dict[str, Any]:
        steps = ScopedViews(self._steps, scope) if scope else self._steps
        return {"params": names.params, "vars": names.vars, "env": names.env, "run": names.run, "steps": steps}

    # -- what has happened --

    def finished(self, node: str, entry: Entry, *, cached: bool) -> None:
        """Note what a node gave."""
        self.views[node] = StepView(entry, cached=cached, node=node)
        self._forget(node)

    def ended(self, node: str, how: Ended, *, error: bool = False) -> None:
        """Note that a node gave nothing: it failed, or was skipped, be it for an ``error``."""
        self._forget(node)
        if error:
            self._given_up.add(self._graph.nodes[node].step.scope)
        if how == "skipped" and any(self._is_amiss(each) for each in self.blockers(self._graph.nodes[node])):
            self.lacking.add(node)
        self.endings[node] = how
        self.views[node] = EndedView(how)

    def opened(self, node: str) -> None:
        """Note that a gate is open, or that the items of a loop are known: what is behind may begin."""
        self.views[node] = EndedView("succeeded")
        self._forget(node)

    def _forget(self, node: str) -> None:
        """Take back how a node ended: a plan may have thought otherwise than the run that follows it."""
        self.endings.pop(node, None)
        self.lacking.discard(node)

    def gather(self, node: str) -> Ended | None:
        """Note that all that a node stands for has ended; returns how it ended badly as a whole, or None."""
        match self._graph.nodes[node].role:
            case "gate":
                self.opened(node)
                return None
            case "whole":
                return self._gather_inside(node)
            case _:
                return self._gather_items(node)

    def _gather_items(self, node: str) -> Ended | None:
        step = self._graph.nodes[node].step
        members = self._graph.items.get(step.id, [])
        self._forget(node)
        how = self._ending_of(step, members or [each for each in (f"{step.id}[*]",) if each in self.endings])
        self.views[node] = LoopView([self.item(each) for each in members], how or "succeeded")
        if how is not None:
            self.endings[node] = how
        return how

    def _gather_inside(self, node: str) -> Ended | None:
        """Note that a pipeline that is a step has ended; where a step inside failed or lacks what it reads, it did."""
        scope, rule = self._graph.scopes[f"{node}/"], self._graph.nodes[node].step.on_error
        inside = [each for each in self._graph.before[node] if each != scope.prefix]
        self._forget(node)
        how: Ended | None = None
        if any(self._is_amiss(each) for each in inside):
            how = "failed"
        if rule == "skip" and (how == "failed" or scope.prefix in self._given_up):
            how = "skipped"
            self._given_up.add(scope.step.scope)
        if scope.prefix in self.endings or all(self.endings.get(each) == "skipped" for each in inside):
            self.lacking.update([node] if how is not None or self._is_amiss(scope.prefix) else [])
            how = "skipped"
        parts = [view for each in inside if (view := self.views.get(each)) is not None]
        self.views[node] = PipelineView(scope.outputs(), lambda: self.names_of(scope.prefix), parts, how or "succeeded")
        if how is not None:
            self.endings[node] = how
        return how

    def _ending_of(self, step: Step, members: list[str]) -> Ended | None:
        """Say how a loop ended: a whole that lacks an item has failed, unless its errors count as skips."""
        gave = [each for each in members if each not in self.endings and each in self.views]
        failed = any(self.endings.get(each) == "failed" for each in members)
        lacks = any(each in self.lacking for each in members)
        if members and not gave and not failed:
            self.lacking.update([step.id] if lacks else [])
            return "skipped"
        if (failed or lacks) and step.on_error != "skip":
            return "failed"
        return None if gave or not members else "skipped"

    def _is_amiss(self, node: str) -> bool:
        return self.endings.get(node) == "failed" or node in self.lacking

    def blockers(self, node: Node) -> list[str]:
        """Return the nodes before ``node`` that gave nothing, but for those whose status its ``if`` looks at."""
        bad = [each for each in self._graph.before[node.id] if each in self.endings]
        if not bad or node.role not in ("call", "gate"):
            return bad
        seen = self._readings[node.step.id].statuses
        return [each for each in bad if self._graph.nodes[each].step.id not in seen]

    # -- names --

    def names_of(self, scope: str) -> Mapping[str, Any]:
        """Return what templates outside of loops may read, in one variant of a sweep or inside of a pipeline."""
        if scope not in self._scopes:
            use = self._graph.scopes[scope]
            whole = Node(use.name, use.step, "whole", use.binding, use.prev)
            base = {**self.names_of(use.step.scope), "steps": ScopedViews(self._steps, scope)}
            self._scopes[scope] = dict(use.names(base, lambda: self.names_for(whole), self.local))
        return self._scopes[scope]

    def local(self, step: Step) -> LocalFile:
        """Return what reads files next to the recipe that a step was written in."""
        beside = self._world.beside
        if step.located is None or beside is None:
            return self._world.local
        return beside(step.located.source.name)

    def names_for(self, node: Node) -> Mapping[str, Any]:
        """Return what the templates of a node may read: in a loop also its item and what goes with it.

        What an item does not give yet is Pending in it. Raises RecipeError.
        """
        base, binding, loop = self.names_of(node.step.scope), node.binding, node.step.loop
        if binding is None or loop is None:
            return base
        own: dict[str, Any] = {"key": binding.key, "index": binding.index} | _facts(binding)
        if loop.chain:
            own["prev"] = self.views.get(node.prev) if node.prev is not None else None
        if loop.foreach is not None:
            own["item"] = self._item_of(node, binding)
        return {**base, **own}

    def item(self, name: str) -> ItemView:
        """Return an item of a loop as ``steps.<id>.items`` holds it; what could not be worked out in it is null."""
        node = self._graph.nodes[name]
        assert node.binding is not None
        try:
            item = self._item_of(node, node.binding)
        except RecipeError:  # it reads a step that gave nothing
            item = self._plain_item(node, node.binding.item)
        facts = {"key": node.binding.key, "index": node.binding.index, "item": item} | _facts(node.binding)
        return ItemView(self.views.get(name) or EndedView("not-run"), facts)

    def _item_of(self, node: Node, binding: Binding) -> Any:
        if binding.of is not None:
            return self.item(binding.of)
        return self.known(binding.item, self.names_of(node.step.scope), None) if binding.unresolved else binding.item

    def _plain_item(self, node: Node, value: Unresolved) -> Any:
        if isinstance(value, list):
            return [self._plain_item(node, each) for each in value]
        if isinstance(value, dict):
            return {key: self._plain_item(node, each) for key, each in value.items()}
        try:
            return self.known(value, self.names_of(node.step.scope), None)
        except RecipeError:
            return None

    # -- what is not known yet --

    def known(self, value: Unresolved, names: Mapping[str, Any], node: Node | None) -> Any:
        """Return a value as far as it is known: what reads an unfinished step becomes Pending. Raises RecipeError."""
        if isinstance(value, Template):
            late = [ref for ref in value.refs if self.is_late(ref, node)]
            return self._pending(value, late[0], names, node) if late else resolve(value, names)
        if isinstance(value, list):
            return [self.known(each, names, node) for each in value]
        if isinstance(value, dict):
            return {key: self.known(each, names, node) for key, each in value.items()}
        return value

    def _pending(self, template: Template, ref: Ref, names: Mapping[str, Any], node: Node | None) -> Any:
        if not template.exact or template.parts is None:
            return Pending()
        binding = node.binding if node is not None else None
        if ref.path[0] == "item" and binding is not None and binding.of is None:
            return walk(template, template.parts[0], names)  # type: ignore[arg-type]  # it holds what is Pending
        return pending_of(self._of_step(ref, node), self.promises)

    def is_late(self, ref: Ref, node: Node | None) -> bool:
        """Whether a reference (of ``node``, where it has a loop) leads to what is not known yet."""
        match ref.path:
            case ("steps",):
                return True
            case ("steps", step, *_):
                return step not in self.views and self._item_read(ref) not in self.views
            case ("item", *rest):
                return node is not None and self._is_item_late(node, rest)
            case ("prev", *_):
                return node is not None and node.prev is not None and node.prev not in self.views
            case _:
                return False

    def _item_read(self, ref: Ref) -> str | None:
        """Return the one node of a loop that a reference reads by its key, or None."""
        return next((each for each in read_item(ref) if each in self._graph.nodes), None)

    def _is_item_late(self, node: Node, rest: list[str | int | None]) -> bool:
        binding = node.binding
        if binding is None or binding.of in self.views:
            return False
        if binding.of is None:
            return binding.unresolved and any(self.is_late(ref, None) for _, ref in refs_in(_part(binding.item, rest)))
        if rest[:1] == ["item"]:
            return self._is_item_late(self._graph.nodes[binding.of], rest[1:])
        return not rest or rest[0] not in _TOLD

    def _of_step(self, ref: Ref, node: Node | None) -> Ref:
        """Return a reference to ``item``, ``prev`` or an item by its key as one to the node it stands for."""
        head, *rest = ref.path
        if (read := self._item_read(ref)) is not None:
            return Ref(("steps", read, *ref.path[3:]))
        if node is None or node.binding is None:
            return ref
        if head == "item" and node.binding.of is not None:
            of = node.binding.of
            while rest[:1] == ["item"] and (binding := self._graph.nodes[of].binding) is not None and binding.of:
                of, rest = binding.of, rest[1:]
            return Ref(("steps", of, *rest))
        return Ref(("steps", node.prev, *rest)) if head == "prev" and node.prev is not None else ref

    # -- what comes from outside --

    def foreign(self, node: Node) -> frozenset[str]:
        """Return the inputs that hold what a step gave: no text in them is ever taken for a path."""
        reading = self._readings[node.step.id]
        if node.binding is None:
            return reading.outside
        found = {
            name for name, refs in reading.looped.items() if any(self._is_foreign(node, list(ref.path)) for ref in refs)
        }
        return reading.outside | found

    def _is_foreign(self, node: Node, path: list[str | int | None]) -> bool:
        binding = node.binding
        head, rest = path[0], path[1:]
        if head != "item" or binding is None:
            return self._readings[node.step.id].grown
        if binding.of is not None:
            return not rest or rest[0] not in (*_TOLD, "item") or self._is_foreign(self._graph.nodes[binding.of], rest)
        part = _part(binding.item, rest)
        return self._readings[node.step.id].grown or any(ref.path[0] == "steps" for _, ref in refs_in(part))


def _facts(binding: Binding) -> dict[str, Any]:
    """Return what else a loop tells of one of its nodes."""
    told = {"matrix": binding.matrix, "variation": binding.variation}
    return {name: value for name, value in told.items() if value is not None}


def _part(item: Unresolved, path: list[str | int | None]) -> Unresolved:
    """Return the part of a written item that a path leads to, or the part around it where it ends sooner."""
    for step in path:
        match item, step:
            case dict(), str() if step in item:
                item = item[step]
            case list(), int() if step < len(item):
                item = item[step]
            case _:
                break
    return item
