"""Every name that a recipe reads, held against what there is to read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping

from rhflow.core.errors import Problem, did_you_mean
from rhflow.core.graph.edges import reads
from rhflow.core.graph.graph import Graph
from rhflow.core.graph.nesting import outputs_of
from rhflow.core.plan.shapes import OF_RECIPES
from rhflow.core.plan.views import FACT_NAMES, MANY, OUTPUT_NAMES
from rhflow.core.recipe.document import Pipeline, Step
from rhflow.core.recipe.keys import written_key
from rhflow.core.recipe.loops import OF_LOOPS
from rhflow.core.recipe.template import ROOTS, Ref, Template, Unresolved, refs_in, templates_in
from rhflow.core.text.located import Pointer

RUN_NAMES = ("id", "date")
MOST_OF_ONE_VALUE = 20  # problems: each is looked for in the whole of its text
# Names that the nodes of a loop may read, and the key of the step that makes them
LOOP_NAMES: Mapping[str, str] = {
    "item": "foreach", "key": "foreach", "index": "foreach", "matrix": "matrix",
    "variation": "variations", "prev": "chain",
}  # fmt: skip


def values_of(pipeline: Pipeline) -> Iterator[tuple[Unresolved, Collection[str], str | None]]:
    """Yield every value with the roots it may read and, for a step, its id."""
    for value in pipeline.vars.values():
        yield value, ("params", "vars", "env", "run"), None
    for step in pipeline.steps.values():
        roots = (*ROOTS, *loop_names(step))
        yield step.model, tuple(each for each in roots if each not in ("steps", "prev", "run")), step.id
        for value in (*step.inputs.values(), step.save_as, step.condition):
            yield value, roots, step.id
        for value in step.loop_values():
            yield value, ROOTS, step.id
    for output in (pipeline.outputs or {}).values():
        yield output.value, ROOTS, None
        yield output.save_as, ROOTS, None


def loop_names(step: Step) -> tuple[str, ...]:
    """Return the names that the nodes of a step may read besides the usual ones."""
    loop = step.loop
    if loop is None:
        return ()
    given = {
        "item": loop.foreach is not None,
        "matrix": loop.matrix is not None,
        "variation": loop.variations is not None,
        "prev": loop.chain,
    }
    return ("key", "index", *(name for name, is_given in given.items() if is_given))


def name_problems(pipeline: Pipeline) -> Iterator[tuple[Problem, Pointer]]:
    """Yield every problem with a name, and the pointer of the value that holds it."""
    told: Counter[Pointer] = Counter()
    for value, roots, step in values_of(pipeline):
        for template, ref in refs_in(value):
            if told[template.pointer] >= MOST_OF_ONE_VALUE:
                continue
            problem = _bad_root(template, ref, roots) or _bad_member(pipeline, template, ref, step)
            if problem is not None:
                told[template.pointer] += 1
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
    if root in LOOP_NAMES:
        message = f"`{root}` is known only in a step with `{LOOP_NAMES[root]}`"
        return template.problem("not-here", message, hint=f"add `{LOOP_NAMES[root]}:` to the step", snippet=str(ref))
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
        case ("steps", str(name), str(member), *_) if pipeline.steps[name].loop is not None:
            if member in OF_LOOPS or member not in (*OUTPUT_NAMES, *FACT_NAMES):
                return None  # it may be the key of an item
            many = f"{member}s" if f"{member}s" in MANY else "files"
            all_of_them = f"`.{many}` for all, or " if member in OUTPUT_NAMES else ""
            message, hint = f"step `{name}` is a loop", f"use {all_of_them}`steps.{name}.items`"
            return template.problem("loop-output", message, hint=hint, snippet=str(ref))
        case ("steps", str(name), str(member), *_) if (child := pipeline.steps[name].child) is not None:
            gives = [*outputs_of(child), *OF_RECIPES]
            if member in gives:
                return None
            hint = did_you_mean(member, gives, limit=12)
            message = f"`{pipeline.steps[name].kind}` has no output `{member}`"
            return template.problem("unknown-output", message, hint=hint, snippet=str(ref))
        case ("steps", str(name), "items", *_):
            hint = f"only a step with `foreach`, `matrix` or `variations` has items; use `steps.{name}.files`"
            message = f"step `{name}` is not a loop"
            return template.problem("unknown-output", message, hint=hint, snippet=str(ref))
        case ("steps", str(name), str(member), *_) if member not in (*OUTPUT_NAMES, *FACT_NAMES):
            hint = did_you_mean(member, (*OUTPUT_NAMES, *FACT_NAMES), limit=20)
            return template.problem(
                "unknown-output", f"step `{name}` has no output `{member}`", hint=hint, snippet=str(ref)
            )
        case ("run", str(name), *_) if name not in RUN_NAMES:
            hint = did_you_mean(name, RUN_NAMES)
            return template.problem("unknown-name", f"`run` has no `{name}`", hint=hint, snippet=str(ref))
        case ("env", str(name), *_) if name not in pipeline.env:
            hint = f"list it at the top: `env: [{name}]`"
            return template.problem("unknown-name", f"`env` has no `{name}`", hint=hint, snippet=str(ref))
    return None


def item_problems(pipeline: Pipeline, graph: Graph) -> Iterator[Problem]:
    """Yield a problem for every item that is read by a key that its loop, where that is known by now, does not have."""
    known = (*OF_LOOPS, *OUTPUT_NAMES, *FACT_NAMES)
    keys = {each.id: found for each in pipeline.steps.values() if (found := _keys_of(each, graph)) is not None}
    for value, _, _ in values_of(pipeline) if keys else ():
        for template, ref in refs_in(value):
            match ref.path:
                case ("steps", str(step), str(key), *_) if step in keys and key not in known:
                    if written_key(key) not in keys[step]:
                        hint = did_you_mean(key, keys[step])
                        message = f"step `{step}` has no item `{key}`"
                        yield template.problem("unknown-item", message, hint=hint, snippet=str(ref))


def _keys_of(step: Step, graph: Graph) -> list[str] | None:
    """Return the keys of a loop, or None where one of them may turn out to be another."""
    if step.loop is None or f"{step.id}[*]" in graph.nodes:
        return None
    bindings = [each for node in graph.items.get(step.id, []) if (each := graph.nodes[node].binding) is not None]
    late = (template for each in bindings if each.unresolved for template in templates_in(each.item))
    return [each.key for each in bindings] if all(any(reads(each, "steps")) for each in late) else None


def _vars_in_order(pipeline: Pipeline) -> Iterator[tuple[Problem, Pointer]]:
    names = list(pipeline.vars)
    for at, (name, value) in enumerate(pipeline.vars.items()):
        for template, ref in refs_in(value):
            if ref.path[0] == "vars" and len(ref.path) > 1 and ref.path[1] in names[at:]:
                itself = ref.path[1] == name
                message = f"`{name}` uses " + ("itself" if itself else f"`{ref.path[1]}`, which comes after it")
                hint = None if itself else f"move `{ref.path[1]}` above `{name}`"
                problem = template.problem("var-order", message, hint=hint, snippet=str(ref))
                yield problem, template.pointer
