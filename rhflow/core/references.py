"""Every name that a recipe reads, held against what there is to read."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from rhflow.core.document import Pipeline
from rhflow.core.errors import Problem, did_you_mean
from rhflow.core.source import Pointer
from rhflow.core.template import ROOTS, Ref, Template, Unresolved, refs_in
from rhflow.core.values import ARTIFACT_MEMBERS
from rhflow.core.views import FACT_NAMES, MANY, OUTPUT_NAMES

RUN_NAMES = ("id", "date")
_FILES = frozenset({"file", "image", "video", "audio", "model3d"})


def values_of(pipeline: Pipeline) -> Iterator[tuple[Unresolved, Collection[str], str | None]]:
    """Yield every value with the roots it may read and, for a step, its id."""
    for value in pipeline.vars.values():
        yield value, ("params", "vars", "env", "run"), None
    for step in pipeline.steps.values():
        for value in (*step.inputs.values(), step.save_as):
            yield value, ROOTS, step.id
        yield step.model, ("params", "vars", "env"), step.id
    for output in (pipeline.outputs or {}).values():
        yield output.value, ROOTS, None
        yield output.save_as, ROOTS, None


def name_problems(pipeline: Pipeline) -> Iterator[tuple[Problem, Pointer]]:
    """Yield every problem with a name, and the pointer of the value that holds it."""
    for value, roots, step in values_of(pipeline):
        for template, ref in refs_in(value):
            problem = _bad_root(template, ref, roots) or _bad_member(pipeline, template, ref, step)
            problem = problem or _bad_part(pipeline, template, ref)
            if problem is not None:
                yield problem, template.pointer
    yield from _vars_in_order(pipeline)
    yield from _needs(pipeline)


def _needs(pipeline: Pipeline) -> Iterator[tuple[Problem, Pointer]]:
    for step in pipeline.steps.values():
        for at, needed in enumerate(step.needs):
            if needed not in pipeline.steps:
                message = f"step `{step.id}` needs `{needed}`, which is not a step"
                pointer = (*step.pointer, "needs", at)
                hint = did_you_mean(needed, pipeline.steps)
                yield pipeline.problem("unknown-step", message, pointer, hint=hint), pointer


def _bad_root(template: Template, ref: Ref, roots: Collection[str]) -> Problem | None:
    hint: str | None
    root = str(ref.path[0])
    if root in roots:
        return None
    if root in ROOTS:
        hint = "what can be read here begins with " + ", ".join(f"`{each}`" for each in roots)
        return template.problem("not-here", f"`{root}` cannot be used here", hint=hint, snippet=str(ref))
    hint = did_you_mean(root, roots, limit=0)
    if hint is None:
        hint = (
            f"write `params.{root}` or `steps.{root}`"
            if len(ref.path) == 1
            else "names begin with " + ", ".join(f"`{each}`" for each in roots)
        )
    return template.problem("unknown-name", f"`{root}` is not a name", hint=hint, snippet=root)


def _bad_member(pipeline: Pipeline, template: Template, ref: Ref, step: str | None) -> Problem | None:
    hint: str | None
    match ref.path:
        case ("params", str(name), *_) if name not in pipeline.params:
            hint = did_you_mean(name, pipeline.params) or f"declare it under `params`: `{name}: …`"
            return template.problem("unknown-param", f"`{name}` is not a parameter", hint=hint, snippet=str(ref))
        case ("vars", str(name), *_) if name not in pipeline.vars:
            hint = did_you_mean(name, pipeline.vars) or f"declare it under `vars`: `{name}: …`"
            return template.problem("unknown-var", f"`{name}` is not a variable", hint=hint, snippet=str(ref))
        case ("steps", str(name), *_) if name not in pipeline.steps:
            who = f"step `{step}` reads" if step is not None else "this reads"
            hint = did_you_mean(name, pipeline.steps)
            return template.problem("unknown-step", f"{who} `{name}`, which is not a step", hint=hint, snippet=str(ref))
        case ("steps", str(name), str(member), *_) if member not in (*OUTPUT_NAMES, *FACT_NAMES):
            hint = did_you_mean(member, (*OUTPUT_NAMES, *FACT_NAMES), limit=20)
            return template.problem(
                "unknown-output", f"step `{name}` has no output `{member}`", hint=hint, snippet=str(ref)
            )
        case ("run", str(name), *_) if name not in RUN_NAMES:
            hint = did_you_mean(name, RUN_NAMES)
            return template.problem("unknown-name", f"`run` has no `{name}`", hint=hint, snippet=str(ref))
        case ("env", str(name), *_):
            hint = f"declare a parameter and pass `-p {name.casefold()}=…`"
            return template.problem("unknown-name", f"`env` has no `{name}`", hint=hint, snippet=str(ref))
    return None


def _bad_part(pipeline: Pipeline, template: Template, ref: Ref) -> Problem | None:
    """Find a part of a file that files do not have, and a part of a list that has parts by number only."""
    match ref.path:
        case ("steps", str(), str(name), str(part), *_) if name in MANY and template.parts is not None:
            message, hint = f"`{Ref(ref.path[:3])}` is a list, it has no `{part}`", "pick one, as in `[0]`"
        case ("steps", str(), str(name), str(part), *_) if name in _FILES and part not in ARTIFACT_MEMBERS:
            message = f"`{Ref(ref.path[:3])}` is a file, it has no `{part}`"
            hint = did_you_mean(part, ARTIFACT_MEMBERS, limit=12) or ""
        case ("params", str(name), str(part), *_) if pipeline.params[name].is_media and part not in ARTIFACT_MEMBERS:
            message = f"`{Ref(ref.path[:2])}` is a file, it has no `{part}`"
            hint = did_you_mean(part, ARTIFACT_MEMBERS, limit=12) or ""
        case _:
            return None
    return template.problem("unknown-part", message, hint=hint, snippet=str(ref))


def _vars_in_order(pipeline: Pipeline) -> Iterator[tuple[Problem, Pointer]]:
    names = list(pipeline.vars)
    for at, (name, value) in enumerate(pipeline.vars.items()):
        for template, ref in refs_in(value):
            if ref.path[0] == "vars" and len(ref.path) > 1 and ref.path[1] in names[at:]:
                message = f"`{name}` uses `{ref.path[1]}`, which is defined no earlier"
                problem = template.problem("var-order", message, hint="move it up", snippet=str(ref))
                yield problem, template.pointer
