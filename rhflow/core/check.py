"""What can be known to be wrong without running: every problem of a recipe at once, each with its place."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from rhflow.core.calls import Calls, Draft, NoModelError, trouble_problem
from rhflow.core.document import Pipeline, Step
from rhflow.core.errors import Problem, RecipeError, did_you_mean
from rhflow.core.graph import Graph, expand, reads, step_refs
from rhflow.core.kinds import KindSpec
from rhflow.core.params import parse_param
from rhflow.core.references import name_problems, values_of
from rhflow.core.template import Ref, Template, Unresolved, resolve
from rhflow.core.values import Family, Pending
from rhflow.core.views import FACT_NAMES, Promise, pending_of


def check(pipeline: Pipeline, calls: Calls) -> list[Problem]:
    """Return every problem of a recipe; warnings among them do not stop it."""
    problems = [*name_problems(pipeline), *_kinds(pipeline, calls.kinds), *_params(pipeline)]
    if any(problem.severity == "error" for problem in problems):
        return problems
    try:
        graph = expand(pipeline)
    except RecipeError as error:
        return [*problems, *error.problems]
    problems += _Inputs(pipeline, calls, graph).problems()
    if not any(problem.severity == "error" for problem in problems):
        problems += _unused(pipeline)
    return problems


def in_order(problems: Collection[Problem]) -> list[Problem]:
    """Return problems sorted by place, without repeats."""
    unique = {(each.code, each.message, each.span.line if each.span else 0): each for each in problems}
    return sorted(unique.values(), key=lambda each: (each.span.line, each.span.column) if each.span else (0, 0))


def _kinds(pipeline: Pipeline, kinds: Mapping[str, KindSpec]) -> Iterator[Problem]:
    for step in pipeline.steps.values():
        if step.kind not in kinds:
            hint = did_you_mean(step.kind, kinds, limit=0) or "see `rhflow init` for a recipe to begin with"
            yield pipeline.problem(
                "unknown-kind", f"`{step.kind}` is not a kind of step", (*step.pointer, "uses"), hint=hint
            )


def _params(pipeline: Pipeline) -> Iterator[Problem]:
    for param in pipeline.params.values():
        pattern_ok = True
        if param.pattern is not None:
            try:
                re.compile(param.pattern)
            except re.error as error:
                pattern_ok = False
                pointer = (*param.pointer, "pattern")
                yield pipeline.problem("bad-pattern", f"`pattern` is not a regular expression: {error}", pointer)
        if not param.required and param.default is not None and pattern_ok:
            try:
                parse_param(param, param.default)
            except ValueError as error:
                in_map = (*param.pointer, "default")
                pointer = in_map if in_map in pipeline.located.places else param.pointer
                yield pipeline.problem("bad-default", f"the default of `{param.name}` {error}", pointer)


class _Inputs:
    """Binds every step's inputs with everything from other steps (and every required parameter) still unknown."""

    def __init__(self, pipeline: Pipeline, calls: Calls, graph: Graph) -> None:
        self.pipeline, self.calls, self.graph = pipeline, calls, graph
        self._found: list[Problem] = []
        self._promises: dict[str, Promise] = {}
        self._drafts: dict[str, Draft] = {}
        self._names = {"params": _Static(pipeline), "vars": _StaticVars(pipeline)}

    def problems(self) -> list[Problem]:
        """Return what is wrong with the inputs of all steps."""
        for node in self.graph.order:
            self._step(self.graph.nodes[node].step)
        return self._found

    def _step(self, step: Step) -> None:
        given = {name: self._value(value) for name, value in step.inputs.items()}
        model = self._value(step.model)
        try:
            draft = self.calls.draft(step, model if not isinstance(model, Pending) else None, given, _any_file)
        except NoModelError as error:
            self._found.append(trouble_problem(self.pipeline, step, error.trouble))
            return
        self._drafts[step.id] = draft
        self._promises[step.id] = draft.promise()
        self._found += [trouble_problem(self.pipeline, step, trouble) for trouble in draft.bound.troubles]
        if draft.model is not None and draft.model.status == "withdrawn":
            self._found.append(self._withdrawn(step, draft))

    def _withdrawn(self, step: Step, draft: Draft) -> Problem:
        assert draft.model is not None
        successor = draft.model.successor
        hint = f"use `model: {successor}`" if successor else None
        message = f"step `{step.id}`: model `{draft.model.id}` was withdrawn by the service"
        span = self.pipeline.located.span((*step.pointer, "model"))
        return Problem("withdrawn-model", message, span, hint, severity="warning")

    def _value(self, value: Unresolved) -> Any:
        """Return a value as far as the recipe alone tells, noting what is wrong with it."""
        if isinstance(value, Template):
            return self._template(value)
        if isinstance(value, list):
            return [self._value(each) for each in value]
        return {key: self._value(each) for key, each in value.items()} if isinstance(value, dict) else value

    def _template(self, template: Template) -> Any:
        for ref in template.refs:
            if (problem := self._wrong_output(template, ref)) is not None:
                self._found.append(problem)
                return Pending()
        if any(ref.path[0] in ("steps", "env", "run") for ref in template.refs):
            exact = template.exact and len(template.refs) == 1 and template.parts is not None
            return pending_of(template.refs[0], self._promises) if exact else Pending()
        try:
            return resolve(template, self._names)
        except _NotKnownError as unknown:
            return Pending(unknown.family if template.exact else None)
        except RecipeError as error:
            self._found += error.problems
            return Pending()

    def _wrong_output(self, template: Template, ref: Ref) -> Problem | None:
        """Find a reference to a medium that a step does not give."""
        match ref.path:
            case ("steps", str(step), str(name), *_) if step in self._promises:
                gives = self._promises[step].family
                wanted = pending_of(Ref(("steps", step, name)), self._promises).family
                if wanted is None or name in FACT_NAMES or gives in ("file", wanted) or self._gives_more(step, wanted):
                    return None
                plural = name.endswith("s") and name != "texts"
                hint = f"use `.{gives}{'s' if plural and gives != 'model3d' else ''}`"
                message = f"step `{step}` gives {_a(gives)}, not {_a(wanted)}"
                return template.problem("wrong-output", message, hint=hint, snippet=str(ref))
        return None

    def _gives_more(self, step: str, wanted: Family) -> bool:
        """Whether a model may add a last frame to its clip."""
        model = self._drafts[step].model
        return (
            wanted == "image" and model is not None and any(each.alias == "return_last_frame" for each in model.fields)
        )


