"""A pipeline as a step of another: its steps copied under the step's id, its parameters filled from the step's inputs.

One graph and one schedule carry both, so the copies keep nothing but what ties them in: the reference of an inner step
to a parameter stands for what the outer step gives for it, and is an edge where that reads a step. Values are worked
out where they are read, by the rules of the parameter, and never before what they read is known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from rhflow.core.errors import Problem, RecipeError, did_you_mean
from rhflow.core.inputs.coerce import REMOTE
from rhflow.core.recipe.document import Loop, OnError, Output, Param, Pipeline, Step
from rhflow.core.recipe.loops import Binding
from rhflow.core.recipe.params import parse_param
from rhflow.core.recipe.template import Ref, Template, Unresolved, parse_text, refs_in, remap, resolve, under
from rhflow.core.values import Artifact, Pending, in_words, media_in

Change = Callable[[Unresolved], Unresolved]
Names = Mapping[str, Any]
Local = Callable[[str], Artifact | Pending]


def moved(step: Step, prefix: str, change: Change) -> Step:
    """Return a copy of a step under ``prefix``, with ``change`` made to all that may hold references."""
    loop = step.loop
    if loop is not None:
        matrix = None if loop.matrix is None else {name: change(value) for name, value in loop.matrix.items()}
        loop = Loop(change(loop.foreach), matrix, change(loop.variations), loop.chain)
    return replace(
        step,
        id=f"{prefix}{step.id}",
        scope=prefix,
        inputs={name: change(value) for name, value in step.inputs.items()},
        model=change(step.model),
        save_as=change(step.save_as),
        condition=change(step.condition),
        needs=tuple(f"{prefix}{needed}" for needed in step.needs),
        loop=loop,
    )


@dataclass(frozen=True, slots=True)
class Scope:
    """One use of a pipeline as a step: which step, for which item of its loop, after which one in a chain.

    ``name`` is the id of the node that ends when all inside has; ids inside begin with ``prefix``.
    """

    step: Step
    binding: Binding | None = None
    prev: str | None = None

    @property
    def name(self) -> str:
        """The id of the node that stands for the whole."""
        return self.step.id if self.binding is None else f"{self.step.id}[{self.binding.key}]"

    @property
    def prefix(self) -> str:
        """What the ids inside begin with; also the id of the node that all of them wait for."""
        return f"{self.name}/"

    @property
    def pipeline(self) -> Pipeline:
        """The pipeline that is used."""
        assert self.step.child is not None
        return self.step.child

    def steps(self) -> Iterator[Step]:
        """Yield the steps inside; each waits for the gate, and fails as the outer step says where it does not say."""
        for step in self.pipeline.steps.values():
            copy = moved(step, self.prefix, lambda value: remap(value, self.sources))
            rule: OnError = self.step.on_error if step.on_error == "fail" else step.on_error
            yield replace(copy, needs=(*copy.needs, self.prefix), on_error=rule)

    def outputs(self) -> Mapping[str, Unresolved]:
        """Return what the pipeline gives; without ``outputs`` each of its steps as a whole."""
        return {name: remap(output.value, self.sources) for name, output in outputs_of(self.pipeline).items()}

    def hidden(self) -> Iterator[tuple[str, str]]:
        """Yield the secret parameters, as references to them are written by ``sources``."""
        for param in self.pipeline.params.values():
            if param.secret:
                yield "params", f"{self.prefix}{param.name}"

    # -- what a reference inside stands for --

    def sources(self, ref: Ref) -> Iterator[Ref]:
        """Yield what a reference of an inner step stands for outside."""
        match ref.path:
            case ("params", str(name), *rest) if name in self.pipeline.params:
                yield Ref(("params", f"{self.prefix}{name}", *rest))
                yield from self._given(self.step.inputs.get(name), rest)
            case ("params", *_):
                for value in self.step.inputs.values():
                    yield from self._given(value, ())
            case ("vars", str(name), *_) if name in self.pipeline.vars:
                for _, inner in refs_in(self.pipeline.vars[name]):
                    yield from self.sources(inner)
            case ("vars", *_):
                for value in self.pipeline.vars.values():
                    for _, inner in refs_in(value):
                        yield from self.sources(inner)
            case _:
                yield under(self.prefix, ref)

    def _given(self, value: Unresolved, rest: Iterable[str | int | None]) -> Iterator[Ref]:
        whole = isinstance(value, Template) and value.exact and value.parts is not None
        for _, ref in refs_in(value):
            yield from self._outer(Ref((*ref.path, *rest)) if whole else ref)

    def _outer(self, ref: Ref) -> Iterator[Ref]:
        """Yield what a reference of the outer step stands for, which may be to the item of its loop."""
        head, *rest = ref.path
        match head:
            case "item" if self.binding is not None and self.binding.of is not None:
                if rest[:1] != ["key"] and rest[:1] != ["index"]:
                    yield Ref(("steps", self.binding.of, *rest))
            case "item" if self.binding is not None:
                yield from (inner for _, inner in refs_in(self.binding.item))
            case "prev":
                yield from [Ref(("steps", self.prev, *rest))] if self.prev is not None else []
            case "key" | "index" | "matrix" | "variation":
                pass
            case _:
                yield ref
                return
        # What the loop runs over may hold a secret, or come from a step: no edge any more, but foreign all the same
        written = self.binding is None or self.binding.of is not None or not isinstance(self._over, Template)
        for value in self.step.loop_values():
            yield from (inner for _, inner in refs_in(value) if inner.path[0] != "steps" or not written)

    @property
    def _over(self) -> Unresolved:
        return None if self.step.loop is None else self.step.loop.foreach

    def reads_steps(self, value: Unresolved) -> bool:
        """Whether a value given to a parameter comes from a step, be it through the item of a loop."""
        return any(source.path[0] == "steps" for _, ref in refs_in(value) for source in self._outer(ref))

    # -- names --

    def names(self, base: Names, outer: Callable[[], Names], local: Callable[[Step], Local] | None = None) -> Names:
        """Return what the steps inside may read: ``outer`` gives what the step itself may; ``base`` holds the rest.

        ``local`` reads files next to the recipe of a step; without it paths stay texts.
        """
        params = _Params(self, outer, local)
        return {**base, "params": params, "vars": _Vars(self.pipeline, {**base, "params": params})}


def all_used(pipeline: Pipeline) -> list[Pipeline]:
    """Return a pipeline and all that its steps stand for, each once."""
    found, left = {id(pipeline): pipeline}, [pipeline]
    while left:
        children = [step.child for step in left.pop().steps.values() if step.child is not None]
        new = [each for each in children if id(each) not in found]
        found.update({id(each): each for each in new})
        left += new
    return list(found.values())


def outputs_of(pipeline: Pipeline) -> Mapping[str, Output]:
    """Return the outputs of a pipeline; where it has none, each of its steps as a whole."""
    if pipeline.outputs is not None:
        return pipeline.outputs
    made = [step for step in pipeline.steps.values() if step.kind != "upload"]
    return {each.id: Output(each.id, parse_text(f"${{{{ steps.{each.id} }}}}"), each.pointer) for each in made}


class _Params(Mapping[str, Any]):
    """The parameters of a pipeline that is used as a step, worked out where they are read."""

    def __init__(self, scope: Scope, outer: Callable[[], Names], local: Callable[[Step], Local] | None) -> None:
        self._scope, self._outer, self._local = scope, outer, local

    def __getitem__(self, name: str) -> Any:
        param, step = self._scope.pipeline.params[name], self._scope.step
        if name not in step.inputs:
            own = next(iter(self._scope.pipeline.steps.values()))
            return None if param.default is None else self._typed(param, param.default, own)
        value = step.inputs[name]
        return self._typed(param, resolve(value, self._outer()), None if self._scope.reads_steps(value) else step)

    def _typed(self, param: Param, value: Any, written: Step | None) -> Any:
        """Return a value by the rules of a parameter; ``written``: the step in whose recipe it stands, if in any."""
        if value is None or isinstance(value, Pending):
            return value
        try:
            return self._media(param, value, written) if param.is_media else parse_param(param, value)
        except ValueError as error:
            raise RecipeError(param_problem(self._scope.step, param, str(error))) from None

    def _media(self, param: Param, value: Any, written: Step | None) -> Any:
        if isinstance(value, str) and not value.startswith(REMOTE):
            if self._local is None:
                return value
            if written is None:  # no text that a step gave is taken for a path
                raise ValueError("must be a file or a link")
            value = self._local(written)(value)
            if isinstance(value, Pending):
                return value
        if isinstance(value, Artifact) and param.type not in ("file", value.family):
            raise ValueError(f"must be {in_words(param.type)}, but `{value.name}` is {value.media_type}")
        if not isinstance(value, Artifact | str):
            raise ValueError(f"must be {in_words(param.type)}")
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self._scope.pipeline.params)

    def __len__(self) -> int:
        return len(self._scope.pipeline.params)


class _Vars(Mapping[str, Any]):
    """The variables of a pipeline that is used as a step, each worked out with those before it that it needs."""

    def __init__(self, pipeline: Pipeline, base: Names) -> None:
        self._vars, self._base = pipeline.vars, base

    def __getitem__(self, name: str) -> Any:
        values: dict[str, Any] = {}
        needed = self._needed(name)
        for each in self._vars:
            if each in needed:
                values[each] = resolve(self._vars[each], {**self._base, "vars": values})
        return values[name]

    def _needed(self, name: str) -> set[str]:
        found, left = {name}, [name]
        while left:
            for _, ref in refs_in(self._vars[left.pop()]):
                earlier = list(self._vars) if ref.path[0] == "vars" and len(ref.path) == 1 else [*ref.path[1:2]]
                new = [each for each in earlier if ref.path[0] == "vars" and each in self._vars and each not in found]
                found.update(map(str, new))
                left += map(str, new)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._vars)

    def __len__(self) -> int:
        return len(self._vars)


_OF_CALLS = ("model", "retry", "timeout", "pool", "cache", "save_as")


def given_problems(step: Step, given: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what is wrong with the inputs of a step that is a pipeline, as far as they are known, and with its keys."""
    assert step.child is not None
    params = step.child.params
    for name in given:
        if name not in params:
            message = f"step `{step.id}`: `{step.kind}` has no parameter `{name}`"
            hint = did_you_mean(name, params, limit=12) or f"`{step.kind}` declares no parameters"
            yield step.key_problem("unknown-input", message, ("with", name), hint=hint)
    for param in params.values():
        if param.required and param.name not in given:
            message = f"step `{step.id}`: `{param.name}` is required"
            yield step.key_problem("missing-input", message, hint=f"add `{param.name}:` under `with`")
        elif param.name in given and (why := _wrong(param, given[param.name])) is not None:
            yield param_problem(step, param, why)
    for key in _OF_CALLS:
        if step.located is not None and (*step.pointer, key) in step.located.places:
            message = f"step `{step.id}`: `{key}` is for single calls, and this is a whole pipeline"
            yield step.key_problem("not-here", message, (key,), hint=f"write it in `{step.kind}`")


def _wrong(param: Param, value: Any) -> str | None:
    """Say what a parameter must be that a value, which may be known in part only, is not."""
    if isinstance(value, Pending):
        unlike = param.is_media and param.type != "file" and value.family not in (None, "file", param.type)
        return f"must be {in_words(param.type)}, not {in_words(value.family or 'file')}" if unlike else None
    if value is None or param.is_media:
        return None if value is None or isinstance(value, str) else f"must be {in_words(param.type)}"
    if isinstance(value, list | dict) and any(isinstance(each, Pending) for each in media_in(value)):
        return None if param.type in ("list", "object") else f"must be a {param.type}"
    try:
        parse_param(param, value)
    except ValueError as error:
        return str(error)
    return None


def param_problem(step: Step, param: Param, why: str) -> Problem:
    """Return the problem of what a step gives for a parameter of its pipeline."""
    message = f"step `{step.id}`: the parameter `{param.name}` {why}"
    return step.problem("bad-param", message, ("with", param.name))
