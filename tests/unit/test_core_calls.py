"""From a step to a call: which model, what is in the key and what is not, what changed in words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from rhflow.core.kinds import Field, Model
from rhflow.core.plan.calls import StepCall, changes
from rhflow.core.plan.plan import Reuse, Run
from tests.fakes import FakeModels, artifact
from tests.support import Bench, files, plan_of, pointed_at, problems_of

DRAW = Model(
    "draw", "Draw", "vendor/draw", ("text-to-image",), "image",
    (
        Field("prompt", "string", required=True, alias="prompt"), Field("seed", "integer", alias="seed"),
        Field("ratio", "enum", enum=("1:1", "16:9"), required=True, default="1:1", alias="aspect_ratio"),
        Field("ref", "image", alias="image"), Field("extra", "object"),
    ),
)  # fmt: skip
PAINT = replace(DRAW, id="paint", endpoint="vendor/paint")
MODELS = FakeModels(DRAW, PAINT)


def call_of(step: str, *, models: FakeModels = MODELS, **told: Any) -> StepCall:
    """Return the call of a recipe with one step, written in flow style."""
    [decision] = plan_of(f"steps: {step}", models=models, **told).decisions.values()
    assert isinstance(decision, Run | Reuse)
    return decision.call


def key(step: str, **told: Any) -> str:
    return call_of(step, **told).key


BASE = "{a: {uses: text-to-image, with: {prompt: cat, seed: 5}}}"


@pytest.mark.parametrize(
    "same",
    [
        "{other-id: {uses: text-to-image, with: {prompt: cat, seed: 5}}}",
        "{a: {uses: text-to-image, with: {seed: 5, prompt: cat}}}",
        "{a: {with: {prompt: cat, seed: 5}, uses: text-to-image, description: words, save_as: name}}",
        "{a: {uses: text-to-image, model: draw, with: {prompt: cat, seed: 5}}}",
        '{a: {uses: text-to-image, with: {prompt: "cat", seed: "5"}}}',
        "{a: {uses: text-to-image, with: {prompt: cat, seed: 5.0}}}",
        "{a: {uses: text-to-image, with: {prompt: cat, seed: 5, image: null}}}",
        '{a: {uses: text-to-image, with: {prompt: cat, seed: 5, aspect_ratio: "1:1"}}}',
        '{a: {uses: text-to-image, with: {prompt: cat, seed: 5, ratio: "1:1"}}}',
        "{a: {uses: text-to-image, with: {prompt: \"${{ 'c' ~ 'at' }}\", seed: \"${{ 2 + 3 }}\"}}}",
        "{a: {uses: text-to-image, cache: false, with: {prompt: cat, seed: 5}}}",
        "{a: {uses: text-to-image, cache: true, with: {prompt: cat, seed: 5}}}",
        "{a: {uses: text-to-image, timeout: 20m, on_error: continue, with: {prompt: cat, seed: 5}}}",
        "{a: {uses: text-to-image, retry: {max: 2}, pool: mine, with: {prompt: cat, seed: 5}}}",
    ],
)
def test_what_is_not_in_the_key(same: str) -> None:
    assert key(same) == key(BASE)


@pytest.mark.parametrize(
    "other",
    [
        "{a: {uses: text-to-image, with: {prompt: Cat, seed: 5}}}",
        "{a: {uses: text-to-image, with: {prompt: 'cat ', seed: 5}}}",
        "{a: {uses: text-to-image, with: {prompt: cat, seed: 6}}}",
        "{a: {uses: text-to-image, with: {prompt: cat}}}",
        "{a: {uses: text-to-image, with: {prompt: cat, seed: 5, aspect_ratio: '16:9'}}}",
        "{a: {uses: text-to-image, model: paint, with: {prompt: cat, seed: 5}}}",
        "{a: {uses: text-to-image, cache: {salt: x}, with: {prompt: cat, seed: 5}}}",
        "{a: {uses: text-to-image, with: {prompt: cat, seed: 5, image: 'https://x/a.png'}}}",
        "{a: {uses: text-to-image, with: {prompt: cat, seed: 5, extra: {}}}}",
    ],
)
def test_what_is_in_the_key(other: str) -> None:
    assert key(other) != key(BASE)


def test_the_realm_is_in_the_key() -> None:
    assert key(BASE, realm="simulated") != key(BASE, realm="live")


def test_salts_differ() -> None:
    salted = "{{a: {{uses: text-to-image, cache: {{salt: {}}}, with: {{prompt: cat}}}}}}"
    assert key(salted.format("x")) == key(salted.format("x")) != key(salted.format("y"))


def test_the_endpoint_is_in_the_key_but_the_id_of_a_model_is_not() -> None:
    assert key(BASE, models=FakeModels(replace(DRAW, id="renamed", title="New name"))) == key(BASE)
    assert key(BASE, models=FakeModels(replace(DRAW, endpoint="vendor/v2"))) != key(BASE)


def test_a_price_is_not_in_the_key_and_a_new_default_of_a_required_field_is() -> None:
    cheaper = FakeModels(replace(DRAW, price=None, note="x"))
    assert key(BASE, models=cheaper) == key(BASE)
    fields = tuple(replace(each, default="16:9") if each.name == "ratio" else each for each in DRAW.fields)
    assert key(BASE, models=FakeModels(replace(DRAW, fields=fields))) != key(BASE)


READS_FILE = "{a: {uses: text-to-image, with: {prompt: cat, image: x.png}}}"


def test_a_file_is_its_content_whatever_its_name_path_and_link() -> None:
    local = files("x.png")
    one = key(READS_FILE, local=local)
    local["y.png"] = replace(artifact("x.png"), name="other.png", path="/somewhere/else", url="https://x/y")
    assert key(READS_FILE.replace("x.png", "y.png"), local=local) == one
    local["x.png"] = artifact("x.png", content="edited")
    assert key(READS_FILE, local=local) != one


def test_the_order_of_a_list_is_in_the_key_that_of_a_mapping_is_not() -> None:
    step = "{{a: {{uses: text-to-image, with: {{prompt: p, extra: {}}}}}}}"
    assert key(step.format("{x: 1, y: [1, 2]}")) == key(step.format("{y: [1, 2], x: 1.0}"))
    assert key(step.format("{x: 1, y: [1, 2]}")) != key(step.format("{x: 1, y: [2, 1]}"))
    assert key(step.format("{x: true}")) != key(step.format("{x: 1}"))
    assert key(step.format("{x: '1'}")) != key(step.format("{x: 1}"))


def test_a_key_is_a_digest_and_its_ingredients_are_kept() -> None:
    call = call_of(BASE)
    assert len(call.key) == 64
    assert call.ingredients == {
        "kind": "text-to-image", "version": 1, "endpoint": "vendor/draw", "realm": "live",
        "inputs": {"prompt": "cat", "seed": 5, "ratio": "1:1"},
    }  # fmt: skip


def test_a_kind_of_our_own_has_no_endpoint() -> None:
    call = call_of("{a: {uses: upload, with: {file: x.png}}}", local=files("x.png"))
    assert call.model is None
    assert call.ingredients["endpoint"] is None
    assert call.ingredients["inputs"] == {"file": {"sha256": artifact("x.png").digest}}


# --- what changed, in words ------------------------------------------------------------------------------------------

BEFORE: dict[str, Any] = {
    "kind": "text-to-image", "version": 1, "endpoint": "vendor/draw", "realm": "live",
    "inputs": {"prompt": "cat", "seed": 5},
}  # fmt: skip


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (BEFORE, ("its result is not in the store",)),
        (BEFORE | {"inputs": {"prompt": "dog", "seed": 5}}, ("`prompt` changed",)),
        (BEFORE | {"inputs": {"prompt": "cat", "seed": 5, "n": 1}}, ("`n` added",)),
        (BEFORE | {"inputs": {"prompt": "cat"}}, ("`seed` removed",)),
        (BEFORE | {"inputs": {"prompt": "dog", "n": 1}}, ("`prompt` changed", "`n` added", "`seed` removed")),
        (BEFORE | {"endpoint": "vendor/paint"}, ("another model",)),
        (BEFORE | {"salt": "x"}, ("another salt",)),
        (BEFORE | {"version": 2}, ("a newer version of its kind",)),
        (BEFORE | {"kind": "upscale", "version": 3}, ("another kind",)),
        (BEFORE | {"endpoint": "e", "inputs": {}}, ("another model", "`prompt` removed", "`seed` removed")),
    ],
)
def test_what_changed_is_said_in_words(now: dict[str, Any], words: tuple[str, ...]) -> None:
    assert changes(BEFORE, now) == words


def test_what_was_never_made_is_new() -> None:
    assert changes(None, BEFORE) == ("new",)


# --- which model -----------------------------------------------------------------------------------------------------


def model_of(step: str, **told: Any) -> str | None:
    [decision] = plan_of(f"steps: {step}", **told).decisions.values()
    assert isinstance(decision, Run | Reuse)
    return decision.call.model.id if decision.call.model is not None else None


def test_upscale_goes_by_what_goes_in() -> None:
    local = files("a.png", "b.mp4")
    assert model_of("{a: {uses: upscale, with: {image: a.png}}}", local=local) == "topaz-image-upscale-standard-v2"
    assert model_of("{a: {uses: upscale, with: {video: b.mp4}}}", local=local) == "rh-video-upscaler"


@pytest.mark.parametrize(
    ("file", "model"), [("a.png", "topaz-image-upscale-standard-v2"), ("b.mp4", "rh-video-upscaler")]
)
def test_upscale_goes_by_what_an_earlier_step_gives(file: str, model: str) -> None:
    kind = "text-to-image" if file == "a.png" else "text-to-video"
    name = "image" if file == "a.png" else "video"
    text = f"""
    steps:
      make: {{uses: {kind}, with: {{prompt: p}}}}
      big: {{uses: upscale, with: {{{name}: "${{{{ steps.make.file }}}}"}}}}
    """
    decision = plan_of(text).decisions["big"]
    assert not isinstance(decision, Run | Reuse)
    assert getattr(decision, "draft").model.id == model  # noqa: B009


@pytest.mark.parametrize(
    ("step", "code", "hint", "at"),
    [
        ("{uses: text-to-image, model: drawn}", "unknown-model", "did you mean `draw`?", "drawn"),
        ("{uses: text-to-image, model: zzzzz}", "unknown-model", "rhflow models list --kind text-to-image", "zzzzz"),
        ("{uses: image-to-image, model: draw}", "wrong-task", "write `uses: text-to-image`", "draw"),
        ("{uses: text-to-video}", "no-default", "no model of the catalogue does", "a"),
        ("{uses: text-to-image, model: broken}", "not-callable", "rhflow models list --kind text-to-image", "broken"),
    ],
)
def test_a_model_that_cannot_be_told_is_a_problem(step: str, code: str, hint: str, at: str) -> None:
    models = FakeModels(DRAW, replace(DRAW, id="broken", callable=False, note="no parameters are known"))
    [problem] = problems_of(f"steps: {{a: {step}}}", models=models)
    assert (problem.code, pointed_at(problem)) == (code, at)
    assert hint in (problem.hint or "")


def test_a_withdrawn_model_is_a_warning_with_its_successor() -> None:
    models = FakeModels(replace(DRAW, status="withdrawn", successor="paint"), PAINT)
    [problem] = problems_of("steps: {a: {uses: text-to-image, model: draw, with: {prompt: x}}}", models=models)
    assert (problem.code, problem.severity, problem.hint) == ("withdrawn-model", "warning", "use `model: paint`")


def test_a_model_may_come_from_a_parameter() -> None:
    text = """
    params: {m: {type: string, default: draw}}
    steps: {a: {uses: text-to-image, model: "${{ params.m }}", with: {prompt: x}}}
    """
    for name in ("draw", "paint"):
        decision = Bench(text, params={"m": name}, models=MODELS).plan().decisions["a"]
        assert isinstance(decision, Run)
        assert decision.call.model is not None
        assert decision.call.model.id == name
