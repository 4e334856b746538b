"""Sweeps and batches: variants under one schedule, common work done once, a folder per variant."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.case import Case, Inside

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
def inside(tmp_path: Path) -> Inside:
    return Inside(tmp_path)


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
    case.delivered()[1].unlink()
    case.run("run", "recipe.yaml", *QUICK, "--sweep", "what=cat,tree").exit(0).says("restored 1 missing file")
    assert len(case.delivered()) == 2


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
    sweep.run("plan", "recipe.yaml", "--sweep", "ratio=4:3", "--sweep", "seed=1..3", "--json").exit(3)


@pytest.mark.parametrize(
    ("name", "text", "code", "told"),
    [
        ("short.csv", "look,seed\nwarm\n", 2, ("--> short.csv:2:1", "not as many cells")),
        ("head.csv", "look,seed\n", 2, ("`head.csv` has no rows", "write a line of values")),
        ("none.jsonl", "", 2, ("`none.jsonl` has no rows",)),
        ("seeds.csv", "look,seed\nwarm,1\ncold,x\n", 3, ("--> seeds.csv:3:1", "`seed` must be a whole number")),
        ("semi.csv", "look;seed\nwarm;1\n", 2, ("separated by `;`", "by commas")),
        ("open.csv", 'look,seed\n"warm,1\ncold,2\n', 2, ("--> open.csv:2:1", "never closed")),
        ("twins.csv", "key,look\na,warm\nA,cold\n", 2, ("--> twins.csv:3:1", "has the key `a`, as line 2 has")),
        ("names.jsonl", '{"look": "a"}\n{"lok": "b"}\n', 2, ("--> names.jsonl:2:1", "did you mean `look`")),
        ("three.jsonl", '{"look": "a"}\n3\n', 2, ("--> three.jsonl:2:1", "must be a mapping")),
        ("rows.txt", "look\nwarm\n", 2, ("use a `.csv`",)),
    ],
    ids=lambda value: value if isinstance(value, str) and "." in value and "\n" not in value else "",
)
def test_a_wrong_batch_is_told_by_its_row(
    inside: Inside, name: str, text: str, code: int, told: tuple[str, ...]
) -> None:
    inside.recipe(RECIPE).recipe(text, name)
    inside.run("plan", "recipe.yaml", "--batch", name).exit(code).says(*told)


def test_a_batch_that_is_not_there_is_looked_for_among_tables(inside: Inside) -> None:
    inside.recipe(RECIPE).recipe("look\nwarm\n", "looks.csv")
    inside.run("plan", "recipe.yaml", "--batch", "look.csv").exit(2).says("did you mean `looks.csv`")
    far = (
        inside.run("plan", "recipe.yaml", "--batch", "nope.csv")
        .exit(2)
        .says("paths of `--batch` count from this folder")
    )
    assert "rhflow init" not in far.err


def test_a_row_that_lacks_what_others_give_is_told(inside: Inside) -> None:
    inside.recipe(RECIPE.replace("{type: string, default: calm}", "{type: string}"))
    inside.recipe("seed,look\n1,warm\n2,\n", "rows.csv")
    inside.run("plan", "recipe.yaml", "--batch", "rows.csv").exit(3).says("--> rows.csv:3:1", "`look` is required")
    inside.recipe("seed\n1\n2\n", "rows.csv")
    done = (
        inside.run("plan", "recipe.yaml", "--batch", "rows.csv")
        .exit(3)
        .says("--> recipe.yaml:5:3", "`look` is required")
    )
    assert done.err.count("error[") == 1, "what all rows have in common is told once"


def test_a_folder_in_the_place_of_a_file_is_told_with_a_file_of_it(inside: Inside) -> None:
    inside.recipe(
        "rhflow: 1\nparams: {photo: {type: image}}\nsteps: {up: {uses: upload, with: {file: '${{ params.photo }}'}}}"
    )
    for folder in ("film", "photos"):
        (inside.folder / folder).mkdir()
    (inside.folder / "photos" / "boat.png").touch()
    done = (
        inside.run("plan", "recipe.yaml", "-p", "photo=photos")
        .exit(3)
        .says("`photos` is a folder", "`photos/boat.png`")
    )
    assert "did you mean" not in done.err
    inside.run("plan", "recipe.yaml", "-p", "photo=film").exit(3).says("name a file in it, as in `film/…`")


def test_what_lies_between_from_and_until_runs(inside: Inside) -> None:
    inside.recipe(RECIPE)
    part = inside.run("plan", "recipe.yaml", "--from", "words", "--until", "words", "--json").exit(0).document
    assert [node["id"] for node in part["nodes"]] == ["words"]
    inside.run("plan", "recipe.yaml", "--from", "say", "--until", "words").exit(2).says(
        "`words` needs nothing of what comes from `say`", "`--from words --until say`"
    )


def test_a_part_of_every_variant(sweep: Case) -> None:
    done = sweep.run("plan", "recipe.yaml", "--simulate", "--sweep", "seed=1..2", "--until", "say[one]", "--json")
    assert [node["id"] for node in done.exit(0).document["nodes"]] == ["1/words", "1/say[one]", "2/words", "2/say[one]"]


def test_what_is_only_read_is_taken_as_it_is(inside: Inside) -> None:
    step = "{uses: text-to-text, %swith: {prompt: '%s'}}"
    a, b = step % ("cache: false, ", "a"), step % ("", "b ${{ steps.a.text }}")
    inside.recipe(f"rhflow: 1\nname: two\nsteps:\n  a: {a}\n  b: {b}\n")
    inside.run("plan", "recipe.yaml", *QUICK[:1], "--only", "b").exit(2).says("`a` is needed and has no result yet")
    inside.run("run", "recipe.yaml", *QUICK).exit(0)
    plan = inside.run("plan", "recipe.yaml", *QUICK[:1], "--no-cache", "--only", "b", "--json").exit(0).document
    assert [(node["id"], node["will"]) for node in plan["nodes"]] == [("a", "reuse"), ("b", "run")]
    inside.recipe((inside.folder / "recipe.yaml").read_text().replace("'a'", "'another'"))
    inside.run("plan", "recipe.yaml", *QUICK[:1], "--only", "b").exit(2).says("has no result as it is now: `prompt`")
    inside.run("plan", "recipe.yaml", "--only", "b", "--force", "a").exit(2).says("`--force a` makes nothing anew")


def test_a_secret_names_no_variant(case: Case) -> None:
    case.recipe(
        "rhflow: 1\nparams: {who: {type: string, secret: true}}\n"
        "steps:\n  a: {uses: text-to-image, with: {prompt: 'for ${{ params.who }}'}}\n"
    )
    told = "error[secret-name]: parameter `who` is secret, and its values would name the variants"
    case.run("run", "recipe.yaml", "--simulate", "--sweep", "who=Zebediah,Ann").exit(2).says(told)
    (case.folder / "batch.csv").write_text("who\nZebediah\n", encoding="utf-8")
    case.run("run", "recipe.yaml", "--simulate", "--batch", "batch.csv").exit(2).says(told, "add a column `key`")
    (case.folder / "batch.csv").write_text("key,who\nfirst,Zebediah\n", encoding="utf-8")
    done = case.run("run", "recipe.yaml", "--simulate", "--batch", "batch.csv").exit(0)
    # Not in the pictures: what they hold is the service's, and it puts prompts there
    left = [path for path in (case.folder / "store").glob("index.*") if b"Zebediah" in path.read_bytes()]
    assert (left, "Zebediah" in done.out + done.err) == ([], False)
