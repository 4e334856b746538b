"""What a run will cost, by the real command: by the list, by experience, and in the words of the service."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from rhflow.core.events import Event
from rhflow.store.store import Store
from tests.e2e.case import KEY, Case, Inside, Simulator

ROOT = Path(__file__).parents[2]
SIMULATED = ("--simulate", "--speed", "2000")
FLOWS = """\
rhflow: 1
name: flows
budget: {max_cost: 60 coins}
steps:
  draw:
    uses: comfyui
    foreach: [a fox, an owl]
    with: {workflow: "1900000000000000101", nodes: {6.text: "${{ item }}", 5.width: 64, 5.height: 64}}
"""
TWO = """\
rhflow: 1
budget: BUDGET
steps:
  pic: {uses: text-to-image, with: {prompt: a cup}}
  clip: {uses: image-to-video, with: {image: "${{ steps.pic.image }}", prompt: turn}}
"""
MIXED = """\
rhflow: 1
name: mixed
params: {photo: {type: image, default: cup.png}}
steps:
  still: {uses: text-to-image, with: {prompt: a cup}}
  same: {uses: text-to-image, with: {prompt: a cup}}
  look: {uses: image-to-image, with: {images: ["${{ params.photo }}"], prompt: brighter}}
  clip: {uses: image-to-video, with: {image: "${{ steps.still.image }}", prompt: steam, duration: 5}}
  odd: {uses: text-to-video, model: skyreels-v4-fast-t2v, with: {prompt: a clip}}
  draw: {uses: comfyui, with: {workflow: "1900000000000000101"}}
"""


@pytest.fixture
def inside(tmp_path: Path) -> Case:
    Image.new("RGB", (64, 64), "red").save(tmp_path / "cup.png")
    return Inside(tmp_path)


def test_a_price_is_learnt_from_the_bills_and_then_a_budget_needs_no_leave(inside: Case) -> None:
    inside.recipe(FLOWS)
    refused = inside.run("run", "recipe.yaml", *SIMULATED).exit(6)
    refused.says("what the plan costs is not known", "--allow-unknown-cost")
    inside.run("run", "recipe.yaml", *SIMULATED, "--allow-unknown-cost").exit(0)
    told = inside.run("plan", "recipe.yaml", "--simulate", "--no-cache").exit(0)
    told.says("coins (2 runs)", "(~ as the last calls cost)")
    document = inside.run("plan", "recipe.yaml", "--simulate", "--no-cache", "--json").exit(0).document
    bills = [json.loads(inside.run("show", "--json").out)["nodes"][at]["cost"][0] for at in (0, 1)]
    node = document["nodes"][1]
    assert (node["at_least"], node["at_most"]) == (min(map(float, bills)), max(map(float, bills)))
    assert (node["basis"], node["learnt_from"], node["currency"]) == ("learnt", 2, "coins")
    assert document["cost"]["at_most"] == 2 * node["at_most"] and document["cost"]["basis"] == "learnt"
    inside.run("run", "recipe.yaml", *SIMULATED, "--no-cache").exit(0)
    inside.recipe(FLOWS.replace("60 coins", "1 coins"))
    inside.run("run", "recipe.yaml", *SIMULATED, "--no-cache").exit(6).says("judging by the last calls")
    real = inside.run("plan", "recipe.yaml", "--no-cache").exit(0)
    real.says("cost: unknown", "budget: 1 coins; whether that is enough is not known")


@pytest.mark.parametrize(
    ("budget", "answer", "line"),
    [
        ("{max_cost: 2 CNY, max_tasks: 2}", "fits", "budget: 2 CNY, 2 paid calls; the plan fits"),
        ("{max_cost: 1 CNY}", "exceeds", "budget: 1 CNY; the plan exceeds it, so `rhflow run` refuses"),
        ("{max_cost: 9 USD}", "exceeds", "the plan may cost 1.25 CNY, and the budget names no CNY"),
        ("{max_cost: 0}", "exceeds", "the plan may cost 1.25 CNY, more than 0 CNY"),
    ],
)
def test_a_plan_says_what_a_run_will_make_of_the_budget(inside: Case, budget: str, answer: str, line: str) -> None:
    inside.recipe(TWO.replace("BUDGET", budget))
    inside.run("plan", "recipe.yaml").exit(0).says(line)
    assert inside.run("plan", "recipe.yaml", "--json").exit(0).document["budget"]["answer"] == answer
    told = inside.run("run", "recipe.yaml", *SIMULATED, "--allow-unknown-cost")
    assert told.code == (0 if answer == "fits" else 6)


def test_a_budget_in_the_money_of_another_site_is_told_of_early(inside: Case) -> None:
    inside.recipe(TWO.replace("BUDGET", "{max_cost: 2 CNY}"))
    assert inside.run("validate", "recipe.yaml").exit(0).err == ""
    inside.env = {"RUNNINGHUB_SITE": "ai"}
    inside.run("validate", "recipe.yaml").exit(0).says("hosted models are paid in USD, which the budget does not name")
    plan = inside.run("plan", "recipe.yaml").exit(0)
    plan.says("cost: unknown", "the plan makes calls that are paid in USD, and the budget names no USD")


def test_a_loop_that_waits_says_what_to_run_first(inside: Case) -> None:
    inside.recipe("""\
