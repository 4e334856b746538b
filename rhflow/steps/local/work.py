"""What an operation is: inputs looked at first, which costs nothing, and then a file written on a thread."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeAlias, TypeVar

from rhflow.core.errors import Problem, StepError
from rhflow.core.values import Artifact
from rhflow.media.image import Size
from rhflow.steps.local.kinds import MOST_PIXELS

T = TypeVar("T")
Inputs: TypeAlias = Mapping[str, Any]


class Heed(Protocol):
    """Passes things on one by one, and raises as soon as the work is to stop."""

    def __call__(self, items: Iterable[T], /) -> Iterator[T]: ...


Work: TypeAlias = Callable[[Path, Heed], None]
"""Writes the result to a path. Raises StepError."""
Operation: TypeAlias = Callable[[Inputs], Work]
"""Says what is to be done with inputs that are all known, from what is known of the files. Raises StepError."""


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip among the inputs: where it lies, what messages call it, its length in seconds where that is known."""

    path: Path
    name: str
    duration: float | None

    @classmethod
    def of(cls, artifact: Artifact) -> Clip:
        """Return the clip that an artifact is; one that is not kept yet has no path to speak of."""
        return cls(Path(artifact.path or artifact.name), artifact.name, artifact.duration)


def wrong(code: str, message: str, *, hint: str | None = None, at: str | None = None) -> StepError:
    """Return the error for a problem with inputs, at the one called ``at``."""
    return StepError(Problem(code, message, hint=hint, input=() if at is None else (at,)))


def seconds_words(seconds: float) -> str:
    """Return a time as messages say it."""
    return f"{round(seconds, 3):g} s"


def within_bounds(size: Size, *, at: str | None = None) -> Size:
    """Return a size in pixels that a result may have. Raises StepError."""
    if max(size) > MOST_PIXELS:
        message = f"a result of {size[0]} x {size[1]} pixels is too large: a side has at most {MOST_PIXELS}"
        raise wrong("result-too-large", message, hint="ask for less", at=at)
    return size
