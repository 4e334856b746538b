"""What can be known to be wrong without running: every problem of a recipe at once, each with its place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from rhflow.core.errors import Problem, RecipeError, by_place, did_you_mean, nearest
from rhflow.core.graph.edges import linked_to, reads, step_refs
from rhflow.core.graph.expand import expand
from rhflow.core.graph.graph import Graph, Node
from rhflow.core.graph.nesting import given_problems
from rhflow.core.kinds import KindSpec
from rhflow.core.plan.calls import Calls, Draft, NoModelError, trouble_problem, withdrawn_problem
from rhflow.core.plan.likeness import value_of, whole, whole_in
from rhflow.core.plan.outline import Outline
from rhflow.core.plan.promises import Promise, pending_of
from rhflow.core.plan.references import LOOP_NAMES, MOST_OF_ONE_VALUE, item_problems, name_problems, values_of
from rhflow.core.plan.shapes import Absent, LoopShape, Made, Shape
from rhflow.core.recipe.document import Param, Pipeline, Step, is_recipe
from rhflow.core.recipe.loops import Binding
from rhflow.core.recipe.params import parse_param, typed_param
from rhflow.core.recipe.patterns import check_pattern
from rhflow.core.recipe.statics import Later, NotKnownError, StaticParams, StaticVars
from rhflow.core.recipe.template import Ref, Template, Unresolved, refs_in, resolve, templates_in
from rhflow.core.text.located import Pointer
from rhflow.core.values import Family, Pending

MOST_ITEMS = 50
OF_NODES = tuple(LOOP_NAMES)


def check(pipeline: Pipeline, calls: Calls) -> list[Problem]:
    """Return every problem of a recipe; warnings among them do not stop it."""
    named = list(name_problems(pipeline))
    problems = [*(problem for problem, _ in named), *_kinds(pipeline, calls.kinds), *_params(pipeline)]
    try:
        names = {"params": StaticParams(pipeline), "vars": StaticVars(pipeline, ())}
        graph = expand(pipeline, names, nested=False)  # what is inside of steps was checked on its own
    except RecipeError as error:
        return [*problems, *error.problems]
    problems += _Inputs(pipeline, calls, graph, {pointer for _, pointer in named}).problems()
    return [*problems, *item_problems(pipeline, graph), *_unused(pipeline)]


def in_order(problems: Collection[Problem]) -> list[Problem]:
    """Return problems sorted by place, without repeats.

    What seems unused is left out while there are errors: it may well be what they hide the use of.
    """
    wrong = any(each.severity == "error" for each in problems)
    kept = [each for each in problems if not (wrong and each.code in _UNUSED)]
    unique = {(each.code, each.message, by_place(each)): each for each in kept}
    return sorted(unique.values(), key=by_place)


_UNUSED = ("unused-param", "unused-step")
_KINDS = "`rhflow models list` shows the kinds that models serve; `uses: ./other.yaml` uses a recipe"


def _kinds(pipeline: Pipeline, kinds: Mapping[str, KindSpec]) -> Iterator[Problem]:
    places = [(step.kind, pipeline.located.span((*step.pointer, "uses"))) for step in pipeline.steps.values()]
    defaults: Mapping[str, Any] = pipeline.located.data.get("defaults", {})
    places += [(kind, pipeline.located.key_span(("defaults", kind))) for kind in defaults]
    for kind, span in places:
        if kind not in kinds and not is_recipe(kind):
            hint = did_you_mean(kind, kinds, limit=0) or _KINDS
            yield Problem("unknown-kind", f"`{kind}` is not a kind of step", span, hint)


def _params(pipeline: Pipeline) -> Iterator[Problem]:
    for param in pipeline.params.values():
        wrong = list(_rule_problems(pipeline, param))
        yield from wrong
        if not param.required and param.default is not None and not wrong:
            try:
                parse_param(param, param.default)
            except ValueError as error:
                message = f"the default of `{param.name}` {error}"
                near = nearest(str(param.default), map(str, param.enum)) if not param.secret else None
                span = pipeline.located.span((*param.pointer, "default"))
                if param.secret:  # the message points at the name, not at the value
                    span = pipeline.located.key_span(param.pointer)
                yield Problem("bad-default", message, span, f"did you mean `{near}`?" if near else None)


def _rule_problems(pipeline: Pipeline, param: Param) -> Iterator[Problem]:
    """Yield what is wrong with the rules that the values of a parameter are held to."""
    if param.pattern is not None:
        try:
            check_pattern(param.pattern)
        except ValueError as error:
            pointer: Pointer = (*param.pointer, "pattern")
            yield pipeline.problem("bad-pattern", f"`pattern` is not a regular expression: {error}", pointer)
    for at, each in enumerate(param.enum):
        try:
            typed_param(param, each)
        except ValueError as error:
            pointer = (*param.pointer, "enum", at)
            yield pipeline.problem("bad-enum", f"a choice of `{param.name}` {error}", pointer)


class _Inputs:
    """Binds every step's inputs with everything from other steps (and every required parameter) still unknown.

    So is what stands at the ``broken`` pointers: something is known to be wrong with it already.
    """

    def __init__(self, pipeline: Pipeline, calls: Calls, graph: Graph, broken: Collection[Pointer]) -> None:
        self.pipeline, self.calls, self.graph = pipeline, calls, graph
        self._broken = set(broken)
        self._looked: set[str] = set()
        self._shapes: dict[tuple[str, Pointer], Shape] = {}
        self._found: list[Problem] = []
        self._promises: dict[str, Promise] = {}
        self._drafts: dict[str, Draft] = {}
        self._vars = StaticVars(pipeline, broken)
        self._base = {"params": StaticParams(pipeline), "vars": self._vars, "env": Later(), "run": Later()}
        self._names: dict[str, Any] = dict(self._base)
        self._node: Node | None = None
        known = {"params": self._base["params"], "vars": self._vars}
        self._outline = Outline(pipeline, calls.kinds, self._gives, graph=graph, known=known)

    def problems(self) -> list[Problem]:
        """Return what is wrong with the values of variables, steps and outputs."""
        self._found += self._vars.problems
        for node in self._to_check():
            self._node = node
            self._names = {**self._base, **_told(node.binding)}
            if node.step.kind in self.calls.kinds or node.step.child is not None:
                self._step(node.step)
        self._node, self._names = None, dict(self._base)
        for output in (self.pipeline.outputs or {}).values():
            self._look((output.value, output.save_as), "", self._outline.base)
            self._value(output.value)
            self._value(output.save_as)
        return self._found

    def _to_check(self) -> Iterator[Node]:
        """Yield the nodes to look at: of a long loop the first few, for the others differ in their items only."""
        seen: Counter[str] = Counter()
        for name in self.graph.calls():
            node = self.graph.nodes[name]
            seen[node.step.id] += 1
            if seen[node.step.id] <= MOST_ITEMS:
                yield node

    def _step(self, step: Step) -> None:
        if step.id not in self._looked:
            self._looked.add(step.id)
            self._look_at(step)
        if self._node is not None and self._node.binding is None:
            for value in step.loop_values():
                self._value(value)
        if self._is_left_out(step):
            return
        given = {name: self._value(value) for name, value in step.inputs.items()}
        self._value(step.save_as)
        if step.child is not None:
            self._found += given_problems(step, given)
            return
        model = self._value(step.model)
        if isinstance(model, Pending):  # which one is told by a parameter: then so is what it takes
            self._promises[step.id] = Promise(self.calls.kinds[step.kind].output)
            return
        try:
            draft = self.calls.draft(step, model, given, _any_file)
        except NoModelError as error:
            self._found.append(trouble_problem(step, error.trouble))
            return
        self._drafts[step.id] = draft
        self._promises[step.id] = draft.promise()
        self._found += [trouble_problem(step, trouble) for trouble in draft.bound.troubles]
        if draft.model is not None and draft.model.status == "withdrawn":
            # What was made with it may be there still: whether it has to be called shows in the plan
            self._found.append(replace(withdrawn_problem(step, draft.model), severity="warning"))

    def _is_left_out(self, step: Step) -> bool:
        """Whether a node is skipped by an ``if`` that looks at its item alone, so that no run can change that."""
        condition = self._value(step.condition)
        of_item = all(ref.path[0] in OF_NODES for _, ref in refs_in(step.condition))
        return of_item and step.condition is not None and not isinstance(condition, Pending) and not condition

    # --- parts of what is not there yet, once per step ---

    def _look_at(self, step: Step) -> None:
        """Hold what a step reads against what there will be to read."""
        names, whole = self._outline.names_for(step), ("steps",)
        self._look(step.loop_values(), step.id, self._outline.base)
        self._look([step.condition], step.id, names, outputs=whole)
        always = step.condition is None
        outputs, lists = (*whole, *OF_NODES), step.child is not None  # a recipe may run over a list of items
        self._look([*step.inputs.values(), step.save_as], step.id, names, sure=always, outputs=outputs, lists=lists)

    def _look(
        self,
        values: Iterable[Unresolved],
        step: str,
        names: Mapping[str, Shape],
        *,
        sure: bool = True,
        outputs: Collection[str] = (),
        lists: bool = True,
    ) -> None:
        """Note the shapes of templates, and what is wrong with their parts.

        ``outputs`` are the roots of which a whole step, or a whole item, is of no use: only one of its outputs is.
        Nor is a list of them but with ``lists``.
        """
        for template in (each for value in values for each in templates_in(value)):
            if template.broken or template.pointer in self._broken:
                continue
            told: list[Absent] = []

            def report(why: Absent, path: str | None, of: Template = template, told: list[Absent] = told) -> None:
                if len(told) < MOST_OF_ONE_VALUE:
                    told.append(why)
                    problem = of.problem(why.code, why.message, hint=why.hint, snippet=path)
                    self._found.append(replace(problem, severity=why.severity))

            shape = self._outline.look(template, names, report, sure=sure)
            path = str(template.refs[0]) if template.parts is not None and template.refs else None
            if isinstance(shape, Made | LoopShape) and template.refs and template.refs[0].path[0] in outputs:
                report(whole(shape, path, in_text=False), path)
            elif not lists and (listed := whole_in(shape, path, in_text=False)) is not None:
                report(listed, path)
            if any(each.severity == "error" for each in told):
                self._broken.add(template.pointer)
            self._shapes[step, template.pointer] = shape

    def _value(self, value: Unresolved) -> Any:
        """Return a value as far as the recipe alone tells, noting what is wrong with it."""
        if isinstance(value, Template):
            return self._template(value)
        if isinstance(value, list):
            return [self._value(each) for each in value]
        return {key: self._value(each) for key, each in value.items()} if isinstance(value, dict) else value

    def _template(self, template: Template) -> Any:
        if template.broken or template.pointer in self._broken:
            return Pending()
        refs = [self._of_step(ref) for ref in template.refs]
        if any(ref.path[0] == "steps" for ref in refs):
            exact = template.exact and len(refs) == 1 and template.parts is not None
            return self._later(template, pending_of(refs[0], self._promises) if exact else Pending())
        if any(ref.path[0] not in self._names for ref in refs):
            return self._later(template, Pending())  # a name of the loop, known once its items are
        try:
            return resolve(template, self._names)
        except NotKnownError as unknown:
            return Pending(unknown.family if template.exact else None)
        except RecipeError as error:
            self._found += error.problems
            return Pending()

    def _of_step(self, ref: Ref) -> Ref:
        """Return a reference to the item of an earlier loop, or to the node before, as one to its step."""
        step = self._node.step if self._node is not None else None
        head, *rest = ref.path
        if step is not None and head == "item" and (linked := linked_to(step)) is not None:
            return Ref(("steps", linked, *rest))
        return Ref(("steps", step.id, *rest)) if step is not None and head == "prev" else ref

    def _later(self, template: Template, known: Pending) -> Any:
        """Return what is known of a value that a step will give."""
        step = self._node.step.id if self._node is not None else ""
        shape = self._shapes.get((step, template.pointer))
        return known if shape is None or not template.exact else value_of(shape, known)

    def _gives(self, step: Step) -> tuple[Family | None, Collection[str]]:
        """Return the medium that a step gives, None where any may come, and others that may come with it."""
        kind = self.calls.kinds.get(step.kind)
        if kind is None or (step.loop is not None and (kind.output == "file" or templates_in(step.model))):
            return None, ()
        if (draft := self._drafts.get(step.id)) is None:  # not looked at yet, or a parameter tells its model
            return self._outline.by_kind(step)
        family = self._promises[step.id].family
        fields = draft.model.fields if draft.model is not None else ()
        more = any(each.alias == "return_last_frame" for each in fields)  # a last frame next to the clip
        return None if family == "file" else family, ("image",) if more else ()


def _told(binding: Binding | None) -> dict[str, Any]:
    """Return the names of a loop that the recipe itself tells for one of its nodes."""
    if binding is None:
        return {}
    told = {"key": binding.key, "index": binding.index, "matrix": binding.matrix, "variation": binding.variation}
    if binding.of is None and not binding.unresolved:
        told["item"] = binding.item
    return {name: value for name, value in told.items() if value is not None}


def _any_file(path: str) -> Any:
    """Accept a local path unseen: whether it can be read is found when a plan is made."""
    return Pending()


def _unused(pipeline: Pipeline) -> Iterator[Problem]:
    used: set[str] = set()
    for value, _, _ in values_of(pipeline):
        used.update(reads(value, "params"))
    for name, param in pipeline.params.items():
        if name not in used:
            span = pipeline.located.key_span(param.pointer)
            hint = f"write `${{{{ params.{name} }}}}` where it belongs, or remove it"
            yield Problem("unused-param", f"nothing uses the parameter `{name}`", span, hint, severity="warning")
    if pipeline.outputs is None:
        return
    read = {name for step in pipeline.steps.values() for name in step_refs(step)}
    for output in pipeline.outputs.values():
        read.update(reads(output.value, "steps"))
    for name, step in pipeline.steps.items():
        if name not in read:
            span = pipeline.located.key_span(step.pointer)
            message = f"nothing uses what step `{name}` makes, and it is not among the outputs"
            hint = "list it under `outputs`, or remove it"
            yield Problem("unused-step", message, span, hint, severity="warning")
