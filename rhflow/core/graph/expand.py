"""From steps to the nodes of a graph, as far as the items of their loops are known; the rest when they are."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from rhflow.core.errors import Problem, RecipeError
from rhflow.core.graph.edges import grows, linked_to, read_item
from rhflow.core.graph.graph import CircleError, Edge, Graph, Node
from rhflow.core.graph.nesting import Names, Scope
from rhflow.core.graph.spread import follow, loop_problem, spread
from rhflow.core.recipe.document import Pipeline, Step
from rhflow.core.recipe.loops import MAX_NODES, Binding, LoopError
from rhflow.core.recipe.statics import NotKnownError
from rhflow.core.recipe.template import Ref, Unresolved, refs_in, templates_in

NamesOf = Callable[[str], Names]
_OF_ITEM = ("item", "matrix", "key", "index", "variation")


def expand(
    pipeline: Pipeline,
    names: Names | None = None,
    *,
    scopes: Mapping[str, Names] | None = None,
    nested: bool = True,
) -> Graph:
    """Return the graph of a pipeline; references to no step count for nothing.

    ``names`` are what loops may read now (``params``, ``vars``), ``scopes`` the same for each variant of a sweep.
    Without ``nested`` a step that is a pipeline stays one node. Raises RecipeError for a loop that cannot be spread
    out, or when steps wait for each other in a circle.
    """
    inside: dict[str, Scope] = {}
    builder = _Builder(dict(pipeline.steps), inside, _Known(scopes or {"": names or {}}, inside), nested=nested)
    for step in pipeline.steps.values():
        builder.add(step)
    edges = [each for each in builder.finished() if each[0] in builder.nodes]
    try:
        return Graph(builder.nodes.values(), edges, steps=builder.steps, scopes=inside)
    except CircleError as circle:
        raise RecipeError(_circle(pipeline, circle.nodes)) from None


def grow(graph: Graph, loop: str, bindings: Sequence[Binding], names_of: NamesOf) -> list[str]:
    """Add the nodes of a loop whose items have become known, and return those that are new.

    ``names_of`` gives what the steps of a scope may read, also of the scopes that are being added. Raises RecipeError
    when a loop inside cannot be spread out.
    """
    builder = _Builder(graph.steps, graph.scopes, names_of, there=graph.nodes)
    step = graph.nodes[loop].step
    builder.add_items(step, bindings, behind=loop)
    graph.items.setdefault(step.id, [])
    return graph.add(builder.nodes.values(), builder.finished(), behind=loop)


class _Known:
    """What steps may read before anything has run."""

    def __init__(self, scopes: Mapping[str, Names], inside: Mapping[str, Scope]) -> None:
        self._scopes, self._inside = scopes, inside

    def __call__(self, prefix: str) -> Names:
        if prefix in self._scopes:
            return self._scopes[prefix]
        scope = self._inside[prefix]
        outer = self(scope.step.scope)
        return scope.names(outer, lambda: {**outer, **_told(scope.binding)})


def _told(binding: Binding | None) -> dict[str, Any]:
    return {} if binding is None else {name: getattr(binding, name) for name in _OF_ITEM}


class _Builder:
    """Collects nodes and edges; to ``steps`` and ``scopes`` is added what is inside of steps that are pipelines.

    ``there`` are the nodes of the graph that these are for, if it grows.
    """

    def __init__(
        self,
        steps: dict[str, Step],
        scopes: dict[str, Scope],
        names_of: NamesOf,
        *,
        nested: bool = True,
        there: Collection[str] = (),
    ) -> None:
        self.steps, self.scopes, self._names_of, self._nested, self._there = steps, scopes, names_of, nested, there
        self._bindings: dict[str, list[Binding] | None] = {}
        self._items: dict[str, frozenset[str]] = {}
        self._problems: list[Problem] = []
        self._edges: list[Edge] = []
        self.nodes: dict[str, Node] = {}

    def finished(self) -> list[Edge]:
        """Return the edges. Raises RecipeError with every problem met."""
        if self._problems:
            raise RecipeError(self._problems)
        return self._edges

    def add(self, step: Step) -> None:
        """Add all nodes of a step."""
        if step.loop is None:
            self._add_one(step, list(self._shared(step)))
            return
        bindings = self._of(step)
        if bindings is None:
            self._add_unknown(step)
        else:
            self.add_items(step, bindings)
        self.nodes[step.id] = Node(step.id, step, "all")

    def add_items(self, step: Step, bindings: Sequence[Binding], *, behind: str | None = None) -> None:
        """Add the nodes of a loop's items, ``behind`` the node that stood for all of them."""
        prev: str | None = None
        common = list(self._shared(step))
        for binding in bindings:
            at = len(self._edges)
            first, last = self._add_one(step, common, binding, prev)
            self._edges.append((last, step.id))
            if behind is not None:
                self._edges.insert(at, (behind, first))
            if step.loop is not None and step.loop.chain:
                prev = last

    def _add_one(
        self, step: Step, common: Sequence[str], binding: Binding | None = None, prev: str | None = None
    ) -> tuple[str, str]:
        """Add the node of a step or of one of its items; returns the first and the last of the nodes in its place.

        ``common`` is what every node of the step waits for.
        """
        if step.child is not None and self._nested:
            return self._add_inside(Scope(step, binding, prev))
        name = step.id if binding is None else f"{step.id}[{binding.key}]"
        self.nodes[name] = Node(name, step, "call", binding, prev)
        item = self._read_by(binding.item) if binding is not None and binding.unresolved else ()
        self._wait(name, [*common, *item], binding, prev)
        return name, name

    def _wait(self, node: str, earlier: Sequence[str], binding: Binding | None, prev: str | None) -> None:
        item = [] if binding is None or binding.of is None else [binding.of]
        chain = [] if prev is None else [prev]
        self._edges += [(each, node) for each in dict.fromkeys([*earlier, *item, *chain])]

    def _add_inside(self, scope: Scope) -> tuple[str, str]:
        """Add the nodes of a pipeline that is used as a step, between a gate and the node for the whole."""
        step, gate, whole = scope.step, scope.prefix, scope.name
        self.scopes[scope.prefix] = scope
        self.nodes[gate] = Node(gate, step, "gate", scope.binding, scope.prev)
        looks_at_item = any(ref.path[0] in _OF_ITEM for _, ref in refs_in(step.condition))
        item = self._read_by(scope.binding.item) if scope.binding is not None and looks_at_item else ()
        self._wait(gate, [*self._read_by(step.condition), *step.needs, *item], scope.binding, scope.prev)
        inner = list(scope.steps())
        self.steps.update({each.id: each for each in inner})
        if len(self.nodes) > MAX_NODES:
            message = f"the steps inside of pipelines make more than {MAX_NODES:,} nodes"
            raise RecipeError([*self._problems, step.key_problem("too-many-nodes", message)])
        for each in inner:
            self.add(each)
        self.nodes[whole] = Node(whole, step, "whole", scope.binding, scope.prev)
        self._edges += [(gate, whole), *((each.id, whole) for each in inner)]
        return gate, whole

    def _add_unknown(self, step: Step) -> None:
        loop = Node(f"{step.id}[*]", step, "loop")
        self.nodes[loop.id] = loop
        self._edges.append((loop.id, step.id))
        linked = linked_to(step)
        for value in step.loop_values():
            self._edges += [
                (f"{each}[*]" if each == linked and self._is_unknown(each) else each, loop.id)
                for each in self._read_by(value)
            ]
        # What its nodes will read the whole waits for too: so a circle is seen, and a way from there to here
        self._edges += [(earlier, step.id) for earlier in dict.fromkeys(self._shared(step))]

    def _shared(self, step: Step) -> Iterator[str]:
        """Yield what every node of a step waits for."""
        for value in step.values():
            yield from self._read_by(value)
        yield from step.needs

    def _read_by(self, value: Unresolved) -> Iterator[str]:
        """Yield the steps that a value reads; of a loop only one item where that is read by a key that is known."""
        for template in templates_in(value):
            for ref in template.refs:
                match ref.path:
                    case ("steps", str(step), *_):
                        yield self._item_of(step, ref) or step

    def _item_of(self, step: str, ref: Ref) -> str | None:
        """Return the one node of a loop that a reference to it reads, if it is known that it does."""
        found = self.steps.get(step)
        if found is None or found.loop is None or not (ids := read_item(ref)):
            return None
        known = self._there
        if step not in known:
            if step not in self._items:
                self._items[step] = frozenset(f"{step}[{each.key}]" for each in self._of(found) or ())
            known = self._items[step]
        return next((each for each in ids if each in known), None)

    def _is_unknown(self, step: str) -> bool:
        found = self.steps.get(step)
        return found is not None and found.loop is not None and self._of(found) is None

    def _of(self, step: Step) -> list[Binding] | None:
        """Return the bindings of a loop, or None while they are not known."""
        for each in reversed(self._links(step)):
            self._bindings[each.id] = None  # a loop over itself is not known, and a circle besides
            try:
                self._bindings[each.id] = self._spread(each)
            except LoopError as error:
                self._problems.append(loop_problem(each, error))
            except (NotKnownError, RecipeError):
                pass  # what is wrong with a value is told where values are checked
        return self._bindings[step.id]

    def _links(self, step: Step) -> list[Step]:
        """Return the loops that a loop is tied to and that were not looked at yet, itself first."""
        found: dict[str, Step] = {}
        link: Step | None = step
        while link is not None and link.loop is not None and link.id not in self._bindings and link.id not in found:
            found[link.id] = link
            link = self.steps.get(linked_to(link) or "")
        return list(found.values())

    def _spread(self, step: Step) -> list[Binding] | None:
        linked = linked_to(step)
        earlier = self.steps.get(linked) if linked is not None else None
        if earlier is not None and earlier.loop is not None:
            theirs = self._of(earlier)
            if theirs is None or grows(step, linked=True):
                return None
            return spread(step, self._names_of(step.scope), over=follow(earlier.id, theirs))
        return None if grows(step) else spread(step, self._names_of(step.scope))


def _circle(pipeline: Pipeline, nodes: Sequence[str]) -> Problem:
    circle = list(dict.fromkeys(each.partition("[")[0] for each in nodes))
    first = min(circle, key=list(pipeline.steps).index)
    at = circle.index(first)
    ring = [*circle[at:], *circle[:at]]
    shown = " → ".join(f"`{each}`" for each in [*ring, first]) if len(ring) <= 8 else f"{len(ring)} steps"
    message = f"step `{first}` waits for itself: {shown}" if len(ring) > 1 else f"step `{first}` reads itself"
    return pipeline.steps[first].key_problem("cycle", message, hint="remove one of the references")
