"""What a run hands over: which files under which names, which values, and what when the recipe is wrong about them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from tests.e2e.case import Case, Inside

QUICK = ("--simulate", "--speed", "500")
RUN = ("run", "recipe.yaml", *QUICK)


@pytest.fixture
def case(tmp_path: Path) -> Case:
    Image.new("RGB", (64, 48), "teal").save(tmp_path / "cup.png")
    Image.new("RGB", (64, 48), "navy").save(tmp_path / "mug.png")
    return Inside(tmp_path)


def names(case: Case) -> list[str]:
    """Return the delivered names of the latest run, with their folders."""
    (latest,) = (case.folder / "outputs").glob("*/latest")
    return sorted(path.relative_to(latest).as_posix() for path in latest.rglob("*") if path.is_file())


def column(out: str) -> dict[str, str]:
    """Return by node the file that a run's table shows for it."""
    lines = [line.split() for line in out.partition("\n\n")[0].splitlines()[1:]]
    return {cells[0]: Path(cells[-1]).name for cells in lines if "/" in cells[-1]}


# --- mistakes --------------------------------------------------------------------------------------------------------

LATE = """\
rhflow: 1
name: late
steps:
  draw: {uses: resize, foreach: {sea: cup.png, hill: mug.png}, with: {image: "${{ item }}", width: 48}}
  small:
    uses: resize
    foreach: ${{ steps.draw.items }}
    save_as: ${{ steps.say.json.name }} ${{ key }}
    with: {image: "${{ item.image }}", width: 32}
  say: {uses: text-to-text, with: {prompt: a word}}
outputs:
  small: ${{ steps.small.images }}
  draw: {from: "${{ steps.draw.images }}", save_as: "${{ steps.say.json.name }}"}
  title: ${{ steps.say.json.title }}
"""


def test_a_mistake_about_outputs_keeps_nothing_from_being_delivered(case: Case) -> None:
    done = case.recipe(LATE).run(*RUN).exit(1)
    files = ["draw-hill.png", "draw-sea.png", "small-hill.png", "small-sea.png", "title.txt"]
    assert names(case) == files
    done.says("draw[sea]    succeeded  new", "recipe.yaml:8:18", "recipe.yaml:13", "is not JSON")
    done.says("every step is done", "again: nothing is paid again")
    assert done.err.count("recipe.yaml:8:18") == 1, "told once, not for every item"
    case.run("runs").says("late    failed")
    case.run("show").says("not delivered as asked: `steps.say.json` cannot be read")
    again = case.run(*RUN, "--json").exit(1)
    assert again.document["status"] == "failed" and again.document["requests"]["submit"] == 0
    assert again.document["outputs"]["title"] is None and len(again.document["outputs"]["draw"]) == 2
    mended = (
        LATE.replace("steps.say.json.name }} ${{ key", "key")
        .replace("json.name", "text")
        .replace("json.title", "text | length")
    )
    case.recipe(mended).run(*RUN).exit(0).says("all 5 steps reused, no request made", "\ntitle: ")
    assert names(case)[-2:] == ["hill.png", "sea.png"]


MENDED = """\
rhflow: 1
name: late
steps: {say: {uses: text-to-text, with: {prompt: a word}}}
outputs:
  said: ${{ steps.say.text }}
  title: ${{ steps.say.text | length }}
"""


def test_a_run_that_failed_is_not_the_answer_once_its_outputs_are_mended(case: Case) -> None:
    case.recipe(MENDED.replace("text | length", "json.title")).run(*RUN).exit(1)
    case.recipe(MENDED).run(*RUN).exit(0).says("the 1 step reused, no request made")
    done = case.run(*RUN, "--json").exit(0).document
    assert case.run("runs", "--json").document[0]["status"] == "succeeded"
    shown = case.run("show").exit(0)
    shown.says(done["run"], "late (simulated), succeeded", "said.txt", "\ntitle: ")
    assert "not delivered as asked" not in shown.out and names(case) == ["said.txt"]
    again = case.recipe(f"{MENDED}# edited\n").run(*RUN, "--json").exit(0).document
    assert again["run"] == done["run"], "what succeeded is the answer, and no run of its own"


