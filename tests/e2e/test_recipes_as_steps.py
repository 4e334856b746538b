"""A recipe used as a step of another, through the command: its files, its folder, its variants, what is run again."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from tests.e2e.case import PIPELINES, Case

QUICK = ("--simulate", "--speed", "500", "--json")
SHOT = """\
rhflow: 1
name: shot
params:
  subject: {type: string}
  photo: {type: image, default: own.png}
steps:
  still:
    uses: image-to-image
    with:
      prompt: ${{ params.subject }}, ${{ file('mood.txt') }}
      images: ["${{ params.photo }}"]
      aspect_ratio: "1:1"
outputs:
  picture: ${{ steps.still.image }}
"""
OUTER = """\
rhflow: 1
name: outer
params: {subject: a boat}
steps:
  one: {uses: parts/shot.yaml, with: {subject: "${{ params.subject }}"}}
  two: {uses: parts/shot.yaml, with: {subject: "${{ params.subject }}", photo: outer.png}}
outputs:
  one: ${{ steps.one.picture }}
  two: ${{ steps.two.picture }}
"""


@pytest.fixture
def outer(case: Case) -> Case:
    """Return a case with a recipe that uses another one, in another folder."""
    (case.folder / "parts").mkdir()
    Image.new("RGB", (64, 64), "navy").save(case.folder / "parts" / "own.png")
    Image.new("RGB", (64, 64), "maroon").save(case.folder / "outer.png")
    case.recipe(SHOT, "parts/shot.yaml").recipe("in fog", "parts/mood.txt")
    return case.recipe(OUTER)


def fresh(case: Case, *options: str) -> set[str]:
    """Run the recipe and return the nodes that were made in this run."""
    done = case.run("run", "recipe.yaml", *QUICK, *options).exit(0)
    return {each["id"] for each in done.document["nodes"] if not each["cached"]}


def test_paths_count_from_the_recipe_that_they_stand_in(outer: Case) -> None:
    plan = outer.run("plan", "recipe.yaml", "--simulate", "--json").exit(0)
    made = {node["id"]: str(node["inputs"]) for node in plan.document["nodes"]}
    assert made.keys() == {"one/still", "two/still"}
    assert all("a boat, in fog" in inputs for inputs in made.values())
    assert made["one/still"] != made["two/still"]


def test_a_change_inside_is_noticed_and_nothing_else_is_made_again(outer: Case) -> None:
    assert fresh(outer) == {"one/still", "two/still"}
    assert fresh(outer) == set()
    Image.new("RGB", (64, 64), "olive").save(outer.folder / "parts" / "own.png")
    assert fresh(outer) == {"one/still"}
    outer.recipe("in rain", "parts/mood.txt")
    assert fresh(outer) == {"one/still", "two/still"}
    outer.recipe(SHOT.replace("subject }},", "subject }} at dusk,"), "parts/shot.yaml")
    assert fresh(outer) == {"one/still", "two/still"}


def test_variants_have_their_own_inside(outer: Case) -> None:
    done = outer.run("run", "recipe.yaml", *QUICK, "--sweep", "subject=boat,ship", "--only", "one").exit(0)
    assert [each["id"] for each in done.document["nodes"]] == ["boat/one/still", "ship/one/still"]
    assert [Path(each["files"][0]).parent.name for each in done.document["nodes"]] == ["boat", "ship"]


def test_scenes_that_a_model_thinks_up(case: Case) -> None:
    recipe = str(PIPELINES / "scenes.yaml")
    done = case.run("run", recipe, *QUICK, "--until", "script").exit(0)
    assert [each["id"] for each in done.document["nodes"]] == ["script"]
    plan = case.run("plan", recipe, "--simulate").exit(0)
    plan.says("]/still", "]/clip", "]/final", "after `scene[")


def test_the_part_also_runs_on_its_own(case: Case) -> None:
    plan = case.run("plan", str(PIPELINES / "parts" / "scene.yaml"), "--simulate", "--json").exit(0)
    assert [node["id"] for node in plan.document["nodes"]] == ["still", "clip", "final"]
