"""The build of the catalogue: it is up to date, and its rules do what they say."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from rhflow.catalog.catalog import SHIPPED, Catalog

ROOT = Path(__file__).parents[2]

DEFAULTS = {
    "text-to-image": "nano-banana-t2i-official",
    "image-to-image": "nano-banana-edit-official",
    "text-to-video": "vidu-q2-t2v",
    "image-to-video": "kling-v2-5-turbo-std-i2v",
    "start-end-to-video": "vidu-q3-turbo-se2v",
    "reference-to-video": "seedance-v1-lite-r2v",
    "video-edit": "grok-imagine-video-edit-official",
    "video-extend": "pixverse-v6-extend",
    "motion-control": "kling-v2-6-std-motion-control",
    "video-effects": "pixverse-v5-5-effects",
    "upscale-image": "topaz-image-upscale-standard-v2",
    "upscale-video": "rh-video-upscaler",
    "interpolate-video": "rh-video-fps-increaser",
    "lip-sync": "kling-v2-avatar-standard",
    "text-to-speech": "minimax-speech-02-turbo",
    "text-to-music": "suno-single-v5-5",
    "voice-clone": "minimax-voice-clone",
    "text-to-3d": "hunyuan3d-v3-1-text-to-3d",
    "image-to-3d": "hunyuan3d-v3-1-image-to-3d",
    "image-to-text": "rhart-text-g-25-pro-image-to-text",
    "video-to-text": "rhart-text-g-25-pro-video-to-text",
    "text-to-text": "rhart-text-g-25-pro-text-to-text",
    "upload-character": "sora-upload-character-official",
    "element": "kling-elements",
    "asset": "marble-upload-media-asset",
}


@pytest.fixture(scope="module")
def build() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT)
        yield importlib.import_module("tools.catalog.build")


@pytest.fixture(scope="module")
def transform(build: ModuleType) -> ModuleType:
    return importlib.import_module("tools.catalog.transform")


@pytest.fixture(scope="module")
def defaults(build: ModuleType) -> ModuleType:
    return importlib.import_module("tools.catalog.defaults")


def row(model_id: str, *, price: str | None = "1", **changes: Any) -> dict[str, Any]:
    """A model that turns a picture and a prompt into a clip."""
    image = {"name": "imageUrl", "type": "image", "alias": "image", "required": True}
    prompt = {"name": "prompt", "type": "string", "alias": "prompt", "required": True}
    length = {"name": "duration", "type": "enum", "alias": "duration", "enum": ["5", "10"], "default": "10"}
    model = {"id": model_id, "title": model_id, "endpoint": f"v/{model_id}", "tasks": ["image-to-video"]}
    model |= {"output": "video", "status": "active", "vendor": "v", "family": "f", "confidence": "high"}
    if price is not None:
        model["price"] = {"unit": "call", "fixed": price}
    return model | {"fields": [image, prompt, length]} | changes


def chosen(defaults: ModuleType, *rows: dict[str, Any]) -> str | None:
    found: dict[str, str] = defaults.compute_defaults(rows)
    return found.get("image-to-video")


def test_the_shipped_file_is_what_the_facts_give() -> None:
    command = [sys.executable, str(ROOT / "tools" / "catalog" / "build.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_stale_file_fails_the_check(
    build: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(build, "TARGET", tmp_path / "models.json")
    assert build.main(["--check"]) == 1
    assert build.main([]) == 0
    assert build.main(["--check"]) == 0
    assert build.TARGET.read_bytes() == SHIPPED.read_bytes()
    build.TARGET.write_bytes(SHIPPED.read_bytes().replace(b"0.189", b"0.19"))
    assert build.main(["--check"]) == 1
    assert "stale: run `python tools/catalog/build.py`" in capsys.readouterr().err


def test_facts_of_ones_own_make_a_catalogue_of_ones_own(build: ModuleType, tmp_path: Path) -> None:
    facts = json.loads(build.FACTS.read_text(encoding="utf-8"))
    facts["models"] = [each for each in facts["models"] if each["id"] == "vidu-q2-t2v"]
    (tmp_path / "facts.json").write_text(json.dumps(facts), encoding="utf-8")
    assert build.main(["--facts", str(tmp_path / "facts.json"), "-o", str(tmp_path / "mine.json")]) == 0
    assert Catalog.load(tmp_path / "mine.json").names() == ("vidu-q2-t2v",)


def test_the_coverage_page_is_what_the_catalogue_gives(build: ModuleType) -> None:
    assert importlib.import_module("tools.coverage").main(["--check"]) == 0


def test_one_model_per_line() -> None:
    lines = SHIPPED.read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line.removesuffix(",")) for line in lines[lines.index('"models":[') + 1 : -2]]
    assert [each["id"] for each in rows] == list(Catalog.load().names())


def test_the_defaults(defaults: ModuleType) -> None:
    catalog = Catalog.load()
    found = {task: model.id for task in DEFAULTS if (model := catalog.default_for(task)) is not None}
    assert found == DEFAULTS
    assert set(defaults.EXPECTED) == set(DEFAULTS)


def test_a_default_can_be_called_as_people_expect(defaults: ModuleType) -> None:
    catalog = Catalog.load()
    for task, expected in defaults.EXPECTED.items():
        model = catalog.default_for(task)
        assert model is not None
        aliases = {field.alias for field in model.fields}
        assert (model.status, model.callable, model.output) == ("active", True, expected.output)
        assert catalog.row(model.id).get("channel") != "low-price"
        for wanted in expected.inputs:
            assert wanted == "enlarges" or aliases & set(wanted.split("|")), (task, model.id, wanted)


def test_the_cheapest_five_second_clip_wins(defaults: ModuleType) -> None:
    by_second = row("b", price=None) | {"price": {"unit": "second", "fixed": "0.3"}}
    assert chosen(defaults, row("a", price="1.6"), by_second) == "b"
    rules = [{"when": {"duration": "5"}, "price": "1.4"}, {"when": {"duration": "10"}, "price": "9"}]
    assert chosen(defaults, row("a", price=None) | {"price": {"unit": "call", "rules": rules}}, by_second) == "a"


@pytest.mark.parametrize(
    "unfit",
    [
        {"status": "withdrawn"},
        {"callable": False},
        {"output": "image"},
        {"channel": "low-price"},
        {"confidence": "medium"},
        {"price": {"unit": "call", "lowest": "0.01"}},
        {"fields": [*row("x")["fields"], {"name": "style", "type": "string", "required": True}]},
        {"fields": [*row("x")["fields"], {"name": "bgm", "type": "boolean", "default": True}]},
        {"fields": row("x")["fields"][:2]},
        {"fields": [*row("x")["fields"][:2], row("x")["fields"][2] | {"enum": ["4", "8"]}]},
        {"any_of": [["videoUrl"]]},
    ],
)
def test_who_is_passed_over_although_cheaper(defaults: ModuleType, unfit: dict[str, Any]) -> None:
    assert chosen(defaults, row("cheap", price="0.5") | unfit, row("fit")) == "fit"


def test_conditions_are_dropped_in_order(defaults: ModuleType) -> None:
    medium = row("medium", price="9", confidence="medium")
    unpriced = row("unpriced", price=None)
    needy = row("needy", fields=[*row("x")["fields"], {"name": "style", "type": "string", "required": True}])
    low_price = row("low", channel="low-price")
    assert chosen(defaults, low_price, needy, unpriced, medium) == "medium"
    assert chosen(defaults, low_price, needy, unpriced) == "unpriced"
    assert chosen(defaults, low_price, needy) == "needy"
    assert chosen(defaults, low_price) == "low"
    assert chosen(defaults, row("gone", status="withdrawn")) is None


def test_between_equals(defaults: ModuleType) -> None:
    longer = row("v9", fields=[*row("x")["fields"], {"name": "seed", "type": "integer"}])
    assert chosen(defaults, longer, row("v2")) == "v2"
    assert chosen(defaults, row("v9"), row("v10")) == "v10"
    assert chosen(defaults, row("v9"), row("v1-standard")) == "v1-standard"


def test_a_family_that_starts_from_pictures_too_goes_first(defaults: ModuleType) -> None:
    ratio = {"name": "ratio", "type": "enum", "alias": "aspect_ratio", "enum": ["1:1"], "default": "1:1"}
    words = {"tasks": ["text-to-video"], "fields": [*row("x")["fields"][1:], ratio]}
    alone = row("alone", price="0.1", family="g") | words
    paired = row("paired", price="2") | words
    found = defaults.compute_defaults([alone, paired, row("twin")])
    assert found == {"text-to-video": "paired", "image-to-video": "twin"}


def test_a_withdrawn_model_is_followed_by_its_like(transform: ModuleType) -> None:
    rows = [
        row("s-2-pro-i2v-low", status="withdrawn", channel="low-price"),
        row("s-2-pro-i2v-official", channel="official-stable"),
        row("s-2-async-i2v-low", channel="low-price"),
        row("s-2-i2v-low", channel="low-price"),
        row("s-2-pro-t2v-low", channel="low-price", tasks=["text-to-video"]),
        row("s-2-pro-i2v-lows", channel="low-price", family="g"),
    ]
    transform.add_successors(rows)
    assert [each.get("successor") for each in rows] == ["s-2-i2v-low", None, None, None, None, None]


def test_successors_of_the_shipped_catalogue() -> None:
    followed = {model.id: model.successor for model in Catalog.load().all() if model.status == "withdrawn"}
    assert followed == {
        "gpt-image-1-5-edit-lowcost": "gpt-image-2-edit-lowcost",
        "gpt-image-1-5-t2i-lowcost": "gpt-image-2-t2i-lowcost",
        "sora-2-pro-i2v-lowcost": "sora-2-i2v-lowcost",
        "sora-2-pro-t2v-lowcost": "sora-2-t2v-lowcost",
    }


@pytest.mark.parametrize(
    ("number", "text"), [(0.189, "0.189"), (1.0, "1"), (9999.0, "9999"), (0.00001, "0.00001"), (30, "30"), (0.1, "0.1")]
)
def test_money_is_spelt_exactly(transform: ModuleType, number: float, text: str) -> None:
    assert transform.money(number) == text


def test_facts_that_cannot_stand_end_the_build(build: ModuleType) -> None:
    facts = json.loads(build.FACTS.read_text(encoding="utf-8"))
    facts["models"][1]["title"] = facts["models"][0]["id"].upper()
    with pytest.raises(SystemExit, match="stands for"):
        build.build(facts)
    facts = json.loads(build.FACTS.read_text(encoding="utf-8"))
    facts["models"][0]["also_tasks"] = ["text-to-smell"]
    with pytest.raises(SystemExit, match="unknown task text-to-smell"):
        build.build(facts)
