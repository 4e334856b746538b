"""What a running graph tells of itself while it is waited for: shown as it goes; its end makes the poller ask at once.

The service gives the address of a graph's socket with the reply to its submit when it starts at once, else only when
it is asked by the older call while the graph runs. That is worth questions only where somebody looks on.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

from rhflow.core.errors import RhflowError
from rhflow.runninghub.operations.gateway import gate_of
from rhflow.runninghub.waiting.progress import Heard, Place, follow, socket_of
from rhflow.steps.context import Report, Tools

FIRST_QUESTION = 2.0
"""Seconds of the service until a task is asked where it tells its progress; then twice as long each time."""

Graph: TypeAlias = Mapping[str, Any]
Follow: TypeAlias = Callable[[Heard], Awaitable[None]]
"""Tells of every new place of a graph, until there is nothing more to tell."""
GraphOf: TypeAlias = Callable[[], Awaitable[Graph]]
"""Returns a graph in API format, for the names of its nodes. Raises RhflowError."""


@asynccontextmanager
async def shown(
    following: Follow, report: Report, tools: Tools, *, over: Callable[[], object], graph: GraphOf | None = None
) -> AsyncIterator[None]:
    """Report the progress of a graph while the block waits for it; ``over`` is called when it may have ended."""
    task = asyncio.create_task(_show(following, report, tools, over, graph))
    try:
        yield
    finally:
        if not task.done():  # else a cancellation would hush up what went wrong in it
            task.cancel()
            await asyncio.wait([task])


async def _show(
    following: Follow, report: Report, tools: Tools, over: Callable[[], object], graph: GraphOf | None
) -> None:
    nodes: Graph | None = None
    told: Mapping[str, Any] = {}

    async def heard(place: Place) -> None:
        nonlocal nodes, told
        if place.over:
            over()
        if place.node is None:
            return
        if nodes is None:
            nodes = await _nodes(graph)
        facts = _facts(place, nodes)
        if facts != told:
            told = facts
            await report("task.progress", dict(facts))

    async with tools.sockets:
        await following(heard)
    if told:  # what was told last need not be true any more
        await report("task.progress", dict(_facts(Place(), {})))


async def _nodes(graph: GraphOf | None) -> Graph:
    try:
        return {} if graph is None else await graph()
    except RhflowError:
        return {}  # it runs all the same, and is shown without names


def _facts(place: Place, nodes: Graph) -> Mapping[str, Any]:
    """Return what is told of a place, in whole percents: what has not changed by one need not be told."""
    found = nodes.get(place.node or "")
    return {
        "graph_node": place.node,
        "class": found.get("class_type") if isinstance(found, Mapping) else None,
        "percent": None if place.share is None else int(place.share * 100),
        "done": len(place.done),
        "nodes": len(nodes) or None,
    }


def following(task_id: str, given: str | None, running: asyncio.Event, tools: Tools, *, client: str) -> Follow:
    """Return what follows a task of the service at the socket ``given``, or where it is told to be once it runs.

    ``running`` is set when somebody sees that it does. A prompt of the gateway is told of under the name ``client``
    that it was sent with, if that is known.
    """

    async def to_the_end(heard: Heard) -> None:
        if gate_of(task_id) is not None:
            if client:
                await follow(tools.hub.gateway_socket(task_id, client), heard, prompt=task_id.partition(":")[2])
            return
        url = given or (await _asked(task_id, running, tools) if tools.watched else None)
        if url is not None:
            await follow(url, heard)

    return to_the_end


async def _asked(task_id: str, running: asyncio.Event, tools: Tools) -> str | None:
    """Ask where a task tells its progress, rarely, until it runs; None where it does not tell."""
    gap = FIRST_QUESTION * tools.clock.scale
    while True:
        try:
            async with asyncio.timeout(gap):
                await running.wait()
        except TimeoutError:
            gap *= 2
        running.clear()
        try:
            state = await tools.hub.outputs(task_id)
        except RhflowError:
            return None
        if state.ended or state.status == "RUNNING":
            return socket_of(state.raw)
