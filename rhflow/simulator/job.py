"""What a task has to make, and what came of it."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from rhflow.core.kinds import Field, Model
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


class NodeError(Exception):
    """A node of a graph failed; ``reason`` is what ComfyUI tells of it, ``code`` the service's error code."""

    code = "805"

    def __init__(self, reason: Mapping[str, Any]) -> None:
        super().__init__(str(reason.get("exception_message", "")))
        self.reason = reason


def medium_of(taker: Field) -> str | None:
    """Return the family of the files that a field takes, also where they are spelled as text or inside mappings."""
    if taker.is_media:
        return taker.type.removesuffix("[]")
    named = (taker.alias or "").removesuffix("s")
    return named if named in ("image", "video", "audio") and (taker.item or taker.type == "string") else None


def media_links(model: Model, inputs: Mapping[str, Json]) -> Iterator[tuple[Field, str]]:
    """Yield every link to a picture, clip or sound among the inputs, with its field; ids of assets are no links."""
    for taker in model.fields:
        value = inputs.get(taker.name)
        if value is None or medium_of(taker) is None:
            continue
        inside = next((name for name, text in taker.item if text == "{file}"), None)
        for each in value if isinstance(value, list) else [value]:
            link = each.get(str(inside)) if isinstance(each, dict) else each
            if isinstance(link, str) and (taker.is_media or link.startswith(("http://", "https://", "data:"))):
                yield taker, link


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
    def title(self) -> str:
        """What to call it in a log."""
        return self.model.id

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
        named = [each.name for each in self.model.fields if medium_of(each) == family]
        return [path for name in named for path in self.media.get(name, ())]

    def file_for(self, alias: str) -> Path | None:
        """Return the first file of the input that has the uniform name ``alias``."""
        for each in self.model.fields:
            if each.alias == alias and self.media.get(each.name):
                return self.media[each.name][0]
        return None

    def number(self, *names: str) -> float | None:
        """Return the first positive number among inputs and their defaults; a number written as text counts."""
        for name in names:
            try:
                value = float(str(self.inputs.get(name, self._default(name))))
            except ValueError:
                continue
            if value > 0:
                return value
        return None

    def _default(self, name: str) -> Json:
        found = self.model.field_named(name)
        return None if found is None else found.default

    def unless_stopped(self, frames: Iterable[T]) -> Iterator[T]:
        """Yield ``frames``, or raise StoppedError once the simulator closes."""
        for frame in frames:
            if self.stop.is_set():
                raise StoppedError
            yield frame


@dataclass(frozen=True, slots=True)
class Made:
    """What came of a job: files with the extension that names their kind, texts, and the length in seconds.

    ``nodes`` names the node of a graph that made each of the files.
    """

    files: tuple[Path, ...] = ()
    texts: tuple[str, ...] = ()
    seconds: float | None = None
    nodes: tuple[str, ...] = ()
