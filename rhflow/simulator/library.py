"""What is found on the site: saved workflows, apps, styles, model files, and what accounts have put there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from rhflow.core.values import Json
from rhflow.simulator.apps import App
from rhflow.simulator.assets import Assets
from rhflow.simulator.graphs.check import as_graph
from rhflow.simulator.graphs.nodes import Graph, node_classes
from rhflow.simulator.replies import RefusalError

_SAVED = Path(__file__).with_name("graphs") / "saved"
_RESOURCES = {"UNET": "UNETLoader", "CHECKPOINT": "CheckpointLoaderSimple"}


@dataclass(frozen=True, slots=True)
class Workflow:
    """A workflow saved on the website; ``ran``: whether it was also run there, as the API wants."""

    id: str
    title: str
    graph: Graph
    ran: bool = True


class Library:
    """Everything that has an id or a name on the site. What ships with it is read when it is first asked for."""

    def __init__(self) -> None:
        self.assets = Assets()
        self.loras: dict[str, str] = {}
        self._own: dict[str, Workflow] = {}
        self._places: dict[str, float] = {}
        self._warm: set[tuple[str, str, str]] = set()

    @cached_property
    def _index(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = json.loads((_SAVED / "index.json").read_text(encoding="utf-8"))
        return found

    # --- workflows and apps ------------------------------------------------------------------------------------------

    def workflow(self, workflow_id: str) -> Workflow | None:
        """Return a saved workflow."""
        if (own := self._own.get(workflow_id)) is not None:
            return own
        told = self._index["workflows"].get(workflow_id)
        if told is None:
            return None
        return Workflow(workflow_id, told["title"], _graph(told["graph"]), told.get("ran", True))

    def save(self, workflow_id: str, graph: Graph) -> Workflow:
        """Keep a workflow as if it had been saved and run on the website."""
        self._own[workflow_id] = Workflow(workflow_id, workflow_id, graph)
        return self._own[workflow_id]

    def read_graph(self, text: Json) -> Graph:
        """Return the graph in a JSON text. Raises RefusalError (433)."""
        try:
            return as_graph(json.loads(text) if isinstance(text, str) else text)
        except (ValueError, RecursionError):
            raise RefusalError("433", "`workflow` is not JSON") from None

    def app(self, app_id: str) -> App | None:
        """Return an app."""
        told = self._index["apps"].get(app_id)
        return None if told is None else App.of(app_id, told)

    def apps(self) -> Sequence[App]:
        """Return every app."""
        return [App.of(app_id, told) for app_id, told in self._index["apps"].items()]

    def styles(self, app_id: str, kind: int, base: str) -> list[Json]:
        """Return the styles of an app of quick create as the service lists them, none for other apps."""
        app = self.app(app_id)
        if app is None or not app.quick_create:
            return []
        return [_style(str(at), told, app_id, kind) | {"modelPreviewUrl": f"{base}/styles/{told['key']}.png"}
                for at, told in enumerate(self._index["styles"], 1)]  # fmt: skip

    # --- names of files ----------------------------------------------------------------------------------------------

    def names(self) -> Collection[str]:
        """Return the names that loaders find without an upload: examples, and LoRAs of anybody."""
        examples = {choice for known in node_classes().values() for each in known.inputs.values() if each.is_file
                    for choice in each.choices}  # fmt: skip
        return {*examples, *self.loras, *(told["lora"] for told in self._index["styles"])}

    def resources(self, kind: str, part: str) -> list[Json]:
        """Return the public model files of a kind whose name has ``part`` in it."""
        names: Sequence[str] = [told["lora"] for told in self._index["styles"]] if kind == "LORA" else ()
        if kind in _RESOURCES:
            names = next(iter(node_classes()[_RESOURCES[kind]].inputs.values())).choices
        return [{"resourceName": name.rpartition(".")[0], "resourceType": kind, "nodeModelName": name}
                for name in names if part.casefold() in name.casefold()]  # fmt: skip

    def sign(self, name: str, until: float) -> str:
        """Return what opens the place of a LoRA until then, in simulated time."""
        self._places[name] = until
        return _signature(name, until)

    def may_put(self, name: str, signature: str, now: float) -> bool:
        """Whether a file may be put at this place now."""
        until = self._places.get(name)
        return until is not None and now <= until and signature == _signature(name, until)

    # --- machines ----------------------------------------------------------------------------------------------------

    def warmed(self, key: str, workflow_id: str, machine: str) -> bool:
        """Whether a machine of the account has just run this, and remember that it will have."""
        before = len(self._warm)
        self._warm.add((key, workflow_id, machine))
        return len(self._warm) == before


@cache
def _graph(name: str) -> Graph:
    return as_graph(json.loads((_SAVED / f"{name}.json").read_text(encoding="utf-8")))


def _signature(name: str, until: float) -> str:
    return hashlib.sha256(f"{name} {until}".encode()).hexdigest()[:40]


def _style(number: str, told: Mapping[str, Any], app_id: str, kind: int) -> dict[str, Json]:
    return {
        "id": number,
        "type": kind,
        "webappId": app_id,
        "modelCategory": 1,
        "modelName": told["name"],
        "modelKey": told["key"],
        "content": told["name"],
        "modelTrigger": told["trigger"],
        "modelLoar1FileName": told["lora"],
        "modelLoar1Weight": told["weight"],
        "modelLoar2FileName": None,
        "modelLoar2Weight": None,
    }
