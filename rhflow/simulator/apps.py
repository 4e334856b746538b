"""AI apps: a saved workflow behind a form with a few labelled inputs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rhflow.core.values import Json
from rhflow.simulator.graphs.nodes import Graph, input_of

if TYPE_CHECKING:
    from rhflow.simulator.library import Library


@dataclass(frozen=True, slots=True)
class App:
    """One app; ``inputs`` as they were written down, ``quick_create`` the code of its module, "" where it is none."""

    id: str
    name: str
    description: str
    workflow: str
    inputs: tuple[Mapping[str, Any], ...]
    quick_create: str = ""

    @classmethod
    def of(cls, app_id: str, told: Mapping[str, Any]) -> App:
        """Return the app that an entry of the index describes."""
        inputs = tuple(told["inputs"])
        code = told.get("quickCreateCode", "")
        return cls(app_id, told["name"], told["description"], told["workflow"], inputs, code)

    @property
    def places(self) -> frozenset[tuple[str, str]]:
        """The nodes and inputs that can be set."""
        return frozenset((each["nodeId"], each["fieldName"]) for each in self.inputs)

    def record(self, base: str) -> dict[str, Json]:
        """Return it as the list of apps has it; its id is only in the example."""
        example = f"curl -X POST {base}/openapi/v2/run/ai-app/{self.id} -H 'Authorization: Bearer <key>'"
        return {"title": self.name, "description": self.description, "cover": None, "invokeExample": example}

    def demo(self, base: str, library: Library) -> dict[str, Json]:
        """Return the example of a call: each input with its present value and what it takes."""
        workflow = library.workflow(self.workflow)
        assert workflow is not None
        nodes: list[Json] = [_shown(each, workflow.graph) for each in self.inputs]
        body = json.dumps({"webappId": self.id, "apiKey": "<key>", "nodeInfoList": nodes}, ensure_ascii=False)
        return {
            "curl": f"curl -X POST {base}/task/openapi/ai-app/run -H 'Content-Type: application/json' -d '{body}'",
            "webappName": self.name,
            "accessEncrypted": False,
            "nodeInfoList": nodes,
            "statisticsInfo": dict.fromkeys(("likeCount", "downloadCount", "useCount", "pv", "collectCount"), "0"),
            "covers": [],
            "tags": [],
        }


def _shown(told: Mapping[str, Any], graph: Graph) -> dict[str, Json]:
    node = graph[told["nodeId"]]
    value = node["inputs"][told["fieldName"]]
    return {
        "nodeId": told["nodeId"],
        "nodeName": node["class_type"],
        "fieldName": told["fieldName"],
        "fieldValue": value if isinstance(value, str) else json.dumps(value),
        "fieldData": json.dumps(_takes(told, graph), ensure_ascii=False),
        "fieldType": told["fieldType"],
        "description": told["description"],
        "descriptionEn": told["descriptionEn"],
    }


def _takes(told: Mapping[str, Any], graph: Graph) -> Json:
    """Return what an input takes: a list of choices that ends in the default, or what ComfyUI says of it."""
    node = graph[told["nodeId"]]
    if "choices" in told:
        choices: list[Json] = [
            {"name": name, "index": str(at), "description": name} for at, name in enumerate(told["choices"], 1)
        ]
        return [*choices, {"default": str(node["inputs"][told["fieldName"]]), "description": "default"}]
    takes = input_of(node, told["fieldName"])
    assert takes is not None
    return takes.described()
