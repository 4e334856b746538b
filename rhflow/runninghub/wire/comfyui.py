"""What a ComfyUI says in its own words, as plain data: a prompt taken or rejected, what it made, why it failed.

The same whoever runs it: a server of the user's own, or RunningHub's gateway.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from rhflow.core.errors import Problem, StepError
from rhflow.runninghub.wire.errors import PromptRejectedError, tidy
from rhflow.runninghub.wire.members import text_of

INTERRUPTED = "execution_interrupted"


@dataclass(frozen=True, slots=True)
class Saved:
    """One output of a prompt: the node that made it, and a file (``query`` of ``view``, and its name) or a text."""

    node: str
    query: str | None = None
    name: str = ""
    text: str | None = None


def outputs_of(entry: Mapping[str, Any]) -> Iterator[Saved]:
    """Yield what an entry of the history says was made, node by node; previews (``temp``) are none."""
    outputs = entry.get("outputs")
    for node, lists in outputs.items() if isinstance(outputs, dict) else ():
        for each in _items(lists):
            if isinstance(each, str):
                yield Saved(node, text=each)
            elif isinstance(each, dict) and each.get("type") == "output":
                asked = {name: text_of(each.get(name)) for name in ("filename", "subfolder", "type")}
                yield Saved(node, urlencode(asked), asked["filename"])


def _items(lists: Any) -> Iterator[Any]:
    for found in lists.values() if isinstance(lists, dict) else ():
        yield from list_in(found)


def list_in(found: Any) -> list[Any]:
    """Return what should be a list, an empty one where it is none."""
    return found if isinstance(found, list) else []


def failure_in(entry: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return why the prompt of an entry failed, with the node's facts where one did; None when it did not.

    ``exception_type`` is ``execution_interrupted`` for one that somebody stopped.
    """
    status = entry.get("status")
    if not isinstance(status, dict) or status.get("status_str") != "error":
        return None
    for each in list_in(status.get("messages")):
        match each:
            case ["execution_error", {"node_id": node, "node_type": name} as facts]:
                told = {each: text_of(facts.get(each)) for each in ("exception_type", "exception_message")}
                return {"node_id": text_of(node), "node_name": text_of(name), **told}
            case [name, *_] if name == INTERRUPTED:
                return {"exception_type": INTERRUPTED}
    return {}


def rejection(reply: Mapping[str, Any]) -> PromptRejectedError:
    """Return the error for a graph that ComfyUI will not run, with the node at fault where it names one."""
    errors = reply.get("node_errors")
    for node, found in errors.items() if isinstance(errors, dict) else ():
        if not isinstance(found, dict):
            continue
        told = list_in(found.get("errors"))
        first = told[0] if told and isinstance(told[0], dict) else {}
        why = tidy(": ".join(filter(None, (text_of(first.get("message")), text_of(first.get("details"))))))
        message = f"ComfyUI rejects node `{node}` (`{text_of(found.get('class_type'))}`): {why}"
        hint = "compare the values with what the node takes"
        return PromptRejectedError(Problem("comfyui-rejected", message, hint=hint))
    error = reply.get("error")
    why = text_of(error.get("message")) if isinstance(error, dict) else text_of(error)
    return PromptRejectedError(Problem("comfyui-rejected", f"ComfyUI rejects the graph: {tidy(why)}"))


def uploaded_name(reply: Mapping[str, Any]) -> str:
    """Return what loader nodes call a file that was uploaded, "" where the reply names none."""
    stored, folder = text_of(reply.get("name")), text_of(reply.get("subfolder"))
    return f"{folder}/{stored}" if folder and stored else stored


def unreadable_comfyui(what: str) -> StepError:
    """Return the error for a reply that no ComfyUI gives."""
    hint = "check that the address is that of a ComfyUI server"
    return StepError(Problem("comfyui-unreadable", f"the reply of ComfyUI cannot be read: {what}", hint=hint))
