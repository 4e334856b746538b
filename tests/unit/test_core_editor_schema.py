"""What editors are told: fresh, as the loader sees it, and no false alarm."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator, Draft202012Validator

from rhflow.app.catalog.schemas import editor_schema
from rhflow.contract import load_schema
from rhflow.core.errors import Source
from rhflow.core.inputs.coerce import BadValueError, coerce
from rhflow.core.inputs.input_schema import input_schema
from rhflow.core.inputs.signature import _FALLBACKS, Signature
from rhflow.core.kinds import Field, Model
from rhflow.core.text.source import read
from rhflow.core.values import Pending
from rhflow.steps.kinds import all_kinds
from tests.support import catalog
from tests.unit.test_docs import whole

ROOT = Path(__file__).parents[2]
RECIPES = sorted((ROOT / "pipelines").glob("*.yaml"))
MODELS = [each for each in catalog().all() if each.callable]
FIELDS = {(each, each.alias or each.name) for model in MODELS for each in model.fields if each.type != "enum[]"}


@cache
def validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(load_schema(f"pipeline.{name}"))


def complaints(text: str, name: str = "full") -> list[str]:
    whole = text if "rhflow: 1" in text else f"rhflow: 1\n{text}"
    data = read(Source("recipe.yaml", whole)).data
    return [leaf.message for error in validator(name).iter_errors(data) for leaf in leaves(error)]


def leaves(error: Any) -> Iterator[Any]:
    if not error.context:
        yield error
    for each in error.context:
        yield from leaves(each)


@pytest.mark.parametrize("name", ["light", "full"])
def test_what_is_checked_in_is_what_the_command_prints(name: str) -> None:
    path = ROOT / "schemas" / f"pipeline.{name}.schema.json"
    option = " --full" if name == "full" else ""
    stale = f"run `rhflow schema{option} -o {path.relative_to(ROOT)}`"
    assert editor_schema(full=name == "full") == path.read_text(encoding="utf-8"), stale


@pytest.mark.parametrize("name", ["light", "full"])
def test_old_editors_understand_it_and_it_stays_small(name: str) -> None:
    Draft7Validator.check_schema(load_schema(f"pipeline.{name}"))
    assert (ROOT / "schemas" / f"pipeline.{name}.schema.json").stat().st_size < 3_000_000


def test_the_loader_keeps_the_small_contract() -> None:
    assert "text-to-image" not in str(load_schema("pipeline"))


@pytest.mark.parametrize("name", ["light", "full"])
@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.name)
def test_shipped_recipes_are_accepted(path: Path, name: str) -> None:
    assert complaints(path.read_text(encoding="utf-8"), name) == []


def test_recipes_in_the_docs_are_accepted() -> None:
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        for block in re.findall(r"```yaml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
            assert complaints(whole(block)) == [], page.name


# --- the same names as the loader ------------------------------------------------------------------------------------


def test_every_model_takes_the_names_that_the_loader_takes() -> None:
    defs = load_schema("pipeline.full")["$defs"]
    uniform = {each.alias for model in MODELS for each in model.fields if each.alias} | set(_FALLBACKS)
    for model in MODELS:
        signature = Signature(model.id, model.fields, model)
        asked = uniform | {each.name for each in model.fields}
        assert set(defs[f"with-{model.id}"]["properties"]) == {name for name in asked if takes(signature, name)}


def takes(signature: Signature, name: str) -> bool:
    troubles = signature.bind({name: Pending()}, lambda _: Pending()).troubles
    return all(each.code != "unknown-input" for each in troubles)


def test_one_name_of_each_input_is_proposed() -> None:
    defs = load_schema("pipeline.full")["$defs"]
    for model in MODELS:
        taken = defs[f"with-{model.id}"]["properties"].items()
        shown = {name for name, each in taken if not resolved(defs, each).get("doNotSuggest")}
        extra = {"aspect_ratio", *model.spread}
        assert shown - extra == {each.alias or each.name for each in model.fields} - extra


def resolved(defs: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = defs[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    return found


# --- the same values as the loader -----------------------------------------------------------------------------------


def probes(field: Field) -> Iterator[Any]:
    yield from ("${{ params.x }}", "a ${{ params.x }} b", "some text", "", "x.png", 0, 5, 5.0, 5.5, -1, "5", " 5.5 ")
    yield from (True, False, "true", "True", {"a": 1}, [{"a": 1}], 10**9)
    yield from (["x.png"], ["x.png"] * 2, ["x.png"] * (field.max_items or 30), ["x.png"] * 31)
    for each in field.enum:
        yield from (each, each.upper(), each.lower(), each.replace(" ", ""), each.replace("×", "x"))
        yield from (each.removesuffix("p"), each.removesuffix("P"), f"{each}!")
        if re.fullmatch(r"\d+[pP]?", each):
            yield int(each.rstrip("pP"))
    for bound in (field.minimum, field.maximum):
        if bound is not None:
            yield from (bound, bound - 1, bound + 1, str(bound), field.step and bound + field.step)
    if field.max_length is not None:
        yield from ("x" * field.max_length, "x" * (field.max_length + 1))


def test_no_false_alarm() -> None:
    for field, name in FIELDS:
        schema = Draft202012Validator(input_schema(field, name))
        for value in probes(field):
            if means_nothing(field, value) or schema.is_valid(value):
                continue
            assert not loader_takes(field, value), (field, value)


def loader_takes(field: Field, value: Any) -> bool:
    try:
        coerce(field, value, lambda _: Pending())
    except BadValueError:
        return False
    return True


def means_nothing(field: Field, value: Any) -> bool:
    """What the loader takes and nobody writes: one plain value as a list, a plain value among mappings."""
    if field.type.startswith("object"):
        return not isinstance(value, dict | list) or value == ["x.png"] * len(value)
    return isinstance(value, list) and not field.is_list and not field.is_media


def test_what_the_loader_refuses_is_refused_but_for_numbers_as_text() -> None:
    agreed = refused = 0
    for field, name in FIELDS:
        schema = Draft202012Validator(input_schema(field, name))
        for value in probes(field):
            if "${{" not in str(value) and not loader_takes(field, value):
                refused += 1
                agreed += not schema.is_valid(value)
    assert agreed / refused > 0.99


# --- recipes ---------------------------------------------------------------------------------------------------------


def step(*lines: str, uses: str = "image-to-video") -> str:
    return f"steps:\n  a:\n    uses: {uses}\n" + "".join(f"    {line}\n" for line in lines)


@pytest.mark.parametrize(
    "text",
    [
        step("with: {image: a.png, prompt: x, duration: 5, guidance: '0.5'}"),
        step("with: {image: ['${{ params.a }}'], prompt: '${{ vars.b }}', duration: '${{ params.c }}'}"),
        step("with: {imageUrl: a.png}", "model: kling-v2-6-pro-i2v"),
        step("with: {anything: 1}", "model: A Name Of Later Days"),
        step("with: {anything: 1}", "model: ${{ params.model }}"),
        step("with: {video: a.mp4, resolution: 1080}", uses="upscale"),
        step("with: {image: a.png, scale: 2X}", uses="upscale"),
        step("with: {whatever: 1}", uses="./other.yaml"),
        "defaults: {image-to-video: {model: x}}\n" + step("with: {anything: 1}"),
        "defaults: {image-to-video: {with: {anything: 1}}}\n" + step("with: {image: a.png}"),
        "steps:\n  - {id: a, uses: upload, with: {file: a.png}}\n",
    ],
)
def test_accepted(text: str) -> None:
    assert complaints(text) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (step("with: {imag: a.png}"), "'imag' was unexpected"),
        (step("with: {duration: 7}"), "7 is not one of [5, 10]"),
        (step("with: {guidance: 2}"), "2 is greater than the maximum"),
        (step("with: {with_audio: true}"), "'with_audio' was unexpected"),
        (step("with: {imag: a.png}", "model: kling-v2-6-pro-i2v"), "'imag' was unexpected"),
        (step("with: {imag: a.png}", "model: kling-v2.6-pro-image-to-video"), "'imag' was unexpected"),
        (step("with: {path: a.png}", uses="upload"), "'path' was unexpected"),
        (step("with: {video: a.mp4, scale: 2x}", uses="upscale"), "'scale' was unexpected"),
        (step("with: {image: a.png, resolution: 2k}", uses="upscale"), "'resolution' was unexpected"),
        (step("wiht: {}"), "'wiht' was unexpected"),
        (step(uses="image-to-vide"), "'image-to-video' was expected"),
        ("defaults: {image-to-vide: {}}\n" + step(), "'image-to-vide' does not match any of the regexes"),
        ("steps:\n  - {id: a, uses: upload, with: {path: a.png}}\n", "'path' was unexpected"),
    ],
)
def test_complained_about(text: str, words: str) -> None:
    found = complaints(text)
    assert any(words in each for each in found), found


def test_the_light_schema_knows_kinds_and_models_but_no_inputs() -> None:
    assert complaints(step("with: {imag: a.png}"), "light") == []
    assert any("'image-to-video' was expected" in each for each in complaints(step(uses="image-to-vide"), "light"))
    offered = {each["const"] for each in load_schema("pipeline.light")["$defs"]["model"]["anyOf"][:-1]}
    assert offered == {each.id for each in MODELS if each.status == "active"}


def test_every_kind_is_explained() -> None:
    for name in ("light", "full"):
        listed = load_schema(f"pipeline.{name}")["$defs"]["uses"]["anyOf"][:-1]
        assert [each["const"] for each in listed] == list(all_kinds())
        assert all(each["description"].endswith(".") for each in listed)


def default_of(task: str) -> Model:
    found = catalog().default_for(task)
    assert found is not None
    return found


def test_each_kind_without_a_model_takes_what_its_default_takes() -> None:
    for kind in all_kinds().values():
        for task in kind.tasks:
            if catalog().default_for(task) is None:
                continue
            name = next(each.alias or each.name for each in default_of(task).fields)
            assert complaints(step(f"with: {{{name}: '${{{{ params.x }}}}'}}", uses=kind.name)) == []
            assert complaints(step("with: {no_such_input: 1}", uses=kind.name)) != []
