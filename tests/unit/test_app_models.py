"""Looking into the catalogue: what is listed and found, and examples that run as they are printed."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest
from jsonschema import Draft202012Validator

from rhflow.app.catalog.models import ModelGuide, Wanted, inputs_of, stand_ins
from rhflow.app.recipes.load import load
from rhflow.app.request import Request
from rhflow.app.runs.run import prepared
from rhflow.cli.models import model_text
from rhflow.cli.root import invoke
from rhflow.contract import load_schema
from rhflow.core.errors import Source, UsageError
from rhflow.core.kinds import Model
from rhflow.core.plan.plan import Run, Wait
from rhflow.core.text.source import read
from rhflow.settings import Settings
from tests.support import catalog, problems_of

GUIDE = ModelGuide(catalog())
USABLE = [each for each in catalog().all() if each.callable and each.status == "active"]
TASKS = sorted({each.tasks[0] for each in USABLE})


def named(model_id: str) -> Model:
    return GUIDE.find(model_id)


# --- lists -----------------------------------------------------------------------------------------------------------


def test_a_list_leaves_out_what_is_of_no_use() -> None:
    assert [each.model for each in GUIDE.select(Wanted())] == USABLE
    marks = {each.model.id: each.mark for each in GUIDE.select(Wanted(every=True))}
    assert marks["gpt-image-1-5-t2i-lowcost"] == "withdrawn, use gpt-image-2-t2i-lowcost"
    assert marks["pixverse-c1-r2v"] == "cannot be called"
    assert len(marks) == len(catalog().names())


def test_conditions_of_a_list_hold_together() -> None:
    found = GUIDE.select(Wanted(task="image-to-video", vendor="kuaishou", output="video"))
    assert found
    assert all("image-to-video" in each.model.tasks and each.model.vendor == "kuaishou" for each in found)
    assert GUIDE.select(Wanted(task="text-to-image", output="video")) == []


def test_a_kind_stands_for_all_its_tasks() -> None:
    tasks = {each.model.tasks[0] for each in GUIDE.select(Wanted(task="upscale"))}
    assert tasks == {"upscale-image", "upscale-video"}


@pytest.mark.parametrize(
    ("wanted", "hint"),
    [
        (Wanted(task="text-to-imge"), "did you mean `text-to-image`?"),
        (Wanted(vendor="alibab"), "did you mean `alibaba`?"),
        (Wanted(output="film"), "choose from `audio`, `image`, `model3d`, `text`, `video`"),
    ],
)
def test_a_condition_that_no_model_meets_is_a_mistake(wanted: Wanted, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        GUIDE.select(wanted)
    assert caught.value.problems[0].hint == hint


def test_each_default_is_marked() -> None:
    marked = {task: each.model.id for each in GUIDE.select(Wanted()) for task in each.default_for}
    assert marked["upscale-video"] == "rh-video-upscaler"
    for task, model_id in marked.items():
        model = catalog().default_for(task)
        assert model is not None
        assert model.id == model_id


# --- search ----------------------------------------------------------------------------------------------------------


def search(*words: str) -> list[str]:
    return [each.model.id for each in GUIDE.search(words)]


def test_every_word_must_be_found_somewhere() -> None:
    assert all("kling" in each and "i2v" in each for each in search("kling", "i2v"))
    assert search("KLING I2V") == search("i2v", "kling")
    assert set(search("upscale", "topaz")) == {each for each in catalog().names() if each.startswith("topaz")}
    assert "suno-lyrics" in search("suno", "text")  # the task is a word too


def test_whole_words_of_an_id_come_first_and_useless_models_last() -> None:
    assert search("seedance", "2-0", "i2v")[0] == "seedance-2-0-i2v"
    assert search("gpt", "image")[-1].startswith("gpt-image-1-5")
    assert search("sora", "pro")[-2:] == ["sora-2-pro-i2v-lowcost", "sora-2-pro-t2v-lowcost"]


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("klng",), "did you mean `rhflow models search kling`?"),
        (("vidoe", "wna"), "did you mean `rhflow models search video wan`?"),
        (("kling", "topaz"), "`rhflow models list` shows them all; fewer words find more"),
    ],
)
def test_a_search_in_vain_says_what_to_try(words: tuple[str, ...], hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        GUIDE.search(words)
    assert caught.value.problems[0].hint == hint


# --- one model -------------------------------------------------------------------------------------------------------


def test_a_model_is_found_by_every_name() -> None:
    assert named("kling-v2.5-turbo-std/image-to-video") is named("KLING-V2-5-turbo-std-i2v")
    with pytest.raises(UsageError) as caught:
        named("kling-v2-5-turbo-i2v")
    problem = caught.value.problems[0]
    assert problem.message == "there is no model `kling-v2-5-turbo-i2v`"
    assert problem.hint is not None
    assert problem.hint.startswith("did you mean `kling-v2-5-turbo-")


def test_inputs_by_uniform_name_the_needed_ones_first() -> None:
    found = list(inputs_of(named("kling-v2-5-turbo-std-i2v")))
    assert [(each.name, each.own, each.required) for each in found[:3]] == [
        ("prompt", "", True),
        ("first_frame", "firstImageUrl", True),
        ("negative_prompt", "negativePrompt", False),
    ]
    assert stand_ins(named("kling-v2-5-turbo-std-i2v")) == {"first_frame": ["image", "images"]}
    many = [each for each in inputs_of(named("qwen-image-2511-edit")) if each.name == "images"]
    assert [each.limits for each in many] == ["up to 3, one each for `imageUrl`, `imageUrl2`, `imageUrl3`"]


def test_a_model_in_full(golden) -> None:  # type: ignore[no-untyped-def]
    shown = ("seedance-2-0-r2v", "rh-video-upscaler", "sora-2-pro-i2v-lowcost", "pixverse-c1-r2v", "f-2-dev-t2i")
    golden("models.txt", click.unstyle("\n\n\n".join(model_text(GUIDE, named(each)) for each in shown)) + "\n")


# --- examples --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("task", TASKS)
def test_examples_load_plan_and_please_editors(task: str, tmp_path: Path) -> None:
    editor = Draft202012Validator(load_schema("pipeline.full"))
    settings = Settings(store=tmp_path / "store", base_url="http://nowhere.example")
    for model in [each for each in USABLE if each.tasks[0] == task]:
        example = GUIDE.recipe(model)
        path = tmp_path / "try.yaml"
        path.write_text(example, encoding="utf-8")
        recipe = load(path)
        assert not recipe.warnings, model.id
        assert not recipe.pipeline.params, model.id  # it runs as it stands
        editor.validate(read(Source("try.yaml", example)).data)
        with prepared(Request(path, settings), recipe) as ready:
            *before, last = ready.planner.plan().decisions.values()
        assert isinstance(last, Wait if before else Run), model.id
        called = last.draft.model if isinstance(last, Wait) else last.call.model
        assert called is not None
        assert called.id == model.id


def test_an_example_makes_what_goes_in() -> None:
    assert 'images: ["${{ steps.picture.image }}"]' in GUIDE.recipe(named("skyreels-v4-omni-reference"))
    spoken = GUIDE.recipe(named("kling-lip-sync-video"))
    assert [line.strip(" :") for line in spoken.splitlines() if line.startswith("  ") and line[2] != " "] == [
        "clip", "face", "voice", "try",
    ]  # fmt: skip
    assert "faceId: ${{ steps.face.json.face_data[0].face_id }}" in spoken


def test_what_should_not_be_called_has_no_example() -> None:
    assert GUIDE.example(named("gpt-image-1-5-t2i-lowcost")) is None
    assert GUIDE.example(named("pixverse-c1-r2v")) is None
    for name, message, hint in (
        ("gpt-image-1-5-t2i-lowcost", "was withdrawn", "`rhflow models show gpt-image-2-t2i-lowcost`"),
        ("pixverse-c1-r2v", "cannot be called: the registry leaves out", "`rhflow models search` finds others"),
    ):
        with pytest.raises(UsageError) as caught:
            GUIDE.recipe(named(name))
        assert message in caught.value.problems[0].message
        assert caught.value.problems[0].hint == hint


@pytest.mark.parametrize("model", [each.id for each in catalog().all() if each not in USABLE])
def test_what_should_not_be_called_says_so_before_a_run(model: str) -> None:
    row = named(model)
    kind = row.tasks[0]
    (found,) = [
        each
        for each in problems_of(f"steps:\n  a: {{uses: {kind}, model: {model}}}\n")
        if each.code in ("not-callable", "withdrawn-model")
    ]
    assert found.severity == ("error" if not row.callable else "warning")
    assert found.hint is not None
    assert (f"use `model: {row.successor}`" in found.hint) == (row.successor is not None)


# --- the commands ----------------------------------------------------------------------------------------------------


def test_models_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["models", "list", "--task", "upscale-video", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert listed[0]["id"] == "rh-video-upscaler"
    assert listed[0]["default_for"] == ["upscale-video"]
    assert invoke(["models", "search", "topaz", "video", "--json"]) == 0
    assert [each["id"] for each in json.loads(capsys.readouterr().out)] == ["topaz-video-upscale"]
    assert invoke(["models", "show", "topaz-video-upscale", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["uses"] == "upscale"
    assert shown["list_price"]["rules"][0] == {"when": {"targetFps": "30", "targetResolution": "1080p"}, "price": "0.7"}
    assert shown["inputs"][0]["own_name"] == "videoUrl"


def test_models_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["models", "list", "--task", "upscale"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["model", "tasks", "gives", "list", "price"]
    assert lines[-1] == f"9 models; catalogue of {catalog().as_of}; `rhflow models show MODEL` tells more"
    assert invoke(["models", "list", "--task", "text-to-image", "--output", "video"]) == 0
    assert capsys.readouterr().out == "no model is all of that\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["models"], "Usage: rhflow models"),
        (["models", "shw"], "did you mean `show`?"),
        (["models", "kling"], "`rhflow models show kling` for a model, `rhflow models search kling` for a word"),
        (["models", "show", "no-such-model"], "`rhflow models search WORD` finds models by parts of their names"),
        (["models", "search"], "missing argument"),
    ],
)
def test_wrong_calls_are_answered(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(arguments) == 2
    assert words in capsys.readouterr().err


def test_schema_to_standard_output_and_to_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["schema"]) == 0
    assert json.loads(capsys.readouterr().out) == load_schema("pipeline.light")
    target = tmp_path / "new" / "recipes.json"
    assert invoke(["schema", "--full", "-o", str(target)]) == 0
    assert json.loads(target.read_text(encoding="utf-8")) == load_schema("pipeline.full")
    assert f"$schema={target}" in capsys.readouterr().out
    assert invoke(["schema", "-o", str(tmp_path)]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_init_brings_the_schema_that_its_recipe_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["init", str(tmp_path / "r.yaml")]) == 0
    first, *_ = (tmp_path / "r.yaml").read_text(encoding="utf-8").splitlines()
    schema = tmp_path / first.rpartition("$schema=")[2]
    assert json.loads(schema.read_text(encoding="utf-8")) == load_schema("pipeline.full")
    assert not load(tmp_path / "r.yaml").warnings
    assert capsys.readouterr().out.startswith("wrote ")
