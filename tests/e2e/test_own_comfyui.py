"""A graph on a ComfyUI server of one's own: no key, no payment, the same recipe."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from PIL import Image
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rhflow.catalog.catalog import Catalog
from rhflow.simulator.app import HEADER, create_app
from rhflow.simulator.config import SimulatorConfig
from tests.e2e.case import Case
from tests.simulator_support import serving
from tests.unit.test_simulator_gateway import RESTYLE, graph

RECIPE = """\
rhflow: 1
name: own
params:
  photo: {type: image, default: photo.png}
  select: 2
steps:
  draw:
    uses: comfyui
    with:
      graph: graph.json
      nodes: {1.image: "${{ params.photo }}", 2.megapixels: 0.01, 7.select: "${{ params.select }}"}
outputs:
  cat: ${{ steps.draw.nodes['14'].image }}
"""


class NotOurs:
    """A simulator that does not say that it is one: what a ComfyUI on one's own machine looks like."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def bare(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [each for each in message["headers"] if each[0] != HEADER.encode()]
            await send(message)

        await self._app(scope, receive, bare)


@pytest.fixture
def simulated() -> Iterator[Any]:
    app = create_app(Catalog.load(), SimulatorConfig(speed=2000))
    yield app
    app.state.simulator.close()


@pytest.fixture
def comfyui(simulated: Any) -> Iterator[str]:
    with serving(NotOurs(simulated)) as url:
        yield url


def prepared(case: Case) -> Case:
    Image.new("RGB", (40, 30), "orange").save(case.folder / "photo.png")
    (case.folder / "graph.json").write_text(json.dumps(graph(RESTYLE)), encoding="utf-8")
    return case.recipe(RECIPE)


def test_the_same_recipe_runs_on_a_server_of_ones_own(case: Case, comfyui: str) -> None:
    # Nothing listens at the service's address: a request there would be an error
    case.env = {"RUNNINGHUB_BASE_URL": "https://www.runninghub.invalid"}
    (case.folder / "rhflow.toml").write_text(f'[comfyui]\nserver = "{comfyui}"\n', encoding="utf-8")
    plan = prepared(case).run("plan", "recipe.yaml", "--json").exit(0).document
    assert [each["will"] for each in plan["nodes"]] == ["run"]
    done = prepared(case).run("run", "recipe.yaml", "--json").exit(0).document
    assert (done["realm"], done["requests"]["submit"], [each.name for each in case.delivered()]) == (
        "live",
        0,
        ["cat.png"],
    )
    [entry] = httpx.get(f"{comfyui}/history").json().values()
    image = entry["prompt"][2]["1"]["inputs"]["image"]
    assert entry["prompt"][3]["client_id"]
    sent = httpx.get(f"{comfyui}/view", params={"filename": image, "type": "input"})
    assert sent.content == (case.folder / "photo.png").read_bytes()
    case.run("run", "recipe.yaml", "-p", "select=0").exit(1).says(
        "ComfyUI rejects node `7` (`ImpactSwitch`): Value 0 smaller than min of 1"
    )
    case.run("run", "recipe.yaml", "-p", "select=9").exit(1).says("failed at node `7` (`ImpactSwitch`): ImpactSwitch:")


def test_the_environment_goes_before_the_project_and_a_simulator_counts_as_one(case: Case, simulated: Any) -> None:
    with serving(simulated) as url:
        case.env = {"RHFLOW_COMFYUI_SERVER": url, "RUNNINGHUB_BASE_URL": "https://www.runninghub.invalid"}
        (case.folder / "rhflow.toml").write_text('[comfyui]\nserver = "http://127.0.0.1:9"\n', encoding="utf-8")
        prepared(case).run("run", "recipe.yaml").exit(1).says(
            f"`{url}` is a simulator, but this run is live", "RUNNINGHUB_BASE_URL"
        )
        assert simulated.state.simulator.stats()["accepted"] == 0
        case.env["RUNNINGHUB_BASE_URL"] = url
        done = case.run("run", "recipe.yaml", "--json").exit(0).document
        assert (done["realm"], done["requests"]["submit"]) == ("simulated", 0)
        assert simulated.state.simulator.stats()["per_endpoint"] == {"proxy/prompt": 1}
