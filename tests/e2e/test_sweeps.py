"""Sweeps and batches: variants under one schedule, common work done once, a folder per variant."""

from __future__ import annotations

import pytest

from tests.e2e.case import Case

RECIPE = """\
rhflow: 1
name: sweep
params:
  ratio: {type: string, enum: ["1:1", "9:16", "16:9"], default: "1:1"}
  look: {type: string, default: calm}
  seed: {type: integer, default: 1}
steps:
  words: {uses: text-to-text, with: {prompt: a sentence about the sea}}
  say:
    uses: text-to-text
    foreach: [one, two]
    with: {prompt: "${{ params.look }} ${{ params.seed }} ${{ item }} ${{ params.ratio }} ${{ steps.words.text }}"}
outputs:
  words: ${{ steps.say.texts }}
"""
QUICK = ("--simulate", "--speed", "500")


@pytest.fixture
def sweep(case: Case) -> Case:
    return case.recipe(RECIPE)


def test_three_looks_in_two_ratios_make_the_common_step_once(sweep: Case) -> None:
    looks = ("--sweep", "look=calm,wild,neon", "--sweep", "ratio=9:16,16:9")
    done = sweep.run("run", "recipe.yaml", *QUICK, *looks, "--json").exit(0).document
    assert done["requests"]["submit"] == 1 + 3 * 2 * 2
    assert len(done["nodes"]) == 6 * 3
    assert list(done["outputs"]) == [
        f"{look}-{ratio}" for look in ("calm", "wild", "neon") for ratio in ("9-16", "16-9")
    ]
    assert all(len(variant["words"]) == 2 for variant in done["outputs"].values())
    again = sweep.run("run", "recipe.yaml", *QUICK, *looks, "--json").exit(0).document
    assert again["requests"]["submit"] == 0
    more = sweep.run("run", "recipe.yaml", *QUICK, "--sweep", "look=calm,odd", "--sweep", "ratio=9:16", "--json")
    assert more.exit(0).document["requests"]["submit"] == 2


def test_the_plan_counts_the_common_step_once(sweep: Case) -> None:
    sweep.run("plan", "recipe.yaml", *QUICK[:1], "--sweep", "seed=1..3").exit(0).says(
        "2/words", "the same call as `1/words`", "cost: 0.02 to 0.14 CNY"
    )


def test_a_folder_per_variant(case: Case) -> None:
    case.recipe(
        "rhflow: 1\nname: two\nparams: {what: boat}\nsteps:\n"
        "  draw: {uses: text-to-image, with: {prompt: 'a ${{ params.what }}', aspect_ratio: 1:1}}\n"
    )
    case.run("run", "recipe.yaml", *QUICK, "--sweep", "what=cat,tree").exit(0)
    assert [path.parts[-2:] for path in case.delivered()] == [("cat", "draw.png"), ("tree", "draw.png")]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("rows.csv", 'key,look,seed\nred,warm,1\nblue,"cold, icy",2\n'),
        (
            "rows.jsonl",
            '{"key": "red", "look": "warm", "seed": 1}\n\n{"key": "blue", "look": "cold, icy", "seed": 2}\n',
        ),
    ],
)
def test_a_batch_has_a_variant_per_row(sweep: Case, name: str, text: str) -> None:
    sweep.recipe(text, name)
    done = sweep.run("plan", "recipe.yaml", "--simulate", "--batch", name, "--json").exit(0).document
    prompts = {node["id"]: node.get("inputs", {}) for node in done["nodes"]}
    assert {"red/words", "blue/words", "red/say[one]", "blue/say[two]"} <= set(prompts)


def test_wrong_sweeps_say_what_to_type(sweep: Case) -> None:
    sweep.run("plan", "recipe.yaml", "--sweep", "lok=1,2").exit(2).says("did you mean `look`")
    sweep.run("plan", "recipe.yaml", "--sweep", "look").exit(2).says("--sweep look=value")
    sweep.run("plan", "recipe.yaml", "--sweep", "ratio=4:3").exit(3).says("must be one of")
    sweep.run("plan", "recipe.yaml", "--sweep", "seed=1..99999").exit(2).says("too long a range")
    sweep.recipe("look,seed\nwarm\n", "short.csv")
    sweep.run("plan", "recipe.yaml", "--batch", "short.csv").exit(2).says("line 2 of `short.csv`")
    sweep.run("plan", "recipe.yaml", "--batch", "none.csv").exit(2).says("there is no file")


def test_a_part_of_every_variant(sweep: Case) -> None:
    done = sweep.run("plan", "recipe.yaml", "--simulate", "--sweep", "seed=1..2", "--until", "say[one]", "--json")
    assert [node["id"] for node in done.exit(0).document["nodes"]] == ["1/words", "1/say[one]", "2/words", "2/say[one]"]
