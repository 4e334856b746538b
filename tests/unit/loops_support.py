"""What the tests of loops share: two recipes, graphs of recipes, and the prompts that come of them."""

from __future__ import annotations

from typing import Any

from rhflow.core.graph.expand import expand
from rhflow.core.graph.graph import Graph
from rhflow.core.plan.plan import Plan, Run
from tests.support import Bench, good, statuses

FILM = """
params: {shots: [dawn, noon]}
steps:
  photo: {uses: upload, with: {file: a.png}}
  still:
    uses: image-to-image
    foreach: ${{ params.shots }}
    with: {prompt: "${{ item }}", image: "${{ steps.photo.image }}"}
  clip:
    uses: image-to-video
    foreach: ${{ steps.still.items }}
    with: {prompt: push in, image: "${{ item.image }}"}
  sheet:
    uses: image-to-image
    with: {prompt: all of them, images: "${{ steps.still.images }}"}
"""
WORDS = """
steps:
  words: {uses: text-to-text, with: {prompt: a list in JSON}}
  still: {uses: text-to-image, foreach: "${{ steps.words.json }}", with: {prompt: "${{ item.scene }}"}}
  clip:
    uses: image-to-video
    foreach: ${{ steps.still.items }}
    with: {prompt: push in, image: "${{ item.image }}"}
"""


def graph(text: str, **params: Any) -> Graph:
    """Return the graph of a recipe, with its parameters or else their defaults."""
    pipeline = good(text)
    defaults = {name: param.default for name, param in pipeline.params.items()}
    return expand(pipeline, {"params": defaults | params, "vars": {}, "env": {}, "run": {}})


def edges(found: Graph) -> set[tuple[str, str]]:
    return set(found.edges())


def roles(found: Graph) -> dict[str, str]:
    return {name: node.role for name, node in found.nodes.items()}


def prompts(plan: Plan) -> dict[str, Any]:
    """Return the prompt of every call that is known."""
    return {node: each.call.inputs["prompt"] for node, each in plan.decisions.items() if isinstance(each, Run)}


def kinds(plan: Plan) -> dict[str, str]:
    return {node: type(each).__name__ for node, each in plan.decisions.items()}


async def prompts_run(text: str, **told: Any) -> dict[str, Any]:
    """Run a recipe and return the prompt that each node was sent."""
    bench = Bench(text, **told)
    results = await bench.run()
    assert {each.status for each in results.values()} <= {"succeeded", "skipped", "empty"}, statuses(results)
    return {call.node: call.inputs.get("prompt") for call in bench.executor.calls}
