"""A ComfyUI workflow in API format: nodes by id, each with ``class_type``, ``inputs`` and perhaps ``_meta.title``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rhflow.runninghub.transport.session import Question, Session
from rhflow.runninghub.wire.envelope import object_in, parsed, unreadable, wrapped


class Graphs(Session):
    """Questions about workflows."""

    async def workflow_graph(self, workflow_id: str) -> dict[str, Any]:
        """Return the graph of a saved workflow, in API format."""
        what, path = f"the workflow `{workflow_id}`", "/api/openapi/getJsonApiFormat"
        question = Question("workflow", what, path, wrapped(_graph), {"workflowId": workflow_id}, key="apiKey")
        return await self.ask(question)


def _graph(data: Any) -> dict[str, Any]:
    text = object_in(data, "workflow").get("prompt")
    try:
        found = parsed(text) if isinstance(text, str) else text
    except (ValueError, RecursionError):
        found = None
    return found if isinstance(found, dict) else unreadable("its workflow is not JSON")


def written(graph: Mapping[str, Any]) -> str:
    """Return a graph as the text that is sent. Raises ValueError for what JSON cannot say."""
    return json.dumps(graph, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
