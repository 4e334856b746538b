"""The classes of nodes that are known here, as ComfyUI describes its own (``nodes.json`` is its ``object_info``).

A class that is not known is taken all the same: whoever tries a graph of their own should not have to teach us first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

from rhflow.core.values import Json

Node: TypeAlias = Mapping[str, Any]
Graph: TypeAlias = Mapping[str, Node]

_OUTPUT = re.compile(r"(Save|Preview)[A-Z]\w*|\w*VideoCombine")
_PREVIEW = re.compile(r"Preview[A-Z]\w*")
_MODEL_FILES = frozenset({"ckpt_name", "unet_name", "clip_name", "vae_name", "model_name"})
_UPLOADS = frozenset({"image_upload", "video_upload", "audio_upload"})


@dataclass(frozen=True, slots=True)
class Input:
    """What an input of a node takes: a type of ComfyUI (``INT``, ``IMAGE`` …) or ``COMBO`` for one of ``choices``."""

    name: str
    type: str
    required: bool
    choices: tuple[str, ...] = ()
    facts: Mapping[str, Any] | None = None

    @property
    def is_file(self) -> bool:
        """Whether it names an uploaded file."""
        return not _UPLOADS.isdisjoint(self.facts or ())

    @property
    def is_open(self) -> bool:
        """Whether other choices than the listed are taken: which model files there are changes every day."""
        return self.name in _MODEL_FILES

    def described(self) -> list[Json]:
        """Return it as ComfyUI describes inputs."""
        return [list(self.choices) if self.type == "COMBO" else self.type, dict(self.facts or {})]


@dataclass(frozen=True, slots=True)
class NodeClass:
    """A class of nodes: its inputs by name, the types of what it gives."""

    name: str
    inputs: Mapping[str, Input]
    output: tuple[str, ...] = ()

    def described(self, files: Iterable[str] = ()) -> dict[str, Json]:
        """Return it as ComfyUI describes classes; ``files`` are uploads, which its loaders offer too."""
        parts: dict[str, dict[str, Json]] = {}
        for each in self.inputs.values():
            kind, facts = each.described()
            listed = [*kind, *files] if each.is_file and isinstance(kind, list) else kind
            parts.setdefault("required" if each.required else "optional", {})[each.name] = [listed, facts]
        return {
            "input": dict(parts),
            "input_order": {part: list(names) for part, names in parts.items()},
            "output": list(self.output),
            "output_is_list": [False] * len(self.output),
            "output_name": list(self.output),
            "name": self.name,
            "display_name": self.name,
            "description": "",
            "python_module": "nodes",
            "category": "simulated",
            "output_node": is_output({"class_type": self.name}),
        }


@cache
def node_classes() -> Mapping[str, NodeClass]:
    """Return the known classes by name."""
    listed = json.loads(Path(__file__).with_name("nodes.json").read_text(encoding="utf-8"))
    return {name: NodeClass(name, dict(_inputs(told["input"])), tuple(told["output"])) for name, told in listed.items()}


def _inputs(told: Mapping[str, Any]) -> Iterator[tuple[str, Input]]:
    for part in ("required", "optional"):
        for name, (kind, *facts) in told.get(part, {}).items():
            choices = tuple(kind) if isinstance(kind, list) else ()
            given = facts[0] if facts else None
            yield name, Input(name, "COMBO" if isinstance(kind, list) else kind, part == "required", choices, given)


def input_of(node: Node, name: str) -> Input | None:
    """Return what an input of ``node`` takes, None where that is not known."""
    known = node_classes().get(node["class_type"])
    return None if known is None else known.inputs.get(name)


def is_output(node: Node) -> bool:
    """Whether a node asks for what comes before it to be made."""
    return _OUTPUT.fullmatch(node["class_type"]) is not None


def saves(node: Node) -> bool:
    """Whether what a node makes is kept: a preview makes nothing that the service hands out."""
    return is_output(node) and _PREVIEW.fullmatch(node["class_type"]) is None


def link_of(value: Any) -> tuple[str, int] | None:
    """Return the node and the slot that an input is linked to, None where it is a value."""
    if isinstance(value, list) and len(value) == 2 and isinstance(value[0], str) and type(value[1]) is int:
        return value[0], value[1]
    return None


def links_of(node: Node) -> list[str]:
    """Return the nodes that ``node`` reads."""
    return [link[0] for value in node["inputs"].values() if (link := link_of(value)) is not None]
