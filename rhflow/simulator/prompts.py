"""What the ComfyUI of an account knows: its prompts in the order in which they came, and the files of its folders."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from rhflow.core.values import Json
from rhflow.simulator.graphs.nodes import is_output

if TYPE_CHECKING:
    from rhflow.simulator.files import StoredFile
    from rhflow.simulator.graphs.work import GraphWork
    from rhflow.simulator.tasks import Status, Task
    from rhflow.simulator.workshop import Product

_PREFIX = "ComfyUI"


@dataclass(slots=True)
class Prompt:
    """A graph that was queued: its id, its number in the queue, the client that listens, and its task.

    ``outputs`` is what each node saved, in ComfyUI's words, once that is known.
    """

    id: str
    number: int
    client_id: str
    task: Task
    work: GraphWork
    outputs: Mapping[str, Json] | None = None

    def listed(self) -> list[Json]:
        """Return it as the queue and the history name it: number, id, graph, extra data, nodes that save."""
        extra: dict[str, Json] = {"client_id": self.client_id} if self.client_id else {}
        graph: dict[str, Any] = {name: dict(node) for name, node in self.work.graph.items()}
        return [self.number, self.id, graph, extra, [name for name in self.work.order if is_output(graph[name])]]


class Prompts:
    """One ComfyUI: prompts by id, uploads and results by their names."""

    def __init__(self) -> None:
        self.inputs: dict[str, StoredFile] = {}
        self._outputs: dict[str, StoredFile] = {}
        self._prompts: dict[str, Prompt] = {}
        self._saved: Counter[str] = Counter()
        self._count = 0

    # --- prompts -----------------------------------------------------------------------------------------------------

    def add(self, task: Task, work: GraphWork, client_id: str) -> Prompt:
        """Return the new prompt that a task stands for."""
        found = Prompt(str(uuid.UUID(task.ticket.client_id)), self._count, client_id, task, work)
        self._count += 1
        self._prompts[found.id] = found
        return found

    def find(self, prompt_id: str) -> Prompt | None:
        """Return a prompt by its id."""
        return self._prompts.get(prompt_id)

    def in_state(self, now: float, *states: Status) -> list[Prompt]:
        """Return the prompts in some of the states, in their order."""
        return [each for each in self._prompts.values() if each.task.status(now) in states]

    def of_client(self, client_id: str) -> Iterator[Prompt]:
        """Yield the prompts of one client in their order."""
        return (each for each in list(self._prompts.values()) if each.client_id == client_id)

    def drop(self, prompt_id: str) -> None:
        """Forget a prompt."""
        self._prompts.pop(prompt_id, None)

    def keep(self, tasks: Collection[str]) -> None:
        """Forget all prompts but those of some tasks; files stay."""
        self._prompts = {name: each for name, each in self._prompts.items() if each.task.id in tasks}

    # --- files -------------------------------------------------------------------------------------------------------

    def take(self, file: StoredFile, name: str, folder: str, *, overwrite: bool) -> str:
        """Keep an upload and return the name it has: another one where there is other content of that name."""
        stem, dot, extension = name.rpartition(".")
        stem = stem if dot else name
        free, at = name, 1
        while not overwrite and self._other(in_folder(folder, free), file):
            free, at = f"{stem} ({at}){dot}{extension if dot else ''}", at + 1
        self.inputs[in_folder(folder, free)] = file
        return free

    def _other(self, path: str, file: StoredFile) -> bool:
        return path in self.inputs and self.inputs[path].digest != file.digest

    def file(self, kind: str, path: str) -> StoredFile | None:
        """Return a file of the folder ``input`` or ``output``."""
        return {"input": self.inputs, "output": self._outputs}.get(kind, {}).get(path)

    def outputs_of(self, prompt: Prompt, product: Product) -> Mapping[str, Json]:
        """Return what the nodes of a prompt saved; the files get their names when this is first asked."""
        if prompt.outputs is None:
            found: dict[str, Any] = {}
            for file, node in zip(product.files, product.nodes, strict=True):
                self._save(found.setdefault(node, {}), prompt.work.graph[node], file)
            prompt.outputs = found
        return prompt.outputs

    def _save(self, told: dict[str, Any], node: Mapping[str, Any], file: StoredFile) -> None:
        """Give a file a name as ComfyUI does, by the prefix of its node and a number, and note it in ``told``."""
        prefix = PurePosixPath(str(node["inputs"].get("filename_prefix") or _PREFIX))
        folder = "" if str(prefix.parent) == "." else str(prefix.parent)
        self._saved[str(prefix)] += 1
        name = f"{prefix.name}_{self._saved[str(prefix)]:05}_{file.path.suffix}"
        self._outputs[in_folder(folder, name)] = file
        saved: dict[str, Json] = {"filename": name, "subfolder": folder, "type": "output"}
        family = file.info.media_type.partition("/")[0]
        if family == "audio":
            told.setdefault("audio", []).append(saved)
        elif node["class_type"] == "VHS_VideoCombine":
            told.setdefault("gifs", []).append(
                {**saved, "format": file.info.media_type, "frame_rate": file.info.fps or 0}
            )
        else:
            told.setdefault("images", []).append(saved)
            if family == "video":
                told["animated"] = [True]


def in_folder(folder: str, name: str) -> str:
    """Return what loaders call a file in a folder."""
    return f"{folder}/{name}" if folder else name
