"""Workflows, apps and quick create modules by the real command, on a simulator that counts."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest

from rhflow.cli.root import invoke
from tests.e2e.case import KEY, Case, Simulator

DRAW, RESTYLE, RESTYLER, MOTION = (f"1900000000000000{at}" for at in (101, 102, 202, 203))
RECIPE = f"""\
rhflow: 1
name: workflows
params:
  words: a red fox in snow
  lora: {{type: file, default: ink.safetensors}}
  door: {{type: string, secret: true, default: open-sesame}}
steps:
  lora: {{uses: upload-lora, with: {{file: "${{{{ params.lora }}}}"}}}}
  draw:
    uses: comfyui
    with:
      workflow: {DRAW}
      graph: graph.json
      instance_type: plus
      password: ${{{{ params.door }}}}
      nodes:
        6.text: ${{{{ params.words }}}}
        10.lora_name: ${{{{ steps.lora.file }}}}
        5.width: 256
        5.height: 256
  restyle:
    uses: comfyui
    with: {{workflow: {RESTYLE}, nodes: {{1.image: "${{{{ steps.draw.nodes['9'].image }}}}"}}}}
  app:
    uses: app
    with: {{app: {RESTYLER}, inputs: {{Photo: "${{{{ steps.draw.image }}}}", 风格: night}}}}
  quick:
    uses: quick-create
    with: {{app: {RESTYLER}, code: "002", inputs: {{Photo: "${{{{ steps.draw.image }}}}", Style: Winter}}}}
outputs:
  drawn: ${{{{ steps.draw.nodes['9'].image }}}}
  restyled: ${{{{ steps.restyle.image }}}}
  night: ${{{{ steps.app.image }}}}
  winter: ${{{{ steps.quick.image }}}}
"""


@pytest.fixture
def live(case: Case, simulator: Simulator) -> Case:
    simulator.reset()
    case.env = {"RUNNINGHUB_BASE_URL": simulator.url, "RUNNINGHUB_API_KEY": KEY}
    return case


def with_graph(case: Case) -> Case:
    """Write a LoRA, and the graph of a workflow with a loader for it in between."""
    head = json.dumps({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    (case.folder / "ink.safetensors").write_bytes(struct.pack("<Q", len(head)) + head + b"\0\0\0\0")
    graph = json.loads(case.run("workflow", "export", DRAW).exit(0).out)
    loader = {"lora_name": "none", "strength_model": 0.8, "strength_clip": 0.8, "model": ["4", 0], "clip": ["4", 1]}
    graph["10"] = {"class_type": "RHLoraLoader", "inputs": loader}
    graph["3"]["inputs"]["model"] = ["10", 0]
    (case.folder / "graph.json").write_text(json.dumps(graph), encoding="utf-8")
    return case


def test_all_kinds_in_one_run_and_the_key_nowhere(live: Case, simulator: Simulator) -> None:
    with_graph(live).recipe(RECIPE)
    first = live.run("run", "recipe.yaml", "--json").exit(0)
    assert [path.name for path in live.delivered()] == ["drawn.png", "night.png", "restyled.png", "winter.png"]
    assert simulator.stats()["accepted"] == 4
    again = live.run("run", "recipe.yaml", "--json").exit(0)
    assert again.document["requests"]["submit"] == 0
    task = next(
        each["task_id"] for each in live.run("show", "--json").exit(0).document["nodes"] if each["id"] == "draw"
    )
    found = live.run("task", "show", task, "--json").exit(0).document
    assert (found["status"], [each["node"] for each in found["results"]]) == ("SUCCESS", ["9"])
    shown = live.run("plan", "recipe.yaml", "-p", "words=a blue cat").exit(0).says("`nodes: 6.text` changed", DRAW)
    printed = "".join(each.out + each.err for each in (first, again, shown))
    for secret in (KEY, "open-sesame", "Rh-Comfy-Auth"):
        assert secret not in printed
        for path in live.folder.rglob("*"):
            if path.is_file() and path.name != "recipe.yaml":
                assert secret.encode() not in path.read_bytes(), path


def test_what_does_not_fit_is_found_before_anything_is_paid(live: Case, simulator: Simulator) -> None:
    live.recipe(f"""\
rhflow: 1
steps:
  first: {{uses: text-to-image, with: {{prompt: a fox, aspect_ratio: "1:1"}}}}
  draw: {{uses: comfyui, with: {{workflow: {RESTYLE}, nodes: {{66.text: x, 1.image: "${{{{ steps.first.image }}}}"}}}}}}
  move:
    uses: app
    with:
      app: {MOTION}
      inputs: {{What moved: snow, First frame: "${{{{ steps.draw.image }}}}"}}
""")
    done = live.run("run", "recipe.yaml").exit(3)
    done.says("has no node `66`", "hint: ", "--> recipe.yaml:4:")
    done.says("has no input `What moved`", "did you mean `What moves`?", "--> recipe.yaml:9:16")
    assert simulator.stats()["accepted"] == 0
    live.run("runs").exit(0).says("no runs yet")


# --- commands about no recipe, in this process: they need no socket and little time ----------------------------------


def said(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    """Return what a command prints on a simulator."""
    assert invoke([*arguments, "--simulate"]) == code
    printed = capsys.readouterr()
    return printed.out + printed.err


@pytest.mark.parametrize(
    ("arguments", "texts"),
    [
        (("workflow", "show", DRAW), ("6.text", "Prompt", "13 inputs of 7 nodes")),
        (("app", "show", RESTYLER), ("Photo / 上传图片", "Watercolour, Night, Winter")),
        (("app", "list"), (RESTYLER, "Photo restyler")),
        (("app", "styles", RESTYLER), ("Ink", "ink wash")),
        (("account",), ("10000 CNY", "at most 50")),
    ],
)
def test_looking_before_a_recipe_is_written(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], texts: tuple[str, ...]
) -> None:
    told = said(capsys, *arguments)
    assert [text for text in texts if text not in told] == []
    document = json.loads(said(capsys, *arguments, "--json"))
    assert document


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("workflow", "show", "7"), "the workflow does not exist"),
        (("app", "show", "7"), "the AI app does not exist"),
        (("task", "show", "7"), "the task does not exist"),
        (("task", "cancel", "7"), "the task does not exist"),
        (("webhook", "show", "7"), "has no callback"),
        (("webhook", "resend", "7"), "has no callback"),
    ],
)
def test_what_is_not_there(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], text: str) -> None:
    told = said(capsys, *arguments, code=1)
    assert text in told and "hint: " in told


@pytest.mark.parametrize("shown", [("workflow", "show", DRAW), ("app", "show", MOTION)])
def test_a_recipe_to_try_is_valid(capsys: pytest.CaptureFixture[str], tmp_path: Path, shown: tuple[str, ...]) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(said(capsys, *shown, "--recipe"), encoding="utf-8")
    assert invoke(["validate", str(recipe)]) == 0
