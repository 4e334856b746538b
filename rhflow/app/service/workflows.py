"""A workflow of the site: which inputs of its nodes a step can set, and the graph as a file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rhflow.app.account.questions import Service
from rhflow.core.errors import Problem, UsageError
from rhflow.runninghub.operations.account import Resource, ResourceType
from rhflow.runninghub.operations.pages import Page

_TRIED = ("text", "prompt", "seed", "image")
RESOURCES: dict[str, ResourceType] = {"checkpoint": "CHECKPOINT", "lora": "LORA", "unet": "UNET", "gguf": "GGUF"}


def list_resources(
    service: Service, kind: str, words: str, *, base_models: Sequence[str] = (), page: int = 1
) -> Page[Resource]:
    """Return a page of the public model files of a kind (``checkpoint``, ``lora`` …) with ``words`` in their name."""
    return service.ask(lambda hub: hub.resources(RESOURCES[kind], words, base_models=base_models, page=page))


@dataclass(frozen=True, slots=True)
class NodeInput:
    """One input that can be set: its node, what that is, the name under ``nodes``, and the value it has now."""

    node: str
    title: str
    name: str
    value: Any


@dataclass(frozen=True, slots=True)
class WorkflowGuide:
    """A workflow's id and its graph in API format."""

    id: str
    graph: Mapping[str, Any]

    @classmethod
    def fetch(cls, service: Service, workflow: str) -> WorkflowGuide:
        """Ask the service for a workflow."""
        return cls(workflow, service.ask(lambda hub: hub.workflow_graph(workflow)))

    def inputs(self) -> Iterator[NodeInput]:
        """Yield every input that can be set; those that come from other nodes cannot."""
        for node, found in sorted(self.graph.items(), key=_by_number):
            if not isinstance(found, Mapping):
                continue
            title = found.get("_meta", {}).get("title") or found.get("class_type", "")
            for field, value in found.get("inputs", {}).items():
                if not (isinstance(value, list) and len(value) == 2 and value[0] in self.graph):
                    yield NodeInput(node, str(title), f"{node}.{field}", value)

    def recipe(self) -> str:
        """Return a recipe that runs it with some of its values as they are."""
        lines = ["rhflow: 1", "steps:", "  try:", "    uses: comfyui", "    with:", f'      workflow: "{self.id}"']
        chosen = [each for each in self.inputs() if each.name.partition(".")[2] in _TRIED and not _is_file(each)]
        if chosen:
            lines.append("      nodes:")
            lines += [f"        {each.name}: {json.dumps(each.value, ensure_ascii=False)}" for each in chosen[:4]]
        return "\n".join(lines) + "\n"

    def export(self, path: Path | None) -> str:
        """Return the graph as JSON text, written to ``path`` where one is given. Raises UsageError."""
        text = json.dumps(self.graph, indent=2, ensure_ascii=False) + "\n"
        if path is not None:
            try:
                path.write_text(text, encoding="utf-8")
            except OSError as error:
                message = f"`{path}` cannot be written: {error.strerror or error}"
                raise UsageError(Problem("unwritable", message, hint="name another file with `-o`")) from error
        return text


def _by_number(item: tuple[str, Any]) -> tuple[int, str]:
    return (int(item[0]) if item[0].isdecimal() else 1 << 62, item[0])


def _is_file(each: NodeInput) -> bool:
    return each.name.endswith(".image")
