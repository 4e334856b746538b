"""A graph that is saved nowhere, run by RunningHub's gateway: paid once, and the key in its links never shown."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from rhflow.catalog.catalog import Catalog
from rhflow.core.errors import Source
from rhflow.core.text.source import read
from rhflow.simulator.app import create_app
from rhflow.simulator.config import SimulatorConfig
from rhflow.simulator.fault_plan import FaultPlan, read_plan
from tests.e2e.case import KEY
from tests.e2e.crashes import Ended
from tests.e2e.desk import Desk, pytestmark, says  # noqa: F401 -- the mark says where it works
from tests.simulator_support import ManualClock, serving
from tests.unit.test_simulator_gateway import MOVE, PAINT, RESTYLE, graph

RECIPE = """\
rhflow: 1
name: mine
params:
  words: a red boat on a lake
steps:
  draw:
    uses: comfyui
    with: {graph: paint.json, instance_type: plus, nodes: {6.text: "${{ params.words }}", 5.width: 128, 5.height: 128}}
  style:
    uses: comfyui
    with: {graph: restyle.json, nodes: {1.image: "${{ steps.draw.nodes['9'].image }}", 2.megapixels: 0.02}}
outputs:
  boat: ${{ steps.draw.image }}
  styled: ${{ steps.style.nodes['14'].image }}
"""
ALONE = RECIPE.partition("  style:")[0]
FAILING = (
    "rhflow: 1\nsteps:\n  move: {uses: comfyui, with: {graph: move.json, nodes: {50.length: 121, 50.width: 1280}}}\n"
)
WITH_KEY = {"RUNNINGHUB_API_KEY": KEY}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with served(tmp_path, SimulatorConfig(speed=500)) as desk:
        desk.recipe(RECIPE)
        yield desk


def prepared(desk: Desk) -> Desk:
    """Write the recipe and the graphs that it reads."""
    for name, workflow in (("paint", PAINT), ("restyle", RESTYLE), ("move", MOVE)):
        (desk.folder / f"{name}.json").write_text(json.dumps(graph(workflow)))
    desk.recipe(ALONE)
    return desk


def run(desk: Desk, *arguments: str, **how: object) -> Ended:
    """Call the command with a key, which must be in nothing that it says or leaves."""
    ended = desk.run(*arguments, env=WITH_KEY, **how)
    for path in desk.folder.rglob("*"):
        assert not path.is_file() or KEY.encode() not in path.read_bytes(), path
    assert KEY not in ended.out + ended.err
    return ended


def test_a_graph_of_ones_own_runs_without_a_saved_workflow(desk: Desk) -> None:
    done = run(desk, "run", "recipe.yaml", "--json").document
    assert (done["status"], desk.accepted()) == ("succeeded", 2)
    with Image.open(desk.folder / done["outputs"]["boat"]) as boat, Image.open(desk.folder / done["outputs"]["styled"]):
        assert boat.size == (128, 128)
    assert desk.simulator.stats()["per_endpoint"] == {"proxy/prompt": 2}
    tasks = {each["id"]: each["task_id"] for each in run(desk, "show", "--json").document["nodes"]}
    assert tasks["draw"].startswith("proxy-plus:")
    shown = run(desk, "task", "show", tasks["style"], "--json").document
    assert (shown["status"], shown["cost"]) == ("SUCCESS", None)
    assert shown["results"][0]["url"].startswith("gateway:/proxy/view?filename=restyled_0")
    assert run(desk, "run", "recipe.yaml", "--json").document["requests"]["submit"] == 0


def test_what_it_cannot_be_asked_for_is_told_before_anything_is_sent(desk: Desk) -> None:
    desk.recipe("""\
rhflow: 1
steps:
  many: {uses: comfyui, with: {graph: paint.json, personal_queue: true, metadata: false, instance_type: ultra}}
  none: {uses: comfyui, with: {nodes: {6.text: a}}}