def _a(family: str) -> str:
    words = {"image": "an image", "video": "a video", "audio": "sound", "model3d": "a 3D model", "text": "text"}
    return words.get(family, "a file")


class _NotKnownError(Exception):
    def __init__(self, family: Family | None) -> None:
        super().__init__()
        self.family = family


class _Static(Mapping[str, Any]):
    """Parameters as far as the recipe alone tells: defaults are values, the others are not known."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline

    def __getitem__(self, name: str) -> Any:
        param = self._pipeline.params[name]
        if param.is_media:
            raise _NotKnownError(param.type)  # type: ignore[arg-type]
        if param.required or param.default is None:
            raise _NotKnownError(None)
        return parse_param(param, param.default)

    def __iter__(self) -> Iterator[str]:
        return iter(self._pipeline.params)

    def __len__(self) -> int:
        return len(self._pipeline.params)


class _StaticVars(Mapping[str, Any]):
    """Variables as far as the recipe alone tells."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline

    def __getitem__(self, name: str) -> Any:
        return resolve(self._pipeline.vars[name], {"params": _Static(self._pipeline), "vars": self})

    def __iter__(self) -> Iterator[str]:
        return iter(self._pipeline.vars)

    def __len__(self) -> int:
        return len(self._pipeline.vars)


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
            yield Problem("unused-param", f"nothing uses the parameter `{name}`", span, severity="warning")
    if pipeline.outputs is None:
        return
    read = {name for step in pipeline.steps.values() for name in step_refs(step)}
    for output in pipeline.outputs.values():
        read.update(reads(output.value, "steps"))
    for name, step in pipeline.steps.items():
        if name not in read:
            span = pipeline.located.key_span(step.pointer)
            message = f"nothing uses what step `{name}` makes, and it is not among the outputs"
            yield Problem("unused-step", message, span, severity="warning")
