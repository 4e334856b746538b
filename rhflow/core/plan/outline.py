"""What the names in templates stand for, as shapes: known of every step, loop and recipe before anything has run.

One outline serves all templates of a recipe. Of a loop it knows all items at once, so a step is looked at once, however
many nodes it has.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias, cast

from rhflow.core.graph.edges import is_written, linked_to, step_refs
from rhflow.core.graph.graph import Graph
from rhflow.core.graph.nesting import outputs_of
from rhflow.core.kinds import KindSpec
from rhflow.core.plan.likeness import form_of, open_ended, shape_of, union, why_not_in_text
from rhflow.core.plan.shapes import (
    ANY,
    FLAG,
    NUMBER,
    TEXT,
    Absent,
    Data,
    FileShape,
    Items,
    LoopShape,
    Made,
    Shape,
    part_of,
)
from rhflow.core.recipe.document import Param, Pipeline, Step
from rhflow.core.recipe.loops import Binding
from rhflow.core.recipe.statics import NotKnownError
from rhflow.core.recipe.template import Path, Ref, Template, has_templates, syntax_of
from rhflow.core.values import Family

Gives: TypeAlias = "tuple[Family | None, Collection[str]]"
"""The medium that a step gives, None where any may come, and others that may come with it."""
Report = Callable[[Absent, "str | None"], None]
_OF_TYPE: Mapping[str, Shape] = {"string": TEXT, "integer": NUMBER, "number": NUMBER, "boolean": FLAG}


class Outline:
    """The shapes of all that a recipe's templates may read; ``gives`` tells what its steps give.

    ``graph`` tells the items of loops as far as they are known, ``known`` holds ``params`` and ``vars``; without them
    (in a recipe that is a step) they are what their types tell.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        kinds: Mapping[str, KindSpec],
        gives: Callable[[Step], Gives] | None = None,
        *,
        graph: Graph | None = None,
        known: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        self._pipeline, self._kinds, self._graph, self._known = pipeline, kinds, graph, known or {}
        self._gives = gives or self.by_kind
        self._sure: dict[str, bool] = {}
        self._written: dict[str, bool] = {}
        self._items: dict[str, Shape] = {}
        steps = Data(_Lazy(pipeline.steps, self._step))
        params = Data(_Lazy(pipeline.params, lambda name: self._param(pipeline.params[name])))
        variables = Data(_Lazy(pipeline.vars, self._var))
        self.base: Mapping[str, Shape] = {"steps": steps, "params": params, "vars": variables}
        self._inner: dict[int, Outline] = {}

    def names_for(self, step: Step) -> Mapping[str, Shape]:
        """Return the shapes of what the nodes of a step may read."""
        loop = step.loop
        if loop is None:
            return self.base
        own: dict[str, Shape] = {"key": TEXT, "index": NUMBER}
        if loop.foreach is not None:
            own["item"] = self._item(step)  # kept: loops may follow one another a thousand times
        if loop.matrix is not None:
            own["matrix"] = self._matrix(step)
        if loop.chain:
            own["prev"] = self._made(step, looped=False)
        return {**self.base, **own}

    def look(self, template: Template, names: Mapping[str, Shape], report: Report, *, sure: bool = True) -> Shape:
        """Return the shape of what a template becomes; ``report`` is told what it reads in vain, and as written.

        ``sure``: it is worked out in any case.
        """
        if template.parts is None:
            return self._look_inside(template, names, report, sure=sure)
        found: Shape = TEXT
        for path in template.parts:
            if isinstance(path, tuple):
                found = _follow(path, names, report, sure=sure)
                if not template.exact and isinstance(found, FileShape | Items | Made | LoopShape):
                    why = why_not_in_text(found, str(Ref(path)))
                    if why is not None and (sure or why.never):
                        report(why, str(Ref(path)))
        return found if template.exact else TEXT

    def _look_inside(self, template: Template, names: Mapping[str, Shape], report: Report, *, sure: bool) -> Shape:
        from rhflow.core.plan.infer import Inference  # imported late, with Jinja: most recipes never need it

        tree = syntax_of(template)
        reading = Inference(names, report, sure=sure)
        if template.exact:
            return reading.shape(tree.body[0].nodes[0])
        reading.run(tree.body)
        return TEXT

    def _quietly(self, value: Any, names: Mapping[str, Shape]) -> Shape:
        """Return the shape of a value with templates in it, whose own mistakes are told elsewhere."""

        def of(part: object) -> Shape | None:
            if not isinstance(part, Template):
                return None
            return ANY if part.broken else self.look(part, names, lambda absent, path: None)

        return shape_of(value, of)

    # --- names -------------------------------------------------------------------------------------------------------

    def _param(self, param: Param) -> Shape:
        if param.is_media:
            return FileShape(None if param.type == "file" else param.type)  # type: ignore[arg-type]
        if "params" in self._known:
            try:
                return open_ended(shape_of(self._known["params"][param.name]))
            except NotKnownError:
                pass
        return _OF_TYPE.get(param.type, ANY)

    def _var(self, name: str) -> Shape:
        if "vars" in self._known:
            try:
                shape = shape_of(self._known["vars"][name])
                return open_ended(shape) if has_templates(self._pipeline.vars[name]) else shape
            except NotKnownError as unknown:
                return FileShape(unknown.family) if unknown.family in ("image", "video", "audio") else ANY
        return ANY

    def _step(self, name: str) -> Shape:
        step = self._pipeline.steps[name]
        if step.loop is None:
            return self._made(step, looped=False)
        bindings, made = self._bindings(step), self._made(step, looped=True)
        count = self._count(step, bindings)
        done = count if count and self._is_sure(step) and made.family is not None else 0
        keys = None if bindings is None else {each.key: partial(self._one_item, step, each) for each in bindings}
        return LoopShape(made, count or 0, count, done, keys)

    # --- steps -------------------------------------------------------------------------------------------------------

    def _made(self, step: Step, *, looped: bool, item: Callable[[], Shape] | None = None) -> Made:
        facts: dict[str, Callable[[], Shape]] | None = None
        if looped and step.loop is not None:
            facts = {"key": lambda: TEXT, "index": lambda: NUMBER, "item": item or (lambda: self._item(step))}
            facts |= {"matrix": lambda: self._matrix(step)} if step.loop.matrix is not None else {}
            facts |= {"variation": lambda: NUMBER} if step.loop.variations is not None else {}
        if step.child is not None:
            return Made(step.id, facts=facts, outputs=self._outputs(step.child))
        family, also = self._gives(step)
        kind = self._kinds.get(step.kind)
        single = kind is not None and kind.pool == "local" and kind.subject is None
        return Made(step.id, family, frozenset(also), facts, single=single)

    def _one_item(self, step: Step, binding: Binding) -> Made:
        item = None if binding.of is not None else partial(self._quietly, binding.item, self.base)
        return self._made(step, looped=True, item=item)

    def _outputs(self, child: Pipeline) -> Mapping[str, Callable[[], Shape]]:
        """Return the outputs of a recipe that is a step."""
        if id(child) not in self._inner:
            self._inner[id(child)] = Outline(child, self._kinds)
        inner = self._inner[id(child)]
        return {name: partial(inner._quietly, each.value, inner.base) for name, each in outputs_of(child).items()}

    def by_kind(self, step: Step) -> Gives:
        """Return what a step gives by its kind alone; a model that it names may give something else."""
        kind = self._kinds.get(step.kind)
        if kind is None or kind.output == "file" or (kind.tasks and step.model is not None):
            return None, ()
        return kind.output, ("image",) if kind.output == "video" else ()

    def _is_sure(self, step: Step) -> bool:
        """Whether every node of a step gives something wherever what reads it is begun."""
        seen, left = {step.id}, [step.id]
        while left and step.id not in self._sure:
            name = left.pop()
            each = self._pipeline.steps.get(name)
            alone = each is not None and each.child is None and each.condition is None and each.on_error == "fail"
            if each is None or not self._sure.get(name, alone):
                self._sure[step.id] = False
            elif name not in self._sure:
                before = set(step_refs(each)) - seen
                seen |= before
                left += before
        if step.id not in self._sure:
            self._sure |= dict.fromkeys(seen, True)
        return self._sure[step.id]

    # --- loops -------------------------------------------------------------------------------------------------------

    def _bindings(self, step: Step) -> Sequence[Binding] | None:
        """Return the bindings of a loop, None while they are not known."""
        graph = self._graph
        if graph is None or f"{step.id}[*]" in graph.nodes:
            return None
        return [each for node in graph.items.get(step.id, []) if (each := graph.nodes[node].binding) is not None]

    def _earlier(self, step: Step) -> Step | None:
        """Return the loop whose items a loop runs over one by one."""
        earlier = self._pipeline.steps.get(linked_to(step) or "")
        return earlier if earlier is not None and earlier.loop is not None and earlier is not step else None

    def _count(self, step: Step, bindings: Sequence[Binding] | None) -> int | None:
        """Return how many items there are, where the recipe itself says so and nothing given to it changes that."""
        return len(bindings) if bindings is not None and self._is_written(step) else None

    def _is_written(self, step: Step) -> bool:
        """Whether what a loop runs over is written out, be it in the loop that it is tied to."""
        links: list[Step] = []
        link: Step | None = step
        while link is not None and link.id not in self._written:
            self._written[link.id] = False  # so it stays where they follow one another in a circle
            links.append(link)
            link = self._earlier(link)
        known = True if link is None else self._written[link.id]
        for each in reversed(links):
            known = self._written[each.id] = known and self._is_written_itself(each)
        return known

    def _is_written_itself(self, step: Step) -> bool:
        loop = step.loop
        if loop is None or (self._earlier(step) is None and isinstance(loop.foreach, Template | dict)):
            return False
        return not any(isinstance(each, Template) for each in (*(loop.matrix or {}).values(), loop.variations))

    def _item(self, step: Step) -> Shape:
        if step.id not in self._items:
            self._items[step.id] = ANY  # a loop over itself is a mistake of its own
            self._items[step.id] = self._item_of(step)
        return self._items[step.id]

    def _item_of(self, step: Step) -> Shape:
        assert step.loop is not None
        over = step.loop.foreach
        if (earlier := self._earlier(step)) is not None:
            return self._made(earlier, looped=True)
        if (bindings := self._bindings(step)) is not None:
            return self._union_of((each.key, each.item) for each in bindings)
        if isinstance(over, list) and is_written(over):
            return self._union_of(enumerate(over))
        found = self._quietly(over, self.base) if isinstance(over, Template) else ANY
        return found.item if isinstance(found, Items) else ANY

    def _matrix(self, step: Step) -> Shape:
        if (bindings := self._bindings(step)) is None:
            return ANY
        return self._union_of((each.key, each.matrix) for each in bindings)

    def _union_of(self, values: Iterable[tuple[object, Any]]) -> Shape:
        """Return the shape of many values with their keys; those of one form, as most are, are looked at once."""
        distinct: dict[object, tuple[object, Any]] = {}
        for key, value in values:
            distinct.setdefault(form_of(value), (key, value))
        return union((key, self._quietly(value, self.base)) for key, value in distinct.values())


class _Lazy(Mapping[str, Shape]):
    """Shapes by name, each made when it is first read."""

    def __init__(self, names: Collection[str], make: Callable[[str], Shape]) -> None:
        self._names, self._make = names, make
        self._found: dict[str, Shape] = {}

    def __getitem__(self, name: str) -> Shape:
        if name not in self._found:
            self._found[name] = self._make(name)
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._names


def _follow(path: Path, names: Mapping[str, Shape], report: Report, *, sure: bool) -> Shape:
    """Return the shape at the end of a path, and report the first part of it that there is not."""
    shape = names.get(str(path[0]), ANY)
    for at, name in enumerate(path[1:], start=1):
        if shape is ANY:
            return ANY
        found = part_of(shape, name, "")
        if isinstance(found, Absent):
            if sure or found.never:
                report(cast("Absent", part_of(shape, name, f"`{Ref(path[:at])}`")), str(Ref(path[: at + 1])))
            return ANY
        shape = found
    return shape