rhflow: 1
budget: {max_cost: 5 CNY}
steps:
  shots: {uses: text-to-text, with: {prompt: "three shots as a JSON list of texts"}}
  still: {uses: text-to-image, foreach: "${{ steps.shots.json }}", with: {prompt: "${{ item }}"}}
""")
    inside.run("run", "recipe.yaml", *SIMULATED).exit(6).says("`--until shots` runs first what tells how many calls")
    inside.run("run", "recipe.yaml", *SIMULATED, "--until", "shots").exit(0)
    inside.run("plan", "recipe.yaml", "--simulate").exit(0).says("budget: 5 CNY; the plan fits")
    inside.run("run", "recipe.yaml", *SIMULATED).exit(0)


def test_the_service_is_asked_once_per_call_and_only_what_it_can_answer(inside: Case) -> None:
    inside.recipe(MIXED)
    rows = quotes(inside.run("plan", "recipe.yaml", "--simulate", "--quote").exit(0).out)
    assert rows == {
        "still": "0.2 CNY   0.2 CNY",
        "look": "0.2 CNY            `cup.png` is not uploaded yet (`--upload` does that)",
        "clip": "1.05 CNY           what `still` gives is not known yet",
        "odd": "unknown            the service names a price only afterwards",
        "draw": "unknown            the service quotes models only",
    }
    uploaded = inside.run("plan", "recipe.yaml", "--simulate", "--quote", "--upload").exit(0)
    uploaded.says("quoted: 0.4 CNY for 2 of 5 calls\n")
    document = inside.run("plan", "recipe.yaml", "--simulate", "--quote", "--json").exit(0).document
    found = {each["id"]: each.get("quote") for each in document["nodes"]}
    assert found["still"] == {
        "price": 0.2, "currency": "CNY", "free": False, "text": "CNY 0.20/call", "differs": False, "why": None,
    }  # fmt: skip
    assert found["same"] is None and found["draw"]["why"] is not None
    assert document["quoted"] == {"CNY": 0.2}
    inside.run("plan", "recipe.yaml", "--upload").exit(2).says("`--upload` goes with `--quote`")
    inside.run("plan", "recipe.yaml", "--quote").exit(4).says("there is no API key")
    inside.recipe("rhflow: 1\nsteps: {up: {uses: upload, with: {file: cup.png}}}")
    inside.run("plan", "recipe.yaml", "--quote").exit(0).says("nothing to ask the service")


def quotes(text: str) -> dict[str, str]:
    """Return the rows of the second table by step."""
    table = text.split("quoted\n", 1)[1].split("\n\n")[0]
    return {name: rest.strip() for name, _, rest in (line.partition(" ") for line in table.splitlines())}


def test_another_price_than_the_list_says_is_told(inside: Case, simulator: Simulator) -> None:
    document = json.loads((ROOT / "rhflow" / "catalog" / "models.json").read_text(encoding="utf-8"))
    row = next(each for each in document["models"] if each["id"] == "nano-banana-t2i-official")
    row["price"]["fixed"] = "0.15"
    (inside.folder / "older.json").write_text(json.dumps(document), encoding="utf-8")
    inside.env = {"RUNNINGHUB_BASE_URL": simulator.url, "RUNNINGHUB_API_KEY": KEY}
    inside.recipe("rhflow: 1\nsteps: {still: {uses: text-to-image, with: {prompt: a cup}}}")
    told = inside.run("plan", "recipe.yaml", "--quote", "--catalog", "older.json").exit(0)
    told.says("still  0.15 CNY  0.2 CNY  differs", "quoted: 0.2 CNY, expected for it: 0.15 CNY; 1 differs")
    priced = inside.run("models", "price", row["id"], "prompt=x", "--quote", "--catalog", "older.json").exit(0)
    priced.says("price     0.15 CNY", "quoted    0.2 CNY, differs")


@pytest.mark.parametrize(
    ("arguments", "texts"),
    [
        (["nano-banana-t2i-official"], ["price     0.2 CNY (list of ", "with      aspect_ratio: 3:4", "without   pr"]),
        (["kling-v2-5-turbo-std-i2v", "duration=10"], ["price     2.1 CNY", "with      duration: 10"]),
        (["skyreels-v4-fast-t2v", "duration=5"], ["unknown: it is on no list, and no call"]),
        (["seedance-2-0-r2v"], ["at least ", "without   prompt, images"]),
        (["kling-v2-5-turbo-std-i2v", "prompt=x", "image=cup.png", "--quote"], ["quoted    `cup.png` is not uploaded"]),
        (["kling-v2-5-turbo-std-i2v", "prompt=x", "image=cup.png", "--quote", "--upload"], ["quoted    1.05 CNY"]),
    ],
)  # fmt: skip
def test_the_price_of_one_call(inside: Case, arguments: list[str], texts: list[str]) -> None:
    inside.run("models", "price", *arguments, "--simulate").exit(0).says(*texts)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["nano-banana-t2i"], "did you mean"),
        (["kling-v2-5-turbo-std-i2v", "durration=10"], "did you mean `duration`?"),
        (["kling-v2-5-turbo-std-i2v", "duration=7"], "choose from"),
        (["kling-v2-5-turbo-std-i2v", "10"], "`10` is no input"),
        (["kling-v2-5-turbo-std-i2v", "--quote"], "add `prompt=…` `first_frame=…`"),
        (["kling-v2-5-turbo-std-i2v", "--upload"], "`--upload` goes with `--quote`"),
    ],
)
def test_a_price_that_cannot_be_told(inside: Case, arguments: list[str], text: str) -> None:
    inside.run("models", "price", *arguments, "--simulate").exit(2).says(text)


def test_a_model_on_no_list_costs_what_its_last_calls_cost(inside: Case) -> None:
    label = "skyreels-v4-fast-t2v aspectRatio=16:9 duration=5 promptOptimizer=true resolution=1080p"
    with Store.open(inside.folder / "store") as store:
        store.journal.record(Event("r", 1.0, "run.started", None, {"pipeline": "p", "recipe": "r", "realm": "live"}))
        for amount in ("0.42", "0.31"):
            store.journal.record(Event("r", 2.0, "node.finished", "s", {"cost": [amount, "CNY"], "label": label}))
    told = inside.run("models", "price", "skyreels-v4-fast-t2v", "duration=5").exit(0)
    told.says("price     ~0.31 to 0.42 CNY, as the last 2 calls with these settings cost")
    inside.run("models", "price", "skyreels-v4-fast-t2v", "duration=6").exit(0).says("no call with these settings")
    inside.recipe(
        "rhflow: 1\nsteps: {s: {uses: text-to-video, model: skyreels-v4-fast-t2v, with: {prompt: x, duration: 5}}}"
    )
    inside.run("plan", "recipe.yaml").exit(0).says("~0.31 to 0.42 CNY (2 runs)", "(~ as the last calls cost)")


def test_a_price_as_scripts_read_it(inside: Case) -> None:
    document = inside.run("models", "price", "nano-banana-t2i-official", "--json").exit(0).document
    assert document == {
        "model": "nano-banana-t2i-official", "with": {"aspect_ratio": "3:4"}, "without": ["prompt"],
        "at_least": 0.2, "at_most": 0.2, "currency": "CNY", "basis": "list", "learnt_from": 0,
    }  # fmt: skip
