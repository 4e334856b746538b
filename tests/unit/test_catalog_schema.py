"""The written contract of the catalogue file: what it accepts, and how it refuses."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest

from rhflow.catalog.catalog import SHIPPED, Catalog
from rhflow.catalog.validate import validate
from rhflow.contract import load_schema
from rhflow.core.errors import RhflowError, UsageError
from rhflow.core.kinds import Field, FieldType, Price
from rhflow.core.values import Family

Change = Callable[[dict[str, Any]], Any]


def small() -> dict[str, Any]:
    """A catalogue of two models, the second withdrawn."""
    field = {"name": "prompt", "type": "string", "alias": "prompt", "required": True}
    scale = {"name": "scale", "type": "enum", "enum": ["2x", "4x"], "default": "2x"}
    model = {"tasks": ["text-to-image"], "output": "image", "vendor": "v", "family": "f", "confidence": "high"}
    rules = [{"when": {"scale": "2x"}, "price": "0.7"}]
    return {
        "format": 1,
        "as_of": "2026-01-02",
        "defaults": {"text-to-image": "one"},
        "models": [
            {"id": "one", "title": "One", "endpoint": "v/one", "status": "active", **model}
            | {"fields": [field, scale], "price": {"unit": "call", "rules": rules}},
            {"id": "two", "title": "Two", "endpoint": "v/two", "status": "withdrawn", "successor": "one", **model}
            | {"fields": [field]},
        ],
    }


def messages(data: object) -> str:
    with pytest.raises(UsageError) as caught:
        validate(data, "mine.json")
    assert all(problem.hint for problem in caught.value.problems)
    return "\n".join(problem.message for problem in caught.value.problems)


def test_the_schema_accepts_the_shipped_file() -> None:
    validate(json.loads(SHIPPED.read_bytes()), "models.json")


def test_a_file_of_ones_own_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(small()), encoding="utf-8")
    catalog = Catalog.load(path)
    assert catalog.names() == ("one", "two")
    assert (model := catalog.default_for("text-to-image")) is not None
    assert model.by_name["scale"].enum == ("2x", "4x")


def one(data: dict[str, Any]) -> dict[str, Any]:
    model: dict[str, Any] = data["models"][0]
    return model


BROKEN: dict[str, tuple[Change, str]] = {
    "wrong type": (lambda d: one(d)["price"].update(unit="hour"), "`models[one].price.unit`: 'hour' is not one of"),
    "missing": (lambda d: one(d).pop("endpoint"), "`models[one]`: 'endpoint' is a required property"),
    "no id": (lambda d: one(d).pop("id"), "`models[0]`: 'id' is a required property"),
    "price as number": (lambda d: one(d)["price"]["rules"][0].update(price=0.7), "0.7 is not of type 'string'"),
    "two prices": (lambda d: one(d)["price"].update(fixed="1"), "`models[one].price`"),
    "no task": (lambda d: one(d).update(tasks=[]), "`models[one].tasks`: [] should be non-empty"),
    "uncallable without a note": (lambda d: one(d).update(callable=False), "'note' is a required property"),
    "models not a list": (lambda d: d.update(models={}), "`models`: {} is not of type 'array'"),
    "id twice": (lambda d: d["models"].append(one(d)), "`one` is there twice"),
    "same name": (lambda d: d["models"][1].update(title="ONE"), "`ONE` stands for both `one` and `two`"),
    "default nowhere": (lambda d: d["defaults"].update({"other": "x"}), "`defaults.other`: there is no model `x`"),
    "successor nowhere": (lambda d: d["models"][1].update(successor="x"), "`models[two].successor`: there is no model"),
    "spread nowhere": (lambda d: one(d).update(spread={"images": ["a"]}), "`models[one]`: there is no field `a`"),
    "rule nowhere": (lambda d: one(d)["price"]["rules"][0].update(when={"b": "1"}), "there is no field `b`"),
    "implied nowhere": (
        lambda d: one(d).update(implied=[{"field": "a", "then": "scale", "becomes": "4x"}]),
        "`models[one]`: there is no field `a`",
    ),
    "alias twice": (lambda d: one(d)["fields"][1].update(alias="prompt"), "the alias `prompt` stands for two fields"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_refused_in_words(name: str) -> None:
    change, expected = BROKEN[name]
    data = small()
    change(data)
    text = messages(data)
    assert expected in text
    assert text.startswith("the catalogue `mine.json` is not valid at ")
    assert max(map(len, text.splitlines())) < 400


@pytest.mark.parametrize("data", [[], "text", None, {}, {"name": "my-package", "version": "1.0.0"}])
def test_a_foreign_file_is_refused_in_one_line(data: object) -> None:
    assert messages(data) == "`mine.json` is not a catalogue of models"


def test_another_format_is_refused() -> None:
    text = messages(small() | {"format": 2})
    assert text == "the catalogue `mine.json` has format `2`, this rhflow reads format `1`"


def test_what_only_a_newer_rhflow_knows_is_left_out(tmp_path: Path) -> None:
    data = small()
    data["signed_by"] = "somebody"
    one(data)["fields"][1]["colour"] = "red"
    one(data)["price"]["rules"][0]["until"] = "2027-01-01"
    one(data)["tasks"] = ["text-to-smell"]
    data["models"][1]["tasks"] = ["text-to-smell", "text-to-image"]
    data["defaults"] = {"text-to-smell": "one"}
    path = tmp_path / "newer.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    catalog = Catalog.load(path)
    assert set(catalog.ignored) == {
        "signed_by", "models[one].fields[1].colour", "models[one].price.rules[0].until", "models[one].tasks",
        "models[two].tasks", "defaults.text-to-smell",
    }  # fmt: skip
    assert [each.tasks for each in catalog.all()] == [("other",), ("text-to-image",)]
    assert catalog.default_for("text-to-smell") is None


def test_a_very_broken_file_does_not_flood() -> None:
    data = small()
    data["models"] = [{} for _ in range(500)]
    assert len(messages(data).splitlines()) == 20


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(RhflowError, match=r"absent\.json` cannot be read: No such file"):
        Catalog.load(tmp_path / "absent.json")
    with pytest.raises(RhflowError, match="cannot be read"):
        Catalog.load(tmp_path)


@pytest.mark.parametrize("content", [b"", b"{", b"models: []", b"\xff\xfe\x00"])
def test_a_file_that_is_not_json(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "mine.json"
    path.write_bytes(content)
    with pytest.raises(RhflowError, match=r"mine\.json` is not JSON: "):
        Catalog.load(path)


def test_the_schema_and_the_dataclasses_say_the_same() -> None:
    parts = load_schema("catalog")["$defs"]
    of_kinds = {"dotted", "keyed", "pattern", "form", "about"}  # of the fields of rhflow's own kinds, never of models
    assert set(parts["field"]["properties"]) == {each.name for each in dataclasses.fields(Field)} - of_kinds
    assert set(parts["price"]["properties"]) == {each.name for each in dataclasses.fields(Price)}
    assert parts["field"]["properties"]["type"]["enum"] == [each for each in get_args(FieldType) if each != "values"]
    assert parts["model"]["properties"]["output"]["enum"] == list(get_args(Family))
