"""A graph while it is worked out: its job, the values that go from node to node, and one node with its inputs."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

from rhflow.media.image import Size
from rhflow.simulator.graphs.check import number_in
from rhflow.simulator.graphs.nodes import Graph, link_of
from rhflow.simulator.job import NodeError
from rhflow.simulator.sizes import bounded

MACHINES: Mapping[str, int] = {"default": 1, "plus": 2, "ultra": 4}
"""Machines by name, and how many times the memory of the smallest they have; a second costs as many times more."""


@dataclass(frozen=True, slots=True)
class GraphJob:
    """A graph to be worked out, its nodes in ``order``, on a ``machine``.

    ``files`` are uploads by the names that loaders use; ``most`` bounds the longer side of pictures, in pixels.
    """

    graph: Graph
    order: tuple[str, ...]
    machine: str
    files: Mapping[str, Path]
    seed: int
    folder: Path
    most: int | None = None
    metadata: bool = True
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def title(self) -> str:
        """What to call it in a log."""
        return f"a graph of {len(self.graph)} nodes"


@dataclass(frozen=True, slots=True)
class Pictures:
    """Pictures, and the words that they were made from."""

    images: tuple[Image.Image, ...]
    words: str = ""


@dataclass(frozen=True, slots=True)
class Film:
    """Frames: a clip as it was uploaded, or one to be made from a picture. ``size`` in pixels, ``count`` frames."""

    words: str
    size: Size
    count: int
    seed: int = 0
    first: Image.Image | None = None
    path: Path | None = None
    fps: float = 16.0
    sound: Tune | None = None


@dataclass(frozen=True, slots=True)
class Tune:
    """Sound: as it was uploaded, or to be made from words."""

    words: str
    seconds: float
    seed: int = 0
    path: Path | None = None


@dataclass(frozen=True, slots=True)
class Latent:
    """What a sampler starts from: an empty picture, pictures, an empty clip, or an empty sound."""

    size: Size = (0, 0)
    count: int = 1
    pictures: tuple[Image.Image, ...] = ()
    frames: int = 0
    seconds: float = 0.0


class Drawing:
    """One graph while it is worked out: the values of its nodes so far, and the files that were saved."""

    def __init__(self, job: GraphJob) -> None:
        self.job = job
        self.files: list[Path] = []
        self.nodes: list[str] = []
        self.seconds: float | None = None
        self._values: dict[str, Any] = {}

    def give(self, name: str, value: Any) -> None:
        """Keep what a node gave; a tuple has a value for each slot."""
        self._values[name] = value

    def value(self, name: str, slot: int) -> Any:
        """Return what a node gave at a slot; one value stands for all slots."""
        found = self._values.get(name)
        if isinstance(found, tuple):
            return found[slot] if slot < len(found) else None
        return found

    def keep(self, step: Step, suffix: str) -> Path:
        """Return the path of the next file that ``step`` saves."""
        path = self.job.folder / f"{len(self.files)}{suffix}"
        self.files.append(path)
        self.nodes.append(step.name)
        return path


@dataclass(frozen=True, slots=True)
class Step:
    """One node, with its inputs as values."""

    drawing: Drawing
    name: str
    kind: str
    inputs: Mapping[str, Any]

    def of(self, name: str, default: Any = None) -> Any:
        """Return an input: what the node it is linked to gave, or its own value."""
        value = self.inputs.get(name, default)
        link = link_of(value)
        return value if link is None else self.drawing.value(*link)

    def number(self, name: str, default: float) -> float:
        """Return an input as a number."""
        found = number_in(self.of(name, default))
        return default if found is None else found

    def text(self, name: str) -> str:
        """Return an input as text."""
        value = self.of(name, "")
        return value if isinstance(value, str) else str(value) if isinstance(value, int | float) else ""

    def all(self, kinds: type | tuple[type, ...]) -> list[Any]:
        """Return the inputs that are of some kind, in their order."""
        return [value for name in self.inputs if isinstance(value := self.of(name), kinds)]

    def pictures(self, name: str) -> Pictures:
        """Return an input as pictures. Raises NodeError."""
        value = self.of(name)
        if isinstance(value, Pictures):
            return value
        raise self.failed("AttributeError", f"'{type(value).__name__}' object has no attribute 'shape'")

    def failed(self, kind: str, message: str) -> NodeError:
        """Return that this node failed, as ComfyUI tells it."""
        shown = {name: str(value)[:200] for name, value in self.inputs.items()}
        trace = f'  File "/workspace/ComfyUI/execution.py", line 510, in execute\n    # node {self.name}\n'
        return NodeError(
            {
                "exception_type": kind,
                "exception_message": message,
                "node_id": self.name,
                "node_name": self.kind,
                "current_inputs": shown,
                "current_outputs": {},
                "traceback": [trace],
            }
        )

    def bounded(self, size: Size) -> Size:
        """Return a size within what the job allows."""
        return bounded(size, self.drawing.job.most)
