"""What a task has to make, and what came of it."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from rhflow.core.kinds import Model
from rhflow.core.values import Json

T = TypeVar("T")
_PROMPTS = ("prompt", "text", "textPrompt", "description", "previewText", "lyrics")


class StoppedError(Exception):
    """The simulator is closing: what is being made is not wanted any more."""


class InputError(Exception):
    """An input cannot be read, or asks for something that cannot be made; ``code`` is the service's error code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Job:
    """One call of a model: its inputs by the service's names, and its media inputs as files, by field.

    ``seed`` stands for the whole payload with the media by content: equal payloads give equal results. ``most`` bounds
    the longer side of pictures and clips, in pixels.
    """

    model: Model
    inputs: Mapping[str, Json]
    media: Mapping[str, tuple[Path, ...]]
    seed: int
    folder: Path
    most: int | None = None
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def task(self) -> str:
        """The task that the model mainly serves."""
        return self.model.tasks[0]

    @property
    def prompt(self) -> str:
        """The text that says what to make, "" where there is none."""
        aliased = [each.name for each in self.model.fields if each.alias == "prompt"]
        for name in (*aliased, *_PROMPTS):
            if isinstance(text := self.inputs.get(name), str) and text.strip():
                return text.strip()
        return ""

    def files(self, family: str) -> list[Path]:
        """Return the media inputs of a family (``image``, ``video``, ``audio``), in the order of the model's fields."""
        named = [each.name for each in self.model.fields if each.type.removesuffix("[]") == family]
        return [path for name in named for path in self.media.get(name, ())]

    def file_for(self, alias: str) -> Path | None:
        """Return the first file of the input that has the uniform name ``alias``."""
        for each in self.model.fields:
            if each.alias == alias and self.media.get(each.name):
                return self.media[each.name][0]
        return None

    def number(self, *names: str) -> float | None:
        """Return the first positive number among inputs; a number written as text counts."""
        for name in names:
            try:
                value = float(str(self.inputs[name]))
            except (KeyError, ValueError):
                continue
            if value > 0:
                return value
        return None

    def unless_stopped(self, frames: Iterable[T]) -> Iterator[T]:
        """Yield ``frames``, or raise StoppedError once the simulator closes."""
        for frame in frames:
            if self.stop.is_set():
                raise StoppedError
            yield frame


@dataclass(frozen=True, slots=True)
class Made:
    """What came of a job: files with the extension that names their kind, texts, and the length in seconds."""

    files: tuple[Path, ...] = ()
    texts: tuple[str, ...] = ()
    seconds: float | None = None
