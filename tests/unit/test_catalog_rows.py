"""Every row of the shipped catalogue: it builds, the counts are right, names stand for what they should."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from rhflow.catalog.catalog import Catalog
from rhflow.catalog.rows import field_from, model_from, price_from
from rhflow.core.kinds import Field, Implied, Model

FACTS = Path(__file__).parents[2] / "tools" / "catalog" / "facts.json"

TASKS = {
    "image-to-video": (61, 6), "text-to-video": (53, 0), "text-to-image": (42, 0), "image-to-image": (35, 5),
    "reference-to-video": (22, 1), "image-to-3d": (20, 0), "start-end-to-video": (14, 22), "image-to-text": (8, 1),
    "video-edit": (7, 0), "video-extend": (7, 0), "upscale-image": (7, 0), "text-to-speech": (7, 0),
    "text-to-music": (7, 0), "motion-control": (6, 0), "text-to-text": (6, 0), "text-to-3d": (5, 0),
    "lip-sync": (4, 0), "other": (4, 0), "video-to-text": (4, 1), "video-effects": (2, 0), "upscale-video": (2, 0),
    "upload-character": (2, 0), "element": (1, 0), "asset": (1, 0), "voice-clone": (1, 0), "interpolate-video": (1, 1),
}  # fmt: skip

TYPES = {
    "enum": 581, "string": 454, "boolean": 228, "image": 207, "integer": 200, "number": 56, "image[]": 52,
    "video": 35, "object[]": 30, "audio": 11, "enum[]": 8, "video[]": 8, "string[]": 6, "audio[]": 4, "object": 1,
}  # fmt: skip

# Alias, then the field names it stands for and on how many models.
ALIASES: dict[str, dict[str, int]] = {
    "prompt": {"prompt": 276, "text": 8, "textPrompt": 9, "description": 3},  # a figure's description is no prompt
    "negative_prompt": {"negativePrompt": 53, "negative_prompt": 2},
    "image": {"imageUrl": 94, "image": 1, "frontImageUrl": 6},
    "images": {"imageUrls": 51, "elementReferList": 1, "refImages": 1},
    "first_frame": {"firstImageUrl": 28, "firstFrameUrl": 6},
    "last_frame": {"lastImageUrl": 25, "lastFrameUrl": 6, "endImageUrl": 5},
    "video": {"videoUrl": 36, "video": 2},
    "videos": {"videoUrls": 7, "videos": 1},
    "audio": {"audioUrl": 10, "audio": 1},
    "audios": {"audioUrls": 4},
    "style_image": {"sref": 5},
    "character_image": {"cref": 3},
    "object_image": {"oref": 1},
    "duration": {"duration": 148},
    "aspect_ratio": {"aspectRatio": 129, "ratio": 12},
    "resolution": {"resolution": 133, "targetResolution": 2},
    "size": {"size": 14},
    "width": {"width": 10, "customWidth": 12},
    "height": {"height": 10, "customHeight": 4, "customHight": 8},
    "seed": {"seed": 46},
    "with_audio": {"generateAudio": 21, "sound": 20, "generateAudioSwitch": 12, "audio": 12, "enableAudio": 1},
    "keep_audio": {"keepOriginalSound": 11, "audioSetting": 1},
    "count": {"imageNum": 4, "maxImages": 6, "n": 2},
    "voice": {"voice_id": 6, "voiceId": 2, "custom_voice_id": 1},
    "output_format": {"outputFormat": 25},
    "quality": {"quality": 9},
    "guidance": {"cfgScale": 6, "guidanceScale": 4},
    "enhance_prompt": {"promptExtend": 11, "enablePromptExpansion": 15, "promptOptimizer": 5, "thinkingMode": 2},
    "return_last_frame": {"returnLastFrame": 12},
}


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return Catalog.load()


@pytest.fixture(scope="module")
def models(catalog: Catalog) -> dict[str, Model]:
    return {model.id: model for model in catalog.all()}


@pytest.fixture(scope="module")
def facts() -> dict[str, dict[str, Any]]:
    return {each["id"]: each for each in json.loads(FACTS.read_text(encoding="utf-8"))["models"]}


def test_every_row_builds_and_keeps_its_fields(models: dict[str, Model], facts: dict[str, dict[str, Any]]) -> None:
    assert len(models) == 329
    for model_id, known in facts.items():
        model = models[model_id]
        assert [each.name for each in model.fields] == [each["name"] for each in known["params"]], model_id
        assert model.tasks == (known["task"], *known.get("also_tasks", ()))
        assert (model.title, model.endpoint, model.status) == (known["title"], known["endpoint"], known["status"])


def test_a_field_keeps_every_fact_that_has_a_place(models: dict[str, Model], facts: dict[str, dict[str, Any]]) -> None:
    members = {"min": "minimum", "max": "maximum"}
    kept = ("required", "default", "enum", "min", "max", "step", "max_length", "max_items", "max_mb", "formats")
    for model_id, known in facts.items():
        for param in known["params"]:
            field = models[model_id].by_name[param["name"]]
            for name in kept:
                value = getattr(field, members.get(name, name))
                value = list(value) if isinstance(value, tuple) else value
                assert value == param.get(name, False if name == "required" else [] if value == [] else None)


def test_models_per_task(models: dict[str, Model]) -> None:
    first = Counter(model.tasks[0] for model in models.values())
    also = Counter(task for model in models.values() for task in model.tasks[1:])
    assert {task: (first[task], also[task]) for task in first | also} == TASKS


def test_models_per_output(models: dict[str, Model]) -> None:
    counts = Counter(model.output for model in models.values())
    assert counts == {"video": 178, "image": 84, "model3d": 28, "text": 24, "audio": 15}


def test_fields_per_type(models: dict[str, Model]) -> None:
    counts = Counter(field.type for model in models.values() for field in model.fields)
    assert counts == TYPES
    assert counts.total() == 1881


def test_aliases_stand_for_the_fields_they_should(models: dict[str, Model]) -> None:
    found: dict[str, Counter[str]] = {}
    for model in models.values():
        aliases = [field.alias for field in model.fields if field.alias]
        assert len(aliases) == len(set(aliases)), f"{model.id} has an alias for two fields"
        for field in model.fields:
            if field.alias:
                found.setdefault(field.alias, Counter())[field.name] += 1
    assert found == ALIASES


def test_an_alias_goes_by_type_as_well_as_by_name(models: dict[str, Model]) -> None:
    assert models["vidu-q3-turbo-i2v"].by_name["audio"].alias == "with_audio"
    assert models["minimax-voice-clone"].by_name["audio"].alias == "audio"
    assert models["kling-elements"].by_name["description"].alias is None
    for model in models.values():
        for field in model.fields:
            assert not (field.alias == "audio" and not field.is_media), model.id
            assert not (field.alias == "with_audio" and field.is_media), model.id


def test_enum_values_and_defaults_agree(models: dict[str, Model]) -> None:
    for model in models.values():
        for field in model.fields:
            assert all(isinstance(value, str) for value in field.enum)
            if field.type == "enum" and field.default is not None:
                assert field.default in field.enum, (model.id, field.name)


def test_what_cannot_be_called_says_why(models: dict[str, Model], facts: dict[str, dict[str, Any]]) -> None:
    low = {model_id for model_id, known in facts.items() if known["confidence"] == "low"}
    assert {model.id for model in models.values() if not model.callable} == low
    assert all(models[model_id].note for model_id in low)
    assert len(low) == 6


def test_prices_are_exact(models: dict[str, Model]) -> None:
    assert models["wan-2-7-edit"].price is not None
    assert models["wan-2-7-edit"].price.fixed == Decimal("0.189")
    upscaler = models["rh-video-upscaler"].price
    assert upscaler is not None
    assert {rule["targetResolution"]: str(amount) for rule, amount in upscaler.rules}["4k"] == "0.56"
    for model in models.values():
        if model.price is not None:
            amounts = [model.price.fixed, model.price.lowest, *(amount for _, amount in model.price.rules)]
            assert all(type(each) is Decimal for each in amounts if each is not None)
            assert sum(each is not None for each in amounts[:2]) + bool(model.price.rules) == 1, model.id


def test_prices_are_those_of_the_facts(models: dict[str, Model], facts: dict[str, dict[str, Any]]) -> None:
    for model_id, known in facts.items():
        price, listed = models[model_id].price, known["price"]
        if price is None:
            continue
        assert (price.unit, price.currency, price.as_of) == (listed["unit"], listed["currency"], listed["as_of"])
        if price.rules:
            assert [(dict(when), str(amount)) for when, amount in price.rules] == [
                (rule["when"], f"{rule['price']:g}") for rule in listed["rules"]
            ]


def test_a_price_that_is_none_is_not_told_as_one(models: dict[str, Model]) -> None:
    assert models["wan-2-7-video-edit"].price is None  # listed as 0
    skyreels = models["skyreels-v3-r2v"].price  # listed as 0.01, the smallest amount there is
    assert skyreels is not None
    assert (skyreels.fixed, skyreels.lowest) == (None, Decimal("0.01"))
    assert models["marble-upload-media-asset"].price is None  # listed as 9999, the largest


def test_numbered_fields_and_views_take_a_list_in_order(models: dict[str, Model]) -> None:
    assert models["qwen-image-2511-edit"].spread == {"images": ("imageUrl", "imageUrl2", "imageUrl3")}
    views = ("frontImageUrl", "backImageUrl", "leftImageUrl", "rightImageUrl")
    assert models["hitem3d-v2-multi-image-to-3d"].spread == {"images": views}
    assert models["hunyuan3d-v3-1-image-to-3d"].spread["images"][:2] == ("imageUrl", "leftImageUrl")
    spread = [model for model in models.values() if model.spread]
    assert len(spread) == 8
    assert all(model.by_name[name].type == "image" for model in spread for name in model.spread["images"])


def test_either_or(models: dict[str, Model]) -> None:
    assert models["kling-lip-sync-identify-face"].any_of == (("videoUrl", "videoId"),)
    assert models["kling-lip-sync-video"].any_of == (("audioId", "audioUrl"),)
    assert models["seedance-2-0-r2v"].any_of == (("imageUrls", "videoUrls"),)
    for model in models.values():
        assert all(name in model.by_name for group in model.any_of for name in group)


def test_what_follows_from_a_field(models: dict[str, Model]) -> None:
    assert models["f-2-dev-t2i"].implied == (
        Implied("customWidth", "aspectRatio", "custom", only=True),
        Implied("customHight", "aspectRatio", "custom", only=True),
    )
    assert models["kling-v3-0-pro-t2v"].implied == (Implied("multiShot", "shotType", "customize", "true"),)
    assert models["marble-upload-media-asset"].implied == (Implied("videoUrl", "kind", "video", only=True),)
    for model in models.values():
        for rule in model.implied:
            then = model.by_name[rule.then]
            assert rule.field in model.by_name
            assert rule.becomes in then.enum, model.id
            assert model.by_name[rule.field].default is None or not rule.only or not model.by_name[rule.field].required


def test_misspelt_names_are_kept(models: dict[str, Model]) -> None:
    assert models["f-2-dev-t2i"].by_name["customHight"].alias == "height"
    assert models["kling-video-o1-std-r2v"].endpoint == "kling-video-o1-std/refrence-to-video"


def test_a_row_may_leave_out_what_is_at_its_default() -> None:
    assert field_from({"name": "seed", "type": "integer"}) == Field("seed", "integer")
    row = {"id": "a", "title": "A", "endpoint": "v/a", "tasks": ["other"], "output": "file", "status": "active"}
    model = model_from({**row, "vendor": "v", "fields": [], "price": {"unit": "call", "fixed": "1.50"}}, "2026-01-02")
    assert model.callable
    assert model.price is not None
    assert (model.price.currency, str(model.price.fixed), model.price.as_of) == ("CNY", "1.50", "2026-01-02")
    assert price_from(None) is None