def test_the_same_steps_in_another_recipe_are_delivered_under_its_name(case: Case) -> None:
    text = "rhflow: 1\nname: NAME\nsteps: {say: {uses: text-to-text, with: {prompt: a word}}}\n"
    for name in ("first", "second"):
        done = case.recipe(text.replace("NAME", name)).run(*RUN).exit(0)
        (file,) = (case.folder / "outputs" / name / "latest").iterdir()
        assert file.name == "say.txt" and f"outputs/{name}/" in done.out
        case.run("show").says(name)
    done.says("the 1 step reused, no request made")


def test_what_goes_wrong_with_the_folder_leaves_a_run_its_table(case: Case) -> None:
    case.recipe("rhflow: 1\nname: late\nsteps: {say: {uses: text-to-text, with: {prompt: a word}}}\n")
    (case.folder / "outputs" / "late" / "latest").mkdir(parents=True)
    case.run(*RUN).exit(1).says("say   succeeded  new", "every step is done", "error[", "outputs/late/latest")
    assert [path.name for path in case.delivered()] == ["say.txt"]
    case.run("runs").says("late    failed")


# --- names -----------------------------------------------------------------------------------------------------------


def test_equal_files_are_named_after_the_nodes_they_come_from(case: Case) -> None:
    case.recipe("""\
rhflow: 1
name: twins
defaults: {resize: {with: {image: cup.png}}}
steps:
  still:
    uses: resize
    foreach: {intro: cup.png, middle: mug.png, outro: cup.png}
    with: {image: "${{ item }}", width: 32}
  wide: {uses: resize, foreach: {web: 32, mail: 32}, save_as: "film-${{ key }}", with: {width: "${{ item }}"}}
  last:
    uses: resize
    foreach: ${{ steps.still.items }}
    if: key != 'intro'
    with: {image: "${{ item.image }}", width: 16}
outputs:
  still: ${{ steps.still.images }}
  wide: ${{ steps.wide.images }}
  last: ${{ steps.last.images }}
""")
    expected = {
        "still[intro]": "still-intro.png", "still[middle]": "still-middle.png", "still[outro]": "still-outro.png",
        "wide[web]": "film-web.png", "wide[mail]": "film-mail.png",
        "last[middle]": "last-middle.png", "last[outro]": "last-outro.png",
    }  # fmt: skip
    assert column(case.run("run", "recipe.yaml").exit(0).out) == expected
    assert names(case) == sorted(expected.values())
    for each in case.delivered():
        if "outro" in each.name or "mail" in each.name:
            each.unlink()
    again = case.run("run", "recipe.yaml").exit(0).says("restored 3 missing files")
    assert column(again.out) == expected and names(case) == sorted(expected.values())


def test_the_step_that_made_a_file_names_it_wherever_it_is_read(case: Case) -> None:
    case.recipe("""\
rhflow: 1
params: {photo: {type: image, default: cup.png}}
steps:
  small: {uses: resize, save_as: "the small one.png", with: {image: "${{ params.photo }}", width: 32}}
  tiny: {uses: resize, foreach: [16, 24], save_as: tiny, with: {image: "${{ params.photo }}", width: "${{ item }}"}}
outputs: {picture: "${{ steps.small.image }}", all: "${{ steps.tiny.images }}"}
""", "inner.yaml")  # fmt: skip
    text = """\
rhflow: 1
name: names
defaults: {resize: {with: {image: cup.png}}}
steps:
  cups: {uses: ./inner.yaml, foreach: {a: cup.png, b: mug.png}, with: {photo: "${{ item }}"}}
  dots: {uses: resize, save_as: "...", with: {width: 32}}
  long: {uses: resize, foreach: [20, 21], save_as: "LONG${{ item }}", with: {width: "${{ item }}"}}
  keys: {uses: resize, foreach: [{key: "LONG", w: 17}, {key: "LONG!!", w: 18}], with: {width: "${{ item.w }}"}}
outputs:
  cups: ${{ steps.cups.items | map(attribute='all') | list }}
  one: ${{ steps.cups.a.picture }}
  dots: ${{ steps.dots.image }}
  long: ${{ steps.long.images }}
  keys: ${{ steps.keys.images }}
"""
    case.recipe(text.replace("LONG", "a very long name, " * 9))
    case.run("run", "recipe.yaml").exit(0)
    found = names(case)
    assert {"dots.png", "the small one.png"} < set(found), found
    assert {"tiny-a-16.png", "tiny-a-24.png", "tiny-b-16.png", "tiny-b-24.png"} < set(found), found
    assert len(found) == 10 and max(len(each.encode()) for each in found) <= 80