""")
    says(
        run(desk, "validate", "recipe.yaml"), 3, "`personal_queue` goes only with `workflow`",
        "`metadata` goes only with `workflow`", "`instance_type: ultra` goes only with `workflow`",
        "`comfyui` needs `workflow` or `graph`",
    )  # fmt: skip
    desk.recipe(RECIPE.replace("5.width", "55.width"))
    says(run(desk, "run", "recipe.yaml"), 3, "the graph has no node `55`")
    desk.recipe(RECIPE.replace("5.width: 128", "5.width: 1"))
    says(run(desk, "run", "recipe.yaml"), 1, "ComfyUI rejects node `5` (`EmptyLatentImage`): Value 1 smaller than min")
    assert desk.accepted() == 0


def test_a_failure_names_its_node(desk: Desk) -> None:
    desk.recipe(FAILING)
    says(run(desk, "run", "recipe.yaml"), 1, "failed at node `3` (`KSampler`): torch.OutOfMemoryError")


def test_a_prompt_is_taken_up_by_its_id_and_never_paid_for_twice(desk: Desk) -> None:
    desk.recipe(ALONE)
    assert run(desk, "run", "recipe.yaml", at=1, moment="kept", only="submit.accepted").code is None
    says(run(desk, "resume"), 0, "draw")
    assert desk.accepted() == 1
    desk.recipe(ALONE.replace("red", "green"))
    assert run(desk, "run", "recipe.yaml", at=1, moment="kept", only="submit.accepted").code is None
    (desk.folder / "recipe.yaml").unlink()
    says(run(desk, "resume"), 2, "1 result fetched")
    assert desk.accepted() == 2


@contextmanager
def served(folder: Path, config: SimulatorConfig, clock: ManualClock | None = None) -> Iterator[Desk]:
    """Serve a simulator from this process, so that it can be looked into, and yield a folder that knows it."""
    app = create_app(Catalog.load(), config, clock=clock)
    try:
        with serving(app) as url:
            yield prepared(Desk(folder, At(url, app.state.simulator.stats)))
    finally:
        app.state.simulator.close()


@dataclass
class At:
    """A simulator at an address, with its counts."""

    url: str
    stats: Callable[[], dict[str, Any]]


@pytest.mark.parametrize("moment", ["kept", "before"])
@pytest.mark.parametrize(("now", "status"), [(0.5, "QUEUED"), (3.0, "RUNNING")])
def test_a_prompt_is_cancelled_whether_it_waits_or_runs_and_its_reply_came_or_not(
    now: float,
    status: str,
    moment: str,
    tmp_path: Path,
) -> None:
    clock = ManualClock()
    with served(tmp_path, SimulatorConfig(), clock) as desk:
        assert run(desk, "run", "recipe.yaml", at=1, moment=moment, only="submit.accepted").code is None
        clock.now = now
        assert desk.simulator.stats()["tasks"][status] == 1
        says(run(desk, "cancel", "--remote"), 0, "draw (task proxy-plus:", "cancelled")
        assert desk.simulator.stats()["tasks"]["CANCEL"] == 1


def plan_of(fault: str) -> FaultPlan:
    return read_plan(read(Source("faults.yaml", f"faults: 1\nrules:\n  - {fault}\n")))


def test_a_prompt_whose_reply_was_lost_is_known_again_by_its_mark(tmp_path: Path) -> None:
    faults = plan_of("{fault: drop, on: submit, when: after, at: 1}")
    with served(tmp_path, SimulatorConfig(speed=2000, faults=faults)) as desk:
        says(run(desk, "run", "recipe.yaml"), 0, "draw  succeeded")
        assert desk.accepted() == 1
        desk.recipe(ALONE.replace("red", "green"))
        killed = run(desk, "run", "recipe.yaml", at=1, moment="before", only="submit.accepted")
        assert (killed.code, desk.accepted()) == (None, 2)
        says(run(desk, "resume"), 0, "draw  succeeded")
        assert desk.accepted() == 2


@pytest.mark.parametrize(
    ("fault", "code", "says_why"),
    [
        ("{fault: drop, on: [submit], at: 1}", 5, "`/proxy-plus/prompt` may have been accepted"),
        ("{fault: drop, on: [query], every: 1}", 1, "no answer to the query of task `proxy-plus:"),
        ("{fault: server-error, on: [download], every: 1}", 1, "the result `gateway:/proxy-plus/view"),
        ("{fault: auth, on: [submit], every: 1}", 4, "/proxy-plus/prompt"),
    ],
)
def test_whatever_goes_wrong_the_key_is_not_shown(
    fault: str,
    code: int,
    says_why: str,
    tmp_path: Path,
) -> None:
    with served(tmp_path, SimulatorConfig(speed=20_000, faults=plan_of(fault))) as desk:
        says(run(desk, "run", "recipe.yaml"), code, says_why)
        says(run(desk, "show", "--json"), 0)
        says(run(desk, "resume"), code)
