"""The language as a user meets it: lists that a model writes, items that fail, money, time, and what is run again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.e2e.case import KEY, PIPELINES, Case, Done, Simulator

QUICK = ("--simulate", "--speed", "500")
SHOTS = """\
rhflow: 1
name: shots
params: {count: 2}
steps:
  list:
    uses: text-to-text
    with: {prompt: 'Write ${{ params.count }} shots of a film about tea as a JSON list of objects with a "scene".'}
  still:
    uses: text-to-image
    foreach: ${{ steps.list.json }}
    with: {prompt: "${{ item.scene }}", aspect_ratio: "1:1"}
  small:
    uses: image-to-image
    foreach: ${{ steps.still.items }}
    with: {prompt: "${{ item.item.scene }}, in ink", images: ["${{ item.image }}"], aspect_ratio: "1:1"}
outputs:
  shot: ${{ steps.small.images }}
"""
FAILING = """\
rhflow: 1
name: failing
params: {last: "http://127.0.0.1:9/nothing.png"}
steps:
  draw: {uses: text-to-image, with: {prompt: a boat, aspect_ratio: "1:1"}}
  large:
    uses: upscale
    on_error: RULE
    foreach:
      - {key: good, image: "${{ steps.draw.image }}"}
      - {key: bad, image: "${{ params.last }}"}
    with: {image: "${{ item.image }}", scale: 2x}
  words:
    uses: image-to-text
    foreach: ${{ steps.large.items }}
    with: {image: "${{ item.image }}", prompt: describe it}
  all:
    uses: text-to-text
    with: {prompt: "a sentence for ${{ steps.large.images | length }} pictures"}
outputs:
  large: ${{ steps.large.images }}
"""
NAMED = """\
rhflow: 1
name: named
steps:
  draw:
    uses: text-to-image
    foreach: [sea, hills]
    save_as: view of ${{ item }}
    with: {prompt: "${{ item }}", aspect_ratio: "1:1"}
outputs:
  pictures: ${{ steps.draw.images }}
"""
SKIPPING = """\
rhflow: 1
name: skipping
params: {enlarge: false}
steps:
  draw: {uses: text-to-image, with: {prompt: a boat, aspect_ratio: "1:1"}}
  large: {uses: upscale, if: params.enlarge, with: {image: "${{ steps.draw.image }}", scale: 2x}}
"""


def statuses(done: Done) -> dict[str, str]:
    return {node["id"]: node["status"] for node in done.document["nodes"]}


def fresh(done: Done) -> set[str]:
    """Return the nodes that were made in this run."""
    return {each["id"] for each in done.document["nodes"] if each["status"] == "succeeded" and not each["cached"]}


def failing(case: Case, rule: str) -> Case:
    return case.recipe(FAILING.replace("RULE", rule))


# --- a list that a model writes --------------------------------------------------------------------------------------


def test_a_list_of_shots_fans_out_while_the_recipe_runs(case: Case) -> None:
    case.recipe(SHOTS)
    case.run("plan", "recipe.yaml", "--simulate").exit(0).says("still[*]", "over what `list` gives", "unknown")
    done = case.run("run", "recipe.yaml", *QUICK, "--json").exit(0)
    assert [node["step"] for node in done.document["nodes"]] == ["list", "still", "still", "small", "small"]
    assert len({node["id"] for node in done.document["nodes"]}) == 5
    assert len(done.document["outputs"]["shot"]) == 2
    assert len(case.delivered()) == 2
    again = case.run("run", "recipe.yaml", *QUICK, "--json").exit(0)
    assert fresh(again) == set()
    assert statuses(again) == statuses(done)
    case.run("plan", "recipe.yaml", "--simulate").exit(0).says("nothing to run")


def test_a_budget_needs_to_know_how_much_there_will_be(case: Case) -> None:
    case.recipe(SHOTS.replace("steps:\n", "budget: {max_cost: 5 CNY}\nsteps:\n", 1))
    refused = case.run("run", "recipe.yaml", *QUICK).exit(6)
    refused.says("what the plan costs is not known", "--allow-unknown-cost")
    case.run("run", "recipe.yaml", *QUICK, "--allow-unknown-cost").exit(0)


# --- items that fail -------------------------------------------------------------------------------------------------


def test_continue_delivers_what_there_is_and_run_again_makes_only_the_rest(case: Case) -> None:
    failing(case, "continue")
    done = case.run("run", "recipe.yaml", *QUICK, "--json").exit(1)
    assert statuses(done) == {
        "draw": "succeeded", "large[good]": "succeeded", "large[bad]": "failed",
        "words[good]": "succeeded", "words[bad]": "skipped", "all": "skipped",
    }  # fmt: skip
    done.says("recipe.yaml:", "an input file cannot be fetched")
    assert len(done.document["outputs"]["large"]) == len(case.delivered()) == 1
    again = case.run("run", "recipe.yaml", *QUICK, "--json").exit(1)
    assert fresh(again) == set()
    assert again.document["requests"]["submit"] == 1
    repaired = case.run("run", "recipe.yaml", *QUICK, "-p", f"last={PIPELINES / 'assets' / 'coffee.jpg'}", "--json")
    assert fresh(repaired.exit(0)) == {"large[bad]", "words[bad]", "all"}
    assert len(repaired.document["outputs"]["large"]) == 2


def test_skip_goes_on_and_the_run_succeeds(case: Case) -> None:
    done = failing(case, "skip").run("run", "recipe.yaml", *QUICK, "--json").exit(0)
    assert statuses(done) == {
        "draw": "succeeded", "large[good]": "succeeded", "large[bad]": "skipped",
        "words[good]": "succeeded", "words[bad]": "skipped", "all": "succeeded",
    }  # fmt: skip
    assert len(done.document["outputs"]["large"]) == 1


def test_fail_starts_nothing_new(case: Case) -> None:
    case.recipe(FAILING.replace("RULE", "fail").replace("all:\n", "all:\n    needs: [large]\n"))
    found = statuses(case.run("run", "recipe.yaml", *QUICK, "-j", "1", "--json").exit(1))
    assert (found["large[bad]"], found["words[bad]"], found["all"]) == ("failed", "skipped", "skipped")
    assert found["words[good]"] in ("skipped", "not-run")


# --- money and time --------------------------------------------------------------------------------------------------


def test_a_plan_above_its_budget_sends_nothing(case: Case) -> None:
    case.recipe("""\