# --- values ----------------------------------------------------------------------------------------------------------

WORDS = """\
rhflow: 1
name: words
params: {mood: {type: string, secret: true, default: hush-hush}}
steps:
  list: {uses: text-to-text, with: {prompt: 'three shots, as a JSON list of objects with "key" and "scene"'}}
  poem: {uses: text-to-text, foreach: [sea, hill], with: {prompt: "a poem on the ${{ item }}"}}
outputs:
  shots: ${{ steps.list.json }}
  raw: {from: "${{ steps.list.text }}", save_as: shots.md}
  poem: ${{ steps.poem }}
  count: ${{ steps.list.json | length }}
  mood: ${{ params.mood | upper }}
"""


_TOLD = ("shots: ", "raw: ", "poem[sea]: ", "poem[hill]: ", "count: ", "mood: ")


def test_values_are_shown_and_texts_are_files(case: Case) -> None:
    done = case.recipe(WORDS).run(*RUN).exit(0)
    files = ["poem-hill.txt", "poem-sea.txt", "shots.json", "shots.md"]
    assert names(case) == files
    document = case.run(*RUN, "--json").exit(0).document
    assert isinstance(document["outputs"]["shots"], list) and document["outputs"]["count"] == 3
    (shots,) = [each for each in case.delivered() if each.name == "shots.json"]
    assert document["outputs"]["shots"] == json.loads(shots.read_text(encoding="utf-8"))
    told = [line for line in done.out.splitlines() if line.startswith(_TOLD)]
    assert len(told) == 6 and max(map(len, told)) <= 80
    done.says("\nshots: [{", "characters in shots.json)", "\ncount: 3\n", "\npoem[sea]: ", "\nmood: (secret)\n")
    assert "HUSH" not in done.out and document["outputs"]["mood"] == "(secret)"
    shots.unlink()
    for again in (case.run(*RUN).exit(0).says("restored 1 missing file"), case.run("show").exit(0)):
        assert [line for line in again.out.splitlines() if line in told] == told
    assert names(case) == files


# --- nothing ---------------------------------------------------------------------------------------------------------


def test_a_loop_without_items_is_shown_as_one(case: Case) -> None:
    case.recipe("""\
rhflow: 1
name: none
steps:
  said: {uses: text-to-text, with: {prompt: "a word"}}
  known: {uses: text-to-image, foreach: {glob: "*.gif"}, with: {prompt: "${{ item }} ${{ steps.said.text }}"}}
  grown: {uses: text-to-text, foreach: "${{ steps.said.texts[1:] }}", with: {prompt: "${{ item }}"}}
outputs:
  known: ${{ steps.known.images }}
  grown: ${{ steps.grown.texts | join }}
  count: ${{ steps.known.images | length }}
  said: ${{ steps.said.text }}
""")
    plan = case.run("plan", "recipe.yaml", *QUICK[:1]).exit(0)
    plan.says("known     nothing  0 items", "grown[*]  loop")
    for done in (case.run(*RUN).exit(0), case.run(*RUN).exit(0).says("the 1 step reused")):
        done.says(
            "known  0 items", "grown  0 items", "known: nothing, as `known` has 0 items", "grown: nothing, as `grown`"
        )
        done.says("\ncount: 0\n")
