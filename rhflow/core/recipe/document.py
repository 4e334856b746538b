"""What the author wrote: a Pipeline whose every part knows its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from rhflow.core.errors import Problem
from rhflow.core.recipe.template import Unresolved
from rhflow.core.text.located import Located, Pointer
from rhflow.core.values import Money


@dataclass(frozen=True, slots=True)
class Param:
    """A declared parameter; ``required`` when it has no default."""

    name: str
    type: str
    pointer: Pointer
    required: bool = True
    default: Any = None
    enum: tuple[Any, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    pattern: str | None = None
    description: str = ""
    secret: bool = False

    @property
    def is_media(self) -> bool:
        """Whether values are files."""
        return self.type in ("image", "video", "audio", "file")


OnError = Literal["fail", "continue", "skip"]


@dataclass(frozen=True, slots=True)
class Loop:
    """Over what a step is repeated: the items, the axes of a matrix, the number of takes; at least one of them."""

    foreach: Unresolved = None
    matrix: Mapping[str, Unresolved] | None = None
    variations: Unresolved = None
    chain: bool = False


@dataclass(frozen=True, slots=True)
class Retry:
    """How many new paid attempts follow a task that failed, and after what."""

    max: int = 0
    on: tuple[str, ...] = ("failed",)


@dataclass(frozen=True, slots=True)
class Budget:
    """What a run may cost at most, in each currency that is named, and in paid calls."""

    max_cost: tuple[Money, ...] = ()
    max_tasks: int | None = None
    pointer: Pointer = ("budget",)


@dataclass(frozen=True, slots=True)
class Step:
    """A step as written, with the defaults of its kind merged in. ``timeout`` in seconds.

    ``scope`` is the variant of a sweep, or the use of a pipeline as a step, that the step belongs to; its id begins
    with it. ``child`` is the pipeline that the step stands for, ``located`` the file that the step was written in.
    """

    id: str
    kind: str
    pointer: Pointer
    inputs: Mapping[str, Unresolved]
    model: Unresolved = None
    needs: tuple[str, ...] = ()
    cache: bool = True
    salt: str | None = None
    save_as: Unresolved = None
    description: str = ""
    loop: Loop | None = None
    condition: Unresolved = None
    on_error: OnError = "fail"
    retry: Retry = Retry()
    timeout: float | None = None
    pool: str | None = None
    scope: str = ""
    child: Pipeline | None = None
    located: Located | None = field(default=None, repr=False, compare=False)

    def problem(self, code: str, message: str, part: Pointer = (), *, hint: str | None = None) -> Problem:
        """Return a problem with the part of the step at ``part``."""
        span = None if self.located is None else self.located.span((*self.pointer, *part))
        return Problem(code, message, span, hint)

    def key_problem(self, code: str, message: str, part: Pointer = (), *, hint: str | None = None) -> Problem:
        """Return a problem with the key at ``part``, or with the id of the step."""
        span = None if self.located is None else self.located.key_span((*self.pointer, *part))
        return Problem(code, message, span, hint)

    def values(self) -> Iterator[Unresolved]:
        """Yield everything that is worked out once per node."""
        yield from self.inputs.values()
        yield from (self.model, self.save_as, self.condition)

    def loop_values(self) -> Iterator[Unresolved]:
        """Yield what the number of nodes depends on."""
        if self.loop is not None:
            yield from (self.loop.foreach, self.loop.variations, *(self.loop.matrix or {}).values())


@dataclass(frozen=True, slots=True)
class Output:
    """Something the run delivers."""

    name: str
    value: Unresolved
    pointer: Pointer
    save_as: Unresolved = None
    scope: str = ""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A recipe. ``outputs`` is None where the author left it out: then every made file is delivered."""

    name: str
    located: Located = field(repr=False)
    params: Mapping[str, Param]
    vars: Mapping[str, Unresolved]
    steps: Mapping[str, Step]
    outputs: Mapping[str, Output] | None
    description: str = ""
    env: tuple[str, ...] = ()
    budget: Budget = Budget()

    def problem(self, code: str, message: str, pointer: Pointer, *, hint: str | None = None) -> Problem:
        """Return a problem with the value at ``pointer``."""
        return Problem(code, message, self.located.span(pointer), hint)

    def key_problem(self, code: str, message: str, pointer: Pointer, *, hint: str | None = None) -> Problem:
        """Return a problem with the key at ``pointer``."""
        return Problem(code, message, self.located.key_span(pointer), hint)


def is_recipe(kind: str) -> bool:
    """Whether ``uses`` names a recipe next to this one, and not a kind of step."""
    return kind.endswith((".yaml", ".yml"))