rhflow: 1
budget: {max_cost: 0.3 CNY}
steps: {s: {uses: text-to-image, variations: 2, with: {prompt: x, aspect_ratio: "1:1"}}}
""")
    case.run("run", "recipe.yaml", *QUICK).exit(6).says("the plan may cost 0.4 CNY, more than 0.3 CNY", "recipe.yaml:2")
    assert case.delivered() == []


def test_a_run_stops_at_its_number_of_calls_and_goes_on_when_there_may_be_more(case: Case) -> None:
    text = SHOTS.replace("steps:\n", "budget: {max_tasks: 3}\nsteps:\n", 1)
    stopped = case.recipe(text).run("run", "recipe.yaml", *QUICK, "-j", "1", "--json").exit(6)
    assert stopped.document["requests"]["submit"] == 3
    assert "not-run" in statuses(stopped).values()
    more = case.recipe(text.replace("max_tasks: 3", "max_tasks: 9"))
    assert more.run("run", "recipe.yaml", *QUICK, "--json").exit(0).document["requests"]["submit"] == 2


def test_a_timeout_ends_the_waiting_and_the_next_run_takes_the_task_up(case: Case, simulator: Simulator) -> None:
    simulator.reset()
    case.env = {"RUNNINGHUB_BASE_URL": simulator.url, "RUNNINGHUB_API_KEY": KEY}
    recipe = """\
rhflow: 1
steps:
  s: {uses: text-to-image, timeout: 0.001s, with: {prompt: a late boat, aspect_ratio: "1:1"}}
"""
    case.recipe(recipe).run("run", "recipe.yaml").exit(1).says("it goes on at the service", "rhflow resume")
    case.recipe(recipe.replace("timeout: 0.001s, ", "")).run("run", "recipe.yaml").exit(0)
    assert simulator.stats()["accepted"] == 1


def test_a_pool_can_be_widened_on_the_command_line(case: Case) -> None:
    case.recipe("rhflow: 1\nsteps: {s: {uses: text-to-text, variations: 3, pool: few, with: {prompt: x}}}\n")
    assert len(case.run("run", "recipe.yaml", *QUICK, "--pool", "few=2", "--json").exit(0).document["nodes"]) == 3


# --- what may be left out --------------------------------------------------------------------------------------------


def test_steps_in_a_list_and_what_is_skipped_is_shown(case: Case) -> None:
    case.recipe("""\
rhflow: 1
params: {more: false}
env: [MOOD]
steps:
  - {id: one, uses: text-to-text, with: {prompt: "a ${{ env.MOOD }} word"}}
  - {id: two, uses: text-to-text, if: params.more, with: {prompt: "${{ steps.one.text }}"}}
