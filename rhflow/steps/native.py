"""A ComfyUI workflow on a server of the user's own: nothing is paid, so nothing is journalled as a payment."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from rhflow.core.errors import Problem, StepError, StepTimeoutError
from rhflow.core.plan.calls import StepCall, StepResult
from rhflow.core.values import MEDIA_TYPES, Artifact, Outputs
from rhflow.runninghub.native import ComfyServer, Ended
from rhflow.steps.context import Report, Tools
from rhflow.steps.patience import patience_of

_GAP, _LONGEST_GAP, _GROWTH = 0.2, 2.0, 1.3


async def run(
    call: StepCall, graph: Mapping[str, Any], server: ComfyServer, report: Report, tools: Tools
) -> StepResult:
    """Run a graph, complete with its values, and bring the results home. Raises RhflowError."""
    began = tools.now()
    prompt = await server.queue(graph)
    await report("task.status", {"status": "QUEUED", "prompt": prompt})
    limit = patience_of(call)
    try:
        async with asyncio.timeout(limit):
            ended = await _wait(prompt, server)
    except TimeoutError:
        message = f"prompt `{prompt}` is not done after {limit:g} s; it goes on at `{server.address}`"
        raise StepTimeoutError(Problem("timeout", message, hint="a longer `timeout` waits longer")) from None
    outputs = await _outputs(ended, call.node, server, tools)
    return StepResult(outputs, tools.now() - began)


async def value_for(value: Any, server: ComfyServer, tools: Tools) -> Any:
    """Return a value as a node takes it: a file by the name that the server gives it."""
    if not isinstance(value, Artifact):
        return value
    if value.media_type == MEDIA_TYPES["safetensors"]:
        hint = "copy it into the server's folder of models, and give its name as a text"
        raise StepError(Problem("lora-local", f"`{value.name}` cannot be sent to a server of your own", hint=hint))
    kept = await tools.vault.keep(value)
    name = f"{kept.digest[:16]}.{kept.extension}"
    return await server.upload(tools.vault.path_of(kept), name)


async def _wait(prompt: str, server: ComfyServer) -> Ended:
    gap = _GAP
    while (ended := await server.ended(prompt)) is None:
        await asyncio.sleep(gap)
        gap = min(gap * _GROWTH, _LONGEST_GAP)
    return ended


async def _outputs(ended: Ended, label: str, server: ComfyServer, tools: Tools) -> Outputs:
    files = [each for each in ended.made if each.url is not None]
    texts = [each for each in ended.made if each.text is not None]
    if not files and not texts:
        message = f"the graph ran at `{server.address}` but gave nothing"
        raise StepError(Problem("no-output", message, hint="of a workflow only nodes that save give anything"))
    fetched = []
    for at, each in enumerate(files):
        name = label if len(files) == 1 else f"{label}-{at + 1}"
        extension = each.name.rpartition(".")[2]
        fetched.append(await tools.vault.fetch(str(each.url), name, extension, source=server))
    nodes = tuple(each.node for each in (*files, *texts))
    return Outputs(tuple(fetched), tuple(str(each.text) for each in texts), nodes)
