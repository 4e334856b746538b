"""A graph on a server of the user's own: nothing is paid, so nothing is journalled as a payment."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from rhflow.core.errors import Problem, StepError, StepTimeoutError
from rhflow.core.plan.calls import StepCall, StepResult
from rhflow.core.values import MEDIA_TYPES, Artifact, Outputs
from rhflow.runninghub.native import ComfyServer, Ended
from rhflow.runninghub.waiting.progress import follow
from rhflow.steps.context import Report, Tools
from rhflow.steps.patience import patience_of
from rhflow.steps.progress import shown
from rhflow.steps.submit import call_name

_GAP, _LONGEST_GAP, _GROWTH = 0.2, 2.0, 1.3


async def run(
    call: StepCall, graph: Mapping[str, Any], server: ComfyServer, report: Report, tools: Tools
) -> StepResult:
    """Run a graph, complete with its values, and bring the results home. Raises RhflowError."""
    began, client = tools.now(), call_name(call.key)
    prompt = await server.queue(graph, client_id=client)
    await report("task.status", {"status": "QUEUED", "prompt": prompt})
    limit, over = patience_of(call), asyncio.Event()
    follows = partial(follow, server.socket(client), prompt=prompt, direct=True)

    async def known() -> Mapping[str, Any]:
        return graph

    seen = shown(follows, report, tools, over=over.set, graph=known) if tools.watched else nullcontext()
    try:
        async with asyncio.timeout(limit), seen:
            ended = await _wait(prompt, server, over)
    except TimeoutError:
        message = f"prompt `{prompt}` is not done after {limit:g} s; it goes on at `{server.address}`"
        raise StepTimeoutError(Problem("timeout", message, hint="a longer `timeout` waits longer")) from None
    outputs = await _outputs(ended, call.node, server, tools)
    return StepResult(outputs, tools.now() - began)


async def value_for(value: Any, server: ComfyServer, tools: Tools) -> Any:
    """Return a value as a node takes it: a file by the name that the server gives it."""
    if not isinstance(value, Artifact):
        return value
    if is_lora(value):
        hint = "copy it into the server's folder of models, and give its name as a text"
        raise StepError(Problem("lora-local", f"`{value.name}` cannot be sent to a server of your own", hint=hint))
    return await sent(value, server.upload, tools)


Upload: TypeAlias = Callable[[Path, str, str], Awaitable[str]]
"""Sends a file, under a name and as a media type, and returns what loader nodes call it."""


async def sent(file: Artifact, upload: Upload, tools: Tools) -> str:
    """Send a file to a ComfyUI, named by its content, and return what loader nodes call it there."""
    kept = await tools.vault.keep(file)
    return await upload(tools.vault.path_of(kept), f"{kept.digest[:16]}.{kept.extension}", kept.media_type)


def is_lora(file: Artifact) -> bool:
    """Whether a file is one that only loaders of models read."""
    return file.media_type == MEDIA_TYPES["safetensors"]


async def _wait(prompt: str, server: ComfyServer, over: asyncio.Event) -> Ended:
    """Return a prompt that has ended, asking again and again, and at once when ``over`` is set."""
    gap = _GAP
    while (ended := await server.ended(prompt)) is None:
        try:
            await asyncio.wait_for(over.wait(), gap)
            over.clear()
            gap = _GAP
        except TimeoutError:
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