""")
    case.env = {"MOOD": "merry"}
    plan = case.run("plan", "recipe.yaml", "--simulate", "--json").exit(0).document
    assert [(node["id"], node["will"], node["why"]) for node in plan["nodes"]] == [
        ("one", "run", "new"),
        ("two", "skip", "its `if` is false"),
    ]
    assert plan["nodes"][0]["inputs"]["prompt"] == "a merry word"
    assert statuses(case.run("run", "recipe.yaml", *QUICK, "--json").exit(0)) == {"one": "succeeded", "two": "skipped"}
    assert fresh(case.run("run", "recipe.yaml", *QUICK, "-p", "more=true", "--json").exit(0)) == {"two"}


def test_an_empty_loop_is_a_success(case: Case) -> None:
    case.recipe('rhflow: 1\nsteps: {s: {uses: text-to-text, foreach: [], with: {prompt: "${{ item }}"}}}\n')
    assert statuses(case.run("run", "recipe.yaml", *QUICK, "--json").exit(0)) == {"s": "empty"}


# --- a real one ------------------------------------------------------------------------------------------------------


@pytest.fixture
def shots(case: Case) -> dict[str, Any]:
    params = {"shots": [{"key": "table", "scene": "on a table", "motion": "push in"}]}
    case.recipe(json.dumps(params), "shots.json")
    return params


def test_the_film_recipe_with_a_shot_list_of_ones_own(case: Case, shots: dict[str, Any]) -> None:
    film, given = str(PIPELINES / "film.yaml"), ("--params", "shots.json", "--json")
    done = case.run("run", film, *QUICK, *given).exit(0)
    assert statuses(done) == {
        "photo": "succeeded", "still[table-morning]": "succeeded", "still[table-night]": "succeeded",
        "clip[table-morning]": "succeeded", "clip[table-night]": "skipped",
        "final[table-morning]": "succeeded", "final[table-night]": "skipped",
    }  # fmt: skip
    assert len(done.document["outputs"]["still"]) == 2
    shots["shots"].insert(0, {"key": "hands", "scene": "in both hands", "motion": "lift"})
    case.recipe(json.dumps(shots), "shots.json")
    plan = case.run("plan", film, "--simulate", *given).exit(0).document
    assert {node["id"] for node in plan["nodes"] if node["will"] == "run"} == {
        "still[hands-morning]", "still[hands-night]", "clip[hands-morning]", "final[hands-morning]",
    }  # fmt: skip


def test_items_are_called_what_their_step_says(case: Case) -> None:
    case.recipe(NAMED)
    done = case.run("run", "recipe.yaml", *QUICK).exit(0)
    assert sorted(path.name for path in case.delivered()) == ["view of hills.png", "view of sea.png"], done.out


def test_a_step_skipped_for_an_error_is_tried_again(case: Case) -> None:
    case.recipe(FAILING.replace("RULE", "skip"))
    case.run("run", "recipe.yaml", *QUICK).exit(0)
    again = case.run("run", "recipe.yaml", *QUICK, "--json").exit(0)
    assert statuses(again)["large[bad]"] == "skipped"
    assert again.document["requests"]["submit"] == 1


def test_what_was_skipped_stays_skipped_when_nothing_runs(case: Case) -> None:
    case.recipe(SKIPPING)
    for _ in range(3):
        done = case.run("run", "recipe.yaml", *QUICK, "--json").exit(0)
        assert statuses(done) == {"draw": "succeeded", "large": "skipped"}


def test_whole_items_can_be_an_output(case: Case) -> None:
    case.recipe(SHOTS.replace("steps.small.images", "steps.small.items"))
    done = case.run("run", "recipe.yaml", *QUICK, "--json").exit(0)
    assert len(done.document["outputs"]["shot"]) == 2
    assert all(name.endswith(".png") for name in done.document["outputs"]["shot"])


def test_one_item_read_by_its_key_is_all_that_a_part_needs(case: Case) -> None:
    case.recipe("""\
rhflow: 1
steps:
  word: {uses: text-to-text, foreach: [sea, hills], with: {prompt: "a word for ${{ item }}"}}
  line: {uses: text-to-text, with: {prompt: "a line on ${{ steps.word['sea'].text }}"}}
""")
    case.run("run", "recipe.yaml", *QUICK, "--only", "word[sea]").exit(0)
    plan = case.run("plan", "recipe.yaml", "--simulate", "--only", "line", "--json").exit(0).document
    assert [(node["id"], node["will"]) for node in plan["nodes"]] == [("word[sea]", "reuse"), ("line", "run")]
    done = case.run("run", "recipe.yaml", *QUICK, "--only", "line", "--json").exit(0)
    assert fresh(done) == {"line"}
