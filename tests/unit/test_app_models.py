"""Looking into the catalogue: what is listed and found, and examples that run as they are printed."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import click
import pytest
from jsonschema import Draft202012Validator

from rhflow.app.catalog.abilities import Abilities
from rhflow.app.catalog.models import ModelGuide, inputs_of, stand_ins
from rhflow.app.catalog.wanted import Vocabulary, Wanted
from rhflow.app.recipes.load import load
from rhflow.app.request import Request
from rhflow.app.runs.prepare import prepared
from rhflow.cli.models_text import model_text
from rhflow.cli.root import invoke
from rhflow.contract import load_schema
from rhflow.core.errors import Source, UsageError
from rhflow.core.kinds import Model
from rhflow.core.plan.dry_run import dry_run
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
    found = GUIDE.select(Wanted(kinds=("image-to-video",), vendor="kuaishou", output="video"))
    assert found
    assert all("image-to-video" in each.model.tasks and each.model.vendor == "kuaishou" for each in found)
    assert GUIDE.select(Wanted(kinds=("text-to-image",), output="video")) == []


def test_a_kind_stands_for_all_its_tasks() -> None:
    tasks = {each.model.tasks[0] for each in GUIDE.select(Wanted(kinds=("upscale",)))}
    assert tasks == {"upscale-image", "upscale-video"}


@pytest.mark.parametrize(
    ("wanted", "hint"),
    [
        (Wanted(kinds=("text-to-imge",)), "did you mean `text-to-image`?"),
        (Wanted(vendor="alibab"), "did you mean `alibaba`?"),
        (Wanted(resolution="1080"), "did you mean `1080p`?"),
        (Wanted(ratio="16x9"), "did you mean `16:9`?"),
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
    ("words", "kind"),
    [
        ("text to image", "text-to-image"),
        ("text-to-video", "text-to-video"),
        ("photo to clip", "image-to-video"),
        ("a video from an image", "image-to-video"),
        ("first and last frame", "start-end-to-video"),
        ("talking head", "lip-sync"),
        ("avatar", "lip-sync"),
        ("inpaint", "image-to-image"),
        ("slow motion", "interpolate-video"),
        ("音乐", "text-to-music"),
    ],
)
def test_a_kind_is_found_by_its_name_and_by_plain_words_its_default_first(words: str, kind: str) -> None:
    found = GUIDE.search([words])
    assert kind in found[0].default_for
    served = [kind in each.model.tasks for each in found]
    assert all(served[: sum(served)])


def test_every_phrase_that_is_known_finds_something() -> None:
    vocabulary = Vocabulary(TASKS)
    read = {phrase: vocabulary.read([phrase]).terms for phrase in vocabulary.phrases}
    assert all(len(terms) == 1 and terms[0].means is not None for terms in read.values())
    assert all(GUIDE.select(means) for means in {terms[0].means for terms in read.values()} if means is not None)


def test_words_are_conditions_too() -> None:
    def found(words: str) -> list[Abilities]:
        return [Abilities(each.model) for each in GUIDE.search([words])]

    assert all(10 in each.seconds for each in found("10 s"))
    outputs = [each.model.output for each in GUIDE.search(["film"]) if not each.of_no_use]
    assert set(outputs[: outputs.count("video")]) == {"video"}
    assert all("4k" in each.resolutions or "4k" in each.model.id for each in found("4k"))
    assert all(each.audio and each.model.output == "video" for each in found("video with audio"))
    assert found("sound")[0].model.output == "audio"
    assert all("tall" in each.shapes or "portrait" in each.model.id for each in found("vertical portrait"))
    assert "seedance-v1-5-pro-t2v" in search("camera")  # the name of one of its inputs


def test_cheap_means_the_least_price_first() -> None:
    costs = [Wanted().cost(each.model).high for each in GUIDE.search(["cheap", "text-to-image"]) if not each.of_no_use]
    known = [each for each in costs if each is not None]
    assert known == sorted(known)
    assert costs[: len(known)] == known


def test_a_price_is_that_of_the_call_that_is_asked_for() -> None:
    (listed,) = GUIDE.search(["vidu-q2-t2v"])
    (longer,) = GUIDE.search(["vidu-q2-t2v", "10 s"])
    assert (listed.price, longer.price) == ("0.77 CNY for 5 s", "1.31 CNY for 10 s")


def test_conditions_narrow_lists_and_searches_alike() -> None:
    wanted = Wanted(max_price=Decimal("1.31"), seconds=10, resolution="720p", ratio="9:16")
    assert "vidu-q2-t2v" in [each.model.id for each in GUIDE.select(wanted)]
    assert [each.model.id for each in GUIDE.search(["vidu q2"], wanted)] == ["vidu-q2-t2v"]
    dearer = Wanted(max_price=Decimal("1.3"), seconds=10)
    assert GUIDE.search(["vidu-q2-t2v"], dearer) == []
    both = GUIDE.select(Wanted(audio=True, first_and_last=True))
    assert both
    assert all({"sound", "first+last"} <= set(each.takes) for each in both)


def test_abilities_are_told_in_short() -> None:
    assert Abilities(named("vidu-q3-turbo-se2v")).words()[:4] == ["1-16 s", "540p-1080p", "sound", "first+last"]
    assert Abilities(named("kling-v2-5-turbo-std-i2v")).words() == ["5/10 s"]
    assert Abilities(named("sora-2-t2v-official")).resolutions == ("720p",)  # from sizes in pixels


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("klng",), "did you mean `rhflow models search kling`?"),
        (("vidoe", "wna"), "did you mean `rhflow models search video wan`?"),
        (("kling", "topaz"), "`rhflow models search kling` finds 39"),
        (("kling", "zzzzqq"), "`rhflow models search kling` finds 39"),
        (("zzzzqq",), "`rhflow models list` shows them all"),
        (("trim",), "`trim` is a kind of step that needs no model: `uses: trim`"),
    ],
)
def test_a_search_in_vain_says_what_to_try(words: tuple[str, ...], hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        GUIDE.search(words)
    assert caught.value.problems[0].hint == hint


@pytest.mark.parametrize("words", ["frist lats fraem", "kling cheep loud", "wan topaz sora", "unicorn dust"])
def test_what_a_search_in_vain_suggests_finds_something(words: str) -> None:
    with pytest.raises(UsageError) as caught:
        GUIDE.search([words])
    hint = str(caught.value.problems[0].hint)
    command = hint.partition("`")[2].partition("`")[0]
    assert invoke(command.split()[1:]) == 0


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
            *before, last = dry_run(ready.planner).decisions.values()
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
        ("pixverse-c1-r2v", "cannot be called: the registry leaves out", "`rhflow models search WORD` finds others"),
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
    assert invoke(["models", "list", "--kind", "upscale"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "upscale: a picture or clip with more pixels"
    assert lines[1].split()[0] == "hypir-upscale" or "default" in lines[1]
    assert lines[-1] == f"9 models; catalogue of {catalog().as_of}; `rhflow models show MODEL` tells more"
    assert invoke(["models", "list", "--kind", "text-to-image", "--output", "video"]) == 0
    assert capsys.readouterr().out == "no model is all of that\n"


def test_lists_fit_a_terminal_and_name_the_default_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["models", "list"]) == 0
    blocks = capsys.readouterr().out.split("\n\n")
    assert all(len(line) <= 80 for block in blocks for line in block.splitlines())
    heading, first, *_ = blocks[0].splitlines()
    assert heading == "text-to-image: a picture from a text"
    assert first.split() == ["nano-banana-t2i-official", "0.2", "CNY", "default,", "wide/tall/square"]


def test_conditions_on_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    how = ["--max-price", "1.4", "--duration", "10", "--resolution", "720P", "--aspect-ratio", "9:16"]
    assert invoke(["models", "search", "vidu", "q2", *how]) == 0
    assert "vidu-q2-t2v  1.31 CNY for 10 s  default, 1-10 s" in capsys.readouterr().out
    assert invoke(["models", "list", "--audio", "--last-frame", "--json", *how]) == 0
    assert json.loads(capsys.readouterr().out) == []
    assert invoke(["models", "list", "--max-price", "little"]) == 2
    assert "hint: write an amount in CNY, as in `--max-price 0.5`" in capsys.readouterr().err


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
